/* The answers of SOCKS upstreams: each ends where it ends however many bytes are there, and nothing
 * behind it is looked at. (fuzz_http_response has those of HTTP.) The first byte says which. */
#include "fuzz.h"

#include <string.h>

#include "wire/socks4.h"
#include "wire/socks5.h"

static int parse_method(const uint8_t *p, size_t n)
{
	uint8_t method;

	return socks5_parse_method(p, n, &method);
}

static int parse_status(const uint8_t *p, size_t n)
{
	bool success;

	return socks5_parse_login_status(p, n, &success);
}

static int parse_reply(const uint8_t *p, size_t n)
{
	struct socks5_reply out;
	int used = socks5_parse_reply(p, n, &out);
	char text[300];

	if (used > 0 && out.rep == SOCKS5_SUCCEEDED) {
		FUZZ_CHECK(out.bound.kind != DESTINATION_NONE);
		FUZZ_CHECK(
			strlen(destination_format(&out.bound, text, sizeof(text))) < sizeof(text));
	}
	return used;
}

static int parse_socks4(const uint8_t *p, size_t n)
{
	struct socks4_reply out;

	return socks4_parse_reply(p, n, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static int (*const parsers[])(const uint8_t *p, size_t n) = {
		parse_method, parse_status, parse_reply, parse_socks4};
	int (*parse)(const uint8_t *p, size_t n);
	int used;

	if (len == 0)
		return 0;
	parse = parsers[bytes[0] % 4];
	bytes++;
	len--;
	used = parse(bytes, len);
	FUZZ_CHECK(used >= -1 && used <= (int)len);
	if (used <= 0)
		return 0;
	FUZZ_CHECK(parse(bytes, (size_t)used) == used);
	FUZZ_CHECK(parse(bytes, (size_t)used - 1) == 0);
	return 0;
}
