/* supervision: what the service manager hears of a server: that it serves, reloads or stops, how
 * things stand, and, by a job of the janitor's, that workers get on. A mutex guards what was said.
 */
#ifndef SERVER_SUPERVISION_H
#define SERVER_SUPERVISION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"
#include "net/notify.h"
#include "proxy/services.h"
#include "server/pulse.h"
#include "server/schedule.h"

#define SUPERVISION_STATUS_MAX 1024

struct supervision {
	const struct notify *notify;
	struct services *services;
	struct job job;
	struct pulse pulse; /* the job's, where the manager has a watchdog */
	_Atomic(size_t) hanging; /* workers, when the job looked last */
	_Atomic(int64_t) ends_at; /* clock_ms(), of a server that stops; 0: it does not */

	struct mutex lock; /* the rest */
	char refusal[SUPERVISION_STATUS_MAX]; /* of the last reload; "": it was none */
	char said[SUPERVISION_STATUS_MAX]; /* as the status */
};

/* Makes the job ready to be added, where there is a manager to be told anything; `s` and `notify`
 * must live as long as the server. -1 without memory. */
int supervision_init(struct supervision *s, const struct notify *notify, struct services *services)
	__attribute__((warn_unused_result));

/* After the job has run for the last time. One that is zeroed is allowed. */
void supervision_destroy(struct supervision *s);

/* The server serves. */
void supervision_ready(struct supervision *s);

/* A reload begins, and has ended: `refusal` is why nothing changed, NULL: it was done. */
void supervision_reloads(struct supervision *s);
void supervision_has_reloaded(struct supervision *s, const char *refusal);

/* The server stops, and ends its sessions at that time (clock.h). */
void supervision_stops(struct supervision *s, int64_t ends_at);

/* Says how things stand, if that is news. */
void supervision_tell_status(struct supervision *s);

#endif
