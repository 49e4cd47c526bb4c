// Opens each name that it is given, as most hosts of plug-ins do: functions are bound at their first call.
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++) {
		int opened = dlopen(argv[i], RTLD_LAZY) != NULL;
		printf("%s %s\n", argv[i], opened ? "opened" : dlerror());
		failed |= !opened;
	}
	return failed;
}
