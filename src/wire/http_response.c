/*
 * An answer is of one request, and the connection is closed behind it, so nothing can be smuggled
 * in it that the server could not have said openly: what is odd is taken for what was meant. Not
 * so where its body ends: a length that contradicts itself is malformed.
 */
#include "wire/http_response.h"

/* HTTP-version SP status-code [SP reason-phrase]; all but the reason has a fixed length. */
static int parse_status_line(struct http_slice *rest, struct http_response *out)
{
	static const char shape[] = "HTTP/1.9 999";
	const size_t len = sizeof(shape) - 1;
	struct http_slice line;

	if (!http_next_line(rest, &line) || line.len < len ||
		(line.len > len && line.text[len] != ' '))
		return HTTP_BAD_LINE;
	for (size_t i = 0; i < len; i++) {
		if (shape[i] == '9' ? !http_is_digit(line.text[i]) : line.text[i] != shape[i])
			return HTTP_BAD_LINE;
	}
	out->minor = line.text[7] == '0' ? 0 : 1;
	out->status = (unsigned)(100 * (line.text[9] - '0') + 10 * (line.text[10] - '0') +
		(line.text[11] - '0'));
	if (line.len > len)
		out->reason = (struct http_slice){line.text + len + 1, line.len - len - 1};
	return out->status < 100 || !http_is_value(&out->reason) ? HTTP_BAD_LINE : 0;
}

/* Of one length or a list of the same ones. */
static bool note_length(struct http_body *body, const struct http_slice *value)
{
	struct http_slice list = *value, member;
	int64_t length;

	while (http_next_member(&list, &member)) {
		if (!http_parse_length(&member, &length) ||
			(body->framing == HTTP_LENGTH && body->length != length))
			return false;
		*body = (struct http_body){.framing = HTTP_LENGTH, .length = length};
	}
	return body->framing == HTTP_LENGTH;
}

/* Only the last one says whether there are chunks. */
static void note_codings(
	struct http_response *out, const struct http_slice *value, bool *is_chunked)
{
	struct http_slice list = *value, member;

	while (http_next_member(&list, &member)) {
		out->is_coded |= *is_chunked || !http_is(&member, "chunked");
		*is_chunked = http_is(&member, "chunked");
	}
}

static int parse_fields(struct http_response *out)
{
	struct http_slice rest = out->fields;
	struct http_field field;
	bool is_chunked = false;
	unsigned count = 0;
	int left;

	out->body.framing = HTTP_UNTIL_CLOSE;
	while ((left = http_parse_field(&rest, &field, true)) > 0) {
		if (++count > HTTP_FIELDS_MAX)
			return HTTP_TOO_LARGE;
		if (http_is(&field.name, "Content-Length") &&
			!note_length(&out->body, &field.value))
			return HTTP_BAD_LENGTH;
		if (http_is(&field.name, "Connection") &&
			!http_connection_add(&out->connection, &field.value))
			return HTTP_TOO_LARGE;
		if (http_is(&field.name, "Transfer-Encoding"))
			note_codings(out, &field.value, &is_chunked);
	}
	if (is_chunked || out->is_coded)
		out->body =
			(struct http_body){.framing = is_chunked ? HTTP_CHUNKED : HTTP_UNTIL_CLOSE};
	return left;
}

int http_parse_response(const uint8_t *p, size_t n, size_t *seen, struct http_response *out)
{
	const char *text = (const char *)p;
	int len = http_find_end(text, n, seen, true), fault;

	if (len <= 0)
		return len;
	*out = (struct http_response){.fields = {text, (size_t)len}};
	fault = parse_status_line(&out->fields, out);
	if (fault == 0)
		fault = parse_fields(out);
	return fault == 0 ? len : fault;
}

struct http_body http_response_body(const struct http_response *r, bool to_head)
{
	if (to_head || r->status < 200 || r->status == 204 || r->status == 304)
		return (struct http_body){.framing = HTTP_NO_BODY};
	return r->body;
}
