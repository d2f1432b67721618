/*
 * A word is what the monitor's lines and the access log are split into, so blanks must go; a
 * backslash goes too, so that there is one way back. The output is cut between whole sequences,
 * never inside one.
 */
#include "base/escape.h"

#include "base/digits.h"

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
		if (plain) {
			out[used++] = (char)p[i];
		} else {
			out[used] = '\\';
			out[used + 1] = 'x';
			digits_put_hex(out + used + 2, p[i]);
			used += 4;
		}
	}
	out[used] = '\0';
	return out;
}

/* The value of a hexadecimal digit, -1 for anything else. */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_sequence(const char *p, size_t left)
{
	return left >= 4 && p[0] == '\\' && p[1] == 'x' && digit(p[2]) >= 0 && digit(p[3]) >= 0;
}

size_t escape_decode(const char *text, size_t len, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (is_sequence(text + i, len - i)) {
			out[used++] = (char)(digit(text[i + 2]) * 16 + digit(text[i + 3]));
			i += 3;
		} else {
			out[used++] = text[i];
		}
	}
	return used;
}
