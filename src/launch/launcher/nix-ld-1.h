// An environment entry that nix-ld 1 renamed in place to what it was.
#pragma once

#include "process.h"

/// With no LD_LIBRARY_PATH, nix-ld 1.x writes that name over NIX_LD_LIBRARY_PATH's and moves what follows left, by 16
/// bytes too many: the next entries lose their beginning (nix-ld 1.2.3, src/nix-ld.c, insert_ld_library_path). If that
/// happened to the entry at `slot`, everything is put back. Returns by how much its value begins later then, or 0.
size_t nix_ld_1_undo(const struct process *process, char **slot);
