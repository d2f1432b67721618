/*
 * The ranges are one table, from which a word matches and by which a place is protected. `private`
 * is the one word that says more as a value than what is protected under it: loopback and
 * link-local addresses are private as well, and have words of their own to be protected by.
 */
#include "state/rule_places.h"

#include <string.h>

static const char *const place_words[PLACES] = {
	[PLACE_LOOPBACK] = "loopback",
	[PLACE_LINK_LOCAL] = "link-local",
	[PLACE_METADATA] = "metadata",
	[PLACE_MULTICAST] = "multicast",
	[PLACE_PRIVATE] = "private",
	[PLACE_OWN] = "own",
	[PLACE_REBINDING] = "rebinding",
	[PLACE_LITERAL] = "literal",
	[PLACE_LOCAL] = "local",
};

const char *rule_place_word(enum rule_place place)
{
	return place_words[place];
}

bool rule_place_parse(const char *word, size_t len, unsigned legal, enum rule_place *place)
{
	for (enum rule_place p = 0; p < PLACES; p++) {
		if ((legal & PLACE_BIT(p)) == 0 || strlen(place_words[p]) != len ||
			strncasecmp(place_words[p], word, len) != 0)
			continue;
		*place = p;
		return true;
	}
	return false;
}

/* ---- ranges ---- */

struct range4 {
	uint32_t base;
	unsigned prefix;
	enum rule_place place;
};

static const struct range4 ranges4[] = {
	{0x7f000000, 8, PLACE_LOOPBACK},
	{0x00000000, 8, PLACE_LOOPBACK},
	{0xa9fe0000, 16, PLACE_LINK_LOCAL},
	{0xa9fea9fe, 32, PLACE_METADATA},
	{0x646464c8, 32, PLACE_METADATA},
	{0xa83f8110, 32, PLACE_METADATA},
	{0xe0000000, 4, PLACE_MULTICAST},
	{0xffffffff, 32, PLACE_MULTICAST},
	{0x0a000000, 8, PLACE_PRIVATE},
	{0xac100000, 12, PLACE_PRIVATE},
	{0xc0a80000, 16, PLACE_PRIVATE},
};

struct range6 {
	uint8_t base[16];
	unsigned prefix;
	enum rule_place place;
};

static const struct range6 ranges6[] = {
	{{[15] = 1}, 128, PLACE_LOOPBACK},
	{{0xfe, 0x80}, 10, PLACE_LINK_LOCAL},
	{{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, 128, PLACE_METADATA},
	{{0xff}, 8, PLACE_MULTICAST},
	{{0xfc}, 7, PLACE_PRIVATE},
};

static bool is_in_range4(const struct range4 *r, uint32_t a)
{
	return ((a ^ r->base) >> (32 - r->prefix)) == 0;
}

static bool is_in_range6(const struct range6 *r, const uint8_t *a)
{
	unsigned whole = r->prefix / 8, rest = r->prefix % 8;

	return memcmp(a, r->base, whole) == 0 &&
		(rest == 0 || ((a[whole] ^ r->base[whole]) >> (8 - rest)) == 0);
}

/* Shows the ranges that it is in, of all places at once. */
static unsigned look_up_places(const struct addr *a, unsigned prefixes[PLACES])
{
	unsigned places = 0;
	uint32_t v4 = a->sa.sa_family == AF_INET ? ntohl(a->in.sin_addr.s_addr) : 0;

	for (size_t i = 0; a->sa.sa_family == AF_INET && i < sizeof(ranges4) / sizeof(ranges4[0]);
		i++) {
		if (!is_in_range4(&ranges4[i], v4))
			continue;
		places |= PLACE_BIT(ranges4[i].place);
		prefixes[ranges4[i].place] = ranges4[i].prefix;
	}
	for (size_t i = 0; a->sa.sa_family == AF_INET6 && i < sizeof(ranges6) / sizeof(ranges6[0]);
		i++) {
		if (!is_in_range6(&ranges6[i], a->in6.sin6_addr.s6_addr))
			continue;
		places |= PLACE_BIT(ranges6[i].place);
		prefixes[ranges6[i].place] = ranges6[i].prefix;
	}
	return places;
}

unsigned rule_places_of(const struct addr *a)
{
	unsigned prefixes[PLACES];

	return look_up_places(a, prefixes);
}

unsigned rule_place_prefix(enum rule_place place, const struct addr *a)
{
	unsigned prefixes[PLACES] = {0};

	(void)look_up_places(a, prefixes);
	return prefixes[place];
}

/* ---- IPv4 within IPv6 ---- */

bool rule_places_ipv4_within(const struct addr *a, struct addr *v4)
{
	static const uint8_t zeros[12], nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	const uint8_t *bytes = a->in6.sin6_addr.s6_addr;
	size_t at;

	if (a->sa.sa_family != AF_INET6)
		return false;
	/* :: and ::1 are none of the second kind (RFC 4291 section 2.5). */
	if (bytes[0] == 0x20 && bytes[1] == 0x02)
		at = 2;
	else if (memcmp(bytes, nat64, 12) == 0 ||
		(memcmp(bytes, zeros, 12) == 0 && !addr_is_unspecified(a) && !addr_is_loopback(a)))
		at = 12;
	else
		return false;
	*v4 = addr_from_ipv4(bytes + at, addr_port(a));
	return true;
}
