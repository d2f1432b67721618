/* metric_families: the figures that are told to Prometheus, as one table: what the answer, the
 * manual and the tests are made of. No state, no lock. */
#ifndef WEB_METRIC_FAMILIES_H
#define WEB_METRIC_FAMILIES_H

#include "proxy/services.h"
#include "web/exposition.h"

/* Of accounts no more are told, those that have moved most bytes. Each account is three. */
#define METRICS_ACCOUNT_SERIES 1000

struct metrics; /* an answer that is put together */

struct metric_family {
	struct metric metric;
	bool is_of_accounts; /* told where metrics_accounts says so */
	bool is_of_sharing; /* told where the setting shared names an engine */
	/* Adds samples, about REPLY_CHUNK at most. Has it more? */
	bool (*put)(struct metrics *m, struct reply *r);
};

extern const struct metric_family metric_families[];
extern const size_t metric_families_count;

/* Begins a reply that has all of them, without an empty line behind it. It goes on by a source
 * (reply.h). */
void metric_families_begin(struct services *v, enum exposition syntax, struct reply *r);

#endif
