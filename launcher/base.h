// What every file uses: the process as the kernel made it, memory, text, messages.
#pragma once

#include "kernel.h"

// In freestanding.c

/// Applies this image's own relative relocations. Nothing that holds an address may be used before.
void relocate_self(void);

/// Names the memory that memory_take gives out first.
void memory_use(char *bytes, size_t size);

/// Memory of `size` bytes with anything in it, aligned for pointers, or NULL when the kernel has none. It is never
/// given back: the process ends in an execve, or becomes another program's.
void *memory_take(size_t size);

/// The same, for what another program reads after this one.
void *memory_take_lasting(size_t size);

// In stack.c

/// Tags of the auxiliary vector (getauxval(3)) that are read or edited.
enum {
	AT_NULL = 0,
	AT_IGNORE = 1,
	AT_PHDR = 3,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_BASE = 7,
	AT_FLAGS = 8,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_SECURE = 23,
	AT_EXECFN = 31,
};

struct auxiliary_vector {
	uintptr_t *first; // pairs of tag and value
	uintptr_t *end;   // after the pair AT_NULL
};

/// Started by a command line, or by the kernel (or nix-ld) to be the loader of another program.
enum role { ROLE_COMMAND, ROLE_INTERPRETER };

/// What the kernel gave this process: the stack at entry, taken apart.
struct process {
	enum role role;
	int argc;
	char **argv;
	char **envp;
	uintptr_t *block; // the argument block: argc, argv, envp and the auxiliary vector, in one piece
	struct auxiliary_vector auxiliary;
	uint32_t uid, euid, gid, egid;
	bool secure; // AT_SECURE: started with rights that the caller does not have
};

/// Takes the argument block apart. The role is the caller's to set.
struct process process_of_block(uintptr_t *block);

/// The value of a tag, to be read or edited, or NULL.
uintptr_t *auxiliary_value(const struct auxiliary_vector *vector, uintptr_t tag);

/// The value of the first environment entry of that name, or NULL.
const char *process_variable(const struct process *process, const char *name);

/// The same for a name of `length` bytes.
const char *process_variable_of(const struct process *process, const char *name, size_t length);

/// Does the process have rights that whoever started it does not have?
bool process_has_foreign_rights(const struct process *process);

/// Did a rule of binfmt_misc with the flag P start this? The kernel says so in AT_FLAGS, and gives this file, the
/// program, and the argv of the program (Documentation/admin-guide/binfmt-misc.rst).
bool process_is_called_by_binfmt(const struct process *process);

/// A new entry takes 16 bytes: ld.so needs the stack pointer 16-aligned (System V ABI x86-64, 3.4.1; i386, 2.2.2).
enum { ENTRY_WORDS = 16 / sizeof(char *) };

/// Puts `entry` into the environment, in place of what `slot` points to, or as a new one when `slot` is NULL.
///
/// A new one goes to the end, with as many `fillers` behind it as make ENTRY_WORDS, and the block begins 16 bytes
/// lower. When it is taken away again, the words that are left can be read as NULL and pairs of the auxiliary vector
/// that mean nothing (AT_IGNORE). So the vector stays where ld.so found it, and still follows the environment, which
/// programs without a libc rely on.
void block_put_entry(struct process *process, char **slot, char *entry, char *filler);

/// Takes new entries away, the first of which is at `slot`. False when they are not there as they were put, one after
/// the other at the end: then some of these `count` words are still there.
bool block_take_entries(char **slot, size_t count);

/// Takes the last entry out of the environment; the auxiliary vector moves down to close the gap.
void block_drop_last_entry(struct process *process);

// In text.c

size_t text_length(const char *text);
bool text_equal(const char *left, const char *right);

/// Are the first `length` bytes the same? Neither text may end before.
bool text_begins(const char *left, const char *right, size_t length);

/// What follows `prefix` in `text`, or NULL when `text` does not begin with it.
const char *text_after(const char *text, const char *prefix);

/// What follows the last slash of `path`.
const char *text_base_name(const char *path);

/// Is it the path of a loader of glibc? By the names of its file (shlib-versions; before 2.34 also ld-2.31.so and the
/// like).
bool text_is_loader_of_glibc(const char *loader);

/// Is it well-formed UTF-8 (RFC 3629)?
bool text_is_utf8(const char *text);

/// Is this environment entry `NAME=...` with exactly this name of `length` bytes? An entry without `=` has no name.
bool entry_has_name(const char *entry, const char *name, size_t length);

/// How many bytes stand before the first `=`, or before the end.
size_t entry_name_length(const char *entry);

/// A string under construction. Always NUL-terminated; `cut` says that it did not fit.
struct text {
	char *bytes;
	size_t size, used;
	bool cut;
};

struct text text_in(char *bytes, size_t size);
void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const char *more, size_t length);
void text_add_unsigned(struct text *text, uint64_t number);
void text_add_signed(struct text *text, int64_t number);

/// Adds untrusted text with every control character replaced by `?`, so that it cannot drive a terminal.
void text_add_printable(struct text *text, const char *more);

/// Adds untrusted text as one word of a line to type, quoted where it has to be and without control characters: the
/// rule of the manager's `shellWord` (src/host/shell-words.ts).
void text_add_shell_word(struct text *text, const char *word);

/// Adds two lists of directories, a `:` between them unless one is empty. One that ends in `:` has an empty element
/// there, the working directory (ld.so(8), LD_LIBRARY_PATH), so another follows.
void text_add_lists(struct text *text, const char *first, const char *second);

/// The three in memory of its own, one after the other; NULL when that ran out.
char *text_joined(const char *first, const char *between, const char *last);

/// Two lists likewise.
char *text_joined_lists(const char *first, const char *second);

// In messages.c

/// Exit statuses of this tool itself, as env(1) has them.
enum exit_status { EXIT_TOOL_FAILED = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

/// One line of cause and one of remedy. All but `cause` may be NULL. Untrusted text is made printable; `remedy_detail`
/// is one word of a command, and quoted for a shell.
struct failure {
	const char *about, *cause, *detail, *remedy, *remedy_detail;
};

/// Writes `nix-run-foreign: [ABOUT: ]CAUSE[DETAIL]` and, indented, REMEDY[REMEDY_DETAIL] to standard error.
/// Returns `status`, so that a function that fails can end with it.
int message_failure(int status, const struct failure *failure);

/// With NIX_RUN_FOREIGN_DEBUG=1 in the environment, one line of why a plan was passed over; else nothing.
void message_debug(const struct process *process, const char *what, const char *about);

/// Help and version: TEXT to standard output. Returns 0, or 125 when it could not be written.
int message_output(const char *text);

/// The kernel's error number in words.
const char *message_of_error(long error);
