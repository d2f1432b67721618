/* http_forward: the heads of requests and answers as they go on to the next hop (RFC 9110 section
 * 7.6, RFC 9112 section 3.2). Pure; no state, no lock. */
#ifndef PROXY_HTTP_FORWARD_H
#define PROXY_HTTP_FORWARD_H

#include <stdbool.h>

#include "wire/http.h"
#include "wire/http_response.h"
#include "wire/http_write.h"

/* By how many bytes a head may grow at most; what is written may so begin that far in front of
 * what it is written from, and end where that does. */
#define HTTP_FORWARD_ROOM 512

/* Does it ask, in a way that is passed on, to go on in another protocol? Not in HTTP/2, whose
 * settings are for one hop. */
bool http_forward_upgrades(const struct http_request *r);

/* Is it not to be forwarded any more, but to be answered here? */
bool http_forward_is_last_hop(const struct http_request *r);

/* A request in absolute form as its server is asked: in origin form, with Host from the target,
 * without what is for one hop; `has_via`: with Via. */
void http_forward_request(struct http_writer *w, const struct http_request *r, bool has_via);

/* The same as an upstream is asked, in absolute form; `login`: with this Proxy-Authorization,
 * unless it is "". A head grows by that, too. */
void http_forward_absolute(
	struct http_writer *w, const struct http_request *r, bool has_via, const char *login);

/* How an answer is passed on. */
struct http_hop {
	bool has_via;
	bool is_tunnel; /* 101: both go on in another protocol */
	bool takes_chunks_apart; /* the client knows none, and reads to the end */
};

void http_forward_response(
	struct http_writer *w, const struct http_response *r, const struct http_hop *hop);

#endif
