// A plan that is followed to a trace of that in the times of its file and of its root, once a day.
#pragma once

#include "plan-file.h"

/// Sets the times of the plan's file and of its root link to now when they are a day old: `prune` and cleaners that go
/// by age see that it is in use. What cannot be touched (another's file, a read-only file system) stays as it is.
void leave_trace_of_use(const struct plan_file *file, const char *records);
