// Everything a program can notice about how it was started, as lines of text in the file argv[1].
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void report_descriptors(FILE *to, const int *open_before)
{
	for (int fd = 0; fd < 64; fd++) {
		char link[32], target[4096];
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t length = open_before[fd] ? readlink(link, target, sizeof target - 1) : -1;
		if (length >= 0)
			fprintf(to, "fd %d %.*s\n", fd, (int)length, target);
	}
}

static void report_signals(FILE *to)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");
	const char *wanted[] = {"SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs", "Seccomp:", "CapEff", "Uid", "Gid", "Groups"};
	while (status && fgets(line, sizeof line, status))
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (!strncmp(line, wanted[i], strlen(wanted[i])))
				fprintf(to, "status %s", line);
}

int main(int argc, char **argv)
{
	int open_before[64];
	for (int fd = 0; fd < 64; fd++)
		open_before[fd] = fcntl(fd, F_GETFD) >= 0;
	FILE *to = fopen(argv[1], "we");
	if (!to)
		return 99;
	fprintf(to, "pid %d\nppid %d\npgid %d\nsid %d\n", getpid(), getppid(), getpgid(0), getsid(0));
	for (int i = 0; i < argc; i++)
		fprintf(to, "argv %d %s\n", i, argv[i]);
	for (int i = 0; environ[i]; i++)
		fprintf(to, "env %d %s\n", i, environ[i]);
	fprintf(to, "execfn %s\nsecure %lu\n", (char *)getauxval(AT_EXECFN), getauxval(AT_SECURE));
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path);
	fprintf(to, "exe %.*s\n", length > 0 ? (int)length : 0, path);
	length = readlink("/proc/self/cwd", path, sizeof path);
	fprintf(to, "cwd %.*s\n", length > 0 ? (int)length : 0, path);
	mode_t mask = umask(0);
	fprintf(to, "umask %o\n", mask);
	for (int each = 0; each < RLIMIT_NLIMITS; each++) {
		struct rlimit limit;
		getrlimit(each, &limit);
		fprintf(to, "rlimit %d %lu %lu\n", each, (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
	}
	int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	fprintf(to, "terminal %s foreground %d\n", terminal >= 0 ? "yes" : "no", terminal >= 0 ? tcgetpgrp(terminal) == getpgid(0) : -1);
	fprintf(to, "nice %d\n", getpriority(PRIO_PROCESS, 0));
	report_descriptors(to, open_before);
	report_signals(to);
	fprintf(to, "children %d\n", waitpid(-1, NULL, WNOHANG | __WALL) >= 0);
	fclose(to);
	return argc > 2 ? atoi(argv[2]) : 0;
}
