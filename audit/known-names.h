// A name that ld.so has not found → the path of a file, or to nothing: what is known, and what is asked for.
#pragma once

#include "resolver-run.h"

/// The directory of the run-time files (RUN-TIME.md); nothing is read before the first name.
void known_names_begin(const char *directory);
const struct run_time_settings *known_names_settings(void);

/// `searched`: where ld.so would look next. NULL: nothing is known of its name. Called by one thread at a time.
const char *known_names_answer(const char *searched, const char *requester);

/// `path`: what a program opens. Its last name, where that is known and the path is one where other distributions have
/// their libraries and this machine has nothing; else NULL. Called by one thread at a time.
const char *known_names_instead_of(const char *path);

/// ld.so calls what was opened by a relative path by just that. The whole path, as long as nothing else is asked here,
/// or "". After the settings were read; called by one thread at a time.
const char *known_names_absolute(const char *path);

/// A plug-in that could not be loaded: the resolver says on a terminal whether the next start will have it.
void known_names_refused(const char *path);
