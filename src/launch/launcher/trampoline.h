// What was changed for the loader to what the program shall find, at the moment when the loader has done its work.
#pragma once

#include "process.h"

/// What is taken back. The loader works with the block while this is pending, so places in it are named, not copied.
struct pending_restoration {
	uintptr_t target;           // where it goes on: in the program, or in nix-ld's own trampoline
	uintptr_t program_entry;    // the program's own
	uintptr_t *entry_in_vector; // the value of AT_ENTRY, which becomes `program_entry`
	char **envp;
	char *entry;        // the environment entry that was made for the loader
	char *users_entry;  // what was there before; NULL when there was none
	size_t entry_size;  // its bytes with the NUL
	struct auxiliary_vector vector;
	uintptr_t loader_dynamic; // the loader's dynamic section,
	char *loader_name;        // and its path, in memory that stays
	bool entry_is_kept; // the loader goes on reading it: musl (ldso/dynlink.c, env_path)
};

/// Keeps `pending` for the entry point that is returned, which does it and goes on with the program.
uintptr_t trampoline_prepare(const struct pending_restoration *pending);
