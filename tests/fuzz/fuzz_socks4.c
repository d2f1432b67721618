/* A SOCKS4 or 4a request: it ends where it ends however many bytes are there, and nothing behind it
 * is looked at. */
#include "fuzz.h"

#include <string.h>

#include "wire/socks4.h"

static void check_request(const uint8_t *bytes, int used, const struct socks4_request *out)
{
	struct request request;
	uint8_t reply[SOCKS4_REPLY_SIZE];
	char text[262];

	FUZZ_CHECK(used <= SOCKS4_REQUEST_MAX && bytes[used - 1] == '\0');
	FUZZ_CHECK(out->userid_len <= SOCKS4_USERID_MAX);
	FUZZ_CHECK(memchr(out->userid, '\0', out->userid_len) == NULL);
	FUZZ_CHECK(out->dst.kind != DESTINATION_NONE);
	request_set(&request, REQUEST_CONNECT, &out->dst);
	FUZZ_CHECK(destination_equal(&request.dst, &out->dst));
	FUZZ_CHECK(strlen(destination_format(&request.dst, text, sizeof(text))) < sizeof(text));
	FUZZ_CHECK(strpbrk(text, " \t\r\n") == NULL);
	socks4_format_reply(reply, SOCKS4_GRANTED, &out->dst.addr);
	FUZZ_CHECK(reply[0] == 0 && reply[1] == SOCKS4_GRANTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct socks4_request out, shorter;
	int used = socks4_parse_request(bytes, len, &out);

	FUZZ_CHECK(used >= SOCKS4_MALFORMED && used <= (int)len);
	FUZZ_CHECK(used != SOCKS4_MORE || len < SOCKS4_REQUEST_MAX);
	if (used <= 0)
		return 0;
	check_request(bytes, used, &out);
	FUZZ_CHECK(socks4_parse_request(bytes, (size_t)used, &shorter) == used);
	FUZZ_CHECK(socks4_parse_request(bytes, (size_t)used - 1, &shorter) == SOCKS4_MORE);
	return 0;
}
