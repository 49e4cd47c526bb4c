// Many threads, forked children and signal handlers → one that decides at a time.
#pragma once

#include <stdbool.h>

/// False when it is not this thread's turn: it is deciding already and a signal's handler asks again, or it waited too
/// long for another.
bool one_at_a_time_enter(void);
void one_at_a_time_leave(void);
