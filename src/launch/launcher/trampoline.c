// What was changed for the loader to what the program shall find, at the moment when the loader has done its work.
#include "trampoline.h"
#include "arch.h"
#include "block.h"
#include "link-map.h"
#include "text.h"

ARCH_TRAMPOLINE;

// Its last step. A debugger stops at this name in the file that PT_INTERP says, to look for libraries (gdb,
// solib-svr4.c, bkpt_names): here they are all loaded. The only name that this file exports.
__asm__(".globl _dl_debug_state\n.type _dl_debug_state, STT_FUNC\n");

extern const char trampoline_code[] __asm__("trampoline") __attribute__((visibility("hidden")));

// In the file's data, not zeroed memory beyond it: NOTES.md says why.
static struct pending_restoration pending __attribute__((section(".data")));
__attribute__((used, visibility("hidden"), section(".data"))) uintptr_t trampoline_target;

uintptr_t trampoline_prepare(const struct pending_restoration *wanted)
{
	pending = *wanted;
	trampoline_target = wanted->target;
	return (uintptr_t)trampoline_code;
}

// Code of libraries that ran before the program may have moved entries (unsetenv(3) moves them down).
static void restore_slots(void)
{
	char **to = pending.envp;
	for (char **from = pending.envp; *from; from++) {
		if (*from != pending.entry) {
			*to++ = *from;
			continue;
		}
		if (pending.users_entry)
			*to++ = pending.users_entry;
		else if (from == to && block_take_entry(from, pending.entry))
			return;
	}
	*to = NULL;
}

// A library that set a variable made libc copy the vector, entries of ours with it (setenv(3)): they get harmless.
static void restore_text(void)
{
	const char *text = pending.users_entry ? pending.users_entry : "LD_LIBRARY_PATH=";
	size_t size = text_length(text) + 1;
	if (pending.entry_is_kept || size > pending.entry_size)
		return;
	for (size_t i = 0; i < size; i++)
		pending.entry[i] = text[i];
}

// Returns where the program goes on, for machines whose code cannot name a variable.
__attribute__((used, visibility("hidden"))) uintptr_t trampoline_restore(void)
{
	restore_slots();
	restore_text();
	*pending.entry_in_vector = pending.program_entry;
	link_map_name(&pending.vector, pending.loader_dynamic, pending.loader_name);
	return trampoline_target;
}
