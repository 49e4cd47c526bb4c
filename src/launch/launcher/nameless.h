// A program that is reached by a descriptor only to the reason why there can be no plan of it.
#pragma once

#include "program.h"

/// Whether the program's file was removed or never had a name, so that its real path is another file's or nobody's.
bool is_nameless(const struct program *program);

/// Says so; returns the exit status.
int refuse_nameless(const struct program *program);
