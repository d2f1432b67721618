/* proxyproto: the header of the PROXY protocol, versions 1 and 2, by which a load balancer says
 * whom a connection is from (HAProxy's doc/proxy-protocol.txt). Pure; no state, no lock. */
#ifndef WIRE_PROXYPROTO_H
#define WIRE_PROXYPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define PROXYPROTO_MORE 0
#define PROXYPROTO_MALFORMED (-1)

/* What a header begins with. */
#define PROXYPROTO_V1_START "PROXY "
#define PROXYPROTO_V1_START_LEN 6
#define PROXYPROTO_V2_START "\r\n\r\n\0\r\nQUIT\n"
#define PROXYPROTO_V2_START_LEN 12

#define PROXYPROTO_V1_MAX 107 /* bytes, CR and LF included */
#define PROXYPROTO_V2_MOST 4096 /* bytes behind the first 16, as the length in them says */
#define PROXYPROTO_MAX (16 + PROXYPROTO_V2_MOST)

struct proxyproto_header {
	bool tells; /* whom it is from; else from the sender himself, or from whom he cannot say */
	struct addr source, destination; /* then; the second is where it came to the sender */
};

/* Looks at the `n` bytes at `p` and returns how many of them the header takes (> 0),
 * PROXYPROTO_MORE when it is not complete yet, or PROXYPROTO_MALFORMED: it is none, or not to the
 * letter. The commands and families without an address that TCP has tell nothing: LOCAL, UNSPEC,
 * UNIX, and UNKNOWN of version 1. What version 2 has behind its addresses (TLVs) is not looked at,
 * nor is what follows the header. */
int proxyproto_parse(const uint8_t *p, size_t n, struct proxyproto_header *out);

#endif
