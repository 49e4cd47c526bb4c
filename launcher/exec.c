// A valid plan → argv, envp and the execve that starts the program.
#include "launch.h"

// Would a loader that is told argv[0] as its program open the same path, and find the same $ORIGIN? glibc puts the
// working directory in front of a relative one at once (elf/dl-object.c), musl does not.
static bool names_program(const struct plan *plan, const struct program *program, const char *argv0)
{
	if (argv0[0] == '/')
		return text_equal(argv0, program->real_path);
	if (argv0[0] == '-') // an option of the loader's
		return false;
	bool has_slash = text_base_name(argv0) != argv0;
	if (!has_slash || !plan->execute || !text_is_loader_of_glibc(plan->execute))
		return false;
	char *path = memory_take(PATH_SIZE);
	return path && program_make_absolute(argv0, path) == 0 && text_equal(path, program->real_path);
}

// The two elements for a loader that say what argv[0] shall be. They part argv[0] from what follows in memory, which
// programs that write there (setproctitle) rely on, so they are left out where they say nothing new.
static bool is_argv0_option(const char *record)
{
	return text_equal(record, "A--argv0") && plan_next(record)[0] == '0';
}

// Each name in a list of LD_PRELOAD is ended by a NUL while it is looked at. One without a slash is searched for.
static bool any_may_have_thread_storage(char *list)
{
	for (char *name = list, *at = list;; at++) {
		char end = *at;
		if (end && end != ' ' && end != ':')
			continue;
		*at = '\0';
		bool may = *name && (text_base_name(name) == name || library_may_have_thread_storage(name));
		*at = end;
		if (may || !end)
			return may;
		name = at + 1;
	}
}

bool preloads_exclude_audit(const struct process *process)
{
	static const char NAME[] = "LD_PRELOAD";
	// Of several ld.so takes the last, and musl the first.
	for (char **entry = process->envp; *entry; entry++)
		if (entry_has_name(*entry, NAME, sizeof NAME - 1) && any_may_have_thread_storage(*entry + sizeof NAME))
			return true;
	// NixOS writes the file for allocators (nixos/modules/config/malloc.nix), all of which have thread storage.
	return kernel_access("/etc/ld-nix.so.preload", ACCESS_EXISTS) == 0;
}

// The two elements that have a loader ask the module.
static bool is_audit_option(const struct plan *plan, const char *record)
{
	return plan->audit_module && text_equal(record, "A--audit") && plan_next(record)[0] == 'A';
}

struct start_words {
	const struct process *process;
	const struct plan *plan;
	const struct program *program;
	char *argv0;
};

static char *argument_of(const char *record, const struct start_words *start)
{
	switch (*record) {
	case 'A':
		return (char *)record + 1;
	case '0':
		return start->argv0;
	case 'F':
		return (char *)start->program->found;
	case 'L':
		return (char *)libraries_user_first(
			start->plan, process_variable(start->process, "LD_LIBRARY_PATH"), record + 1);
	default:
		return (char *)start->program->real_path;
	}
}

static bool is_argument(const char *record)
{
	return *record == 'A' || *record == '0' || *record == 'L' || *record == 'P' || *record == 'F';
}

static char **arguments_of_plan(const struct process *process, const struct plan *plan,
				const struct program *program, char **argv)
{
	if (plan->argument_count == 0)
		return argv;
	size_t count = 0;
	while (argv[count])
		count++;
	char **edited = memory_take((plan->argument_count + count) * sizeof *edited);
	char **next = edited;
	if (!edited)
		return NULL;
	// Elsewhere, as for an AppImage, the pair is for another program than this.
	const struct start_words start = {process, plan, program, argv[0]};
	bool is_named = plan->has_program_argument && names_program(plan, program, argv[0]), is_left_out = false;
	for (const char *record = plan->records; *record != '.'; record = plan_next(record)) {
		if (!is_argument(record))
			continue;
		bool says_nothing_new = is_named && is_argv0_option(record);
		is_left_out |= says_nothing_new;
		if (says_nothing_new || (is_audit_option(plan, record) && preloads_exclude_audit(process))) {
			record = plan_next(record);
			continue;
		}
		*next = *record == 'P' && is_left_out ? argv[0] : argument_of(record, &start);
		if (!*next++)
			return NULL;
	}
	for (char **argument = argv + 1; *argument; argument++)
		*next++ = *argument;
	*next = NULL;
	return edited;
}

static size_t count_of(char **entries)
{
	size_t count = 0;
	while (entries[count])
		count++;
	return count;
}

static bool sets_audit(const char *record)
{
	return text_after(record, "+LD_AUDIT=") != NULL;
}

// A record that sets a variable: `+` by its value, `j`, `N`, `c` and `v` by what this start has.
static bool sets(const char *record)
{
	return *record == '+' || *record == 'j' || *record == 'N' || *record == 'c' || *record == 'v';
}

// Where the variable that `entry` begins with the name of stands among those made so far; `end` where it does not.
static char **find_made(char **made, char **end, const char *entry)
{
	size_t length = entry_name_length(entry);
	while (made < end && !entry_has_name(*made, entry, length))
		made++;
	return made;
}

// The module first, then what the user has the loader ask.
static char *entry_of_audit(const struct process *process, const char *entry)
{
	const char *of_user = process_variable(process, "LD_AUDIT");
	return of_user ? text_joined_lists(entry, of_user) : (char *)entry;
}

// NAME=<path of the launcher>, for a nix-ld that shall enter it as the loader.
static char *entry_of_launcher(const struct process *process, const char *name)
{
	char *path = memory_take(PATH_SIZE);
	return path && launcher_path(process, path) ? text_joined(name, "=", path) : NULL;
}

// NAME=<working directory>, or NAME= in one that is gone.
static char *entry_of_directory(const char *name)
{
	char *path = memory_take(PATH_SIZE);
	if (!path)
		return NULL;
	bool is_there = kernel_getcwd(path, PATH_SIZE) > 0 && path[0] == '/';
	return text_joined(name, "=", is_there ? path : "");
}

// NAME=LIST with the list of the user behind, for nix-ld, which takes NIX_LD_LIBRARY_PATH where NAME, the one with the
// system in it, is not set.
static char *entry_of_list(const struct process *process, const struct plan *plan, const char *record)
{
	size_t name = entry_name_length(record);
	const char *list = record + name + 1, *of_user = process_variable_of(process, record, name);
	if (!of_user)
		of_user = process_variable(process, "NIX_LD_LIBRARY_PATH");
	const char *more = of_user ? text_after(of_user, list) : NULL;
	if (more && (*more == ':' || !*more)) // a start within one of ours has it already
		list = of_user;
	else
		list = libraries_plan_first(plan, list, of_user ? of_user : "");
	if (!list)
		return NULL;
	size_t size = name + 1 + text_length(list) + 1;
	char *bytes = memory_take(size);
	if (!bytes)
		return NULL;
	struct text text = text_in(bytes, size);
	text_add_bytes(&text, record, name + 1);
	text_add(&text, list);
	return bytes;
}

static char *entry_of_record(const struct process *process, const struct plan *plan, const char *record,
			     const char *argv0)
{
	switch (*record) {
	case 'j':
		return entry_of_list(process, plan, record + 1);
	case 'N':
		return entry_of_launcher(process, record + 1);
	case 'c':
		return entry_of_directory(record + 1);
	case 'v':
		return text_joined(record + 1, "=", argv0);
	default:
		return sets_audit(record) ? entry_of_audit(process, record + 1) : (char *)record + 1;
	}
}

// An entry of that name among those that were made becomes the last of all.
static void make_last(const char *name, char **made, char **made_end, char **end)
{
	char **slot = find_made(made, made_end, name);
	if (slot == made_end)
		return;
	char *entry = *slot;
	for (; slot + 1 < end; slot++)
		slot[0] = slot[1];
	*slot = entry;
}

static char **environment_of_plan(const struct process *process, const struct plan *plan, const char *argv0)
{
	if (plan->set_count == 0)
		return process->envp;
	char **edited = memory_take((plan->set_count + count_of(process->envp) + 1) * sizeof *edited);
	char **next = edited;
	if (!edited)
		return NULL;
	// First, because nix-ld's search of the environment ends at an entry without `=`.
	for (const char *record = plan->records; *record != '.'; record = plan_next(record))
		if (sets(record) && !(sets_audit(record) && preloads_exclude_audit(process))) {
			char **earlier = find_made(edited, next, record + 1); // of several the last one counts
			for (next -= earlier < next; earlier < next; earlier++)
				earlier[0] = earlier[1];
			*next = entry_of_record(process, plan, record, argv0);
			if (!*next++)
				return NULL;
		}
	char **made_end = next;
	for (char **entry = process->envp; *entry; entry++) // one without `=` has no name
		if ((*entry)[entry_name_length(*entry)] != '=' || find_made(edited, made_end, *entry) == made_end)
			*next++ = *entry;
	// The module takes it out, and no entry that nix-ld changed may move then (src/plan/NOTES.md).
	make_last("LD_AUDIT", edited, made_end, next);
	*next = NULL;
	return edited;
}

// The user's library path must not steer Node, but `explain` tells what it would hide: so it goes by another name.
static char *renamed_library_path(const char *entry)
{
	return text_after(entry, "LD_LIBRARY_PATH=") ? text_joined("NIX_RUN_FOREIGN_", "", entry) : NULL;
}

char **environment_of_resolver(const struct process *process)
{
	char **cleaned = memory_take((count_of(process->envp) + 2) * sizeof *cleaned);
	char **next = cleaned;
	if (!cleaned)
		return NULL;
	for (char **entry = process->envp; *entry; entry++) {
		*next = is_for_resolver(*entry) ? *entry : renamed_library_path(*entry);
		if (*next)
			next++;
	}
	*next++ = (char *)RESOLVER_MARK "=1";
	*next = NULL;
	return cleaned;
}

struct namespace_entry start_program(const struct process *process, const struct plan *plan,
				     const struct program *program, char **argv)
{
	struct namespace_entry entry = {.error = -ENOMEM};
	char **arguments = arguments_of_plan(process, plan, program, argv);
	char **environment = environment_of_plan(process, plan, argv[0]);
	if (!arguments || !environment)
		return entry;
	entry.error = 0;
	if (plan->interpreter_path)
		entry = namespace_enter(process, plan->interpreter_path);
	if (plan->has_view && !view_is_around())
		entry = view_enter(process, plan->records);
	if (entry.error < 0)
		return entry;
	entry.entered = true;
	entry.error = kernel_execve(plan->execute ? plan->execute : program->found, arguments, environment);
	return entry;
}

static struct failure explain(const struct program *program, long error)
{
	switch (-error) {
	case ENOENT:
		return missing_interpreter(program->found);
	case ENOEXEC:
		return (struct failure){.cause = "the kernel does not know its format",
					.remedy = "if it is a script without a #! line, start it with its interpreter"};
	case EACCES:
		return (struct failure){.cause = "it may not be executed",
					.remedy = "check its modes, its #! line's interpreter and a noexec mount"};
	case ELIBBAD:
		return (struct failure){.cause = "the program interpreter (loader) that it names is none for this machine",
					.remedy = "see what is started and how: nix-run-foreign --explain ",
					.remedy_detail = program->found};
	case E2BIG:
		return (struct failure){.cause = "its arguments and environment are longer than the kernel takes",
					.remedy = "shorten them, or raise the limit: ulimit -S -s hard"};
	default:
		return (struct failure){.cause = "it cannot be started: ",
					.detail = message_of_error(error),
					.remedy = "see what is started and how: nix-run-foreign --explain ",
					.remedy_detail = program->found};
	}
}

static struct failure explain_loader(const struct program *program, long error)
{
	return (struct failure){.cause = "the loader of its plan cannot be started: ",
				.detail = message_of_error(error),
				.remedy = "resolve it again: nix-run-foreign --refresh ",
				.remedy_detail = program->found};
}

// A resolution looks whether namespaces work here, and takes another strategy where they do not.
static struct failure explain_namespace(const struct program *program, long error)
{
	return (struct failure){.cause = "it cannot be started in a namespace of its own: ",
				.detail = message_of_error(error),
				.remedy = "have another way found: nix-run-foreign --refresh ",
				.remedy_detail = program->found};
}

static struct failure explain_closed(const struct program *program)
{
	return (struct failure){.cause = "its working directory may not be entered by this user, and a view has to",
				.remedy = "start it in another (cd /), or without: nix-run-foreign --strategy loader ",
				.remedy_detail = program->found};
}

static struct failure explain_start(const struct plan *plan, const struct program *program,
				    struct namespace_entry failed)
{
	if (failed.closed)
		return explain_closed(program);
	if (!failed.entered && (plan->has_view || plan->interpreter_path))
		return explain_namespace(program, failed.error);
	return explain(program, failed.error);
}

int start_program_failed(const struct plan *plan, const struct program *program, struct namespace_entry failed)
{
	if (ARCH_RUNS_I386 && failed.error == -ENOEXEC && program_kind_of(program->found).is_32_bit_x86)
		return refuse_32_bit(program);
	bool about_loader = plan->execute && failed.entered && failed.error != -E2BIG;
	struct failure failure = about_loader ? explain_loader(program, failed.error)
					      : explain_start(plan, program, failed);
	failure.about = about_loader ? plan->execute : program->found;
	within_limits(&failure, failed.error);
	return message_failure(EXIT_CANNOT_RUN, &failure);
}
