// A program that cannot be looked at, or may not be started, to what is wrong with it.
#pragma once

#include "program.h"

/// Prints why `name` is refused with `error`, a negative errno. `program->found` is the path that was looked at; NULL
/// when a search along PATH failed. Returns the exit status of env(1): 127 for ENOENT, else 126.
int refuse_program(const char *name, const struct program *program, long error);
