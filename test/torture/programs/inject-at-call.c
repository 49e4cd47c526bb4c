// HOW NUMBER CALLS COMMAND... → the command, at whose NUMBER-th system call of that kind something happens to it.
//
// HOW: `list` (nothing happens; each call is a line `NAME PATH` of the file calls in HOME or CALLS,
// `openat-to-write PATH` where it may create, `fcntl-to-lock PATH` and `fcntl-to-unlock PATH` where it takes and gives
// back a lock), `kill` (the process that makes the call gets SIGKILL), `kill-all` (it and all others of the command),
// `exchange` (before the call the paths ONE and OTHER of the environment change places, before each call when NUMBER is
// 0), `appear` (before the call OTHER gets the name ONE, if nothing has it), or `ERRNO@NAME`: only calls of that name count, and the first from the NUMBER-th on is not made and fails with
// that errno; pipes are passed by, which have none but EINTR. With `+` at its end all later ones of that name fail too, with
// `/` those on the way to the same place: the first directory of the path. Then what goes to the command's own standard
// output and error is left alone, or nothing could be told.
// CALLS: `changes` (of files, and new programs) or `all` that can fail. What happened is in the last line of standard
// error: `inject: COUNT [NAME PATH]`. Processes and threads are counted together. strace(1) counts each for itself, and
// injects no SIGKILL.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "watched-calls.h"

/* Of a call as `name_of` tells it: also of `openat` for `openat-to-write`. */
static int has_name(const struct call *call, const char *name)
{
	size_t length = strlen(call->name);
	return !strncmp(name, call->name, length) && (name[length] == 0 || !strncmp(name + length, "-to-", 4));
}

/* Of those of one name: in memory without a file there is nothing to fail, and most of ioctl(2) is about terminals. */
static size_t which_of(long number, struct sock_filter code[4])
{
	unsigned argument = number == SYS_mmap ? 4 : 1, value = number == SYS_mmap ? (unsigned)-1 : FICLONE;
	size_t length = 0;
	if (number == SYS_mmap || number == SYS_ioctl) {
		size_t offset = offsetof(struct seccomp_data, args) + 8 * argument;
		int is_passed = number == SYS_mmap;
		code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset);
		code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, is_passed, !is_passed);
	}
	code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	if (length > 1)
		code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return length;
}

/* Of one name when only those count, and openat(2) for `hide_filter`: each stop costs more than most calls. */
static void stop_at_calls(int all, const char *of)
{
	struct sock_filter code[5 * CALLS + 2];
	size_t length = 0;
	code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALLS; i++) {
		int is_of = !*of || has_name(calls + i, of) || calls[i].number == SYS_openat;
		if ((calls[i].only_in_all && !all) || !is_of)
			continue;
		struct sock_filter inner[4];
		size_t more = which_of(calls[i].number, inner);
		code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, (unsigned char)more);
		memcpy(code + length, inner, more * sizeof *inner);
		length += more;
	}
	code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = (unsigned short)length, .filter = code};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(99);
}

static int opens(const struct user_regs_struct *registers)
{
	return registers->orig_rax == SYS_openat || registers->orig_rax == SYS_open;
}

static int changes_nothing(const struct user_regs_struct *registers)
{
	unsigned long long flags = registers->orig_rax == SYS_openat ? registers->rdx : registers->rsi;
	return opens(registers) && !(flags & (O_CREAT | O_WRONLY | O_RDWR | O_TRUNC));
}

static const struct call *call_of(long number)
{
	size_t i = 0;
	while (i + 1 < CALLS && calls[i].number != number)
		i++;
	return calls + i;
}

static void read_path(pid_t thread, unsigned long long address, char *path)
{
	for (size_t read = 0; read < PATH_MAX - 1; read++) {
		struct iovec here = {path + read, 1}, there = {(void *)(address + read), 1};
		if (process_vm_readv(thread, &here, 1, &there, 1, 0) != 1 || path[read] == 0)
			break;
	}
}

/*
 * The audit module starts no resolver where a filter may kill it (audit/seccomp-filter.c). Ours kills nobody, so what
 * the module opens is a file without a line about filters: its name takes the other's place in the thread's memory.
 */
static void hide_filter(pid_t thread, const struct user_regs_struct *registers)
{
	for (const char *const *each = (const char *const[]){"/proc/thread-self/status", "/proc/self/status", NULL}; *each; each++) {
		char path[32];
		size_t size = strlen(*each) + 1;
		struct iovec here = {path, size}, there = {(void *)registers->rsi, size};
		if (registers->orig_rax != SYS_openat || process_vm_readv(thread, &here, 1, &there, 1, 0) != (ssize_t)size ||
		    memcmp(path, *each, size) != 0)
			continue;
		long limits;
		memcpy(&limits, "f/limits", sizeof limits);
		ptrace(PTRACE_POKEDATA, thread, registers->rsi + size - 1 - sizeof limits, limits);
	}
}

static int locks(const struct user_regs_struct *registers)
{
	long command = (long)registers->rsi;
	return registers->orig_rax == SYS_fcntl &&
	       (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW);
}

static int unlocks(pid_t thread, const struct user_regs_struct *registers)
{
	struct flock lock = {.l_type = F_RDLCK};
	struct iovec here = {&lock, sizeof lock}, there = {(void *)registers->rdx, sizeof lock};
	return process_vm_readv(thread, &here, 1, &there, 1, 0) == sizeof lock && lock.l_type == F_UNLCK;
}

static const char *name_of(pid_t thread, const struct user_regs_struct *registers, char name[32])
{
	int writes = opens(registers) && !changes_nothing(registers);
	const char *what = "";
	if (writes)
		what = "-to-write";
	else if (locks(registers))
		what = unlocks(thread, registers) ? "-to-unlock" : "-to-lock";
	snprintf(name, 32, "%s%s", call_of((long)registers->orig_rax)->name, what);
	return name;
}

static int is_of_descriptor(const struct call *call)
{
	return call->subject == DESCRIPTOR || call->subject == DESCRIPTOR_5;
}

/* What the call is about; empty where it is about no file. */
static void read_subject(pid_t thread, const struct user_regs_struct *registers, char path[PATH_MAX])
{
	const struct call *call = call_of((long)registers->orig_rax);
	char descriptor[64];
	const unsigned long long arguments[] = {registers->rdi, registers->rsi, registers->rdx, registers->r10};
	memset(path, 0, PATH_MAX);
	if (call->subject != NOTHING && !is_of_descriptor(call))
		read_path(thread, arguments[call->subject - PATH_1], path);
	if (call->subject != NOTHING && path[0] == 0) { // also fstat(2) as newfstatat(2) with an empty path
		int number = (int)(call->subject == DESCRIPTOR_5 ? registers->r8 : registers->rdi);
		snprintf(descriptor, sizeof descriptor, "/proc/%ld/fd/%d", (long)thread, number);
		ssize_t length = readlink(descriptor, path, PATH_MAX - 1);
		path[length < 0 ? 0 : length] = 0;
	}
}

/* Pipes and their like are no disk: Node waits for ever for what it lost in its own (libuv, uv__signal_unlock). */
static int can_fail(const struct user_regs_struct *registers, const char *path, int error)
{
	return !is_of_descriptor(call_of((long)registers->orig_rax)) || error == EINTR || path[0] == '/';
}

/* Of the command: where it tells what failed. */
static int is_told(const char *path)
{
	char output[PATH_MAX];
	for (const char *const *each = (const char *const[]){"/proc/self/fd/1", "/proc/self/fd/2", NULL}; *each; each++) {
		ssize_t length = readlink(*each, output, sizeof output - 1);
		output[length < 0 ? 0 : length] = 0;
		if (length > 0 && !strcmp(path, output))
			return 1;
	}
	return 0;
}

static int is_same_place(const char *one, const char *other)
{
	size_t length = strcspn(one + (one[0] == '/'), "/") + (one[0] == '/');
	return !strncmp(one, other, length) && (other[length] == '/' || other[length] == 0);
}

static long group_of(long thread)
{
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/%ld/status", thread);
	FILE *file = fopen(path, "r");
	long group = thread;
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "Tgid: %ld", &group) == 1)
			break;
	if (file)
		fclose(file);
	return group;
}

struct injection {
	const char *how;
	long number, count;
	int all;
	FILE *list;
	int error;
	char of[32];	 // names of calls that may have the error
	char lasts;	 // '+', '/', or 0
	int happened;
	char at[PATH_MAX + 32], path[PATH_MAX]; // the first call that it happened at
};

/* Whether this call fails. */
static int has_error(const struct injection *injection, const char *path, const struct user_regs_struct *registers)
{
	if (injection->count < injection->number || !can_fail(registers, path, injection->error) || (injection->lasts && is_told(path)))
		return 0;
	return !injection->happened || injection->lasts == '+' ||
	       (injection->lasts == '/' && is_same_place(injection->path, path));
}

static void inject(struct injection *injection, pid_t thread)
{
	struct user_regs_struct registers;
	char name[32], path[PATH_MAX];
	if (ptrace(PTRACE_GETREGS, thread, 0, &registers) < 0)
		return;
	hide_filter(thread, &registers);
	if (!injection->all && changes_nothing(&registers))
		return;
	name_of(thread, &registers, name);
	if (injection->error && strcmp(name, injection->of) != 0)
		return;
	injection->count++;
	int exchanges = !strcmp(injection->how, "exchange"), is_here = injection->count == injection->number;
	if (injection->list || is_here || (injection->error && injection->count > injection->number))
		read_subject(thread, &registers, path);
	if (injection->list)
		fprintf(injection->list, "%s %s\n", name, path);
	if (injection->error ? !has_error(injection, path, &registers)
			     : !is_here && !(exchanges && injection->number == 0))
		return;
	if (exchanges && injection->number == 0)
		path[0] = 0;
	if (!strcmp(injection->how, "appear")) {
		if (renameat2(AT_FDCWD, getenv("OTHER"), AT_FDCWD, getenv("ONE"), RENAME_NOREPLACE) == 0)
			snprintf(injection->at, sizeof injection->at, "%s %s", name, path);
		else if (errno != EEXIST)
			exit(94);
		return;
	}
	if (!injection->happened++) {
		snprintf(injection->at, sizeof injection->at, "%s %s", name, path);
		memcpy(injection->path, path, sizeof path);
	}
	if (exchanges) {
		if (renameat2(AT_FDCWD, getenv("ONE"), AT_FDCWD, getenv("OTHER"), RENAME_EXCHANGE) < 0)
			exit(94);
		return;
	}
	if (!strcmp(injection->how, "kill") || !strcmp(injection->how, "kill-all")) {
		kill((pid_t)group_of(thread), SIGKILL);
		return;
	}
	registers.orig_rax = (unsigned long long)-1; // no call (seccomp(2), SECCOMP_RET_TRACE)
	registers.rax = (unsigned long long)-injection->error;
	ptrace(PTRACE_SETREGS, thread, 0, &registers);
}

static int say(const struct injection *injection, int status)
{
	fprintf(stderr, "inject: %ld %s\n", injection->count, injection->at);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int follow(struct injection *injection, pid_t first)
{
	for (;;) {
		int status;
		pid_t thread = waitpid(-1, &status, __WALL);
		if (thread < 0)
			return 98;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (thread == first)
				return say(injection, status); // PTRACE_O_EXITKILL ends what is left
			continue;
		}
		int event = status >> 16, signal = WSTOPSIG(status);
		if (event == PTRACE_EVENT_SECCOMP)
			inject(injection, thread);
		if (injection->happened && !strcmp(injection->how, "kill-all"))
			return say(injection, SIGKILL);
		int passed = event || signal == SIGSTOP || signal == SIGTRAP ? 0 : signal;
		ptrace(PTRACE_CONT, thread, 0, passed);
	}
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 97;
	struct injection injection = {.how = argv[1], .number = atol(argv[2]), .all = !strcmp(argv[3], "all")};
	if (!strcmp(injection.how, "list")) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/calls", getenv("CALLS") ? getenv("CALLS") : getenv("HOME"));
		injection.number = -1;
		injection.list = fopen(path, "we");
		if (!injection.list)
			return 95;
	}
	sscanf(injection.how, "%d@%31[a-z0-9_-]%c", &injection.error, injection.of, &injection.lasts);
	pid_t child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		stop_at_calls(injection.all, injection.of);
		execvp(argv[4], argv + 4);
		_exit(127);
	}
	int status;
	waitpid(child, &status, 0);
	long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
		       PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
	if (ptrace(PTRACE_SETOPTIONS, child, 0, options) < 0)
		return 96;
	ptrace(PTRACE_CONT, child, 0, 0);
	return follow(&injection, child);
}
