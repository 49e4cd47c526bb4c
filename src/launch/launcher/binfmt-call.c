// A start by a rule of binfmt_misc to the program and the argv that were meant.
#include "binfmt-call.h"

enum { AT_FLAGS_PRESERVE_ARGV0 = 1 }; // include/uapi/linux/binfmts.h

bool is_called_by_binfmt(const struct process *process)
{
	const uintptr_t *flags = auxiliary_value(&process->auxiliary, AT_FLAGS);
	return flags && *flags & AT_FLAGS_PRESERVE_ARGV0 && process->argc >= 3;
}

struct command_line command_line_of_binfmt(const struct process *process)
{
	return (struct command_line){.wish = WISH_RUN, .name = process->argv[1], .argv = process->argv + 2};
}
