/*
 * Columns, not bytes or characters, are what a table is made of: wide characters take two. What
 * has no width or cannot be decoded is shown as one ?, so that a line never grows or moves the
 * cursor by itself.
 */
#include "client/text.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* A character to show: its bytes, and the columns that it takes. */
struct glyph {
	const char *bytes;
	size_t len; /* of the bytes */
	size_t used; /* of the text */
	int columns;
};

static struct glyph glyph_at(const char *text)
{
	mbstate_t state = {0};
	wchar_t c;
	size_t n = mbrtowc(&c, text, strlen(text), &state);

	if (n == (size_t)-1 || n == (size_t)-2 || n == 0)
		return (struct glyph){.bytes = "?", .len = 1, .used = 1, .columns = 1};
	/* Combining characters, of width 0, would join what stands before them. */
	if (wcwidth(c) <= 0)
		return (struct glyph){.bytes = "?", .len = 1, .used = n, .columns = 1};
	return (struct glyph){.bytes = text, .len = n, .used = n, .columns = wcwidth(c)};
}

int text_width(const char *text)
{
	int columns = 0;

	while (*text != '\0') {
		struct glyph g = glyph_at(text);

		columns += g.columns;
		text += g.used;
	}
	return columns;
}

bool text_is_shown(const char *text)
{
	while (*text != '\0') {
		struct glyph g = glyph_at(text);

		if (g.bytes != text)
			return false;
		text += g.used;
	}
	return true;
}

static size_t fill_columns(char *out, size_t size, size_t len, int columns)
{
	for (; columns > 0 && len + 1 < size; columns--)
		out[len++] = ' ';
	return len;
}

const char *text_fit(const char *text, int columns, char *out, size_t size)
{
	bool cut = text_width(text) > columns;
	int left = cut ? columns - 1 : columns;
	size_t len = 0;

	while (*text != '\0') {
		struct glyph g = glyph_at(text);

		if (g.columns > left || len + g.len >= size)
			break;
		memcpy(out + len, g.bytes, g.len);
		len += g.len;
		left -= g.columns;
		text += g.used;
	}
	if (cut && columns > 0 && len + 1 < size)
		out[len++] = '~';
	len = fill_columns(out, size, len, left);
	out[len] = '\0';
	return out;
}

const char *text_amount(double bytes, char out[16])
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;

	if (bytes < 0)
		return strcpy(out, "-");
	/* As it is rounded: 999.9 is shown as 1000, which is 1.0k. */
	for (; bytes >= 999.5 && unit + 2 < sizeof(units); unit++)
		bytes /= 1000;
	if (unit == 0)
		snprintf(out, 16, "%.0f", bytes);
	else
		snprintf(out, 16, bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes, units[unit]);
	return out;
}

const char *text_duration(int64_t seconds, char out[24])
{
	long long s = seconds;

	if (s < 0)
		return strcpy(out, "-");
	if (s < 60)
		snprintf(out, 24, "%llds", s);
	else if (s < 3600)
		snprintf(out, 24, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, 24, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(out, 24, "%lldd", s / 86400);
	return out;
}
