// Bytes to whether they are UTF-8, as RFC 3629, section 4 has its syntax.
#include "utf8.h"

// How many bytes follow this first one; -1 for a byte that begins nothing.
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

bool is_utf8(const char *text)
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
