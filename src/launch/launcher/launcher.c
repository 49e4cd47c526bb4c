// A command line to the program it names: by its plan (a hit), or after having one made (a miss).
#include "launcher.h"
#include "command-line.h"
#include "find-program.h"
#include "messages.h"
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
static bool is_worth_a_refresh(long error)
{
	return error == -ENOENT || error == -ESTALE || error == -ENOTDIR || error == -ELOOP || error == -ELIBBAD;
}

static const char *mode_of(enum wish wish)
{
	return wish == WISH_REHASH ? "--rehash" : wish == WISH_REFRESH ? "--refresh" : NULL;
}

int launcher_main(const struct process *process)
{
	if (process->secure || process->uid != process->euid || process->gid != process->egid)
		return refuse_foreign_rights();
	struct command_line command = command_line_read(process);
	if (command.wish == WISH_NOTHING_MORE)
		return command.status;

	// Permission to execute is asked for on a miss: with an unchanged identity, modes are what they were.
	struct program program;
	program.found = NULL;
	long failed = find_program(process, command.argv[0], &program.found);
	if (failed == 0)
		failed = program_identify(&program);
	if (failed < 0)
		return refuse_program(command.argv[0], &program, failed);
	if (command.wish == WISH_EXPLAIN)
		return resolver_explain(process, program.real_path);

	if (command.wish == WISH_CHOOSE) {
		int status = resolver_choose(process, program.real_path);
		if (status != 0)
			return status;
		command.wish = WISH_RUN;
		failed = program_identify(&program);
		if (failed < 0)
			return refuse_program(command.argv[0], &program, failed);
	}

	if (command.wish == WISH_RUN) {
		struct plan plan = plan_find(process, &program);
		if (plan.records) {
			failed = start_program(process, &plan, &program, command.argv);
			if (!is_worth_a_refresh(failed))
				return start_program_failed(&plan, &program, failed);
			message_debug(process, "the program could not be started by its plan", message_of_error(failed));
			command.wish = WISH_REFRESH;
		}
	}

	failed = why_not_startable(program.found);
	if (failed < 0)
		return refuse_program(command.argv[0], &program, failed);
	struct made_plan made = plan_make(process, &program, mode_of(command.wish));
	if (made.status != 0)
		return made.status;
	if (made.error < 0)
		return refuse_program(command.argv[0], &program, made.error);
	if (!made.plan.records)
		return no_plan_made(&program, &made.plan);
	failed = start_program(process, &made.plan, &program, command.argv);
	return start_program_failed(&made.plan, &program, failed);
}
