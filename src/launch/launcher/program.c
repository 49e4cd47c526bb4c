// A path to a program's real path and identity: one open, asked both questions, so that they are of one file.
#include "program.h"
#include "text.h"

void identity_text(const struct kernel_stat *status, char *into)
{
	struct text text = text_in(into, IDENTITY_SIZE);
	text_add_unsigned(&text, status->st_dev);
	text_add(&text, ":");
	text_add_unsigned(&text, status->st_ino);
	text_add(&text, ":");
	text_add_signed(&text, status->st_size);
	text_add(&text, ":");
	text_add_signed(&text, status->st_mtime);
	text_add(&text, ".");
	text_add_signed(&text, status->st_mtime_nsec);
	text_add(&text, ":");
	text_add_signed(&text, status->st_ctime);
	text_add(&text, ".");
	text_add_signed(&text, status->st_ctime_nsec);
}

static bool read_link(const char *link, char *real_path)
{
	long length = kernel_readlink(link, real_path, PATH_SIZE - 1);
	if (length <= 0 || length >= PATH_SIZE - 1)
		return false;
	real_path[length] = '\0';
	return real_path[0] == '/';
}

static bool read_link_of(int fd, char *real_path)
{
	char link[40];
	struct text text = text_in(link, sizeof link);
	text_add(&text, "/proc/self/fd/");
	text_add_unsigned(&text, (uint64_t)fd);
	return read_link(link, real_path);
}

// Without /proc symbolic links stay as they are.
static long make_absolute(const char *path, char *real_path)
{
	struct text text = text_in(real_path, PATH_SIZE);
	if (path[0] != '/') {
		long failed = kernel_getcwd(real_path, PATH_SIZE);
		if (failed < 0)
			return failed;
		if (real_path[0] != '/') // "(unreachable)/..."
			return -ENOENT;
		text.used = text_length(real_path);
		if (text.used > 1)
			text_add(&text, "/");
		while (text_after(path, "./"))
			path += 2;
	}
	text_add(&text, path);
	return text.cut ? -ENAMETOOLONG : 0;
}

long program_identify(struct program *program)
{
	program->is_running = false;
	long fd = kernel_open(AT_CWD, program->found, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return fd;
	struct kernel_stat status;
	long failed = kernel_fstat((int)fd, &status);
	if (failed == 0 && (status.st_mode & S_IFMT) != S_IFREG)
		failed = -EACCES;
	if (failed == 0) {
		identity_text(&status, program->identity);
		if (!read_link_of((int)fd, program->real_path))
			failed = make_absolute(program->found, program->real_path);
	}
	kernel_close((int)fd);
	return failed;
}

// Both answers are of one file, for the link never changes (proc(5), /proc/pid/exe). It is opened, not only asked for,
// since emulators give their own file otherwise (qemu, linux-user/syscall.c, do_openat).
long program_identify_running(struct program *program)
{
	static const char self[] = "/proc/self/exe";
	struct kernel_stat status;
	long fd = kernel_open(AT_CWD, self, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return fd;
	long failed = kernel_fstat((int)fd, &status);
	kernel_close((int)fd);
	if (failed < 0)
		return failed;
	program->is_running = true;
	identity_text(&status, program->identity);
	return read_link(self, program->real_path) ? 0 : -ENAMETOOLONG;
}

long program_identify_again(struct program *program)
{
	return program->is_running ? program_identify_running(program) : program_identify(program);
}
