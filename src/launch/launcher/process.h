// What the kernel gave this process: the stack at entry, taken apart.
#pragma once

#include "auxiliary-vector.h"
#include <stdbool.h>

/// Started by a command line, or by the kernel (or nix-ld) to be the loader of another program.
enum role { ROLE_COMMAND, ROLE_INTERPRETER };

struct process {
	enum role role;
	int argc;
	char **argv;
	char **envp;
	uintptr_t *block; // the argument block: argc, argv, envp and the auxiliary vector, in one piece
	struct auxiliary_vector auxiliary;
	uint32_t uid, euid, gid, egid;
	bool secure; // AT_SECURE: started with rights that the caller does not have
};

/// The value of the first environment entry of that name, or NULL.
const char *process_variable(const struct process *process, const char *name);
