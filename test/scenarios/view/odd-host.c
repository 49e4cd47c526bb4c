// MODE PROGRAM ARGS... → PROGRAM in a user and mount namespace of its own that is like an odd machine.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void check(int failed, const char *what)
{
	if (failed < 0) {
		fprintf(stderr, "odd-host: %s: %s\n", what, strerror(errno));
		exit(125);
	}
}

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);
	check(fd, file);
	check(write(fd, text, strlen(text)) < 0 ? -1 : 0, file);
	close(fd);
}

static void leave(void)
{
	char map[64];
	unsigned uid = geteuid(), gid = getegid();
	check(unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "%u %u 1", uid, uid);
	put("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "%u %u 1", gid, gid);
	put("/proc/self/gid_map", map);
}

static void mount_many(int count)
{
	char place[64];
	check(mkdir("/home/tester/many", 0755), "mkdir");
	check(mount("none", "/home/tester/many", "tmpfs", 0, ""), "tmpfs");
	check(mkdir("/home/tester/many/source", 0755), "mkdir");
	for (int i = 0; i < count; i++) {
		snprintf(place, sizeof place, "/home/tester/many/%d", i);
		check(mkdir(place, 0755), place);
		check(mount("/home/tester/many/source", place, 0, MS_BIND, 0), place);
	}
}

// The same entries in another root directory; /usr is a link where `usr` says so.
static void move_root(const char *options, const char *usr)
{
	static const char *names[] = {"nix", "home", "tmp", "opt", "proc", "dev", "etc", "usr", "lib64", "bin", "run", "machine"};
	char from[64], to[64];
	check(mount("none", "/tmp", "tmpfs", 0, options), "tmpfs");
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(from, sizeof from, "/%s", names[i]);
		snprintf(to, sizeof to, "/tmp/%s", names[i]);
		if (usr && !strcmp(names[i], "usr"))
			check(symlink(usr, to), to);
		else if (access(from, F_OK) == 0) {
			check(mkdir(to, 0755), to);
			if (strcmp(names[i], "tmp"))
				check(mount(from, to, 0, MS_BIND | MS_REC, 0), to);
		}
	}
	check(chdir("/tmp"), "chdir");
	check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount");
	check(chdir("/"), "chdir");
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 125;
	leave();
	if (!strcmp(argv[1], "no-namespaces-left"))
		put("/proc/sys/user/max_user_namespaces", "0");
	else if (!strcmp(argv[1], "many-mounts"))
		mount_many(5000);
	else if (!strcmp(argv[1], "unreadable-root"))
		move_root("mode=0311", NULL);
	else if (!strcmp(argv[1], "usr-is-a-link"))
		move_root("mode=0755", "/machine/usr");
	else
		return 125;
	execv(argv[2], argv + 2);
	check(-1, argv[2]);
}
