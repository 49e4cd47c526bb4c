// The list of loaded objects that a loader keeps for debuggers, to one that names the loader's own file.
#include "link-map.h"
#include "elf-image.h"

// <link.h>: the same for every libc, since debuggers read it.
struct link_map {
	uintptr_t base;
	char *name;
	uintptr_t dynamic;
	struct link_map *next, *previous;
};
struct debug_interface {
	int version;
	struct link_map *first;
};

// The loader wrote its address into the program's dynamic section (gABI, "Dynamic Section", DT_DEBUG).
static const struct debug_interface *find_interface(const struct auxiliary_vector *vector)
{
	const uintptr_t *headers = auxiliary_value(vector, AT_PHDR), *count = auxiliary_value(vector, AT_PHNUM);
	if (!headers || !count)
		return NULL;
	const struct elf_segment *segments = (const struct elf_segment *)*headers, *self = NULL, *table = NULL;
	for (uintptr_t i = 0; i < *count; i++) {
		if (segments[i].type == PT_PHDR)
			self = &segments[i];
		if (segments[i].type == PT_DYNAMIC)
			table = &segments[i];
	}
	if (!self || !table)
		return NULL;
	uintptr_t base = (uintptr_t)segments - self->vaddr;
	for (const struct dynamic_entry *entry = (const struct dynamic_entry *)(base + table->vaddr); entry->tag; entry++)
		if (entry->tag == DT_DEBUG)
			return (const struct debug_interface *)entry->value;
	return NULL;
}

void link_map_name(const struct auxiliary_vector *vector, uintptr_t dynamic, char *name)
{
	const struct debug_interface *interface = find_interface(vector);
	if (!interface || interface->version < 1)
		return;
	for (struct link_map *map = interface->first; map; map = map->next)
		if (map->dynamic == dynamic)
			map->name = name;
}
