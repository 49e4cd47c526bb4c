// A program that is reached by a descriptor only to the reason why there can be no plan of it.
#include "nameless.h"
#include "launcher.h"
#include "messages.h"
#include "text.h"

// What the kernel adds to the path of a file without a name (proc(5), /proc/pid/exe; memfd_create(2)).
bool is_nameless(const struct program *program)
{
	static const char ending[] = " (deleted)";
	size_t length = text_length(program->real_path);
	if (length < sizeof ending - 1 || !text_equal(program->real_path + length - (sizeof ending - 1), ending))
		return false;
	char identity[IDENTITY_SIZE];
	struct kernel_stat status;
	if (kernel_stat_path(program->real_path, &status, 0) < 0)
		return true;
	identity_text(&status, identity);
	return !text_equal(identity, program->identity); // a file can be called that
}

int refuse_nameless(const struct program *program)
{
	if (text_after(program->real_path, "/memfd:"))
		return message_failure(EXIT_CANNOT_RUN,
				       (struct failure){.subject = program->real_path,
							.cause = "it is only in memory (memfd), and plans are for files",
							.remedy = "write it to a file, and start that"});
	return message_failure(EXIT_CANNOT_RUN,
			       (struct failure){.subject = program->real_path,
						.cause = "its file was removed or replaced while it was being started",
						.remedy = "start it again by its path; keep the file until it runs"});
}
