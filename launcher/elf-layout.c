// The first bytes of an ELF file, of either word size → where its fields are; bytes in it → their number.
#include "elf.h"

static const struct elf_layout layout_32 = {4, 24, 28, 42, 44, 32, 4, 8, 16};
static const struct elf_layout layout_64 = {8, 24, 32, 54, 56, 56, 8, 16, 32};

uint64_t number_at(const char *bytes, size_t size)
{
	uint64_t number = 0;
	while (size--)
		number = number << 8 | (unsigned char)bytes[size];
	return number;
}

const struct elf_layout *elf_layout_of(const char *head, size_t size)
{
	if (size < 64 || number_at(head, 4) != 0x464c457f || head[5] != ELFDATA2LSB)
		return NULL;
	return head[4] == ELFCLASS64 ? &layout_64 : &layout_32;
}
