// The launcher as one function, called once the program is relocated.
#pragma once

#include "process.h"

/// Becomes the program that the command line names; returns only when it cannot.
/// Exit statuses as env(1) has them: 127 not found, 126 found but cannot run, 125 this tool failed.
int launcher_main(const struct process *process);

enum exit_status { EXIT_TOOL_FAILED = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };
