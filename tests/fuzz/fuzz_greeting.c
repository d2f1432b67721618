/* The greeting (RFC 1928 section 3): what is taken is within the bytes, and the same without the
 * rest.
 */
#include "fuzz.h"
#include "wire/socks5.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct socks5_greeting out, again;
	int used = socks5_parse_greeting(bytes, len, &out);

	FUZZ_CHECK(used >= SOCKS5_MALFORMED && used <= (int)len);
	if (used <= 0)
		return 0;
	FUZZ_CHECK(socks5_parse_greeting(bytes, (size_t)used, &again) == used);
	FUZZ_CHECK(out.offers_no_login == again.offers_no_login);
	FUZZ_CHECK(socks5_parse_greeting(bytes, (size_t)used - 1, &again) == SOCKS5_MORE);
	return 0;
}
