// A preloaded library: of the file CATALOGUE the FROM-th opening and all later ones fail with the errno OPEN, each lock
// with LOCK, the first TIMES reads of a piece that begins behind AFTER bytes with READ.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long setting(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? 0 : atol(value);
}

static int is_catalogue(const char *path) {
  const char *wanted = getenv("CATALOGUE");
  return wanted != NULL && path != NULL && strcmp(path, wanted) == 0;
}

static int is_of_catalogue(int fd) {
  char link[64] = "/proc/self/fd/", path[4096], digits[12];
  int count = 0;
  for (int rest = fd; rest > 0 || count == 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
  char *end = link + strlen(link);
  while (count > 0) *end++ = digits[--count];
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return is_catalogue(path);
}

static int openings;

static int fails_to_open(const char *path) {
  long error = setting("OPEN");
  if (error == 0 || !is_catalogue(path) || ++openings < setting("FROM")) return 0;
  errno = (int)error;
  return 1;
}

#define OPENING(name)                                             \
  int name(const char *path, int flags, ...) {                    \
    va_list rest;                                                 \
    va_start(rest, flags);                                        \
    mode_t mode = va_arg(rest, mode_t);                           \
    va_end(rest);                                                 \
    int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, #name); \
    return fails_to_open(path) ? -1 : next(path, flags, mode);    \
  }
OPENING(open)
OPENING(open64)

#define LOCKING(name)                                                         \
  int name(int fd, int command, ...) {                                        \
    va_list rest;                                                             \
    va_start(rest, command);                                                  \
    void *argument = va_arg(rest, void *);                                    \
    va_end(rest);                                                             \
    int (*next)(int, int, ...) = dlsym(RTLD_NEXT, #name);                     \
    long error = command == F_SETLK ? setting("LOCK") : 0;                    \
    if (error == 0 || !is_of_catalogue(fd)) return next(fd, command, argument); \
    errno = (int)error;                                                       \
    return -1;                                                                \
  }
LOCKING(fcntl)
LOCKING(fcntl64)

static int reads;

#define READING(name)                                                                \
  ssize_t name(int fd, void *bytes, size_t size, off_t at) {                         \
    ssize_t (*next)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, #name);           \
    long error = setting("READ");                                                    \
    if (error == 0 || reads == setting("TIMES") || at < setting("AFTER") || !is_of_catalogue(fd))    \
      return next(fd, bytes, size, at);                                              \
    reads++;                                                                         \
    errno = (int)error;                                                              \
    return -1;                                                                       \
  }
READING(pread)
READING(pread64)
