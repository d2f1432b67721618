/*
 * A parser that looks at the bytes from the beginning each time. Unlike those of SOCKS5, fields end
 * with a NUL and have no length in front; so each has a bound here, behind which its end is not
 * looked for any more.
 */
#include "wire/socks4.h"

#include <stdbool.h>
#include <string.h>

#define HEADER 8 /* VN CD DSTPORT DSTIP */

/* The length of the field at `p` without its NUL. SOCKS4_MORE when that is not there yet, and
 * SOCKS4_MALFORMED when it is not among the first `most` + 1 bytes: in `*result`, which is > 0
 * else. */
static size_t field_len(const uint8_t *p, size_t n, size_t most, int *result)
{
	const uint8_t *end = memchr(p, '\0', n <= most ? n : most + 1);

	if (end != NULL) {
		*result = 1;
		return (size_t)(end - p);
	}
	*result = n <= most ? SOCKS4_MORE : SOCKS4_MALFORMED;
	return 0;
}

/* 0.0.0.x: an address that nobody has says that a name follows. */
static bool has_name(const uint8_t *ip)
{
	return ip[0] == 0 && ip[1] == 0 && ip[2] == 0 && ip[3] != 0;
}

int socks4_parse_request(const uint8_t *p, size_t n, struct socks4_request *out)
{
	size_t at = HEADER, len;
	uint16_t port;
	struct addr addr;
	int result;

	if (n >= 1 && p[0] != SOCKS4_VERSION)
		return SOCKS4_MALFORMED;
	if (n < HEADER)
		return SOCKS4_MORE;
	out->command = p[1];
	port = (uint16_t)(p[2] << 8 | p[3]);
	out->userid = p + at;
	out->userid_len = field_len(p + at, n - at, SOCKS4_USERID_MAX, &result);
	if (result <= 0)
		return result;
	at += out->userid_len + 1;
	if (!has_name(p + 4)) {
		addr = addr_from_ipv4(p + 4, port);
		out->dst = destination_of_addr(&addr);
		return (int)at;
	}
	len = field_len(p + at, n - at, DESTINATION_NAME_MAX, &result);
	if (result <= 0)
		return result;
	out->dst = destination_of_name((const char *)p + at, len, port);
	return (int)(at + len + 1);
}

void socks4_format_reply(uint8_t out[SOCKS4_REPLY_SIZE], uint8_t code, const struct addr *bound)
{
	uint16_t port = addr_port(bound);

	out[0] = 0;
	out[1] = code;
	out[2] = (uint8_t)(port >> 8);
	out[3] = (uint8_t)port;
	if (bound->sa.sa_family == AF_INET)
		memcpy(out + 4, &bound->in.sin_addr, 4);
	else
		memset(out + 4, 0, 4);
}
