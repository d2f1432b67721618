/* What goes on of a request's or an answer's head is a head again, which says the same of its body,
 * has nothing left that is for one hop, and has not grown by more than the room that there is for
 * it: it is written in front of what it is written from, in the same memory. */
#include <string.h>

#include "fuzz.h"
#include "proxy/http_forward.h"

static char memory[HTTP_FORWARD_ROOM + HTTP_HEAD_MAX];

/* Where the head is that has been put there. */
static struct http_writer begin(const uint8_t *bytes, size_t len)
{
	memcpy(memory + HTTP_FORWARD_ROOM, bytes, len);
	return (struct http_writer){.at = memory, .end = memory + HTTP_FORWARD_ROOM + len};
}

static bool has_field(const struct http_slice *fields, const char *name)
{
	struct http_slice value;

	return http_find_field(fields, name, &value);
}

static void check_request(const uint8_t *bytes, size_t len, bool has_via)
{
	struct http_writer w = begin(bytes, len);
	struct http_request before, after;
	size_t seen = 0;
	int head;

	head = http_parse_request((uint8_t *)memory + HTTP_FORWARD_ROOM, len, &seen, &before);
	if (head <= 0 || before.form != HTTP_ABSOLUTE_FORM)
		return;
	w.end = memory + HTTP_FORWARD_ROOM + head;
	http_forward_request(&w, &before, has_via);
	FUZZ_CHECK(!w.is_full);
	if (w.at - memory > HTTP_HEAD_MAX)
		return;
	seen = 0;
	head = http_parse_request((uint8_t *)memory, (size_t)(w.at - memory), &seen, &after);
	FUZZ_CHECK(head == w.at - memory || head == HTTP_TOO_LARGE);
	if (head < 0)
		return;
	FUZZ_CHECK(after.form == HTTP_ORIGIN_FORM || after.form == HTTP_ASTERISK_FORM);
	FUZZ_CHECK(after.body.framing == before.body.framing);
	FUZZ_CHECK(after.body.length == before.body.length);
	FUZZ_CHECK(!after.has_login && after.minor == 1 && after.host.len > 0);
	FUZZ_CHECK(!has_field(&after.fields, "Proxy-Connection"));
	FUZZ_CHECK(!has_field(&after.fields, "Keep-Alive"));
}

static void check_response(const uint8_t *bytes, size_t len, const struct http_hop *hop)
{
	struct http_writer w = begin(bytes, len);
	struct http_response before, after;
	size_t seen = 0;
	int head;

	head = http_parse_response((uint8_t *)memory + HTTP_FORWARD_ROOM, len, &seen, &before);
	if (head <= 0)
		return;
	w.end = memory + HTTP_FORWARD_ROOM + head;
	http_forward_response(&w, &before, hop);
	FUZZ_CHECK(!w.is_full);
	if (w.at - memory > HTTP_HEAD_MAX)
		return;
	seen = 0;
	head = http_parse_response((uint8_t *)memory, (size_t)(w.at - memory), &seen, &after);
	FUZZ_CHECK(head == w.at - memory || head == HTTP_TOO_LARGE);
	if (head < 0)
		return;
	FUZZ_CHECK(after.status == before.status);
	FUZZ_CHECK(hop->takes_chunks_apart || after.body.framing == before.body.framing);
	FUZZ_CHECK(after.body.length == before.body.length);
	FUZZ_CHECK(!has_field(&after.fields, "Keep-Alive"));
}

/* The first byte says how. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct http_hop hop;

	if (len == 0 || len > HTTP_HEAD_MAX)
		return 0;
	hop = (struct http_hop){.has_via = bytes[0] & 1,
		.takes_chunks_apart = bytes[0] & 2,
		.is_tunnel = bytes[0] & 4};
	check_request(bytes + 1, len - 1, hop.has_via);
	check_response(bytes + 1, len - 1, &hop);
	return 0;
}
