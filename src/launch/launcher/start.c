// The stack at entry to a call of the role that this start has: relocates this program, then takes the stack apart.
#include "interpreter.h"
#include "kernel.h"
#include "launcher.h"
#include "memory.h"
#include "process.h"
#include "relocate.h"
#include "text.h"

ARCH_ENTRY;

extern const char own_entry[] __asm__("_start") __attribute__((visibility("hidden")));

// Enough for a hit. On the stack, since this image has no zeroed data beyond its file: NOTES.md says why.
enum { MEMORY_SIZE = 16 * 1024 };

static uint32_t number(const struct process *process, uintptr_t tag)
{
	const uintptr_t *value = auxiliary_value(&process->auxiliary, tag);
	return value ? (uint32_t)*value : 0;
}

static void take_apart(struct process *process, uintptr_t *block)
{
	process->block = block;
	process->argc = (int)block[0];
	process->argv = (char **)(block + 1);
	process->envp = process->argv + process->argc + 1;
	char **after = process->envp;
	while (*after)
		after++;
	uintptr_t *pair = (uintptr_t *)(after + 1);
	process->auxiliary.first = pair;
	while (pair[0] != AT_NULL)
		pair += 2;
	process->auxiliary.end = pair + 2;
}

__attribute__((used)) _Noreturn void start_from_stack(uintptr_t *block)
{
	_Alignas(16) char memory[MEMORY_SIZE];
	relocate_self();
	memory_use(memory, sizeof memory);
	struct process process;
	take_apart(&process, block);
	process.uid = number(&process, AT_UID);
	process.euid = number(&process, AT_EUID);
	process.gid = number(&process, AT_GID);
	process.egid = number(&process, AT_EGID);
	process.secure = number(&process, AT_SECURE) != 0;
	// AT_ENTRY is the entry of the program that was executed: another's when this file is only its loader.
	const uintptr_t *entry = auxiliary_value(&process.auxiliary, AT_ENTRY);
	process.role = entry && *entry != (uintptr_t)own_entry ? ROLE_INTERPRETER : ROLE_COMMAND;
	kernel_exit(process.role == ROLE_INTERPRETER ? interpreter_main(&process) : launcher_main(&process));
}

const char *process_variable(const struct process *process, const char *name)
{
	size_t length = text_length(name);
	for (char **entry = process->envp; *entry; entry++)
		if (text_has_name(*entry, name, length))
			return *entry + length + 1;
	return NULL;
}
