/*
 * An address is a sockaddr in network order and nothing more, so that it goes to system calls as
 * it is. IPv4-mapped IPv6 becomes IPv4 where addresses are made, which is here only; no rule has
 * to think of it again. Text is written digit by digit, without printf(3): it is made for every
 * session.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/digits.h"
#include "base/parse.h"

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct addr addr_from_ipv4(const uint8_t bytes[4], uint16_t port)
{
	struct addr a = {.in = {.sin_family = AF_INET, .sin_port = htons(port)}};

	memcpy(&a.in.sin_addr, bytes, 4);
	return a;
}

struct addr addr_from_ipv6(const uint8_t bytes[16], uint16_t port)
{
	struct addr a = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};

	if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
		return addr_from_ipv4(bytes + 12, port);
	memcpy(&a.in6.sin6_addr, bytes, 16);
	return a;
}

struct addr addr_from_sockaddr(const struct sockaddr *sa)
{
	struct addr a = {.sa = {.sa_family = AF_UNSPEC}};
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&a.in, sa, sizeof(a.in));
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		a = addr_from_ipv6(in6.sin6_addr.s6_addr, ntohs(in6.sin6_port));
		if (a.sa.sa_family == AF_INET6)
			a.in6.sin6_scope_id = in6.sin6_scope_id;
	}
	return a;
}

/* The address bytes, and how many there are. */
static const uint8_t *host_bytes(const struct addr *a, size_t *len)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		*len = 4;
		return (const uint8_t *)&a->in.sin_addr;
	case AF_INET6:
		*len = 16;
		return a->in6.sin6_addr.s6_addr;
	default:
		*len = 0;
		return NULL;
	}
}

/* Splits "fe80::1%eth0" at its percent sign; the scope is a name of an interface or a number. */
static bool parse_scope(char *text, uint32_t *scope)
{
	char *percent = strchr(text, '%');
	int64_t number;

	*scope = 0;
	if (percent == NULL)
		return true;
	*percent++ = '\0';
	/* The kernel would take "eth0:80" for eth0. */
	if (strchr(percent, ':') == NULL)
		*scope = if_nametoindex(percent);
	if (*scope != 0)
		return true;
	if (!parse_number(percent, &number) || number > UINT32_MAX)
		return false;
	*scope = (uint32_t)number;
	return true;
}

bool addr_parse(const char *text, size_t len, struct addr *out)
{
	char copy[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	uint8_t bytes[16];
	uint32_t scope;

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
		if (memchr(text, ':', len) == NULL)
			return false;
	}
	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1) {
		*out = addr_from_ipv4(bytes, 0);
		return true;
	}
	if (!parse_scope(copy, &scope) || inet_pton(AF_INET6, copy, bytes) != 1)
		return false;
	*out = addr_from_ipv6(bytes, 0);
	if (out->sa.sa_family == AF_INET6)
		out->in6.sin6_scope_id = scope;
	return true;
}

static bool parse_u16(const char *text, size_t len, uint16_t *out)
{
	unsigned value = 0;

	if (len == 0 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	if (value > 65535)
		return false;
	*out = (uint16_t)value;
	return true;
}

bool addr_parse_port(const char *text, size_t len, struct addr *out, bool *has_port)
{
	const char *colon = memrchr(text, ':', len);
	size_t host_len;
	uint16_t port;

	*has_port = false;
	if (addr_parse(text, len, out))
		return true;
	if (colon == NULL)
		return false;
	host_len = (size_t)(colon - text);
	/* Without brackets the last group of an IPv6 address and a port look alike. */
	if (host_len == 0 || (text[0] != '[' && memchr(text, ':', host_len) != NULL))
		return false;
	if (!parse_u16(colon + 1, len - host_len - 1, &port) || !addr_parse(text, host_len, out))
		return false;
	addr_set_port(out, port);
	*has_port = true;
	return true;
}

socklen_t addr_len(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
}

uint16_t addr_port(const struct addr *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return ntohs(a->in.sin_port);
	case AF_INET6:
		return ntohs(a->in6.sin6_port);
	default:
		return 0;
	}
}

void addr_set_port(struct addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET)
		a->in.sin_port = htons(port);
	else if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
}

static char *put_ipv4(char *to, const uint8_t bytes[4])
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*to++ = '.';
		to = digits_put(to, bytes[i]);
	}
	return to;
}

static char *put_ipv6(char *to, const struct sockaddr_in6 *in6)
{
	inet_ntop(AF_INET6, &in6->sin6_addr, to, INET6_ADDRSTRLEN);
	to += strlen(to);
	if (in6->sin6_scope_id == 0)
		return to;
	*to++ = '%';
	return digits_put(to, in6->sin6_scope_id);
}

/* Without a NUL; returns the end. */
static char *put_host(char *to, const struct addr *a, bool bracketed)
{
	if (a->sa.sa_family == AF_INET)
		return put_ipv4(to, (const uint8_t *)&a->in.sin_addr);
	if (a->sa.sa_family != AF_INET6)
		return stpcpy(to, "-");
	if (bracketed)
		*to++ = '[';
	to = put_ipv6(to, &a->in6);
	if (bracketed)
		*to++ = ']';
	return to;
}

const char *addr_format_host(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	*put_host(out, a, false) = '\0';
	return out;
}

const char *addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	char *end = put_host(out, a, true);

	if (a->sa.sa_family != AF_UNSPEC) {
		*end++ = ':';
		end = digits_put(end, addr_port(a));
	}
	*end = '\0';
	return out;
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	size_t len_a, len_b;
	const uint8_t *x = host_bytes(a, &len_a);
	const uint8_t *y = host_bytes(b, &len_b);

	return len_a != 0 && len_a == len_b && memcmp(x, y, len_a) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	if (a->sa.sa_family == AF_INET6 && b->sa.sa_family == AF_INET6 &&
		a->in6.sin6_scope_id != b->in6.sin6_scope_id)
		return false;
	return addr_same_host(a, b) && addr_port(a) == addr_port(b);
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	size_t len_a, len_b;
	const uint8_t *x = host_bytes(a, &len_a);
	const uint8_t *y = host_bytes(b, &len_b);
	int order = len_a == len_b && len_a != 0 ? memcmp(x, y, len_a) : (int)len_a - (int)len_b;

	if (order != 0 || len_a != 16 || a->in6.sin6_scope_id == b->in6.sin6_scope_id)
		return order;
	return a->in6.sin6_scope_id < b->in6.sin6_scope_id ? -1 : 1;
}

bool addr_is_unspecified(const struct addr *a)
{
	static const uint8_t zeros[16];
	size_t len;
	const uint8_t *bytes = host_bytes(a, &len);

	return len != 0 && memcmp(bytes, zeros, len) == 0;
}

struct block {
	uint8_t base[16];
	unsigned prefix;
};

static bool has_prefix(const uint8_t *bytes, const uint8_t *base, unsigned prefix)
{
	unsigned whole = prefix / 8;
	uint8_t mask = (uint8_t)(0xff00 >> (prefix % 8));

	if (memcmp(bytes, base, whole) != 0)
		return false;
	return mask == 0 || (bytes[whole] & mask) == (base[whole] & mask);
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t v6[16] = {[15] = 1};
	size_t len;
	const uint8_t *bytes = host_bytes(a, &len);

	if (len == 4)
		return bytes[0] == 127;
	return len == 16 && memcmp(bytes, v6, 16) == 0;
}

bool addr_is_private(const struct addr *a)
{
	static const struct block v4[] = {
		{{10}, 8}, {{172, 16}, 12}, {{192, 168}, 16}, {{169, 254}, 16}};
	static const struct block v6[] = {{{0xfc}, 7}, {{0xfe, 0x80}, 10}};
	size_t len;
	const uint8_t *bytes = host_bytes(a, &len);
	const struct block *blocks = len == 4 ? v4 : v6;
	size_t count = len == 4 ? sizeof(v4) / sizeof(v4[0]) : sizeof(v6) / sizeof(v6[0]);

	if (addr_is_loopback(a))
		return true;
	for (size_t i = 0; len != 0 && i < count; i++) {
		if (has_prefix(bytes, blocks[i].base, blocks[i].prefix))
			return true;
	}
	return false;
}

static bool host_part_is_zero(const struct network *n)
{
	size_t len;
	const uint8_t *bytes = host_bytes(&n->base, &len);

	for (unsigned bit = n->prefix; bit < len * 8; bit++) {
		if (bytes[bit / 8] & (0x80 >> (bit % 8)))
			return false;
	}
	return true;
}

/* Whatever stands behind the prefix. */
static bool read_network(const char *text, size_t len, struct network *out)
{
	const char *slash = memchr(text, '/', len);
	size_t host_len = slash == NULL ? len : (size_t)(slash - text);
	unsigned longest;
	uint16_t prefix;

	if (!addr_parse(text, host_len, &out->base))
		return false;
	longest = out->base.sa.sa_family == AF_INET ? 32 : 128;
	out->prefix = longest;
	if (slash == NULL)
		return true;
	if (!parse_u16(slash + 1, len - host_len - 1, &prefix) || prefix > longest)
		return false;
	out->prefix = prefix;
	return true;
}

bool network_parse(const char *text, size_t len, struct network *out)
{
	return read_network(text, len, out) && host_part_is_zero(out);
}

bool network_parse_around(const char *text, size_t len, struct network *out)
{
	size_t size;
	uint8_t *bytes;

	if (!read_network(text, len, out))
		return false;
	bytes = (uint8_t *)(uintptr_t)host_bytes(&out->base, &size);
	for (unsigned bit = out->prefix; bit < size * 8; bit++)
		bytes[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
	return true;
}

bool network_equal(const struct network *a, const struct network *b)
{
	return a->prefix == b->prefix && addr_equal(&a->base, &b->base);
}

bool network_contains(const struct network *n, const struct addr *a)
{
	size_t len, base_len;
	const uint8_t *bytes = host_bytes(a, &len);
	const uint8_t *base = host_bytes(&n->base, &base_len);

	return len != 0 && len == base_len && has_prefix(bytes, base, n->prefix);
}

bool network_contains_on_link(const struct network *n, const struct addr *a)
{
	return network_contains(n, a) &&
		(a->sa.sa_family != AF_INET6 || n->base.in6.sin6_scope_id == 0 ||
			n->base.in6.sin6_scope_id == a->in6.sin6_scope_id);
}

const char *network_format(const struct network *n, char out[NETWORK_TEXT_MAX])
{
	bool is_ipv6 = n->base.sa.sa_family == AF_INET6;
	char host[ADDR_TEXT_MAX];

	addr_format_host(&n->base, host);
	if (n->prefix == (is_ipv6 ? 128 : 32))
		snprintf(out, NETWORK_TEXT_MAX, is_ipv6 ? "[%s]" : "%s", host);
	else
		snprintf(out, NETWORK_TEXT_MAX, is_ipv6 ? "[%s]/%u" : "%s/%u", host, n->prefix);
	return out;
}

bool port_range_parse(const char *text, struct port_range *out)
{
	const char *dash = strchr(text, '-');
	size_t len = strlen(text), first_len = dash == NULL ? len : (size_t)(dash - text);
	struct port_range range;

	if (strcmp(text, "any") == 0) {
		*out = (struct port_range){.first = 0};
		return true;
	}
	if (!parse_u16(text, first_len, &range.first))
		return false;
	range.last = range.first;
	if (dash != NULL && !parse_u16(dash + 1, len - first_len - 1, &range.last))
		return false;
	if (range.first == 0 || range.last < range.first)
		return false;
	*out = range;
	return true;
}

const char *port_range_format(const struct port_range *range, char out[16])
{
	if (range->first == 0)
		return strcpy(out, "any");
	if (range->first == range->last)
		snprintf(out, 16, "%u", range->first);
	else
		snprintf(out, 16, "%u-%u", range->first, range->last);
	return out;
}
