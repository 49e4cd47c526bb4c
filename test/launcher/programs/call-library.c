// Calls a library; with an argument it dies of SIGABRT there.
#include <stdlib.h>

int in_library(int die);

int main(int argc, char **argv)
{
	(void)argv;
	return in_library(argc > 1);
}
