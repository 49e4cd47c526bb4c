// A believed plan to the running program.
#pragma once

#include "plan.h"

/// Becomes the program. Returns only when the kernel refused: the negative errno.
long start_program(const struct process *process, const struct plan *plan, const struct program *program,
		   char **argv);

/// Says why `start_program` failed with `error`; returns the exit status.
int start_program_failed(const struct plan *plan, const struct program *program, long error);
