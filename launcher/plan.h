// A program → its plan: which file it is, where its plan lies, whether that plan is valid.
#pragma once

#include "base.h"

// In program.c

enum { IDENTITY_SIZE = 160 };

struct program {
	const char *found;            // the path it was found by, to be given to execve
	bool is_running;              // it is what runs in this process, whatever its path names by now
	char identity[IDENTITY_SIZE]; // identity text, see PLAN.md
	char real_path[PATH_SIZE];    // the same file, symbolic links resolved; last, so that a short one costs no page
};

/// Looks `name` up as glibc's execvp does (posix/execvpe.c): as it is when it holds a slash, else along PATH.
/// `found` becomes the path to start it by, or NULL when there is none. Returns 0 or a negative errno. A name with a
/// slash is not looked at here.
long program_find(const struct process *process, const char *name, const char **found);

/// 0 for an executable regular file, else the negative errno that execve(2) would give.
long program_why_not_startable(const char *path);

/// Fills in real path and identity of `program->found`. Returns 0 or a negative errno: EACCES for what is no regular
/// file.
long program_identify(struct program *program);

/// The same for the program that runs in this process, whatever its name is by now. ENOENT where there is no /proc.
long program_identify_running(struct program *program);

/// The same way as the last time.
long program_identify_again(struct program *program);

/// What the kernel makes of the file, as far as the launcher has to know. UNKNOWN is everything else that the resolver
/// looks at: libraries, AppImages, programs for other machines, what cannot be read.
enum program_format { FORMAT_UNKNOWN, FORMAT_SCRIPT, FORMAT_STATIC, FORMAT_DYNAMIC, FORMAT_ODD_INTERPRETER };

struct program_kind {
	enum program_format format;
	bool is_32_bit_x86; // and this launcher is not
};

struct program_kind program_kind_of(const char *path);

/// Writes the interpreter that the program names into `interpreter` (PATH_SIZE bytes). False where it names none.
bool program_interpreter(const char *path, char *interpreter);

/// Has the library thread storage? True for what cannot be read, false for what no loader of this machine takes.
bool library_may_have_thread_storage(const char *path);

/// Writes the path, with the working directory in front and without `./` at its beginning, into `real_path` (PATH_SIZE
/// bytes). Returns 0 or a negative errno.
long program_make_absolute(const char *path, char *real_path);

/// Was its file removed, or did it never have a name? Then its real path is another file's or nobody's.
bool program_is_nameless(const struct program *program);

/// Writes `<dev>:<ino>:<size>:<mtime>.<nsec>:<ctime>.<nsec>` of a stat result into `into` (IDENTITY_SIZE bytes); 0 for
/// a device without a major number.
void identity_text(const struct kernel_stat *status, char *into);

/// The path by which the kernel found the file that it executed, as far as can be told without /proc; NULL for none.
const char *executed_path(const struct process *process);

/// Writes the path of the launcher's own file into `path` of PATH_SIZE bytes: that of /proc/self/exe or, without /proc,
/// the one it was started by. False when there is none. As an interpreter /proc/self/exe is the program.
bool launcher_path(const struct process *process, char *path);

// In trusted-files.c

#ifndef SYSTEM_DIRECTORY
#define SYSTEM_DIRECTORY "/var/lib/nix-run-foreign" // PLAN.md
#endif

/// May only this user and root write the file (or directory) that has this status? The one rule for all that is
/// trusted because of who wrote it. Below SYSTEM_DIRECTORY the owner of the root directory counts as root too.
bool is_trusted(const struct process *process, const struct kernel_stat *status, const char *path);

/// Whether nobody else can change where `path` (absolute) leads to; isTrustedWay in src/host/ is the same. True as well
/// where it cannot be followed to its end, and nobody else can change the part that is there. False for a loop.
///
/// Each directory on the way below the root directory, in which a link or the next directory stands, must belong to
/// root, this user or the owner of the root directory (root of outside, in a user namespace), and nobody else may write
/// it; but all may where it is sticky, and a group may whose number is that of the owner (his private group).
bool is_trusted_way(const struct process *process, const char *path);

/// 0 where the same is true of the way to `path`, and it is a directory, no link, that is trusted; else a negative
/// errno: -ENOTDIR or -EACCES when it is not.
long why_not_trusted_directory(const struct process *process, const char *path);

/// The bytes of an open file with a NUL after them, up to `size` of them: `size` becomes how many there were. NULL when
/// memory ran out or it cannot be read.
char *read_whole_file(int fd, size_t *size);

// In plan.c

/// A valid plan. Its records are walked again when argv and envp are made.
struct plan {
	const char *records;          // the record after the first; NULL: not valid
	const char *why_not;          // set when not valid
	const char *about;            // the path that `why_not` is about, or NULL
	const char *execute;          // value of `x`, or NULL
	const char *interpreter_path; // value of `n`, or NULL
	const char *loader;           // value of `l`, or NULL
	const char *library_path;     // value of `b`, or NULL
	const char *audit_module;     // value of `m`, or NULL
	size_t set_count, argument_count;
	bool has_view; // there are `V` records
	bool has_program_argument; // there is a `P` record
	bool is_decided; // not valid, and the user decided something of the program
};

/// Reads a plan of `size` bytes. It is valid when it is well-formed, is for this very file, and all of its conditions
/// hold.
struct plan plan_read(const struct process *process, const struct program *program, const char *bytes, size_t size);

/// The record after `record`. Records end at the one that is `.`.
const char *plan_next(const char *record);

// In plan-files.c


/// Looks in the cache, then in /tmp, then in the directory for everybody. A plan that is not valid carries the reason
/// of the first place that has a plan, or of the first place.
struct plan plan_find(const struct process *process, const struct program *program);
