/* http_response: the heads of HTTP/1 answers (RFC 9112 section 4). Pure; no state, no lock. */
#ifndef WIRE_HTTP_RESPONSE_H
#define WIRE_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/http_fields.h"

/* All slices point into the head. */
struct http_response {
	unsigned minor; /* of HTTP/1.x: 0, or 1 for what is later */
	unsigned status; /* 100 to 999 */
	struct http_slice reason; /* "" where there is none */
	struct http_slice fields; /* lines, for http_next_field() */
	struct http_connection connection;
	struct http_body body; /* to a request that wants one */
	bool is_coded; /* there are transfer codings beside chunked */
};

/* Parses an answer's head from the `n` bytes at `p`: its length, HTTP_MORE, or another enum
 * http_fault. `*seen` as for http_find_end(). Servers are taken as they are (RFC 9112 section 2.2):
 * lines may end in a bare LF, fields be folded, lengths be repeated that are the same. */
int http_parse_response(const uint8_t *p, size_t n, size_t *seen, struct http_response *out);

/* Which body follows a final answer (RFC 9112 section 6.3), to HEAD or to another request? */
struct http_body http_response_body(const struct http_response *r, bool to_head);

/* 1xx, behind which another answer comes. */
static inline bool http_response_is_interim(const struct http_response *r)
{
	return r->status < 200 && r->status != 101;
}

#endif
