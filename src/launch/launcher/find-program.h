// A command name to the file that execvp(3) would start.
#pragma once

#include "process.h"

/// Looks `name` up as glibc's execvp does (posix/execvpe.c): as it is when it holds a slash, else along PATH.
/// Writes the path to start it by into `found` (of FOUND_SIZE bytes). Returns 0 or a negative errno.
enum { FOUND_SIZE = 4096 + 256 + 2 };
long find_program(const struct process *process, const char *name, char *found);
