// A loader's file to its image in memory, as the kernel would map it for PT_INTERP.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mapped_loader {
	uintptr_t base;  // what is added to the file's addresses; the value of AT_BASE
	uintptr_t entry; // where it is entered
	uintptr_t dynamic; // its dynamic section, or 0
	long error;      // not 0: it was not mapped, a negative errno; ELIBBAD for what is no loader for this machine
};

/// Maps the shared object at `path` (fs/binfmt_elf.c, load_elf_interp): every PT_LOAD with its own protection, what
/// follows the file's data zeroed to the end of the page. `page_size` is a power of two, AT_PAGESZ.
struct mapped_loader map_loader(const char *path, size_t page_size);
