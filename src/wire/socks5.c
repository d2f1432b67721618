/*
 * A parser looks at the bytes from the beginning each time: messages are short, and what it has
 * seen before need not be remembered. Addresses and ports are in network order, and a name has its
 * length in front, so nothing is searched for.
 */
#include "wire/socks5.h"

#include <string.h>

int socks5_parse_greeting(const uint8_t *p, size_t n, struct socks5_greeting *out)
{
	size_t len;

	if (n >= 1 && p[0] != SOCKS5_VERSION)
		return SOCKS5_MALFORMED;
	if (n < 2)
		return SOCKS5_MORE;
	len = 2 + (size_t)p[1];
	if (n < len)
		return SOCKS5_MORE;
	out->offers_no_login = memchr(p + 2, SOCKS5_NO_LOGIN, p[1]) != NULL;
	out->offers_password = memchr(p + 2, SOCKS5_PASSWORD, p[1]) != NULL;
	return (int)len;
}

int socks5_parse_login(const uint8_t *p, size_t n, struct socks5_login *out)
{
	size_t password_at, len;

	if (n >= 1 && p[0] != SOCKS5_LOGIN_VERSION)
		return SOCKS5_MALFORMED;
	if (n < 2)
		return SOCKS5_MORE;
	password_at = 2 + (size_t)p[1] + 1;
	if (n < password_at)
		return SOCKS5_MORE;
	len = password_at + p[password_at - 1];
	if (n < len)
		return SOCKS5_MORE;
	out->name = p + 2;
	out->name_len = p[1];
	out->password = p + password_at;
	out->password_len = p[password_at - 1];
	return (int)len;
}

static uint16_t read_port(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The bytes of DST.ADDR; 0 when that cannot be told yet, -1 for an unknown ATYP. */
static int addr_field_len(const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case SOCKS5_IPV4:
		return 4;
	case SOCKS5_IPV6:
		return 16;
	case SOCKS5_DOMAIN:
		return n < 2 ? 0 : 1 + p[1];
	default:
		return -1;
	}
}

/* What `field`, DST.ADDR of a known ATYP, says. */
static struct destination read_destination(uint8_t atyp, const uint8_t *field, uint16_t port)
{
	struct addr addr;

	if (atyp == SOCKS5_DOMAIN)
		return destination_of_name((const char *)field + 1, field[0], port);
	addr = atyp == SOCKS5_IPV4 ? addr_from_ipv4(field, port) : addr_from_ipv6(field, port);
	return destination_of_addr(&addr);
}

/* ATYP DST.ADDR DST.PORT, as requests and datagrams have it. As the parsers of the header, but
 * malformed is an unknown ATYP, and nothing else. */
static int parse_destination(const uint8_t *p, size_t n, struct destination *out)
{
	int addr_len;

	if (n < 1)
		return SOCKS5_MORE;
	addr_len = addr_field_len(p, n);
	if (addr_len < 0)
		return SOCKS5_MALFORMED;
	if (addr_len == 0 || n < 1 + (size_t)addr_len + 2)
		return SOCKS5_MORE;
	*out = read_destination(p[0], p + 1, read_port(p + 1 + addr_len));
	return 1 + addr_len + 2;
}

int socks5_parse_request(const uint8_t *p, size_t n, struct socks5_request *out)
{
	int len;

	if (n >= 1 && p[0] != SOCKS5_VERSION)
		return SOCKS5_MALFORMED;
	if (n < 4)
		return SOCKS5_MORE;
	*out = (struct socks5_request){.command = p[1]};
	len = parse_destination(p + 3, n - 3, &out->dst);
	if (len == SOCKS5_MALFORMED)
		return 4;
	return len == SOCKS5_MORE ? SOCKS5_MORE : 3 + len;
}

int socks5_parse_datagram(const uint8_t *p, size_t n, struct socks5_datagram *out)
{
	int len = n < 4 ? SOCKS5_MORE : parse_destination(p + 3, n - 3, &out->dst);

	if (len <= 0)
		return SOCKS5_MALFORMED;
	out->frag = p[2];
	out->data = p + 3 + len;
	out->len = n - 3 - (size_t)len;
	return 3 + len;
}

size_t socks5_format_method(uint8_t out[2], enum socks5_method method)
{
	out[0] = SOCKS5_VERSION;
	out[1] = (uint8_t)method;
	return 2;
}

size_t socks5_format_login_status(uint8_t out[2], bool success)
{
	out[0] = SOCKS5_LOGIN_VERSION;
	out[1] = success ? 0 : 1;
	return 2;
}

/* ATYP ADDR PORT; AF_UNSPEC is written as 0.0.0.0:0. */
static size_t format_address(uint8_t *out, const struct addr *a)
{
	bool v6 = a->sa.sa_family == AF_INET6;
	uint16_t port = addr_port(a);
	size_t len = v6 ? 16 : 4;

	out[0] = v6 ? SOCKS5_IPV6 : SOCKS5_IPV4;
	if (v6)
		memcpy(out + 1, &a->in6.sin6_addr, 16);
	else if (a->sa.sa_family == AF_INET)
		memcpy(out + 1, &a->in.sin_addr, 4);
	else
		memset(out + 1, 0, 4);
	out[1 + len] = (uint8_t)(port >> 8);
	out[2 + len] = (uint8_t)port;
	return 1 + len + 2;
}

/* ATYP DST.ADDR DST.PORT. */
static size_t format_destination(uint8_t *out, const struct destination *dst)
{
	if (dst->kind != DESTINATION_NAME)
		return format_address(out, &dst->addr);
	out[0] = SOCKS5_DOMAIN;
	out[1] = dst->name_len;
	memcpy(out + 2, dst->name, dst->name_len);
	out[2 + dst->name_len] = (uint8_t)(dst->port >> 8);
	out[3 + dst->name_len] = (uint8_t)dst->port;
	return 4 + (size_t)dst->name_len;
}

size_t socks5_format_reply(uint8_t out[SOCKS5_REPLY_MAX], uint8_t rep, const struct addr *bound)
{
	out[0] = SOCKS5_VERSION;
	out[1] = rep;
	out[2] = 0;
	return 3 + format_address(out + 3, bound);
}

size_t socks5_format_header(uint8_t out[SOCKS5_HEADER_MAX], const struct addr *source)
{
	memset(out, 0, 3);
	return 3 + format_address(out + 3, source);
}

/* ---- the client's side ---- */

size_t socks5_format_greeting(uint8_t out[SOCKS5_GREETING_MAX], bool has_login)
{
	size_t n = 2;

	out[0] = SOCKS5_VERSION;
	out[n++] = SOCKS5_NO_LOGIN;
	if (has_login)
		out[n++] = SOCKS5_PASSWORD;
	out[1] = (uint8_t)(n - 2);
	return n;
}

int socks5_parse_method(const uint8_t *p, size_t n, uint8_t *method)
{
	if (n >= 1 && p[0] != SOCKS5_VERSION)
		return SOCKS5_MALFORMED;
	if (n < 2)
		return SOCKS5_MORE;
	*method = p[1];
	return 2;
}

static size_t format_field(uint8_t *out, const uint8_t *bytes, size_t len)
{
	out[0] = (uint8_t)len;
	if (len > 0)
		memcpy(out + 1, bytes, len);
	return 1 + len;
}

size_t socks5_format_login(uint8_t out[SOCKS5_MESSAGE_MAX], const struct socks5_login *login)
{
	size_t n = 1;

	out[0] = SOCKS5_LOGIN_VERSION;
	n += format_field(out + n, login->name, login->name_len);
	return n + format_field(out + n, login->password, login->password_len);
}

int socks5_parse_login_status(const uint8_t *p, size_t n, bool *success)
{
	if (n < 2)
		return SOCKS5_MORE;
	*success = p[1] == 0;
	return 2;
}

size_t socks5_format_request(
	uint8_t out[SOCKS5_REQUEST_MAX], enum socks5_command command, const struct destination *dst)
{
	out[0] = SOCKS5_VERSION;
	out[1] = (uint8_t)command;
	out[2] = 0;
	return 3 + format_destination(out + 3, dst);
}

int socks5_parse_reply(const uint8_t *p, size_t n, struct socks5_reply *out)
{
	int len;

	if (n >= 1 && p[0] != SOCKS5_VERSION)
		return SOCKS5_MALFORMED;
	if (n < 2)
		return SOCKS5_MORE;
	*out = (struct socks5_reply){.rep = p[1]};
	if (out->rep != SOCKS5_SUCCEEDED)
		return 2;
	if (n < 4)
		return SOCKS5_MORE;
	len = parse_destination(p + 3, n - 3, &out->bound);
	return len > 0 ? 3 + len : len;
}

size_t socks5_format_named_header(
	uint8_t out[SOCKS5_NAMED_HEADER_MAX], const struct destination *dst)
{
	memset(out, 0, 3);
	return 3 + format_destination(out + 3, dst);
}
