// A program's real path to the bytes of its plan; where plans live and when one may be read is in PLAN.md.
#include "plan-file.h"
#include "home-directory.h"
#include "kernel.h"
#include "memory.h"
#include "text.h"

enum { LARGEST_PLAN = 1024 * 1024, KEY_SIZE = 17 };
#ifndef SYSTEM_PLACE
#define SYSTEM_PLACE "/var/lib/nix-run-foreign" // PLAN.md
#endif

static void key_of(const char *real_path, char *key)
{
	uint64_t hash = 0xcbf29ce484222325; // FNV-1a, 64 bits
	for (; *real_path; real_path++)
		hash = (hash ^ (unsigned char)*real_path) * 0x100000001b3;
	for (int i = 0; i < 16; i++)
		key[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
	key[16] = '\0';
}

static bool belongs_to_us(const struct process *process, const struct kernel_stat *status)
{
	return (status->st_uid == process->euid || status->st_uid == 0) &&
	       !(status->st_mode & MODE_WRITABLE_BY_OTHERS);
}

static const char *xdg_cache(const struct process *process)
{
	const char *cache = process_variable(process, "XDG_CACHE_HOME");
	return cache && cache[0] == '/' ? cache : NULL;
}

// What stands in front of "/v1/plans", in two parts; NULL where the place does not apply.
static const char *base_of(const struct process *process, enum plan_place place, const char **rest)
{
	const char *xdg = xdg_cache(process);
	*rest = xdg ? "/nix-run-foreign" : "/.cache/nix-run-foreign";
	if (place == PLACE_CACHE)
		return xdg ? xdg : home_in_environment(process);
	return xdg ? NULL : home_in_passwd(process);
}

// Anyone may make a directory in /tmp, so the first component of ours is checked like the last.
static bool is_our_directory(const struct process *process, const char *path)
{
	struct kernel_stat status;
	return kernel_stat_path(path, &status, AT_NOFOLLOW) == 0 && (status.st_mode & S_IFMT) == S_IFDIR &&
	       belongs_to_us(process, &status);
}

// The path of the directory of plans, in memory of just its size: a hit touches few pages.
static char *name_plans(const struct process *process, enum plan_place place)
{
	const char *rest = place == PLACE_TMP ? "/tmp/nix-run-foreign-" : SYSTEM_PLACE, *base = "";
	if (place < PLACE_TMP && !(base = base_of(process, place, &rest)))
		return NULL;
	size_t size = text_length(base) + text_length(rest) + 50;
	char *bytes = memory_take(size);
	if (!bytes)
		return NULL;
	struct text path = text_in(bytes, size);
	text_add(&path, base);
	text_add(&path, rest);
	if (place == PLACE_TMP) {
		text_add_unsigned(&path, process->euid);
		if (!is_our_directory(process, bytes))
			return NULL;
	}
	text_add(&path, "/v1/plans");
	return bytes;
}

static struct plan_file none(const char *why_not)
{
	return (struct plan_file){.why_not = why_not};
}

static struct plan_file read_open_file(int fd, const struct kernel_stat *status)
{
	size_t size = (size_t)status->st_size, used = 0;
	char *bytes = memory_take(size);
	if (!bytes)
		return none("out of memory");
	while (used < size) {
		long more = kernel_read(fd, bytes + used, size - used);
		if (more == -EINTR)
			continue;
		if (more <= 0)
			return none("the plan cannot be read");
		used += (size_t)more;
	}
	return (struct plan_file){.bytes = bytes, .size = size, .last_use = status->st_mtime};
}

static struct plan_file read_in(const struct process *process, int directory, const char *key)
{
	struct kernel_stat status;
	if (kernel_fstat(directory, &status) < 0 || !belongs_to_us(process, &status))
		return none("the directory of plans is not only ours to write");
	long fd = kernel_open(directory, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return none(fd == -ENOENT ? "there is no plan" : "the plan cannot be opened");
	struct plan_file plan;
	if (kernel_fstat((int)fd, &status) < 0 || (status.st_mode & S_IFMT) != S_IFREG)
		plan = none("the plan is not a regular file");
	else if (!belongs_to_us(process, &status))
		plan = none("the plan is not only ours to write");
	else if (status.st_size <= 0 || status.st_size > LARGEST_PLAN)
		plan = none("the plan is empty or over 1 MiB");
	else
		plan = read_open_file((int)fd, &status);
	kernel_close((int)fd);
	return plan;
}

struct plan_file plan_file_read(const struct process *process, enum plan_place place, const char *real_path)
{
	char key[KEY_SIZE];
	char *path = name_plans(process, place);
	if (!path)
		return none(place == PLACE_TMP ? "there is no directory of ours in /tmp" : NULL);
	long directory = kernel_open(AT_CWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0)
		return none(place == PLACE_SYSTEM ? NULL : "there is no directory of plans");
	key_of(real_path, key);
	struct plan_file plan = read_in(process, (int)directory, key);
	kernel_close((int)directory);
	size_t length = text_length(path);
	struct text name = {.bytes = path, .size = length + 1 + KEY_SIZE, .used = length}; // name_plans left room
	text_add(&name, "/");
	text_add(&name, key);
	plan.path = path;
	return plan;
}
