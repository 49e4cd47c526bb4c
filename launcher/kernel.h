// Kernel calls → C functions: each returns what the kernel returns, a negative errno on failure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// No call even where all is made small.
#define ALWAYS_INLINE inline __attribute__((always_inline))

// What of it differs from one architecture to the next.
#if defined(__x86_64__)
#include "arch-x86_64.h"
#elif defined(__aarch64__)
#include "arch-aarch64.h"
#elif defined(__i386__)
#include "arch-i386.h"
#else
#error "nix-run-foreign: no launcher for this architecture yet; write an arch-<machine>.h for it"
#endif

enum kernel_error {
	EPERM = 1,
	ENOENT = 2,
	EINTR = 4,
	EIO = 5,
	E2BIG = 7,
	ENOEXEC = 8,
	ECHILD = 10,
	EAGAIN = 11,
	ENOMEM = 12,
	EACCES = 13,
	EEXIST = 17,
	ENODEV = 19,
	ENOTDIR = 20,
	EINVAL = 22,
	EMFILE = 24,
	ETXTBSY = 26,
	ENAMETOOLONG = 36,
	ENOSYS = 38,
	ELOOP = 40,
	ELIBBAD = 80,
	ETIMEDOUT = 110,
	EHOSTDOWN = 112,
	ESTALE = 116,
	// Our own, behind those of every kernel (linux/err.h, MAX_ERRNO).
	ELOSES_CAPABILITIES = 4096,
};

enum { AT_CWD = -100, AT_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000 };
enum { ACCESS_EXISTS = 0, ACCESS_EXECUTE = 1 };
enum { PATH_SIZE = 4096, NAME_SIZE = 256 }; // PATH_MAX and NAME_MAX, both with the NUL

#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_NONBLOCK 04000
#define O_CLOEXEC 02000000
#define O_PATH 010000000
#define O_DIRECTORY ARCH_O_DIRECTORY
#define O_NOFOLLOW ARCH_O_NOFOLLOW

#define S_IFMT 0170000
#define S_IFDIR 0040000
#define S_IFREG 0100000
#define S_IFLNK 0120000
#define MODE_STICKY 01000
#define MODE_WRITABLE_BY_GROUP 0020
#define MODE_WRITABLE_BY_ALL 0002
#define MODE_WRITABLE_BY_OTHERS (MODE_WRITABLE_BY_GROUP | MODE_WRITABLE_BY_ALL)

enum { SIGINT = 2, SIGKILL = 9, SIGTERM = 15, SIGCHLD = 17 };

// arch_system_call_3 leaves anything in the places of the fourth and fifth argument: for calls that have none. The
// others give zeros for what is left out, as PR_CAP_AMBIENT wants (prctl(2)).
static inline long kernel_read(int fd, void *into, size_t size)
{
	return arch_system_call_3(NR_read, fd, (long)into, (long)size);
}
static inline long kernel_write(int fd, const void *from, size_t size)
{
	return arch_system_call_3(NR_write, fd, (long)from, (long)size);
}
static inline long kernel_open(int directory, const char *path, int flags)
{
	return arch_system_call_3(NR_openat, directory, (long)path, flags);
}
static inline long kernel_close(int fd)
{
	return arch_system_call_3(NR_close, fd, 0, 0);
}
#if ARCH_WIDENS_STAT
// With times of 64 bits, as the resolver has them. In freestanding.c.
long kernel_stat_at(int directory, const char *path, struct kernel_stat *status, int flags);

static inline long kernel_fstat(int fd, struct kernel_stat *status)
{
	return kernel_stat_at(fd, "", status, AT_EMPTY_PATH);
}
static inline long kernel_stat_path(const char *path, struct kernel_stat *status, int flags)
{
	return kernel_stat_at(AT_CWD, path, status, flags);
}
#else
static inline long kernel_fstat(int fd, struct kernel_stat *status)
{
	return arch_system_call_3(NR_fstat, fd, (long)status, 0);
}
static inline long kernel_stat_path(const char *path, struct kernel_stat *status, int flags)
{
	return arch_system_call(NR_newfstatat, AT_CWD, (long)path, (long)status, flags, 0);
}
#endif
static inline long kernel_access_at(int directory, const char *path, int mode)
{
	return arch_system_call_3(NR_faccessat, directory, (long)path, mode);
}
static inline long kernel_access(const char *path, int mode)
{
	return kernel_access_at(AT_CWD, path, mode);
}
static inline long kernel_readlink(const char *path, char *into, size_t size)
{
	return arch_system_call(NR_readlinkat, AT_CWD, (long)path, (long)into, (long)size, 0);
}
// The size of an extended attribute's value, or a negative errno.
static inline long kernel_attribute_size(const char *path, const char *name)
{
	return arch_system_call(NR_getxattr, (long)path, (long)name, 0, 0, 0);
}
static inline long kernel_getcwd(char *into, size_t size)
{
	return arch_system_call_3(NR_getcwd, (long)into, (long)size, 0);
}
static inline long kernel_change_to_open(int directory)
{
	return arch_system_call_3(NR_fchdir, directory, 0, 0);
}
static inline long kernel_make_directory(const char *path)
{
	return arch_system_call_3(NR_mkdirat, AT_CWD, (long)path, 0755);
}
static inline long kernel_make_file(const char *path)
{
	return arch_system_call(NR_mknodat, AT_CWD, (long)path, S_IFREG | 0444, 0, 0);
}
static inline long kernel_make_link(const char *target, const char *path)
{
	return arch_system_call_3(NR_symlinkat, (long)target, AT_CWD, (long)path);
}
static inline long kernel_umask(long mask)
{
	return arch_system_call_3(NR_umask, mask, 0, 0);
}
struct kernel_directory_entry {
	uint64_t inode;
	int64_t next;
	uint16_t size;
	uint8_t type;
	char name[];
};
enum { ENTRY_IS_UNKNOWN = 0, ENTRY_IS_DIRECTORY = 4, ENTRY_IS_LINK = 10 };

// The entries of an open directory, one after the other; how many bytes they take, 0 at its end.
static inline long kernel_read_directory(int fd, void *into, size_t size)
{
	return arch_system_call_3(NR_getdents64, fd, (long)into, (long)size);
}
enum { MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8, MS_REMOUNT = 0x20 };
enum { MS_BIND = 0x1000, MS_MOVE = 0x2000, MS_REC = 0x4000, MS_SLAVE = 0x80000 };

static inline long kernel_mount(const char *source, const char *target, unsigned long flags)
{
	return arch_system_call(NR_mount, (long)source, (long)target, 0, (long)flags, 0);
}
static inline long kernel_mount_new(const char *type, const char *target, unsigned long flags, const char *options)
{
	return arch_system_call(NR_mount, (long)type, (long)target, (long)type, (long)flags, (long)options);
}
// A copy of what is mounted there and below, not attached anywhere (open_tree(2), Linux 5.2). An automount is copied
// as it is.
static inline long kernel_copy_mounts(const char *path)
{
	enum { OPEN_TREE_CLONE = 1, AT_NO_AUTOMOUNT = 0x800, AT_RECURSIVE = 0x8000 };
	return arch_system_call_3(NR_open_tree, AT_CWD, (long)path,
				  OPEN_TREE_CLONE | AT_NO_AUTOMOUNT | AT_RECURSIVE | O_CLOEXEC);
}
static inline long kernel_attach_mounts(int tree, const char *path)
{
	enum { MOVE_MOUNT_F_EMPTY_PATH = 4 };
	return arch_system_call(NR_move_mount, tree, (long)"", AT_CWD, (long)path, MOVE_MOUNT_F_EMPTY_PATH);
}
static inline long kernel_chroot(const char *path)
{
	return arch_system_call_3(NR_chroot, (long)path, 0, 0);
}
static inline long kernel_chdir(const char *path)
{
	return arch_system_call_3(NR_chdir, (long)path, 0, 0);
}
static inline long kernel_execve(const char *path, char *const *argv, char *const *envp)
{
	return arch_system_call_3(NR_execve, (long)path, (long)argv, (long)envp);
}

enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_FIXED = 16, MAP_ANONYMOUS = 32 };

// An address may look like a negative number; errors are the last 4095 values (mmap(2), "C library/kernel
// differences").
static inline bool is_kernel_error(long result)
{
	return (unsigned long)result > -4096UL;
}
static inline long kernel_map(uintptr_t address, size_t size, int protection, int flags, int fd, size_t offset)
{
	long units = (long)(offset / ARCH_MMAP_UNIT);
	return arch_system_call_6(NR_mmap, (long)address, (long)size, protection, flags, fd, units);
}
// Zeroed memory, private or shared with children.
static inline long kernel_map_memory(size_t size, int sharing)
{
	return kernel_map(0, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
}
static inline long kernel_unmap(uintptr_t address, size_t size)
{
	return arch_system_call_3(NR_munmap, (long)address, (long)size, 0);
}
// What is written beyond RLIMIT_FSIZE ends the process (SIGXFSZ, setrlimit(2)), or is written in part.
enum resource { RLIMIT_FSIZE = 1, RLIMIT_STACK = 3, RLIMIT_NOFILE = 7 };

// The soft limit; UINT64_MAX where there is none, or where it cannot be asked for.
static inline uint64_t kernel_limit(enum resource resource)
{
	uint64_t limit[2];
	long failed = arch_system_call(NR_prlimit64, 0, resource, 0, (long)limit, 0);
	return failed < 0 ? UINT64_MAX : limit[0];
}
// Raises the soft limit to `value`, as far as the hard one allows.
static inline void kernel_raise_limit(enum resource resource, uint64_t value)
{
	uint64_t limit[2];
	if (arch_system_call(NR_prlimit64, 0, resource, 0, (long)limit, 0) < 0 || limit[0] >= value)
		return;
	limit[0] = limit[1] < value ? limit[1] : value;
	arch_system_call(NR_prlimit64, 0, resource, (long)limit, 0, 0);
}
struct kernel_time {
	int64_t seconds, nanoseconds;
};
// Seconds since 1970, cheap and exact to a few milliseconds.
static inline long kernel_clock(struct kernel_time *now)
{
	enum { CLOCK_REALTIME_COARSE = 5 };
	return arch_system_call_3(NR_clock_gettime, CLOCK_REALTIME_COARSE, (long)now, 0);
}
// Sets the times of a file, or of a symbolic link itself, to now.
static inline long kernel_touch(const char *path)
{
	return arch_system_call(NR_utimensat, AT_CWD, (long)path, 0, AT_NOFOLLOW, 0);
}
static inline _Noreturn void kernel_exit(int status)
{
	for (;;)
		arch_system_call_3(NR_exit_group, status, 0, 0);
}

// With no stack of its own the child goes on from here with a copy of everything, as after fork(2).
static inline long kernel_fork(int exit_signal)
{
	return arch_system_call(NR_clone, exit_signal, 0, 0, 0, 0);
}
// After unshare(CLONE_NEWPID) the next child is the first process of a pid namespace, and no other can be there when it
// has ended. Until then the namespace is only seen as a link that leads nowhere (Linux 4.12; fs/proc/namespaces.c).
static inline bool kernel_children_are_elsewhere(void)
{
	static const char of_children[] = "/proc/thread-self/ns/pid_for_children";
	struct kernel_stat own, other;
	if (kernel_stat_path("/proc/thread-self/ns/pid", &own, 0) < 0 ||
	    kernel_stat_path(of_children, &other, AT_NOFOLLOW) < 0)
		return false;
	return kernel_stat_path(of_children, &other, 0) < 0 || own.st_ino != other.st_ino;
}
static inline long kernel_wait(long pid, int *status)
{
	enum { ANY_KIND_OF_CHILD = 0x40000000 }; // __WALL: also children whose exit signal is not SIGCHLD
	return arch_system_call(NR_wait4, pid, (long)status, ANY_KIND_OF_CHILD, 0, 0);
}
static inline long kernel_getpid(void)
{
	return arch_system_call_3(NR_getpid, 0, 0, 0);
}
static inline long kernel_getppid(void)
{
	return arch_system_call_3(NR_getppid, 0, 0, 0);
}
static inline long kernel_kill(long pid, int signal)
{
	return arch_system_call_3(NR_kill, pid, signal, 0);
}
static inline long kernel_set_death_signal(int signal)
{
	enum { PR_SET_PDEATHSIG = 1 };
	return arch_system_call(NR_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0);
}
// 1 or 0; -EINVAL for one that this kernel does not have, and before Linux 4.3.
static inline long kernel_is_capability_ambient(int capability)
{
	enum { PR_CAP_AMBIENT = 47, PR_CAP_AMBIENT_IS_SET = 1 };
	return arch_system_call(NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0);
}
static inline long kernel_set_signal_mask(uint64_t mask)
{
	enum { SIG_SETMASK = 2 };
	return arch_system_call(NR_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask, 0);
}
static inline long kernel_default_action(int signal)
{
	const struct {
		uint64_t handler, flags, restorer, mask;
	} action = {0, 0, 0, 0}; // SIG_DFL
	return arch_system_call(NR_rt_sigaction, signal, (long)&action, 0, sizeof action.mask, 0);
}
// A file in memory, without a name in any directory, to be closed by the next execve.
static inline long kernel_memory_file(void)
{
	enum { MFD_CLOEXEC = 1 };
	return arch_system_call_3(NR_memfd_create, (long)"", MFD_CLOEXEC, 0);
}
static inline long kernel_execve_open(int fd, char *const *argv, char *const *envp)
{
	return arch_system_call(NR_execveat, fd, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
}
static inline long kernel_dup_onto(int from, int onto)
{
	return arch_system_call_3(NR_dup3, from, onto, 0);
}
static inline long kernel_pipe(int ends[2])
{
	return arch_system_call_3(NR_pipe2, (long)ends, 0, 0);
}
static inline void kernel_close_from(unsigned first)
{
	enum { HIGHEST_TRIED = 65536 };
	if (arch_system_call_3(NR_close_range, first, ~0u, 0) == 0)
		return;
	uint64_t limit = kernel_limit(RLIMIT_NOFILE); // Linux before 5.9
	if (limit > HIGHEST_TRIED)
		limit = HIGHEST_TRIED;
	for (unsigned fd = first; fd < (unsigned)limit; fd++)
		kernel_close((int)fd);
}
