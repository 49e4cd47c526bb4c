// A command name to the file that execvp(3) would start. Only the search: what is found is started elsewhere.
#include "find-program.h"
#include "kernel.h"
#include "memory.h"
#include "text.h"

enum { FOUND_SIZE = PATH_SIZE + NAME_SIZE + 2 };

static bool has_slash(const char *name)
{
	while (*name)
		if (*name++ == '/')
			return true;
	return false;
}

// execve(2) answers EACCES for anything but an executable regular file; so does this.
long why_not_startable(const char *path)
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
			long failed = why_not_startable(found);
			if (failed == 0 || !goes_on_after(failed))
				return failed;
			denied |= failed == -EACCES;
		}
		element += length;
		if (!*element)
			return denied ? -EACCES : -ENOENT;
	}
}

long find_program(const struct process *process, const char *name, const char **found)
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
