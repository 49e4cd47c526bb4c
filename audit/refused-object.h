// A plug-in that ld.so maps and takes away again → whether it was refused.
#pragma once

#include "link-names.h"

/// A plug-in that was mapped for the first time; what it needs is still to be seen.
void refused_object_await(const struct link_map *map);
/// True of that plug-in when it is taken away before it was relocated: a library or a version was missing.
bool refused_object_is(const struct link_map *map);
