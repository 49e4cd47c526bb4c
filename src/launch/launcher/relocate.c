// This program's image to one that may run where it was mapped: nobody else relocates a static-pie program.
#include "relocate.h"
#include "arch.h"
#include "elf-image.h"

struct rela {
	uintptr_t offset, info;
	intptr_t addend;
};
struct rel {
	uintptr_t offset, info;
};

// Both are given by the linker; hidden, so their addresses are taken relative to the code and need no relocation.
extern const char image_start[] __asm__("__ehdr_start") __attribute__((visibility("hidden")));
extern const struct dynamic_entry dynamic_section[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));

enum { RELOCATION_TYPE_MASK = UINTPTR_MAX == UINT32_MAX ? 0xff : -1 };

static int is_relative(uintptr_t info)
{
	return ((uint32_t)info & (uint32_t)RELOCATION_TYPE_MASK) == ARCH_RELOC_RELATIVE;
}

static void apply_rela(uintptr_t base, const struct rela *each, size_t size)
{
	for (const struct rela *end = each + size / sizeof *each; each < end; each++)
		if (is_relative(each->info))
			*(uintptr_t *)(base + each->offset) = base + (uintptr_t)each->addend;
}

// i386 keeps the addend in the place itself (System V ABI i386, "Relocation").
static void apply_rel(uintptr_t base, const struct rel *each, size_t size)
{
	for (const struct rel *end = each + size / sizeof *each; each < end; each++)
		if (is_relative(each->info))
			*(uintptr_t *)(base + each->offset) += base;
}

// RELR: an even word is an address, an odd one a bitmap of the words after it (gABI, "Relative Relocation Table").
static void apply_relr(uintptr_t base, const uintptr_t *each, size_t size)
{
	enum { BITS = sizeof(uintptr_t) * 8 - 1 };
	uintptr_t *next = NULL;
	for (const uintptr_t *end = each + size / sizeof *each; each < end; each++) {
		if (!(*each & 1)) {
			next = (uintptr_t *)(base + *each);
			*next++ += base;
			continue;
		}
		for (int bit = 0; bit < BITS; bit++)
			if (*each >> (bit + 1) & 1)
				next[bit] += base;
		next += BITS;
	}
}

void relocate_self(void)
{
	uintptr_t base = (uintptr_t)image_start;
	uintptr_t rela = 0, rela_size = 0, rel = 0, rel_size = 0, relr = 0, relr_size = 0;
	for (const struct dynamic_entry *entry = dynamic_section; entry->tag; entry++) {
		if (entry->tag == DT_RELA)
			rela = entry->value;
		if (entry->tag == DT_RELASZ)
			rela_size = entry->value;
		if (entry->tag == DT_REL)
			rel = entry->value;
		if (entry->tag == DT_RELSZ)
			rel_size = entry->value;
		if (entry->tag == DT_RELR)
			relr = entry->value;
		if (entry->tag == DT_RELRSZ)
			relr_size = entry->value;
	}
	apply_rela(base, (const struct rela *)(base + rela), rela_size);
	apply_rel(base, (const struct rel *)(base + rel), rel_size);
	apply_relr(base, (const uintptr_t *)(base + relr), relr_size);
}
