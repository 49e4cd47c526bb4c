// The arguments of this module's constructor → the directory of the module's file, as ld.so was told it.
#pragma once

#include "kernel.h"

enum { PLACE_SIZE = 1024 }; // longer ones are not taken: the data of the module are one page

/// Writes the path into `directory`, no `/` at its end. False when this start was not told to load us by our name.
bool own_place_find(char **argv, char **envp, char directory[PLACE_SIZE]);
