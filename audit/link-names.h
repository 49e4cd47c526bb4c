// Objects that were answered for → the names that debuggers and dladdr(3) find.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The part of <link.h>'s structure that is the same for every libc, since debuggers read it.
struct link_map {
	uintptr_t base;
	char *name;
	uintptr_t dynamic;
	struct link_map *next, *previous;
};

/// A copy of an answer that lasts as long as the process, or NULL. An equal one is found again.
const char *lasting_answer(const char *path);
/// ld.so was given `answer` in place of `searched`; the next object by that name gets the answer's.
void link_name_expect(const char *searched, const char *answer);
/// True when it was one that was answered for.
bool link_name_opened(struct link_map *map);
void link_name_closed(struct link_map *map);
