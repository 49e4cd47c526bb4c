// A static AppImage: it reads what is appended to /proc/self/exe, and says how it was started.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char tail[7] = {0};
	FILE *file = fopen("/proc/self/exe", "r");
	if (!file || fseek(file, -6, SEEK_END) || fread(tail, 1, 6, file) != 6)
		return 10;
	printf("payload %s\nargv0 %s\narguments %d\n", tail, argv[0], argc - 1);
	return argc > 1 ? atoi(argv[1]) : 0;
}
