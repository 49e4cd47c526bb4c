// What makes the launcher the loader of another program: entered with that program mapped, it gives it its libraries.
#pragma once

#include "elf.h"
#include "launch.h"

// In interpreter.c

/// Goes on as the program whose loader this process was started with; returns only when it cannot, with exit status
/// 127, as ld.so has it.
int interpreter_main(struct process *process);

// In map-loader.c

struct mapped_loader {
	uintptr_t base;    // what is added to the addresses of the file; the value of AT_BASE
	uintptr_t entry;   // where it is entered
	uintptr_t dynamic; // its dynamic section, or 0
	long error;        // not 0: it was not mapped, a negative errno; ELIBBAD for what is no loader for this machine
};

/// Maps the shared object at `path` (fs/binfmt_elf.c, load_elf_interp): every PT_LOAD with its own protection, what
/// follows the data of the file zeroed to the end of the page. `page_size` is a power of two, AT_PAGESZ.
struct mapped_loader map_loader(const char *path, size_t page_size);

// In nix-ld.c

/// The LD_LIBRARY_PATH of the user.
struct user_library_path {
	char **slot;       // where LD_LIBRARY_PATH is, or where nix-ld wants it; NULL: there is none
	const char *value; // what it says now; empty where there is none
	const char *own;   // of that what the user set, under this name or for nix-ld,
	const char *added; // and what nix-ld put behind it; both may be empty
	char *entry;       // what the user had at this place, which may have another name; NULL: nothing
	bool is_extra;     // the place itself is not the user's: nix-ld added it
};

/// Finds LD_LIBRARY_PATH and what stood there when the program was executed. The damage that nix-ld 1 does to the
/// variables after it is undone, so this comes before anything else is read from the environment.
struct user_library_path user_library_path_find(struct process *process);

/// Takes from behind LD_LIBRARY_PATH, for children too, what a nix-ld put there that executed this file. Returns that;
/// empty where the list ends in none of nix-ld's.
const char *nix_ld_list_take(const struct process *process);

// In trampoline.c

/// An environment entry that was made for the loader.
struct made_entry {
	char *text;	      // NULL: none was made
	char *filler;	      // what stands behind a new one, as often as it needs
	size_t size;	      // bytes of `text` with the NUL
	char *original;	      // what was there before; NULL when there was none
	const char *harmless; // what `text` becomes where a copy of the environment may hold it; no longer than that
};

enum { MADE_ENTRIES = 2 };

/// What was changed in the process for the loader, and what to put back before the program starts. The loader works
/// with the argument block in between, so places in it are named, not copied.
struct restoration {
	uintptr_t target;           // where it goes on: in the program, or in nix-ld's own trampoline
	uintptr_t program_entry;    // the program's own entry point
	uintptr_t *entry_in_vector; // the value of AT_ENTRY, which becomes `program_entry`
	char **envp;
	struct made_entry entries[MADE_ENTRIES];
	bool entries_are_read; // the loader goes on reading them: musl (ldso/dynlink.c, env_path)
	struct auxiliary_vector vector;
	uintptr_t loader_dynamic; // the dynamic section of the loader,
	char *loader_name;        // and its path, in memory that stays
};

/// Returns the entry point to give to the loader: it puts back what `wanted` says, and goes on with the program.
uintptr_t trampoline_prepare(const struct restoration *wanted);

/// The address of the program's first instruction, from its own headers in memory, since nix-ld may have changed
/// AT_ENTRY; 0 when they do not say.
uintptr_t program_entry(const struct auxiliary_vector *vector);
