// The caller's environment to the one that a plan, or the resolver, wants.
#pragma once

#include "plan.h"

/// The environment with the plan's `+`, `N`, `c`, `v` and `-` records applied, NULL when memory ran out. `argv0`: what `v` sets.
char **environment_of_plan(const struct process *process, const struct plan *plan, const char *argv0);

/// The variable that marks the resolver, and every process that it starts.
#define RESOLVER_MARK "NIX_RUN_FOREIGN_RESOLVING"

/// The environment without what would change how the resolver's own Node loads and behaves, and with its mark; NULL as above.
char **environment_of_resolver(const struct process *process);
