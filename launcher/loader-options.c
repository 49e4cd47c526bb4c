// A call by an interpreter's path with options of ld.so(8) → the loader of the program's plan, with the same options.
#include "interpreter.h"

// Each option, and `=` behind it where a word follows. --argv0 alone is for options.c: it starts the program.
static const char options[] = "--list\0--verify\0--inhibit-cache\0--library-path=\0--preload=\0--audit=\0"
			      "--inhibit-rpath=\0--glibc-hwcaps-prepend=\0--glibc-hwcaps-mask=\0--argv0=\0";

// How many words the option takes with itself; 0 for what is none.
static int words_of(const char *word)
{
	for (const char *option = options; *option; option += text_length(option) + 1) {
		const char *rest = text_after(option, word);
		if (rest && *rest == '\0')
			return 1;
		if (rest && text_equal(rest, "="))
			return 2;
	}
	return 0;
}

static bool is_name_of_loader(const char *path)
{
	const char *base = text_base_name(path);
	return text_after(base, "ld-linux") || text_after(base, "ld-musl-") || text_after(base, "ld-lsb");
}

// The index of PROGRAM, or 0: there is none, or an option that is none of ld.so's.
static int index_of_program(const struct process *process, bool *says_more)
{
	int at = 1;
	*says_more = false;
	while (at < process->argc && process->argv[at][0] == '-') {
		if (text_equal(process->argv[at], "--"))
			return at + 1 < process->argc ? at + 1 : 0;
		int words = words_of(process->argv[at]);
		if (words == 0)
			return 0;
		*says_more |= !text_equal(process->argv[at], "--argv0");
		at += words;
	}
	return at < process->argc ? at : 0;
}

static bool is_executed_as_loader(const struct process *process)
{
	const uintptr_t *name = auxiliary_value(&process->auxiliary, AT_EXECFN);
	return name && is_name_of_loader((const char *)*name);
}

// A nix-ld at an interpreter path that is executed itself executes NIX_LD with its own argv (nix-ld, src/main.rs).
static bool is_executed_by_nix_ld(const struct process *process)
{
	return !is_executed_as_loader(process) && process->argc > 0 && is_name_of_loader(process->argv[0]);
}

bool loader_is_called(const struct process *process)
{
	bool says_more;
	return (is_executed_as_loader(process) || is_executed_by_nix_ld(process)) &&
	       index_of_program(process, &says_more) && says_more;
}

// The same words, but --library-path, which is joined with the plan's.
static char **arguments_for(const struct process *process, const struct plan *plan, int program)
{
	char **edited = memory_take(((size_t)process->argc + 4) * sizeof *edited), **next = edited;
	const char *of_nix_ld = is_executed_by_nix_ld(process) ? nix_ld_list_take(process) : "";
	const char *of_user = process_variable(process, "LD_LIBRARY_PATH");
	const char *list = libraries_plan_first(plan, plan->library_path, of_nix_ld);
	if (!edited || !list)
		return NULL;
	*next++ = (char *)plan->loader;
	for (int at = 1; at < program; at++) {
		if (text_equal(process->argv[at], "--library-path") && at + 1 < program)
			of_user = process->argv[++at];
		else if (!text_equal(process->argv[at], "--"))
			*next++ = process->argv[at];
	}
	*next++ = (char *)"--library-path";
	*next = (char *)libraries_user_first(plan, of_user, list);
	if (!*next++)
		return NULL;
	for (int at = program; at < process->argc; at++)
		*next++ = process->argv[at];
	*next = NULL;
	return edited;
}

static int refuse_without_loader(const struct program *program)
{
	return message_failure(1, &(struct failure){.about = program->found, .cause = "not a dynamic executable"});
}

// A program of Nix has its own.
static int become_own_loader(const struct process *process, const struct program *program)
{
	char *interpreter = memory_take(PATH_SIZE);
	if (!interpreter || !program_interpreter(program->found, interpreter))
		return refuse_without_loader(program);
	if (is_same_file("/proc/self/exe", interpreter))
		return refuse_without_loader(program); // this one, again and again
	process->argv[0] = interpreter;
	kernel_execve(interpreter, process->argv, process->envp);
	return refuse_without_loader(program);
}

int loader_main(const struct process *process)
{
	struct program program;
	bool says_more;
	int at = index_of_program(process, &says_more);
	long failed = program_find(process, process->argv[at], &program.found);
	if (failed == 0)
		failed = program_identify(&program);
	if (failed < 0)
		return refuse_program(process->argv[at], &program, failed);
	struct process entered = *process;
	if (view_is_around())
		entered.role = ROLE_INTERPRETER; // what it shows at the paths of `e`, `k` and `u` is no matter
	struct plan plan = plan_find(&entered, &program);
	if (!plan.records) {
		enum program_format format = program_kind_of(program.found).format;
		if (format == FORMAT_STATIC || format == FORMAT_SCRIPT)
			return refuse_without_loader(&program);
		struct made_plan made = plan_make(process, &program, NULL, NULL);
		if (made.status != 0 || made.error != 0)
			return made.status != 0 ? made.status : refuse_program(program.found, &program, made.error);
		plan = made.plan;
	}
	if (!plan.records)
		return refuse_invalid_plan(EXIT_TOOL_FAILED, &program, &plan);
	if (!plan.loader || !plan.library_path)
		return become_own_loader(process, &program);
	char **arguments = arguments_for(process, &plan, at);
	if (arguments)
		failed = kernel_execve(plan.loader, arguments, process->envp);
	struct namespace_entry entry = {.error = failed, .entered = true};
	return start_program_failed(&plan, &program, entry);
}
