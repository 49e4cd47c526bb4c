// Prints whether the strings of argv follow one another in memory, then argv.
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	int contiguous = 1;
	for (int i = 0; i + 1 < argc; i++)
		contiguous &= argv[i + 1] == argv[i] + strlen(argv[i]) + 1;
	puts(contiguous ? "contiguous" : "apart");
	for (int i = 0; i < argc; i++)
		puts(argv[i]);
	return 0;
}
