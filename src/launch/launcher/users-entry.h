// The environment as nix-ld left it to what the kernel gave: whose LD_LIBRARY_PATH is the one that is there?
#pragma once

#include "process.h"

struct users_entry {
	char **slot;  // of LD_LIBRARY_PATH as it is now, or NULL
	char *entry;  // what the user had at this place, which may have another name; NULL: nothing
	bool is_extra; // the place itself is not the user's: somebody below added it
};

/// Finds LD_LIBRARY_PATH and what stood there when the program was executed.
struct users_entry users_entry_find(const struct process *process, const char *name);
