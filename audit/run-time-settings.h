// The file of settings beside the module (RUN-TIME.md) → what the module does by it.
#pragma once

#include "own-file.h"

enum { MOST_WORDS = 64 };

struct run_time_settings {
	struct own_file file; // its bytes NULL: nothing is answered
	const char *table;    // path of the soname table, or NULL
	const char *resolver; // file to execute, or NULL: the resolver is never asked
	const char *learned;  // file that takes the paths of plug-ins, or NULL
	long limit;	      // seconds that the resolver may take
};

struct run_time_settings run_time_settings_read(const char *path);

/// The record after this one.
const char *settings_next(const char *record);
