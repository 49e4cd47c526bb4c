// A believed plan to the running program.
#pragma once

#include "namespace.h"
#include "plan.h"

/// Becomes the program. Returns only when the kernel refused. Where the process has left its namespaces by then, nothing
/// else may be started from it.
struct namespace_entry start_program(const struct process *process, const struct plan *plan,
				     const struct program *program, char **argv);

/// Says why `start_program` failed; returns the exit status.
int start_program_failed(const struct plan *plan, const struct program *program, struct namespace_entry failed);
