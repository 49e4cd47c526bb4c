// The argument block that the kernel left on the stack → its parts; and edits of it in place.
#include "base.h"

uintptr_t *auxiliary_value(const struct auxiliary_vector *vector, uintptr_t tag)
{
	for (uintptr_t *pair = vector->first; pair < vector->end; pair += 2)
		if (pair[0] == tag)
			return pair + 1;
	return NULL;
}

static uint32_t number(const struct process *process, uintptr_t tag)
{
	const uintptr_t *value = auxiliary_value(&process->auxiliary, tag);
	return value ? (uint32_t)*value : 0;
}

static char **end_of(char **entries)
{
	while (*entries)
		entries++;
	return entries;
}

struct process process_of_block(uintptr_t *block)
{
	struct process process = {.block = block, .argc = (int)block[0], .argv = (char **)(block + 1)};
	process.envp = process.argv + process.argc + 1;
	uintptr_t *pair = (uintptr_t *)(end_of(process.envp) + 1);
	process.auxiliary.first = pair;
	while (pair[0] != AT_NULL)
		pair += 2;
	process.auxiliary.end = pair + 2;
	process.uid = number(&process, AT_UID);
	process.euid = number(&process, AT_EUID);
	process.gid = number(&process, AT_GID);
	process.egid = number(&process, AT_EGID);
	process.secure = number(&process, AT_SECURE) != 0;
	return process;
}

const char *process_variable_of(const struct process *process, const char *name, size_t length)
{
	for (char **entry = process->envp; *entry; entry++)
		if (entry_has_name(*entry, name, length))
			return *entry + length + 1;
	return NULL;
}

const char *process_variable(const struct process *process, const char *name)
{
	return process_variable_of(process, name, text_length(name));
}

bool process_has_foreign_rights(const struct process *process)
{
	return process->secure || process->uid != process->euid || process->gid != process->egid;
}

bool process_is_called_by_binfmt(const struct process *process)
{
	enum { AT_FLAGS_PRESERVE_ARGV0 = 1 }; // include/uapi/linux/binfmts.h
	return number(process, AT_FLAGS) & AT_FLAGS_PRESERVE_ARGV0 && process->argc >= 3;
}

static void move_words_down(uintptr_t *from, uintptr_t *end, size_t by)
{
	for (; from < end; from++)
		from[-(ptrdiff_t)by] = *from;
}

void block_put_entry(struct process *process, char **slot, char *entry, char *filler)
{
	if (slot) {
		*slot = entry;
		return;
	}
	char **end = end_of(process->envp);
	move_words_down(process->block, (uintptr_t *)end, ENTRY_WORDS);
	for (int i = 1; i < ENTRY_WORDS; i++)
		end[-i] = filler;
	end[-ENTRY_WORDS] = entry;
	process->block -= ENTRY_WORDS;
	process->argv = (char **)(process->block + 1);
	process->envp = process->argv + process->argc + 1;
}

bool block_take_entries(char **slot, size_t count)
{
	if (slot[count] || count % ENTRY_WORDS)
		return false;
	for (size_t i = 0; i < count; i++)
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
