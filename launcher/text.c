// Strings → strings: the few pieces of a C library that are needed.
#include "base.h"

size_t text_length(const char *text)
{
	size_t length = 0;
	while (text[length])
		length++;
	return length;
}

bool text_equal(const char *left, const char *right)
{
	while (*left && *left == *right)
		left++, right++;
	return *left == *right;
}

bool text_begins(const char *left, const char *right, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (left[i] != right[i])
			return false;
	return true;
}

const char *text_after(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return NULL;
	return text;
}

const char *text_base_name(const char *path)
{
	const char *name = path;
	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

bool text_is_loader_of_glibc(const char *loader)
{
	const char *base = text_base_name(loader);
	return text_after(base, "ld-linux") || text_after(base, "ld-2.");
}

bool entry_has_name(const char *entry, const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (entry[i] != name[i]) // also stops at the end of the entry: names hold no NUL
			return false;
	return entry[length] == '=';
}

size_t entry_name_length(const char *entry)
{
	size_t length = 0;
	while (entry[length] && entry[length] != '=')
		length++;
	return length;
}

struct text text_in(char *bytes, size_t size)
{
	bytes[0] = '\0';
	return (struct text){.bytes = bytes, .size = size};
}

void text_add_bytes(struct text *text, const char *more, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text->used + 1 >= text->size) {
			text->cut = true;
			break;
		}
		text->bytes[text->used++] = more[i];
	}
	text->bytes[text->used] = '\0';
}

void text_add(struct text *text, const char *more)
{
	text_add_bytes(text, more, text_length(more));
}

// Division of 64-bit numbers on a 32-bit machine is a function of the compiler's library, which is not here.
static uint64_t tenth(uint64_t number)
{
	uintptr_t word = (uintptr_t)number;
	if (word == number)
		return word / 10;
	uint64_t quotient = 0;
	for (uint32_t rest = 0, shift = 64; shift > 0; rest %= 10) {
		shift -= 16;
		rest = rest << 16 | (uint32_t)(number >> shift & 0xffff);
		quotient |= (uint64_t)(rest / 10) << shift;
	}
	return quotient;
}

void text_add_unsigned(struct text *text, uint64_t number)
{
	char digits[20];
	size_t first = sizeof digits;
	do {
		uint64_t quotient = tenth(number);
		digits[--first] = (char)('0' + (number - quotient * 10));
		number = quotient;
	} while (number);
	text_add_bytes(text, digits + first, sizeof digits - first);
}

void text_add_signed(struct text *text, int64_t number)
{
	if (number < 0)
		text_add(text, "-");
	text_add_unsigned(text, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

char *text_joined(const char *first, const char *between, const char *last)
{
	size_t size = text_length(first) + text_length(between) + text_length(last) + 1;
	char *bytes = memory_take(size);
	if (!bytes)
		return NULL;
	struct text text = text_in(bytes, size);
	text_add(&text, first);
	text_add(&text, between);
	text_add(&text, last);
	return bytes;
}

static const char *between_lists(const char *first, const char *second)
{
	return *first && *second ? ":" : "";
}

void text_add_lists(struct text *text, const char *first, const char *second)
{
	text_add(text, first);
	text_add(text, between_lists(first, second));
	text_add(text, second);
}

char *text_joined_lists(const char *first, const char *second)
{
	return text_joined(first, between_lists(first, second), second);
}

static bool is_control(unsigned char before, unsigned char byte, unsigned char after)
{
	// U+0080 to U+009F are controls too; in UTF-8 they are C2 followed by 80..9F.
	bool c1_lead = byte == 0xc2 && after >= 0x80 && after <= 0x9f;
	bool c1_rest = before == 0xc2 && byte >= 0x80 && byte <= 0x9f;
	return byte < 0x20 || byte == 0x7f || c1_lead || c1_rest;
}

void text_add_printable(struct text *text, const char *more)
{
	unsigned char before = 0;
	for (; *more; before = (unsigned char)*more++)
		text_add_bytes(text, is_control(before, (unsigned char)*more, (unsigned char)more[1]) ? "?" : more, 1);
}

static bool is_plain(char byte)
{
	bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
	if (is_letter || (byte >= '0' && byte <= '9'))
		return true;
	for (const char *other = "_./+:=@,-"; *other; other++)
		if (byte == *other)
			return true;
	return false;
}

static void add_octal(struct text *text, unsigned char byte)
{
	char escape[] = {'\\', (char)('0' + (byte >> 6)), (char)('0' + (byte >> 3 & 7)), (char)('0' + (byte & 7))};
	text_add_bytes(text, escape, sizeof escape);
}

void text_add_shell_word(struct text *text, const char *word)
{
	bool plain = *word && *word != '=', controls = false; // `=` in front is an expansion of zsh's
	unsigned char before = 0;
	for (const char *at = word; *at; before = (unsigned char)*at++) {
		plain = plain && is_plain(*at);
		controls = controls || is_control(before, (unsigned char)*at, (unsigned char)at[1]);
	}
	if (plain) {
		text_add(text, word);
		return;
	}
	text_add(text, controls ? "$'" : "'");
	for (before = 0; *word; before = (unsigned char)*word++) {
		bool escaped = *word == '\'' || *word == '\\';
		if (is_control(before, (unsigned char)*word, (unsigned char)word[1])) {
			add_octal(text, (unsigned char)*word);
			continue;
		}
		text_add(text, !escaped ? "" : controls ? "\\" : "'\\");
		text_add_bytes(text, word, 1);
		text_add(text, escaped && !controls ? "'" : "");
	}
	text_add(text, "'");
}

// RFC 3629, section 4: how many bytes follow this first one; -1 for a byte that begins nothing.
static int following(unsigned char first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first <= 0xdf) // C0 and C1 would begin overlong forms
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

// After these first bytes the second one has a narrower range.
static bool is_second(unsigned char first, unsigned char second)
{
	unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	return second >= least && second <= most;
}

bool text_is_utf8(const char *text)
{
	for (const unsigned char *byte = (const unsigned char *)text; *byte;) {
		unsigned char first = *byte++;
		int more = following(first);
		if (more < 0 || (more > 0 && !is_second(first, *byte)))
			return false;
		for (; more > 0; more--)
			if ((*byte++ & 0xc0) != 0x80)
				return false;
	}
	return true;
}
