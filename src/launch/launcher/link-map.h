// The list of loaded objects that a loader keeps for debuggers, to one that names the loader's own file.
#pragma once

#include "auxiliary-vector.h"

/// A loader takes its own name from the program's PT_INTERP (glibc elf/rtld.c, rtld_setup_main_map; musl ldso/dynlink.c),
/// where another file is. Writes `name` to the entry of the object whose dynamic section is at `dynamic`.
void link_map_name(const struct auxiliary_vector *vector, uintptr_t dynamic, char *name);
