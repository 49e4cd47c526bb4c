// Objects that a running program loads from outside the store to a list that its next start reads.
#pragma once

/// From now on objects are plug-ins, no part of the start.
void learned_objects_begin(void);
void learned_objects_note(const char *path);
