// Text: comparison of NUL-terminated strings, and building one in a buffer of fixed size.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t text_length(const char *text);
bool text_equal(const char *left, const char *right);

/// Are the first `length` bytes the same? Neither text may end before.
bool text_begins(const char *left, const char *right, size_t length);

/// What follows `prefix` in `text`, or NULL when `text` does not begin with it.
const char *text_after(const char *text, const char *prefix);

/// Is this environment entry `NAME=...` with exactly this name of `length` bytes? An entry without `=` has no name.
bool text_has_name(const char *entry, const char *name, size_t length);

/// A string under construction. Always NUL-terminated; `cut` says that it did not fit.
struct text {
	char *bytes;
	size_t size, used;
	bool cut;
};

struct text text_in(char *bytes, size_t size);
void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const char *more, size_t length);
void text_add_unsigned(struct text *text, uint64_t number);
void text_add_signed(struct text *text, int64_t number);

/// Adds untrusted text with every control character replaced by `?`, so that it cannot drive a terminal.
void text_add_printable(struct text *text, const char *more);
