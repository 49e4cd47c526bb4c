// The environment and /etc/passwd to the home directory: a wiped environment (env -i, systemd) still has one.
#include "home-directory.h"
#include "kernel.h"
#include "memory.h"
#include "text.h"

enum { LARGEST_PASSWD = 16 * 1024 * 1024 };

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
	if (kernel_fstat((int)fd, &status) == 0 && status.st_size < LARGEST_PASSWD)
		bytes = memory_take((size_t)status.st_size + 1);
	int64_t used = 0;
	while (bytes && used < status.st_size) {
		long more = kernel_read((int)fd, bytes + used, (size_t)(status.st_size - used));
		if (more <= 0)
			break;
		used += more;
	}
	kernel_close((int)fd);
	if (bytes)
		bytes[used] = '\0';
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

const char *home_in_environment(const struct process *process)
{
	const char *home = process_variable(process, "HOME");
	return home && home[0] == '/' ? home : NULL;
}

const char *home_in_passwd(const struct process *process)
{
	const char *home = home_in_environment(process);
	return home && is_own_directory(process, home) ? NULL : home_of_user(process->euid);
}
