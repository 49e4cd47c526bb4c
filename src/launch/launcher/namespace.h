// A plan's interpreter path to a mount namespace of this process's own, in which this very file lies over that path.
#pragma once

#include "process.h"

/// Leaves the machine's mount namespace, and its user namespace where that takes rights, for ones of this process and
/// its children, and puts this executable over `seat`, which must be there. Returns 0 or a negative errno; after an error
/// the process may have left already.
long namespace_enter(const struct process *process, const char *seat);
