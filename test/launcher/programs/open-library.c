// Opens a library by its name while it runs, and says what is left of the path it was found by.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	const char *path = getenv("LD_LIBRARY_PATH");
	int (*in_library)(int) = 0;
	void *library = dlopen("libcalled-library.so.1", RTLD_NOW);
	if (library)
		in_library = (int (*)(int))dlsym(library, "in_library");
	printf("library path %s, %s\n", path ? path : "unset", in_library ? "found" : dlerror());
	return in_library ? in_library(0) : 1;
}
