// A program that is there, and yet ENOENT to start, to which file is missing.
#pragma once

#include "messages.h"

/// What to say of the program at `path`, without a subject.
struct failure missing_interpreter(const char *path);
