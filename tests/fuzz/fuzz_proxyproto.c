/* A header of the PROXY protocol: it ends where it ends however many bytes are there, and what it
 * tells is an address. */
#include "fuzz.h"

#include "wire/proxyproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct proxyproto_header out, shorter;
	char text[ADDR_TEXT_MAX];
	int used = proxyproto_parse(bytes, len, &out);

	FUZZ_CHECK(used >= PROXYPROTO_MALFORMED && used <= (int)len && used <= PROXYPROTO_MAX);
	FUZZ_CHECK(used != PROXYPROTO_MORE || len < PROXYPROTO_MAX);
	if (used <= 0)
		return 0;
	FUZZ_CHECK(out.tells == (out.source.sa.sa_family != AF_UNSPEC));
	FUZZ_CHECK(out.destination.sa.sa_family == out.source.sa.sa_family ||
		(out.tells && out.destination.sa.sa_family != AF_UNSPEC));
	FUZZ_CHECK(!out.tells || addr_format(&out.source, text)[0] != '-');
	FUZZ_CHECK(proxyproto_parse(bytes, (size_t)used, &shorter) == used);
	FUZZ_CHECK(shorter.tells == out.tells);
	FUZZ_CHECK(proxyproto_parse(bytes, (size_t)used - 1, &shorter) == PROXYPROTO_MORE);
	return 0;
}
