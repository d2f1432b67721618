/* handlers: what becomes of each request to the web's front: a table of paths. The web's thread's;
 * no lock. */
#ifndef WEB_HANDLERS_H
#define WEB_HANDLERS_H

#include "web/connection.h"

#define WEB_COOKIE "socks5d" /* of a login */
#define WEB_VISIT_COOKIE "socks5d_visit" /* of who is about to log in */

/* Answers the connection's request, or has an errand do so. */
void handlers_answer(struct web_connection *c);

/* Is the request, which changes something, from a page of ours: by the token of the form, of the
 * field X-Token, or by what the browser says of where it comes from? `token` is what it should be;
 * NULL: there is none. */
bool handlers_is_own(const struct web_connection *c, const char *token);

/* Answers with the page of the request's path, which whoever is logged in may see, with this status
 * and a sentence on what was asked for: an error's unless the status is 200. */
void handlers_show_page(struct web_connection *c, unsigned status, const char *notice);

/* Who stands behind the request, for holding off: the address of who has sent it. */
const struct addr *handlers_from(const struct web_connection *c);

#endif
