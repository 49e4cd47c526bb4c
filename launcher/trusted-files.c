// Who may write a file → whether it is trusted; and an open file → its bytes.
#include "plan.h"

bool is_trusted(const struct process *process, const struct kernel_stat *status)
{
	return (status->st_uid == process->euid || status->st_uid == 0) &&
	       !(status->st_mode & MODE_WRITABLE_BY_OTHERS);
}

long why_not_trusted_directory(const struct process *process, int fd)
{
	struct kernel_stat status;
	long failed = kernel_fstat(fd, &status);
	if (failed < 0)
		return failed;
	return is_trusted(process, &status) ? 0 : -EACCES;
}

struct way {
	const struct process *process;
	uint32_t root_owner; // of the root directory
	char *path;
	size_t checked; // of the path; after the last component that was checked
	int links;
};

// The last way that was checked, without links: another that begins alike is checked from where it differs. In the
// file's data, not zeroed memory beyond it: NOTES.md says why.
static struct {
	const char *path;
	uint32_t root_owner;
} before __attribute__((section(".data")));

static bool is_trusted_on_way(const struct way *way, const struct kernel_stat *status)
{
	uint32_t owner = status->st_uid, writable = status->st_mode & MODE_WRITABLE_BY_OTHERS;
	if (owner != 0 && owner != way->process->euid && owner != way->root_owner)
		return false;
	if ((status->st_mode & S_IFMT) == S_IFLNK || status->st_mode & MODE_STICKY)
		return true;
	return writable == 0 || (writable == MODE_WRITABLE_BY_GROUP && status->st_gid == owner);
}

// How much of `path`, in whole components, was checked before.
static size_t length_checked_before(const char *path)
{
	size_t length = 0;
	for (size_t i = 0; before.path && before.path[i] && before.path[i] == path[i]; i++) {
		char here = path[i + 1], there = before.path[i + 1];
		if ((here == '/' || here == '\0') && (there == '/' || there == '\0'))
			length = i + 1;
	}
	return length;
}

// The link up to `end` becomes what it says, and the way begins anew.
static long follow_link(struct way *way, size_t end)
{
	enum { MOST_LINKS = 40 };
	char *target = memory_take(PATH_SIZE), *old = way->path;
	long length = target ? kernel_readlink(old, target, PATH_SIZE) : -ENOMEM;
	if (length < 0)
		return length;
	if (length == PATH_SIZE || ++way->links > MOST_LINKS)
		return -ELOOP;
	size_t size = end + (size_t)length + 2 + text_length(old + end + 1) + 2;
	way->path = memory_take(size);
	if (!way->path)
		return -ENOMEM;
	struct text text = text_in(way->path, size);
	text_add_bytes(&text, old, target[0] == '/' ? 0 : way->checked);
	text_add(&text, target[0] == '/' ? "" : "/");
	text_add_bytes(&text, target, (size_t)length);
	text_add(&text, "/");
	text_add(&text, old + end + 1);
	way->path[text.used + 1] = '\0';
	way->checked = 0;
	return 0;
}

// Checks one component more.
static long check_next(struct way *way)
{
	struct kernel_stat status;
	size_t end = way->checked;
	while (way->path[end] == '/')
		end++;
	while (way->path[end] && way->path[end] != '/')
		end++;
	char after = way->path[end];
	way->path[end] = '\0';
	long failed = kernel_stat_path(way->path, &status, AT_NOFOLLOW);
	if (failed == 0 && !is_trusted_on_way(way, &status))
		failed = -EACCES;
	if (failed == 0 && (status.st_mode & S_IFMT) == S_IFLNK)
		return follow_link(way, end);
	way->path[end] = after;
	way->checked = end;
	return failed;
}

static bool is_at_end(const struct way *way)
{
	size_t at = way->checked;
	while (way->path[at] == '/')
		at++;
	return !way->path[at];
}

static long check_root(struct way *way)
{
	struct kernel_stat status;
	long failed = kernel_stat_path("/", &status, 0);
	if (failed < 0)
		return failed;
	way->root_owner = status.st_uid;
	return is_trusted_on_way(way, &status) ? 0 : -EACCES;
}

long why_not_trusted_way(const struct process *process, const char *path)
{
	size_t size = text_length(path) + 2; // follow_link looks one byte beyond a link's end
	struct way way = {.process = process, .root_owner = before.root_owner, .path = memory_take(size)};
	if (!way.path)
		return -ENOMEM;
	struct text copy = text_in(way.path, size);
	text_add(&copy, path);
	way.path[size - 1] = '\0';
	way.checked = length_checked_before(path);
	long failed = way.checked > 0 ? 0 : check_root(&way);
	while (failed == 0 && !is_at_end(&way))
		failed = check_next(&way);
	if (failed == 0 && way.links == 0) {
		before.path = way.path;
		before.root_owner = way.root_owner;
	}
	return failed;
}

char *read_whole_file(int fd, size_t *size)
{
	char *bytes = memory_take(*size + 1);
	size_t used = 0;
	while (bytes && used < *size) {
		long more = kernel_read(fd, bytes + used, *size - used);
		if (more == -EINTR)
			continue;
		if (more < 0)
			return NULL;
		if (more == 0)
			break;
		used += (size_t)more;
	}
	if (bytes)
		bytes[used] = '\0';
	*size = used;
	return bytes;
}
