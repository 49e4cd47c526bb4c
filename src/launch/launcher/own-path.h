// This process to the path of the launcher's own file.
#pragma once

#include "process.h"

/// Writes the path into `path` of PATH_SIZE bytes: /proc/self/exe's or, without /proc, the one it was started by.
/// False when there is none. Only in the role of a command: as an interpreter /proc/self/exe is the program.
bool own_path(const struct process *process, char *path);
