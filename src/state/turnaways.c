/*
 * Who is turned away may come again at once, and for ever. What is told of it stands among other
 * failures, whose memory is bounded; so it is told seldom, and what the log and the counters say
 * has to do for the rest. The clients that were told are remembered in a ring, which is short
 * enough to be walked.
 */
#include "state/turnaways.h"

void turnaways_init(struct turnaways *t)
{
	mutex_init(&t->lock);
}

void turnaways_destroy(struct turnaways *t)
{
	mutex_destroy(&t->lock);
}

static bool is_told_locked(const struct turnaways *t, const struct network *client, int64_t now)
	REQUIRES(&t->lock)
{
	for (size_t i = 0; i < TURNAWAYS_REMEMBERED; i++) {
		const struct turnaway *a = &t->clients[i];

		if (now < a->until && network_equal(&a->client, client))
			return true;
	}
	return false;
}

/* As a bucket of TURNAWAYS_AT_ONCE that fills up with time. */
static bool spend_locked(struct turnaways *t, int64_t now) REQUIRES(&t->lock)
{
	int64_t begun = now > t->spent_until ? now : t->spent_until;

	if (begun - now > (int64_t)(TURNAWAYS_AT_ONCE - 1) * TURNAWAYS_EACH_MS)
		return false;
	t->spent_until = begun + TURNAWAYS_EACH_MS;
	return true;
}

bool turnaways_pass(struct turnaways *t, const struct network *client, int64_t now)
{
	bool passes;

	mutex_lock(&t->lock);
	passes = !is_told_locked(t, client, now) && spend_locked(t, now);
	if (passes) {
		t->clients[t->next] =
			(struct turnaway){.client = *client, .until = now + TURNAWAYS_AGAIN_MS};
		t->next = (t->next + 1) % TURNAWAYS_REMEMBERED;
	}
	mutex_unlock(&t->lock);
	return passes;
}
