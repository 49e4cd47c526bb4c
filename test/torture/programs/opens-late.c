// A program of the torture that opens what it is told, by its name, and prints 42; or says in one line why it cannot.
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 1 && !dlopen(argv[1], RTLD_NOW)) {
		fprintf(stderr, "opens-late: %s\n", dlerror());
		_exit(1);
	}
	if (puts("42") < 0 || fflush(stdout) != 0) {
		perror("opens-late");
		_exit(1);
	}
	return 0;
}
