// The launcher's own arguments to what is wanted, and which program.
#pragma once

#include "process.h"

// Of several options the one that is later in this list counts.
enum wish { WISH_RUN, WISH_REHASH, WISH_REFRESH, WISH_CHOOSE, WISH_EXPLAIN, WISH_NOTHING_MORE };

struct command_line {
	enum wish wish;
	int status;           // the exit status, with WISH_NOTHING_MORE
	const char *strategy; // what --strategy names, or NULL
	const char *name;     // PROGRAM, to be looked up
	char **argv;          // its argv
};

/// Reads the options before PROGRAM; answers --help and --version, and refuses unknown ones, itself.
struct command_line command_line_read(const struct process *process);
