// Who may write a file → whether it is trusted; and an open file → its bytes.
#include "plan.h"

struct way {
	const struct process *process;
	char *path;
	size_t checked; // of the path; after the last component that was checked
	int links;
	struct kernel_stat status; // of that component
};

// The last way that was checked, without links: another that begins alike is checked from where it differs. In the
// file's data, not zeroed memory beyond it: src/plan/NOTES.md says why.
static const char *checked_before __attribute__((section(".data")));

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

// Root of outside, in a user namespace. In a view the root directory is the user's, and /proc tells. A stranger cannot
// be told from root there: but a plan must be the user's own, and whoever enters a namespace looked at the way before.
static bool owns_root_directory(uint32_t owner)
{
	struct kernel_stat status;
	return (kernel_stat_path("/", &status, 0) == 0 && status.st_uid == owner) ||
	       (kernel_stat_path("/proc", &status, 0) == 0 && status.st_uid == owner);
}

// Below it only root writes, whatever its number here: in a view of a user, root's files look like nobody's.
static bool is_of_everybody(const char *path)
{
	const char *inside = text_after(path, SYSTEM_DIRECTORY);
	return inside && *inside == '/';
}

bool is_trusted(const struct process *process, const struct kernel_stat *status, const char *path)
{
	uint32_t owner = status->st_uid;
	return (owner == process->euid || owner == 0 || (is_of_everybody(path) && owns_root_directory(owner))) &&
	       !(status->st_mode & MODE_WRITABLE_BY_OTHERS);
}

static bool is_trusted_on_way(const struct process *process, const struct kernel_stat *status)
{
	uint32_t owner = status->st_uid, writable = status->st_mode & MODE_WRITABLE_BY_OTHERS;
	if (owner != 0 && owner != process->euid && !owns_root_directory(owner))
		return false;
	if ((status->st_mode & S_IFMT) == S_IFLNK || status->st_mode & MODE_STICKY)
		return true;
	return writable == 0 || (writable == MODE_WRITABLE_BY_GROUP && status->st_gid == owner);
}

// How much of `path`, in whole components, was checked before.
static size_t length_checked_before(const char *path)
{
	size_t length = 0;
	for (size_t i = 0; checked_before && checked_before[i] && checked_before[i] == path[i]; i++) {
		char here = path[i + 1], there = checked_before[i + 1];
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

static size_t skip_slashes(const char *path, size_t at)
{
	while (path[at] == '/')
		at++;
	return at;
}

// Checks one component more. A link is followed, but the last one only where `follows_last` says so.
static long check_next(struct way *way, bool follows_last)
{
	size_t end = skip_slashes(way->path, way->checked);
	while (way->path[end] && way->path[end] != '/')
		end++;
	char after = way->path[end];
	way->path[end] = '\0';
	long failed = kernel_stat_path(way->path, &way->status, AT_NOFOLLOW);
	if (failed == 0 && !is_trusted_on_way(way->process, &way->status))
		failed = -EACCES;
	bool is_last = !after || !way->path[skip_slashes(way->path, end + 1)];
	if (failed == 0 && (way->status.st_mode & S_IFMT) == S_IFLNK && (follows_last || !is_last))
		return follow_link(way, end);
	way->path[end] = after;
	way->checked = end;
	return failed;
}

static long check_way(struct way *way, const char *path, bool follows_last)
{
	size_t size = text_length(path) + 2; // follow_link looks one byte beyond the end of a link
	way->path = memory_take(size);
	if (!way->path)
		return -ENOMEM;
	struct text copy = text_in(way->path, size);
	text_add(&copy, path);
	way->path[size - 1] = '\0';
	way->checked = length_checked_before(path);
	way->links = 0;
	way->status.st_mode = 0; // until a component is looked at: all may have been checked before
	long failed = 0;
	while (failed == 0 && way->path[skip_slashes(way->path, way->checked)])
		failed = check_next(way, follows_last);
	// A last link that was not followed says nothing of where it leads.
	if (failed == 0 && way->links == 0 && (way->status.st_mode & S_IFMT) != S_IFLNK)
		checked_before = way->path;
	return failed;
}

bool is_trusted_way(const struct process *process, const char *path)
{
	struct way way;
	way.process = process;
	long failed = check_way(&way, path, true);
	return failed != -EACCES && failed != -ELOOP;
}

long why_not_trusted_directory(const struct process *process, const char *path)
{
	struct way way;
	way.process = process;
	long failed = check_way(&way, path, false);
	if (failed == 0 && way.status.st_mode == 0)
		failed = kernel_stat_path(path, &way.status, AT_NOFOLLOW);
	if (failed < 0)
		return failed;
	if ((way.status.st_mode & S_IFMT) != S_IFDIR)
		return -ENOTDIR;
	return is_trusted(process, &way.status, path) ? 0 : -EACCES;
}
