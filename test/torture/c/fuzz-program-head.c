// The bytes of a program → what the launcher sees of its ELF headers before any resolver runs.
#include "hosted.h"

#define kernel_map hosted_map
#include "program.c"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *path = hosted_file(bytes, size);
	char *interpreter = memory_take(PATH_SIZE);
	struct program_kind kind = program_kind_of(path);
	bool named = program_interpreter(path, interpreter);
	hosted_expect(text_length(interpreter) < PATH_SIZE);
	hosted_expect(!named || interpreter[0] == '/');
	hosted_expect(!named || kind.format == FORMAT_DYNAMIC || kind.format == FORMAT_ODD_INTERPRETER);
	hosted_release();
	return 0;
}
