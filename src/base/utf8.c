/*
 * What is valid is decided by the second byte: it alone tells overlong forms, surrogates and what
 * is beyond the last character, so a table of lead bytes with the range behind each is the whole
 * rule.
 */
#include "base/utf8.h"

/* A lead byte, how long its character is, and where the byte behind it must lie: the table of
 * RFC 3629 section 4. */
struct utf8_class {
	unsigned char first, last;
	unsigned char length;
	unsigned char second_least, second_most;
};

static const struct utf8_class utf8_classes[] = {
	{0xc2, 0xdf, 2, 0x80, 0xbf},
	{0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf},
	{0xed, 0xed, 3, 0x80, 0x9f},
	{0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf},
	{0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct utf8_class *class_of(unsigned char lead)
{
	for (size_t i = 0; i < sizeof(utf8_classes) / sizeof(utf8_classes[0]); i++) {
		if (lead >= utf8_classes[i].first && lead <= utf8_classes[i].last)
			return &utf8_classes[i];
	}
	return NULL;
}

size_t utf8_length(const void *text, size_t n)
{
	const unsigned char *p = text;
	const struct utf8_class *class;

	if (n == 0 || p[0] < 0x80)
		return n == 0 ? 0 : 1;
	class = class_of(p[0]);
	if (class == NULL || n < class->length)
		return 0;
	if (p[1] < class->second_least || p[1] > class->second_most)
		return 0;
	for (size_t i = 2; i < class->length; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return class->length;
}

bool utf8_is_control(const void *character, size_t len)
{
	const unsigned char *p = character;

	if (len == 1)
		return p[0] < ' ' || p[0] == 0x7f;
	return len == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}
