// Picks the part of the kernel's interface that differs from one architecture to the next.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "arch-x86_64.h"
#elif defined(__aarch64__)
#include "arch-aarch64.h"
#elif defined(__i386__)
#include "arch-i386.h"
#else
#error "nix-run-foreign: no launcher for this architecture yet; write an arch-<machine>.h for it"
#endif
