// Sizes to memory: small ones from what the stack at entry has room for, so that a hit needs no mmap.
#include "memory.h"
#include "kernel.h"

enum { LASTING_SIZE = 1024 };

// In the page that the kernel writes anyway when it maps this program: reading it costs no page fault.
static struct {
	char *first, *end;
} pool __attribute__((section(".data")));

void memory_use(char *bytes, size_t size)
{
	pool.first = bytes;
	pool.end = bytes + size;
}

static void *take_mapping(size_t size)
{
	long mapped = kernel_map_memory(size, MAP_PRIVATE);
	return is_kernel_error(mapped) ? NULL : (void *)mapped;
}

void *memory_take(size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (size <= (size_t)(pool.end - pool.first)) {
		pool.end -= size; // from the end, which lies nearest to pages that are in use
		return pool.end;
	}
	return take_mapping(size);
}

// In the same page: a mapping of its own would cost a page fault and a part of every later change of the mappings.
static struct {
	size_t used;
	char bytes[LASTING_SIZE];
} lasting __attribute__((section(".data")));

void *memory_take_lasting(size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (size <= sizeof lasting.bytes - lasting.used) {
		lasting.used += size;
		return lasting.bytes + lasting.used - size;
	}
	return take_mapping(size);
}
