// TREE... → a number of 16 hexadecimal digits, the same for the same names, owners, kinds, permissions, contents and
// link targets; times do not count, and inodes only of programs directly in a tree, by which plans name them. Of
// `NAMES=DIRECTORY` only the names directly in it count. What is left directly in a tree by `noting` (NAME.stdout,
// NAME.stderr, NAME.status) does not.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* FNV-1a, and the last step of MurmurHash3 so that sums of such numbers keep what went in. */
static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t mixed(uint64_t hash)
{
	hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
	hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
	return hash ^ (hash >> 33);
}

static uint64_t add_status(uint64_t hash, const struct stat *status, int with_inode)
{
	const uint64_t all[] = {status->st_mode, status->st_uid, with_inode ? status->st_ino : 0};
	return add_bytes(hash, all, sizeof all);
}

static uint64_t add_content(uint64_t hash, const char *path, mode_t mode)
{
	static char buffer[1 << 16];
	ssize_t length;
	if (S_ISLNK(mode)) {
		length = readlink(path, buffer, sizeof buffer);
		return add_bytes(hash, buffer, length < 0 ? 0 : (size_t)length);
	}
	if (!S_ISREG(mode))
		return hash;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	while (file >= 0 && (length = read(file, buffer, sizeof buffer)) > 0)
		hash = add_bytes(hash, buffer, (size_t)length);
	if (file >= 0)
		close(file);
	return hash;
}

static int is_noted(const char *name)
{
	const char *ending = strrchr(name, '.');
	return ending && (!strcmp(ending, ".stdout") || !strcmp(ending, ".stderr") || !strcmp(ending, ".status"));
}

/* A sum: directories give their names in any order. */
static uint64_t digest_below(const char *directory, size_t top, int only_names)
{
	uint64_t sum = 0;
	DIR *open_directory = opendir(directory);
	struct dirent *entry;
	while (open_directory && (entry = readdir(open_directory))) {
		char path[PATH_MAX];
		struct stat status = {0};
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (strlen(directory) == top && is_noted(entry->d_name))
			continue;
		if (snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= (int)sizeof path)
			continue;
		uint64_t hash = add_bytes(0xcbf29ce484222325u, path + top, strlen(path + top) + 1);
		if (!only_names && lstat(path, &status) == 0) {
			hash = add_status(hash, &status, strlen(directory) == top && S_ISREG(status.st_mode) && (status.st_mode & 0111));
			hash = add_content(hash, path, status.st_mode);
		}
		sum += mixed(hash);
		if (S_ISDIR(status.st_mode))
			sum += digest_below(path, top, 0);
	}
	if (open_directory)
		closedir(open_directory);
	return sum;
}

int main(int argc, char **argv)
{
	static const char names[] = "NAMES=";
	uint64_t hash = 0;
	for (int i = 1; i < argc; i++) {
		int only_names = !strncmp(argv[i], names, sizeof names - 1);
		const char *tree = argv[i] + (only_names ? sizeof names - 1 : 0);
		struct stat status = {0};
		lstat(tree, &status);
		hash = mixed(hash + add_status(0, &status, 0) + digest_below(tree, strlen(tree), only_names));
	}
	printf("%016llx\n", (unsigned long long)hash);
	return 0;
}
