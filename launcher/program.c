// A name → the file that execvp(3) would start, its real path and its identity.
#include "plan.h"

enum { FOUND_SIZE = PATH_SIZE + NAME_SIZE + 2 };

static bool has_slash(const char *name)
{
	while (*name)
		if (*name++ == '/')
			return true;
	return false;
}

// execve(2) answers EACCES for anything but an executable regular file; so does this.
long program_why_not_startable(const char *path)
{
	struct kernel_stat status;
	long failed = kernel_stat_path(path, &status, 0);
	if (failed < 0)
		return failed;
	if ((status.st_mode & S_IFMT) != S_IFREG)
		return -EACCES;
	return kernel_access(path, ACCESS_EXECUTE);
}

// The errors after which execvp goes on to the next element; any other ends the search.
static bool goes_on_after(long failed)
{
	return failed == -ENOENT || failed == -ESTALE || failed == -ENOTDIR || failed == -ENODEV ||
	       failed == -ETIMEDOUT || failed == -EACCES;
}

static long search_path(const char *path, const char *name, char *found)
{
	bool denied = false;
	for (const char *element = path;; element++) {
		size_t length = 0;
		while (element[length] && element[length] != ':')
			length++;
		if (length < PATH_SIZE) { // as glibc: a longer element is passed over
			struct text text = text_in(found, FOUND_SIZE);
			text_add_bytes(&text, element, length);
			text_add(&text, length ? "/" : ""); // an empty element is the working directory
			text_add(&text, name);
			long failed = program_why_not_startable(found);
			if (failed == 0 || !goes_on_after(failed))
				return failed;
			denied |= failed == -EACCES;
		}
		element += length;
		if (!*element)
			return denied ? -EACCES : -ENOENT;
	}
}

long program_find(const struct process *process, const char *name, const char **found)
{
	size_t length = text_length(name);
	if (length == 0)
		return -ENOENT;
	if (has_slash(name)) {
		*found = name;
		return length < PATH_SIZE ? 0 : -ENAMETOOLONG;
	}
	if (length >= NAME_SIZE)
		return -ENAMETOOLONG;
	const char *path = process_variable(process, "PATH");
	char *bytes = memory_take(FOUND_SIZE);
	if (!bytes)
		return -ENOMEM;
	long failed = search_path(path ? path : "/bin:/usr/bin", name, bytes);
	if (failed == 0)
		*found = bytes;
	return failed;
}

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
	if (path == real_path) // identified again, by what it was identified as
		return 0;
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

bool launcher_path(const struct process *process, char *path)
{
	long length = kernel_readlink("/proc/self/exe", path, PATH_SIZE - 1);
	if (length > 0) {
		path[length] = '\0';
		return true;
	}
	const uintptr_t *started_by = auxiliary_value(&process->auxiliary, AT_EXECFN);
	struct text text = text_in(path, PATH_SIZE);
	if (started_by)
		text_add(&text, (const char *)*started_by);
	return started_by && !text.cut;
}

// What the kernel adds to the path of a file without a name (proc(5), /proc/pid/exe; memfd_create(2)).
bool program_is_nameless(const struct program *program)
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
