// Objects that a running program loads from outside the store → a list that its next start reads.
#include "learned-objects.h"
#include "known-names.h"
#include "module-kernel.h"
#include "one-at-a-time.h"
#include "words.h"

enum { MOST_LEARNED_BYTES = 65536 };

static bool has_started;

void learned_objects_begin(void)
{
	has_started = true;
}

static bool is_listed(const struct own_file *list, const char *path)
{
	if (!list->bytes || list->bytes[list->size - 1])
		return false;
	const char *end = list->bytes + list->size;
	for (const char *line = list->bytes; line < end; line = settings_next(line))
		if (word_equal(line, path))
			return true;
	return false;
}

// Only to a file that the plan's writer has made; what is added by two processes at once is there twice, no more.
static bool append(const char *list, const char *path)
{
	long fd = kernel_open(AT_CWD, list, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	size_t size = word_length(path) + 1;
	bool is_added = kernel_write((int)fd, path, size) == (long)size;
	kernel_close((int)fd);
	return is_added;
}

// Objects of the store, of farms and of drivers are no plug-ins.
static bool is_of_ours(const char *records, const char *path)
{
	for (const char *record = settings_next(records); record[0] != '.'; record = settings_next(record))
		if (record[0] == 'S' && word_after(path, record + 1))
			return true;
	return false;
}

static bool note(const char *path)
{
	const struct run_time_settings *settings = known_names_settings();
	if (!settings->learned)
		return false;
	path = known_names_absolute(path); // the working directory is still the one in which ld.so opened it
	if (!path[0] || is_of_ours(settings->file.bytes, path))
		return false;
	struct file_state state = own_file_state(settings->learned);
	struct own_file list = own_file_open(settings->learned, MOST_LEARNED_BYTES, COPIED);
	uint64_t size = state.size + word_length(path) + 1;
	bool fits = state.inode && size <= MOST_LEARNED_BYTES;
	bool is_new = fits && (list.bytes || state.size == 0) && !is_listed(&list, path) &&
		      size <= kernel_limit(RLIMIT_FSIZE) && append(settings->learned, path);
	own_file_close(&list);
	return is_new;
}

bool learned_objects_note(const char *path)
{
	if (!has_started || !path || !path[0] || !one_at_a_time_enter())
		return false;
	bool is_new = note(path);
	one_at_a_time_leave();
	return is_new;
}
