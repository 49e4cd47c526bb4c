// A name → a run of the resolver, which may leave an answer; the program must not notice that there was a child.
//
// execve(2) makes a process's exit signal SIGCHLD again (fs/exec.c, de_thread), so the child of the program, the
// keeper, never calls it: it starts the resolver and waits for it. Both share the program's memory until they are done,
// so that a program of any size pays the same, and nothing is copied while other threads write.
#include "resolver-run.h"
#include "module-kernel.h"
#include "resolver-environment.h"
#include "seccomp-filter.h"
#include "words.h"

enum { HIGHEST_SIGNAL = 64 };
enum { MOST_ENTRIES = 4096, ENVIRONMENT_SIZE = 1 << 20, GRACE = 1 };

static const char mark[] = RESOLVER_MARK "=1";

struct run {
	const char *execute;
	char *argv[MOST_WORDS + 1];
	char *envp[MOST_ENTRIES + 3];
	char own_id[12];
	long parent, limit;
	char environment[ENVIRONMENT_SIZE];
};

static bool set_standard_descriptors(void)
{
	bool speaks = kernel_is_terminal(STANDARD_ERROR);
	long nothing = kernel_open(AT_CWD, "/dev/null", O_RDWR);
	if (nothing < 0)
		return false;
	for (int fd = STANDARD_INPUT; fd <= STANDARD_ERROR; fd++)
		if (fd != nothing && !(fd == STANDARD_ERROR && speaks))
			kernel_dup_onto((int)nothing, fd);
	return true;
}

static _Noreturn __attribute__((noinline)) void become_resolver(const struct run *run, long keeper)
{
	kernel_set_death_signal(SIGTERM);
	if (kernel_getppid() != keeper || !set_standard_descriptors())
		kernel_exit(1);
	kernel_close_from(STANDARD_ERROR + 1);
	kernel_leave_session(); // Ctrl-Z stops the program, and would stop the resolver for longer than it may take
	kernel_chdir("/"); // the working directory may be gone; all paths are absolute
	for (int signal = 1; signal <= HIGHEST_SIGNAL; signal++)
		kernel_default_action(signal);
	kernel_set_signal_mask(0);
	kernel_execve(run->execute, run->argv, run->envp);
	kernel_exit(1);
}

static __attribute__((noinline)) long start_resolver(const struct run *run, long keeper)
{
	long pid = kernel_share_memory(SIGCHLD);
	if (pid == 0)
		become_resolver(run, keeper);
	return pid;
}

// False when it still runs after these seconds. What is to end the program's process group ends the resolver's too.
static bool ended_within(long pid, long seconds, int *status)
{
	const struct native_time second = {1, 0};
	const uint64_t ending = signal_bit(SIGHUP) | signal_bit(SIGINT) | signal_bit(SIGQUIT) | signal_bit(SIGTERM);
	while (kernel_wait_now(pid, status) == 0) {
		long signal = kernel_wait_for_signal(ending | signal_bit(SIGCHLD), &second);
		if (signal == -EAGAIN && --seconds <= 0)
			return false;
		if (signal > 0 && signal != SIGCHLD)
			kernel_kill(-pid, (int)signal);
	}
	return true;
}

static _Noreturn __attribute__((noinline)) void keep(const struct run *run)
{
	kernel_set_death_signal(SIGTERM); // is blocked, and goes on to the resolver's group
	if (kernel_getppid() != run->parent)
		kernel_exit(1);
	kernel_default_action(SIGCHLD); // were it ignored, the kernel would reap the resolver unseen
	long pid = start_resolver(run, kernel_getpid());
	kernel_close_from(0); // another thread may close its end of a pipe meanwhile, and the reader shall see that
	int status = 0;
	if (pid > 0 && !ended_within(pid, run->limit, &status)) {
		kernel_kill(-pid, SIGTERM);
		if (!ended_within(pid, GRACE, &status)) {
			kernel_kill(-pid, SIGKILL);
			kernel_wait(pid, &status);
		}
	}
	kernel_exit(0);
}

static __attribute__((noinline)) long start_keeper(const struct run *run)
{
	enum { NO_EXIT_SIGNAL = 0 };
	long pid = kernel_share_memory(NO_EXIT_SIGNAL);
	if (pid == -EINVAL) // an emulator that knows fork only (qemu, linux-user/syscall.c, do_fork)
		pid = kernel_fork(SIGCHLD);
	if (pid == 0)
		keep(run);
	return pid;
}

// How many bytes stand up to the first `=`, with it; 0 without one.
static size_t name_length(const char *entry)
{
	size_t length = 0;
	while (entry[length] && entry[length] != '=')
		length++;
	return entry[length] ? length + 1 : 0;
}

static bool has_name(char *const *entries, const char *name, size_t length)
{
	for (; *entries; entries++) {
		size_t same = 0;
		while (same < length && (*entries)[same] == name[same])
			same++;
		if (same == length)
			return true;
	}
	return false;
}

static size_t read_all(const char *path, char *into, size_t size)
{
	long fd = kernel_open(AT_CWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	size_t done = 0;
	for (long count = 1; count > 0 && done < size; done += count > 0 ? (size_t)count : 0)
		count = kernel_read((int)fd, into + done, size - done);
	kernel_close((int)fd);
	return done;
}

// The environment that this process was started with: the program may have put anything in the place of its own.
static char **add_own_entries(struct run *run, char **next)
{
	char **end = run->envp + MOST_ENTRIES, *entry = run->environment;
	size_t size = read_all("/proc/self/environ", entry, sizeof run->environment - 1);
	const char *bytes_end = entry + size;
	entry[size] = '\0';
	for (const char *after; (after = settings_next(entry)) <= bytes_end && next < end; entry = (char *)after)
		if (name_length(entry) && is_for_resolver(entry))
			*next++ = entry;
	*next = NULL;
	return next;
}

// Programs write over the memory that it is read from (setproctitle), so that what every session has is not there: the
// settings have what counts.
static char **add_missing_entries(struct run *run, const struct run_time_settings *settings, char **next)
{
	static const char home[] = "HOME=", path[] = "PATH=";
	if (has_name(run->envp, home, sizeof home - 1) || has_name(run->envp, path, sizeof path - 1))
		return next;
	const char *record = settings_next(settings->file.bytes);
	for (; record[0] != '.' && next < run->envp + MOST_ENTRIES; record = settings_next(record))
		if (record[0] == 'e' && !has_name(run->envp, record + 1, name_length(record + 1))) {
			*next++ = (char *)record + 1;
			*next = NULL;
		}
	return next;
}

static void fill_environment(struct run *run, const struct run_time_settings *settings)
{
	char **next = add_missing_entries(run, settings, add_own_entries(run, run->envp));
	*next++ = (char *)mark;
	*next = NULL;
}

static char *word_of(struct run *run, const struct question *question, const char *record)
{
	switch (record[0]) {
	case 'A':
		return (char *)record + 1;
	case 'N':
		return (char *)question->name;
	case 'R':
		return (char *)question->requester;
	case 'I':
		return run->own_id;
	default:
		return NULL;
	}
}

static bool fill_arguments(struct run *run, const struct run_time_settings *settings, const struct question *question)
{
	int count = 0;
	run->execute = settings->resolver;
	for (const char *record = settings_next(settings->file.bytes); record[0] != '.'; record = settings_next(record)) {
		char *word = word_of(run, question, record);
		if (word && count == MOST_WORDS)
			return false;
		if (word)
			run->argv[count++] = word;
	}
	run->argv[count] = NULL;
	return count > 0;
}

static bool start_and_wait(const struct run *run)
{
	const uint64_t all = ~(uint64_t)0;
	uint64_t before = 0;
	kernel_swap_signal_mask(&all, &before);
	long keeper = start_keeper(run);
	if (keeper > 0) {
		int status;
		while (kernel_wait(keeper, &status) == -EINTR)
			;
	}
	kernel_swap_signal_mask(&before, NULL);
	return keeper > 0;
}

bool resolver_run(const struct run_time_settings *settings, const struct question *question)
{
	if (!settings->resolver)
		return false;
	long memory = kernel_map_memory(sizeof(struct run), MAP_PRIVATE);
	if (is_kernel_error(memory))
		return false;
	struct run *run = (struct run *)memory;
	run->limit = settings->limit;
	run->parent = kernel_getpid();
	word_of_number(run->own_id, (unsigned long)run->parent);
	bool started = false;
	if (!seccomp_filter_may_be_there(run->environment, sizeof run->environment) &&
	    !kernel_children_are_elsewhere() && fill_arguments(run, settings, question)) {
		fill_environment(run, settings);
		started = start_and_wait(run);
	}
	kernel_unmap((uintptr_t)memory, sizeof *run);
	return started;
}
