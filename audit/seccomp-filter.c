// This thread → whether a seccomp filter could stop or kill it for starting a process.
//
// prctl(PR_GET_SECCOMP) is itself a call that a filter may kill for; files are what ld.so opens and reads anyway.
#include "seccomp-filter.h"
#include "kernel.h"
#include "words.h"

static long read_status(char *into, size_t size)
{
	long fd = kernel_open(AT_CWD, "/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = kernel_open(AT_CWD, "/proc/self/status", O_RDONLY | O_CLOEXEC); // before Linux 3.17
	if (fd < 0)
		return fd;
	long count = kernel_read((int)fd, into, size);
	kernel_close((int)fd);
	return count;
}

bool seccomp_filter_may_be_there(char *status, size_t size)
{
	long count = read_status(status, size - 1);
	if (count <= 0)
		return true;
	status[count] = '\0';
	const char *line = status;
	while (*line) {
		const char *value = word_after(line, "Seccomp:\t");
		if (value)
			return !(value[0] == '0' && value[1] == '\n');
		while (*line && *line++ != '\n')
			;
	}
	return false; // a kernel without seccomp
}
