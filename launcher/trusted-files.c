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
