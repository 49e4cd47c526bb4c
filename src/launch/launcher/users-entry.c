// The environment as nix-ld left it to what the kernel gave: whose LD_LIBRARY_PATH is the one that is there?
//
// The kernel lays the strings of argv and envp out one after the other, up to that of AT_EXECFN (fs/exec.c,
// copy_strings; fs/binfmt_elf.c, create_elf_tables). nix-ld sets pointers to strings of its own, or adds one, and the
// kernel's strings stay: the one at a place begins after the end of the one before.
#include "users-entry.h"
#include "nix-ld-1.h"
#include "text.h"

#define NAME "LD_LIBRARY_PATH"

static bool is_kernels(const struct process *process, const char *string)
{
	const uintptr_t *end = auxiliary_value(&process->auxiliary, AT_EXECFN);
	return end && (uintptr_t)string >= (uintptr_t)process->auxiliary.end && (uintptr_t)string < *end;
}

static const char *string_before(const struct process *process, char **slot)
{
	if (slot > process->envp)
		return slot[-1];
	return process->argc > 0 ? process->argv[process->argc - 1] : NULL;
}

static char *kernels_string_at(const struct process *process, char **slot)
{
	const char *before = string_before(process, slot);
	if (!before || !is_kernels(process, before))
		return *slot; // somebody else's work: taken as it is
	char *string = (char *)before + text_length(before) + 1;
	return is_kernels(process, string) ? string : NULL;
}

// Names that nix-ld puts LD_LIBRARY_PATH in place of (nix-ld, src/main.rs): itself, and NIX_LD_LIBRARY_PATH...
static bool is_library_path(const char *entry)
{
	const char *rest = text_after(entry, "NIX_");
	return text_after(rest ? rest : entry, NAME) != NULL;
}

struct users_entry users_entry_find(struct process *process)
{
	char **slot = NULL;
	for (char **each = process->envp; *each; each++) // of several ld.so takes the last (elf/rtld.c, process_envvars)
		if (text_has_name(*each, NAME, sizeof NAME - 1))
			slot = each;
	if (!slot)
		return (struct users_entry){.value = ""};
	struct users_entry found = {.slot = slot, .value = *slot + sizeof NAME};
	char *entry = kernels_string_at(process, slot);
	if (entry == *slot) {
		found.entry = entry;
		found.value += nix_ld_1_undo(process, slot);
	} else if (entry && is_library_path(entry))
		found.entry = entry;
	else
		found.is_extra = true;
	return found;
}
