// Kernel calls as C functions, those that only the audit module needs: locks, advice, a child that shares the memory.
#pragma once

#include "kernel.h"

#if defined(__x86_64__)
enum { NR_ioctl = 16, NR_madvise = 28, NR_geteuid = 107, NR_setsid = 112, NR_rt_sigtimedwait = 128, NR_futex = 202 };
#elif defined(__aarch64__)
enum { NR_ioctl = 29, NR_futex = 98, NR_rt_sigtimedwait = 137, NR_setsid = 157, NR_geteuid = 175, NR_madvise = 233 };
#elif defined(__i386__)
enum { NR_ioctl = 54, NR_setsid = 66, NR_rt_sigtimedwait = 177, NR_geteuid = 201, NR_madvise = 219, NR_futex = 240 };
#endif

#define O_APPEND 02000

enum { STANDARD_INPUT, STANDARD_OUTPUT, STANDARD_ERROR };
enum { SIGHUP = 1, SIGQUIT = 3 };

struct native_time {
	long seconds, nanoseconds;
};

static inline long kernel_effective_user(void)
{
	return arch_system_call_3(NR_geteuid, 0, 0, 0);
}
static inline bool kernel_is_terminal(int fd)
{
	enum { TCGETS = 0x5401 };
	char settings[256];
	return arch_system_call_3(NR_ioctl, fd, TCGETS, (long)settings) == 0;
}
// The pages are zero in a child of fork(2) (madvise(2), Linux 4.14).
static inline long kernel_wipe_on_fork(void *pages, size_t size)
{
	enum { MADV_WIPEONFORK = 18 };
	return arch_system_call_3(NR_madvise, (long)pages, (long)size, MADV_WIPEONFORK);
}
static inline long kernel_futex_wait(const int *word, int value, const struct native_time *patience)
{
	enum { FUTEX_WAIT_PRIVATE = 128 };
	return arch_system_call(NR_futex, (long)word, FUTEX_WAIT_PRIVATE, value, (long)patience, 0);
}
static inline long kernel_futex_wake(const int *word, int count)
{
	enum { FUTEX_WAKE_PRIVATE = 129 };
	return arch_system_call(NR_futex, (long)word, FUTEX_WAKE_PRIVATE, count, 0, 0);
}
static inline long kernel_swap_signal_mask(const uint64_t *mask, uint64_t *before)
{
	enum { SIG_SETMASK = 2 };
	return arch_system_call(NR_rt_sigprocmask, SIG_SETMASK, (long)mask, (long)before, sizeof *mask, 0);
}
// A session and a process group of its own, without a terminal.
static inline long kernel_leave_session(void)
{
	return arch_system_call_3(NR_setsid, 0, 0, 0);
}
static inline uint64_t signal_bit(int signal)
{
	return (uint64_t)1 << (signal - 1);
}
// Waits for one of these blocked signals, and takes it; -EAGAIN when the time is over.
static inline long kernel_wait_for_signal(uint64_t signals, const struct native_time *patience)
{
	return arch_system_call(NR_rt_sigtimedwait, (long)&signals, 0, (long)patience, sizeof signals, 0);
}
// 0 while the child still runs.
static inline long kernel_wait_now(long pid, int *status)
{
	enum { WNOHANG = 1, ANY_KIND_OF_CHILD = 0x40000000 };
	return arch_system_call(NR_wait4, pid, (long)status, WNOHANG | ANY_KIND_OF_CHILD, 0, 0);
}
// As vfork(2), with a choice of what the end of the child sends. The caller's frame is the child's too, so the child
// may only call a function that does not return. Nothing may lie on the stack meanwhile that the parent pops, nor the
// address that a call returns to: of i386, arch_system_call_6 would not do.
static ALWAYS_INLINE long kernel_share_memory(int exit_signal)
{
	enum { CLONE_VM = 0x100, CLONE_VFORK = 0x4000 };
	long flags = CLONE_VM | CLONE_VFORK | exit_signal;
	return arch_system_call(NR_clone, flags, 0, 0, 0, 0);
}
// Distinct for each thread that runs at the same time: where its thread storage is (psABI of each machine).
static inline uintptr_t thread_pointer(void)
{
	uintptr_t pointer;
#if defined(__x86_64__)
	__asm__("mov %%fs:0, %0" : "=r"(pointer));
#elif defined(__i386__)
	__asm__("mov %%gs:0, %0" : "=r"(pointer));
#else
	__asm__("mrs %0, tpidr_el0" : "=r"(pointer));
#endif
	return pointer;
}
