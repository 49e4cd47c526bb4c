// A program that cannot be started → what is wrong with it, and the exit status.
#include "launch.h"

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

const char *remedy_of_limit(long error)
{
	switch (error < 0 ? -error : error) {
	case EAGAIN:
		return "raise the limit: ulimit -S -u hard, or pids.max of its cgroup";
	case EMFILE:
		return "raise the limit: ulimit -S -n hard";
	default:
		return NULL;
	}
}

void within_limits(struct failure *failure, long error)
{
	const char *remedy = remedy_of_limit(error);
	if (!remedy)
		return;
	failure->remedy = remedy;
	failure->remedy_detail = NULL;
}

int refuse_program(const char *name, const struct program *program, long error)
{
	struct failure failure = program->found ? unfound_at_path(program, error) : unfound_in_path(error);
	failure.about = *name ? name : "''";
	within_limits(&failure, error);
	return message_failure(error == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, &failure);
}

int refuse_left_shim(const char *name)
{
	return message_failure(EXIT_NOT_FOUND, &(struct failure){.about = name,
								 .cause = "the program of this shim is gone",
								 .remedy = "put it back, or see: nix-foreign shim list"});
}

int refuse_nameless(const struct program *program)
{
	if (text_after(program->real_path, "/memfd:"))
		return message_failure(EXIT_CANNOT_RUN,
				       &(struct failure){.about = program->real_path,
							 .cause = "it is only in memory (memfd), and plans are for files",
							 .remedy = "write it to a file, and start that"});
	return message_failure(EXIT_CANNOT_RUN,
			       &(struct failure){.about = program->real_path,
						 .cause = "its file was removed or replaced while it was being started",
						 .remedy = "start it again by its path; keep the file until it runs"});
}

int refuse_32_bit(const struct program *program)
{
	return message_failure(EXIT_CANNOT_RUN,
			       &(struct failure){.about = program->real_path,
						 .cause = "it is a 32-bit program, and this kernel runs none",
						 .remedy = "start Linux with ia32_emulation=1, or it with qemu-i386"});
}

int refuse_odd_interpreter(const struct program *program)
{
	return message_failure(
		EXIT_CANNOT_RUN,
		&(struct failure){.about = program->real_path,
				  .cause = "its program interpreter (loader) is not named by an absolute path",
				  .remedy = "give it the usual one: patchelf --set-interpreter LOADER ",
				  .remedy_detail = program->real_path});
}

// The caller's ids differ, and it is not this file that makes them so.
static bool caller_has_two_users(const struct process *process)
{
	enum { SETS_IDS = 06000 };
	struct kernel_stat status;
	bool differ = process->uid != process->euid || process->gid != process->egid;
	return differ && kernel_stat_path("/proc/self/exe", &status, 0) == 0 && !(status.st_mode & SETS_IDS);
}

int refuse_foreign_rights(const struct process *process, int status, struct failure *failure)
{
	failure->cause = "started with the rights of another user or group";
	if (caller_has_two_users(process))
		failure->remedy = "whoever starts it has two users or groups, the real and the effective one: make both the same";
	return message_failure(status, failure);
}

int refuse_invalid_plan(int status, const struct program *program, const struct plan *plan)
{
	return message_failure(status, &(struct failure){.about = program->real_path,
							 .cause = "resolved, but its plan cannot be used: ",
							 .detail = plan->why_not,
							 .remedy = "nix-foreign doctor checks the directories"});
}

int refuse_within_resolver(const struct program *program)
{
	return message_failure(EXIT_NOT_FOUND,
			       &(struct failure){.about = program->real_path,
						 .cause = "the resolver needs it, and it has no plan",
						 .remedy = "give nix-foreign a Node and a Nix that need no loader of ours"});
}

enum { SCRIPT_LINE_SIZE = 256 }; // the kernel looks at so many bytes (BINPRM_BUF_SIZE)

// The first line of a script, taken apart as fs/binfmt_script.c does.
struct script_line {
	bool is_script; // false as well for a file that cannot be read
	bool ends_interpreter_in_cr;
	char interpreter[SCRIPT_LINE_SIZE];
	char argument[SCRIPT_LINE_SIZE]; // empty without one
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static const char *skip_blanks(const char *from)
{
	while (is_blank(*from))
		from++;
	return from;
}

// Up to a blank or the line's end.
static size_t word_length(const char *from)
{
	size_t length = 0;
	while (from[length] && from[length] != '\n' && !is_blank(from[length]))
		length++;
	return length;
}

// All up to the line's end, without the blanks there, is one argument.
static size_t argument_length(const char *from)
{
	size_t length = 0;
	while (from[length] && from[length] != '\n')
		length++;
	while (length > 0 && is_blank(from[length - 1]))
		length--;
	return length;
}

static void copy(char *into, const char *from, size_t length)
{
	struct text text = text_in(into, SCRIPT_LINE_SIZE);
	text_add_bytes(&text, from, length);
}

static struct script_line script_line_read(const char *path)
{
	struct script_line line = {.is_script = false};
	char head[SCRIPT_LINE_SIZE];
	long fd = kernel_open(AT_CWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return line;
	long size = kernel_read((int)fd, head, sizeof head - 1);
	kernel_close((int)fd);
	if (size < 3 || head[0] != '#' || head[1] != '!')
		return line;
	head[size] = '\0';
	const char *from = skip_blanks(head + 2);
	size_t length = word_length(from);
	line.is_script = true;
	line.ends_interpreter_in_cr = length > 0 && from[length - 1] == '\r';
	copy(line.interpreter, from, length);
	from = skip_blanks(from + length);
	copy(line.argument, from, argument_length(from));
	return line;
}

static bool is_there(const char *path)
{
	struct kernel_stat status;
	return kernel_stat_path(path, &status, 0) == 0;
}

static struct failure interpreter_is_foreign(const struct script_line *line, const char *script)
{
	// A quoted byte can be four.
	enum { CAUSE_SIZE = SCRIPT_LINE_SIZE + 100, REMEDY_SIZE = 100 + 4 * (2 * SCRIPT_LINE_SIZE + PATH_SIZE) };
	char *cause = memory_take(CAUSE_SIZE), *remedy = memory_take(REMEDY_SIZE);
	if (!cause || !remedy)
		return (struct failure){.cause = "its #! line names a program for another Linux"};
	struct text text = text_in(cause, CAUSE_SIZE);
	text_add(&text, line->interpreter);
	text_add(&text, script_line_read(line->interpreter).is_script ? ", which is a script without its interpreter itself"
								     : ", which is a program for another Linux itself");
	text = text_in(remedy, REMEDY_SIZE);
	text_add(&text, "start it with: nix-run-foreign ");
	text_add_shell_word(&text, line->interpreter);
	if (line->argument[0]) {
		text_add(&text, " ");
		text_add_shell_word(&text, line->argument);
	}
	text_add(&text, " ");
	text_add_shell_word(&text, script);
	return (struct failure){.cause = "its #! line names ", .detail = cause, .remedy = remedy};
}

// The file that is missing is one that the first bytes of the program name, or one that its interpreter needs.
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
	failure.remedy_detail = text_base_name(line->interpreter);
	return failure;
}
