// A program to the first plan of it that is believed; every other one is named in the debug log.
#include "plan-find.h"
#include "messages.h"
#include "plan-file.h"
#include "trace-of-use.h"

struct plan plan_find(const struct process *process, const struct program *program)
{
	struct plan best = {.why_not = NULL};
	bool best_was_read = false;
	for (int place = PLACE_CACHE; place < PLACE_COUNT; place++) {
		// A plan of the user's own that does not hold may stand for choices that the system's knows nothing of.
		if (place == PLACE_SYSTEM && best_was_read)
			break;
		struct plan_file file = plan_file_read(process, (enum plan_place)place, program->real_path);
		if (!file.bytes && !file.why_not)
			continue;
		struct plan plan = {.why_not = file.why_not};
		if (file.bytes)
			plan = plan_believe(process, program, file.bytes, file.size);
		if (plan.records) {
			leave_trace_of_use(&file, plan.records);
			return plan;
		}
		message_debug(process, plan.why_not, plan.about ? plan.about : program->real_path);
		if (!best.why_not || (file.bytes && !best_was_read)) {
			best = plan;
			best_was_read = file.bytes != NULL;
		}
	}
	return best;
}
