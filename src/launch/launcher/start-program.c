// A believed plan to the running program, or to the reason why the kernel refused it.
#include "start-program.h"
#include "edit-arguments.h"
#include "edit-environment.h"
#include "launcher.h"
#include "messages.h"
#include "script-interpreter.h"

long start_program(const struct process *process, const struct plan *plan, const struct program *program,
		   char **argv)
{
	char **arguments = arguments_of_plan(process, plan, program, argv);
	char **environment = environment_of_plan(process, plan);
	if (!arguments || !environment)
		return -ENOMEM;
	return kernel_execve(plan->execute ? plan->execute : program->found, arguments, environment);
}

// ENOENT for a file that is there is about the other file that its first bytes name.
static struct failure interpreter_missing(const struct program *program)
{
	static char interpreter[SCRIPT_INTERPRETER_SIZE];
	enum script_line line = script_interpreter_read(program->found, interpreter);
	if (line == SCRIPT_LINE_NONE)
		return (struct failure){.cause = "the program interpreter (loader) that it names is not there",
					.remedy = "nix-run-foreign --refresh resolves it again"};
	return (struct failure){.cause = "its #! line names an interpreter that is not there: ",
				.detail = interpreter,
				.remedy = line == SCRIPT_LINE_CARRIAGE_RETURN
						  ? "the line ends in a carriage return: give the file Unix line ends"
						  : "start it as an argument of the interpreter you have, or correct the line"};
}

static struct failure explain(const struct program *program, long error)
{
	switch (-error) {
	case ENOENT:
		return interpreter_missing(program);
	case ENOEXEC:
		return (struct failure){.cause = "the kernel does not know its format",
					.remedy = "if it is a script without a #! line, start it with its interpreter"};
	case EACCES:
		return (struct failure){.cause = "it may not be executed",
					.remedy = "check its modes, its #! line's interpreter and a noexec mount"};
	case E2BIG:
		return (struct failure){.cause = "its arguments and environment are longer than the kernel takes",
					.remedy = "shorten them, or raise the stack limit (ulimit -s)"};
	default:
		return (struct failure){.cause = "it cannot be started: ",
					.detail = message_of_error(error),
					.remedy = "nix-run-foreign --explain shows what is started and how"};
	}
}

int start_program_failed(const struct plan *plan, const struct program *program, long error)
{
	bool about_loader = plan->execute && error != -E2BIG;
	struct failure failure = explain(program, error);
	if (about_loader)
		failure = (struct failure){.cause = "the loader of its plan cannot be started: ",
					   .detail = message_of_error(error),
					   .remedy = "nix-run-foreign --refresh resolves it again"};
	failure.subject = about_loader ? plan->execute : program->found;
	return message_failure(EXIT_CANNOT_RUN, failure);
}
