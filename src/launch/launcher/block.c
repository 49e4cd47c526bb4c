// The argument block that the kernel left on the stack, edited in place for one more environment entry.
#include "block.h"

static void move_words_down(uintptr_t *from, uintptr_t *end, size_t by)
{
	for (; from < end; from++)
		from[-(ptrdiff_t)by] = *from;
}

static void block_begins(struct process *process, uintptr_t *block)
{
	process->block = block;
	process->argv = (char **)(block + 1);
	process->envp = process->argv + process->argc + 1;
}

static char **end_of(char **entries)
{
	while (*entries)
		entries++;
	return entries;
}

void block_put_entry(struct process *process, char **slot, char *entry)
{
	if (slot) {
		*slot = entry;
		return;
	}
	char **end = end_of(process->envp);
	move_words_down(process->block, (uintptr_t *)end, ENTRY_COPIES);
	for (int i = 1; i <= ENTRY_COPIES; i++)
		end[-i] = entry;
	block_begins(process, process->block - ENTRY_COPIES);
}

bool block_take_entry(char **slot, const char *entry)
{
	for (int i = 0; i < ENTRY_COPIES; i++)
		if (slot[i] != entry)
			return false;
	if (slot[ENTRY_COPIES])
		return false;
	for (int i = 0; i < ENTRY_COPIES; i++)
		((uintptr_t *)slot)[i] = i % 2 ? AT_IGNORE : 0;
	return true;
}

void block_drop_last_entry(struct process *process)
{
	end_of(process->envp)[-1] = NULL;
	move_words_down(process->auxiliary.first, process->auxiliary.end, 1);
	process->auxiliary.first--;
	process->auxiliary.end--;
}
