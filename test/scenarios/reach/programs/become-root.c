// become-root NEW HOW UID CWD COMMAND [ARG...]: makes the directory NEW, a mount, the root of this mount namespace, and
// starts the command there as that user. HOW is "plain", or "binfmt" for a user namespace of all ids with a binfmt_misc
// of its own, or "user" where only the user changes. No chroot: in one, nobody may make a user namespace (user_namespaces(7), EPERM).
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int wrong, const char *what)
{
	if (!wrong)
		return;
	perror(what);
	_exit(100);
}

static void put(pid_t pid, const char *name, const char *text)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd = open(path, O_WRONLY);
	check(fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) != 0, path);
}

/** All ids are mapped by who is left outside: inside there is no right to. */
static void enter_user_namespace(void)
{
	int ready[2];
	char byte = 0;
	pid_t self = getpid();
	check(pipe(ready) != 0, "pipe");
	pid_t outside = fork();
	if (outside == 0) {
		check(read(ready[0], &byte, 1) != 1, "read");
		put(self, "uid_map", "0 0 65536\n");
		put(self, "gid_map", "0 0 65536\n");
		_exit(0);
	}
	int status = 0;
	check(unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0, "unshare");
	check(write(ready[1], &byte, 1) != 1, "write");
	check(waitpid(outside, &status, 0) < 0 || status != 0, "map");
	close(ready[0]);
	close(ready[1]);
	check(mount("binfmt_misc", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL) != 0, "binfmt_misc");
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 100;
	uid_t uid = (uid_t)atoi(argv[3]);
	if (strcmp(argv[2], "user") != 0) {
		check(chdir(argv[1]) != 0 || syscall(SYS_pivot_root, ".", ".") != 0, "pivot_root");
		check(umount2(".", MNT_DETACH) != 0, "umount");
	}
	if (strcmp(argv[2], "binfmt") == 0)
		enter_user_namespace();
	check(setgroups(0, NULL) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0, "user");
	check(chdir(argv[4]) != 0, argv[4]);
	execv(argv[5], argv + 5);
	check(1, argv[5]);
}
