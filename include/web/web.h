/* web: the thread of the server's front for browsers (web_listen): a poll(2) loop over its listener
 * and the connections. What it shares with the main thread are the door, the errands and an atomic.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "server/server.h"

struct web;

/* Makes it accept at the web's front of `server`, which must live longer. There is no thread until
 * something is listened on. NULL with the reason in `error`. */
struct web *web_new(struct server *server, char error[CONFIG_ERROR_MAX]);

/* Starts the thread, if web_listen is set by now; else that is done when it is. -1 with the reason
 * in `error`. */
int web_start(struct web *w, char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* Ends the thread, if there is one: nobody is answered any more. NULL is allowed. */
void web_stop(struct web *w);

/* Ends all connections and frees everything, when no other thread does errands any more. NULL is
 * allowed. */
void web_free(struct web *w);

#endif
