/* The request (RFC 1928 section 4), what becomes of it for everybody behind the codec, and the
 * reply that is made of its address. */
#include "fuzz.h"

#include <string.h>

#include "wire/socks5.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct socks5_request out;
	static struct request request;
	uint8_t reply[SOCKS5_REPLY_MAX];
	char text[262], command[16];
	int used = socks5_parse_request(bytes, len, &out);

	FUZZ_CHECK(used >= SOCKS5_MALFORMED && used <= (int)len);
	if (used <= 0)
		return 0;
	FUZZ_CHECK(out.dst.kind != DESTINATION_NONE || used == 4);
	request_set(&request, REQUEST_UNKNOWN, &out.dst);
	request.code = out.command;
	FUZZ_CHECK(destination_equal(&request.dst, &out.dst));
	FUZZ_CHECK(destination_is_sane(&request.dst) == destination_is_sane(&out.dst));
	FUZZ_CHECK(strlen(request_command_word(&request, command)) > 0);
	FUZZ_CHECK(strlen(destination_format(&request.dst, text, sizeof(text))) < sizeof(text));
	FUZZ_CHECK(strpbrk(text, " \t\r\n") == NULL);
	FUZZ_CHECK(socks5_format_reply(reply, 0, &out.dst.addr) <= sizeof(reply));
	return 0;
}
