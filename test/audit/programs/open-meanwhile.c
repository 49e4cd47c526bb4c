// A mode, a name and files → what a thread sees while another one looks for the library of that name.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
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

int main(int argc, char **argv)
{
	if (argc > 4 && strcmp(argv[1], "close-pipe") == 0)
		return close_pipe(argv[2], argv + 3);
	return 64;
}
