// A command name to the file that execvp(3) would start.
#pragma once

#include "process.h"

/// Looks `name` up as glibc's execvp does (posix/execvpe.c): as it is when it holds a slash, else along PATH.
/// Sets `found` to the path to start it by, and leaves it alone when there is none. Returns 0 or a negative errno.
/// A name with a slash is not looked at here.
long find_program(const struct process *process, const char *name, const char **found);

/// 0 for an executable regular file, else the negative errno that execve(2) would give.
long why_not_startable(const char *path);
