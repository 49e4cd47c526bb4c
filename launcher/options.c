// The command line of the launcher → an action and the program it is for. Nothing after PROGRAM is read.
#include "launch.h"

static const char help[] =
	"Usage: nix-run-foreign [OPTION] [--] PROGRAM [ARG...]\n"
	"\n"
	"Starts PROGRAM, built for another Linux, with libraries from /nix/store.\n"
	"The first start finds and pins them; every later one costs about an exec.\n"
	"\n"
	"  --choose   choose libraries by hand on the terminal, then start it\n"
	"  --explain  say which libraries PROGRAM gets and why, instead of starting it\n"
	"  --rehash   check that PROGRAM's content is what was resolved, then start it\n"
	"  --refresh  resolve again, then start it\n"
	"  --strategy NAME  by loader, view, namespace ... from now on; or auto\n"
	"  --argv0 NAME     what PROGRAM is told as its own name\n"
	"  --help     show this help; so does -h\n"
	"  --version  show the version\n"
	"\n"
	"Options end at PROGRAM or at --; all arguments of PROGRAM are its own.\n"
	"Exit status: that of PROGRAM; 127 if it is not found, 126 if it is found but\n"
	"cannot be started, 125 if nix-run-foreign itself fails.\n"
	"Environment:\n"
	"  NIX_RUN_FOREIGN_RESOLVER  the nix-foreign to use, an absolute path\n"
	"  NIX_RUN_FOREIGN_DEBUG=1   say why a stored plan was not used\n"
	"  NIX_LD=<this file>        under nix-ld: programs then need no prefix\n"
	"See also: nix-foreign --help, man nix-run-foreign\n";

// In the table, since a pointer would be a relocation in every start. What tries relocations wants pointers.
#ifndef OPTION_NAME
#define OPTION_NAME(name) char name[12]
#endif

static const struct {
	OPTION_NAME(name);
	enum action action;
} options[] = {
	{"--choose", ACTION_CHOOSE},
	{"--explain", ACTION_EXPLAIN},
	{"--rehash", ACTION_REHASH},
	{"--refresh", ACTION_REFRESH},
};

static enum action action_of(const char *option)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (text_equal(option, options[i].name))
			return options[i].action;
	return ACTION_EXIT;
}

static struct command_line end_with(int status)
{
	return (struct command_line){.action = ACTION_EXIT, .status = status};
}

static const char *hint = "see nix-run-foreign --help";

static struct command_line refuse(const char *about, const char *cause)
{
	return end_with(message_failure(EXIT_TOOL_FAILED,
					&(struct failure){.about = about, .cause = cause, .remedy = hint}));
}

// What nix-foreign asks before it plans a start in a namespace. Not for people, so not in the help.
static struct command_line try_namespace(const struct process *process, const char *interpreter_path)
{
	long failed = interpreter_path ? namespace_enter(process, interpreter_path).error : -ENOENT;
	if (failed == 0)
		return end_with(0);
	return end_with(message_failure(EXIT_CANNOT_RUN, &(struct failure){.about = interpreter_path,
									   .cause = "it cannot be covered in a namespace: ",
									   .detail = message_of_error(failed)}));
}

// What nix-foreign asks before it plans a start in a view.
static struct command_line try_view(const struct process *process)
{
	long failed = view_enter(process, ".").error;
	if (failed == 0)
		return end_with(0);
	return end_with(message_failure(EXIT_CANNOT_RUN, &(struct failure){.cause = "no view can be made: ",
									   .detail = message_of_error(failed)}));
}

// A shim is a script whose #! line names us; the kernel puts the shim's own path after that line's argument.
static struct command_line command_of_shim(struct command_line command, char *program, char **shim)
{
	if (!*shim || !*program)
		return refuse(NULL, "no program is named");
	*shim = program;
	command.name = program;
	command.argv = shim;
	command.by_shim = true;
	return command;
}

struct command_line command_line_read(const struct process *process)
{
	if (process_is_called_by_binfmt(process))
		return (struct command_line){.action = ACTION_RUN, .name = process->argv[1], .argv = process->argv + 2};
	struct command_line command = {.action = ACTION_RUN};
	char *argv0 = NULL;
	char **next = process->argc > 0 ? process->argv + 1 : process->argv;
	for (; *next && (*next)[0] == '-' && (*next)[1]; next++) {
		if (text_equal(*next, "--")) {
			next++;
			break;
		}
		if (text_equal(*next, "--help") || text_equal(*next, "-h"))
			return end_with(message_output(help));
		if (text_equal(*next, "--version"))
			return end_with(message_output("nix-run-foreign " LAUNCHER_VERSION "\n"));
		if (text_equal(*next, "--try-namespace"))
			return try_namespace(process, next[1]);
		if (text_equal(*next, "--try-view"))
			return try_view(process);
		if (text_equal(*next, "--strategy")) {
			if (!next[1])
				return refuse(*next, "it wants a name");
			command.strategy = *++next;
			if (command.action < ACTION_REHASH)
				command.action = ACTION_REHASH;
			continue;
		}
		if (text_equal(*next, "--argv0")) {
			if (!next[1])
				return refuse(*next, "it wants a name");
			argv0 = *++next;
			continue;
		}
		const char *program = text_after(*next, "--shim=");
		if (program)
			return command_of_shim(command, (char *)program, next + 1);
		enum action action = action_of(*next);
		if (action == ACTION_EXIT)
			return refuse(*next, "unknown option");
		if (action > command.action)
			command.action = action;
	}
	if (!*next)
		return refuse(NULL, "no program is named");
	command.name = *next;
	if (argv0)
		*next = argv0;
	command.argv = next;
	return command;
}
