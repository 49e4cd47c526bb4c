// The caller's arguments to those that a plan wants: its elements, then the caller's after argv[0].
#include "edit-arguments.h"
#include "memory.h"
#include "text.h"

// The user's own library path goes first, as it would have without us.
static char *library_path(const struct process *process, const char *list)
{
	const char *users = process_variable(process, "LD_LIBRARY_PATH");
	if (!users || !*users)
		return (char *)list;
	size_t length = text_length(users);
	size_t size = length + 1 + text_length(list) + 1;
	char *bytes = memory_take(size);
	if (!bytes)
		return NULL;
	struct text joined = text_in(bytes, size);
	text_add(&joined, users);
	text_add(&joined, users[length - 1] == ':' ? "" : ":");
	text_add(&joined, list);
	return bytes;
}

static char *argument_of(const char *record, const struct process *process, const struct program *program,
			 char *argv0)
{
	switch (*record) {
	case 'A':
		return (char *)record + 1;
	case '0':
		return argv0;
	case 'F':
		return (char *)program->found;
	case 'L':
		return library_path(process, record + 1);
	default:
		return (char *)program->real_path;
	}
}

static bool is_argument(const char *record)
{
	return *record == 'A' || *record == '0' || *record == 'L' || *record == 'P' || *record == 'F';
}

char **arguments_of_plan(const struct process *process, const struct plan *plan, const struct program *program,
			 char **argv)
{
	if (plan->argument_count == 0)
		return argv;
	size_t count = 0;
	while (argv[count])
		count++;
	char **edited = memory_take((plan->argument_count + count) * sizeof *edited);
	char **next = edited;
	if (!edited)
		return NULL;
	for (const char *record = plan->records; *record != '.'; record = plan_next(record)) {
		if (!is_argument(record))
			continue;
		*next = argument_of(record, process, program, argv[0]);
		if (!*next++)
			return NULL;
	}
	for (char **argument = argv + 1; *argument; argument++)
		*next++ = *argument;
	*next = NULL;
	return edited;
}
