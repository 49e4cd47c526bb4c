// A program without a plan to a run of nix-foreign, which writes one.
#pragma once

#include "process.h"
#include "program.h"

/// Runs `nix-foreign resolve --from-launcher [MODE] [--found PATH] [--with-capabilities] -- REAL_PATH` and waits for it.
/// MODE is NULL, "--rehash" or "--refresh"; PATH is how the program was found, where that is not its real path.
/// Returns 0 when it succeeded, else the exit status to end with (the cause has been printed).
int resolver_run(const struct process *process, const struct program *program, const char *mode);

/// Runs `nix-foreign choose --from-launcher [--with-capabilities] -- REAL_PATH` on the user's terminal and waits for
/// it. Returns 0 when the program may start, else the exit status to end with: 130 when the user left with Ctrl-C.
int resolver_choose(const struct process *process, const char *real_path);

/// Becomes `nix-foreign explain -- REAL_PATH`; returns only when that cannot be started, with the exit status.
int resolver_explain(const struct process *process, const char *real_path);
