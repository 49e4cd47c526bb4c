// The stack at entry to a call of launcher_main: relocates this program itself, then takes the stack apart.
#include "kernel.h"
#include "launcher.h"
#include "process.h"
#include "text.h"

ARCH_ENTRY;

enum { AT_UID = 11, AT_EUID = 12, AT_GID = 13, AT_EGID = 14, AT_SECURE = 23 };
enum { DT_RELA = 7, DT_RELASZ = 8, DT_RELRSZ = 35, DT_RELR = 36 };

struct dynamic_entry {
	int64_t tag;
	uint64_t value;
};
struct relocation {
	uint64_t offset, info;
	int64_t addend;
};

// Both are given by the linker; hidden, so their addresses are taken relative to the code and need no relocation.
extern const char image_start[] __asm__("__ehdr_start") __attribute__((visibility("hidden")));
extern const struct dynamic_entry dynamic_section[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));

static void apply_rela(uintptr_t base, const struct relocation *each, size_t size)
{
	for (const struct relocation *end = each + size / sizeof *each; each < end; each++)
		if ((uint32_t)each->info == ARCH_RELOC_RELATIVE)
			*(uint64_t *)(base + each->offset) = base + (uint64_t)each->addend;
}

// RELR: an even word is an address, an odd one a bitmap of the 63 words after it (gABI, "Relative Relocation Table").
static void apply_relr(uintptr_t base, const uint64_t *each, size_t size)
{
	uint64_t *next = NULL;
	for (const uint64_t *end = each + size / sizeof *each; each < end; each++) {
		if (!(*each & 1)) {
			next = (uint64_t *)(base + *each);
			*next++ += base;
			continue;
		}
		for (int bit = 0; bit < 63; bit++)
			if (*each >> (bit + 1) & 1)
				next[bit] += base;
		next += 63;
	}
}

// A static-pie program (or one entered as a program interpreter) is mapped anywhere, and nobody else relocates it.
static void relocate_self(void)
{
	uintptr_t base = (uintptr_t)image_start;
	uint64_t rela = 0, rela_size = 0, relr = 0, relr_size = 0;
	for (const struct dynamic_entry *entry = dynamic_section; entry->tag; entry++) {
		if (entry->tag == DT_RELA)
			rela = entry->value;
		if (entry->tag == DT_RELASZ)
			rela_size = entry->value;
		if (entry->tag == DT_RELR)
			relr = entry->value;
		if (entry->tag == DT_RELRSZ)
			relr_size = entry->value;
	}
	apply_rela(base, (const struct relocation *)(base + rela), rela_size);
	apply_relr(base, (const uint64_t *)(base + relr), relr_size);
}

static void read_auxiliary_vector(struct process *process, const uint64_t *pair)
{
	for (; pair[0]; pair += 2) {
		if (pair[0] == AT_UID)
			process->uid = (uint32_t)pair[1];
		if (pair[0] == AT_EUID)
			process->euid = (uint32_t)pair[1];
		if (pair[0] == AT_GID)
			process->gid = (uint32_t)pair[1];
		if (pair[0] == AT_EGID)
			process->egid = (uint32_t)pair[1];
		if (pair[0] == AT_SECURE)
			process->secure = pair[1] != 0;
	}
}

__attribute__((used)) _Noreturn void start_from_stack(uint64_t *stack)
{
	relocate_self();
	struct process process = {.argc = (int)stack[0], .argv = (char **)(stack + 1)};
	process.envp = process.argv + process.argc + 1;
	char **after = process.envp;
	while (*after)
		after++;
	read_auxiliary_vector(&process, (const uint64_t *)(after + 1));
	kernel_exit(launcher_main(&process));
}

const char *process_variable(const struct process *process, const char *name)
{
	size_t length = text_length(name);
	for (char **entry = process->envp; *entry; entry++)
		if (text_has_name(*entry, name, length))
			return *entry + length + 1;
	return NULL;
}
