/*
 * While bytes move, a sample each second. When nothing has moved for a while the job goes to sleep
 * until a session wakes it, so that a server with nothing to do does nothing; the while is long
 * enough that a session each few seconds wakes nobody.
 *
 * A session that counts its bytes at the very moment at which the alarm is armed may not see it:
 * then the next one rings, and finds those bytes counted with its own.
 */
#include "server/sampling.h"

#include "base/clock.h"

#define PERIOD_MS 1000
#define PATIENCE_MS 10000 /* without a change, before the job sleeps */

bool sampling_take(struct services *v, int64_t now)
{
	struct throughput_sample sample = {.sessions = stats_get(&v->stats.current)};

	registry_totals(v->registry, &sample.sent, &sample.received);
	return throughput_take(v->throughput, &sample, now);
}

/* At the full second, so that what was moved since the last sample was moved in one second. */
static int64_t run_sampling(void *context, int64_t now)
{
	struct sampling *s = context;

	atomic_store(&s->alarm.is_armed, false);
	keeper_call(s->keeper);
	if (sampling_take(s->services, now))
		s->last_change = now;
	if (now - s->last_change < PATIENCE_MS)
		return now - now % PERIOD_MS + PERIOD_MS;
	atomic_store(&s->alarm.is_armed, true);
	return CLOCK_NEVER;
}

static void wake_sampling(void *context)
{
	struct sampling *s = context;

	janitor_call(s->janitor, &s->job);
}

void sampling_init(struct sampling *s, struct services *services, struct janitor *janitor,
	struct keeper *keeper)
{
	*s = (struct sampling){.services = services,
		.janitor = janitor,
		.keeper = keeper,
		.alarm = {.ring = wake_sampling, .context = s},
		.last_change = -PATIENCE_MS,
		.job = {.name = "sampling", .run = run_sampling, .context = s}};
	registry_set_alarm(services->registry, &s->alarm);
}
