// A mapped loader and a library path to the running program.
#pragma once

#include "map-loader.h"
#include "plan.h"
#include "users-entry.h"

/// Goes on in the loader, which finds the plan's libraries before all others, and the program none of it. Returns only
/// when memory ran out: -ENOMEM.
long enter_loader(struct process *process, const struct plan *plan, const struct mapped_loader *loader,
		  struct users_entry users);
