// A look-up's error to what is wrong with the file, in the same words as src/program/inspect-program.ts.
#include "refuse-program.h"
#include "launcher.h"
#include "messages.h"

enum { MODE_EXECUTABLE_BY_SOMEBODY = 0111 };

// EACCES is what execve(2) answers for whatever is no executable regular file.
static struct failure denied(const struct program *program)
{
	struct kernel_stat status;
	if (kernel_stat_path(program->found, &status, 0) < 0)
		return (struct failure){.cause = "permission denied",
					.remedy = "check the permissions of the directories above it"};
	if ((status.st_mode & S_IFMT) == S_IFDIR)
		return (struct failure){.cause = "it is a directory", .remedy = "name the program inside it"};
	if ((status.st_mode & S_IFMT) != S_IFREG)
		return (struct failure){.cause = "it is not a regular file", .remedy = "name a program"};
	if (status.st_mode & MODE_EXECUTABLE_BY_SOMEBODY)
		return (struct failure){.cause = "you may not execute it",
					.remedy = "check its owner and modes, and whether its file system is mounted noexec"};
	return (struct failure){.cause = "it is not executable",
				.remedy = "make it so: chmod +x ",
				.remedy_detail = program->real_path};
}

static struct failure unfound_in_path(long error)
{
	if (error == -EACCES)
		return (struct failure){.cause = "permission denied",
					.remedy = "make the file of that name in PATH executable, or name it by its path"};
	return (struct failure){.cause = message_of_error(error),
				.remedy = "check its name; a name without a slash is looked up in PATH"};
}

static struct failure unfound_at_path(const struct program *program, long error)
{
	switch (-error) {
	case EACCES:
		return denied(program);
	case ENOENT:
	case ENOTDIR:
		return (struct failure){.cause = message_of_error(error), .remedy = "check the spelling of the path"};
	case ELOOP:
		return (struct failure){.cause = message_of_error(error),
					.remedy = "correct the symbolic links on its path, which lead to one another"};
	case ENAMETOOLONG:
		return (struct failure){.cause = message_of_error(error), .remedy = "name it by a shorter path"};
	default:
		return (struct failure){.cause = message_of_error(error),
					.remedy = "check the file system that it is on: ls -lL says more"};
	}
}

int refuse_program(const char *name, const struct program *program, long error)
{
	struct failure failure = program->found ? unfound_at_path(program, error) : unfound_in_path(error);
	failure.subject = *name ? name : "''";
	return message_failure(error == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, failure);
}
