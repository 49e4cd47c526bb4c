// Objects that were answered for → the names that debuggers and dladdr(3) find.
//
// ld.so opens what an audit module answers, but calls the object by the path that it had searched (glibc,
// elf/dl-load.c, open_path): a file that is not there. It frees the name itself, so it gets its own back before.
#include "link-names.h"
#include "module-kernel.h"
#include "words.h"

// A program that looks through 250 plug-ins is answered as many libraries in its first start.
enum { MOST_RENAMED = 1024, MOST_ANSWERS = 1024, ANSWERS_SIZE = 256 * 1024 };

struct renamed {
	struct link_map *map;
	char *own_name;
};

struct answers {
	size_t used, count, renamed_count;
	const char *each[MOST_ANSWERS];
	struct renamed renamed[MOST_RENAMED];
	char searched[PATH_SIZE];
	const char *expected;
	char bytes[ANSWERS_SIZE];
};

static struct answers *answers;

static bool have_room(void)
{
	if (answers)
		return true;
	long memory = kernel_map_memory(sizeof *answers, MAP_PRIVATE);
	answers = is_kernel_error(memory) ? NULL : (struct answers *)memory;
	return answers != NULL;
}

const char *lasting_answer(const char *path)
{
	if (!have_room())
		return NULL;
	for (size_t i = 0; i < answers->count; i++)
		if (word_equal(answers->each[i], path))
			return answers->each[i];
	size_t size = word_length(path) + 1;
	if (answers->count == MOST_ANSWERS || size > ANSWERS_SIZE - answers->used)
		return NULL;
	char *bytes = answers->bytes + answers->used;
	word_join(bytes, size, path, "");
	answers->used += size;
	answers->each[answers->count] = bytes;
	__atomic_store_n(&answers->count, answers->count + 1, __ATOMIC_RELEASE); // another thread may fork at any moment
	return bytes;
}

void link_name_expect(const char *searched, const char *answer)
{
	if (!have_room())
		return;
	answers->expected = word_join(answers->searched, PATH_SIZE, searched, "") ? answer : NULL;
}

static struct renamed *find_renamed(const struct link_map *map)
{
	for (size_t i = 0; i < answers->renamed_count; i++)
		if (answers->renamed[i].map == map)
			return &answers->renamed[i];
	return NULL;
}

static struct renamed *free_renamed(void)
{
	struct renamed *closed = find_renamed(NULL);
	if (closed || answers->renamed_count == MOST_RENAMED)
		return closed;
	return &answers->renamed[answers->renamed_count++];
}

bool link_name_opened(struct link_map *map)
{
	if (!answers || !answers->expected || !map->name || !word_equal(map->name, answers->searched))
		return false;
	bool is_named_so = word_equal(map->name, answers->expected);
	struct renamed *free_one = is_named_so ? NULL : free_renamed();
	if (free_one) {
		free_one->own_name = map->name;
		__atomic_store_n(&free_one->map, map, __ATOMIC_RELEASE);
		map->name = (char *)answers->expected;
	}
	answers->expected = NULL;
	return true;
}

void link_name_closed(struct link_map *map)
{
	struct renamed *found = answers && map ? find_renamed(map) : NULL;
	if (!found)
		return;
	map->name = found->own_name;
	*found = (struct renamed){.map = NULL};
}
