// A file's first line to the interpreter that it names after #!, and its argument.
#pragma once

#include "kernel.h"

enum { SCRIPT_LINE_SIZE = 256 }; // the kernel looks at so many bytes (BINPRM_BUF_SIZE)

struct script_line {
	bool is_script; // false as well for a file that cannot be read
	bool ends_interpreter_in_cr;
	char interpreter[SCRIPT_LINE_SIZE];
	char argument[SCRIPT_LINE_SIZE]; // empty without one
};

/// Never fails: what is no script, or cannot be read, is said so.
struct script_line script_line_read(const char *path);
