// An AppRun as AppImageKit's: the libraries inside first, by LD_LIBRARY_PATH, then the program.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *zlibVersion(void);

int main(int argc, char **argv)
{
	char libraries[8192], program[8192];
	const char *directory = getenv("APPDIR");
	if (!directory || !zlibVersion())
		return 1;
	snprintf(libraries, sizeof libraries, "%s/usr/lib", directory);
	snprintf(program, sizeof program, "%s/usr/bin/app", directory);
	setenv("LD_LIBRARY_PATH", libraries, 1);
	execv(program, argv);
	perror(program);
	return 1;
}
