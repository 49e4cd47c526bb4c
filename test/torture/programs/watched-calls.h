// System calls at which something can happen → their names, and where their arguments say what they are about.
#include <sys/syscall.h>

/* Which argument says what the call is about: a path or a descriptor. */
enum subject { NOTHING, PATH_1, PATH_2, PATH_3, PATH_4, DESCRIPTOR, DESCRIPTOR_5 };

struct call {
	long number;
	const char *name;
	int only_in_all;
	enum subject subject;
};

/*
 * All that change files: a run of faults stops at one that call-kinds.ts has no errors of. Not io_uring_enter(2): Node
 * waits for descriptors by it, and does nothing to files but with UV_USE_IO_URING (libuv, linux.c).
 */
static const struct call calls[] = {
	{SYS_openat, "openat", 0, PATH_2},
	{SYS_open, "open", 0, PATH_1},
	{SYS_write, "write", 0, DESCRIPTOR},
	{SYS_pwrite64, "pwrite64", 0, DESCRIPTOR},
	{SYS_writev, "writev", 0, DESCRIPTOR},
	{SYS_ftruncate, "ftruncate", 0, DESCRIPTOR},
	{SYS_fsync, "fsync", 0, DESCRIPTOR},
	{SYS_fdatasync, "fdatasync", 0, DESCRIPTOR},
	{SYS_rename, "rename", 0, PATH_1},
	{SYS_renameat, "renameat", 0, PATH_2},
	{SYS_renameat2, "renameat2", 0, PATH_2},
	{SYS_link, "link", 0, PATH_1},
	{SYS_linkat, "linkat", 0, PATH_2},
	{SYS_unlink, "unlink", 0, PATH_1},
	{SYS_unlinkat, "unlinkat", 0, PATH_2},
	{SYS_rmdir, "rmdir", 0, PATH_1},
	{SYS_mkdir, "mkdir", 0, PATH_1},
	{SYS_mkdirat, "mkdirat", 0, PATH_2},
	{SYS_symlink, "symlink", 0, PATH_2},
	{SYS_symlinkat, "symlinkat", 0, PATH_3},
	{SYS_chmod, "chmod", 0, PATH_1},
	{SYS_fchmod, "fchmod", 0, DESCRIPTOR},
	{SYS_fchmodat, "fchmodat", 0, PATH_2},
	{SYS_utimensat, "utimensat", 0, PATH_2},
	{SYS_copy_file_range, "copy_file_range", 0, DESCRIPTOR},
	{SYS_creat, "creat", 0, PATH_1},
	{SYS_openat2, "openat2", 0, PATH_2},
	{SYS_pwritev, "pwritev", 0, DESCRIPTOR},
	{SYS_pwritev2, "pwritev2", 0, DESCRIPTOR},
	{SYS_truncate, "truncate", 0, PATH_1},
	{SYS_mknod, "mknod", 0, PATH_1},
	{SYS_mknodat, "mknodat", 0, PATH_2},
	{SYS_chown, "chown", 0, PATH_1},
	{SYS_lchown, "lchown", 0, PATH_1},
	{SYS_fchown, "fchown", 0, DESCRIPTOR},
	{SYS_fchownat, "fchownat", 0, PATH_2},
	{SYS_utime, "utime", 0, PATH_1},
	{SYS_utimes, "utimes", 0, PATH_1},
	{SYS_futimesat, "futimesat", 0, PATH_2},
	{SYS_setxattr, "setxattr", 0, PATH_1},
	{SYS_lsetxattr, "lsetxattr", 0, PATH_1},
	{SYS_fsetxattr, "fsetxattr", 0, DESCRIPTOR},
	{SYS_removexattr, "removexattr", 0, PATH_1},
	{SYS_lremovexattr, "lremovexattr", 0, PATH_1},
	{SYS_fremovexattr, "fremovexattr", 0, DESCRIPTOR},
	{SYS_sendfile, "sendfile", 0, DESCRIPTOR},
	{SYS_splice, "splice", 0, NOTHING},
	{SYS_ioctl, "ioctl", 0, DESCRIPTOR}, // FICLONE
	{SYS_execve, "execve", 0, PATH_1},
	{SYS_execveat, "execveat", 0, PATH_2},
	{SYS_mount, "mount", 0, PATH_2},
	{SYS_open_tree, "open_tree", 0, PATH_2},
	{SYS_move_mount, "move_mount", 0, PATH_4},
	{SYS_umount2, "umount2", 0, PATH_1},
	{SYS_pivot_root, "pivot_root", 0, PATH_1},
	{SYS_mmap, "mmap", 1, DESCRIPTOR_5}, // of files
	{SYS_read, "read", 1, DESCRIPTOR},
	{SYS_pread64, "pread64", 1, DESCRIPTOR},
	{SYS_stat, "stat", 1, PATH_1},
	{SYS_lstat, "lstat", 1, PATH_1},
	{SYS_fstat, "fstat", 1, DESCRIPTOR},
	{SYS_newfstatat, "newfstatat", 1, PATH_2},
	{SYS_statx, "statx", 1, PATH_2},
	{SYS_access, "access", 1, PATH_1},
	{SYS_faccessat, "faccessat", 1, PATH_2},
	{SYS_readlink, "readlink", 1, PATH_1},
	{SYS_readlinkat, "readlinkat", 1, PATH_2},
	{SYS_getdents64, "getdents64", 1, DESCRIPTOR},
	{SYS_pipe2, "pipe2", 1, NOTHING},
	{SYS_socket, "socket", 1, NOTHING},
	{SYS_wait4, "wait4", 1, NOTHING},
	{SYS_dup3, "dup3", 1, NOTHING},
	{SYS_memfd_create, "memfd_create", 1, NOTHING},
	{SYS_fcntl, "fcntl", 1, DESCRIPTOR},
	{SYS_flock, "flock", 1, DESCRIPTOR},
	{SYS_fallocate, "fallocate", 0, DESCRIPTOR},
	{SYS_lseek, "lseek", 1, DESCRIPTOR},
	{SYS_chdir, "chdir", 1, PATH_1},
	{SYS_fchdir, "fchdir", 1, DESCRIPTOR},
	{SYS_chroot, "chroot", 1, PATH_1},
	{SYS_statfs, "statfs", 1, PATH_1},
	{SYS_getcwd, "getcwd", 1, NOTHING},
	{SYS_unshare, "unshare", 1, NOTHING},
	{SYS_clone, "clone", 1, NOTHING},
	{SYS_clone3, "clone3", 1, NOTHING},
	{SYS_vfork, "vfork", 1, NOTHING},
	{SYS_poll, "poll", 1, NOTHING},
	{SYS_connect, "connect", 1, NOTHING},
};
enum { CALLS = sizeof calls / sizeof *calls };
