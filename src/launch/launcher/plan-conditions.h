// One record of a plan to whether what it says of the file system still holds.
#pragma once

#include "process.h"

/// The directory of the last `d` record, open, so that the files in it are looked up from there: most of a plan's
/// files are links in its farm. Begins as NO_OPEN_DIRECTORY, and is closed by condition_end.
struct open_directory {
	const char *path;
	long fd;
};
#define NO_OPEN_DIRECTORY ((struct open_directory){0, -1})

/// What is not met of the record's condition, or NULL; NULL too for a record that is no condition.
const char *condition_unmet(const struct process *process, const char *record, struct open_directory *directory);

void condition_end(struct open_directory *directory);
