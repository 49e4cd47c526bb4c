// This thread → whether a seccomp filter could stop or kill it for starting a process.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/// True also where it cannot be told. `room`: for what is read, at least 4096 bytes; a thread's stack may be small.
bool seccomp_filter_may_be_there(char *room, size_t size);
