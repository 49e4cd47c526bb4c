// The bytes of a settings file → what the audit module does by it, and the command line of the resolver it would start.
#include "hosted.h"

#include "own-file.h"

static struct input written;

static struct own_file open_input(const char *path, size_t most, enum how_kept how)
{
	(void)path;
	(void)how;
	struct own_file file = {.bytes = NULL};
	if (written.size == 0 || written.size > most)
		return file;
	file.size = written.size;
	file.bytes = hosted_copy(written.bytes, written.size);
	return file;
}

static void close_input(struct own_file *file)
{
	file->bytes = NULL;
}
#define own_file_open open_input
#define own_file_close close_input
#include "run-time-settings.c"

#include "resolver-run.c"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct run run;
	static const struct question question = {.name = "libx.so", .requester = "/program"};
	written = (struct input){bytes, size};
	struct run_time_settings settings = run_time_settings_read("");
	hosted_expect(settings.limit >= 0 && (!settings.file.bytes || settings.limit >= 1));
	if (settings.file.bytes) {
		if (fill_arguments(&run, &settings, &question))
			hosted_walk(run.argv);
		fill_environment(&run, &settings);
		hosted_walk(run.envp);
	}
	hosted_release();
	return 0;
}
