// The user's LD_LIBRARY_PATH and the plan's list → one list, in which what the plan's loader cannot load comes last.
//
// A Nix shell, or a terminal that an editor opened, sets LD_LIBRARY_PATH to libraries of its own glibc. Where that is
// newer than the plan's, such a library in front of the chosen ones ends every start.
#include "elf.h"
#include "launch.h"

enum { ENTRIES_SIZE = 131072, MOST_SEGMENTS = 32, NOT_A_VERSION = -1 };

struct elf_bytes {
	const char *bytes;
	size_t size;
	const struct elf_layout *layout;
};

static const char *bytes_at(const struct elf_bytes *elf, size_t offset, size_t size)
{
	return offset <= elf->size && size <= elf->size - offset ? elf->bytes + offset : NULL;
}

// On a 32-bit machine the lower half of a longer one: libraries for 64 bits serve no program there.
static size_t word_at(const struct elf_bytes *elf, const char *bytes)
{
	return number_at(bytes, elf->layout->word);
}

static const char *segments_of(const struct elf_bytes *elf, size_t *count)
{
	const struct elf_layout *layout = elf->layout;
	*count = number_at(elf->bytes + layout->phnum, 2);
	if (*count > MOST_SEGMENTS || number_at(elf->bytes + layout->phentsize, 2) != layout->segment)
		return NULL;
	return bytes_at(elf, word_at(elf, elf->bytes + layout->phoff), *count * layout->segment);
}

// The bytes that lie at this address in memory.
static const char *bytes_of_address(const struct elf_bytes *elf, size_t address, size_t size)
{
	const struct elf_layout *layout = elf->layout;
	size_t count;
	const char *segment = segments_of(elf, &count);
	for (; segment && count--; segment += layout->segment) {
		size_t inside = address - word_at(elf, segment + layout->vaddr); // more than any file has, before it
		size_t held = word_at(elf, segment + layout->filesz);
		if (number_at(segment, 4) == PT_LOAD && inside <= held && size <= held - inside)
			return bytes_at(elf, word_at(elf, segment + layout->offset) + inside, size);
	}
	return NULL;
}

static const char *string_table(const struct elf_bytes *elf, size_t *size)
{
	const struct elf_layout *layout = elf->layout;
	size_t count, each = 2 * layout->word;
	size_t address = 0;
	const char *segment = segments_of(elf, &count);
	for (; segment && count--; segment += layout->segment) {
		if (number_at(segment, 4) != PT_DYNAMIC)
			continue;
		size_t left = word_at(elf, segment + layout->filesz), tag;
		const char *entry = bytes_at(elf, word_at(elf, segment + layout->offset), left);
		for (; entry && left >= each && (tag = word_at(elf, entry)); entry += each, left -= each) {
			if (tag == DT_STRTAB)
				address = word_at(elf, entry + layout->word);
			else if (tag == DT_STRSZ)
				*size = word_at(elf, entry + layout->word);
		}
	}
	return address ? bytes_of_address(elf, address, *size) : NULL;
}

// N of `GLIBC_2.N`.
static int version_number(const char *string, const char *end)
{
	static const char prefix[] = "GLIBC_2.";
	enum { LENGTH = sizeof prefix - 1, MOST = 100000 };
	if (end - string <= LENGTH || !text_begins(string, prefix, LENGTH))
		return NOT_A_VERSION;
	int number = 0;
	const char *next = string + LENGTH;
	for (; next < end && *next >= '0' && *next <= '9' && number < MOST; next++)
		number = number * 10 + (*next - '0');
	return next > string + LENGTH ? number : NOT_A_VERSION;
}

// The highest N of the versions GLIBC_2.N that it defines or needs: their names stand in its string table.
static int highest_version(const struct elf_bytes *elf)
{
	size_t size = 0;
	const char *strings = elf->layout ? string_table(elf, &size) : NULL;
	int highest = NOT_A_VERSION;
	for (size_t i = 0; strings && i < size; i++) {
		int number = strings[i] == 'G' && (i == 0 || !strings[i - 1]) ? version_number(strings + i, strings + size)
									      : NOT_A_VERSION;
		if (number > highest)
			highest = number;
	}
	return highest;
}

static int highest_version_of(int directory, const char *name)
{
	struct kernel_stat status;
	int highest = NOT_A_VERSION;
	long fd = kernel_open(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return highest;
	if (kernel_fstat((int)fd, &status) == 0 && (status.st_mode & S_IFMT) == S_IFREG && status.st_size > 0) {
		size_t size = (size_t)status.st_size;
		long bytes = kernel_map(0, size, PROT_READ, MAP_PRIVATE, (int)fd, 0);
		if (!is_kernel_error(bytes)) {
			const char *head = (const char *)bytes;
			struct elf_bytes elf = {head, size, elf_layout_of(head, size)};
			highest = highest_version(&elf);
			kernel_unmap((uintptr_t)bytes, size);
		}
	}
	kernel_close((int)fd);
	return highest;
}

// What is asked of every directory.
struct judge {
	const char *entries; // of the farm, as the kernel gave them
	size_t entries_size;
	const char *libc; // of the plan
	int version;      // the highest that it defines; 0 until it is asked for
};

static bool is_newer(struct judge *judge, int version)
{
	if (version != NOT_A_VERSION && judge->version == 0)
		judge->version = highest_version_of(AT_CWD, judge->libc);
	return version != NOT_A_VERSION && judge->version > 0 && version > judge->version;
}

static bool holds_other_libc(const struct judge *judge, int directory)
{
	struct kernel_stat there, chosen;
	long fd = kernel_open(directory, "libc.so.6", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_other = kernel_fstat((int)fd, &there) == 0 && kernel_stat_path(judge->libc, &chosen, 0) == 0 &&
			(there.st_ino != chosen.st_ino || there.st_dev != chosen.st_dev);
	kernel_close((int)fd);
	return is_other;
}

static bool is_unfit(struct judge *judge, const char *path)
{
	long directory = kernel_open(AT_CWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return false;
	bool unfit = holds_other_libc(judge, (int)directory);
	for (size_t at = 0; !unfit && at < judge->entries_size;) {
		const struct kernel_directory_entry *entry = (const void *)(judge->entries + at);
		unfit = (entry->type == ENTRY_IS_LINK || entry->type == ENTRY_IS_UNKNOWN) &&
			is_newer(judge, highest_version_of((int)directory, entry->name));
		at += entry->size;
	}
	kernel_close((int)directory);
	return unfit;
}

static size_t first_length(const char *list)
{
	size_t length = 0;
	while (list[length] && list[length] != ':' && list[length] != ';')
		length++;
	return length;
}

static char *copy_of(const char *text, size_t length)
{
	char *bytes = memory_take(length + 1);
	struct text copy;
	if (!bytes)
		return NULL;
	copy = text_in(bytes, length + 1);
	text_add_bytes(&copy, text, length);
	return bytes;
}

// All entries of the farm, which a file system may give by the page. False where it is too large, or has none.
static bool read_entries(struct judge *judge, const char *farm)
{
	char *entries = memory_take(ENTRIES_SIZE);
	long fd = entries ? kernel_open(AT_CWD, farm, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -ENOMEM, size;
	if (fd < 0)
		return false;
	judge->entries = entries;
	judge->entries_size = 0;
	while ((size = kernel_read_directory((int)fd, entries + judge->entries_size,
					     ENTRIES_SIZE - judge->entries_size)) > 0)
		judge->entries_size += (size_t)size;
	kernel_close((int)fd);
	return size == 0 && judge->entries_size > 0;
}

// False where nothing can be said: no glibc, or not all of the farm can be read.
static bool prepare(struct judge *judge, const struct plan *plan, const char *list)
{
	if (!plan->loader || !text_is_loader_of_glibc(plan->loader))
		return false;
	size_t directory = (size_t)(text_base_name(plan->loader) - plan->loader);
	char *libc = memory_take(directory + sizeof "libc.so.6"), *farm = copy_of(list, first_length(list));
	if (!libc || !farm)
		return false;
	struct text name = text_in(libc, directory + sizeof "libc.so.6");
	text_add_bytes(&name, plan->loader, directory);
	text_add(&name, "libc.so.6");
	judge->libc = libc;
	judge->version = 0;
	return read_entries(judge, farm);
}

static void add_element(struct text *list, const char *element, size_t length)
{
	text_add_bytes(list, element, length);
	text_add(list, ":");
}

// Each element goes to one of the two, with a `:` behind it.
static void part(struct judge *judge, const char *of_user, struct text *first, struct text *last)
{
	for (const char *element = of_user;; element++) {
		size_t length = first_length(element);
		char *path = copy_of(element, length);
		add_element(path && *path && is_unfit(judge, path) ? last : first, element, length);
		element += length;
		if (!*element)
			return;
	}
}

const char *libraries_user_first(const struct plan *plan, const char *of_user, const char *list)
{
	struct judge judge;
	if (!of_user || !*of_user)
		return list;
	size_t size = text_length(of_user) + 2;
	char *first_bytes = memory_take(size), *last_bytes = memory_take(size);
	if (!first_bytes || !last_bytes)
		return NULL;
	struct text first = text_in(first_bytes, size), last = text_in(last_bytes, size);
	if (prepare(&judge, plan, list))
		part(&judge, of_user, &first, &last);
	if (last.used == 0)
		return text_joined(of_user, ":", list);
	last.bytes[last.used - 1] = '\0';
	list = libraries_plan_first(plan, list, last.bytes);
	return list ? text_joined(first.bytes, "", list) : NULL;
}

const char *libraries_plan_first(const struct plan *plan, const char *list, const char *others)
{
	if (!*others)
		return list;
	bool has_own = plan->loader && text_is_loader_of_glibc(plan->loader);
	size_t own = has_own ? (size_t)(text_base_name(plan->loader) - plan->loader) : 0;
	size_t size = text_length(list) + 1 + own + text_length(others) + 1;
	char *bytes = memory_take(size);
	if (!bytes)
		return NULL;
	struct text joined = text_in(bytes, size);
	text_add(&joined, list);
	text_add(&joined, *list ? ":" : "");
	if (own > 1)
		add_element(&joined, plan->loader, own - 1);
	text_add(&joined, others);
	return bytes;
}
