// A program to the first plan of it that is believed.
#pragma once

#include "plan.h"

/// Looks in the cache, then in /tmp. A plan that is not believed carries the reason of the cache's (or of /tmp's,
/// when only that place has a plan).
struct plan plan_find(const struct process *process, const struct program *program);
