/* gather: the whole of a command's reply, fetched a little at a time, so that no other client waits
 * for a long one. The web's thread's; no lock. */
#ifndef WEB_GATHER_H
#define WEB_GATHER_H

#include "web/connection.h"
#include "wire/answer.h"

/* Fetches the reply of the connection's order. True when all of it is in c->gathering; else `then`
 * is called when it is, in a later turn of the loop. */
bool gather_reply(struct web_connection *c, void (*then)(struct web_connection *c));

/* Is there more to be fetched? */
bool gather_is_under_way(const struct web_connection *c);

/* Fetches some more, and calls `then` behind the last of it. */
void gather_go_on(struct web_connection *c);

/* The reply, taken apart, and forgotten here; to be freed. -1 without memory, and when it was too
 * long. */
int gather_take(struct web_connection *c, struct answer *out) __attribute__((warn_unused_result));

/* The same as it is, for what is no answer of the monitor's: `*len` bytes, to be freed. NULL
 * likewise. */
char *gather_take_text(struct web_connection *c, size_t *len);

/* Forgets all that there is. */
void gather_drop(struct web_connection *c);

#endif
