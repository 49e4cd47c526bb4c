// The build's or the environment's choice of nix-foreign to a command that can be started.
#pragma once

#include "process.h"

enum { RESOLVER_ARGUMENTS = 13, RESOLVER_WORDS = 6 };

struct resolver_command {
	const char *execute; // NULL: NIX_RUN_FOREIGN_RESOLVER is not usable
	char *argv[RESOLVER_ARGUMENTS];
	char **envp; // NULL: out of memory
	bool asks;   // it speaks with the user: standard input and output stay as they are
};

/// The command `nix-foreign WORDS... -- REAL_PATH`; a NULL among the words is left out.
struct resolver_command resolver_command(const struct process *process, const char *const words[RESOLVER_WORDS],
					 const char *real_path);
