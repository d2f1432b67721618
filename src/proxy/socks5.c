#include "proxy/socks5.h"

#include <stdio.h>
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

static void take_domain(const uint8_t *field, struct socks5_request *out)
{
	out->name_len = field[0];
	memcpy(out->name, field + 1, field[0]);
	out->name[field[0]] = '\0';
	/* Many clients send address literals as domains; rules for addresses must see them. */
	out->has_addr = addr_parse(out->name, out->name_len, &out->addr);
	if (out->has_addr)
		addr_set_port(&out->addr, out->port);
}

int socks5_parse_request(const uint8_t *p, size_t n, struct socks5_request *out)
{
	size_t addr_len;

	if (n >= 1 && p[0] != SOCKS5_VERSION)
		return SOCKS5_MALFORMED;
	if (n < 4)
		return SOCKS5_MORE;
	*out = (struct socks5_request){.command = p[1], .atyp = p[3]};
	switch (out->atyp) {
	case SOCKS5_IPV4:
		addr_len = 4;
		break;
	case SOCKS5_IPV6:
		addr_len = 16;
		break;
	case SOCKS5_DOMAIN:
		if (n < 5)
			return SOCKS5_MORE;
		addr_len = 1 + (size_t)p[4];
		break;
	default:
		return 4;
	}
	if (n < 4 + addr_len + 2)
		return SOCKS5_MORE;
	out->port = read_port(p + 4 + addr_len);
	out->has_addr = out->atyp != SOCKS5_DOMAIN;
	if (out->atyp == SOCKS5_IPV4)
		out->addr = addr_from_ipv4(p + 4, out->port);
	else if (out->atyp == SOCKS5_IPV6)
		out->addr = addr_from_ipv6(p + 4, out->port);
	else
		take_domain(p + 4, out);
	return (int)(4 + addr_len + 2);
}

bool socks5_name_is_sane(const struct socks5_request *request)
{
	for (size_t i = 0; i < request->name_len; i++) {
		unsigned char c = (unsigned char)request->name[i];

		if (c <= ' ' || c == 0x7f)
			return false;
	}
	return request->name_len > 0;
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

size_t socks5_format_reply(uint8_t out[SOCKS5_REPLY_MAX], uint8_t rep, const struct addr *bound)
{
	uint16_t port = addr_port(bound);
	size_t len = 4;

	out[0] = SOCKS5_VERSION;
	out[1] = rep;
	out[2] = 0;
	if (bound->sa.sa_family == AF_INET6) {
		out[3] = SOCKS5_IPV6;
		memcpy(out + len, &bound->in6.sin6_addr, 16);
		len += 16;
	} else {
		out[3] = SOCKS5_IPV4;
		memset(out + len, 0, 4);
		if (bound->sa.sa_family == AF_INET)
			memcpy(out + len, &bound->in.sin_addr, 4);
		len += 4;
	}
	out[len++] = (uint8_t)(port >> 8);
	out[len++] = (uint8_t)port;
	return len;
}

const char *socks5_command_name(uint8_t command, char out[16])
{
	switch (command) {
	case SOCKS5_CONNECT:
		return "CONNECT";
	case SOCKS5_BIND:
		return "BIND";
	case SOCKS5_UDP_ASSOCIATE:
		return "UDP_ASSOCIATE";
	default:
		snprintf(out, 16, "CMD-%u", command);
		return out;
	}
}
