/* lookup_answer: what a name led to in one family of addresses, as resolver, cache and hosts(5)
 * give it. A value; no lock. */
#ifndef NET_LOOKUP_ANSWER_H
#define NET_LOOKUP_ANSWER_H

#include <stddef.h>

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

#endif
