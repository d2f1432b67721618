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

size_t socks4_format_request(uint8_t out[SOCKS4_ASKING_MAX], enum socks4_command command,
	const struct destination *dst, const char *userid)
{
	static const uint8_t name_follows[4] = {0, 0, 0, 1};
	bool is_name = dst->kind == DESTINATION_NAME;
	size_t at = HEADER, len = strnlen(userid, 255);

	out[0] = SOCKS4_VERSION;
	out[1] = (uint8_t)command;
	out[2] = (uint8_t)(dst->port >> 8);
	out[3] = (uint8_t)dst->port;
	memcpy(out + 4, is_name ? name_follows : (const uint8_t *)&dst->addr.in.sin_addr, 4);
	memcpy(out + at, userid, len);
	at += len;
	out[at++] = '\0';
	if (!is_name)
		return at;
	memcpy(out + at, dst->name, dst->name_len);
	at += dst->name_len;
	out[at++] = '\0';
	return at;
}

int socks4_parse_reply(const uint8_t *p, size_t n, struct socks4_reply *out)
{
	if (n >= 1 && p[0] != 0)
		return SOCKS4_MALFORMED;
	if (n < SOCKS4_REPLY_SIZE)
		return SOCKS4_MORE;
	out->code = p[1];
	out->bound = addr_from_ipv4(p + 4, (uint16_t)(p[2] << 8 | p[3]));
	return SOCKS4_REPLY_SIZE;
}
