#include "base/escape.h"

#include <stdio.h>
#include <string.h>

static bool is_plain(unsigned char c, bool ascii)
{
	return c > ' ' && c != 0x7f && c != '\\' && (c < 0x80 || !ascii);
}

const char *escape_word(const void *bytes, size_t len, bool ascii, char *out, size_t size)
{
	const unsigned char *p = bytes;
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		bool plain = is_plain(p[i], ascii);

		if (used + (plain ? 1 : 4) >= size)
			break;
		if (plain)
			out[used++] = (char)p[i];
		else
			used += (size_t)snprintf(out + used, size - used, "\\x%02x", p[i]);
	}
	out[used] = '\0';
	return out;
}

/* The value of a hexadecimal digit in lower case, -1 for anything else. */
static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

size_t escape_decode(char *text)
{
	char *out = text;

	for (const char *p = text; *p != '\0'; out++) {
		if (p[0] == '\\' && p[1] == 'x' && digit(p[2]) >= 0 && digit(p[3]) >= 0) {
			*out = (char)(digit(p[2]) * 16 + digit(p[3]));
			p += 4;
		} else {
			*out = *p++;
		}
	}
	*out = '\0';
	return (size_t)(out - text);
}
