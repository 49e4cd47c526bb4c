// A command to how it ended, run so that nothing of it is left behind in this process.
#pragma once

#include "resolver-command.h"

struct ending {
	int error;  // not 0: it could not be started, a positive errno
	int status; // how it ended, as wait(2) has it
};

/// Runs the command in the root directory with standard input and output at /dev/null (unless it asks) and no
/// descriptor above 2, and waits for its end.
/// When this process dies first, the command gets SIGTERM.
struct ending resolver_process_run(const struct resolver_command *command);
