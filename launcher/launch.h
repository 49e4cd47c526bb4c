// What `main` and `interpreter` call: options, failures, exec, namespaces, views, the resolver.
#pragma once

#include "plan.h"
#include "resolver-environment.h"

// In main.c

/// Becomes the program that the command line names; returns only when it cannot, with the exit status.
int launcher_main(const struct process *process);

// In loader-options.c

/// Was this process started by the path of an interpreter, with options of ld.so(8) that say more than which program?
bool loader_is_called(const struct process *process);

/// Becomes the loader of the program that they are for, with its libraries; returns only when that cannot be, with the
/// exit status.
int loader_main(const struct process *process);

// In options.c

/// What to do. Of several options the one that is later in this list counts.
enum action { ACTION_RUN, ACTION_REHASH, ACTION_REFRESH, ACTION_CHOOSE, ACTION_EXPLAIN, ACTION_EXIT };

struct command_line {
	enum action action;
	int status;           // the exit status, with ACTION_EXIT
	const char *strategy; // what --strategy names, or NULL
	const char *name;     // PROGRAM, to be looked up
	char **argv;          // its argv
	bool by_shim;         // a shim names PROGRAM, nobody typed it
};

/// Reads the options before PROGRAM, or what binfmt_misc hands over. Answers --help and --version, and refuses unknown
/// options, itself.
struct command_line command_line_read(const struct process *process);

// In failures.c. Each prints why a program is not started, and returns the exit status.

/// What a shim starts is not there any more.
int refuse_left_shim(const char *name);

/// A look-up failed with `error`, a negative errno. `program->found` is the path that was looked at; NULL when a search
/// along PATH failed. 127 for ENOENT, else 126.
int refuse_program(const char *name, const struct program *program, long error);

/// The file of the program is gone or has no name, so there can be no plan of it.
int refuse_nameless(const struct program *program);

/// The kernel runs no 32-bit programs, and this is one.
int refuse_32_bit(const struct program *program);

/// Its interpreter is not named by an absolute path of printable characters.
int refuse_odd_interpreter(const struct program *program);

/// This process has rights of another user or group. `failure` has a remedy for a file that gives them, and may say
/// what it is about.
int refuse_foreign_rights(const struct process *process, int status, struct failure *failure);

/// The resolver made a plan that is not valid.
int refuse_invalid_plan(int status, const struct program *program, const struct plan *plan);

/// The resolver needs this program itself, so its resolution would need it again, without end.
int refuse_within_resolver(const struct program *program);

/// What mends an error of a limit that the process or its user has reached; NULL for any other error.
const char *remedy_of_limit(long error);

/// Gives the failure that remedy where `error` is one of a limit.
void within_limits(struct failure *failure, long error);

/// Why a program that is there cannot be started with ENOENT: an interpreter is missing. Without `about`.
struct failure missing_interpreter(const char *path);

// In namespace.c

struct namespace_entry {
	long error; // 0 or a negative errno
	bool entered; // all is as it shall be, and the error is that of the execve
	bool left;  // the process is no longer in the namespaces that it was started in, and cannot return
	bool other_user; // with a user namespace
	bool closed; // this user may not enter the working directory, so there is no way back to it
};

/// Leaves the mount namespace, and the user namespace where that takes rights, for ones of this process and its
/// children, and puts the launcher over `interpreter_path` there. Whatever can be checked before is checked before.
struct namespace_entry namespace_enter(const struct process *process, const char *interpreter_path);

/// Leaves only. Mounts made outside afterwards are still seen.
struct namespace_entry namespace_leave(const struct process *process);

// In view.c

/// The same, with a root directory of its own: every entry of the host's is there, and the `V` records of a plan say
/// what is put in place beside them (PLAN.md). `records` may be none ("."). The working directory stays.
struct namespace_entry view_enter(const struct process *process, const char *records);

/// Is this process in a view? Then all interpreter paths lead to the launcher already.
bool view_is_around(void);

// In library-order.c. Lists for the plan's loader to search, of which `list` is the plan's; NULL when memory ran out.

/// `of_user`, a LD_LIBRARY_PATH (NULL or empty: none), then `list`, then those of the user's directories that end a
/// start in front of it: with another libc, or a library of a name in the plan's farm that needs a newer glibc.
const char *libraries_user_first(const struct plan *plan, const char *of_user, const char *list);

/// `list`, then `others`, and between them the directory of a glibc's loader: a plan's list need not have its libc, and
/// ld.so looks there last (ld.so(8)).
const char *libraries_plan_first(const struct plan *plan, const char *list, const char *others);

// In exec.c

/// Becomes the program. Returns only when the kernel refused. Where the process has left its namespaces by then,
/// nothing else may be started from it.
struct namespace_entry start_program(const struct process *process, const struct plan *plan,
				     const struct program *program, char **argv);

/// May what is preloaded not fit beside an audit module? With one, glibc sets static thread storage up before it loads
/// anything, and a preload that needs more than is left over, as jemalloc does, ends the start (elf/rtld.c, dl_main).
bool preloads_exclude_audit(const struct process *process);

/// Says why `start_program` failed; returns the exit status.
int start_program_failed(const struct plan *plan, const struct program *program, struct namespace_entry failed);

/// The environment without what is not for the resolver (resolver-environment.h), and with the mark; NULL when memory
/// ran out.
char **environment_of_resolver(const struct process *process);

// In own-package.c

struct resolver_files {
	const char *node; // NULL: there is none
	const char *script;
	const char *why_not, *remedy; // when `node` is NULL
};

/// What runs the resolver: the files that the build named or, for a launcher that a package brought, the script beside
/// it and the Node of this machine.
struct resolver_files resolver_files_find(const struct process *process);

/// The path of the file whose bytes are at this address of the process; NULL for memory of no file, and without /proc.
const char *path_mapped_at(uintptr_t address);

/// Do both paths lead to one file? False where one leads nowhere.
bool is_same_file(const char *one, const char *other);

// In resolver-process.c

enum { RESOLVER_ARGUMENTS = 15, RESOLVER_WORDS = 8 };

struct resolver_command {
	const char *execute; // NULL: there is none
	const char *why_not, *remedy; // when `execute` is NULL
	char *argv[RESOLVER_ARGUMENTS];
	char **envp; // NULL: out of memory
	bool asks;   // it speaks with the user: standard input and output stay as they are
	int image;   // not 0: an open file to execute in place of `execute`
};

struct ending {
	int error;  // not 0: it could not be started, a positive errno; ECHILD: children are in another pid namespace
	int status; // how it ended, as wait(2) has it
};

/// Runs the command in the root directory with standard input and output at /dev/null (unless it asks) and no
/// descriptor above 2, and waits for its end. When this process dies first, the command gets SIGTERM.
struct ending resolver_process_run(const struct resolver_command *command);

/// Does this kernel run 32-bit programs for x86? False only when it refuses the format of one. True where the limit of
/// file sizes leaves no room for one to ask with.
bool kernel_runs_i386(void);

// In resolver.c

struct made_plan {
	struct plan plan; // not valid: carries the reason
	int status;       // not 0: there is no plan, and it has been said why
	long error;       // not 0: the program cannot be identified any more
};

/// Runs the resolver for `program`, and finds the plan that it made. `mode` is NULL, "--rehash", "--refresh" or
/// "--by-binfmt"; `strategy` is the one that the user asked for, or NULL. A plan that went out of date before it was
/// found (a garbage collection at work) is made once more. `program` is identified anew each time.
struct made_plan plan_make(const struct process *process, struct program *program, const char *mode,
			   const char *strategy);

/// Lets the user choose libraries on the terminal. 0 when the program may start, else the exit status to end with: 130
/// when the user left with Ctrl-C.
int resolver_choose(const struct process *process, const char *real_path);

/// Becomes `nix-foreign explain`; returns only when that cannot be started, with the exit status.
int resolver_explain(const struct process *process, const char *real_path);
