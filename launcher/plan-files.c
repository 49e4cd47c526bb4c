// A program → its first valid plan. Where plans lie, and when one may be read, is in PLAN.md.
#include "plan.h"

enum { LARGEST_PLAN = 1024 * 1024, LARGEST_PASSWD = 16 * 1024 * 1024, KEY_SIZE = 17 };

// In the order in which they are looked at.
enum plan_place {
	PLACE_CACHE,
	PLACE_PASSWD, // for a HOME that is missing or somebody else's
	PLACE_STATE,
	PLACE_TMP,
	PLACE_TMP_STATE,
	PLACE_SYSTEM, // what an administrator resolved for everybody
	PLACE_COUNT
};

// It has no plans: a file there says that the user decided something of the program.
static bool has_decisions(enum plan_place place)
{
	return place == PLACE_STATE || place == PLACE_TMP_STATE;
}

struct plan_file {
	const char *bytes; // NULL: no plan that may be read
	size_t size;
	const char *path;    // of the file, when bytes is not NULL
	int64_t last_use;    // seconds since 1970, as far as the times of the file tell
	const char *why_not; // when bytes is NULL; NULL as well where the place does not apply
};

static void key_of(const char *real_path, char *key)
{
	uint64_t hash = 0xcbf29ce484222325; // FNV-1a, 64 bits
	for (; *real_path; real_path++)
		hash = (hash ^ (unsigned char)*real_path) * 0x100000001b3;
	for (int i = 0; i < 16; i++)
		key[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
	key[16] = '\0';
}

static bool is_own_directory(const struct process *process, const char *path)
{
	struct kernel_stat status;
	return kernel_stat_path(path, &status, 0) == 0 && (status.st_mode & S_IFMT) == S_IFDIR &&
	       status.st_uid == process->euid;
}

static char *read_passwd(void)
{
	long fd = kernel_open(AT_CWD, "/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	struct kernel_stat status;
	char *bytes = NULL;
	if (kernel_fstat((int)fd, &status) == 0 && status.st_size < LARGEST_PASSWD) {
		size_t size = (size_t)status.st_size;
		bytes = read_whole_file((int)fd, &size);
	}
	kernel_close((int)fd);
	return bytes;
}

// One line is name:password:uid:gid:comment:home:shell, see passwd(5). Cuts the line at its colons.
static const char *home_in_line(char *line, const char *uid)
{
	char *fields[6] = {line};
	int count = 1;
	for (char *at = line; *at && count < 7; at++)
		if (*at == ':') {
			*at = '\0';
			if (count < 6)
				fields[count] = at + 1;
			count++;
		}
	bool matches = count >= 6 && text_equal(fields[2], uid) && fields[5][0] == '/';
	return matches ? fields[5] : NULL;
}

static const char *home_of_user(uint32_t euid)
{
	char digits[24];
	struct text uid = text_in(digits, sizeof digits);
	text_add_unsigned(&uid, euid);
	char *next = read_passwd();
	while (next && *next) {
		char *line = next;
		while (*next && *next != '\n')
			next++;
		if (*next)
			*next++ = '\0';
		const char *home = home_in_line(line, digits);
		if (home)
			return home;
	}
	return NULL;
}

// Is it a path that Node takes for the same? It reads bytes that are not UTF-8 as U+FFFD.
static bool is_path_for_node(const char *path)
{
	for (const char *each = path; *each; each++)
		if (text_after(each, "\xef\xbf\xbd"))
			return false;
	return path[0] == '/' && text_is_utf8(path);
}

// A directory from the environment, or NULL where it does not count.
static const char *base_in_environment(const struct process *process, const char *name)
{
	const char *base = process_variable(process, name);
	return base && is_path_for_node(base) && is_trusted_way(process, base) ? base : NULL;
}

// HOME, or NULL where it does not count or is no directory of the effective user.
static const char *own_home(const struct process *process)
{
	const char *home = base_in_environment(process, "HOME");
	return home && is_own_directory(process, home) ? home : NULL;
}

// What /etc/passwd says, where HOME does not count; else NULL.
static const char *home_in_passwd(const struct process *process)
{
	if (own_home(process))
		return NULL;
	const char *home = home_of_user(process->euid);
	return home && is_path_for_node(home) ? home : NULL;
}

// What stands in front of "/v1", in two parts; NULL where the place does not apply.
static const char *base_of(const struct process *process, enum plan_place place, const char **rest)
{
	bool is_state = place == PLACE_STATE;
	const char *xdg = base_in_environment(process, is_state ? "XDG_STATE_HOME" : "XDG_CACHE_HOME");
	*rest = xdg ? "/nix-run-foreign" : is_state ? "/.local/state/nix-run-foreign" : "/.cache/nix-run-foreign";
	if (xdg)
		return place == PLACE_PASSWD ? NULL : xdg;
	const char *home = place == PLACE_PASSWD ? NULL : own_home(process);
	return home || place == PLACE_CACHE ? home : home_in_passwd(process);
}

// uid 65534 is what a user namespace shows for each owner who has no number there, the user too (user_namespaces(7)).
// Where some have none, nothing in /tmp can be told to be the user's.
static bool is_told_from_others(const struct process *process)
{
	enum { NOBODY = 65534 };
	static const char all[] = " 4294967295\n";
	char map[64];
	if (process->euid != NOBODY)
		return true;
	long fd = kernel_open(AT_CWD, "/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	long size = fd < 0 ? fd : kernel_read((int)fd, map, sizeof map - 1);
	if (fd >= 0)
		kernel_close((int)fd);
	if (size < (long)sizeof all)
		return false;
	map[size] = '\0';
	return text_equal(map + size - (sizeof all - 1), all);
}

// Anyone may make a directory in /tmp, so the first component of ours is checked like the last; and mount there what
// says of itself whose it is (fuse(4)), so nothing that is mounted there counts. XDG may name /tmp, too.
static long why_not_our_directory(const struct process *process, const char *path, enum plan_place place)
{
	struct kernel_stat status, around;
	long failed = kernel_stat_path(path, &status, AT_NOFOLLOW);
	if (failed < 0)
		return failed;
	// Of XDG each step is looked at, the last one too (why_not_trusted_directory).
	bool is_ours = (status.st_mode & S_IFMT) == S_IFDIR &&
		       (place < PLACE_TMP || is_trusted(process, &status, path)) &&
		       kernel_stat_path("/tmp/", &around, 0) == 0 && status.st_dev == around.st_dev;
	return is_ours ? 0 : -EACCES;
}

// The path of the directory of plans, in memory of just its size: a hit touches few pages. `failed`: a negative errno
// where it does not count, since what it lies in does not.
static char *name_plans(const struct process *process, enum plan_place place, long *failed)
{
	const char *rest = place == PLACE_SYSTEM ? SYSTEM_DIRECTORY : "/tmp/nix-run-foreign-", *base = "";
	if (place < PLACE_TMP && !(base = base_of(process, place, &rest)))
		return NULL;
	size_t size = text_length(base) + text_length(rest) + 50;
	char *bytes = memory_take(size);
	if (!bytes)
		return NULL;
	struct text path = text_in(bytes, size);
	text_add(&path, base);
	text_add(&path, rest);
	bool is_in_tmp = place == PLACE_TMP || place == PLACE_TMP_STATE;
	if (is_in_tmp)
		text_add_unsigned(&path, process->euid);
	if (is_in_tmp && !is_told_from_others(process))
		*failed = -EACCES;
	else if (place != PLACE_SYSTEM && text_after(bytes, "/tmp/"))
		*failed = why_not_our_directory(process, bytes, place);
	if (place == PLACE_TMP_STATE)
		text_add(&path, "/state");
	text_add(&path, has_decisions(place) ? "/v1/decided" : "/v1/plans");
	return bytes;
}

static struct plan_file none(const char *why_not)
{
	return (struct plan_file){.why_not = why_not};
}

static struct plan_file read_open_plan(int fd, const struct kernel_stat *status)
{
	size_t size = (size_t)status->st_size;
	const char *bytes = read_whole_file(fd, &size);
	if (!bytes || size < (size_t)status->st_size)
		return none("the plan cannot be read");
	return (struct plan_file){.bytes = bytes, .size = size, .last_use = status->st_mtime};
}

static struct plan_file read_plan(const struct process *process, const char *path)
{
	struct kernel_stat status;
	long fd = kernel_open(AT_CWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return none(fd == -ENOENT ? "there is no plan" : "the plan cannot be opened");
	struct plan_file plan;
	if (kernel_fstat((int)fd, &status) < 0 || (status.st_mode & S_IFMT) != S_IFREG)
		plan = none("the plan is not a regular file");
	else if (!is_trusted(process, &status, path))
		plan = none("the plan is not only ours to write");
	else if (status.st_size <= 0 || status.st_size > LARGEST_PLAN)
		plan = none("the plan is empty or over 1 MiB");
	else
		plan = read_open_plan((int)fd, &status);
	kernel_close((int)fd);
	plan.path = path;
	return plan;
}

// Since nobody else can change where the directory is, its path can be walked again for the plan in it.
static struct plan_file plan_file_read(const struct process *process, enum plan_place place, const char *real_path)
{
	char key[KEY_SIZE];
	long failed = 0;
	char *path = name_plans(process, place, &failed);
	if (path && failed < 0 && place == PLACE_TMP)
		return none("there is no directory of ours in /tmp");
	if (!path)
		return none(NULL);
	if (failed == 0)
		failed = why_not_trusted_directory(process, path);
	if (failed == -EACCES)
		return none("the directory of plans is not only ours to write");
	if (failed < 0)
		return none(place == PLACE_SYSTEM ? NULL : "there is no directory of plans");
	key_of(real_path, key);
	size_t length = text_length(path);
	struct text name = {.bytes = path, .size = length + 1 + KEY_SIZE, .used = length}; // name_plans left room
	text_add(&name, "/");
	text_add(&name, key);
	return read_plan(process, path);
}

enum { DAY = 24 * 60 * 60 };

// Sets the times of the plan and of its root link to now when they are a day old: `prune` and cleaners that go by age
// see that it is in use. What cannot be touched (another's file, a read-only file system) stays as it is.
static void leave_trace_of_use(const struct plan_file *file, const char *records)
{
	struct kernel_time now;
	if (kernel_clock(&now) < 0 || now.seconds - file->last_use < DAY)
		return;
	kernel_touch(file->path);
	for (const char *record = records; *record != '.'; record = plan_next(record))
		if (*record == 'r' && record[1] == '/')
			kernel_touch(record + 1);
}

struct plan plan_find(const struct process *process, const struct program *program)
{
	struct plan best = {.why_not = NULL};
	bool best_has_file = false, is_decided = false;
	for (int place = PLACE_CACHE; place < PLACE_COUNT; place++) {
		// An invalid plan of the user may stand for choices that the one for everybody knows nothing of.
		if (place == PLACE_SYSTEM && (best_has_file || is_decided))
			break;
		struct plan_file file = plan_file_read(process, (enum plan_place)place, program->real_path);
		if (has_decisions((enum plan_place)place)) {
			is_decided = is_decided || file.bytes;
			continue;
		}
		if (!file.bytes && !file.why_not)
			continue;
		struct plan plan = {.why_not = file.why_not};
		if (file.bytes)
			plan = plan_read(process, program, file.bytes, file.size);
		if (plan.records) {
			leave_trace_of_use(&file, plan.records);
			return plan;
		}
		message_debug(process, plan.why_not, plan.about ? plan.about : program->real_path);
		if (!best.why_not || (file.bytes && !best_has_file)) {
			best = plan;
			best_has_file = file.bytes != NULL;
		}
	}
	best.is_decided = is_decided;
	return best;
}
