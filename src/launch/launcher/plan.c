// The bytes of a plan to a plan that is believed, or the reason why it is not.
#include "plan.h"
#include "plan-conditions.h"
#include "text.h"

const char *plan_next(const char *record)
{
	return record + text_length(record) + 1;
}

static struct plan disbelieve(const char *why_not, const char *about)
{
	return (struct plan){.why_not = why_not, .about = about};
}

static size_t name_length(const char *entry)
{
	size_t length = 0;
	while (entry[length] && entry[length] != '=')
		length++;
	return length;
}

static const char *take_once(const char **slot, const char *value)
{
	if (*slot)
		return "a record that may be there once is there twice";
	*slot = value;
	return NULL;
}

struct seen {
	const char *path, *identity, *execute, *seat, *loader, *library_path;
};

// What is wrong with one record's form, or NULL; counts and keeps what is needed later.
static const char *take_record(const char *record, struct seen *seen, struct plan *plan)
{
	const char *value = record + 1;
	switch (record[0]) {
	case 'p':
		return take_once(&seen->path, value);
	case 'i':
		return take_once(&seen->identity, value);
	case 'x':
		return value[0] == '/' ? take_once(&seen->execute, value) : "x is not an absolute path";
	case 'n':
		return value[0] == '/' ? take_once(&seen->seat, value) : "n is not an absolute path";
	case 'l':
		return value[0] == '/' ? take_once(&seen->loader, value) : "l is not an absolute path";
	case 'b':
		return value[0] == '/' ? take_once(&seen->library_path, value) : "b is not a list of absolute paths";
	case '+':
		plan->set_count++;
		return name_length(value) > 0 && value[name_length(value)] == '=' ? NULL : "+ is not NAME=VALUE";
	case 'N':
	case 'c':
	case 'v':
		plan->set_count++;
		return name_length(value) > 0 && value[name_length(value)] == '\0' ? NULL : "N, c or v is not a NAME";
	case '-':
		plan->drop_count++;
		return name_length(value) > 0 && value[name_length(value)] == '\0' ? NULL : "- is not a NAME";
	case '0':
	case 'P':
	case 'F':
		plan->argument_count++;
		return value[0] == '\0' ? NULL : "a record that should be empty is not";
	case 'A':
	case 'L':
		plan->argument_count++;
		return NULL;
	case 's':
	case 'r':
	case 'h':
	case 'o':
	case 'f':
	case 'w':
	case 'k':
	case 'a':
	case 'd':
		return NULL;
	default:
		return "a record has an unknown tag";
	}
}

static const char *wrong_program(const struct seen *seen, const struct program *program)
{
	if (!seen->path || !seen->identity)
		return "a required record is missing";
	if (!text_equal(seen->path, program->real_path))
		return "the plan is for another path";
	if (!text_equal(seen->identity, program->identity))
		return "the program has changed since";
	return NULL;
}

struct plan plan_believe(const struct process *process, const struct program *program, const char *bytes,
			 size_t size)
{
	// The last two bytes are the end record, so no walk over records can leave the buffer.
	if (size < 3 || bytes[size - 1] != '\0' || bytes[size - 2] != '.' || bytes[size - 3] != '\0')
		return disbelieve("the plan has no end", NULL);
	if (!text_equal(bytes, "nix-run-foreign plan 2"))
		return disbelieve("the plan has another format", NULL);

	struct plan plan = {.records = plan_next(bytes)};
	const char *about = NULL;
	struct seen seen = {NULL, NULL, NULL, NULL, NULL, NULL};
	const char *record = plan.records;
	for (; !text_equal(record, "."); record = plan_next(record)) {
		const char *wrong = take_record(record, &seen, &plan);
		if (wrong)
			return disbelieve(wrong, record);
	}
	if (plan_next(record) != bytes + size)
		return disbelieve("something follows the plan's end", NULL);
	const char *wrong = wrong_program(&seen, program);
	if (wrong)
		return disbelieve(wrong, seen.path);
	struct open_directory directory = NO_OPEN_DIRECTORY;
	const char *unmet = NULL;
	for (record = plan.records; *record != '.' && !unmet; record = plan_next(record)) {
		unmet = condition_unmet(process, record, &directory);
		about = record + 1;
	}
	condition_end(&directory);
	if (unmet)
		return disbelieve(unmet, about);
	plan.execute = seen.execute;
	plan.seat = seen.seat;
	plan.loader = seen.loader;
	plan.library_path = seen.library_path;
	return plan;
}
