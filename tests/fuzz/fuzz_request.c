/* The request (RFC 1928 section 4), and the reply that is made of its address. */
#include "fuzz.h"

#include <string.h>

#include "wire/socks5.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct socks5_request out;
	uint8_t reply[SOCKS5_REPLY_MAX];
	char text[ADDR_TEXT_MAX], command[16];
	int used = socks5_parse_request(bytes, len, &out);

	FUZZ_CHECK(used >= SOCKS5_MALFORMED && used <= (int)len);
	if (used <= 0)
		return 0;
	FUZZ_CHECK(out.name[out.name_len] == '\0');
	(void)socks5_name_is_sane(out.name, out.name_len);
	FUZZ_CHECK(strlen(socks5_command_name(out.command, command)) > 0);
	FUZZ_CHECK(socks5_format_reply(reply, 0, &out.addr) <= sizeof(reply));
	FUZZ_CHECK(strlen(addr_format(&out.addr, text)) < sizeof(text));
	return 0;
}
