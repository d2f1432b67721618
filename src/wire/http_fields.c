/*
 * A head is looked at twice: once for where it ends, byte by byte as it comes, and once, when it is
 * all there, for what it says. Fields are not kept in a table but stay as they came, as a slice
 * that is stepped through: heads are short, whoever passes one on goes through it once, and a
 * session that only tunnels touches no memory for it.
 */
#include "wire/http_fields.h"

#include <string.h>
#include <strings.h>

static const struct {
	unsigned status;
	const char *text;
} faults[] = {
	[-HTTP_BAD_LINE] = {400,
		"The first line of the request is malformed, or a line does not end "
		"in CR LF."},
	[-HTTP_BAD_TARGET] = {400, "The address in the request is malformed."},
	[-HTTP_BAD_VERSION] = {505, "Only HTTP/1.0 and HTTP/1.1 are spoken here."},
	[-HTTP_BAD_FIELD] = {400, "A header field is malformed."},
	[-HTTP_BAD_HOST] = {400, "There has to be one header field Host that names a host."},
	[-HTTP_BAD_LENGTH] = {400,
		"What the header says of the body's length is malformed or "
		"contradictory."},
	[-HTTP_BAD_CODING] = {501, "Of transfer codings only chunked is known here."},
	[-HTTP_TOO_LARGE] = {431, "The header has more bytes or fields than are allowed."},
};

const char *http_fault_text(int fault)
{
	return faults[-fault].text;
}

unsigned http_fault_status(int fault)
{
	return faults[-fault].status;
}

/* ---- bytes ---- */

bool http_is_token_byte(unsigned char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr(others, c) != NULL);
}

bool http_is_value_byte(unsigned char c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Of a value that was folded, and so still has line ends. */
static bool is_space(char c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

static struct http_slice trim(struct http_slice s)
{
	while (s.len > 0 && is_space(s.text[0])) {
		s.text++;
		s.len--;
	}
	while (s.len > 0 && is_space(s.text[s.len - 1]))
		s.len--;
	return s;
}

bool http_is(const struct http_slice *s, const char *word)
{
	return strlen(word) == s->len && strncasecmp(s->text, word, s->len) == 0;
}

bool http_equals(const struct http_slice *s, const char *word)
{
	return strlen(word) == s->len && memcmp(s->text, word, s->len) == 0;
}

static bool is_same(const struct http_slice *a, const struct http_slice *b)
{
	return a->len == b->len && strncasecmp(a->text, b->text, a->len) == 0;
}

bool http_parse_length(const struct http_slice *s, int64_t *out)
{
	int64_t value = 0;

	for (size_t i = 0; i < s->len; i++) {
		int digit = s->text[i] - '0';

		if (digit < 0 || digit > 9 || value > (HTTP_LENGTH_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return s->len > 0;
}

/* ---- lines ---- */

/* Of the LF at `at`: is the line that it ends empty, given that a line ends before it? */
static bool ends_head(const char *p, size_t at)
{
	return at > 0 && (p[at - 1] == '\n' || (at > 1 && p[at - 1] == '\r' && p[at - 2] == '\n'));
}

int http_find_end(const char *p, size_t n, size_t *seen, bool is_lax)
{
	size_t most = n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX;

	while (*seen < most) {
		const char *lf = memchr(p + *seen, '\n', most - *seen);
		size_t at = lf == NULL ? most : (size_t)(lf - p);

		*seen = lf == NULL ? most : at + 1;
		if (lf == NULL)
			break;
		if (!is_lax && (at == 0 || p[at - 1] != '\r'))
			return HTTP_BAD_LINE;
		if (ends_head(p, at))
			return (int)*seen;
	}
	return n >= HTTP_HEAD_MAX ? HTTP_TOO_LARGE : HTTP_MORE;
}

bool http_next_line(struct http_slice *rest, struct http_slice *line)
{
	const char *lf = rest->len == 0 ? NULL : memchr(rest->text, '\n', rest->len);
	size_t taken;

	if (lf == NULL)
		return false;
	taken = (size_t)(lf - rest->text) + 1;
	*line = (struct http_slice){rest->text, taken - 1};
	if (line->len > 0 && line->text[line->len - 1] == '\r')
		line->len--;
	rest->text += taken;
	rest->len -= taken;
	return true;
}

/* ---- fields ---- */

bool http_is_value(const struct http_slice *s)
{
	for (size_t i = 0; i < s->len; i++) {
		if (!http_is_value_byte((unsigned char)s->text[i]))
			return false;
	}
	return true;
}

static size_t count_token(const struct http_slice *s)
{
	size_t i = 0;

	while (i < s->len && http_is_token_byte((unsigned char)s->text[i]))
		i++;
	return i;
}

/* Adds the lines that begin with a blank to the value that they go on. False for bytes that no
 * value has. */
static bool take_folds(struct http_slice *rest, struct http_slice *value)
{
	struct http_slice line;

	while (rest->len > 0 && is_blank(rest->text[0]) && http_next_line(rest, &line)) {
		if (!http_is_value(&line))
			return false;
		value->len = (size_t)(line.text + line.len - value->text);
	}
	return true;
}

/* The line as a field; false when it is none. */
static bool split_field(const struct http_slice *line, struct http_field *out, bool is_lax)
{
	size_t name = count_token(line), colon = name;

	while (is_lax && colon < line->len && is_blank(line->text[colon]))
		colon++;
	if (name == 0 || colon == line->len || line->text[colon] != ':')
		return false;
	out->name = (struct http_slice){line->text, name};
	out->value = (struct http_slice){line->text + colon + 1, line->len - colon - 1};
	out->tail = (struct http_slice){line->text + colon, line->len - colon};
	return true;
}

int http_parse_field(struct http_slice *rest, struct http_field *out, bool is_lax)
{
	struct http_slice line;

	while (http_next_line(rest, &line) && line.len > 0) {
		bool is_field = split_field(&line, out, is_lax);

		if (!http_is_value(is_field ? &out->value : &line) || (!is_field && !is_lax))
			return HTTP_BAD_FIELD;
		if (!is_field)
			continue;
		if (is_lax && !take_folds(rest, &out->value))
			return HTTP_BAD_FIELD;
		out->tail.len = out->value.len + 1;
		out->value = trim(out->value);
		return 1;
	}
	return 0;
}

bool http_next_field(struct http_slice *rest, struct http_field *out)
{
	return http_parse_field(rest, out, true) > 0;
}

bool http_find_field(const struct http_slice *fields, const char *name, struct http_slice *value)
{
	struct http_slice rest = *fields;
	struct http_field field;

	while (http_next_field(&rest, &field)) {
		if (http_is(&field.name, name)) {
			*value = field.value;
			return true;
		}
	}
	return false;
}

/* ---- lists ---- */

bool http_next_member(struct http_slice *list, struct http_slice *member)
{
	while (list->len > 0) {
		const char *comma = memchr(list->text, ',', list->len);
		size_t len = comma == NULL ? list->len : (size_t)(comma - list->text);
		size_t taken = comma == NULL ? len : len + 1;

		*member = trim((struct http_slice){list->text, len});
		list->text += taken;
		list->len -= taken;
		if (member->len > 0)
			return true;
	}
	return false;
}

static bool has_member(struct http_slice list, const struct http_slice *word)
{
	struct http_slice member;

	while (http_next_member(&list, &member)) {
		if (is_same(&member, word))
			return true;
	}
	return false;
}

bool http_connection_add(struct http_connection *c, const struct http_slice *value)
{
	struct http_slice list = *value, member;

	if (c->count == HTTP_CONNECTION_FIELDS)
		return false;
	c->lists[c->count++] = list;
	while (c->members <= HTTP_CONNECTION_MEMBERS && http_next_member(&list, &member))
		c->members++;
	return c->members <= HTTP_CONNECTION_MEMBERS;
}

bool http_connection_has(const struct http_connection *c, const struct http_slice *word)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (has_member(c->lists[i], word))
			return true;
	}
	return false;
}

bool http_is_hop_by_hop(const struct http_connection *c, const struct http_slice *name)
{
	static const char *const always[] = {"Connection", "Keep-Alive", "Proxy-Connection", "TE",
		"Transfer-Encoding", "Upgrade", "Proxy-Authorization", "Proxy-Authenticate",
		"Proxy-Authentication-Info"};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		if (http_is(name, always[i]))
			return true;
	}
	return http_connection_has(c, name);
}
