/* session_report: what logs, counters and watching administrators are told of a session. By its own
 * thread only. */
#ifndef PROXY_SESSION_REPORT_H
#define PROXY_SESSION_REPORT_H

#include "proxy/session.h"

/* The request was answered: granted (END_REASONS) or refused. It is in the access log from here on,
 * and a line of its file is due at the end. */
void session_log_access(struct session *s, enum end_reason failure);

void session_tell_watchers(const struct session *s, enum event_kind kind, enum end_reason reason);

/* Tells whoever watches. That is nobody, as a rule, which costs one atomic. */
static inline void session_tell(
	const struct session *s, enum event_kind kind, enum end_reason reason)
{
	if (watching_is_on(&s->services->watching))
		session_tell_watchers(s, kind, reason);
}

/* Says that a login has failed, if one has: once, and the ban that has begun with it. */
void session_log_failed_login(struct session *s);

/* Counts and logs what became of the session: its sockets are closed and its buffers given up. */
void session_account(struct session *s);

#endif
