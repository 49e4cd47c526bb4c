// A program that was entered with this file as its loader, to that program with its plan's loader and libraries.
#include "interpreter.h"
#include "edit-environment.h"
#include "enter-loader.h"
#include "launcher.h"
#include "messages.h"
#include "plan-find.h"
#include "plan-make.h"

static int refuse(const char *subject, const char *cause, const char *detail, const char *remedy)
{
	return message_failure(EXIT_NOT_FOUND, (struct failure){.subject = subject,
								.cause = cause,
								.detail = detail,
								.remedy = remedy});
}

// By its name where there is no /proc.
static long identify(const struct process *process, struct program *program)
{
	long failed = program_identify_running(program);
	const uintptr_t *name = auxiliary_value(&process->auxiliary, AT_EXECFN);
	if (failed == 0 || !name)
		return failed;
	program->found = (const char *)*name;
	return program_identify(program);
}

// Returns when there is no way by this plan: a negative errno, or 0 when it was not believed.
static long enter_by_plan(struct process *process, const struct plan *plan, struct users_entry users)
{
	const uintptr_t *page_size = auxiliary_value(&process->auxiliary, AT_PAGESZ);
	if (!plan->records)
		return 0;
	if (!plan->loader || !plan->library_path)
		return -ENOEXEC;
	struct mapped_loader loader = map_loader(plan->loader, page_size ? *page_size : 4096);
	return loader.error ? loader.error : enter_loader(process, plan, &loader, users);
}

static int cannot_enter(const struct program *program, const struct plan *plan, long error)
{
	if (!plan->records)
		return refuse(program->real_path, "resolved, but its plan cannot be used: ", plan->why_not,
			      "nix-foreign doctor checks the directories");
	if (error == -ENOEXEC)
		return message_failure(EXIT_NOT_FOUND,
				       (struct failure){.subject = program->real_path,
							.cause = "it needs no loader of ours, and yet names this one",
							.remedy = "see what it is with: nix-foreign explain ",
							.remedy_detail = program->real_path});
	return message_failure(EXIT_NOT_FOUND, (struct failure){.subject = plan->loader,
								.cause = "the loader of its plan cannot be mapped: ",
								.detail = message_of_error(error),
								.remedy = "resolve it again: nix-run-foreign --refresh ",
								.remedy_detail = program->real_path});
}

// The resolver and all that it starts carry this, so that a program they need and that comes here is no endless chain.
static bool is_within_resolver(const struct process *process)
{
	return process_variable(process, RESOLVER_MARK) != NULL;
}

int interpreter_main(struct process *process)
{
	struct program program;
	long failed = identify(process, &program);
	if (process->secure || process->uid != process->euid || process->gid != process->egid)
		return refuse(failed ? NULL : program.real_path, "started with the rights of another user or group", NULL,
			      "foreign programs cannot be setuid, setgid or have capabilities");
	if (failed < 0)
		return refuse(NULL, "the program that is starting cannot be found: ", message_of_error(failed),
			      "mount /proc, or start it by an absolute path");

	struct users_entry users = users_entry_find(process);
	struct plan plan = plan_find(process, &program);
	failed = enter_by_plan(process, &plan, users);
	if (is_within_resolver(process))
		return refuse(program.real_path, "the resolver needs it, and it has no plan", NULL,
			      "give nix-foreign a Node and a Nix that need no loader of ours");
	if (plan.records)
		message_debug(process, "the program could not be entered by its plan", message_of_error(failed));
	program.found = program.real_path; // nobody named it to us
	struct made_plan made = plan_make(process, &program, plan.records ? "--refresh" : NULL, NULL);
	if (made.status != 0)
		return EXIT_NOT_FOUND;
	failed = made.error < 0 ? made.error : enter_by_plan(process, &made.plan, users);
	return cannot_enter(&program, &made.plan, failed);
}
