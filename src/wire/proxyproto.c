/*
 * Two formats that have nothing in common but what they say. Version 1 is a line of words with one
 * blank between two of them; version 2 is a block of bytes with its length in front.
 */
#include "wire/proxyproto.h"

#include <string.h>

/* ---- version 1 ---- */

struct word {
	const char *at;
	size_t len;
};

/* Takes the next word and the blank behind it off the line. False when there is none. */
static bool take_word(struct word *line, struct word *out)
{
	const char *blank = memchr(line->at, ' ', line->len);

	out->at = line->at;
	out->len = blank == NULL ? line->len : (size_t)(blank - line->at);
	line->at += out->len;
	line->len -= out->len;
	if (blank == NULL)
		return out->len > 0;
	line->at++;
	line->len--;
	return out->len > 0 && line->len > 0;
}

static bool is_the_word(const struct word *w, const char *expected)
{
	return w->len == strlen(expected) && memcmp(w->at, expected, w->len) == 0;
}

/* Neither brackets nor scopes, which other literals may have. */
static bool read_host(const struct word *w, bool is_ipv6, struct addr *out)
{
	bool has_colon = memchr(w->at, ':', w->len) != NULL;

	if (memchr(w->at, '[', w->len) != NULL || memchr(w->at, '%', w->len) != NULL)
		return false;
	return has_colon == is_ipv6 && addr_parse(w->at, w->len, out);
}

/* Digits from 0 to 65535, without a zero in front. */
static bool read_port(const struct word *w, uint16_t *out)
{
	unsigned value = 0;

	if (w->len > 5 || (w->len > 1 && w->at[0] == '0'))
		return false;
	for (size_t i = 0; i < w->len; i++) {
		if (w->at[i] < '0' || w->at[i] > '9')
			return false;
		value = value * 10 + (unsigned)(w->at[i] - '0');
	}
	*out = (uint16_t)value;
	return value <= UINT16_MAX;
}

static bool read_tcp(struct word *line, bool is_ipv6, struct proxyproto_header *out)
{
	struct word hosts[2], ports[2];
	uint16_t numbers[2];

	if (!take_word(line, &hosts[0]) || !take_word(line, &hosts[1]) ||
		!take_word(line, &ports[0]) || !take_word(line, &ports[1]) || line->len > 0)
		return false;
	if (!read_host(&hosts[0], is_ipv6, &out->source) ||
		!read_host(&hosts[1], is_ipv6, &out->destination) ||
		!read_port(&ports[0], &numbers[0]) || !read_port(&ports[1], &numbers[1]))
		return false;
	addr_set_port(&out->source, numbers[0]);
	addr_set_port(&out->destination, numbers[1]);
	out->tells = true;
	return true;
}

/* The line behind "PROXY ". What follows UNKNOWN is not to be looked at. */
static bool read_line(struct word line, struct proxyproto_header *out)
{
	struct word family;

	if (!take_word(&line, &family))
		return is_the_word(&family, "UNKNOWN");
	if (is_the_word(&family, "UNKNOWN"))
		return true;
	if (is_the_word(&family, "TCP4"))
		return read_tcp(&line, false, out);
	return is_the_word(&family, "TCP6") && read_tcp(&line, true, out);
}

static int parse_v1(const uint8_t *p, size_t n, struct proxyproto_header *out)
{
	const uint8_t *end = memmem(p, n < PROXYPROTO_V1_MAX ? n : PROXYPROTO_V1_MAX, "\r\n", 2);
	struct word line = {.at = (const char *)p + PROXYPROTO_V1_START_LEN};

	if (end == NULL)
		return n < PROXYPROTO_V1_MAX ? PROXYPROTO_MORE : PROXYPROTO_MALFORMED;
	line.len = (size_t)(end - p) - PROXYPROTO_V1_START_LEN;
	return read_line(line, out) ? (int)(end - p) + 2 : PROXYPROTO_MALFORMED;
}

/* ---- version 2 ---- */

#define V2_HEAD 16 /* the signature, version and command, family and transport, length */

enum v2_command { V2_LOCAL = 0, V2_PROXY = 1 };
enum v2_family { V2_UNSPEC = 0, V2_INET = 1, V2_INET6 = 2, V2_UNIX = 3 };
enum v2_transport { V2_ANY = 0, V2_STREAM = 1, V2_DATAGRAM = 2 };

/* Does it say something that TCP has no address for? */
static bool tells_nothing(uint8_t family, uint8_t transport)
{
	return family == V2_UNSPEC || family == V2_UNIX || transport == V2_ANY;
}

static struct addr read_address(const uint8_t *host, const uint8_t *port, uint8_t family)
{
	uint16_t number = (uint16_t)(port[0] << 8 | port[1]);

	return family == V2_INET ? addr_from_ipv4(host, number) : addr_from_ipv6(host, number);
}

/* Source and destination address, then their ports. Nobody has a datagram's address here. */
static bool read_addresses(
	const uint8_t *p, size_t len, uint8_t kind, struct proxyproto_header *out)
{
	uint8_t family = kind >> 4, transport = kind & 15;
	size_t size = family == V2_INET ? 4 : 16;

	if (family > V2_UNIX || transport > V2_DATAGRAM)
		return false;
	if (tells_nothing(family, transport))
		return true;
	if (transport != V2_STREAM || len < 2 * size + 4)
		return false;
	out->source = read_address(p, p + 2 * size, family);
	out->destination = read_address(p + size, p + 2 * size + 2, family);
	out->tells = true;
	return true;
}

static int parse_v2(const uint8_t *p, size_t n, struct proxyproto_header *out)
{
	uint8_t command;
	size_t len;

	if (n < V2_HEAD)
		return PROXYPROTO_MORE;
	command = p[12] & 15;
	len = (size_t)(p[14] << 8 | p[15]);
	if (p[12] >> 4 != 2 || command > V2_PROXY || len > PROXYPROTO_V2_MOST)
		return PROXYPROTO_MALFORMED;
	if (n < V2_HEAD + len)
		return PROXYPROTO_MORE;
	if (command == V2_PROXY && !read_addresses(p + V2_HEAD, len, p[13], out))
		return PROXYPROTO_MALFORMED;
	return (int)(V2_HEAD + len);
}

/* ---- either ---- */

/* As far as there are bytes. */
static bool begins_with(const uint8_t *p, size_t n, const char *start, size_t len)
{
	return memcmp(p, start, n < len ? n : len) == 0;
}

int proxyproto_parse(const uint8_t *p, size_t n, struct proxyproto_header *out)
{
	*out = (struct proxyproto_header){.tells = false};
	if (begins_with(p, n, PROXYPROTO_V1_START, PROXYPROTO_V1_START_LEN))
		return n < PROXYPROTO_V1_START_LEN ? PROXYPROTO_MORE : parse_v1(p, n, out);
	if (begins_with(p, n, PROXYPROTO_V2_START, PROXYPROTO_V2_START_LEN))
		return parse_v2(p, n, out);
	return PROXYPROTO_MALFORMED;
}
