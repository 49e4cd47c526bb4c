// A program without a plan to the plan that the resolver makes for it.
#pragma once

#include "plan.h"

struct made_plan {
	struct plan plan; // not believed: carries the reason
	int status;       // not 0: there is no plan, and it has been said why
	long error;       // not 0: the program cannot be identified any more
};

/// Runs the resolver in a MODE of resolver_run, and for a STRATEGY or NULL, and finds its plan. A plan that went out of date before it was found (a
/// collector at work) is made once more. `program` is identified anew each time.
struct made_plan plan_make(const struct process *process, struct program *program, const char *mode,
			   const char *strategy);
