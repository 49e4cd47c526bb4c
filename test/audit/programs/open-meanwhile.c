// A mode, a name and files → what a thread sees while another one looks for the library of that name.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *open_in_thread(void *name)
{
	return dlopen(name, RTLD_NOW);
}

static pthread_t start_opening(char *name)
{
	pthread_t thread;
	pthread_create(&thread, NULL, open_in_thread, name);
	return thread;
}

static void say_opened(pthread_t thread, const char *name)
{
	void *handle;
	pthread_join(thread, &handle);
	printf("%s %s\n", name, handle ? "opened" : "not opened");
}

// What a pipe's reader waits for. `files`: what the resolver makes when it begins, and before it ends.
static int close_pipe(char *name, char **files)
{
	int ends[2];
	char byte;
	if (pipe(ends) != 0)
		return 3;
	pthread_t thread = start_opening(name);
	while (access(files[0], F_OK) != 0)
		usleep(10000);
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 0)
		return 4;
	puts(access(files[1], F_OK) == 0 ? "end after the search" : "end during the search");
	say_opened(thread, name);
	return 0;
}

static int is_mapped(const char *file)
{
	char line[4096];
	int found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (!found && fgets(line, sizeof line, maps))
		found = strstr(line, file) != NULL;
	fclose(maps);
	return found;
}

// As soon as the thread has taken the replaced table out of memory. `files`: the table, another, a name to look for.
static int fork_at_change(char *name, char **files)
{
	char gone[4096];
	snprintf(gone, sizeof gone, "%s (deleted)", files[0]);
	dlopen(files[2], RTLD_NOW);
	if (rename(files[1], files[0]) != 0 || !is_mapped(gone))
		return 3;
	usleep(200000); // until the module looks again
	pthread_t thread = start_opening(name);
	while (is_mapped(gone))
		usleep(1000);
	pid_t child = fork();
	if (child == 0)
		_exit(dlopen(files[2], RTLD_NOW) ? 1 : 0);
	int status;
	waitpid(child, &status, 0);
	printf("child %d\n", status);
	say_opened(thread, name);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 4 && strcmp(argv[1], "close-pipe") == 0)
		return close_pipe(argv[2], argv + 3);
	if (argc > 5 && strcmp(argv[1], "fork-at-change") == 0)
		return fork_at_change(argv[2], argv + 3);
	return 64;
}
