// A program without a plan → a run of nix-foreign, which writes one.
#include "launch.h"

// The command `nix-foreign WORDS... -- REAL_PATH`, of the build or of the environment. NULL words are left out.
static struct resolver_command resolver_command(const struct process *process, const char *const words[RESOLVER_WORDS],
					 const char *real_path)
{
	const char *chosen = process_variable(process, "NIX_RUN_FOREIGN_RESOLVER");
	struct resolver_command command = {.envp = environment_of_resolver(process)};
	char **next = command.argv;
	if (chosen && *chosen) {
		command.execute = chosen[0] == '/' ? chosen : NULL;
		command.why_not = "NIX_RUN_FOREIGN_RESOLVER is not an absolute path";
		command.remedy = "unset it, or give it the absolute path of nix-foreign";
		*next++ = (char *)chosen;
	} else {
		struct resolver_files files = resolver_files_find(process);
		command.execute = files.node;
		command.why_not = files.why_not;
		command.remedy = files.remedy;
		*next++ = (char *)files.node;
		*next++ = (char *)files.script;
	}
	for (int i = 0; i < RESOLVER_WORDS; i++)
		if (words[i])
			*next++ = (char *)words[i];
	*next++ = (char *)"--";
	*next++ = (char *)real_path;
	*next = 0;
	return command;
}

// With the end of the resolver the program could start no process any more.
static int refuse_other_namespace(void)
{
	return message_failure(EXIT_TOOL_FAILED,
			       &(struct failure){.cause = "the resolver cannot be started: it would end a new pid namespace",
						 .remedy = "start it as a child of who made that: unshare --pid --fork"});
}

static int cannot_start(const struct resolver_command *command, long error)
{
	struct failure failure = {.about = command->execute,
				  .cause = "the resolver cannot be started: ",
				  .detail = message_of_error(error),
				  .remedy = "install nix-run-foreign again, or name a nix-foreign in NIX_RUN_FOREIGN_RESOLVER"};
	within_limits(&failure, error);
	return message_failure(EXIT_TOOL_FAILED, &failure);
}

static int ended_with(const char *how, int number)
{
	char bytes[32];
	struct text text = text_in(bytes, sizeof bytes);
	text_add_unsigned(&text, (uint64_t)number);
	return message_failure(EXIT_TOOL_FAILED, &(struct failure){.cause = how,
								   .detail = bytes,
								   .remedy = "nix-foreign doctor says what the machine lacks"});
}

enum { STATUS_OF_SIGNALS = 128 };

// A shell sees an interrupted command only in one that died of the interrupt.
static int die_of_interrupt(void)
{
	kernel_kill(kernel_getpid(), SIGINT);
	return STATUS_OF_SIGNALS + SIGINT; // SIGINT is blocked or ignored here
}

static int exit_status_of(const struct resolver_command *command, struct ending ending)
{
	if (ending.error == ECHILD)
		return refuse_other_namespace();
	if (ending.error)
		return cannot_start(command, ending.error);
	int signal = ending.status & 0x7f, code = ending.status >> 8 & 0xff;
	if (signal == SIGINT)
		return die_of_interrupt();
	if (signal)
		return ended_with("the resolver was ended by signal ", signal);
	if (code == 0 || (code >= EXIT_TOOL_FAILED && code <= EXIT_NOT_FOUND))
		return code;
	if (command->asks && code == STATUS_OF_SIGNALS + SIGINT)
		return code; // the user left it
	return ended_with("the resolver failed with exit status ", code);
}

// 0, or the exit status when there is no command to start.
static int refuse_unusable(const struct resolver_command *command, const char *real_path)
{
	if (!text_is_utf8(real_path)) // Node would take it for another path
		return message_failure(EXIT_TOOL_FAILED,
				       &(struct failure){.about = real_path,
							 .cause = "its path is not UTF-8",
							 .remedy = "rename it, or make a hard link with an ASCII name"});
	if (!command->execute)
		return message_failure(EXIT_TOOL_FAILED,
				       &(struct failure){.cause = command->why_not, .remedy = command->remedy});
	if (!command->envp)
		return message_failure(EXIT_TOOL_FAILED, &(struct failure){.cause = "out of memory",
									   .remedy = "start it with a smaller environment"});
	return 0;
}

// File capabilities put the loader into secure mode, as setuid does; Node cannot ask for them (capabilities(7)).
static const char *capabilities_of(const char *path)
{
	return kernel_attribute_size(path, "security.capability") > 0 ? "--with-capabilities" : NULL;
}

static int run(const struct process *process, const char *const words[RESOLVER_WORDS], const char *real_path, bool asks)
{
	struct resolver_command command = resolver_command(process, words, real_path);
	command.asks = asks;
	int refused = refuse_unusable(&command, real_path);
	if (refused)
		return refused;
	return exit_status_of(&command, resolver_process_run(&command));
}

// Beside a symbolic link there may lie a fingerprint too.
static const char *other_path_of(const struct program *program)
{
	return text_equal(program->found, program->real_path) || !text_is_utf8(program->found) ? NULL : program->found;
}

static int resolver_run(const struct process *process, const struct program *program, const char *mode,
		 const char *strategy)
{
	const char *found = other_path_of(program);
	const char *const words[RESOLVER_WORDS] = {"resolve",
						   "--from-launcher",
						   mode,
						   strategy ? "--strategy" : NULL,
						   strategy,
						   found ? "--found" : NULL,
						   found,
						   capabilities_of(program->real_path)};
	return run(process, words, program->real_path, false);
}

int resolver_choose(const struct process *process, const char *real_path)
{
	const char *const words[RESOLVER_WORDS] = {"choose", "--from-launcher", capabilities_of(real_path)};
	return run(process, words, real_path, true);
}

// process.cwd() throws in a directory that is gone.
static void leave_lost_directory(void)
{
	char *path = memory_take(PATH_SIZE);
	if (!path || kernel_getcwd(path, PATH_SIZE) < 0)
		kernel_chdir("/");
}

int resolver_explain(const struct process *process, const char *real_path)
{
	const char *const words[RESOLVER_WORDS] = {"explain"};
	struct resolver_command command = resolver_command(process, words, real_path);
	int refused = refuse_unusable(&command, real_path);
	if (refused)
		return refused;
	leave_lost_directory();
	return cannot_start(&command, kernel_execve(command.execute, command.argv, command.envp));
}

static struct made_plan make_once(const struct process *process, struct program *program, const char *mode,
				  const char *strategy)
{
	struct made_plan made = {.status = resolver_run(process, program, mode, strategy)};
	if (made.status == 0)
		made.error = program_identify_again(program);
	if (made.status == 0 && made.error == 0)
		made.plan = plan_find(process, program);
	return made;
}

struct made_plan plan_make(const struct process *process, struct program *program, const char *mode,
			   const char *strategy)
{
	if (program_is_nameless(program))
		return (struct made_plan){.status = refuse_nameless(program)};
	struct made_plan made = make_once(process, program, mode, strategy);
	if (made.plan.records || made.status != 0 || made.error != 0)
		return made;
	message_debug(process, "the new plan does not hold, so it is made once more", made.plan.why_not);
	return make_once(process, program, process_is_called_by_binfmt(process) ? mode : NULL, NULL);
}
