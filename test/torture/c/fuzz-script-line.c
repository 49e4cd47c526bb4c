// The bytes of a script → its first line, taken apart, and what is said where its interpreter is missing.
#include "hosted.h"

#include "failures.c"

static void expect_no(const char *text, const char *bytes)
{
	for (; *text; text++)
		for (const char *each = bytes; *each; each++)
			hosted_expect(*text != *each);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *path = hosted_file(bytes, size);
	struct script_line line = script_line_read(path);
	hosted_expect(line.is_script == (size >= 3 && bytes[0] == '#' && bytes[1] == '!'));
	if (line.is_script) {
		expect_no(line.interpreter, " \t\n");
		expect_no(line.argument, "\n");
		size_t length = text_length(line.argument);
		hosted_expect(length == 0 || (!is_blank(line.argument[0]) && !is_blank(line.argument[length - 1])));
	}
	struct failure failure = missing_interpreter(path);
	message_failure(EXIT_CANNOT_RUN, &failure);
	hosted_release();
	return 0;
}
