// Starts argv[1] in a user namespace that has a binfmt_misc of its own (Linux 6.7), with the rule of FIRST_RULE or none.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int put(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY);
	return fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line) && close(fd) == 0;
}

int main(int argc, char **argv)
{
	char uids[64], gids[64];
	snprintf(uids, sizeof uids, "0 %d 1\n", geteuid());
	snprintf(gids, sizeof gids, "0 %d 1\n", getegid());
	if (argc < 2 || unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return perror("unshare"), 100;
	if (!put("/proc/self/uid_map", uids) || !put("/proc/self/setgroups", "deny") || !put("/proc/self/gid_map", gids))
		return perror("map"), 101;
	if (mount("binfmt_misc", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL) != 0)
		return perror("mount"), 102;
	const char *rule = getenv("FIRST_RULE");
	if (rule && !put("/proc/sys/fs/binfmt_misc/register", rule))
		return perror("register"), 104;
	unsetenv("FIRST_RULE");
	execv(argv[1], argv + 1);
	return perror(argv[1]), 103;
}
