/* rule_places: the words that stand for kinds of addresses, in rules and in what is protected.
 * Pure; no lock. */
#ifndef STATE_RULE_PLACES_H
#define STATE_RULE_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

/* The first ones can be protected. */
enum rule_place {
	PLACE_LOOPBACK, /* 127/8, ::1, 0/8 */
	PLACE_LINK_LOCAL,
	PLACE_METADATA, /* where clouds tell machines their secrets */
	PLACE_MULTICAST, /* and broadcast */
	PLACE_PRIVATE, /* RFC 1918, RFC 4193; as a value also loopback and link-local */
	PLACE_OWN, /* an address of this host */
	PLACE_REBINDING, /* a public-looking name that came to a private address; no value */
	PLACE_PROTECTED, /* how many can be protected */
	PLACE_LITERAL = PLACE_PROTECTED, /* the client sent an address, no name */
	PLACE_LOCAL, /* the networks of this host's interfaces */
	PLACES,
};

#define PLACE_BIT(place) (1U << (place))

/* What is protected unless somebody says otherwise. */
#define PLACES_PROTECTED_AT_FIRST                                                                  \
	(PLACE_BIT(PLACE_LOOPBACK) | PLACE_BIT(PLACE_LINK_LOCAL) | PLACE_BIT(PLACE_METADATA) |     \
		PLACE_BIT(PLACE_MULTICAST))

/* "link-local". */
const char *rule_place_word(enum rule_place place);

/* False when the `len` bytes at `word` are none of those whose bits are in `legal`. */
bool rule_place_parse(const char *word, size_t len, unsigned legal, enum rule_place *place);

/* The bits of the places of fixed ranges (the first five) that `a` is in: as what is protected,
 * where `private` is RFC 1918 and RFC 4193 alone. */
unsigned rule_places_of(const struct addr *a);

/* The prefix of the range of `place` that `a` is in: a network with one as long lies inside. Only
 * for places among rule_places_of(). */
unsigned rule_place_prefix(enum rule_place place, const struct addr *a);

/* The IPv4 address within an IPv6 one: ::/96, 64:ff9b::/96, 2002::/16. False where there is none.
 * (Of ::ffff/96 addr.h makes IPv4 addresses.) The port comes along. */
bool rule_places_ipv4_within(const struct addr *a, struct addr *v4);

#endif
