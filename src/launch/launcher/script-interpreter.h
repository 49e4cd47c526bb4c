// A file's first line to the interpreter that it names after #!.
#pragma once

#include "kernel.h"

enum script_line { SCRIPT_LINE_NONE, SCRIPT_LINE_PLAIN, SCRIPT_LINE_CARRIAGE_RETURN };
enum { SCRIPT_INTERPRETER_SIZE = 256 }; // the kernel looks at so many bytes (BINPRM_BUF_SIZE)

/// Writes the interpreter's path into `interpreter`; SCRIPT_LINE_NONE when the file is no script or cannot be read.
enum script_line script_interpreter_read(const char *path, char *interpreter);
