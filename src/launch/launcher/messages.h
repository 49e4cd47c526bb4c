// Causes to lines on standard error: one line of cause, one line of remedy; and the debug log.
#pragma once

#include "process.h"

/// Writes `nix-run-foreign: [SUBJECT: ]CAUSE[DETAIL]` and, indented, REMEDY[REMEDY_DETAIL]. All but CAUSE may be NULL;
/// untrusted text is made printable. Returns `status`, so that a failing function can end with it.
struct failure {
	const char *subject, *cause, *detail, *remedy, *remedy_detail;
};
int message_failure(int status, struct failure failure);

/// With NIX_RUN_FOREIGN_DEBUG=1 in the environment, one line of why a plan was passed over; else nothing.
void message_debug(const struct process *process, const char *what, const char *subject);

/// Help and version: TEXT to standard output. Returns 0, or 125 when it could not be written.
int message_output(const char *text);

/// The kernel's error number in words.
const char *message_of_error(long error);
