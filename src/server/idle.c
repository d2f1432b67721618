/*
 * A worker that waits in poll(2) looks at the idle times only when it wakes, and may have gone to
 * sleep for a longer time than is allowed by now. So when they are lowered, the sessions that are
 * there at that moment are watched from here, and ended when they are due, until there are none
 * left; those that come later see the new times themselves.
 */
#include "server/idle.h"

#include "base/clock.h"

#define LEAST_MS 100 /* between two rounds */

/* Whom to watch is asked after the limits, so that no session can have seen older ones and be left
 * out: a session has its id before it looks at them (struct idle_limits). */
static void see_limits(struct idle_sweep *sweep, int64_t now)
{
	int64_t timeout = atomic_load(&sweep->limits->timeout);
	int64_t half_close_timeout = atomic_load(&sweep->limits->half_close_timeout);

	if (timeout < sweep->timeout || half_close_timeout < sweep->half_close_timeout) {
		sweep->last = registry_last_id(sweep->registry);
		sweep->due = now;
	}
	sweep->timeout = timeout;
	sweep->half_close_timeout = half_close_timeout;
}

static int64_t run_idle_sweep(void *context, int64_t now)
{
	struct idle_sweep *sweep = context;
	int64_t next;

	see_limits(sweep, now);
	if (now < sweep->due)
		return sweep->due;
	next = registry_end_idle(
		sweep->registry, sweep->last, sweep->timeout, sweep->half_close_timeout, now);
	sweep->due = next < now + LEAST_MS ? now + LEAST_MS : next;
	return sweep->due;
}

void idle_sweep_init(
	struct idle_sweep *sweep, struct registry *registry, const struct idle_limits *limits)
{
	*sweep = (struct idle_sweep){.registry = registry,
		.limits = limits,
		.timeout = atomic_load(&limits->timeout),
		.half_close_timeout = atomic_load(&limits->half_close_timeout),
		.due = CLOCK_NEVER,
		.job = {.name = "idle sweep", .run = run_idle_sweep, .context = sweep}};
}
