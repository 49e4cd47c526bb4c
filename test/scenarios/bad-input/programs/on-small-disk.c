// A number of KiB, directories, `--` and a command: the command runs where each directory is an empty disk of that size.
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char options[64];
	snprintf(options, sizeof options, "mode=1777,size=%sk", argv[1]);
	int at = 2;
	for (; at < argc && strcmp(argv[at], "--"); at++)
		if (mount("disk", argv[at], "tmpfs", 0, options)) {
			perror(argv[at]);
			return 99;
		}
	execv(argv[at + 1], argv + at + 1);
	return 98;
}
