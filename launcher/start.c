// The stack at entry → a call of the role that this start has.
#include "interpreter.h"

ARCH_ENTRY;

extern const char own_entry[] __asm__("_start") __attribute__((visibility("hidden")));

// Enough for a hit, and for the paths of a view. On the stack, since this image has no zeroed data beyond its file:
// src/plan/NOTES.md says why. Where the stack is limited to less than SMALL_STACK, memory is mapped instead.
enum { MEMORY_SIZE = 20 * 1024, SMALL_STACK = 128 * 1024 };

// AT_ENTRY is the entry of the program that was executed: another's when this file is only its loader.
static enum role role_of(const struct process *process)
{
	const uintptr_t *entry = auxiliary_value(&process->auxiliary, AT_ENTRY);
	return entry && *entry != (uintptr_t)own_entry ? ROLE_INTERPRETER : ROLE_COMMAND;
}

static _Noreturn void start(uintptr_t *block)
{
	struct process process = process_of_block(block);
	process.role = role_of(&process);
	kernel_exit(process.role == ROLE_INTERPRETER ? interpreter_main(&process) : launcher_main(&process));
}

__attribute__((noinline)) static _Noreturn void start_with_stack_memory(uintptr_t *block)
{
	_Alignas(16) char memory[MEMORY_SIZE];
	memory_use(memory, sizeof memory);
	start(block);
}

__attribute__((used)) ARCH_CALLED_FROM_OUTSIDE _Noreturn void start_from_stack(uintptr_t *block)
{
	relocate_self();
	if (kernel_limit(RLIMIT_STACK) < SMALL_STACK)
		start(block);
	start_with_stack_memory(block);
}
