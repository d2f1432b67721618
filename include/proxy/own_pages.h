/* own_pages: what is meant for this server itself among the HTTP requests at its port. No state, no
 * lock. */
#ifndef PROXY_OWN_PAGES_H
#define PROXY_OWN_PAGES_H

#include <stdbool.h>

#include "proxy/dialect.h"
#include "wire/http.h"

/* Is it meant for this server, and for none beyond it? */
bool own_pages_are_meant(const struct handshake *h, const struct http_request *r);

/* Answers it. Always false, with the reason of a session that ends here. */
bool own_pages_answer(struct handshake *h, const struct http_request *r);

#endif
