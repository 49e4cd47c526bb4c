// The path of a name table → the table, read anew when there is another file.
#pragma once

#include "name-table.h"

struct table_kind {
	size_t most; // bytes
	enum how_kept how;
	uint32_t machine; // or ANY_MACHINE
};

/// All zero: nothing was read, and the table is none. One thread at a time changes it; another one may fork meanwhile.
struct kept_table {
	struct read_table {
		struct own_file file;
		struct file_state state; // of the path, before it was opened
		struct name_table table;
	} each[2];
	unsigned current;
};

/// The table as it was read last.
const struct name_table *kept_table_current(const struct kept_table *kept);

/// Looks at the file at `path`, and reads it when it is another than the one that was read. Returns its state.
struct file_state kept_table_look(struct kept_table *kept, const char *path, const struct table_kind *kind);
