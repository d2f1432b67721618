/*
 * What is written is the least that any reader takes as it is meant: whoever splits at blanks,
 * commas, equal signs or quotes finds none of them in it.
 */
#include "base/percent.h"

#include <stdbool.h>
#include <string.h>

#include "base/digits.h"

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr("-._~", c) != NULL);
}

char *percent_put(char *to, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_unreserved(bytes[i])) {
			*to++ = bytes[i];
		} else {
			*to++ = '%';
			to = digits_put_hex(to, (unsigned char)bytes[i]);
		}
	}
	return to;
}

int percent_decode(const char *text, size_t len, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (used + 1 >= size)
			return -1;
		if (c == '%') {
			int high = len - i > 2 ? digits_hex_value(text[i + 1]) : -1;
			int low = len - i > 2 ? digits_hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		}
		out[used++] = c;
	}
	if (used >= size)
		return -1;
	out[used] = '\0';
	return (int)used;
}
