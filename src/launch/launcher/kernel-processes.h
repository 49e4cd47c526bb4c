// Kernel calls about processes and signals, which only a miss needs.
#pragma once

#include "kernel.h"

// With no stack of its own the child goes on from here with a copy of everything, as after fork(2).
static inline long kernel_fork(int exit_signal)
{
	return arch_system_call(NR_clone, exit_signal, 0, 0, 0, 0, 0);
}
static inline long kernel_wait(long pid, int *status)
{
	enum { ANY_KIND_OF_CHILD = 0x40000000 }; // __WALL: also children whose exit signal is not SIGCHLD
	return arch_system_call(NR_wait4, pid, (long)status, ANY_KIND_OF_CHILD, 0, 0, 0);
}
static inline long kernel_getpid(void)
{
	return arch_system_call(NR_getpid, 0, 0, 0, 0, 0, 0);
}
static inline long kernel_getppid(void)
{
	return arch_system_call(NR_getppid, 0, 0, 0, 0, 0, 0);
}
static inline long kernel_kill(long pid, int signal)
{
	return arch_system_call(NR_kill, pid, signal, 0, 0, 0, 0);
}
static inline long kernel_set_death_signal(int signal)
{
	enum { PR_SET_PDEATHSIG = 1 };
	return arch_system_call(NR_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0, 0);
}
static inline long kernel_set_signal_mask(uint64_t mask)
{
	enum { SIG_SETMASK = 2 };
	return arch_system_call(NR_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask, 0, 0);
}
static inline long kernel_default_action(int signal)
{
	const struct {
		uint64_t handler, flags, restorer, mask;
	} action = {0, 0, 0, 0}; // SIG_DFL
	return arch_system_call(NR_rt_sigaction, signal, (long)&action, 0, sizeof action.mask, 0, 0);
}
static inline long kernel_dup_onto(int from, int onto)
{
	return arch_system_call(NR_dup3, from, onto, 0, 0, 0, 0);
}
static inline long kernel_close_range(unsigned first, unsigned last)
{
	return arch_system_call(NR_close_range, first, last, 0, 0, 0, 0);
}
static inline long kernel_open_files_limit(void)
{
	enum { RLIMIT_NOFILE = 7 };
	uint64_t limit[2];
	long failed = arch_system_call(NR_prlimit64, 0, RLIMIT_NOFILE, 0, (long)limit, 0, 0);
	return failed < 0 ? failed : (long)limit[0];
}
