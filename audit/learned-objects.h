// Objects that a running program loads from outside the store → a list that its next start reads.
#pragma once

#include "kernel.h"

/// From now on objects are plug-ins, no part of the start.
void learned_objects_begin(void);
/// `path`: as ld.so calls it, relative where it was opened so. True where it is new to the list.
bool learned_objects_note(const char *path);
