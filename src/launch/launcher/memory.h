// Sizes to memory that is never given back: the process ends in an execve, or becomes another program's.
#pragma once

#include <stddef.h>

/// Gives out this memory first.
void memory_use(char *bytes, size_t size);

/// Memory of `size` bytes with anything in it, aligned for pointers, or NULL when the kernel has none.
void *memory_take(size_t size);

/// The same for what another program reads after this one.
void *memory_take_lasting(size_t size);
