// The caller's arguments to those that a plan wants.
#pragma once

#include "plan.h"

/// `argv` (argv[0] and what follows) as the plan's `A 0 L P F` records have it, NULL when memory ran out.
char **arguments_of_plan(const struct process *process, const struct plan *plan, const struct program *program,
			 char **argv);
