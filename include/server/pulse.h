/* pulse: do the workers get on? Whether one has been at the same thing for longer than anything may
 * last. Belongs to one thread; no lock. */
#ifndef SERVER_PULSE_H
#define SERVER_PULSE_H

#include <stddef.h>
#include <stdint.h>

#include "state/registry.h"
#include "state/settings.h"

struct pulse {
	const struct registry *registry;
	int64_t grace; /* ms beyond the last deadline */
	int64_t handshake, connect, bind, udp; /* the longest times that sessions may have begun
						* with */
	struct pulse_seen *seen; /* one a worker */
};

/* -1 without memory. */
int pulse_init(struct pulse *p, const struct registry *registry, int64_t grace)
	__attribute__((warn_unused_result));
void pulse_destroy(struct pulse *p);

/* How many workers hang at the time `now` (clock.h): they have a client, and for `grace` they have
 * been overdue by all deadlines that these settings give what they do. To be asked every so often,
 * more often than `grace`: a worker that was overdue when it was looked at, and was not given the
 * time to notice, does not hang. */
size_t pulse_count_hanging(struct pulse *p, const struct settings *s, int64_t now);

#endif
