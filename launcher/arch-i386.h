// The kernel's i386 interface: entry, trampoline, system call, numbers, struct stat64, flags.
// Sources: arch/x86/entry/syscalls/syscall_32.tbl, arch/x86/include/uapi/asm/stat.h, System V ABI i386 2.2.2 and 2.3.
#pragma once

// The kernel enters with the argument block at the stack pointer. Below it a gap is left, into which it may grow.
#define ARCH_ENTRY                                                                                            \
	__asm__(".text\n.globl _start\n.hidden _start\n.type _start,@function\n_start:\n"                     \
		"\txor %ebp, %ebp\n\tmov %esp, %eax\n\tsub $128, %esp\n\tand $-16, %esp\n\tsub $12, %esp\n"   \
		"\tpush %eax\n\tcall start_from_stack\n\thlt\n.size _start, .-_start\n")

// Entered in place of the program's first instruction: the stack pointer, edx (a function for atexit) and every other
// register must be for the program what ld.so left in them. There is no jump relative to the code, so the target is
// returned to.
#define ARCH_TRAMPOLINE                                                                                       \
	__asm__(".text\n.globl trampoline\n.hidden trampoline\n.type trampoline,@function\ntrampoline:\n"     \
		"\tpush %eax\n\tpushf\n\tpusha\n\tcld\n\tsub $8, %esp\n\tcall trampoline_restore\n"           \
		"\tadd $8, %esp\n\tmov %eax, 36(%esp)\n\tpopa\n\tpopf\n_dl_debug_state:\n\tret\n"             \
		".size trampoline, .-trampoline\n")

// To a loader, as the kernel would enter it.
static inline _Noreturn void arch_enter(uintptr_t entry, uintptr_t *block)
{
	__asm__ volatile("mov %0, %%esp\n\txor %%edx, %%edx\n\txor %%ebp, %%ebp\n\tjmp *%1"
			 :
			 : "c"(block), "a"(entry)
			 : "memory", "edx");
	__builtin_unreachable();
}

// Of a function that code calls which is not ours: arguments on the stack, whatever -mregparm says.
#define ARCH_CALLED_FROM_OUTSIDE __attribute__((regparm(0)))

#define ARCH_NIX_SYSTEM "i686_linux"
#define ARCH_ELF_MACHINE 3 // EM_386
#define ARCH_RELOC_RELATIVE 8 // R_386_RELATIVE

#define ARCH_RUNS_I386 0 // beside its own

#define ARCH_MMAP_UNIT 4096 // mmap2(2)

#define ARCH_O_DIRECTORY 0200000
#define ARCH_O_NOFOLLOW 0400000

enum system_call_number {
	NR_read = 3,
	NR_write = 4,
	NR_close = 6,
	NR_execve = 11,
	NR_chdir = 12,
	NR_getpid = 20,
	NR_mount = 21,
	NR_kill = 37,
	NR_getppid = 64,
	NR_munmap = 91,
	NR_wait4 = 114,
	NR_clone = 120,
	NR_prctl = 172,
	NR_rt_sigaction = 174,
	NR_rt_sigprocmask = 175,
	NR_getcwd = 183,
	NR_mmap = 192,
	NR_fstat = 197,
	NR_getxattr = 229,
	NR_exit_group = 252,
	NR_openat = 295,
	NR_newfstatat = 300,
	NR_readlinkat = 305,
	NR_faccessat = 307,
	NR_utimensat = 320,
	NR_dup3 = 330,
	NR_memfd_create = 356,
	NR_execveat = 358,
	NR_pipe2 = 331,
	NR_prlimit64 = 340,
	NR_clock_gettime = 403, // clock_gettime64: struct kernel_time has 64 bits
	NR_unshare = 310,
	NR_umask = 60,
	NR_fchdir = 133,
	NR_getdents64 = 220,
	NR_mkdirat = 296,
	NR_mknodat = 297,
	NR_symlinkat = 304,
	NR_chroot = 61,
	NR_statx = 383,
	NR_open_tree = 428,
	NR_move_mount = 429,
	NR_close_range = 436,
};

// The times of stat64 end in 2038. The audit module does with them: it compares them with one another, and a program's
// filter of system calls may not know statx.
#ifdef NARROW_STAT
#define ARCH_WIDENS_STAT 0
struct kernel_stat {
#else
#define ARCH_WIDENS_STAT 1
// struct statx (include/uapi/linux/stat.h), and the number of the device behind it.
struct kernel_stat {
	uint32_t mask, st_blksize;
	uint64_t attributes;
	uint32_t st_nlink, st_uid, st_gid;
	uint16_t st_mode, pad0;
	uint64_t st_ino;
	int64_t st_size;
	uint64_t st_blocks, attributes_mask;
	int64_t st_atime;
	uint32_t st_atime_nsec, pad1;
	int64_t birth_time;
	uint32_t birth_time_nsec, pad2;
	int64_t st_ctime;
	uint32_t st_ctime_nsec, pad3;
	int64_t st_mtime;
	uint32_t st_mtime_nsec, pad4;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t unused[14];
	uint64_t st_dev;
};
_Static_assert(sizeof(struct kernel_stat) == 256 + sizeof(uint64_t), "struct statx");

struct narrow_stat {
#endif
	uint64_t st_dev;
	uint32_t pad0, low_ino, st_mode, st_nlink, st_uid, st_gid;
	uint64_t st_rdev;
	uint32_t pad3;
	int64_t st_size;
	uint32_t st_blksize;
	uint64_t st_blocks;
	int32_t st_atime, st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec;
	uint64_t st_ino;
} __attribute__((packed));

static inline long arch_system_call_3(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}
static ALWAYS_INLINE long arch_system_call(long number, long a, long b, long c, long d, long e)
{
	long result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return result;
}
// The sixth argument goes in ebp, and the first in ebx, of which the compiler may need one: eax brings both along with
// the number.
static inline long arch_system_call_6(long number, long a, long b, long c, long d, long e, long f)
{
	const long frame[3] = {number, a, f};
	long result;
	__asm__ volatile("push %%ebp\n\tpush %%ebx\n\tmov 4(%%eax), %%ebx\n\tmov 8(%%eax), %%ebp\n\tmov (%%eax), %%eax\n\t"
			 "int $0x80\n\tpop %%ebx\n\tpop %%ebp"
			 : "=a"(result)
			 : "a"(frame), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return result;
}
