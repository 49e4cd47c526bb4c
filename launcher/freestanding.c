// What a C library and a loader would do for this program → memory, stat, own relocation, what compilers call.
#include "base.h"
#include "elf.h"

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

// Small sizes come from memory that the caller of memory_use had anyway, so that a hit needs no mmap.
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

#if ARCH_WIDENS_STAT
static long narrow_stat_at(int directory, const char *path, struct kernel_stat *status, int flags)
{
	struct narrow_stat narrow;
	_Static_assert(sizeof narrow == 96, "struct stat64 of i386");
	long failed = arch_system_call(NR_newfstatat, directory, (long)path, (long)&narrow, flags, 0);
	if (failed == 0)
		*status = (struct kernel_stat){.st_dev = narrow.st_dev,
					       .st_ino = narrow.st_ino,
					       .st_mode = (uint16_t)narrow.st_mode,
					       .st_uid = narrow.st_uid,
					       .st_gid = narrow.st_gid,
					       .st_size = narrow.st_size,
					       .st_mtime = narrow.st_mtime,
					       .st_mtime_nsec = (uint32_t)narrow.st_mtime_nsec,
					       .st_ctime = narrow.st_ctime,
					       .st_ctime_nsec = (uint32_t)narrow.st_ctime_nsec};
	return failed;
}

// The device's number as stat(2) gives it (include/linux/kdev_t.h, new_encode_dev).
long kernel_stat_at(int directory, const char *path, struct kernel_stat *status, int flags)
{
	enum { STATX_BASIC_STATS = 0x7ff };
	long failed = arch_system_call(NR_statx, directory, (long)path, flags, STATX_BASIC_STATS, (long)status);
	if (failed == -ENOSYS || failed == -EPERM) // before Linux 4.11, and in sandboxes that do not know it
		return narrow_stat_at(directory, path, status, flags);
	if (failed == 0)
		status->st_dev = (status->dev_minor & 0xff) | status->dev_major << 8 | (status->dev_minor & ~0xffu) << 12;
	return failed;
}
#endif

// Relocation of this image: it is static-pie, and nobody else relocates it.
struct rela {
	uintptr_t offset, info;
	intptr_t addend;
};
struct rel {
	uintptr_t offset, info;
};

// Both are given by the linker; hidden, so their addresses are taken relative to the code and need no relocation.
extern const char image_start[] __asm__("__ehdr_start") __attribute__((visibility("hidden")));
extern const struct dynamic_entry dynamic_section[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));

enum { RELOCATION_TYPE_MASK = UINTPTR_MAX == UINT32_MAX ? 0xff : -1 };

static int is_relative(uintptr_t info)
{
	return ((uint32_t)info & (uint32_t)RELOCATION_TYPE_MASK) == ARCH_RELOC_RELATIVE;
}

static void apply_rela(uintptr_t base, const struct rela *each, size_t size)
{
	for (const struct rela *end = each + size / sizeof *each; each < end; each++)
		if (is_relative(each->info))
			*(uintptr_t *)(base + each->offset) = base + (uintptr_t)each->addend;
}

// i386 keeps the addend in the place itself (System V ABI i386, "Relocation").
static void apply_rel(uintptr_t base, const struct rel *each, size_t size)
{
	for (const struct rel *end = each + size / sizeof *each; each < end; each++)
		if (is_relative(each->info))
			*(uintptr_t *)(base + each->offset) += base;
}

// RELR: an even word is an address, an odd one a bitmap of the words after it (gABI, "Relative Relocation Table").
static void apply_relr(uintptr_t base, const uintptr_t *each, size_t size)
{
	enum { BITS = sizeof(uintptr_t) * 8 - 1 };
	uintptr_t *next = NULL;
	for (const uintptr_t *end = each + size / sizeof *each; each < end; each++) {
		if (!(*each & 1)) {
			next = (uintptr_t *)(base + *each);
			*next++ += base;
			continue;
		}
		for (int bit = 0; bit < BITS; bit++)
			if (*each >> (bit + 1) & 1)
				next[bit] += base;
		next += BITS;
	}
}

void relocate_self(void)
{
	uintptr_t base = (uintptr_t)image_start;
	uintptr_t rela = 0, rela_size = 0, rel = 0, rel_size = 0, relr = 0, relr_size = 0;
	for (const struct dynamic_entry *entry = dynamic_section; entry->tag; entry++) {
		if (entry->tag == DT_RELA)
			rela = entry->value;
		if (entry->tag == DT_RELASZ)
			rela_size = entry->value;
		if (entry->tag == DT_REL)
			rel = entry->value;
		if (entry->tag == DT_RELSZ)
			rel_size = entry->value;
		if (entry->tag == DT_RELR)
			relr = entry->value;
		if (entry->tag == DT_RELRSZ)
			relr_size = entry->value;
	}
	apply_rela(base, (const struct rela *)(base + rela), rela_size);
	apply_rel(base, (const struct rel *)(base + rel), rel_size);
	apply_relr(base, (const uintptr_t *)(base + relr), relr_size);
}

// The four functions that a C compiler may call on its own, also without a C library (GCC manual, "Standards").
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
