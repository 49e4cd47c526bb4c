// The environment and /etc/passwd to the directory in which this user's caches are.
#pragma once

#include "process.h"

/// HOME when it is an absolute path of a directory of the effective user, else what /etc/passwd says, else NULL.
const char *home_directory(const struct process *process);
