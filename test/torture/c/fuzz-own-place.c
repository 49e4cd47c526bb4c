// What ld.so gave to the audit module → the directory it was named by, and an environment without it where it leaves.
#include "hosted.h"

#include "own-place.c"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	struct process process = process_of_block(hosted_block(&input, "./found"));
	size_t before = hosted_walk(process.envp);
	char *directory = memory_take(PLACE_SIZE);
	// As ld.so leaves it: the words of its own are taken out of argv, their strings stay.
	while (process.argc > 1 && text_after(process.argv[0], "-")) {
		process.argv++;
		process.argc--;
	}
	if (own_place_find(process.argv, process.envp, directory)) {
		size_t length = text_length(directory);
		hosted_expect(directory[0] == '/' && length > 0 && length < PLACE_SIZE);
	}
	size_t after = hosted_walk(process.envp);
	hosted_expect(after == before || after + 1 == before);
	hosted_release();
	return 0;
}
