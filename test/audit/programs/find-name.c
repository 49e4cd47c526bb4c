// A name table, and rounds of damage to it → what the module's reader says of names, in memory of exactly its size.
#include "name-table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % limit;
}

static int find_all(const struct own_file *file, char **names, int print)
{
	struct name_table table = name_table_of(file, 62);
	int found = 0;
	for (; *names; names++) {
		const char *value = name_table_find(&table, *names);
		if (value)
			found += 1 + (int)strlen(value);
		if (print)
			printf("%s\n", value ? value : "-");
	}
	return found;
}

// The header mostly stays, so that the rest is looked at.
static void damage(char *bytes, size_t size)
{
	for (uint32_t i = 0, count = 1 + random_below(40); i < count; i++) {
		uint32_t at = random_below(8) ? 40 + random_below((uint32_t)size - 40) : random_below(40);
		bytes[at] = (char)(random_below(3) ? random_below(256) : 0xff);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	FILE *stream = fopen(argv[1], "r");
	static char whole[1 << 20];
	size_t size = stream ? fread(whole, 1, sizeof whole, stream) : 0;
	struct own_file file = {.bytes = size ? whole : NULL, .size = size};
	find_all(&file, argv + 3, 1);
	int rounds = atoi(argv[2]), found = 0;
	for (int i = 0; i < rounds; i++) {
		seed = (uint64_t)i;
		size_t kept = random_below(4) ? size : random_below((uint32_t)size + 1);
		char *bytes = malloc(kept ? kept : 1);
		memcpy(bytes, whole, kept);
		if (kept > 40)
			damage(bytes, kept);
		struct own_file damaged = {.bytes = bytes, .size = kept};
		found += find_all(&damaged, argv + 3, 0);
		free(bytes);
	}
	return found < 0;
}
