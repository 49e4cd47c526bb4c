// The `V` records of a plan → a mount namespace of this process, whose root directory is the host's with those in it.
//
// The new root is a tmpfs with one mount for each entry of the host's root directory, or a link where that is one: the
// mount that it has there, or a bind. A directory in which something is put in place is opened: it becomes one of the
// tmpfs itself, with its entries taken over likewise.
//
// The tmpfs lies over the old root directory, as after switch_root(8). Nothing is unmounted, since each unmount waits
// until all processors were somewhere else (fs/namespace.c, namespace_unlock), and what lies below cannot be named or
// seen in /proc/self/mountinfo. The process is not taken for one in a chroot (fs/namespace.c, current_chrooted).
// While the view is built, the working directory is the old root: a path without its first slash names the old entry.
// What was taken over is moved, so it has to be named by its new path.
#include "launch.h"

// A link.
#define MARK "/.nix-run-foreign-view"

// Of one directory at a time, and of those around it, on the stack: few pages are touched, and none is mapped.
enum { NAMES_SIZE = 1024 };

struct view {
	const char *records;
	const char *launcher;
	char *link; // PATH_SIZE bytes for what a link says
	char *path; // and as many for the path in the new root that is being made
	bool may_move; // mounts
};

bool view_is_around(void)
{
	char byte;
	return kernel_readlink(MARK, &byte, 1) > 0;
}

// Of a record `V<target> <source>`.
static size_t target_length(const char *record)
{
	size_t length = 0;
	while (record[1 + length] && record[1 + length] != ' ')
		length++;
	return length;
}

// `V<path> <path>/`: it is taken over with what lies around it, and only becomes read-only.
static bool shows_itself(const char *record)
{
	size_t length = target_length(record);
	const char *source = record + 1 + length + 1;
	return text_begins(source, record + 1, length) && text_equal(source + length, "/");
}

enum relation { UNTOUCHED, REPLACED, OPENED };

// What the records do to `path`, or below it.
static enum relation relation_of(const struct view *view, const char *path)
{
	size_t length = text_length(path);
	enum relation found = UNTOUCHED;
	for (const char *record = view->records; *record != '.'; record = plan_next(record)) {
		if (*record != 'V' || target_length(record) < length || !text_begins(record + 1, path, length) ||
		    shows_itself(record))
			continue;
		if (target_length(record) == length)
			return REPLACED;
		if (record[1 + length] == '/')
			found = OPENED;
	}
	return found;
}

static unsigned type_of(const char *path, unsigned type)
{
	struct kernel_stat status;
	if (type != ENTRY_IS_UNKNOWN || kernel_stat_path(path, &status, AT_NOFOLLOW) < 0)
		return type;
	return status.st_mode >> 12; // so S_IFDIR and DT_DIR belong together (readdir(3))
}

static long copy_link(const struct view *view, const char *from, const char *to)
{
	long length = kernel_readlink(from, view->link, PATH_SIZE - 1);
	if (length < 0)
		return length;
	view->link[length] = '\0';
	return kernel_make_link(view->link, to);
}

static long make_place(const char *to, bool is_directory)
{
	return is_directory ? kernel_make_directory(to) : kernel_make_file(to);
}

// mount(2) would have an automount made first, and wait for its server (fs/namespace.c, do_loopback).
static long bind_as_it_is(const char *from, const char *to)
{
	long tree = kernel_copy_mounts(from);
	if (tree < 0)
		return tree;
	long failed = kernel_attach_mounts((int)tree, to);
	kernel_close((int)tree);
	return failed;
}

// Of an automount whose server is away, a file system of the network that was lost, a directory that has just gone.
static bool is_away(long error)
{
	return error == -ENODEV || error == -EHOSTDOWN || error == -ESTALE || error == -ENOENT;
}

// A mount is moved, which is quicker than to copy it with all below, and later to destroy both. What is none (-EINVAL)
// is bound, and so is all in a namespace of another user, where mounts are locked to one another; by mount(2) before
// Linux 5.2, and where a filter forbids what is newer. In place of what is away an empty directory stays.
static long move_or_bind(const struct view *view, const char *from, const char *to)
{
	long failed = view->may_move ? kernel_mount(from, to, MS_MOVE) : -EINVAL;
	if (failed < 0)
		failed = bind_as_it_is(from, to);
	if (failed < 0 && !is_away(failed))
		failed = kernel_mount(from, to, MS_BIND | MS_REC);
	return is_away(failed) ? 0 : failed;
}

static long open_directory(const struct view *view);

static long take_over(const struct view *view, const char *to, unsigned type)
{
	const char *from = to + 1;
	enum relation relation = relation_of(view, to);
	if (relation == REPLACED || text_equal(to, MARK))
		return 0;
	type = type_of(from, type);
	if (relation == OPENED && type != ENTRY_IS_DIRECTORY)
		return -ENOTDIR; // what is put below would lie somewhere else
	if (relation == OPENED) {
		long failed = kernel_make_directory(to);
		return failed < 0 ? failed : open_directory(view);
	}
	if (type == ENTRY_IS_LINK)
		return copy_link(view, from, to);
	long failed = make_place(to, type == ENTRY_IS_DIRECTORY);
	return failed < 0 ? failed : move_or_bind(view, from, to);
}

// Children of root could write there otherwise, and whoever owns it could change what later views show.
static long bind_read_only(const char *from, const char *to)
{
	enum { FLAGS = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV };
	long failed = kernel_make_directory(to);
	if (failed == 0)
		failed = kernel_mount(from, to, MS_BIND | MS_REC);
	if (failed == 0)
		failed = kernel_mount(0, to, FLAGS);
	// Where another user namespace mounted it, no flag can be taken away (mount_namespaces(7)).
	return failed == -EPERM ? kernel_mount(0, to, FLAGS | MS_NOEXEC) : failed;
}

// The store stays as it is where Nix could not make it writable again, which takes all flags away
// (libstore/local-store.cc, makeStoreWritable): the first call does so, too. NixOS mounts it with those of the second.
static long bind_itself(const char *path)
{
	long failed = kernel_mount(path, path, MS_BIND | MS_REC);
	if (failed == 0)
		failed = kernel_mount(0, path, MS_REMOUNT | MS_BIND | MS_RDONLY);
	if (failed == 0)
		failed = kernel_mount(0, path, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV);
	return failed == -EPERM ? 0 : failed;
}

static bool is_dot_or_dots(const char *name)
{
	return text_equal(name, ".") || text_equal(name, "..");
}

typedef long entry_action(const struct view *view, const char *path, unsigned type);

// Calls `act` for each entry of the directory that had this path in the old root; ends at an error.
static long for_each_entry(const struct view *view, entry_action *act)
{
	_Alignas(struct kernel_directory_entry) char names[NAMES_SIZE];
	char *path = view->path;
	size_t length = text_length(path);
	long fd = kernel_open(AT_CWD, *path ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), size = 0, failed = 0;
	if (fd < 0)
		return fd;
	while (failed >= 0 && (size = kernel_read_directory((int)fd, names, sizeof names)) > 0)
		for (long at = 0; failed >= 0 && at < size;) {
			const struct kernel_directory_entry *entry = (const void *)(names + at);
			struct text rest = text_in(path + length, PATH_SIZE - length);
			text_add(&rest, "/");
			text_add(&rest, entry->name);
			failed = rest.cut		       ? -ENAMETOOLONG
				 : is_dot_or_dots(entry->name) ? 0
							       : act(view, path, entry->type);
			at += entry->size;
		}
	path[length] = '\0';
	kernel_close((int)fd);
	return failed < 0 ? failed : size;
}

static long open_directory(const struct view *view)
{
	return for_each_entry(view, take_over);
}

// A directory of the host that a prepared one replaces has few files (`sh`, `env`), and they go on being themselves:
// each is bound over its stand-in there. Links were copied when it was prepared, and mount(2) would follow a link
// there, as the one in place of a stub, to the launcher's own file.
static long keep_file(const struct view *view, const char *path, unsigned type)
{
	(void)view;
	if (type_of(path + 1, type) == ENTRY_IS_LINK || type_of(path, ENTRY_IS_UNKNOWN) == ENTRY_IS_LINK)
		return 0;
	long failed = kernel_mount(path + 1, path, MS_BIND);
	return failed == -ENOENT || failed == -ENOTDIR ? 0 : failed;
}

// Each directory above `path` is made, or is one already: never a link, which could lead to a file of the host.
static long make_parent(const char *path)
{
	struct kernel_stat status;
	long failed = kernel_stat_path(path, &status, AT_NOFOLLOW);
	if (failed < 0)
		return failed == -ENOENT ? kernel_make_directory(path) : failed;
	return (status.st_mode & S_IFMT) == S_IFDIR ? 0 : -ENOTDIR;
}

static long make_parents(char *path)
{
	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		long failed = make_parent(path);
		path[i] = '/';
		if (failed < 0)
			return failed;
	}
	return 0;
}

static long put_in_place(const struct view *view, const char *record)
{
	char *target = view->path;
	struct text text = text_in(target, PATH_SIZE);
	size_t length = target_length(record);
	text_add_bytes(&text, record + 1, length);
	const char *source = record + 1 + length + 1;
	bool is_directory = *source && source[text_length(source) - 1] == '/';
	if (text.cut)
		return -ENAMETOOLONG;
	if (shows_itself(record))
		return bind_itself(target);
	long failed = make_parents(target);
	if (failed < 0)
		return failed;
	if (!is_directory)
		return kernel_make_link(*source ? source : view->launcher, target);
	failed = bind_read_only(source, target);
	if (failed < 0)
		return failed;
	failed = for_each_entry(view, keep_file);
	return failed == -ENOENT || failed == -ENOTDIR ? 0 : failed;
}

static long build(const struct view *view)
{
	*view->path = '\0';
	long failed = open_directory(view);
	for (const char *record = view->records; failed >= 0 && *record != '.'; record = plan_next(record))
		if (*record == 'V')
			failed = put_in_place(view, record);
	if (failed >= 0)
		failed = kernel_make_link(view->launcher, MARK);
	if (failed >= 0)
		failed = kernel_mount(0, "/", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV);
	return failed;
}

// The working directory stays in the old root, and "/.." is what lies over "/" (fs/namei.c, handle_dots).
static long become_root_directory(void)
{
	long failed = kernel_chdir("/");
	if (failed == 0)
		failed = kernel_mount_new("tmpfs", "/", MS_NOSUID | MS_NODEV, "mode=755");
	return failed == 0 ? kernel_chroot("/..") : failed;
}

struct working_directory {
	const char *path; // NULL: it is gone, or its path cannot be told
	long fd;
};

static struct working_directory working_directory(void)
{
	char *path = memory_take(PATH_SIZE);
	bool is_told = path && kernel_getcwd(path, PATH_SIZE) > 0 && path[0] == '/';
	return (struct working_directory){is_told ? path : NULL,
					  kernel_open(AT_CWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

// A directory of the new root itself, or one that is shown there: in place of the one with its path in the old root.
static bool is_taken_over(const struct view *view, const char *path)
{
	return text_equal(path, "/") || relation_of(view, path) != UNTOUCHED;
}

static bool is_current(long fd)
{
	struct kernel_stat before, now;
	return kernel_fstat((int)fd, &before) == 0 && kernel_stat_path(".", &now, 0) == 0 &&
	       before.st_ino == now.st_ino && before.st_dev == now.st_dev;
}

// By its path it is the one in the new root; where that leads elsewhere, it stays in the old one.
static long return_to(const struct view *view, const struct working_directory *directory)
{
	const char *path = directory->path;
	bool is_there = path && kernel_chdir(path) == 0 && (is_taken_over(view, path) || is_current(directory->fd));
	long failed = is_there ? 0 : kernel_change_to_open((int)directory->fd);
	kernel_close((int)directory->fd);
	return failed;
}

// What would only be found out when the process has left: then it could not be started another way.
static long why_not_built(char *launcher, const struct process *process)
{
	if (!launcher || !launcher_path(process, launcher))
		return -ENOENT;
	long fd = kernel_open(AT_CWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		kernel_close((int)fd);
	return fd < 0 ? fd : 0;
}

struct namespace_entry view_enter(const struct process *process, const char *records)
{
	char *launcher = memory_take(PATH_SIZE);
	struct namespace_entry entry = {.error = why_not_built(launcher, process)};
	if (entry.error < 0)
		return entry;
	struct view view = {.records = records,
			    .launcher = launcher,
			    .link = memory_take(PATH_SIZE),
			    .path = memory_take(PATH_SIZE)};
	if (!view.link || !view.path)
		return (struct namespace_entry){.error = -ENOMEM};
	struct working_directory directory = working_directory();
	if (directory.fd < 0) // nothing leads back to it, and the process would stay in the old root directory
		return (struct namespace_entry){.error = directory.fd, .closed = directory.fd == -EACCES};
	entry = namespace_leave(process);
	if (entry.error < 0)
		return entry;
	view.may_move = !entry.other_user;
	long mask = kernel_umask(0022);
	entry.error = become_root_directory();
	if (entry.error == 0)
		entry.error = build(&view);
	kernel_umask(mask);
	long lost = return_to(&view, &directory);
	if (entry.error >= 0)
		entry.error = lost;
	return entry;
}
