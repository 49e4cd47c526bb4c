// The file of settings beside the module (RUN-TIME.md) → what the module does by it.
#include "run-time-settings.h"
#include "words.h"

enum { MOST_BYTES = 65536, USUAL_LIMIT = 20, LONGEST_LIMIT = 3600 };

static const char heading[] = "nix-run-foreign run-time 1";

const char *settings_next(const char *record)
{
	return record + word_length(record) + 1;
}

static bool take_path(const char **into, const char *value)
{
	if (*into || value[0] != '/')
		return false;
	*into = value;
	return true;
}

static bool take_limit(long *into, const char *digits)
{
	long seconds = 0;
	for (; *digits >= '0' && *digits <= '9' && seconds <= LONGEST_LIMIT; digits++)
		seconds = 10 * seconds + (*digits - '0');
	*into = seconds;
	return !*digits && seconds >= 1 && seconds <= LONGEST_LIMIT;
}

static bool take(struct run_time_settings *settings, const char *record)
{
	switch (record[0]) {
	case 't':
		return take_path(&settings->table, record + 1);
	case 'x':
		return take_path(&settings->resolver, record + 1);
	case 'l':
		return take_path(&settings->learned, record + 1);
	case 'T':
		return take_limit(&settings->limit, record + 1);
	case 'D':
	case 'S':
		return record[1] == '/';
	case 'N':
	case 'R':
	case 'I':
		return !record[1];
	case 'A':
	case 'e':
		return true;
	default:
		return false;
	}
}

// Every record known and whole, the last one `.` and the end of the file.
static bool take_all(struct run_time_settings *settings)
{
	const char *record = settings->file.bytes, *end = record + settings->file.size;
	if (end[-1] || !word_equal(record, heading))
		return false;
	int count = 0;
	for (record = settings_next(record); record < end; record = settings_next(record)) {
		if (record[0] == '.')
			return !record[1] && record + 2 == end;
		if (++count > MOST_WORDS * 4 || !take(settings, record))
			return false;
	}
	return false;
}

struct run_time_settings run_time_settings_read(const char *path)
{
	struct run_time_settings settings = {.limit = USUAL_LIMIT};
	settings.file = own_file_open(path, MOST_BYTES, COPIED);
	if (settings.file.bytes && !take_all(&settings)) {
		own_file_close(&settings.file);
		settings = (struct run_time_settings){.limit = USUAL_LIMIT};
	}
	return settings;
}
