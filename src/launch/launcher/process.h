// What the kernel gave this process: the stack at entry, taken apart.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct process {
	int argc;
	char **argv;
	char **envp;
	uint32_t uid, euid, gid, egid;
	bool secure; // AT_SECURE: started with rights that the caller does not have
};

/// The value of the first environment entry of that name, or NULL.
const char *process_variable(const struct process *process, const char *name);
