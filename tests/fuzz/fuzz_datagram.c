/* The header of a datagram (RFC 1928 section 7): it and the data make up the whole, and what has an
 * address is written and read back the same. */
#include "fuzz.h"
#include "wire/socks5.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct socks5_datagram d, again;
	uint8_t header[SOCKS5_HEADER_MAX];
	int used = socks5_parse_datagram(bytes, len, &d);
	size_t written;

	FUZZ_CHECK(used == SOCKS5_MALFORMED || (used > 0 && used <= (int)len));
	if (used < 0)
		return 0;
	FUZZ_CHECK(d.data == bytes + used && d.len == len - (size_t)used);
	(void)destination_is_sane(&d.dst);
	if (d.dst.kind != DESTINATION_ADDR)
		return 0;
	written = socks5_format_header(header, &d.dst.addr);
	FUZZ_CHECK(socks5_parse_datagram(header, written, &again) == (int)written);
	again.dst.addr.in6.sin6_scope_id =
		d.dst.addr.in6.sin6_scope_id; /* which has no place in it */
	FUZZ_CHECK(addr_equal(&d.dst.addr, &again.dst.addr));
	return 0;
}
