// A program's real path to the bytes of its plan, if it lies where only this user (or root) can have put it.
#pragma once

#include "process.h"

/// In the order in which they are looked at. PLACE_PASSWD is for a HOME that is missing or somebody else's,
/// PLACE_SYSTEM for what an administrator resolved for everybody.
enum plan_place { PLACE_CACHE, PLACE_PASSWD, PLACE_TMP, PLACE_SYSTEM, PLACE_COUNT };

struct plan_file {
	const char *bytes; // NULL: no plan that may be read
	size_t size;
	const char *path;    // of the file, when bytes is not NULL
	int64_t last_use;    // seconds since 1970, as far as the file's times tell
	const char *why_not; // when bytes is NULL; NULL as well where the place does not apply
};

struct plan_file plan_file_read(const struct process *process, enum plan_place place, const char *real_path);
