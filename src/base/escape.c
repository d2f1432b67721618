/*
 * A word is what the monitor's lines and the access log are split into, so blanks must go; a
 * backslash goes too, so that there is one way back. The output is cut between whole sequences,
 * never inside one.
 */
#include "base/escape.h"

#include <string.h>

#include "base/digits.h"
#include "base/utf8.h"

enum { FOR_SHELLS = 1, BLANKS_STAY = 2 };

/* How many bytes at the front can be copied as they are; 0: the first is to be escaped. */
static size_t plain_length(const unsigned char *p, size_t left, int how)
{
	size_t len = utf8_length(p, left);

	if (len == 0 || utf8_is_control(p, len))
		return 0;
	if ((how & FOR_SHELLS) && (len > 1 || strchr("$();&|<>\"'`", *p) != NULL))
		return 0;
	return (*p == ' ' || *p == '\\') && !(how & BLANKS_STAY) ? 0 : len;
}

static const char *copy_escaped(const unsigned char *p, size_t len, int how, char *out, size_t size)
{
	size_t used = 0;

	while (len > 0) {
		size_t plain = plain_length(p, len, how), taken = plain > 0 ? plain : 1;

		if (used + (plain > 0 ? plain : 4) >= size)
			break;
		if (plain > 0)
			memcpy(out + used, p, plain);
		else
			digits_put_hex(stpcpy(out + used, "\\x"), *p);
		used += plain > 0 ? plain : 4;
		p += taken;
		len -= taken;
	}
	out[used] = '\0';
	return out;
}

const char *escape_word(const void *bytes, size_t len, char *out, size_t size)
{
	return copy_escaped(bytes, len, 0, out, size);
}

const char *escape_name(const void *bytes, size_t len, char *out, size_t size)
{
	return copy_escaped(bytes, len, FOR_SHELLS, out, size);
}

const char *escape_line(const void *bytes, size_t len, char *out, size_t size)
{
	return copy_escaped(bytes, len, BLANKS_STAY, out, size);
}

static bool is_sequence(const char *p, size_t left)
{
	return left >= 4 && p[0] == '\\' && p[1] == 'x' && digits_hex_value(p[2]) >= 0 &&
		digits_hex_value(p[3]) >= 0;
}

size_t escape_decode(const char *text, size_t len, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (is_sequence(text + i, len - i)) {
			out[used++] = (char)(digits_hex_value(text[i + 2]) * 16 +
				digits_hex_value(text[i + 3]));
			i += 3;
		} else {
			out[used++] = text[i];
		}
	}
	return used;
}
