// Prints its environment as libc has it, and how many entries of the auxiliary vector can be read after the stack's.
#include <stdio.h>
#include <sys/auxv.h>

extern char **environ;
int library(void);

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv;
	for (char **entry = environ; *entry; entry++)
		puts(*entry);
	while (*envp)
		envp++;
	unsigned long *pair = (unsigned long *)(envp + 1), count = 0;
	for (; pair[0]; pair += 2)
		count++;
	printf("vector %s, page size %lu\n", count > 10 ? "readable" : "lost", getauxval(AT_PAGESZ));
	return library();
}
