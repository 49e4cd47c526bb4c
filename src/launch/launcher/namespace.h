// A plan's interpreter path to a mount namespace of this process's own, in which this very file lies over that path.
#pragma once

#include "process.h"

struct namespace_entry {
	long error; // 0 or a negative errno
	bool left;  // the process is no longer in the namespaces that it was started in, and cannot return
};

/// Leaves the machine's mount namespace, and its user namespace where that takes rights, for ones of this process and
/// its children, and puts this executable over `seat`. What can be known before is looked at before it leaves.
struct namespace_entry namespace_enter(const struct process *process, const char *seat);
