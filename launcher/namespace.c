// An interpreter path → a mount namespace of this process, in which the launcher lies over that path.
#include "launch.h"

enum { CLONE_NEWNS = 0x00020000, CLONE_NEWUSER = 0x10000000 };

static long unshare(unsigned long what)
{
	return arch_system_call_3(NR_unshare, (long)what, 0, 0);
}

static long write_file(const char *path, const char *line)
{
	long fd = kernel_open(AT_CWD, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	long written = kernel_write((int)fd, line, text_length(line));
	kernel_close((int)fd);
	return written < 0 ? written : 0;
}

// The same id inside as outside, and no other (user_namespaces(7), "Defining user and group ID mappings").
static long map_id(const char *path, uint32_t id)
{
	char line[40];
	struct text text = text_in(line, sizeof line);
	text_add_unsigned(&text, id);
	text_add(&text, " ");
	text_add_unsigned(&text, id);
	text_add(&text, " 1\n");
	return write_file(path, line);
}

// Until the process has left, an error changes nothing.
static struct namespace_entry stays(long error)
{
	return (struct namespace_entry){.error = error};
}

// A new user namespace takes them all away, silently (kernel/user_namespace.c, set_cred_user_ns). The question is an
// error for a number beyond the last one. Everybody at a seat is given CAP_WAKE_ALARM (pam_systemd(8), since 254).
static bool loses_ambient_capability(void)
{
	enum { CAP_WAKE_ALARM = 35 };
	long is_set = 0;
	for (int capability = 0; is_set == 0; capability++)
		is_set = capability == CAP_WAKE_ALARM ? 0 : kernel_is_capability_ambient(capability);
	return is_set > 0;
}

static struct namespace_entry leave_with_user_namespace(const struct process *process)
{
	long failed = kernel_access("/proc/self/uid_map", ACCESS_EXISTS);
	if (failed == 0 && loses_ambient_capability())
		failed = -ELOSES_CAPABILITIES;
	if (failed == 0)
		failed = unshare(CLONE_NEWUSER | CLONE_NEWNS);
	if (failed < 0)
		return stays(failed);
	failed = map_id("/proc/self/uid_map", process->euid);
	// Without the right to change groups one may only map one's own after giving that up for ever.
	if (failed == 0)
		failed = write_file("/proc/self/setgroups", "deny");
	if (failed == 0)
		failed = map_id("/proc/self/gid_map", process->egid);
	return (struct namespace_entry){.error = failed, .left = true, .other_user = true};
}

// Root needs no user namespace, and its children keep all that they can do.
struct namespace_entry namespace_leave(const struct process *process)
{
	if (unshare(CLONE_NEWNS) < 0)
		return leave_with_user_namespace(process);
	// A new namespace of the same user still tells the old one of every mount (mount_namespaces(7)).
	return (struct namespace_entry){.error = kernel_mount(0, "/", MS_REC | MS_SLAVE), .left = true};
}

// Only a file can lie over a file, and both must be there (mount(2)).
static long why_not_covered(const char *path, const char *interpreter_path)
{
	struct kernel_stat status;
	long failed = kernel_access(path, ACCESS_EXISTS);
	if (failed == 0)
		failed = kernel_stat_path(interpreter_path, &status, 0);
	if (failed < 0)
		return failed;
	return (status.st_mode & S_IFMT) == S_IFDIR ? -ENOTDIR : 0;
}

struct namespace_entry namespace_enter(const struct process *process, const char *interpreter_path)
{
	char *path = memory_take(PATH_SIZE);
	if (!path || !launcher_path(process, path))
		return stays(-ENOENT);
	long failed = why_not_covered(path, interpreter_path);
	if (failed < 0)
		return stays(failed);
	struct namespace_entry entry = namespace_leave(process);
	if (entry.error == 0)
		entry.error = kernel_mount(path, interpreter_path, MS_BIND);
	return entry;
}
