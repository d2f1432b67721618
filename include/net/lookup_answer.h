/* lookup_answer: what a name led to in one family of addresses, as resolver, cache and hosts(5)
 * give it. A value; no lock. */
#ifndef NET_LOOKUP_ANSWER_H
#define NET_LOOKUP_ANSWER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

#define RESOLVER_NAME_MAX 255 /* bytes of a name (RFC 1928 section 5, RFC 1035 section 2.3.4) */
#define RESOLVER_MAX_ADDRS 16 /* addresses of one family that are kept */

enum lookup_state {
	LOOKUP_PENDING,
	LOOKUP_FOUND,
	LOOKUP_NOT_FOUND, /* no such name, or it has no address of this family */
	LOOKUP_FAILED, /* the servers failed or did not answer in time */
};

enum lookup_family { LOOKUP_IPV6, LOOKUP_IPV4, LOOKUP_FAMILIES };

struct lookup_answer {
	enum lookup_state state;
	size_t count;
	struct addr addrs[RESOLVER_MAX_ADDRS]; /* port 0 */
};

/* What is pending of `answers`, one a family, has failed. */
static inline void lookup_answers_fail(struct lookup_answer *answers)
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (answers[f].state == LOOKUP_PENDING)
			answers[f].state = LOOKUP_FAILED;
	}
}

/* Copies `count` <= RESOLVER_MAX_ADDRS addresses, beginning with another one at each turn, so that
 * those who ask one after the other go to them in turn. */
static inline void lookup_answer_fill(
	struct lookup_answer *to, const struct addr *addrs, size_t count, uint32_t turn)
{
	size_t first = count == 0 ? 0 : turn % count;

	to->count = count;
	memcpy(to->addrs, addrs + first, (count - first) * sizeof(addrs[0]));
	memcpy(to->addrs + count - first, addrs, first * sizeof(addrs[0]));
}

#endif
