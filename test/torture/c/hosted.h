// An input of libFuzzer → what the launcher's code sees of it: memory of exactly its size, a file, an argument block.
#pragma once

#include "base.h"

// Of the C library; its headers have the names of kernel.h too.
void *malloc(size_t size);
void free(void *memory);
_Noreturn void abort(void);

/// Ends the run when something is not as it must be: libFuzzer keeps the input.
void hosted_expect(bool holds);

/// A copy in memory of exactly `size` bytes, given back with all that memory_take gave out.
char *hosted_copy(const void *bytes, size_t size);

/// The path of a file that holds these bytes, the same one each time.
const char *hosted_file(const void *bytes, size_t size);

/// Gives all memory back, at the end of an input.
void hosted_release(void);

/// mmap(2) of what is given back with hosted_release.
long hosted_map(uintptr_t address, size_t size, int protection, int flags, int fd, size_t offset);

/// Walks every string of a list to its end; returns how many there are.
size_t hosted_walk(char *const *strings);

struct input {
	const uint8_t *bytes;
	size_t size;
};

/// The next byte, 0 after the end.
uint8_t input_byte(struct input *input);

/// An argument block as the kernel lays it out (fs/binfmt_elf.c, create_elf_tables), from lines of the input: `a` an
/// argument, `e` an environment entry, `x` two bytes of a tag and a value of the auxiliary vector. The strings follow
/// each other up to that of AT_EXECFN, which `execfn` is. Below it is room for it to grow, as in arch-x86_64.h.
uintptr_t *hosted_block(struct input *input, const char *execfn);
