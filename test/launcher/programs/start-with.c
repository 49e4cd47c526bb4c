// Edits of the process state, then `--` and a command: execs the command in that state.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void block(int signal_number)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void add_entry(char *entry, size_t at_front)
{
	static char **entries;
	static size_t count, room;
	while (!entries && environ[count])
		count++;
	if (count + 2 > room) {
		room = 2 * count + 16;
		char **more = calloc(room, sizeof *more);
		memcpy(more, environ, count * sizeof *more);
		environ = entries = more;
	}
	memmove(entries + at_front, entries, at_front * count * sizeof *entries);
	entries[at_front ? 0 : count] = entry;
	entries[++count] = NULL;
}

static void fill_environment(int count)
{
	for (int i = 0; i < count; i++) {
		char *entry;
		if (asprintf(&entry, "VARIABLE_%d=value %d", i, i) < 0)
			exit(98);
		add_entry(entry, 0);
	}
}

static void limit_open_files(int count)
{
	struct rlimit limit = {count, count};
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void apply(const char *what, char *value)
{
	int number = atoi(value);
	if (!strcmp(what, "block"))
		block(number);
	else if (!strcmp(what, "ignore"))
		signal(number, SIG_IGN);
	else if (!strcmp(what, "default"))
		signal(number, SIG_DFL);
	else if (!strcmp(what, "close"))
		close(number);
	else if (!strcmp(what, "open"))
		dup2(open("/dev/zero", O_RDONLY | O_CLOEXEC), number);
	else if (!strcmp(what, "umask"))
		umask(strtol(value, NULL, 8));
	else if (!strcmp(what, "nofile"))
		limit_open_files(number);
	else if (!strcmp(what, "cwd"))
		chdir(value) || rmdir(value);
	else if (!strcmp(what, "group"))
		setpgid(0, 0);
	else if (!strcmp(what, "fill"))
		fill_environment(number);
	else if (!strcmp(what, "entry"))
		add_entry(value, 1);
	else if (!strcmp(what, "child"))
		for (pid_t pid = fork(); pid == 0; _exit(0)) // a dead child that the program inherits
			;
	else
		exit(97);
}

int main(int argc, char **argv)
{
	int at = 1;
	for (; at + 1 < argc && strcmp(argv[at], "--"); at += 2)
		apply(argv[at], argv[at + 1]);
	execve(argv[at + 1], argv + at + (getenv("ARGV0_FROM_NEXT") ? 2 : 1), environ);
	return 96;
}
