/* listening: the sockets on which clients and the monitor are waited for, opened at start and
 * changed while serving. The main thread's; no lock. */
#ifndef SERVER_LISTENING_H
#define SERVER_LISTENING_H

#include "server/site.h"

/* Opens what is to be listened on, for clients and for the monitor; what is listened on already is
 * taken over. The former, or NULL with the reason in `error`, and nothing is open that was not
 * before. `c` is told the places as the proxy's own. */
struct listeners *listening_open(struct site *s, struct config *c, char error[CONFIG_ERROR_MAX]);

/* Gets the pool ready to listen on `l`, or says in `error` why not (-1). */
int listening_expect(struct site *s, const struct listeners *l, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Opens what `new` says, beside what is listened on; either listening_commit() or listening_undo()
 * follows. -1 with the reason in `error`, and nothing changed. */
int listening_prepare(struct site *s, struct config *new, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Goes over to what was opened, and closes what is not listened on any more. `logs_all`: with a
 * line in the log for each, those too that stay. */
void listening_commit(struct site *s, bool logs_all);

/* Closes what was opened. */
void listening_undo(struct site *s);

#endif
