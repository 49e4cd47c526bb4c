// An input of libFuzzer → what the launcher's code sees of it; in place of freestanding.c.
#include "hosted.h"

#include "launch.h"

// Standard error stays the fuzzer's; whatever would go there may not drive a terminal.
static long silent_write(int fd, const void *from, size_t size)
{
	(void)fd;
	const char *bytes = from;
	for (size_t i = 0; i < size; i++)
		hosted_expect(bytes[i] == '\n' || ((unsigned char)bytes[i] >= ' ' && bytes[i] != 0x7f));
	return (long)size;
}
#define kernel_write silent_write
#include "messages.c"
#include "trusted-files.c"

int memfd_create(const char *name, unsigned flags);
int ftruncate(int fd, long size);
long pwrite(int fd, const void *from, size_t size, long offset);
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);

enum { MOST_BLOCKS = 4096, MOST_MAPPINGS = 256, MOST_STRINGS = 64, ROOM_BELOW = 128 };

static struct {
	void *blocks[MOST_BLOCKS];
	size_t block_count;
	struct {
		uintptr_t start, size;
	} mappings[MOST_MAPPINGS];
	size_t mapping_count;
} taken;

void hosted_expect(bool holds)
{
	if (!holds)
		abort();
}

void memory_use(char *bytes, size_t size)
{
	(void)bytes;
	(void)size;
}

void *memory_take(size_t size)
{
	if (taken.block_count == MOST_BLOCKS || size > 64 << 20)
		return NULL;
	char *bytes = malloc(size);
	if (!bytes)
		return NULL;
	memset(bytes, 0xa5, size); // anything may be in it
	taken.blocks[taken.block_count++] = bytes;
	return bytes;
}

void *memory_take_lasting(size_t size)
{
	return memory_take(size);
}

char *hosted_copy(const void *bytes, size_t size)
{
	char *copy = memory_take(size);
	hosted_expect(copy || size > 64 << 20);
	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

const char *hosted_file(const void *bytes, size_t size)
{
	static int fd = -1;
	static char path[40];
	if (fd < 0) {
		fd = memfd_create("input", 0);
		struct text text = text_in(path, sizeof path);
		text_add(&text, "/proc/self/fd/");
		text_add_unsigned(&text, (uint64_t)fd);
	}
	hosted_expect(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (long)size);
	return path;
}

long hosted_map(uintptr_t address, size_t size, int protection, int flags, int fd, size_t offset)
{
	long mapped = kernel_map(address, size, protection, flags, fd, offset);
	if (is_kernel_error(mapped) || flags & MAP_FIXED)
		return mapped;
	hosted_expect(taken.mapping_count < MOST_MAPPINGS);
	taken.mappings[taken.mapping_count].start = (uintptr_t)mapped;
	taken.mappings[taken.mapping_count++].size = size;
	return mapped;
}

void hosted_release(void)
{
	checked_before = NULL; // of memory that is never given back outside of here
	while (taken.block_count)
		free(taken.blocks[--taken.block_count]);
	while (taken.mapping_count) {
		taken.mapping_count--;
		kernel_unmap(taken.mappings[taken.mapping_count].start, taken.mappings[taken.mapping_count].size);
	}
}

size_t hosted_walk(char *const *strings)
{
	size_t count = 0, length = 0;
	for (; strings[count]; count++)
		length += text_length(strings[count]);
	hosted_expect(length < (size_t)1 << 40);
	return count;
}

uint8_t input_byte(struct input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->bytes++;
}

struct line {
	uint8_t kind;
	const uint8_t *bytes;
	size_t length;
};

static bool next_line(struct input *input, struct line *line)
{
	if (!input->size)
		return false;
	*line = (struct line){.kind = input_byte(input), .bytes = input->bytes};
	while (input->size && input_byte(input) != '\n')
		line->length++;
	return true;
}

// Where strings are put one after the other, and a word for each.
struct laid_out {
	uintptr_t *words;
	char *strings;
};

static void lay_string(struct laid_out *out, const uint8_t *bytes, size_t length)
{
	*out->words++ = (uintptr_t)out->strings;
	for (size_t i = 0; i < length && bytes[i]; i++)
		*out->strings++ = (char)bytes[i];
	*out->strings++ = '\0';
}

static void lay_kind(struct laid_out *out, const struct line *lines, size_t count, uint8_t kind)
{
	for (size_t i = 0; i < count; i++)
		if (lines[i].kind == kind)
			lay_string(out, lines[i].bytes, lines[i].length);
	*out->words++ = 0;
}

// Addresses and the identity of the process are the harness's to give.
static bool is_free_tag(uintptr_t tag)
{
	return tag != AT_NULL && tag != AT_PHDR && tag != AT_PHNUM && tag != AT_EXECFN && tag != AT_PAGESZ;
}

static void lay_vector(struct laid_out *out, const struct line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (lines[i].kind != 'x' || lines[i].length < 2 || !is_free_tag(lines[i].bytes[0]))
			continue;
		*out->words++ = lines[i].bytes[0];
		*out->words++ = lines[i].bytes[1];
	}
}

uintptr_t *hosted_block(struct input *input, const char *execfn)
{
	struct line lines[MOST_STRINGS];
	size_t count = 0, strings = text_length(execfn) + 1, words = 1 + 2 + 8, argc = 0;
	while (count < MOST_STRINGS && next_line(input, &lines[count])) {
		strings += lines[count].length + 1;
		words += 2;
		argc += lines[count++].kind == 'a';
	}
	char *memory = memory_take(ROOM_BELOW + words * sizeof(uintptr_t) + strings);
	hosted_expect(memory != NULL);
	uintptr_t *block = (uintptr_t *)(memory + ROOM_BELOW);
	struct laid_out out = {.words = block, .strings = (char *)(block + words)};
	*out.words++ = argc;
	lay_kind(&out, lines, count, 'a');
	lay_kind(&out, lines, count, 'e');
	lay_vector(&out, lines, count);
	*out.words++ = AT_PAGESZ;
	*out.words++ = 4096;
	*out.words++ = AT_EXECFN;
	lay_string(&out, (const uint8_t *)execfn, text_length(execfn));
	*out.words++ = AT_NULL;
	*out.words++ = 0;
	return block;
}
