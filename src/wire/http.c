/*
 * Whatever a request says in two ways, or in one that somebody further on may read in another, is
 * refused: that is how requests are smuggled past a judge. So there is one parser for hosts and
 * ports, one for lengths, and a field that decides where a body ends may be there once.
 */
#include "wire/http.h"

#include <sodium.h>
#include <string.h>

/* ---- authority (RFC 3986 section 3.2) ---- */

static bool is_host_byte(unsigned char c)
{
	static const char others[] = "-._~!$&'()*+,;=";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr(others, c) != NULL);
}

static bool is_host(const struct http_slice *s)
{
	for (size_t i = 0; i < s->len; i++) {
		if (!is_host_byte((unsigned char)s->text[i]))
			return false;
	}
	return s->len > 0 && s->len <= DESTINATION_NAME_MAX;
}

/* An IPv6 address without its brackets; no zone, which means nothing to others. */
static bool is_ipv6(const struct http_slice *s)
{
	struct addr addr;

	return memchr(s->text, ':', s->len) != NULL && memchr(s->text, '%', s->len) == NULL &&
		memchr(s->text, '[', s->len) == NULL && addr_parse(s->text, s->len, &addr);
}

/* Cuts `rest` behind the host. */
static bool take_host(struct http_slice *rest, struct http_slice *host)
{
	bool has_brackets = rest->len > 0 && rest->text[0] == '[';
	const char *end =
		rest->len == 0 ? NULL : memchr(rest->text, has_brackets ? ']' : ':', rest->len);
	size_t len = end == NULL ? rest->len : (size_t)(end - rest->text);
	size_t taken = has_brackets ? len + 1 : len;

	if (has_brackets && end == NULL)
		return false;
	*host = (struct http_slice){rest->text + has_brackets, len - has_brackets};
	rest->text += taken;
	rest->len -= taken;
	return has_brackets ? is_ipv6(host) : is_host(host);
}

/* "" or ":" and digits; RFC 3986 allows none behind the colon. */
static bool take_port(const struct http_slice *rest, uint16_t *port)
{
	struct http_slice digits = {rest->text + 1, rest->len - 1};
	int64_t number;

	if (rest->len == 0)
		return true;
	if (rest->text[0] != ':')
		return false;
	if (digits.len == 0)
		return true;
	if (!http_parse_length(&digits, &number) || number < 1 || number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	return true;
}

bool http_parse_authority(const struct http_slice *s, uint16_t port, struct destination *out)
{
	struct http_slice rest = *s, host;

	if (!take_host(&rest, &host) || !take_port(&rest, &port))
		return false;
	*out = destination_of_name(host.text, host.len, port);
	return true;
}

/* ---- target (RFC 9112 section 3.2) ---- */

/* Bytes that are no URI's, like |, are passed on to whom they are meant for; not those that end it.
 */
static bool is_target(const struct http_slice *s)
{
	for (size_t i = 0; i < s->len; i++) {
		unsigned char c = (unsigned char)s->text[i];

		if (c <= ' ' || c == 0x7f || c == '#')
			return false;
	}
	return s->len > 0;
}

static uint16_t port_of_scheme(const struct http_slice *scheme)
{
	if (http_is(scheme, "http") || http_is(scheme, "ws"))
		return 80;
	return http_is(scheme, "https") || http_is(scheme, "wss") ? 443 : 0;
}

static bool is_scheme_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '+' || c == '-' || c == '.';
}

static bool parse_absolute_form(const struct http_slice *target, struct http_request *out)
{
	struct http_slice rest = *target;
	size_t scheme = 0, len = 0;

	while (scheme < rest.len && is_scheme_byte(rest.text[scheme]))
		scheme++;
	if (scheme == 0 || rest.len - scheme < 3 || memcmp(rest.text + scheme, "://", 3) != 0)
		return false;
	out->scheme = (struct http_slice){rest.text, scheme};
	rest.text += scheme + 3;
	rest.len -= scheme + 3;
	while (len < rest.len && rest.text[len] != '/' && rest.text[len] != '?')
		len++;
	out->form = HTTP_ABSOLUTE_FORM;
	out->authority = (struct http_slice){rest.text, len};
	out->path = (struct http_slice){rest.text + len, rest.len - len};
	return http_parse_authority(&out->authority, port_of_scheme(&out->scheme), &out->dst);
}

static bool parse_authority_form(const struct http_slice *target, struct http_request *out)
{
	out->form = HTTP_AUTHORITY_FORM;
	out->authority = *target;
	return http_parse_authority(target, 0, &out->dst) && out->dst.port != 0;
}

static bool parse_target(const struct http_slice *target, struct http_request *out)
{
	if (!is_target(target))
		return false;
	if (http_equals(&out->method, "CONNECT"))
		return parse_authority_form(target, out);
	if (http_equals(target, "*")) {
		out->form = HTTP_ASTERISK_FORM;
		return http_equals(&out->method, "OPTIONS");
	}
	if (target->text[0] != '/')
		return parse_absolute_form(target, out);
	out->form = HTTP_ORIGIN_FORM;
	out->path = *target;
	return true;
}

/* ---- request-line (RFC 9112 section 3) ---- */

static int parse_version(const struct http_slice *s, unsigned *minor)
{
	if (s->len != strlen("HTTP/1.1") || memcmp(s->text, "HTTP/", 5) != 0 ||
		!http_is_digit(s->text[5]) || s->text[6] != '.' || !http_is_digit(s->text[7]))
		return HTTP_BAD_LINE;
	*minor = s->text[7] == '0' ? 0 : 1;
	return s->text[5] == '1' ? 0 : HTTP_BAD_VERSION;
}

static bool is_token(const struct http_slice *s)
{
	for (size_t i = 0; i < s->len; i++) {
		if (!http_is_token_byte((unsigned char)s->text[i]))
			return false;
	}
	return s->len > 0;
}

/* Cuts the line behind its next blank, of which there has to be one. */
static bool take_word(struct http_slice *line, struct http_slice *word)
{
	const char *blank = line->len == 0 ? NULL : memchr(line->text, ' ', line->len);

	if (blank == NULL)
		return false;
	*word = (struct http_slice){line->text, (size_t)(blank - line->text)};
	line->text += word->len + 1;
	line->len -= word->len + 1;
	return true;
}

static int parse_request_line(struct http_slice *rest, struct http_request *out)
{
	struct http_slice line, target;
	int fault;

	if (!http_next_line(rest, &line) || !take_word(&line, &out->method) ||
		!is_token(&out->method) || !take_word(&line, &target))
		return HTTP_BAD_LINE;
	fault = parse_version(&line, &out->minor);
	if (fault != 0)
		return fault;
	return parse_target(&target, out) ? 0 : HTTP_BAD_TARGET;
}

/* ---- the fields that say something here ---- */

/* What was seen of them: each may be there once. */
struct singles {
	bool host, length, coding;
};

static int note_host(struct http_request *r, struct singles *seen, const struct http_slice *value)
{
	struct destination ignored;

	if (seen->host || (value->len > 0 && !http_parse_authority(value, 0, &ignored)))
		return HTTP_BAD_HOST;
	seen->host = true;
	r->host = *value;
	return 0;
}

static int note_length(struct http_request *r, struct singles *seen, const struct http_slice *value)
{
	if (seen->length || !http_parse_length(value, &r->body.length))
		return HTTP_BAD_LENGTH;
	seen->length = true;
	r->body.framing = HTTP_LENGTH;
	return 0;
}

static int note_coding(struct http_request *r, struct singles *seen, const struct http_slice *value)
{
	if (seen->coding)
		return HTTP_BAD_LENGTH;
	if (!http_is(value, "chunked"))
		return HTTP_BAD_CODING;
	seen->coding = true;
	r->body.framing = HTTP_CHUNKED;
	return 0;
}

static int note_login(struct http_request *r, struct singles *seen, const struct http_slice *value)
{
	(void)seen;
	if (r->has_login)
		return HTTP_BAD_FIELD;
	r->has_login = true;
	r->login = *value;
	return 0;
}

static int note_expect(struct http_request *r, struct singles *seen, const struct http_slice *value)
{
	(void)seen;
	r->expects_continue |= http_is(value, "100-continue");
	return 0;
}

static int note_connection(
	struct http_request *r, struct singles *seen, const struct http_slice *value)
{
	(void)seen;
	return http_connection_add(&r->connection, value) ? 0 : HTTP_TOO_LARGE;
}

static const struct {
	const char *name;
	int (*note)(struct http_request *r, struct singles *seen, const struct http_slice *value);
} known[] = {
	{"Host", note_host},
	{"Connection", note_connection},
	{"Content-Length", note_length},
	{"Transfer-Encoding", note_coding},
	{"Proxy-Authorization", note_login},
	{"Expect", note_expect},
};

static int note_field(struct http_request *r, struct singles *seen, const struct http_field *field)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (http_is(&field->name, known[i].name))
			return known[i].note(r, seen, &field->value);
	}
	return 0;
}

static int parse_fields(struct http_request *r)
{
	struct http_slice rest = r->fields;
	struct http_field field;
	struct singles seen = {0};
	unsigned count = 0;
	int fault;

	while ((fault = http_parse_field(&rest, &field, false)) > 0) {
		fault = ++count > HTTP_FIELDS_MAX ? HTTP_TOO_LARGE : note_field(r, &seen, &field);
		if (fault != 0)
			return fault;
	}
	if (fault == 0 && seen.coding && (seen.length || r->minor == 0))
		return HTTP_BAD_LENGTH; /* RFC 9112 section 6.1: a way to smuggle */
	if (fault == 0 && !seen.host && r->minor > 0)
		return HTTP_BAD_HOST;
	return fault;
}

int http_parse_request(const uint8_t *p, size_t n, size_t *seen, struct http_request *out)
{
	const char *text = (const char *)p;
	int len = http_find_end(text, n, seen, false), fault;

	if (len <= 0)
		return len;
	*out = (struct http_request){.fields = {text, (size_t)len}};
	fault = parse_request_line(&out->fields, out);
	if (fault == 0)
		fault = parse_fields(out);
	return fault == 0 ? len : fault;
}

/* ---- logins (RFC 7617) ---- */

static bool decode(const struct http_slice *text, struct http_basic *out, size_t *len)
{
	return sodium_base642bin((unsigned char *)out->bytes, sizeof(out->bytes), text->text,
		       text->len, NULL, len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
}

bool http_parse_basic(const struct http_slice *value, struct http_basic *out)
{
	struct http_slice rest = *value, scheme;
	const char *colon;
	size_t len;

	if (!take_word(&rest, &scheme) || !http_is(&scheme, "Basic"))
		return false;
	while (rest.len > 0 && rest.text[0] == ' ') {
		rest.text++;
		rest.len--;
	}
	if (rest.len == 0 || !decode(&rest, out, &len))
		return false;
	colon = memchr(out->bytes, ':', len);
	if (colon == NULL)
		return false;
	out->name_len = (size_t)(colon - out->bytes);
	out->password_at = out->name_len + 1;
	out->password_len = len - out->password_at;
	return true;
}
