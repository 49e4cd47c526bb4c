// The loader jumps here when it is done → what was changed for it is undone, and the program begins.
#include "interpreter.h"

// The program that the kernel mapped, by its own program headers.
struct program_image {
	const struct elf_segment *segments;
	uintptr_t count, base; // the base is what is added to the addresses in the headers
};

// False where the headers do not say where they are themselves (PT_PHDR).
static bool find_image(const struct auxiliary_vector *vector, struct program_image *image)
{
	const uintptr_t *headers = auxiliary_value(vector, AT_PHDR), *count = auxiliary_value(vector, AT_PHNUM);
	if (!headers || !count)
		return false;
	image->segments = (const struct elf_segment *)*headers;
	image->count = *count;
	for (uintptr_t i = 0; i < image->count; i++)
		if (image->segments[i].type == PT_PHDR) {
			image->base = *headers - image->segments[i].vaddr;
			return true;
		}
	return false;
}

uintptr_t program_entry(const struct auxiliary_vector *vector)
{
	struct program_image image;
	if (!find_image(vector, &image))
		return 0;
	for (uintptr_t i = 0; i < image.count; i++)
		if (image.segments[i].type == PT_LOAD && image.segments[i].offset == 0)
			return image.base + ((const struct elf_header *)(image.base + image.segments[i].vaddr))->entry;
	return 0;
}

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

// The loader wrote its address into the dynamic section of the program (gABI, "Dynamic Section", DT_DEBUG).
static const struct debug_interface *find_interface(const struct auxiliary_vector *vector)
{
	struct program_image image;
	const struct dynamic_entry *entry = NULL;
	if (!find_image(vector, &image))
		return NULL;
	for (uintptr_t i = 0; i < image.count; i++)
		if (image.segments[i].type == PT_DYNAMIC)
			entry = (const struct dynamic_entry *)(image.base + image.segments[i].vaddr);
	for (; entry && entry->tag; entry++)
		if (entry->tag == DT_DEBUG)
			return (const struct debug_interface *)entry->value;
	return NULL;
}

// A loader takes its own name from PT_INTERP of the program (glibc elf/rtld.c, rtld_setup_main_map; musl
// ldso/dynlink.c), where another file is. In the list of loaded objects, which debuggers read, this gives the object
// whose dynamic section is at `dynamic` the name of its own file.
static void link_map_name(const struct auxiliary_vector *vector, uintptr_t dynamic, char *name)
{
	const struct debug_interface *interface = find_interface(vector);
	if (!interface || interface->version < 1)
		return;
	for (struct link_map *map = interface->first; map; map = map->next)
		if (map->dynamic == dynamic)
			map->name = name;
}

ARCH_TRAMPOLINE;

// Its last step. A debugger stops at this name in the file that PT_INTERP says, to look for libraries (gdb,
// solib-svr4.c, bkpt_names): here they are all loaded. The only name that this file exports.
__asm__(".globl _dl_debug_state\n.type _dl_debug_state, STT_FUNC\n");

extern const char trampoline_code[] __asm__("trampoline") __attribute__((visibility("hidden")));

// In the file's data, not zeroed memory beyond it: src/plan/NOTES.md says why.
static struct restoration pending __attribute__((section(".data")));
__attribute__((used, visibility("hidden"), section(".data"))) uintptr_t trampoline_target;

uintptr_t trampoline_prepare(const struct restoration *wanted)
{
	pending = *wanted;
	trampoline_target = wanted->target;
	return (uintptr_t)trampoline_code;
}

static const struct made_entry *find_made(const char *text)
{
	for (size_t i = 0; i < MADE_ENTRIES; i++)
		if (pending.entries[i].text == text || pending.entries[i].filler == text)
			return &pending.entries[i];
	return NULL;
}

// How many entries from here on are ours, with nothing there before.
static size_t count_new(char **from)
{
	size_t count = 0;
	for (const struct made_entry *made; from[count]; count++) {
		made = find_made(from[count]);
		if (!made || made->original)
			break;
	}
	return count;
}

// Code of libraries that ran before the program may have moved entries (unsetenv(3) moves them down).
static void restore_slots(void)
{
	char **to = pending.envp;
	for (char **from = pending.envp; *from; from++) {
		const struct made_entry *made = find_made(*from);
		if (!made)
			*to++ = *from;
		else if (made->original)
			*to++ = made->original;
		else if (from == to && block_take_entries(from, count_new(from)))
			return;
	}
	*to = NULL;
}

// A library that set a variable made libc copy the vector, entries of ours with it (setenv(3)): they get harmless.
static void restore_text(const struct made_entry *made)
{
	const char *text = made->original ? made->original : made->harmless;
	size_t size = made->text ? text_length(text) + 1 : 0;
	if (pending.entries_are_read || size > made->size)
		return;
	for (size_t i = 0; i < size; i++)
		made->text[i] = text[i];
}

// Returns where the program goes on, for machines whose code cannot name a variable.
__attribute__((used, visibility("hidden"))) uintptr_t trampoline_restore(void)
{
	restore_slots();
	for (size_t i = 0; i < MADE_ENTRIES; i++)
		restore_text(&pending.entries[i]);
	*pending.entry_in_vector = pending.program_entry;
	link_map_name(&pending.vector, pending.loader_dynamic, pending.loader_name);
	return trampoline_target;
}
