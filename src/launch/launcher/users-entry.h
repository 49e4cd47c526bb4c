// The environment as nix-ld left it to what the kernel gave: whose LD_LIBRARY_PATH is the one that is there?
#pragma once

#include "process.h"

struct users_entry {
	char **slot;       // where LD_LIBRARY_PATH is, or where nix-ld wants it; NULL: there is none
	const char *value; // what it says now, what nix-ld added included; empty where there is none
	char *entry;       // what the user had at this place, which may have another name; NULL: nothing
	bool is_extra;     // the place itself is not the user's: somebody below added it
};

/// Finds LD_LIBRARY_PATH and what stood there when the program was executed. The damage that nix-ld 1 does to the
/// variables after it is undone, so this comes before anything else is read from the environment.
struct users_entry users_entry_find(struct process *process);
