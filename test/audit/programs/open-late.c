// A mode and names → what dlopen says of each name in that state of a process, one line a name on the descriptor REPORT.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8 };

static int report = 1;

static void say(const char *name, const char *what)
{
	dprintf(report, "%s %s\n", name, what);
}

static void *open_one(const char *name)
{
	void *handle = dlopen(name, RTLD_NOW);
	say(name, handle ? "opened" : dlerror());
	return handle;
}

static int open_all(char **names)
{
	for (; *names; names++)
		open_one(*names);
	return 0;
}

static void *open_in_thread(void *name)
{
	return dlopen(name, RTLD_NOW);
}

static int threads(char **names)
{
	pthread_t each[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&each[i], NULL, open_in_thread, names[0]);
	for (int i = 0; i < THREADS; i++) {
		void *handle;
		pthread_join(each[i], &handle);
		say(names[0], handle ? "opened" : "not opened");
	}
	return 0;
}

static int small_thread(char **names)
{
	pthread_attr_t attributes;
	pthread_t thread;
	void *handle;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	pthread_create(&thread, &attributes, open_in_thread, names[0]);
	pthread_join(thread, &handle);
	say(names[0], handle ? "opened" : "not opened");
	return 0;
}

static int after_child(pid_t child)
{
	int status;
	if (waitpid(child, &status, 0) != child)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static int in_child(char **names)
{
	pid_t child = fork();
	if (child == 0)
		_exit(open_all(names));
	return after_child(child);
}

// A thread waits for the resolver while the process forks; the child's own search must not wait for that thread.
static int in_child_of_busy(char **names)
{
	pthread_t thread;
	pthread_create(&thread, NULL, open_in_thread, names[0]);
	usleep(300000);
	pid_t child = fork();
	if (child == 0)
		_exit(open_all(names + 1));
	int status = after_child(child);
	void *handle;
	pthread_join(thread, &handle);
	say(names[0], handle ? "opened" : "not opened");
	return status;
}

static volatile int children_ended;

static void count_child(int signal)
{
	(void)signal;
	children_ended++;
}

static int with_child_handler(char **names)
{
	signal(SIGCHLD, count_child);
	open_all(names);
	say("waitpid", waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? "has no child" : "has a child");
	say("handler", children_ended ? "was called" : "was not called");
	sigset_t pending;
	sigpending(&pending);
	say("SIGCHLD", sigismember(&pending, SIGCHLD) ? "is pending" : "is not pending");
	return 0;
}

static int children_ignored(char **names)
{
	signal(SIGCHLD, SIG_IGN);
	return open_all(names);
}

static int all_blocked(char **names)
{
	sigset_t all, now;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	open_all(names);
	sigprocmask(SIG_SETMASK, NULL, &now);
	say("SIGTERM", sigismember(&now, SIGTERM) ? "is blocked" : "is not blocked");
	return 0;
}

static int none_blocked(char **names)
{
	sigset_t now;
	open_all(names);
	sigprocmask(SIG_SETMASK, NULL, &now);
	say("SIGTERM", sigismember(&now, SIGTERM) ? "is blocked" : "is not blocked");
	return 0;
}

static int no_new_privileges(char **names)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return open_all(names);
}

static int no_execve(char **names)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return 3;
	return open_all(names);
}

static int descriptors_closed(char **names)
{
	report = dup2(1, 9);
	close(0), close(1), close(2);
	open_all(names);
	say("descriptor 0", fcntl(0, F_GETFD) < 0 ? "is closed" : "is open");
	return 0;
}

// The next child is the first process of a new pid namespace; when that has ended, no other can be started.
static void *in_new_pid_namespace(void *names)
{
	int opened = -1;
	if (unshare(CLONE_NEWPID) == 0)
		opened = open_all(names);
	pid_t child = fork();
	if (child == 0)
		_exit(getpid());
	dprintf(report, "child %d\n", child < 0 ? -errno : after_child(child));
	return opened == 0 ? NULL : &report;
}

static int new_pid_namespace(char **names)
{
	return in_new_pid_namespace(names) ? 3 : 0;
}

// It is the thread's, not the process's.
static int new_pid_namespace_of_thread(char **names)
{
	pthread_t thread;
	void *failed;
	pthread_create(&thread, NULL, in_new_pid_namespace, names);
	pthread_join(thread, &failed);
	return failed ? 3 : 0;
}

static int no_processes(char **names)
{
	const struct rlimit none = {0, 0};
	if (getuid() == 0 && (setgid(65534) || setuid(65534)))
		return 3;
	setrlimit(RLIMIT_NPROC, &none);
	return open_all(names);
}

static int directory_deleted(char **names)
{
	char directory[] = "/tmp/open-late-XXXXXX";
	if (!mkdtemp(directory) || chdir(directory) || rmdir(directory))
		return 3;
	return open_all(names);
}

static char **names_of_handler;

static void open_in_handler(int signal)
{
	(void)signal;
	open_all(names_of_handler);
}

static int in_handler(char **names)
{
	names_of_handler = names;
	signal(SIGUSR1, open_in_handler);
	raise(SIGUSR1);
	return 0;
}

// Of this process's own work, whatever else the machine does.
static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

// Names that no store has: nanoseconds of a search each.
static int failing_probes(char **names)
{
	int count = atoi(names[0]), opened = 0;
	char name[64];
	double begin = now();
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "libno-such-%d.so.%d", i, i % 7);
		opened += dlopen(name, RTLD_NOW) != NULL;
	}
	dprintf(report, "%d %.0f\n", opened, (now() - begin) / count);
	return 0;
}

// Nanoseconds of a found and closed library.
static int open_and_close(char **names)
{
	int count = atoi(names[0]);
	double begin = now();
	for (int i = 0; i < count; i++) {
		void *handle = dlopen(names[1], RTLD_NOW);
		if (!handle || dlclose(handle)) {
			say(names[1], dlerror());
			return 1;
		}
	}
	dprintf(report, "%.0f\n", (now() - begin) / count);
	return 0;
}

// The name that debuggers see, and dladdr.
static int show_names(char **names)
{
	struct link_map *map = open_one(names[0]);
	Dl_info info;
	void *symbol = map ? dlsym(map, "answer") : NULL;
	if (!symbol || !dladdr(symbol, &info))
		return 1;
	say("link map", map->l_name);
	say("dladdr", info.dli_fname);
	return dlclose(map);
}

// Nanoseconds of a call through the procedure linkage table, bound lazily or not.
static int call_often(char **names)
{
	int count = atoi(names[0]);
	double begin = now();
	for (int i = 0; i < count; i++)
		getppid();
	double kernel = now();
	volatile size_t sum = 0;
	for (int i = 0; i < count; i++)
		sum += strtoul(names[0], NULL, 10);
	dprintf(report, "%.1f %.1f\n", (kernel - begin) / count, (now() - kernel) / count);
	return 0;
}

extern char **environ;

static int show_environment(char **names)
{
	open_all(names);
	for (char **entry = environ; *entry; entry++)
		if (strncmp(*entry, "LD_", 3) == 0)
			dprintf(report, "%s\n", *entry);
	return 0;
}

// As setproctitle(3) does: what the strings of the environment were becomes a title, and zeros.
static int title_written(char **names)
{
	static char *copies[1024];
	char *begin = environ[0], *end = begin;
	for (size_t i = 0; environ[i] && i < sizeof copies / sizeof *copies - 1; i++) {
		end = environ[i] + strlen(environ[i]) + 1;
		copies[i] = strdup(environ[i]);
	}
	environ = copies;
	memset(begin, 0, end - begin);
	snprintf(begin, end - begin, "idle, shard=3");
	return open_all(names);
}

static int do_nothing(char **names)
{
	(void)names;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(char **names);
} modes[] = {
	{"open", open_all},
	{"threads", threads},
	{"small-thread", small_thread},
	{"in-child", in_child},
	{"in-child-of-busy", in_child_of_busy},
	{"with-child-handler", with_child_handler},
	{"children-ignored", children_ignored},
	{"all-blocked", all_blocked},
	{"none-blocked", none_blocked},
	{"no-new-privileges", no_new_privileges},
	{"no-execve", no_execve},
	{"descriptors-closed", descriptors_closed},
	{"new-pid-namespace", new_pid_namespace},
	{"new-pid-namespace-of-thread", new_pid_namespace_of_thread},
	{"no-processes", no_processes},
	{"directory-deleted", directory_deleted},
	{"in-handler", in_handler},
	{"failing-probes", failing_probes},
	{"open-and-close", open_and_close},
	{"show-names", show_names},
	{"call-often", call_often},
	{"show-environment", show_environment},
	{"title-written", title_written},
	{"nothing", do_nothing},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argv + 2);
	return 64;
}
