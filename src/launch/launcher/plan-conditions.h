// One record of a plan to whether what it says of the file system still holds.
#pragma once

#include "process.h"

/// Why the condition of this record (tags `f`, `w`, `a`, `d`) does not hold; NULL when it does, or for other records.
const char *condition_unmet(const struct process *process, const char *record);
