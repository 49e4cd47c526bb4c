// One record of a plan to whether what it says of the file system still holds.
#include "plan-conditions.h"
#include "kernel.h"
#include "program.h"
#include "text.h"

static const char *relative = "a path in the plan is not absolute";

static const char *exists(const char *path, const struct open_directory *directory)
{
	if (path[0] != '/')
		return relative;
	const char *inside = directory->path ? text_after(path, directory->path) : NULL;
	bool found = inside && inside[0] == '/' && inside[1] != '/' && inside[1] != '\0'
			     ? kernel_access_at((int)directory->fd, inside + 1, ACCESS_EXISTS) == 0
			     : kernel_access(path, ACCESS_EXISTS) == 0;
	return found ? NULL : "a file of the plan is gone";
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

void condition_end(struct open_directory *directory)
{
	if (directory->fd >= 0)
		kernel_close((int)directory->fd);
	*directory = NO_OPEN_DIRECTORY;
}

static const char *is_trusted_directory(const struct process *process, const char *path,
					struct open_directory *directory)
{
	struct kernel_stat status;
	if (path[0] != '/')
		return relative;
	condition_end(directory);
	long fd = kernel_open(AT_CWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -ENOTDIR || fd == -ELOOP)
		return "a directory of the plan is none";
	if (fd < 0)
		return "a directory of the plan is gone";
	*directory = (struct open_directory){.path = path, .fd = fd};
	if (kernel_fstat((int)fd, &status) < 0)
		return "a directory of the plan is gone";
	bool owned = status.st_uid == process->euid || status.st_uid == 0;
	return owned && !(status.st_mode & MODE_WRITABLE_BY_OTHERS)
		   ? NULL
		   : "a directory of the plan is not only ours to write";
}

const char *condition_unmet(const struct process *process, const char *record, struct open_directory *directory)
{
	switch (record[0]) {
	case 'f':
		return exists(record + 1, directory);
	case 'w':
		return is_unchanged(record + 1);
	case 'a':
		return is_absent(record + 1);
	case 'd':
		return is_trusted_directory(process, record + 1, directory);
	default:
		return NULL;
	}
}
