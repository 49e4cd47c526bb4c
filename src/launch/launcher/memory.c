// Sizes to zeroed memory: small ones from a page or two of our own, so that a hit needs no mmap.
#include "memory.h"
#include "kernel.h"

enum { MAP_PRIVATE = 2, MAP_ANONYMOUS = 32 };

static _Alignas(16) char pool[64 * 1024];
// In the page that the kernel writes anyway when it maps this program: reading it costs no page fault, and the first
// touch of the pool is a write.
static size_t pool_used __attribute__((section(".data")));

void *memory_take(size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (size <= sizeof pool - pool_used) {
		pool_used += size;
		return pool + pool_used - size;
	}
	long mapped = kernel_mmap(size, MAP_PRIVATE | MAP_ANONYMOUS);
	return mapped < 0 ? NULL : (void *)mapped;
}
