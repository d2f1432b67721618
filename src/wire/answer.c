/*
 * The whole reply is in memory before it is looked at, and lines and fields are views of it. Only
 * what the contract promises is relied on: a status line, data lines, an empty line; unknown lines
 * are kept and shown.
 */
#include "wire/answer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/utf8.h"

/* Does the LF at `p[at]` end a line that has nothing else, but for a CR? */
static bool ends_empty_line(const char *p, size_t at)
{
	if (at > 0 && p[at - 1] == '\r')
		at--;
	return at == 0 || p[at - 1] == '\n';
}

size_t answer_find_end(const char *p, size_t n, size_t from)
{
	while (from < n) {
		const char *end = memchr(p + from, '\n', n - from);

		if (end == NULL)
			return 0;
		from = (size_t)(end - p) + 1;
		if (ends_empty_line(p, from - 1))
			return from;
	}
	return 0;
}

/* Takes a line off the front; the last one may lack its LF. */
static bool next_line(struct monitor_line *rest, struct monitor_line *line)
{
	const char *end = memchr(rest->text, '\n', rest->len);
	size_t len = end == NULL ? rest->len : (size_t)(end - rest->text);
	size_t used = end == NULL ? len : len + 1;

	if (rest->len == 0)
		return false;
	*line = (struct monitor_line){.text = rest->text, .len = len};
	if (len > 0 && line->text[len - 1] == '\r')
		line->len--;
	rest->text += used;
	rest->len -= used;
	return true;
}

static bool take_status(struct monitor_line line, struct answer *out)
{
	struct monitor_line word;

	out->status = line;
	if (!monitor_next_word(&line, &word))
		return false;
	out->message = line;
	out->ok = answer_is(&word, "OK");
	return out->ok || answer_is(&word, "ERR");
}

static size_t count_lines(const char *p, size_t n)
{
	const char *end = p + n;
	size_t count = 1;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		count++;
		p++;
	}
	return count;
}

int answer_parse(const char *p, size_t n, struct answer *out)
{
	struct monitor_line rest, line;

	*out = (struct answer){.bytes = malloc(n + 1)};
	out->lines = malloc(count_lines(p, n) * sizeof(*out->lines));
	if (out->bytes == NULL || out->lines == NULL)
		goto bad;
	memcpy(out->bytes, p, n);
	rest = (struct monitor_line){.text = out->bytes, .len = n};
	if (!next_line(&rest, &line) || !take_status(line, out))
		goto bad;
	while (next_line(&rest, &line) && line.len > 0)
		out->lines[out->count++] = line;
	return 0;
bad:
	answer_free(out);
	return -1;
}

void answer_free(struct answer *r)
{
	free(r->bytes);
	free(r->lines);
	*r = (struct answer){.ok = false};
}

#define PIECE 256 /* bytes that are escaped at once */

/* Up to PIECE bytes, without cutting a character. */
static size_t piece_length(const char *text, size_t left)
{
	size_t len = 0, n;

	while (len < left && len < PIECE - 4) {
		n = utf8_length(text + len, left - len);
		len += n > 0 ? n : 1;
	}
	return len;
}

/* A line may be as long as the reply; it is escaped a piece at a time, between characters. */
void answer_print_line(FILE *out, const struct monitor_line *line)
{
	char shown[4 * PIECE + 1];

	for (size_t i = 0; i < line->len;) {
		size_t n = piece_length(line->text + i, line->len - i);

		fputs(escape_line(line->text + i, n, shown, sizeof(shown)), out);
		i += n;
	}
	putc('\n', out);
}

void answer_print(FILE *out, const struct answer *r)
{
	answer_print_line(out, &r->status);
	for (size_t i = 0; i < r->count; i++)
		answer_print_line(out, &r->lines[i]);
}

bool answer_split(const struct monitor_line *line, struct answer_field *out)
{
	const char *colon = memchr(line->text, ':', line->len);
	size_t len;

	if (colon == NULL)
		return false;
	len = (size_t)(colon - line->text);
	out->name = (struct monitor_line){.text = line->text, .len = len};
	out->value = (struct monitor_line){.text = colon + 1, .len = line->len - len - 1};
	return true;
}

bool answer_is_sentence(const struct monitor_line *name)
{
	return answer_is(name, "advice") || answer_is(name, "text");
}

bool answer_is_name(const struct monitor_line *name)
{
	static const char *const names[] = {"user", "name", "upstream", "client", "target",
		"address", "from", "site", "group", "groups", "password", "proxy", "limits", "rule",
		"about", "addresses", "by", "advice", "text"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (answer_is(name, names[i]))
			return true;
	}
	return false;
}

static bool is_key(const struct monitor_line *name)
{
	for (size_t i = 0; i < name->len; i++) {
		if (!islower((unsigned char)name->text[i]) && name->text[i] != '_')
			return false;
	}
	return name->len > 0;
}

bool answer_is_record(const struct monitor_line *line)
{
	struct monitor_line rest = *line, word;
	struct answer_field field;
	size_t words = 0;

	for (; monitor_next_word(&rest, &word); words++) {
		if (!answer_split(&word, &field) || !is_key(&field.name))
			return false;
		if (answer_is_sentence(&field.name))
			rest.len = 0;
	}
	return words > 1;
}

bool answer_next_field(struct monitor_line *rest, struct answer_field *out)
{
	struct monitor_line word;

	while (monitor_next_word(rest, &word)) {
		if (!answer_split(&word, out))
			continue;
		if (answer_is_sentence(&out->name)) {
			out->value.len = (size_t)(rest->text + rest->len - out->value.text);
			rest->len = 0;
		}
		return true;
	}
	return false;
}

bool answer_find(const struct monitor_line *line, const char *name, struct monitor_line *value)
{
	struct monitor_line rest = *line;
	struct answer_field field;

	while (answer_next_field(&rest, &field)) {
		if (answer_is(&field.name, name)) {
			*value = field.value;
			return true;
		}
	}
	return false;
}

bool answer_is(const struct monitor_line *text, const char *expected)
{
	return text->len == strlen(expected) && memcmp(text->text, expected, text->len) == 0;
}

bool answer_is_same(const struct monitor_line *a, const struct monitor_line *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

bool answer_number(const struct monitor_line *text, long long *out)
{
	long long value = 0;

	if (text->len == 0 || text->len > 15 || (text->text[0] == '0' && text->len > 1))
		return false;
	for (size_t i = 0; i < text->len; i++) {
		if (text->text[i] < '0' || text->text[i] > '9')
			return false;
		value = value * 10 + (text->text[i] - '0');
	}
	*out = value;
	return true;
}
