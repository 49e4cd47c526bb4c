// RATE SECONDS COUNT COMMAND... → the command started RATE times a second, `{}` in its words being 0 to COUNT - 1 in turn.
//
// Prints: how many, how many of them failed, microseconds of the median, of the 99th in a hundred and of the slowest, each
// from when the start was due, and kilobytes of the largest process.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WORDS = 32 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void wait_until(double due)
{
	double left = due - now();
	if (left > 0)
		usleep((useconds_t)left);
}

static char *numbered(const char *word, int number)
{
	static char texts[MOST_WORDS][4096];
	static int next;
	const char *place = strstr(word, "{}");
	if (!place)
		return (char *)word;
	next = (next + 1) % MOST_WORDS;
	snprintf(texts[next], sizeof texts[next], "%.*s%d%s", (int)(place - word), word, number, place + 2);
	return texts[next];
}

static int start(char **words, int number, long *largest)
{
	char *argv[MOST_WORDS] = {0};
	for (int i = 0; words[i] && i < MOST_WORDS - 1; i++)
		argv[i] = numbered(words[i], number);
	pid_t pid = vfork();
	if (pid == 0) {
		execve(argv[0], argv, environ);
		_exit(127);
	}
	int status;
	struct rusage usage;
	wait4(pid, &status, 0, &usage);
	if (usage.ru_maxrss > *largest)
		*largest = usage.ru_maxrss;
	return status;
}

static int ascending(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	int rate = atoi(argv[1]), all = rate * atoi(argv[2]), count = atoi(argv[3]), failed = 0;
	double *times = malloc((size_t)all * sizeof *times);
	if (all < 1 || count < 1 || !times)
		return 2;
	int null = open("/dev/null", O_RDWR), out = dup(1);
	dup2(null, 1);
	long largest = 0;
	double begin = now();
	for (int i = 0; i < all; i++) {
		double due = begin + i * 1e6 / rate;
		wait_until(due);
		failed += start(argv + 4, i % count, &largest) != 0;
		times[i] = now() - due;
	}
	qsort(times, (size_t)all, sizeof *times, ascending);
	dprintf(out, "%d %d %.0f %.0f %.0f %ld\n", all, failed, times[all / 2], times[all * 99 / 100], times[all - 1], largest);
	return 0;
}
