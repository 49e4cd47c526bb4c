// A plan that is followed to a trace of that in the times of its file and of its root, once a day.
#include "trace-of-use.h"
#include "kernel.h"
#include "plan.h"

enum { DAY = 24 * 60 * 60 };

void leave_trace_of_use(const struct plan_file *file, const char *records)
{
	struct kernel_time now;
	if (kernel_clock(&now) < 0 || now.seconds - file->last_use < DAY)
		return;
	kernel_touch(file->path);
	for (const char *record = records; *record != '.'; record = plan_next(record))
		if (*record == 'r' && record[1] == '/')
			kernel_touch(record + 1);
}
