// Preloaded into Nix: symlink(2) waits for the file HOLD_LINKS_UNTIL; opendir(3) of HOLD_AT makes the file SAY_HELD, and
// waits for HOLD_UNTIL. Neither waits for more than 30 s.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void wait_for(const char *file)
{
	for (int i = 0; file && access(file, F_OK) && i < 3000; i++)
		usleep(10000);
}

int symlink(const char *target, const char *path)
{
	int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "symlink");
	wait_for(getenv("HOLD_LINKS_UNTIL"));
	return real(target, path);
}

DIR *opendir(const char *path)
{
	DIR *(*real)(const char *) = dlsym(RTLD_NEXT, "opendir");
	const char *at = getenv("HOLD_AT");
	if (at && !strcmp(path, at)) {
		close(open(getenv("SAY_HELD"), O_CREAT | O_WRONLY, 0600));
		wait_for(getenv("HOLD_UNTIL"));
	}
	return real(path);
}
