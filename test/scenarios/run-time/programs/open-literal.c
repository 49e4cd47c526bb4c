// Opens a library whose name stands in its data.
#include <dlfcn.h>
#include <stdio.h>

int main(void)
{
	void *library = dlopen("libbz2.so.1.0", RTLD_NOW);
	puts(library ? "opened" : dlerror());
	return !library;
}
