// A program without a plan to the plan that the resolver makes for it.
#include "plan-make.h"
#include "binfmt-call.h"
#include "launcher.h"
#include "messages.h"
#include "plan-find.h"
#include "resolver.h"
#include "text.h"

// What the kernel adds to the path of a file without a name (proc(5), /proc/pid/exe; memfd_create(2)).
static bool is_without_name(const struct program *program)
{
	static const char ending[] = " (deleted)";
	size_t length = text_length(program->real_path);
	if (length < sizeof ending - 1 || !text_equal(program->real_path + length - (sizeof ending - 1), ending))
		return false;
	char identity[IDENTITY_SIZE];
	struct kernel_stat status;
	if (kernel_stat_path(program->real_path, &status, 0) < 0)
		return true;
	identity_text(&status, identity);
	return !text_equal(identity, program->identity); // a file can be called that
}

static int refuse_without_name(const struct program *program)
{
	if (text_after(program->real_path, "/memfd:"))
		return message_failure(EXIT_CANNOT_RUN,
				       (struct failure){.subject = program->real_path,
							.cause = "it is only in memory (memfd), and plans are for files",
							.remedy = "write it to a file, and start that"});
	return message_failure(EXIT_CANNOT_RUN,
			       (struct failure){.subject = program->real_path,
						.cause = "its file was removed or replaced while it was being started",
						.remedy = "start it again by its path; keep the file until it runs"});
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
	if (is_without_name(program))
		return (struct made_plan){.status = refuse_without_name(program)};
	struct made_plan made = make_once(process, program, mode, strategy);
	if (made.plan.records || made.status != 0 || made.error != 0)
		return made;
	message_debug(process, "the new plan does not hold, so it is made once more", made.plan.why_not);
	return make_once(process, program, is_called_by_binfmt(process) ? mode : NULL, NULL);
}
