// Strings → strings, the few pieces that the audit module needs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t word_length(const char *word);
bool word_equal(const char *left, const char *right);
/// What follows a prefix, or NULL when `word` does not begin with it.
const char *word_after(const char *word, const char *prefix);
bool word_ends_with(const char *word, size_t length, const char *end);
/// What follows the last `/`.
const char *word_base_name(const char *path);
/// 64-bit FNV-1a.
uint64_t word_hash(const char *word);

/// `first`, then `second`, into `size` bytes. False when they do not fit; then nothing is written.
bool word_join(char *into, size_t size, const char *first, const char *second);
/// Decimal digits.
void word_of_number(char into[12], unsigned long number);
