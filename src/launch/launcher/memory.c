// Sizes to memory: small ones from what the stack at entry has room for, so that a hit needs no mmap.
#include "memory.h"
#include "kernel.h"

// In the page that the kernel writes anyway when it maps this program: reading it costs no page fault.
static struct {
	char *first, *end;
} pool __attribute__((section(".data")));

void memory_use(char *bytes, size_t size)
{
	pool.first = bytes;
	pool.end = bytes + size;
}

void *memory_take(size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (size <= (size_t)(pool.end - pool.first)) {
		pool.end -= size; // from the end, which lies nearest to pages that are in use
		return pool.end;
	}
	return memory_take_lasting(size);
}

void *memory_take_lasting(size_t size)
{
	long mapped = kernel_map_memory(size, MAP_PRIVATE);
	return is_kernel_error(mapped) ? NULL : (void *)mapped;
}
