// The launcher as another program's loader: entered with that program mapped, it gives it its own libraries.
#pragma once

#include "process.h"

/// Goes on as the program whose loader this process was started with; returns only when it cannot, with exit status
/// 127, as ld.so has it.
int interpreter_main(struct process *process);
