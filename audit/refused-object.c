// A plug-in that ld.so maps and takes away again → whether it was refused.
//
// Where a library or a version is missing, objects are closed as if the program had closed them, and from 2.41 on the
// calls are the same ones. What was refused is not relocated yet (glibc, elf/dl-open.c, dl_open_worker_begin).
#include "refused-object.h"

// <elf.h>
enum { DT_NULL = 0, DT_RELA = 7, DT_REL = 17, DT_RELACOUNT = 0x6ffffff9, DT_RELCOUNT = 0x6ffffffa };

struct dynamic_entry {
	intptr_t tag;
	uintptr_t value;
};

static const struct link_map *awaited;

// ld.so writes addresses over the offsets of a dynamic section that may be written.
static uintptr_t address_in(const struct link_map *map, uintptr_t value)
{
	return value < map->base ? map->base + value : value;
}

// The relative ones come first, and what they relocate is below the base address before. Without any: as if it were.
static bool is_relocated(const struct link_map *map)
{
	uintptr_t table = 0, count = 0;
	const struct dynamic_entry *entry = (const struct dynamic_entry *)map->dynamic;
	for (; entry && entry->tag != DT_NULL; entry++) {
		if (entry->tag == DT_RELA || entry->tag == DT_REL)
			table = entry->value;
		if (entry->tag == DT_RELACOUNT || entry->tag == DT_RELCOUNT)
			count = entry->value;
	}
	if (!table || !count || !map->base)
		return true;
	uintptr_t place = *(const uintptr_t *)address_in(map, table);
	return *(const uintptr_t *)(map->base + place) >= map->base;
}

void refused_object_await(const struct link_map *map)
{
	// What it brings along is mapped after it.
	if (!awaited || is_relocated(awaited))
		awaited = map;
}

bool refused_object_is(const struct link_map *map)
{
	if (!map || map != awaited)
		return false;
	awaited = NULL;
	return !is_relocated(map);
}
