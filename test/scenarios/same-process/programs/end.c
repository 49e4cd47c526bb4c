// How to end: `exit N`, `signal N`, or `read N`: prints N bytes of descriptor 5 and leaves the rest to others.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int number = argc > 2 ? atoi(argv[2]) : 0;
	if (!strcmp(argv[1], "exit"))
		return number;
	if (!strcmp(argv[1], "signal"))
		kill(getpid(), number);
	char bytes[64];
	if (!strcmp(argv[1], "read"))
		return read(5, bytes, number) == number && write(1, bytes, number) == number ? 0 : 1;
	return 99;
}
