// ld.so's question where a library is → the path of one that the plan, or the resolver, has for it (rtld-audit(7)).
#include "known-names.h"
#include "learned-objects.h"
#include "link-names.h"
#include "one-at-a-time.h"
#include "own-place.h"
#include "refused-object.h"
#include "resolver-environment.h"
#include "words.h"

#define EXPORTED ARCH_CALLED_FROM_OUTSIDE __attribute__((visibility("default"), used))

// <link.h>
enum { LA_SER_ORIG = 0x01, LA_SER_DEFAULT = 0x40 };
enum { LM_ID_BASE = 0 };

static char directory[PLACE_SIZE];

static bool is_within_resolver(char **envp)
{
	for (; *envp; envp++)
		if (word_after(*envp, RESOLVER_MARK "="))
			return true;
	return false;
}

// glibc gives constructors what main gets (glibc, elf/dl-init.c), and calls them before anything else of a module.
static ARCH_CALLED_FROM_OUTSIDE __attribute__((constructor, used)) void begin(int argc, char **argv, char **envp)
{
	if (argc < 1 || !own_place_find(argv, envp, directory) || is_within_resolver(envp))
		directory[0] = '\0';
	known_names_begin(directory);
}

// A module that answers 0 is taken out again without a word.
EXPORTED unsigned la_version(unsigned version)
{
	return directory[0] ? version : 0;
}

// Objects' cookies are what glibc makes them: their link maps (glibc, elf/dl-object.c).
static const struct link_map *requester_of(const uintptr_t *cookie)
{
	return cookie ? (const struct link_map *)*cookie : NULL;
}

// The path lies in memory of a caller, not in a constant that nobody may write.
static bool is_on_stack(const char *name)
{
	enum { FRAMES = 65536 };
	uintptr_t here = (uintptr_t)__builtin_frame_address(0), there = (uintptr_t)name;
	return there > here && there - here < FRAMES;
}

// ld.so takes the name of what it opened, and what $ORIGIN is, from where its path was: NOTES.md says why it is safe.
static bool put_in_place(char *searched, const char *answer)
{
	size_t length = word_length(answer);
	if (length > word_length(searched) || !is_on_stack(searched) || kernel_access(answer, ACCESS_EXISTS) < 0)
		return false;
	return word_join(searched, length + 1, answer, "");
}

// A path of another distribution goes on as a name: ld.so then looks wherever it looks for that.
static const char *instead_of(const char *path)
{
	if (path[0] != '/' || !one_at_a_time_enter())
		return path;
	const char *name = known_names_instead_of(path);
	one_at_a_time_leave();
	return name ? name : path;
}

EXPORTED char *la_objsearch(const char *name, uintptr_t *cookie, unsigned flag)
{
	if (flag == LA_SER_ORIG)
		return (char *)instead_of(name);
	if (flag != LA_SER_DEFAULT || !one_at_a_time_enter())
		return (char *)name;
	const struct link_map *requester = requester_of(cookie);
	const char *answer = known_names_answer(name, requester && requester->name ? requester->name : "");
	bool is_in_place = answer && put_in_place((char *)name, answer);
	if (answer)
		link_name_expect(name, answer);
	one_at_a_time_leave();
	return (char *)(answer && !is_in_place ? answer : name);
}

EXPORTED unsigned la_objopen(struct link_map *map, long namespace, uintptr_t *cookie)
{
	(void)cookie;
	bool is_ours = link_name_opened(map);
	if (!is_ours && namespace == LM_ID_BASE && learned_objects_note(map->name))
		refused_object_await(map);
	return 0; // no symbol is bound by us, so no call is slowed
}

EXPORTED unsigned la_objclose(uintptr_t *cookie)
{
	const struct link_map *map = requester_of(cookie);
	if (refused_object_is(map) && one_at_a_time_enter()) {
		known_names_refused(map->name);
		one_at_a_time_leave();
	}
	link_name_closed((struct link_map *)map);
	return 0;
}

EXPORTED void la_preinit(uintptr_t *cookie)
{
	(void)cookie;
	learned_objects_begin();
}
