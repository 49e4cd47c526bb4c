// HOW NUMBER CALLS COMMAND... → the command, at whose NUMBER-th system call of that kind something happens to it.
//
// HOW: `count` (nothing happens), `kill` (the process that makes the call gets SIGKILL), `kill-all` (it and all others of
// the command), or a number: the call is not made and fails with that errno. CALLS: `changes` (of files, and new
// programs) or `all` that can fail. What happened is in the last line of standard error: `inject: COUNT [NAME]`.
// Processes and threads are counted together. strace(1) counts each for itself, and injects no SIGKILL.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct call {
	long number;
	const char *name;
	int only_in_all;
};

static const struct call calls[] = {
	{SYS_openat, "openat", 0},	 {SYS_open, "open", 0},		     {SYS_write, "write", 0},
	{SYS_pwrite64, "pwrite64", 0},	 {SYS_writev, "writev", 0},	     {SYS_ftruncate, "ftruncate", 0},
	{SYS_fsync, "fsync", 0},	 {SYS_fdatasync, "fdatasync", 0},    {SYS_rename, "rename", 0},
	{SYS_renameat, "renameat", 0},	 {SYS_renameat2, "renameat2", 0},    {SYS_link, "link", 0},
	{SYS_linkat, "linkat", 0},	 {SYS_unlink, "unlink", 0},	     {SYS_unlinkat, "unlinkat", 0},
	{SYS_rmdir, "rmdir", 0},	 {SYS_mkdir, "mkdir", 0},	     {SYS_mkdirat, "mkdirat", 0},
	{SYS_symlink, "symlink", 0},	 {SYS_symlinkat, "symlinkat", 0},    {SYS_chmod, "chmod", 0},
	{SYS_fchmod, "fchmod", 0},	 {SYS_fchmodat, "fchmodat", 0},	     {SYS_utimensat, "utimensat", 0},
	{SYS_copy_file_range, "copy_file_range", 0}, {SYS_execve, "execve", 0},
	{SYS_read, "read", 1},		 {SYS_pread64, "pread64", 1},	     {SYS_stat, "stat", 1},
	{SYS_lstat, "lstat", 1},	 {SYS_fstat, "fstat", 1},	     {SYS_newfstatat, "newfstatat", 1},
	{SYS_statx, "statx", 1},	 {SYS_access, "access", 1},	     {SYS_faccessat, "faccessat", 1},
	{SYS_readlink, "readlink", 1},	 {SYS_readlinkat, "readlinkat", 1},  {SYS_getdents64, "getdents64", 1},
	{SYS_pipe2, "pipe2", 1},	 {SYS_socket, "socket", 1},	     {SYS_wait4, "wait4", 1},
	{SYS_dup3, "dup3", 1},		 {SYS_memfd_create, "memfd_create", 1},
};
enum { CALLS = sizeof calls / sizeof *calls };

static void stop_at_calls(int all)
{
	struct sock_filter code[2 * CALLS + 2];
	size_t length = 0;
	code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALLS; i++) {
		if (calls[i].only_in_all && !all)
			continue;
		code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
		code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = (unsigned short)length, .filter = code};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(99);
}

static int changes_nothing(const struct user_regs_struct *registers)
{
	unsigned long long flags = registers->orig_rax == SYS_openat ? registers->rdx : registers->rsi;
	int opens = registers->orig_rax == SYS_openat || registers->orig_rax == SYS_open;
	return opens && !(flags & (O_CREAT | O_WRONLY | O_RDWR | O_TRUNC));
}

static const char *name_of(long number)
{
	for (size_t i = 0; i < CALLS; i++)
		if (calls[i].number == number)
			return calls[i].name;
	return "?";
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
	const char *name; // of the call that it happened at
};

static void inject(struct injection *injection, pid_t thread)
{
	struct user_regs_struct registers;
	if (ptrace(PTRACE_GETREGS, thread, 0, &registers) < 0 || (!injection->all && changes_nothing(&registers)))
		return;
	if (++injection->count != injection->number)
		return;
	injection->name = name_of((long)registers.orig_rax);
	if (!strcmp(injection->how, "kill") || !strcmp(injection->how, "kill-all")) {
		kill((pid_t)group_of(thread), SIGKILL);
		return;
	}
	if (!strcmp(injection->how, "count"))
		return;
	registers.orig_rax = (unsigned long long)-1; // no call (seccomp(2), SECCOMP_RET_TRACE)
	registers.rax = (unsigned long long)-atol(injection->how);
	ptrace(PTRACE_SETREGS, thread, 0, &registers);
}

static int say(const struct injection *injection, int status)
{
	fprintf(stderr, "inject: %ld %s\n", injection->count, injection->name ? injection->name : "");
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
		if (injection->name && !strcmp(injection->how, "kill-all"))
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
	pid_t child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		stop_at_calls(injection.all);
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
