// Preloaded into a process: calls about files whose path begins with FAIL_BELOW fail with FAIL_ERRNO, from the
// FAIL_FROM-th on, FAIL_TIMES of them. FAIL_CALL: `lock` (fcntl(2), of locks), `read` (pread(2), from the offset
// FAIL_AFTER on, and read(2)), `open`, `readlink`.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long setting(const char *name)
{
	const char *value = getenv(name);
	return value ? atol(value) : 0;
}

static int is_failing(const char *call, const char *path)
{
	static int met, times;
	const char *wanted = getenv("FAIL_CALL"), *below = getenv("FAIL_BELOW"), *most = getenv("FAIL_TIMES");
	if (!wanted || !below || strcmp(call, wanted) || strncmp(path, below, strlen(below)))
		return 0;
	if (++met < setting("FAIL_FROM") || (most && times >= atoi(most)))
		return 0;
	times++;
	errno = atoi(getenv("FAIL_ERRNO"));
	return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_failing_at(const char *call, int fd)
{
	char link[64], path[PATH_MAX] = "";
	int before = errno;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (REAL(readlink)(link, path, sizeof path - 1) < 0)
		path[0] = 0;
	errno = before;
	return is_failing(call, path);
}

#define FCNTL(name)                                                                                            \
	int name(int fd, int command, ...)                                                                     \
	{                                                                                                      \
		va_list list;                                                                                  \
		va_start(list, command);                                                                       \
		void *argument = va_arg(list, void *);                                                         \
		va_end(list);                                                                                  \
		int locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK;                   \
		return locks && is_failing_at("lock", fd) ? -1 : REAL(name)(fd, command, argument);            \
	}
FCNTL(fcntl)
FCNTL(fcntl64)

ssize_t read(int fd, void *bytes, size_t length)
{
	return is_failing_at("read", fd) ? -1 : REAL(read)(fd, bytes, length);
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t offset)
{
	int fails = offset >= setting("FAIL_AFTER") && is_failing_at("read", fd);
	return fails ? -1 : REAL(pread64)(fd, bytes, length, offset);
}

static int open_by(const char *path, int flags, mode_t mode)
{
	return is_failing("open", path) ? -1 : REAL(open64)(path, flags, mode);
}

#define OPEN(name)                                                                                             \
	int name(const char *path, int flags, ...)                                                             \
	{                                                                                                      \
		va_list list;                                                                                  \
		va_start(list, flags);                                                                         \
		mode_t mode = va_arg(list, mode_t);                                                            \
		va_end(list);                                                                                  \
		return open_by(path, flags, mode);                                                             \
	}
OPEN(open)
OPEN(open64)

ssize_t readlink(const char *path, char *target, size_t size)
{
	return is_failing("readlink", path) ? -1 : REAL(readlink)(path, target, size);
}
