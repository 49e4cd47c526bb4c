// The text of /etc/passwd, and an environment → the directories in which plans are looked for.
#include "hosted.h"

#include "plan.h"

static struct input passwd;

static char *read_input(int fd, size_t *size)
{
	(void)fd;
	char *bytes = memory_take(passwd.size + 1);
	hosted_expect(bytes != NULL);
	for (size_t i = 0; i < passwd.size; i++)
		bytes[i] = (char)passwd.bytes[i];
	bytes[passwd.size] = '\0';
	*size = passwd.size;
	return bytes;
}
#define read_whole_file read_input
#include "plan-files.c"

// What follows the first empty line of the input is passwd's.
static struct input split(struct input *input)
{
	for (size_t i = 0; i + 1 < input->size; i++)
		if (input->bytes[i] == '\n' && input->bytes[i + 1] == '\n') {
			struct input rest = {input->bytes + i + 2, input->size - i - 2};
			input->size = i + 1;
			return rest;
		}
	return (struct input){input->bytes, 0};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	passwd = split(&input);
	struct process process = process_of_block(hosted_block(&input, "./found"));
	for (int place = PLACE_CACHE; place < PLACE_COUNT; place++) {
		long failed = 0;
		char *path = name_plans(&process, (enum plan_place)place, &failed);
		if (!path)
			continue;
		hosted_expect(path[0] == '/' && text_is_utf8(path) && failed <= 0);
		plan_file_read(&process, (enum plan_place)place, "/program");
	}
	const char *home = home_of_user(process.euid);
	hosted_expect(!home || home[0] == '/');
	hosted_release();
	return 0;
}
