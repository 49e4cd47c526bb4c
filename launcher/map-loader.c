// The file of a loader → its image in memory, as the kernel would map it for PT_INTERP.
// The first bytes of an ELF file, of either word size → where its fields are; bytes in it → their number.
#include "interpreter.h"

enum { HEAD_SIZE = 2048, LARGEST_ALIGNMENT = 1 << 21 };

// The beginning of the file, with the ELF header and, in every loader there is, the program headers.
union head {
	struct elf_header header;
	char bytes[HEAD_SIZE];
};

struct image {
	int fd;
	const struct elf_segment *segments;
	unsigned count;
	size_t page_size;
	uint64_t readable; // bytes of the file, to the end of its last page: beyond, a touch ends the process (SIGBUS)
	uintptr_t low, high, alignment; // of all PT_LOADs: the first page, the end of the last page
};

static struct mapped_loader failed(long error)
{
	return (struct mapped_loader){.error = error};
}

static uintptr_t page_of(const struct image *image, uintptr_t address)
{
	return address & ~(uintptr_t)(image->page_size - 1);
}

static uintptr_t page_after(const struct image *image, uintptr_t address)
{
	return page_of(image, address + image->page_size - 1);
}

static bool is_loader_here(const struct elf_header *header, size_t size)
{
	const unsigned char *ident = header->ident;
	return size >= sizeof *header && ident[0] == 0x7f && ident[1] == 'E' && ident[2] == 'L' && ident[3] == 'F' &&
	       ident[4] == ELFCLASS_HERE && ident[5] == ELFDATA2LSB && header->type == ET_DYN &&
	       header->machine == ARCH_ELF_MACHINE && header->phentsize == sizeof(struct elf_segment) &&
	       header->phoff % sizeof(uintptr_t) == 0 && header->phoff <= size &&
	       header->phnum <= (size - header->phoff) / sizeof(struct elf_segment);
}

// Segments lie in ascending order and do not overlap (gABI, "Program Header"); anything else is refused.
static bool measure(struct image *image)
{
	const uintptr_t most = UINTPTR_MAX / 4;
	image->low = UINTPTR_MAX;
	image->alignment = image->page_size;
	for (unsigned i = 0; i < image->count; i++) {
		const struct elf_segment *each = &image->segments[i];
		if (each->type != PT_LOAD || each->memsz == 0)
			continue;
		if (each->vaddr > most || each->memsz > most || each->filesz > each->memsz ||
		    (each->vaddr - each->offset) % image->page_size != 0)
			return false;
		if (each->filesz > 0 && (each->offset > image->readable || each->filesz > image->readable - each->offset))
			return false; // the file was cut
		if (image->low == UINTPTR_MAX)
			image->low = page_of(image, each->vaddr);
		else if (page_of(image, each->vaddr) < image->high)
			return false;
		image->high = page_after(image, each->vaddr + each->memsz);
		if (each->align > image->alignment && each->align <= LARGEST_ALIGNMENT && !(each->align & (each->align - 1)))
			image->alignment = each->align;
	}
	return image->low != UINTPTR_MAX;
}

// One piece of address space for all of it, so that nothing else can be in the way of MAP_FIXED.
static long reserve(const struct image *image)
{
	size_t slack = image->alignment - image->page_size;
	long start = kernel_map(0, image->high - image->low + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (is_kernel_error(start) || slack == 0)
		return start;
	uintptr_t wanted = image->low % image->alignment;
	uintptr_t skip = (wanted - (uintptr_t)start) & (image->alignment - 1);
	if (skip > 0)
		kernel_unmap((uintptr_t)start, skip);
	if (skip < slack)
		kernel_unmap((uintptr_t)start + skip + (image->high - image->low), slack - skip);
	return start + (long)skip;
}

static int protection_of(const struct elf_segment *segment)
{
	return (segment->flags & PF_R ? PROT_READ : 0) | (segment->flags & PF_W ? PROT_WRITE : 0) |
	       (segment->flags & PF_X ? PROT_EXEC : 0);
}

// `end` is the end of a page. By words, since it is half of the instructions of a start when it goes by bytes.
static void zero(uintptr_t from, uintptr_t end)
{
	uintptr_t *word = (uintptr_t *)end;
	while ((uintptr_t)(word - 1) >= from)
		*--word = 0;
	for (char *each = (char *)from; each < (char *)word; each++)
		*each = 0;
}

static long map_segment(const struct image *image, const struct elf_segment *segment, uintptr_t base)
{
	int protection = protection_of(segment);
	uintptr_t start = page_of(image, base + segment->vaddr), file_end = base + segment->vaddr + segment->filesz;
	uintptr_t zeroed = start, end = page_after(image, base + segment->vaddr + segment->memsz);
	if (segment->filesz > 0) {
		zeroed = page_after(image, file_end);
		long mapped = kernel_map(start, file_end - start, protection, MAP_PRIVATE | MAP_FIXED, image->fd,
					 page_of(image, segment->offset));
		if (is_kernel_error(mapped))
			return mapped;
		// To the end of the page: ld.so's first malloc takes what follows its data for zeroed (elf/dl-minimal-malloc.c).
		if (segment->memsz > segment->filesz && segment->flags & PF_W)
			zero(file_end, zeroed);
	}
	if (zeroed >= end)
		return 0;
	long mapped = kernel_map(zeroed, end - zeroed, protection, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
	return is_kernel_error(mapped) ? mapped : 0;
}

static struct mapped_loader map_image(struct image *image, uintptr_t entry)
{
	if (!measure(image))
		return failed(-ELIBBAD);
	long start = reserve(image);
	if (is_kernel_error(start))
		return failed(start);
	uintptr_t base = (uintptr_t)start - image->low, dynamic = 0;
	for (unsigned i = 0; i < image->count; i++) {
		if (image->segments[i].type == PT_DYNAMIC)
			dynamic = base + image->segments[i].vaddr;
		if (image->segments[i].type != PT_LOAD || image->segments[i].memsz == 0)
			continue;
		long error = map_segment(image, &image->segments[i], base);
		if (error)
			return failed(error);
	}
	return (struct mapped_loader){.base = base, .entry = base + entry, .dynamic = dynamic};
}

struct mapped_loader map_loader(const char *path, size_t page_size)
{
	union head head;
	struct kernel_stat status;
	long fd = kernel_open(AT_CWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return failed(fd);
	long size;
	do
		size = kernel_read((int)fd, &head, sizeof head);
	while (size == -EINTR);
	struct mapped_loader loader = failed(size < 0 ? size : -ELIBBAD);
	if (size >= 0 && is_loader_here(&head.header, (size_t)size) && kernel_fstat((int)fd, &status) == 0) {
		struct image image = {.fd = (int)fd,
				      .segments = (const struct elf_segment *)(head.bytes + head.header.phoff),
				      .count = head.header.phnum,
				      .page_size = page_size,
				      .readable = ((uint64_t)status.st_size + page_size - 1) & ~(uint64_t)(page_size - 1)};
		loader = map_image(&image, head.header.entry);
	}
	kernel_close((int)fd);
	return loader;
}

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
