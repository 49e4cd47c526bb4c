// The kernel's x86-64 interface: entry, system call, numbers, struct stat, flags.
// Sources: arch/x86/entry/syscalls/syscall_64.tbl, arch/x86/include/uapi/asm/stat.h, System V ABI x86-64 3.4.1.
#pragma once

// The kernel enters with the argument block at the stack pointer; the ABI wants the stack 16-aligned at a call.
// Below the block a gap is left, into which it may grow.
#define ARCH_ENTRY                                                                                          \
	__asm__(".text\n.globl _start\n.hidden _start\n.type _start,@function\n_start:\n"                   \
		"\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tsub $128, %rsp\n\tand $-16, %rsp\n"                       \
		"\tcall start_from_stack\n\thlt\n"    \
		".size _start, .-_start\n")

// Entered in place of the program's first instruction: the stack pointer, rdx (a function for atexit) and every other
// register must be for the program what ld.so left in them (System V ABI x86-64, 3.4.1). Its function is the name's.
#define ARCH_TRAMPOLINE                                                                                      \
	__asm__(".text\n.globl trampoline\n.hidden trampoline\n.type trampoline,@function\ntrampoline:\n"     \
		"\tendbr64\n\tpushfq\n\tpush %rax\n\tpush %rcx\n\tpush %rdx\n\tpush %rsi\n\tpush %rdi\n"      \
		"\tpush %r8\n\tpush %r9\n\tpush %r10\n\tpush %r11\n\tcld\n\tcall trampoline_restore\n"         \
		"\tpop %r11\n\tpop %r10\n\tpop %r9\n\tpop %r8\n\tpop %rdi\n\tpop %rsi\n\tpop %rdx\n"          \
		"\tpop %rcx\n\tpop %rax\n\tpopfq\n_dl_debug_state:\n\tjmp *trampoline_target(%rip)\n"                            \
		".size trampoline, .-trampoline\n")

// To a loader, as the kernel would enter it.
static inline _Noreturn void arch_enter(uintptr_t entry, uintptr_t *block)
{
	__asm__ volatile("mov %0, %%rsp\n\txor %%edx, %%edx\n\txor %%ebp, %%ebp\n\tjmp *%1"
			 :
			 : "r"(block), "a"(entry)
			 : "memory", "rdx");
	__builtin_unreachable();
}

#define ARCH_CALLED_FROM_OUTSIDE

#define ARCH_NIX_SYSTEM "x86_64_linux"
#define ARCH_ELF_MACHINE 62 // EM_X86_64
#define ARCH_RELOC_RELATIVE 8 // R_X86_64_RELATIVE

#define ARCH_RUNS_I386 1 // where the kernel is built and started so

#define ARCH_MMAP_UNIT 1

#define ARCH_O_DIRECTORY 0200000
#define ARCH_O_NOFOLLOW 0400000

enum system_call_number {
	NR_read = 0,
	NR_write = 1,
	NR_close = 3,
	NR_fstat = 5,
	NR_mmap = 9,
	NR_munmap = 11,
	NR_rt_sigaction = 13,
	NR_rt_sigprocmask = 14,
	NR_getpid = 39,
	NR_clone = 56,
	NR_execve = 59,
	NR_wait4 = 61,
	NR_kill = 62,
	NR_getcwd = 79,
	NR_chdir = 80,
	NR_getppid = 110,
	NR_prctl = 157,
	NR_mount = 165,
	NR_clock_gettime = 228,
	NR_exit_group = 231,
	NR_openat = 257,
	NR_newfstatat = 262,
	NR_readlinkat = 267,
	NR_getxattr = 191,
	NR_faccessat = 269,
	NR_unshare = 272,
	NR_utimensat = 280,
	NR_dup3 = 292,
	NR_memfd_create = 319,
	NR_execveat = 322,
	NR_pipe2 = 293,
	NR_prlimit64 = 302,
	NR_fchdir = 81,
	NR_umask = 95,
	NR_getdents64 = 217,
	NR_mkdirat = 258,
	NR_mknodat = 259,
	NR_symlinkat = 266,
	NR_chroot = 161,
	NR_open_tree = 428,
	NR_move_mount = 429,
	NR_close_range = 436,
};

#define ARCH_WIDENS_STAT 0

struct kernel_stat {
	uint64_t st_dev, st_ino, st_nlink;
	uint32_t st_mode, st_uid, st_gid, pad0;
	uint64_t st_rdev;
	int64_t st_size, st_blksize, st_blocks;
	int64_t st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
	int64_t unused[3];
};
_Static_assert(sizeof(struct kernel_stat) == 144, "struct stat of x86-64");

static inline long arch_system_call_3(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}
static ALWAYS_INLINE long arch_system_call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
static inline long arch_system_call_6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
