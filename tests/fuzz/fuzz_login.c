/* The login (RFC 1929): its fields lie within what was taken. */
#include "fuzz.h"
#include "wire/socks5.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct socks5_login out;
	int used = socks5_parse_login(bytes, len, &out);

	FUZZ_CHECK(used >= SOCKS5_MALFORMED && used <= (int)len);
	if (used <= 0)
		return 0;
	FUZZ_CHECK(out.name == bytes + 2);
	FUZZ_CHECK(out.password + out.password_len == bytes + used);
	FUZZ_CHECK(out.name + out.name_len + 1 == out.password);
	return 0;
}
