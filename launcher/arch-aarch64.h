// The kernel's aarch64 interface: entry, system call, numbers, struct stat, flags.
// Sources: include/uapi/asm-generic/unistd.h and stat.h, arch/arm64/include/uapi/asm/fcntl.h, AAPCS64 6.4.5.
#pragma once

// The kernel enters with the argument block at the stack pointer, which is always 16-aligned.
// Below the block a gap is left, into which it may grow.
#define ARCH_ENTRY                                                                                          \
	__asm__(".text\n.globl _start\n.hidden _start\n.type _start,%function\n_start:\n"                   \
		"\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tsub sp, sp, #128\n\tbl start_from_stack\n\tbrk #0\n"             \
		".size _start, .-_start\n")

// Entered in place of the program's first instruction: the stack pointer, x0 (a function for atexit) and every other
// register but the linker's scratch x16 and x17 (IP0, IP1) must be for the program what ld.so left in them (AAPCS64
// 6.1.1, 6.4.5).
#define ARCH_TRAMPOLINE                                                                                      \
	__asm__(".text\n.globl trampoline\n.hidden trampoline\n.type trampoline,%function\ntrampoline:\n"     \
		"\thint #34\n\tstp x0, x1, [sp, #-176]!\n\tstp x2, x3, [sp, #16]\n\tstp x4, x5, [sp, #32]\n"     \
		"\tstp x6, x7, [sp, #48]\n\tstp x8, x9, [sp, #64]\n\tstp x10, x11, [sp, #80]\n"                 \
		"\tstp x12, x13, [sp, #96]\n\tstp x14, x15, [sp, #112]\n\tstp x18, x29, [sp, #128]\n"           \
		"\tmrs x9, nzcv\n\tstp x30, x9, [sp, #144]\n\tbl trampoline_restore\n"                         \
		"\tldp x30, x9, [sp, #144]\n\tmsr nzcv, x9\n\tldp x18, x29, [sp, #128]\n"                      \
		"\tldp x14, x15, [sp, #112]\n\tldp x12, x13, [sp, #96]\n\tldp x10, x11, [sp, #80]\n"            \
		"\tldp x8, x9, [sp, #64]\n\tldp x6, x7, [sp, #48]\n\tldp x4, x5, [sp, #32]\n"                   \
		"\tldp x2, x3, [sp, #16]\n\tldp x0, x1, [sp], #176\n_dl_debug_state:\n\tadrp x16, trampoline_target\n"            \
		"\tldr x16, [x16, :lo12:trampoline_target]\n\tbr x16\n"                                        \
		".size trampoline, .-trampoline\n")

// To a loader, as the kernel would enter it.
static inline _Noreturn void arch_enter(uintptr_t entry, uintptr_t *block)
{
	register uintptr_t target __asm__("x16") = entry;
	__asm__ volatile("mov sp, %0\n\tmov x0, #0\n\tmov x29, #0\n\tmov x30, #0\n\tbr %1"
			 :
			 : "r"(block), "r"(target)
			 : "memory", "x0", "x30");
	__builtin_unreachable();
}

#define ARCH_CALLED_FROM_OUTSIDE

#define ARCH_NIX_SYSTEM "aarch64_linux"
#define ARCH_ELF_MACHINE 183 // EM_AARCH64
#define ARCH_RELOC_RELATIVE 1027 // R_AARCH64_RELATIVE

#define ARCH_RUNS_I386 0

#define ARCH_MMAP_UNIT 1

#define ARCH_O_DIRECTORY 040000
#define ARCH_O_NOFOLLOW 0100000

enum system_call_number {
	NR_getcwd = 17,
	NR_dup3 = 24,
	NR_mount = 40,
	NR_faccessat = 48,
	NR_chdir = 49,
	NR_openat = 56,
	NR_close = 57,
	NR_read = 63,
	NR_write = 64,
	NR_readlinkat = 78,
	NR_getxattr = 8,
	NR_newfstatat = 79,
	NR_fstat = 80,
	NR_utimensat = 88,
	NR_exit_group = 94,
	NR_unshare = 97,
	NR_clock_gettime = 113,
	NR_kill = 129,
	NR_rt_sigaction = 134,
	NR_rt_sigprocmask = 135,
	NR_prctl = 167,
	NR_getpid = 172,
	NR_getppid = 173,
	NR_clone = 220,
	NR_execve = 221,
	NR_munmap = 215,
	NR_mmap = 222,
	NR_wait4 = 260,
	NR_memfd_create = 279,
	NR_execveat = 281,
	NR_pipe2 = 59,
	NR_prlimit64 = 261,
	NR_mknodat = 33,
	NR_mkdirat = 34,
	NR_symlinkat = 36,
	NR_fchdir = 50,
	NR_getdents64 = 61,
	NR_umask = 166,
	NR_chroot = 51,
	NR_open_tree = 428,
	NR_move_mount = 429,
	NR_close_range = 436,
};

#define ARCH_WIDENS_STAT 0

struct kernel_stat {
	uint64_t st_dev, st_ino;
	uint32_t st_mode, st_nlink, st_uid, st_gid;
	uint64_t st_rdev, pad1;
	int64_t st_size;
	int32_t st_blksize, pad2;
	int64_t st_blocks;
	int64_t st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
	uint32_t unused[2];
};
_Static_assert(sizeof(struct kernel_stat) == 128, "struct stat of aarch64");

static inline long arch_system_call_3(long number, long a, long b, long c)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
static ALWAYS_INLINE long arch_system_call(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}
static inline long arch_system_call_6(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
