// Strings → strings, the few pieces that the audit module needs.
#include "words.h"

size_t word_length(const char *word)
{
	size_t length = 0;
	while (word[length])
		length++;
	return length;
}

bool word_equal(const char *left, const char *right)
{
	while (*left && *left == *right)
		left++, right++;
	return *left == *right;
}

const char *word_after(const char *word, const char *prefix)
{
	while (*prefix)
		if (*word++ != *prefix++)
			return NULL;
	return word;
}

bool word_ends_with(const char *word, size_t length, const char *end)
{
	size_t end_length = word_length(end);
	if (length < end_length)
		return false;
	for (size_t i = 0; i < end_length; i++)
		if (word[length - end_length + i] != end[i])
			return false;
	return true;
}

const char *word_base_name(const char *path)
{
	const char *name = path;
	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

uint64_t word_hash(const char *word)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (; *word; word++)
		hash = (hash ^ (unsigned char)*word) * 0x100000001b3;
	return hash;
}

bool word_join(char *into, size_t size, const char *first, const char *second)
{
	size_t first_length = word_length(first), second_length = word_length(second);
	if (first_length + second_length >= size)
		return false;
	for (size_t i = 0; i < first_length; i++)
		into[i] = first[i];
	for (size_t i = 0; i <= second_length; i++)
		into[first_length + i] = second[i];
	return true;
}

void word_of_number(char into[12], unsigned long number)
{
	char digits[12];
	int count = 0, at = 0;
	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) && count < 11);
	while (count)
		into[at++] = digits[--count];
	into[at] = '\0';
}
