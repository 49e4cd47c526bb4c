// The bytes of a plan → a valid plan, or the reason why it is not. The format is in PLAN.md.
#include "plan.h"

// The directory of the last `d` record, open, so that the files in it are looked up from there: most files of a plan
// are links in its farm.
struct open_directory {
	const char *path;
	long fd;
};
#define NO_OPEN_DIRECTORY ((struct open_directory){0, -1})

static const char *relative = "a path in the plan is not absolute";

static const char *exists(const char *path, const struct open_directory *directory)
{
	if (path[0] != '/')
		return relative;
	const char *inside = directory->path ? text_after(path, directory->path) : NULL;
	bool found = inside && inside[0] == '/' && inside[1] != '/' && inside[1] != '\0'
			     ? kernel_access_at((int)directory->fd, inside + 1, ACCESS_EXISTS) == 0
			     : kernel_access(path, ACCESS_EXISTS) == 0;
	return found ? NULL : "a file of the plan is gone";
}

static const char *is_unchanged(const char *value)
{
	char identity[IDENTITY_SIZE];
	struct kernel_stat status;
	const char *path = value;
	while (*path && *path != ' ')
		path++;
	if (*path != ' ' || path[1] != '/')
		return relative;
	if (kernel_stat_path(path + 1, &status, 0) < 0)
		return "a file of the plan is gone";
	identity_text(&status, identity);
	const char *after = text_after(value, identity);
	return after == path ? NULL : "a file of the plan has changed";
}

static const char *is_absent(const char *path)
{
	struct kernel_stat status;
	if (path[0] != '/')
		return relative;
	long found = kernel_stat_path(path, &status, 0);
	return found == -ENOENT || found == -ENOTDIR ? NULL : "a file that the plan wants absent may be there";
}

static void condition_end(struct open_directory *directory)
{
	if (directory->fd >= 0)
		kernel_close((int)directory->fd);
	*directory = NO_OPEN_DIRECTORY;
}

static const char *is_trusted_directory(const struct process *process, const char *path,
				       struct open_directory *directory)
{
	if (path[0] != '/')
		return relative;
	condition_end(directory);
	long failed = why_not_trusted_directory(process, path);
	if (failed == -EACCES)
		return "a directory of the plan is not only ours to write";
	if (failed == -ENOTDIR)
		return "a directory of the plan is none";
	long fd = failed < 0 ? failed : kernel_open(AT_CWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return "a directory of the plan is gone";
	*directory = (struct open_directory){.path = path, .fd = fd};
	return NULL;
}

// What is not met of the condition, or NULL; NULL too for a record that is no condition.
static const char *condition_unmet(const struct process *process, const char *record, struct open_directory *directory)
{
	switch (record[0]) {
	case 'f':
		return exists(record + 1, directory);
	case 'w':
		return is_unchanged(record + 1);
	case 'k':
		// A launcher that was entered as the interpreter of the program knows what lies at that path.
		return process->role == ROLE_INTERPRETER ? NULL : is_unchanged(record + 1);
	case 'u':
		return process->role == ROLE_INTERPRETER ? NULL : is_unchanged(record + 1);
	case 't':
		// A launcher that was called by the rule knows of it, though it may not see it.
		return process->role == ROLE_INTERPRETER || process_is_called_by_binfmt(process)
			       ? NULL
			       : exists(record + 1, directory);
	case 'e':
		// A program in a view finds what is put there.
		return process->role == ROLE_INTERPRETER ? NULL : is_absent(record + 1);
	case 'a':
		return is_absent(record + 1);
	case 'd':
		return is_trusted_directory(process, record + 1, directory);
	default:
		return NULL;
	}
}

const char *plan_next(const char *record)
{
	return record + text_length(record) + 1;
}

static struct plan invalid(const char *why_not, const char *about)
{
	return (struct plan){.why_not = why_not, .about = about};
}

static const char *take_once(const char **slot, const char *value)
{
	if (*slot)
		return "a record that may be there once is there twice";
	*slot = value;
	return NULL;
}

struct seen {
	const char *path, *identity, *execute, *interpreter_path, *loader, *library_path, *audit_module;
};

static bool is_entry_of_view(const char *value)
{
	size_t target = 0;
	while (value[target] && value[target] != ' ')
		target++;
	const char *source = value + target + 1;
	return value[0] == '/' && value[target] == ' ' && (!*source || *source == '/');
}

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
		return value[0] == '/' ? take_once(&seen->interpreter_path, value) : "n is not an absolute path";
	case 'l':
		return value[0] == '/' ? take_once(&seen->loader, value) : "l is not an absolute path";
	case 'b':
		return value[0] == '/' ? take_once(&seen->library_path, value) : "b is not a list of absolute paths";
	case 'm':
		return value[0] == '/' ? take_once(&seen->audit_module, value) : "m is not an absolute path";
	case 'V':
		plan->has_view = true;
		return is_entry_of_view(value) ? NULL : "V is not a path, a blank and another one";
	case '+':
	case 'j':
		plan->set_count++;
		return entry_name_length(value) > 0 && value[entry_name_length(value)] == '=' ? NULL : "+ or j is not NAME=VALUE";
	case 'N':
	case 'c':
	case 'v':
		plan->set_count++;
		return entry_name_length(value) > 0 && value[entry_name_length(value)] == '\0' ? NULL : "N, c or v is not a NAME";
	case '0':
	case 'P':
	case 'F':
		plan->has_program_argument |= record[0] == 'P';
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
	case 't':
	case 'u':
	case 'e':
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

static struct plan check_conditions(const struct process *process, const char *records)
{
	struct open_directory directory = NO_OPEN_DIRECTORY;
	const char *unmet = NULL, *about = NULL;
	for (const char *record = records; *record != '.' && !unmet; record = plan_next(record)) {
		unmet = condition_unmet(process, record, &directory);
		about = record + 1;
	}
	condition_end(&directory);
	return invalid(unmet, about);
}

struct plan plan_read(const struct process *process, const struct program *program, const char *bytes,
			 size_t size)
{
	// The last two bytes are the end record, so no walk over records can leave the buffer.
	if (size < 3 || bytes[size - 1] != '\0' || bytes[size - 2] != '.' || bytes[size - 3] != '\0')
		return invalid("the plan has no end", NULL);
	if (!text_equal(bytes, "nix-run-foreign plan 2"))
		return invalid("the plan has another format", NULL);

	struct plan plan = {.records = plan_next(bytes)};
	struct seen seen = {NULL, NULL, NULL, NULL, NULL, NULL, NULL};
	const char *record = plan.records;
	for (; !text_equal(record, "."); record = plan_next(record)) {
		const char *wrong = take_record(record, &seen, &plan);
		if (wrong)
			return invalid(wrong, record);
	}
	if (plan_next(record) != bytes + size)
		return invalid("something follows the plan's end", NULL);
	const char *wrong = wrong_program(&seen, program);
	if (wrong)
		return invalid(wrong, seen.path);
	struct plan unmet = check_conditions(process, plan.records);
	if (unmet.why_not)
		return unmet;
	plan.execute = seen.execute;
	plan.interpreter_path = seen.interpreter_path;
	plan.loader = seen.loader;
	plan.library_path = seen.library_path;
	plan.audit_module = seen.audit_module;
	return plan;
}
