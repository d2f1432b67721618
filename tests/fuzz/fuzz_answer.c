/* What is made of the bytes of a server: replies out of a stream, shown on a terminal, as JSON, as
 * HTML and as comma-separated values. The first line is the request that they answer. */
#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/answer.h"
#include "wire/csv.h"
#include "wire/html.h"
#include "wire/json.h"

/* ---- what a terminal gets ---- */

/* Only what it shows, in lines. */
static void check_shown(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_length(text + i, len - i);

		FUZZ_CHECK(n > 0 && (text[i] == '\n' || !utf8_is_control(text + i, n)));
		i += n;
	}
}

/* ---- JSON (RFC 8259) ---- */

static bool skip_value(const char **p, const char *end, int depth);

static bool skip(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	++*p;
	return true;
}

static bool skip_string(const char **p, const char *end)
{
	if (!skip(p, end, '"'))
		return false;
	while (*p < end && **p != '"') {
		if ((unsigned char)**p < 0x20)
			return false;
		if (!skip(p, end, '\\')) {
			++*p;
			continue;
		}
		if (skip(p, end, 'u')) {
			if (end - *p < 4 || strspn(*p, "0123456789abcdefABCDEF") < 4)
				return false;
			*p += 4;
		} else if (*p == end || strchr("\"\\/bfnrt", *(*p)++) == NULL) {
			return false;
		}
	}
	return skip(p, end, '"');
}

static size_t skip_digits(const char **p, const char *end)
{
	const char *begin = *p;

	while (*p < end && **p >= '0' && **p <= '9')
		++*p;
	return (size_t)(*p - begin);
}

/* A string, a number or null. */
static bool skip_plain(const char **p, const char *end)
{
	const char *begin = *p;

	if (*p < end && **p == '"')
		return skip_string(p, end);
	if (end - *p >= 4 && memcmp(*p, "null", 4) == 0) {
		*p += 4;
		return true;
	}
	if (skip_digits(p, end) == 0 || (*begin == '0' && *p != begin + 1))
		return false;
	return !skip(p, end, '.') || skip_digits(p, end) > 0;
}

/* What stands in braces or brackets, behind the first of them. */
static bool skip_members(const char **p, const char *end, char last, int depth)
{
	if (skip(p, end, last))
		return true;
	do {
		if (last == '}' && (!skip_string(p, end) || !skip(p, end, ':')))
			return false;
		if (!skip_value(p, end, depth))
			return false;
	} while (skip(p, end, ','));
	return skip(p, end, last);
}

static bool skip_value(const char **p, const char *end, int depth)
{
	FUZZ_CHECK(depth < 8);
	if (skip(p, end, '{'))
		return skip_members(p, end, '}', depth + 1);
	if (skip(p, end, '['))
		return skip_members(p, end, ']', depth + 1);
	return skip_plain(p, end);
}

/* One object on one line. */
static void check_json(const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	FUZZ_CHECK(len > 0 && *text == '{');
	FUZZ_CHECK(skip_value(&p, end, 0));
	FUZZ_CHECK(p == end - 1 && *p == '\n');
}

/* ---- HTML ---- */

/* Tags are those that are written, with attributes in quotes, and each that is opened is closed. */
static void check_html(const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	int depth = 0;

	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		const char *close = memchr(p, '>', (size_t)(end - p));
		size_t quotes = 0;

		FUZZ_CHECK(close != NULL && memchr(p + 1, '<', (size_t)(close - p - 1)) == NULL);
		for (const char *q = p; q < close; q++)
			quotes += *q == '"';
		FUZZ_CHECK(quotes % 2 == 0);
		depth += p[1] == '/' ? -1 : 1;
		FUZZ_CHECK(depth >= 0);
		p = close + 1;
	}
	FUZZ_CHECK(depth == 0);
}

/* ---- CSV (RFC 4180) ---- */

/* One field; what is in front of it is a comma or a line's end. */
static const char *skip_field(const char *p, const char *end)
{
	bool is_quoted = p < end && *p == '"';

	p += is_quoted;
	FUZZ_CHECK(p == end || strchr("=+-@\t", *p) == NULL || *p == '\0');
	while (p < end) {
		if (is_quoted && *p == '"') {
			if (++p == end || *p != '"')
				return p;
		} else if (!is_quoted && (*p == ',' || *p == '\r')) {
			return p;
		}
		FUZZ_CHECK(is_quoted || *p != '"');
		p++;
	}
	return p;
}

/* Each line has as many fields as the first. */
static void check_csv(const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	size_t wanted = 0;

	while (p < end) {
		size_t fields = 1;

		for (p = skip_field(p, end); p < end && *p == ','; fields++)
			p = skip_field(p + 1, end);
		FUZZ_CHECK(end - p >= 2 && p[0] == '\r' && p[1] == '\n');
		p += 2;
		FUZZ_CHECK(wanted == 0 || fields == wanted);
		wanted = fields;
	}
}

/* ---- replies ---- */

static void check_pages(const char *request, const struct answer *a)
{
	struct html_view view = {
		.id = "id", .caption = "Caption", .from = 1, .most = 3, .link = "/page?from="};
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	for (int i = 0; i < 4; i++) {
		view.is_newest_first = (i & 1) != 0;
		view.caption = (i & 2) != 0 ? "Caption" : NULL;
		out = open_memstream(&text, &len);
		FUZZ_CHECK(out != NULL);
		html_print(out, request, a, &view);
		fclose(out);
		check_shown(text, len);
		check_html(text, len);
		free(text);
	}
	out = open_memstream(&text, &len);
	FUZZ_CHECK(out != NULL);
	csv_print(out, request, a);
	fclose(out);
	check_csv(text, len);
	free(text);
}

static void check_answer(const char *request, const struct answer *a)
{
	char *shown = NULL, *json = NULL;
	size_t shown_len = 0, json_len = 0;
	FILE *out = open_memstream(&shown, &shown_len);

	FUZZ_CHECK(out != NULL);
	answer_print(out, a);
	fclose(out);
	check_shown(shown, shown_len);
	out = open_memstream(&json, &json_len);
	FUZZ_CHECK(out != NULL);
	json_print(out, request, a);
	fclose(out);
	check_shown(json, json_len);
	check_json(json, json_len);
	free(shown);
	free(json);
	check_pages(request, a);
}

static void take_answer(const char *request, const char *p, size_t len)
{
	struct answer a;

	if (answer_parse(p, len, &a) < 0)
		return;
	FUZZ_CHECK(a.status.len <= len && a.message.len <= a.status.len);
	for (size_t i = 0; i < a.count; i++)
		FUZZ_CHECK(a.lines[i].len > 0 &&
			memchr(a.lines[i].text, '\n', a.lines[i].len) == NULL);
	check_answer(request, &a);
	answer_free(&a);
}

/* The end of a reply is found in the same place however much was looked at before. */
static size_t find_end(const char *p, size_t len)
{
	size_t end = answer_find_end(p, len, 0);

	FUZZ_CHECK(end <= len);
	for (size_t seen = 0; seen < len && seen < 40; seen++) {
		size_t early = answer_find_end(p, seen, 0);

		FUZZ_CHECK(early == (end != 0 && seen >= end ? end : 0));
	}
	return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *p = (const char *)bytes, *end = memchr(bytes, '\n', len);
	char request[128] = "";
	size_t n;

	if (end != NULL && (size_t)(end - p) < sizeof(request)) {
		memcpy(request, p, (size_t)(end - p));
		len -= (size_t)(end - p) + 1;
		p = end + 1;
	}
	while (len > 0 && (n = find_end(p, len)) > 0) {
		take_answer(request, p, n);
		p += n;
		len -= n;
	}
	take_answer(request, p, len);
	return 0;
}
