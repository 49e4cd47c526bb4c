// Sizes to zeroed memory that is never given back: the process ends in an execve.
#pragma once

#include <stddef.h>

/// Memory of `size` bytes, aligned for pointers, or NULL when the kernel has none.
void *memory_take(size_t size);
