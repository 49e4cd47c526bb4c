// The environment as nix-ld left it → the LD_LIBRARY_PATH that the user had.
//
// The kernel lays the strings of argv and envp out one after the other, up to that of AT_EXECFN (fs/exec.c,
// copy_strings; fs/binfmt_elf.c, create_elf_tables). nix-ld sets pointers to strings of its own, or adds one, and the
// strings of the kernel stay: the one at a place begins after the end of the one before.
#include "interpreter.h"

#define NAME "LD_LIBRARY_PATH"

static bool is_of_kernel(const struct process *process, const char *string)
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

static char *kernel_string_at(const struct process *process, char **slot)
{
	const char *before = string_before(process, slot);
	if (!before || !is_of_kernel(process, before))
		return *slot; // not made by the kernel: taken as it is
	char *string = (char *)before + text_length(before) + 1;
	while (is_of_kernel(process, string) && !*string) // Wine's preloader moves the arguments down
		string++;
	return is_of_kernel(process, string) ? string : NULL;
}

// Names that nix-ld puts LD_LIBRARY_PATH in place of (nix-ld, src/main.rs): itself, and NIX_LD_LIBRARY_PATH...
static bool is_library_path(const char *entry)
{
	const char *rest = text_after(entry, "NIX_");
	return text_after(rest ? rest : entry, NAME) != NULL;
}

#define RENAMED "LD_LIBRARY_PATH="
static const char originals[] = "NIX_LD_LIBRARY_PATH=\0NIX_LD_LIBRARY_PATH_" ARCH_NIX_SYSTEM "=\0";

enum { MOVED_TOO_MUCH = sizeof RENAMED - 1 };

// With no LD_LIBRARY_PATH, nix-ld 1.x writes that name over the one of NIX_LD_LIBRARY_PATH and moves what follows left,
// by 16 bytes too many: the next entries lose their beginning (nix-ld 1.2.3, src/nix-ld.c, insert_ld_library_path). If
// that happened to the entry at `slot`, this puts all back. Returns by how much its value begins later then, or 0.
static size_t undo_nix_ld_1(const struct process *process, char **slot)
{
	const uintptr_t *last = auxiliary_value(&process->auxiliary, AT_EXECFN);
	const char *next = slot[1] ? slot[1] : last ? (const char *)*last : NULL;
	char *entry = *slot, *value = entry + sizeof RENAMED - 1;
	size_t length = text_length(value);
	for (const char *original = originals; next && *original; original = plan_next(original)) {
		size_t shift = text_length(original) - (sizeof RENAMED - 1);
		if (next != value + length + 1 + shift) // the kernel leaves no gap between strings
			continue;
		for (size_t left = length + MOVED_TOO_MUCH; left-- > 0;)
			value[shift + left] = value[left];
		for (size_t at = 0; original[at]; at++)
			entry[at] = original[at];
		return shift;
	}
	return 0;
}

// NixOS sets NIX_LD_LIBRARY_PATH to what is nix-ld's default anyway, for all users (nixos/modules/programs/nix-ld.nix).
static const char list_of_system[] = "/run/current-system/sw/share/nix-ld/lib";

static bool is_of_system(const char *entry, const char *value)
{
	return text_after(entry, "NIX_") && text_equal(value, list_of_system);
}

// Parts the value: nix-ld 2 puts its list behind that of the user.
static void part_value(struct user_library_path *found)
{
	const char *entry = found->entry ? found->entry : "", *own = entry + entry_name_length(entry);
	own += *own == '=';
	const char *added = text_after(found->value, own);
	if (!added || is_of_system(entry, own)) {
		added = found->value;
		own = "";
	}
	found->own = own;
	found->added = *own && *added == ':' ? added + 1 : added;
}

// Of several ld.so takes the last (elf/rtld.c, process_envvars).
static char **find_slot(const struct process *process)
{
	char **slot = NULL;
	for (char **each = process->envp; *each; each++)
		if (entry_has_name(*each, NAME, sizeof NAME - 1))
			slot = each;
	return slot;
}

struct user_library_path user_library_path_find(struct process *process)
{
	char **slot = find_slot(process);
	if (!slot)
		return (struct user_library_path){.value = "", .own = "", .added = ""};
	struct user_library_path found = {.slot = slot, .value = *slot + sizeof NAME};
	char *entry = kernel_string_at(process, slot);
	if (entry == *slot) {
		found.entry = entry;
		found.value += undo_nix_ld_1(process, slot);
	} else if (entry && is_library_path(entry))
		found.entry = entry;
	else
		found.is_extra = true;
	part_value(&found);
	return found;
}

// Where `tail` begins as the last elements of `list`, or NULL.
static char *tail_in(char *list, const char *tail)
{
	size_t length = text_length(list), size = text_length(tail);
	if (size == 0 || size > length || !text_equal(list + length - size, tail))
		return NULL;
	char *start = list + length - size;
	return start == list || start[-1] == ':' ? start : NULL;
}

const char *nix_ld_list_take(const struct process *process)
{
	char **slot = find_slot(process);
	if (!slot)
		return "";
	const char *list = process_variable(process, "NIX_LD_LIBRARY_PATH_" ARCH_NIX_SYSTEM);
	if (!list)
		list = process_variable(process, "NIX_LD_LIBRARY_PATH");
	char *value = *slot + sizeof NAME, *tail = tail_in(value, list ? list : list_of_system);
	if (!tail)
		return "";
	if (tail > value)
		tail[-1] = '\0';
	else
		for (; (slot[0] = slot[1]); slot++) // the whole entry is nix-ld's
			;
	return tail;
}
