// An environment entry that nix-ld 1 renamed in place to what it was.
#include "nix-ld-1.h"
#include "arch.h"
#include "text.h"

#define RENAMED "LD_LIBRARY_PATH="
static const char *const originals[] = {"NIX_LD_LIBRARY_PATH=", "NIX_LD_LIBRARY_PATH_" ARCH_NIX_SYSTEM "="};

enum { MOVED_TOO_MUCH = sizeof RENAMED - 1 };

size_t nix_ld_1_undo(const struct process *process, char **slot)
{
	const uintptr_t *last = auxiliary_value(&process->auxiliary, AT_EXECFN);
	const char *next = slot[1] ? slot[1] : last ? (const char *)*last : NULL;
	char *entry = *slot, *value = entry + sizeof RENAMED - 1;
	size_t length = text_length(value);
	for (size_t i = 0; next && i < sizeof originals / sizeof *originals; i++) {
		size_t shift = text_length(originals[i]) - (sizeof RENAMED - 1);
		if (next != value + length + 1 + shift) // the kernel leaves no gap between strings
			continue;
		for (size_t left = length + MOVED_TOO_MUCH; left-- > 0;)
			value[shift + left] = value[left];
		for (size_t at = 0; originals[i][at]; at++)
			entry[at] = originals[i][at];
		return shift;
	}
	return 0;
}
