// ELF as the kernel and ld.so have it → C structures, in the word size of this machine.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Sources: gABI chapters 4 and 5 (ELF header, program header, dynamic section), psABI for the relocation types.
enum { ET_EXEC = 2, ET_DYN = 3 };
enum { EM_386 = 3 };
enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3, PT_PHDR = 6, PT_TLS = 7 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };
enum { ELFCLASS32 = 1, ELFCLASS64 = 2, ELFDATA2LSB = 1 };
enum { DT_RELA = 7, DT_RELASZ = 8, DT_REL = 17, DT_RELSZ = 18, DT_DEBUG = 21, DT_RELRSZ = 35, DT_RELR = 36 };
enum { DT_STRTAB = 5, DT_STRSZ = 10 };
enum { DT_FLAGS_1 = 0x6ffffffb, DF_1_PIE = 0x08000000 };

struct elf_header {
	unsigned char ident[16];
	uint16_t type, machine;
	uint32_t version;
	uintptr_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

#if UINTPTR_MAX == UINT64_MAX
enum { ELFCLASS_HERE = ELFCLASS64 };
struct elf_segment {
	uint32_t type, flags;
	uintptr_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_header) == 64 && sizeof(struct elf_segment) == 56, "ELF64");
#else
enum { ELFCLASS_HERE = ELFCLASS32 };
struct elf_segment {
	uint32_t type;
	uintptr_t offset, vaddr, paddr, filesz, memsz;
	uint32_t flags, align;
};
_Static_assert(sizeof(struct elf_header) == 52 && sizeof(struct elf_segment) == 32, "ELF32");
#endif

struct dynamic_entry {
	intptr_t tag;
	uintptr_t value;
};

// In map-loader.c, for files that are read as bytes: they may have the other word size.

/// Where the fields are (gABI, "ELF Header", "Program Header"), in bytes.
struct elf_layout {
	uint8_t word, entry, phoff, phentsize, phnum; // in the file
	uint8_t segment, offset, vaddr, filesz;       // the size of a program header, and in it
};

/// The layout of a file that begins with these bytes; NULL for what is no little-endian ELF file of 64 bytes or more.
const struct elf_layout *elf_layout_of(const char *head, size_t size);

/// The number that these bytes are, the lowest one first.
uint64_t number_at(const char *bytes, size_t size);
