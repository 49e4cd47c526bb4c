// The four functions that a C compiler may call on its own, also without a C library (GCC manual, "Standards").
#include <stddef.h>

// In each loop, so that the compiler does not make it a call of the very function it is in.
#define KEEP_LOOP __asm__ volatile("")

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		KEEP_LOOP;
		((char *)to)[i] = ((const char *)from)[i];
	}
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	if ((char *)to < (const char *)from)
		return memcpy(to, from, size); // ours copies upwards, which is right for this overlap
	while (size--) {
		KEEP_LOOP;
		((char *)to)[size] = ((const char *)from)[size];
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		KEEP_LOOP;
		((char *)to)[i] = (char)byte;
	}
	return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int difference = ((const unsigned char *)left)[i] - ((const unsigned char *)right)[i];
		if (difference)
			return difference;
	}
	return 0;
}
