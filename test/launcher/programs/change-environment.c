// A library whose constructor changes the environment before the program begins: CHANGE is what it does.
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void before_the_program(void)
{
	printf("library sees %s\n", getenv("LD_LIBRARY_PATH"));
	CHANGE;
}

int library(void)
{
	return 0;
}
