// One record of a plan to whether what it says of the file system still holds.
#include "plan-conditions.h"
#include "kernel.h"
#include "program.h"
#include "text.h"

static const char *relative = "a path in the plan is not absolute";

static const char *exists(const char *path)
{
	if (path[0] != '/')
		return relative;
	return kernel_access(path, ACCESS_EXISTS) == 0 ? NULL : "a file of the plan is gone";
}

static const char *is_unchanged(const char *value)
{
	char identity[IDENTITY_SIZE];
	struct kernel_stat status;
	const char *path = value;
	while (*path && *path != ' ')
		path++;
	if (*path != ' ' || path[1] != '/')
		return relative;
	if (kernel_stat_path(path + 1, &status, 0) < 0)
		return "a file of the plan is gone";
	identity_text(&status, identity);
	const char *after = text_after(value, identity);
	return after == path ? NULL : "a file of the plan has changed";
}

static const char *is_absent(const char *path)
{
	struct kernel_stat status;
	if (path[0] != '/')
		return relative;
	long found = kernel_stat_path(path, &status, 0);
	return found == -ENOENT || found == -ENOTDIR ? NULL : "a file that the plan wants absent may be there";
}

static const char *is_trusted_directory(const struct process *process, const char *path)
{
	struct kernel_stat status;
	if (path[0] != '/')
		return relative;
	if (kernel_stat_path(path, &status, AT_NOFOLLOW) < 0)
		return "a directory of the plan is gone";
	if ((status.st_mode & S_IFMT) != S_IFDIR)
		return "a directory of the plan is none";
	bool owned = status.st_uid == process->euid || status.st_uid == 0;
	return owned && !(status.st_mode & MODE_WRITABLE_BY_OTHERS)
		   ? NULL
		   : "a directory of the plan is not only ours to write";
}

const char *condition_unmet(const struct process *process, const char *record)
{
	switch (record[0]) {
	case 'f':
		return exists(record + 1);
	case 'w':
		return is_unchanged(record + 1);
	case 'k':
		// Whoever was entered as the program's interpreter knows who sits there.
		return process->role == ROLE_INTERPRETER ? NULL : is_unchanged(record + 1);
	case 'a':
		return is_absent(record + 1);
	case 'd':
		return is_trusted_directory(process, record + 1);
	default:
		return NULL;
	}
}
