/* own_pages: what a browser gets that asks the proxy itself, and not through it. One thread's; no
 * lock. */
#ifndef PROXY_OWN_PAGES_H
#define PROXY_OWN_PAGES_H

#include <stdbool.h>

#include "proxy/dialect.h"
#include "wire/http.h"

/* Is it meant for this server, and for none beyond it: in origin form, or in absolute form for one
 * of the proxy's listeners or names? */
bool own_pages_are_meant(const struct handshake *h, const struct http_request *r);

/* Answers such a request, whatever its method and path. Nobody has to log in. Always false, there
 * is no target, with END_OWN_PAGE or END_HEALTH_CHECK, or with the reason why the answer did not
 * get out. */
bool own_pages_answer(struct handshake *h, const struct http_request *r);

#endif
