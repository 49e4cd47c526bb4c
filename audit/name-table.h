// The bytes of a name table (NAME-TABLE.md) → what it says of a name.
#pragma once

#include "own-file.h"

/// A header that holds for these bytes; every later look at them is within them.
struct name_table {
	const char *bytes; // NULL: no table
	uint32_t size, count, bucket_bits;
	uint64_t catalogue;
};

enum { ANY_MACHINE = 0 };

/// `machine`: what the header must say, e_machine, or ANY_MACHINE.
struct name_table name_table_of(const struct own_file *file, uint32_t machine);
/// The value of a name ("" where it has none), or NULL when the table does not have it.
const char *name_table_find(const struct name_table *table, const char *name);
