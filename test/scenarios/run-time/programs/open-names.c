// Opens each name or path that it is given, as plug-in hosts do, and says what came of it. `-` waits for a line.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++) {
		char name[4096];
		if (argv[i][0] == '-') {
			fflush(stdout);
			failed |= getchar() == EOF;
			continue;
		}
		snprintf(name, sizeof name, "%s", argv[i]);
		int opened = dlopen(name, RTLD_NOW) != NULL;
		printf("%s %s\n", argv[i], opened ? "opened" : dlerror());
		failed |= !opened;
	}
	const char *audit = getenv("LD_AUDIT"), *path = getenv("LD_LIBRARY_PATH");
	printf("LD_AUDIT=%s LD_LIBRARY_PATH=%s\n", audit ? audit : "unset", path ? path : "unset");
	return failed;
}
