// Executes a program for which every directory is read as from FUSE: a page at a time, and of no type.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void forget_types(pid_t child, const struct user_regs_struct *registers)
{
	char page[PAGE];
	struct iovec here = {page, registers->rax}, there = {(void *)registers->rsi, registers->rax};
	process_vm_readv(child, &here, 1, &there, 1, 0);
	for (size_t at = 0; at < registers->rax; at += ((struct dirent64 *)(page + at))->d_reclen)
		((struct dirent64 *)(page + at))->d_type = DT_UNKNOWN;
	process_vm_writev(child, &here, 1, &there, 1, 0);
}

int main(int argc, char **argv)
{
	pid_t child = fork();
	int status;
	(void)argc;
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	for (int is_within = 0; waitpid(child, &status, 0) > 0 && WIFSTOPPED(status);) {
		struct user_regs_struct registers;
		ptrace(PTRACE_GETREGS, child, 0, &registers);
		is_within = WSTOPSIG(status) == SIGTRAP && !is_within && registers.rax == (unsigned long)-ENOSYS;
		if (is_within && registers.orig_rax == SYS_getdents64 && registers.rdx > PAGE) {
			registers.rdx = PAGE;
			ptrace(PTRACE_SETREGS, child, 0, &registers);
		} else if (!is_within && registers.orig_rax == SYS_getdents64 && (long)registers.rax > 0)
			forget_types(child, &registers);
		ptrace(PTRACE_SYSCALL, child, 0, 0);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
