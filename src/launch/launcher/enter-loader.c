// A mapped loader and a library path to the running program.
#include "enter-loader.h"
#include "block.h"
#include "kernel.h"
#include "memory.h"
#include "program-entry.h"
#include "text.h"
#include "trampoline.h"

static const char name[] = "LD_LIBRARY_PATH";

// The plan's libraries first, unless the user wants it the other way round.
static bool wants_users_first(const struct process *process)
{
	const char *order = process_variable(process, "NIX_RUN_FOREIGN_LIBRARY_ORDER");
	return order && text_equal(order, "user-first");
}

static struct text library_path(const struct process *process, char *bytes, size_t size, const char *plans,
				const char *present)
{
	bool swapped = wants_users_first(process);
	const char *first = swapped ? present : plans, *second = swapped ? plans : present;
	struct text text = text_in(bytes, size);
	text_add(&text, name);
	text_add(&text, "=");
	text_add(&text, first);
	text_add(&text, *first && *second ? ":" : "");
	text_add(&text, second);
	return text;
}

// By the names that its loader's file has (glibc, shlib-versions; before 2.34 also ld-2.31.so and the like).
static bool is_glibc(const char *loader)
{
	const char *base = loader;
	for (; *loader; loader++)
		if (*loader == '/')
			base = loader + 1;
	return text_after(base, "ld-linux") || text_after(base, "ld-2.");
}

long enter_loader(struct process *process, const struct plan *plan, const struct mapped_loader *loader,
		  struct users_entry users)
{
	size_t name_size = text_length(plan->loader) + 1;
	size_t entry_size = sizeof name + text_length(plan->library_path) + 1 + text_length(users.value) + 1;
	char *bytes = memory_take_lasting(name_size + entry_size);
	if (!bytes)
		return -ENOMEM;
	struct text loader_name = text_in(bytes, name_size);
	text_add(&loader_name, plan->loader);
	struct text entry = library_path(process, bytes + name_size, entry_size, plan->library_path, users.value);

	uintptr_t *entry_in_vector = auxiliary_value(&process->auxiliary, AT_ENTRY);
	uintptr_t program = *entry_in_vector, own = program_entry(&process->auxiliary);
	// nix-ld would leave an empty LD_LIBRARY_PATH where it added one, so its own trampoline is passed over.
	bool drops_extra = users.is_extra && own && !users.slot[1];
	if (drops_extra) {
		block_drop_last_entry(process);
		users.slot = NULL;
		program = own;
		entry_in_vector = auxiliary_value(&process->auxiliary, AT_ENTRY);
	}
	block_put_entry(process, users.slot, entry.bytes);
	struct pending_restoration pending = {
		.target = program,
		.program_entry = own ? own : program,
		.entry_in_vector = entry_in_vector,
		.envp = process->envp,
		.entry = entry.bytes,
		.users_entry = users.entry,
		.entry_size = entry.used + 1,
		.vector = process->auxiliary,
		.loader_dynamic = loader->dynamic,
		.loader_name = loader_name.bytes,
		.entry_is_kept = !is_glibc(plan->loader),
	};
	*entry_in_vector = trampoline_prepare(&pending);
	*auxiliary_value(&process->auxiliary, AT_BASE) = loader->base;
	arch_enter(loader->entry, process->block);
}
