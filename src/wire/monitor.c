/*
 * Nothing is copied: a line and its words are views of the bytes that were received. What makes a
 * line too long is decided here alone, by the bytes before its LF.
 */
#include "wire/monitor.h"

#include <string.h>
#include <strings.h>

int monitor_parse_line(const char *p, size_t n, struct monitor_line *out)
{
	size_t looked_at = n < MONITOR_LINE_MAX ? n : MONITOR_LINE_MAX;
	const char *end = memchr(p, '\n', looked_at);

	if (end == NULL)
		return n < MONITOR_LINE_MAX ? MONITOR_MORE : MONITOR_TOO_LONG;
	*out = (struct monitor_line){.text = p, .len = (size_t)(end - p)};
	if (out->len > 0 && p[out->len - 1] == '\r')
		out->len--;
	return (int)(end - p) + 1;
}

size_t monitor_skip_line(const char *p, size_t n, bool *ended)
{
	const char *end = memchr(p, '\n', n);

	*ended = end != NULL;
	return end != NULL ? (size_t)(end - p) + 1 : n;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

bool monitor_is_printable(const struct monitor_line *line)
{
	for (size_t i = 0; i < line->len; i++) {
		if (is_control(line->text[i]))
			return false;
	}
	return true;
}

static void skip_bytes(struct monitor_line *line, size_t n)
{
	line->text += n;
	line->len -= n;
}

static void skip_blanks(struct monitor_line *line)
{
	while (line->len > 0 && line->text[0] == ' ')
		skip_bytes(line, 1);
}

bool monitor_next_word(struct monitor_line *line, struct monitor_line *word)
{
	const char *end;

	skip_blanks(line);
	end = memchr(line->text, ' ', line->len);
	*word = (struct monitor_line){
		.text = line->text, .len = end == NULL ? line->len : (size_t)(end - line->text)};
	skip_bytes(line, word->len);
	skip_blanks(line);
	return word->len > 0;
}

bool monitor_is_word(const struct monitor_line *word, const char *name)
{
	return word->len == strlen(name) && strncasecmp(word->text, name, word->len) == 0;
}
