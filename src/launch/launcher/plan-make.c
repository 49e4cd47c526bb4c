// A program without a plan to the plan that the resolver makes for it.
#include "plan-make.h"
#include "binfmt-call.h"
#include "messages.h"
#include "nameless.h"
#include "plan-find.h"
#include "resolver.h"

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
	if (is_nameless(program))
		return (struct made_plan){.status = refuse_nameless(program)};
	struct made_plan made = make_once(process, program, mode, strategy);
	if (made.plan.records || made.status != 0 || made.error != 0)
		return made;
	message_debug(process, "the new plan does not hold, so it is made once more", made.plan.why_not);
	return make_once(process, program, is_called_by_binfmt(process) ? mode : NULL, NULL);
}
