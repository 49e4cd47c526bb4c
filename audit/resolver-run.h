// A name → a run of the resolver, which may leave an answer; the program must not notice that there was a child.
#pragma once

#include "run-time-settings.h"

struct question {
	const char *name;      // what is looked for
	const char *requester; // path of the object that needs it, "" for the program
};

/// Runs it and waits for its end, as long as the settings say. False when it was not started.
bool resolver_run(const struct run_time_settings *settings, const struct question *question);
