// The program that the kernel mapped to the address of its first instruction.
#include "program-entry.h"
#include "elf-image.h"

uintptr_t program_entry(const struct auxiliary_vector *vector)
{
	const uintptr_t *headers = auxiliary_value(vector, AT_PHDR), *count = auxiliary_value(vector, AT_PHNUM);
	if (!headers || !count)
		return 0;
	const struct elf_segment *segments = (const struct elf_segment *)*headers, *self = NULL, *first = NULL;
	for (uintptr_t i = 0; i < *count; i++) {
		if (segments[i].type == PT_PHDR)
			self = &segments[i];
		if (segments[i].type == PT_LOAD && segments[i].offset == 0)
			first = &segments[i];
	}
	if (!self || !first)
		return 0;
	uintptr_t base = (uintptr_t)segments - self->vaddr;
	return base + ((const struct elf_header *)(base + first->vaddr))->entry;
}
