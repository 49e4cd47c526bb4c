// A start by a rule of binfmt_misc to the program and the argv that were meant.
#pragma once

#include "command-line.h"

/// Did a rule with the flag P start this, which says so in AT_FLAGS and hands over argv[0] too?
bool is_called_by_binfmt(const struct process *process);

/// The kernel gives: this file, the program, its argv (Documentation/admin-guide/binfmt-misc.rst, flag P).
struct command_line command_line_of_binfmt(const struct process *process);
