// A command line to the program it names: by its plan (a hit), or after having one made (a miss).
#include "launcher.h"
#include "binfmt-call.h"
#include "command-line.h"
#include "edit-environment.h"
#include "find-program.h"
#include "messages.h"
#include "nameless.h"
#include "plan-find.h"
#include "plan-make.h"
#include "refuse-program.h"
#include "resolver.h"
#include "start-program.h"

static int refuse_foreign_rights(void)
{
	return message_failure(EXIT_TOOL_FAILED,
			       (struct failure){.cause = "started with the rights of another user or group",
						.remedy = "install it without setuid, setgid and capabilities"});
}

static int no_plan_made(const struct program *program, const struct plan *plan)
{
	return message_failure(EXIT_TOOL_FAILED, (struct failure){.subject = program->real_path,
								  .cause = "resolved, but its plan cannot be used: ",
								  .detail = plan->why_not,
								  .remedy = "nix-foreign doctor checks the directories"});
}

// The plan was right when it was checked, and something that it relies on went away: worth another resolution.
// ELIBBAD is about an interpreter that is no ELF file for this machine (fs/binfmt_elf.c, load_elf_binary).
static bool is_worth_a_refresh(const struct plan *plan, struct namespace_entry failed)
{
	long error = failed.error;
	if (failed.left)
		return false; // the resolver and Nix would run in a namespace that is half made
	if (plan->seat && error != -E2BIG)
		return true; // namespaces may be forbidden by now
	return error == -ENOENT || error == -ESTALE || error == -ENOTDIR || error == -ELOOP || error == -ELIBBAD;
}

static const char *mode_of(const struct process *process, enum wish wish)
{
	if (is_called_by_binfmt(process))
		return "--by-binfmt";
	return wish == WISH_REHASH ? "--rehash" : wish == WISH_REFRESH ? "--refresh" : NULL;
}

// binfmt_misc gave this program to us, and would do so again for ever: only another file can be started.
static bool would_come_back(const struct process *process, const struct plan *plan)
{
	return is_called_by_binfmt(process) && plan->records && !plan->execute;
}

static int comes_back(const struct program *program)
{
	return message_failure(
		EXIT_CANNOT_RUN,
		(struct failure){.subject = program->real_path,
				 .cause = "binfmt_misc hands it to us, and there is no way to start it that does not end here again",
				 .remedy = "nix-foreign binfmt remove, then nix-run-foreign in front of it"});
}

// Else its resolution would need it, and so on without end.
static int needed_by_resolver(const struct program *program)
{
	return message_failure(EXIT_NOT_FOUND,
			       (struct failure){.subject = program->real_path,
						.cause = "the resolver needs it, and it has no plan",
						.remedy = "give nix-foreign a Node and a Nix that need no loader of ours"});
}

// The kernel names the program as it was named to execve(2), which looks nothing up.
static long find_named(const struct process *process, const char *name, const char **found)
{
	if (!is_called_by_binfmt(process))
		return find_program(process, name, found);
	*found = name;
	return 0;
}

int launcher_main(const struct process *process)
{
	if (process->secure || process->uid != process->euid || process->gid != process->egid)
		return refuse_foreign_rights();
	struct command_line command =
		is_called_by_binfmt(process) ? command_line_of_binfmt(process) : command_line_read(process);
	if (command.wish == WISH_NOTHING_MORE)
		return command.status;

	// Permission to execute is asked for on a miss: with an unchanged identity, modes are what they were.
	struct program program;
	program.found = NULL;
	long failed = find_named(process, command.name, &program.found);
	if (failed == 0)
		failed = program_identify(&program);
	if (failed < 0)
		return refuse_program(command.name, &program, failed);
	if ((command.wish == WISH_EXPLAIN || command.wish == WISH_CHOOSE) && is_nameless(&program))
		return refuse_nameless(&program);
	if (command.wish == WISH_EXPLAIN)
		return resolver_explain(process, program.real_path);

	if (command.wish == WISH_CHOOSE) {
		int status = resolver_choose(process, program.real_path);
		if (status != 0)
			return status;
		command.wish = WISH_RUN;
		failed = program_identify(&program);
		if (failed < 0)
			return refuse_program(command.name, &program, failed);
	}

	if (command.wish == WISH_RUN) {
		struct plan plan = plan_find(process, &program);
		if (would_come_back(process, &plan))
			message_debug(process, "its plan would start the program itself, and binfmt_misc would call again", NULL);
		else if (plan.records) {
			struct namespace_entry entry = start_program(process, &plan, &program, command.argv);
			if (!is_worth_a_refresh(&plan, entry))
				return start_program_failed(&plan, &program, entry);
			message_debug(process, "the program could not be started by its plan", message_of_error(entry.error));
			command.wish = WISH_REFRESH;
		}
	}

	if (is_called_by_binfmt(process) && process_variable(process, RESOLVER_MARK))
		return needed_by_resolver(&program);
	failed = why_not_startable(program.found);
	if (failed < 0)
		return refuse_program(command.name, &program, failed);
	struct made_plan made = plan_make(process, &program, mode_of(process, command.wish), command.strategy);
	if (made.status != 0)
		return made.status;
	if (made.error < 0)
		return refuse_program(command.name, &program, made.error);
	if (!made.plan.records)
		return no_plan_made(&program, &made.plan);
	if (would_come_back(process, &made.plan))
		return comes_back(&program);
	return start_program_failed(&made.plan, &program, start_program(process, &made.plan, &program, command.argv));
}
