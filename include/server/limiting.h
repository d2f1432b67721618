/* limiting: what is said of limits is taken in, and a job of the janitor's sees to what time and
 * use bring: quotas that are used up or begin anew, users who expire, sessions of whoever is kept
 * out. The janitor's, but for limiting_apply(); no lock of its own. */
#ifndef SERVER_LIMITING_H
#define SERVER_LIMITING_H

#include <stdatomic.h>

#include "proxy/services.h"
#include "server/janitor.h"
#include "server/keeper.h"

struct limiting {
	struct services *services;
	struct janitor *janitor;
	struct keeper *keeper; /* NULL: nothing is kept */
	struct traffic_alarm alarm; /* rings when a quota comes to its mark */
	int64_t swept; /* seconds since 1970: when what is kept of quotas was swept last */
	_Atomic(bool) is_changed; /* limits were taken in: some sessions may have to end */
	struct job job;
};

/* Makes the job ready to be added, and has the sessions wake it; `l` must live as long as they. */
void limiting_init(struct limiting *l, struct services *services, struct janitor *janitor,
	struct keeper *keeper);

/* Takes in what this configuration and what stands say, for all accounts there are and those to
 * come. The thread that makes changes. -1 without memory, and then some have what they had. */
int limiting_apply(struct services *v, struct config *c) __attribute__((warn_unused_result));

/* Has the job look, since limiting_apply() was called. */
void limiting_look(struct limiting *l);

/* Logs what is not as it was meant, for -n: quotas that are not kept, groups that nobody is in. */
void limiting_warn(const struct services *v, const struct settings *s);

/* The last look, when there are no sessions any more. */
void limiting_finish(struct limiting *l);

#endif
