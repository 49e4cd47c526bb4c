// The launcher's own arguments to what is wanted. Nothing from PROGRAM on is looked at.
#include "command-line.h"
#include "launcher.h"
#include "messages.h"
#include "text.h"

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
	"  --help     show this help\n"
	"  --version  show the version\n"
	"\n"
	"Options end at PROGRAM or at --; all arguments of PROGRAM are its own.\n"
	"\n"
	"Exit status: that of PROGRAM; 127 if it is not found, 126 if it is found but\n"
	"cannot be started, 125 if nix-run-foreign itself fails.\n"
	"\n"
	"Environment:\n"
	"  NIX_RUN_FOREIGN_RESOLVER  the nix-foreign to use, an absolute path\n"
	"  NIX_RUN_FOREIGN_DEBUG=1   say why a stored plan was not used\n"
	"  NIX_LD=<this file>        under nix-ld: programs then need no prefix\n"
	"\n"
	"See also: nix-foreign --help\n";

static const struct {
	const char *name;
	enum wish wish;
} options[] = {
	{"--choose", WISH_CHOOSE},
	{"--explain", WISH_EXPLAIN},
	{"--rehash", WISH_REHASH},
	{"--refresh", WISH_REFRESH},
};

static enum wish wish_of(const char *option)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (text_equal(option, options[i].name))
			return options[i].wish;
	return WISH_NOTHING_MORE;
}

static struct command_line end_with(int status)
{
	return (struct command_line){.wish = WISH_NOTHING_MORE, .status = status};
}

static const char *hint = "see nix-run-foreign --help";

struct command_line command_line_read(const struct process *process)
{
	struct command_line command = {.wish = WISH_RUN};
	char **next = process->argc > 0 ? process->argv + 1 : process->argv;
	for (; *next && (*next)[0] == '-' && (*next)[1]; next++) {
		if (text_equal(*next, "--")) {
			next++;
			break;
		}
		if (text_equal(*next, "--help"))
			return end_with(message_output(help));
		if (text_equal(*next, "--version"))
			return end_with(message_output("nix-run-foreign " LAUNCHER_VERSION "\n"));
		enum wish wish = wish_of(*next);
		if (wish == WISH_NOTHING_MORE)
			return end_with(message_failure(
				EXIT_TOOL_FAILED,
				(struct failure){.subject = *next, .cause = "unknown option", .remedy = hint}));
		if (wish > command.wish)
			command.wish = wish;
	}
	if (!*next)
		return end_with(message_failure(EXIT_TOOL_FAILED,
						(struct failure){.cause = "no program is named", .remedy = hint}));
	command.argv = next;
	return command;
}
