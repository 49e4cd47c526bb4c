// A believed plan to the running program, or to the reason why the kernel refused it.
#include "start-program.h"
#include "edit-arguments.h"
#include "edit-environment.h"
#include "launcher.h"
#include "messages.h"
#include "missing-interpreter.h"

struct namespace_entry start_program(const struct process *process, const struct plan *plan,
				     const struct program *program, char **argv)
{
	struct namespace_entry entry = {.error = -ENOMEM};
	char **arguments = arguments_of_plan(process, plan, program, argv);
	char **environment = environment_of_plan(process, plan, argv[0]);
	if (!arguments || !environment)
		return entry;
	entry.error = 0;
	if (plan->seat)
		entry = namespace_enter(process, plan->seat);
	if (entry.error == 0)
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
					.remedy = "shorten them, or raise the stack limit (ulimit -s)"};
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

int start_program_failed(const struct plan *plan, const struct program *program, struct namespace_entry failed)
{
	bool about_loader = plan->execute && failed.error != -E2BIG;
	struct failure failure = about_loader ? explain_loader(program, failed.error)
			       : failed.left && failed.error != -E2BIG ? explain_namespace(program, failed.error)
								      : explain(program, failed.error);
	failure.subject = about_loader ? plan->execute : program->found;
	return message_failure(EXIT_CANNOT_RUN, failure);
}
