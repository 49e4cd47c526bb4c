// Starts a program by a descriptor: HOW PROGRAM [LAUNCHER], HOW being kept, memfd, removed or replaced.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	if (argc < 3)
		return 100;
	const char *how = argv[1], *path = argv[2];
	int fd = open(path, O_RDONLY);
	if (!strcmp(how, "memfd")) {
		int file = fd;
		fd = memfd_create("in memory", 0);
		while (sendfile(fd, file, NULL, 1 << 20) > 0)
			;
		close(file);
	}
	if (!strcmp(how, "removed") && unlink(path))
		return perror(path), 101;
	if (!strcmp(how, "replaced")) {
		char with[4096];
		snprintf(with, sizeof with, "%s (deleted)", path); // as if another program had this name
		int other = open(with, O_WRONLY | O_CREAT | O_TRUNC, 0755);
		if (unlink(path) || other < 0 || write(other, "other", 5) != 5)
			return perror(with), 102;
		close(other);
	}
	char name[64];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	if (argc > 3)
		return execv(argv[3], (char *[]){argv[3], name, NULL}), perror(argv[3]), 103;
	fexecve(fd, (char *[]){"started", NULL}, environ);
	return perror(name), 104;
}
