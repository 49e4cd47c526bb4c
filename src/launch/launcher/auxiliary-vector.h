// The auxiliary vector that the kernel leaves after the environment (getauxval(3)): what of it is read or edited.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	AT_NULL = 0,
	AT_IGNORE = 1,
	AT_PHDR = 3,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_BASE = 7,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_SECURE = 23,
	AT_EXECFN = 31,
};

struct auxiliary_vector {
	uintptr_t *first; // pairs of tag and value
	uintptr_t *end;   // after the pair AT_NULL
};

/// The value of a tag, to be read or edited, or NULL.
uintptr_t *auxiliary_value(const struct auxiliary_vector *vector, uintptr_t tag);
