// The program that the kernel mapped to the address of its first instruction.
#pragma once

#include "auxiliary-vector.h"

/// From the program's own headers in memory, since AT_ENTRY may have been changed below; 0 when they do not say.
uintptr_t program_entry(const struct auxiliary_vector *vector);
