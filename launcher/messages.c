// A cause and a remedy → lines on standard error, in one write, so that lines of several processes do not mix.
#include "base.h"

// A stack can be as small as 16 KiB, so a line is not built on it unless there is no other memory.
enum { LINE_SIZE = 16 * 1024, SHORT_LINE_SIZE = 512 };

static struct text begin_line(char *short_line)
{
	char *line = memory_take(LINE_SIZE);
	return line ? text_in(line, LINE_SIZE) : text_in(short_line, SHORT_LINE_SIZE);
}

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		long written = kernel_write(fd, bytes, size);
		if (written == -EINTR)
			continue;
		if (written < 0)
			return false;
		bytes += written;
		size -= (size_t)written;
	}
	return true;
}

int message_failure(int status, const struct failure *failure)
{
	char short_line[SHORT_LINE_SIZE];
	struct text text = begin_line(short_line);
	text_add(&text, "nix-run-foreign: ");
	if (failure->about) {
		text_add_printable(&text, failure->about);
		text_add(&text, ": ");
	}
	text_add_printable(&text, failure->cause);
	if (failure->detail)
		text_add_printable(&text, failure->detail);
	text_add(&text, "\n");
	if (failure->remedy) {
		text_add(&text, "  ");
		text_add_printable(&text, failure->remedy);
		if (failure->remedy_detail)
			text_add_shell_word(&text, failure->remedy_detail);
		text_add(&text, "\n");
	}
	write_all(2, text.bytes, text.used);
	return status;
}

void message_debug(const struct process *process, const char *what, const char *about)
{
	const char *wanted = process_variable(process, "NIX_RUN_FOREIGN_DEBUG");
	if (!wanted || !text_equal(wanted, "1"))
		return;
	char short_line[SHORT_LINE_SIZE];
	struct text text = begin_line(short_line);
	text_add(&text, "nix-run-foreign: debug: ");
	text_add(&text, what);
	if (about) {
		text_add(&text, ": ");
		text_add_printable(&text, about);
	}
	text_add(&text, "\n");
	write_all(2, text.bytes, text.used);
}

int message_output(const char *text)
{
	if (write_all(1, text, text_length(text)))
		return 0;
	return message_failure(EXIT_TOOL_FAILED, &(struct failure){.cause = "cannot write to standard output"});
}

const char *message_of_error(long error)
{
	switch (error < 0 ? -error : error) {
	case EPERM:
		return "operation not permitted";
	case ENOENT:
		return "no such file or directory";
	case EIO:
		return "input/output error";
	case E2BIG:
		return "argument list too long";
	case ENOEXEC:
		return "exec format error";
	case EAGAIN:
		return "too many processes";
	case ENOMEM:
		return "out of memory";
	case EACCES:
		return "permission denied";
	case ENOTDIR:
		return "a component of the path is not a directory";
	case EMFILE:
		return "too many open files";
	case ETXTBSY:
		return "it is open for writing";
	case ENAMETOOLONG:
		return "file name too long";
	case ELOOP:
		return "too many levels of symbolic links";
	case ELIBBAD:
		return "its interpreter is damaged or for another machine";
	case ESTALE:
		return "stale file handle";
	case ELOSES_CAPABILITIES:
		return "this session has ambient capabilities, which a user namespace takes away; to do without them: "
		       "setpriv --ambient-caps=-all nix-run-foreign --refresh PROGRAM";
	default:
		return "the kernel refused it";
	}
}
