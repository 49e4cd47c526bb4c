// The environment and /etc/passwd to the directory in which this user's caches are.
#pragma once

#include "process.h"

/// HOME when it is an absolute path, else NULL. Whose it is must show in what lies there.
const char *home_in_environment(const struct process *process);

/// What /etc/passwd says, where HOME is no directory of the effective user; else NULL.
const char *home_in_passwd(const struct process *process);
