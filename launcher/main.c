// A command line → the program it names: by its plan (a hit), or after the resolver made one (a miss).
#include "launch.h"

// The plan was right when it was checked, and something that it relies on went away: worth another resolution.
// ELIBBAD is about an interpreter that is no ELF file for this machine (fs/binfmt_elf.c, load_elf_binary).
static bool is_worth_a_refresh(const struct plan *plan, struct namespace_entry failed)
{
	long error = failed.error;
	if (failed.left || failed.closed)
		return false; // the resolver and Nix would run in a namespace that is half made, or find the same again
	if ((plan->interpreter_path || plan->has_view) && error != -E2BIG && !remedy_of_limit(error))
		return true; // namespaces may be forbidden by now
	return error == -ENOENT || error == -ESTALE || error == -ENOTDIR || error == -ELOOP || error == -ELIBBAD;
}

static const char *mode_of(const struct process *process, enum action action)
{
	if (process_is_called_by_binfmt(process))
		return "--by-binfmt";
	return action == ACTION_REHASH ? "--rehash" : action == ACTION_REFRESH ? "--refresh" : NULL;
}

// binfmt_misc gave this program to us, and would do so again for ever: only another file can be started.
static bool would_come_back(const struct process *process, const struct plan *plan)
{
	return process_is_called_by_binfmt(process) && plan->records && !plan->execute;
}

static int comes_back(const struct program *program)
{
	return message_failure(
		EXIT_CANNOT_RUN,
		&(struct failure){.about = program->real_path,
				  .cause = "binfmt_misc hands it to us, and there is no way to start it that does not end here again",
				  .remedy = "nix-foreign binfmt remove, then nix-run-foreign in front of it"});
}

// The kernel names the program as it was named to execve(2), which looks nothing up.
static long find_named(const struct process *process, const char *name, const char **found)
{
	if (!process_is_called_by_binfmt(process))
		return program_find(process, name, found);
	*found = name;
	return 0;
}

struct start {
	const struct process *process;
	struct command_line command;
	bool is_decided; // by hand, as how it starts
	struct program program;
};

// What the resolver would have nothing to do for: a static program, but for one that somebody asked to start otherwise
// (in a view), and one that cannot be started here at all.
static bool ends_without_resolver(const struct start *start, int *status)
{
	const struct program *program = &start->program;
	if (process_is_called_by_binfmt(start->process))
		return false;
	struct program_kind kind = program_kind_of(program->found);
	struct plan direct = {.records = "."};
	if (ARCH_RUNS_I386 && kind.is_32_bit_x86 && !kernel_runs_i386())
		*status = refuse_32_bit(program);
	else if (kind.format == FORMAT_ODD_INTERPRETER)
		*status = refuse_odd_interpreter(program);
	else if (kind.format == FORMAT_STATIC && start->command.action == ACTION_RUN && !start->is_decided)
		*status = start_program_failed(
			&direct, program,
			start_program(start->process, &direct, program, start->command.argv));
	else
		return false;
	return true;
}

// A miss: has a plan made, and starts by it.
static int start_by_new_plan(struct start *start)
{
	const struct process *process = start->process;
	struct program *program = &start->program;
	if (process_is_called_by_binfmt(process) && process_variable(process, RESOLVER_MARK))
		return refuse_within_resolver(program);
	long failed = program_why_not_startable(program->found);
	if (failed < 0)
		return refuse_program(start->command.name, program, failed);
	int status;
	if (ends_without_resolver(start, &status))
		return status;
	const char *mode = mode_of(process, start->command.action);
	struct made_plan made = plan_make(process, program, mode, start->command.strategy);
	if (made.status != 0)
		return made.status;
	if (made.error < 0)
		return refuse_program(start->command.name, program, made.error);
	if (!made.plan.records)
		return refuse_invalid_plan(EXIT_TOOL_FAILED, program, &made.plan);
	if (would_come_back(process, &made.plan))
		return comes_back(program);
	return start_program_failed(&made.plan, program,
				    start_program(process, &made.plan, program, start->command.argv));
}

static struct plan find_in_view(const struct start *start)
{
	struct process entered = *start->process;
	entered.role = ROLE_INTERPRETER; // what a view shows at the paths of `e`, `k` and `u` is no matter
	return plan_find(&entered, &start->program);
}

// A program of Nix never enters the launcher: what it opens is only looked for when its plan says so (`+LD_AUDIT`). An
// AppImage's plan, which starts what was unpacked, sets variables too, and is followed here as well.
static void start_by_plan_of_nix(const struct start *start)
{
	struct plan plan = find_in_view(start);
	if (plan.records && !plan.loader && plan.set_count > 0)
		start_program(start->process, &plan, &start->program, start->command.argv);
}

// In a view the kernel finds the launcher at every interpreter path, and the interpreter of every script.
static long start_in_view(const struct start *start)
{
	start_by_plan_of_nix(start);
	enum program_format format = program_kind_of(start->program.found).format;
	if (format != FORMAT_SCRIPT && format != FORMAT_STATIC && format != FORMAT_DYNAMIC)
		return -ENOEXEC;
	return kernel_execve(start->program.found, start->command.argv, start->process->envp);
}

// A hit, and a miss where there is no plan or the start by it fails.
static int start_by_plan(struct start *start)
{
	bool in_view = start->process->role == ROLE_COMMAND && view_is_around();
	bool by_binfmt = process_is_called_by_binfmt(start->process);
	if (in_view && !by_binfmt)
		message_debug(start->process, "it could not be started as it is in this view",
			      message_of_error(start_in_view(start)));
	struct plan plan = in_view && by_binfmt ? find_in_view(start) : plan_find(start->process, &start->program);
	if (would_come_back(start->process, &plan))
		message_debug(start->process,
			      "its plan would start the program itself, and binfmt_misc would call again", NULL);
	else if (plan.records) {
		struct namespace_entry entry =
			start_program(start->process, &plan, &start->program, start->command.argv);
		if (!is_worth_a_refresh(&plan, entry))
			return start_program_failed(&plan, &start->program, entry);
		message_debug(start->process, "the program could not be started by its plan",
			      message_of_error(entry.error));
		start->command.action = ACTION_REFRESH;
	}
	start->is_decided = plan.is_decided;
	return start_by_new_plan(start);
}

static int choose_and_start(struct start *start)
{
	int status = resolver_choose(start->process, start->program.real_path);
	if (status != 0)
		return status;
	start->command.action = ACTION_RUN;
	long failed = program_identify(&start->program);
	return failed < 0 ? refuse_program(start->command.name, &start->program, failed) : start_by_plan(start);
}

int launcher_main(const struct process *process)
{
	if (process_has_foreign_rights(process))
		return refuse_foreign_rights(
			process, EXIT_TOOL_FAILED,
			&(struct failure){.remedy = "install it without setuid, setgid and capabilities"});
	if (loader_is_called(process))
		return loader_main(process);
	// `program` is not zeroed as a whole: that would touch the page of a path that is short.
	struct start start;
	start.process = process;
	start.command = command_line_read(process);
	enum action action = start.command.action;
	if (action == ACTION_EXIT)
		return start.command.status;
	// Permission to execute is asked for on a miss: with an unchanged identity, modes are what they were.
	long failed = find_named(process, start.command.name, &start.program.found);
	if (failed == 0)
		failed = program_identify(&start.program);
	if (failed == -ENOENT && start.command.by_shim)
		return refuse_left_shim(start.command.name);
	if (failed < 0)
		return refuse_program(start.command.name, &start.program, failed);
	if (action == ACTION_RUN)
		return start_by_plan(&start);
	if (action != ACTION_CHOOSE && action != ACTION_EXPLAIN)
		return start_by_new_plan(&start);
	if (program_is_nameless(&start.program))
		return refuse_nameless(&start.program);
	return action == ACTION_CHOOSE ? choose_and_start(&start) : resolver_explain(process, start.program.real_path);
}
