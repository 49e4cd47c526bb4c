// The bytes of a loader → its image in memory, every mapping within the one piece of address space taken for it.
#include "hosted.h"

#include "interpreter.h"

// What was mapped without MAP_FIXED, less what was given back of its ends.
static uintptr_t first, last;

static long watched_map(uintptr_t address, size_t size, int protection, int flags, int fd, size_t offset)
{
	if (flags & MAP_FIXED) {
		hosted_expect(address >= first && size <= last - first && address <= last - size);
		return kernel_map(address, size, protection, flags, fd, offset);
	}
	hosted_expect(first == 0);
	long mapped = kernel_map(address, size, protection, flags, fd, offset);
	if (is_kernel_error(mapped))
		return mapped;
	first = (uintptr_t)mapped;
	last = first + size;
	return mapped;
}

static long watched_unmap(uintptr_t address, size_t size)
{
	hosted_expect(address == first || address + size == last);
	if (address == first)
		first += size;
	else
		last -= size;
	return kernel_unmap(address, size);
}
#define kernel_map watched_map
#define kernel_unmap watched_unmap
#include "map-loader.c"
#undef kernel_unmap

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	first = last = 0;
	struct mapped_loader loader = map_loader(hosted_file(bytes, size), 4096);
	hosted_expect(loader.error <= 0);
	hosted_expect(!loader.error || !loader.base);
	if (last > first)
		kernel_unmap(first, last - first);
	hosted_release();
	return 0;
}
