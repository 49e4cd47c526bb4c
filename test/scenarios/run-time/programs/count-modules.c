// Opens each name that it is given, and says how often the audit module was loaded.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	char line[8192];
	int count = 0;
	for (int i = 1; i < argc; i++)
		dlopen(argv[i], RTLD_NOW);
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps && fgets(line, sizeof line, maps))
		count += strstr(line, "nix-foreign-audit") && strstr(line, " r-xp ");
	printf("%d\n", count);
	return 0;
}
