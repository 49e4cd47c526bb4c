// A path → the bytes of a file that nobody else can have written.
#include "own-file.h"
#include "module-kernel.h"

static struct file_state state_of(const struct kernel_stat *status)
{
	return (struct file_state){
		.device = status->st_dev,
		.inode = status->st_ino,
		.size = (uint64_t)status->st_size,
		.changed_seconds = (uint64_t)status->st_ctime,
		.changed_nanoseconds = (uint64_t)status->st_ctime_nsec,
	};
}

struct file_state own_file_state(const char *path)
{
	struct kernel_stat status;
	if (kernel_stat_path(path, &status, AT_NOFOLLOW) < 0)
		return (struct file_state){.inode = 0};
	return state_of(&status);
}

bool file_state_equal(const struct file_state *left, const struct file_state *right)
{
	return left->inode == right->inode && left->size == right->size &&
	       left->changed_nanoseconds == right->changed_nanoseconds &&
	       left->changed_seconds == right->changed_seconds && left->device == right->device;
}

// Keeps out what was spoilt, nobody else: the launcher looked who may write the directory of all these paths. Where a
// sandbox gives the user no number, he is shown as uid 65534, as others are, and has his files still.
static bool is_trusted(const struct kernel_stat *status, size_t most)
{
	return (status->st_mode & S_IFMT) == S_IFREG && !(status->st_mode & MODE_WRITABLE_BY_OTHERS) &&
	       (status->st_uid == 0 || (long)status->st_uid == kernel_effective_user()) && status->st_size > 0 &&
	       (uint64_t)status->st_size <= most;
}

static const char *copy(int fd, size_t size)
{
	long memory = kernel_map_memory(size, MAP_PRIVATE);
	if (is_kernel_error(memory))
		return NULL;
	for (size_t done = 0; done < size;) {
		long count = kernel_read(fd, (char *)memory + done, size - done);
		if (count <= 0 && count != -EINTR) {
			kernel_unmap((uintptr_t)memory, size);
			return NULL;
		}
		done += count > 0 ? (size_t)count : 0;
	}
	return (const char *)memory;
}

static const char *map(int fd, size_t size)
{
	long memory = kernel_map(0, size, PROT_READ, MAP_PRIVATE, fd, 0);
	return is_kernel_error(memory) ? NULL : (const char *)memory;
}

struct own_file own_file_open(const char *path, size_t most, enum how_kept how)
{
	struct own_file file = {.bytes = NULL};
	long fd = kernel_open(AT_CWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return file;
	struct kernel_stat status;
	if (kernel_fstat((int)fd, &status) == 0) {
		file.state = state_of(&status);
		file.size = (size_t)status.st_size;
		if (is_trusted(&status, most))
			file.bytes = how == MAPPED ? map((int)fd, file.size) : copy((int)fd, file.size);
	}
	kernel_close((int)fd);
	return file;
}

void own_file_close(struct own_file *file)
{
	if (file->bytes)
		kernel_unmap((uintptr_t)file->bytes, file->size);
	file->bytes = NULL;
}
