/* session_accounts: a session's places under the limits of its accounts, the client's and the
 * user's, and its visit in their history. By its own thread only. */
#ifndef PROXY_SESSION_ACCOUNTS_H
#define PROXY_SESSION_ACCOUNTS_H

#include "proxy/session.h"

/* Its places under the limits of its accounts: nobody waits for one. END_REASONS, or why there is
 * none. */
enum end_reason session_take_places(struct session *s);

/* Begins the visit to the site that the request names, where sites are kept. */
void session_begin_visit(struct session *s);

/* Leaves its places and its accounts, and ends the visit; what was forbidden counts there. Before
 * the client can see the end: it may come again at once. */
void session_leave_accounts(struct session *s);

#endif
