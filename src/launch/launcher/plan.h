// The bytes of a plan to a plan that is believed, or the reason why it is not. The format is in PLAN.md.
#pragma once

#include "process.h"
#include "program.h"

/// A believed plan. Its records are walked again when argv and envp are made.
struct plan {
	const char *records; // the record after the first; NULL: not believed
	const char *why_not; // set when not believed
	const char *about;   // the path that `why_not` is about, or NULL
	const char *execute; // value of `x`, or NULL
	const char *loader;       // value of `l`, or NULL
	const char *library_path; // value of `b`, or NULL
	size_t set_count, drop_count, argument_count;
};

/// Believes a plan of `size` bytes for `program` when it is well-formed, is for this very file,
/// and everything that it names is as it says.
struct plan plan_believe(const struct process *process, const struct program *program, const char *bytes,
			 size_t size);

/// The record after `record`. Records end at the one that is `.`.
const char *plan_next(const char *record);
