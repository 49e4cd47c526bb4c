// on-read-only DIRECTORY -- COMMAND ...: runs the command where that directory can only be read, as after a remount.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 4 || unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(argv[1], argv[1], NULL, MS_BIND, NULL) ||
	    mount(NULL, argv[1], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) || chdir(argv[1])) {
		perror("on-read-only");
		return 1;
	}
	execv(argv[3], argv + 3);
	perror(argv[3]);
	return 1;
}
