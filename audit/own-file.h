// A path → the bytes of a file that nobody else can have written.
#pragma once

#include "kernel.h"

/// What tells one state of a file from the next; all zero: no file.
struct file_state {
	uint64_t device, inode, size, changed_seconds, changed_nanoseconds;
};

struct own_file {
	const char *bytes; // NULL: none that is trusted
	size_t size;
	struct file_state state;
};

enum how_kept {
	MAPPED, // read where it is needed; must not be touched after somebody shortened it
	COPIED, // stays what it was
};

/// A regular file, no link, of this user or root, that neither group nor others may write, of 1 to `most` bytes.
struct own_file own_file_open(const char *path, size_t most, enum how_kept how);
void own_file_close(struct own_file *file);

/// The state of what is at this path now.
struct file_state own_file_state(const char *path);
bool file_state_equal(const struct file_state *left, const struct file_state *right);
