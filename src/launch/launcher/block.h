// The argument block that the kernel left on the stack, edited in place for one more environment entry.
#pragma once

#include "process.h"

/// A new entry takes 16 bytes: ld.so needs the stack pointer 16-aligned (System V ABI x86-64, 3.4.1; i386, 2.2.2).
enum { ENTRY_COPIES = 16 / sizeof(char *) };

/// Puts `entry` into the environment, in place of what `slot` points to, or as a new one when `slot` is NULL.
///
/// A new one goes to the end, ENTRY_COPIES times, and the block begins 16 bytes lower. When it is taken away again,
/// the words that are left can be read as NULL and pairs of the auxiliary vector that mean nothing (AT_IGNORE). So
/// the vector stays where ld.so found it, and still follows the environment, which programs without a libc rely on.
void block_put_entry(struct process *process, char **slot, char *entry);

/// Takes a new entry away, whose first copy is at `slot`. False when it is not there as it was put.
bool block_take_entry(char **slot, const char *entry);

/// Takes the environment's last entry out; the auxiliary vector moves down to close the gap.
void block_drop_last_entry(struct process *process);
