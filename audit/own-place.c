// The arguments of this module's constructor → the directory of the module's file, as ld.so was told it.
//
// No interface tells an audit module its own path. It is in LD_AUDIT, or was an argument of ld.so: those are gone from
// argv, but their text still lies before that of argv[0], where the kernel wrote it.
#include "own-place.h"
#include "words.h"

static const char name[] = "/nix-foreign-audit.so";
// By this name it takes itself out of LD_AUDIT, so that no child has it; nobody else is there who does.
static const char name_that_leaves[] = "/nix-foreign-audit-once.so";

// By this, a digit and `.so` it is for the program that is executed after so many: wrappers of Nix execute another.
static const char name_that_waits[] = "/nix-foreign-audit-in-";

enum { MOST_ARGUMENTS = 12 };

static bool take_directory(const char *path, size_t length, const char *end, char directory[PLACE_SIZE])
{
	if (path[0] != '/' || length >= PLACE_SIZE || !word_ends_with(path, length, end))
		return false;
	size_t kept = length - word_length(end);
	for (size_t i = 0; i < kept; i++)
		directory[i] = path[i];
	directory[kept] = '\0';
	return kept > 0;
}

static size_t element_length(const char *list)
{
	size_t length = 0;
	while (list[length] && list[length] != ':')
		length++;
	return length;
}

static void drop_entry(char **slot)
{
	for (; *slot; slot++)
		slot[0] = slot[1];
}

// The element and one separator; the entry as a whole when nothing else is in it. What follows stays where it is: ld.so
// reads it there (elf/rtld.c, audit_list_next).
static void leave(char **slot, char *list, char *element, size_t length)
{
	char *rest = element + length, *entry = *slot;
	if (element == list && !*rest) {
		drop_entry(slot);
		return;
	}
	if (!*rest) {
		element[-1] = '\0';
		return;
	}
	while (element > entry)
		*rest-- = *--element;
	*slot = rest + 1;
	while (rest >= entry)
		*rest-- = '\0';
}

// The next program executed finds one less, and at the end the name that leaves, which is as long.
static bool count_down(char *element, size_t length, char directory[PLACE_SIZE])
{
	if (length < 4 || !word_ends_with(element, length, ".so"))
		return false;
	char *digit = element + length - 4;
	if (*digit < '1' || *digit > '9' || !take_directory(element, length - 4, name_that_waits, directory))
		return false;
	if (--*digit > '0')
		return true;
	char *word = digit - 3;
	for (size_t i = 0; i < 4; i++)
		word[i] = "once"[i];
	return true;
}

static bool find_in_list(char **slot, char *list, char directory[PLACE_SIZE])
{
	for (char *element = list;; element++) {
		size_t length = element_length(element);
		if (take_directory(element, length, name, directory) || count_down(element, length, directory))
			return true;
		if (take_directory(element, length, name_that_leaves, directory)) {
			leave(slot, list, element, length);
			return true;
		}
		element += length;
		if (!*element)
			return false;
	}
}

static bool find_in_environment(char **envp, char directory[PLACE_SIZE])
{
	for (; *envp; envp++) {
		const char *list = word_after(*envp, "LD_AUDIT=");
		if (list && find_in_list(envp, (char *)list, directory))
			return true;
	}
	return false;
}

// The string whose NUL is right before `text`, or NULL when there is none above `bottom`.
static const char *string_before(const char *text, const char *bottom)
{
	const char *end = text - 1;
	if (end <= bottom || *end)
		return NULL;
	while (end > bottom && end[-1])
		end--;
	return end > bottom ? end : NULL;
}

static bool find_in_arguments(char **argv, const char *bottom, char directory[PLACE_SIZE])
{
	const char *value = argv[0];
	for (int i = 0; i < MOST_ARGUMENTS && value; i++) {
		const char *option = string_before(value, bottom);
		if (option && word_equal(option, "--audit") && take_directory(value, word_length(value), name, directory))
			return true;
		value = option;
	}
	return false;
}

bool own_place_find(char **argv, char **envp, char directory[PLACE_SIZE])
{
	if (!envp)
		return false;
	if (find_in_environment(envp, directory))
		return true;
	// The pointers lie below the strings.
	return argv && argv[0] && (char *)argv < argv[0] && find_in_arguments(argv, (const char *)argv, directory);
}
