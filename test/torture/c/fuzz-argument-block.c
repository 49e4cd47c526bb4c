// What execve(2) was given → the loader's environment, and after it the program's own again: the very same strings.
#include "hosted.h"

#include "elf.h"

// The loader is not entered: what it would find is walked, and the trampoline does its work at once.
static uintptr_t *entered;
static long take_note(uintptr_t entry, uintptr_t *block)
{
	entered = block;
	return (long)entry;
}
#define arch_enter(entry, block) return take_note(entry, block)
#include "interpreter.c"

uintptr_t trampoline_restore(void);

enum { MOST_ENTRIES = 80 };

// nix-ld puts a string of its own in place of an entry, or of the place after the last one.
static void replace_as_nix_ld(struct process *process, uint8_t which)
{
	size_t count = hosted_walk(process->envp);
	if (count && which & 0x80)
		process->envp[(which & 0x7f) % count] = hosted_copy("LD_LIBRARY_PATH=/nix-ld:/more", 30);
}

static size_t expected_after(const struct process *process, struct user_library_path user, char *expected[])
{
	size_t count = 0;
	for (char **entry = process->envp; *entry; entry++) {
		hosted_expect(count < MOST_ENTRIES);
		if (entry != user.slot)
			expected[count++] = *entry;
		else if (user.entry)
			expected[count++] = user.entry;
	}
	return count;
}

static void start_and_restore(struct process *process, uint8_t how)
{
	struct user_library_path user = user_library_path_find(process);
	char *expected[MOST_ENTRIES];
	size_t count = expected_after(process, user, expected);
	struct plan plan = {.records = ".",
			    .loader = how & 1 ? "/lib/ld-linux-x86-64.so.2" : "/lib/ld-musl-x86_64.so.1",
			    .library_path = "/farm:/farm/other",
			    .audit_module = how & 2 ? "/run-time/nix-foreign-audit.so" : NULL};
	struct mapped_loader loader = {.base = 4096, .entry = 8192};
	entered = NULL;
	enter_loader(process, &plan, &loader, user);
	hosted_expect(entered == process->block && (int)entered[0] == process->argc);
	hosted_walk(process->argv);
	hosted_walk(process->envp);
	trampoline_restore();
	hosted_expect(hosted_walk(process->envp) == count);
	for (size_t i = 0; i < count; i++)
		hosted_expect(process->envp[i] == expected[i]);
}

static void look_at(const struct process *process)
{
	process_has_foreign_rights(process);
	process_is_called_by_binfmt(process);
	loader_is_called(process);
	char **envp = environment_of_resolver(process);
	hosted_expect(envp && hosted_walk(envp) <= hosted_walk(process->envp) + 1);
	for (; *envp; envp++)
		hosted_expect(!text_after(*envp, "LD_") && !text_after(*envp, "NODE_") && !text_after(*envp, "NIX_LD"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char more[] = "x\x09\x01\nx\x07\x02\n"; // AT_ENTRY and AT_BASE are always there
	char *whole = malloc(size + sizeof more);
	struct text text = text_in(whole, size + sizeof more);
	text_add_bytes(&text, more, sizeof more - 1);
	struct input input = {bytes, size};
	uint8_t how = input_byte(&input), which = input_byte(&input);
	text_add_bytes(&text, (const char *)input.bytes, input.size);
	struct input lines = {(const uint8_t *)whole, text.used};
	struct process process = process_of_block(hosted_block(&lines, how & 4 ? "/lib64/ld-linux.so.2" : "./found"));
	look_at(&process);
	replace_as_nix_ld(&process, which);
	start_and_restore(&process, how);
	hosted_release();
	free(whole);
	return 0;
}
