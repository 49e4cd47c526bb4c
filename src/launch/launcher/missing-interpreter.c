// A program that is there, and yet ENOENT to start, to which file is missing: one that its first bytes name,
// or one that those of its interpreter name.
#include "missing-interpreter.h"
#include "kernel.h"
#include "memory.h"
#include "script-line.h"
#include "text.h"

static bool is_there(const char *path)
{
	struct kernel_stat status;
	return kernel_stat_path(path, &status, 0) == 0;
}

static struct failure interpreter_is_foreign(const struct script_line *line, const char *script)
{
	enum { CAUSE_SIZE = SCRIPT_LINE_SIZE + 100, COMMAND_SIZE = 2 * SCRIPT_LINE_SIZE + PATH_SIZE };
	char *cause = memory_take(CAUSE_SIZE), *command = memory_take(COMMAND_SIZE);
	if (!cause || !command)
		return (struct failure){.cause = "its #! line names a program for another Linux"};
	struct text text = text_in(cause, CAUSE_SIZE);
	text_add(&text, line->interpreter);
	text_add(&text, script_line_read(line->interpreter).is_script ? ", which is a script without its interpreter itself"
								     : ", which is a program for another Linux itself");
	text = text_in(command, COMMAND_SIZE);
	text_add(&text, line->interpreter);
	text_add(&text, line->argument[0] ? " " : "");
	text_add(&text, line->argument);
	text_add(&text, " ");
	text_add(&text, script);
	return (struct failure){.cause = "its #! line names ",
				.detail = cause,
				.remedy = "start it with: nix-run-foreign ",
				.remedy_detail = command};
}

static const char *last_name(const char *path)
{
	const char *name = path;
	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

struct failure missing_interpreter(const char *path)
{
	struct script_line *line = memory_take(sizeof *line); // what is said points into it
	if (!line)
		return (struct failure){.cause = "out of memory"};
	*line = script_line_read(path);
	if (!line->is_script)
		return (struct failure){.cause = "the program interpreter (loader) that it names is not there",
					.remedy = "resolve it again: nix-run-foreign --refresh ",
					.remedy_detail = path};
	if (is_there(line->interpreter))
		return interpreter_is_foreign(line, path);
	struct failure failure = {.cause = "its #! line names an interpreter that is not there: ",
				  .detail = line->interpreter,
				  .remedy = "the line ends in a carriage return: give the file Unix line ends"};
	if (line->ends_interpreter_in_cr)
		return failure;
	failure.remedy = "put one of its name on PATH, or: nix-foreign shim add PROGRAM --as ";
	failure.remedy_detail = last_name(line->interpreter);
	return failure;
}
