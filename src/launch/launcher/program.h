// A path to a program's real path and identity, by which its plan is found and checked.
#pragma once

#include "kernel.h"

enum { IDENTITY_SIZE = 160 };

struct program {
	const char *found;            // the path it was found by, to be given to execve
	bool is_running;              // it is what runs in this process, whatever its path names by now
	char identity[IDENTITY_SIZE]; // identity text, see PLAN.md
	char real_path[PATH_SIZE];    // the same file, symbolic links resolved; last, so that a short one costs no page
};

/// Fills in real path and identity of `program->found`. Returns 0 or a negative errno: EACCES for what is no regular file.
long program_identify(struct program *program);

/// The same for the program that runs in this process, whatever its name is by now. ENOENT where there is no /proc.
long program_identify_running(struct program *program);

/// The same way as the last time.
long program_identify_again(struct program *program);

/// `<dev>:<ino>:<size>:<mtime>.<nsec>:<ctime>.<nsec>` of a stat result into `into` (IDENTITY_SIZE bytes).
void identity_text(const struct kernel_stat *status, char *into);
