/*
 * Whatever a worker waits for has a deadline; one that is far beyond it has met a lock that nobody
 * gives back, a disk or a log that does not answer, or a fault of ours. To see that from outside
 * costs sessions a counter that each of them moves twice: with the phase, and where bytes are moved
 * with the time at which they were, it tells what a worker is at and since when, as far as somebody
 * has looked. A worker without a client is at nothing, however long.
 *
 * A session keeps the times that it began with, so that what counts of these is the longest there
 * has been. So it is with the idle time of associations, which look at it only when they wake; that
 * of relays is followed by a sweep (idle.c), and counts as it is. The whole process may have been
 * halted (a debugger, a host that saves it), and then all are overdue at once: so nobody hangs who
 * was not seen to be overdue before.
 */
#include "server/pulse.h"

#include <stdlib.h>

#include "base/clock.h"

struct pulse_seen {
	uint64_t turns;
	enum session_phase phase;
	int64_t since; /* it was seen at this */
	int64_t overdue_since; /* 0: it is not */
};

int pulse_init(struct pulse *p, const struct registry *registry, int64_t grace)
{
	*p = (struct pulse){.registry = registry, .grace = grace};
	p->seen = calloc(registry_size(registry), sizeof(*p->seen));
	return p->seen == NULL ? -1 : 0;
}

void pulse_destroy(struct pulse *p)
{
	free(p->seen);
	p->seen = NULL;
}

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void follow_times(struct pulse *p, const struct settings *s)
{
	p->handshake = longer(p->handshake, s->handshake_timeout);
	p->connect = longer(p->connect, s->connect_timeout);
	p->bind = longer(p->bind, s->bind_timeout);
	p->udp = longer(p->udp, s->udp_timeout);
}

/* Until when it is to have got on, with time for one more reply. */
static int64_t due_of(const struct pulse *p, const struct settings *s,
	const struct registry_pulse *now, int64_t since)
{
	int64_t due = since + p->handshake;

	switch (now->phase) {
	case PHASE_CONNECT: /* BIND has both times, and a reply in between */
		return due + p->connect + p->handshake + p->bind;
	case PHASE_RELAY:
		return longer(since, now->last_active) + p->handshake +
			longer(s->timeout, s->half_close_timeout);
	case PHASE_UDP: /* its last turn may have been to open a way through an upstream */
		return longer(since, now->last_active) + p->handshake + p->udp + p->connect;
	case PHASE_GREETING:
	case PHASE_LOGIN:
	case PHASE_REQUEST:
	case PHASE_CLOSING:
	case SESSION_PHASES:
		break;
	}
	return due + p->handshake;
}

static bool hangs(struct pulse *p, const struct settings *s, size_t i, int64_t now)
{
	struct registry_pulse pulse = registry_pulse(p->registry, i);
	struct pulse_seen *seen = &p->seen[i];

	if (!pulse.has_client)
		return false;
	if (seen->turns != pulse.turns || seen->phase != pulse.phase)
		*seen = (struct pulse_seen){
			.turns = pulse.turns, .phase = pulse.phase, .since = now};
	if (now < due_of(p, s, &pulse, seen->since))
		seen->overdue_since = 0;
	else if (seen->overdue_since == 0)
		seen->overdue_since = now;
	else
		return now - seen->overdue_since >= p->grace;
	return false;
}

size_t pulse_count_hanging(struct pulse *p, const struct settings *s, int64_t now)
{
	size_t count = 0;

	follow_times(p, s);
	for (size_t i = 0; i < registry_size(p->registry); i++)
		count += hangs(p, s, i, now);
	return count;
}
