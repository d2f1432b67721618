/*
 * A worker's own counters have one writer, so they are read and written without a locked
 * instruction. An account's are added to by many workers at once; each of them does so where it
 * counts its own, so that there is no moment at which an account knows less than its sessions.
 */
#include "state/traffic.h"

#include <assert.h>
#include <stddef.h>

#define WINDOW_MS 1000

/* Relaxed: each number is right by itself, and only one thread writes. */
#define GET(field) atomic_load_explicit(field, memory_order_relaxed)
#define SET(field, value) atomic_store_explicit(field, value, memory_order_relaxed)

void traffic_begin(struct traffic *t, int64_t now)
{
	uint64_t sent = GET(&t->sent), received = GET(&t->received);

	SET(&t->sent_before, sent);
	SET(&t->received_before, received);
	SET(&t->last_active, now);
	SET(&t->half_closed, false);
	SET(&t->window_begun, now);
	SET(&t->window_sent, sent);
	SET(&t->window_received, received);
	SET(&t->sent_rate, 0);
	SET(&t->received_rate, 0);
	for (size_t i = 0; i < TRAFFIC_TALLIES; i++)
		t->tallies[i] = NULL;
}

/* A reader may see a counter a moment before the number that it is compared with. */
static uint64_t growth(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static uint64_t rate(uint64_t now, uint64_t before, int64_t elapsed_ms)
{
	return growth(now, before) * 1000 / (uint64_t)elapsed_ms;
}

/* Only the first who comes rings; for all others it is one read of what nobody writes. */
void traffic_stir(const struct traffic *t)
{
	struct traffic_alarm *a = t->alarm;

	if (a != NULL && GET(&a->is_armed) && atomic_exchange(&a->is_armed, false))
		a->ring(a->context);
}

void traffic_active(struct traffic *t, int64_t now)
{
	int64_t elapsed = now - GET(&t->window_begun);
	uint64_t sent, received;

	SET(&t->last_active, now);
	traffic_stir(t);
	if (elapsed < WINDOW_MS)
		return;
	sent = GET(&t->sent);
	received = GET(&t->received);
	SET(&t->sent_rate, rate(sent, GET(&t->window_sent), elapsed));
	SET(&t->received_rate, rate(received, GET(&t->window_received), elapsed));
	SET(&t->window_begun, now);
	SET(&t->window_sent, sent);
	SET(&t->window_received, received);
}

void traffic_count(struct traffic *t, enum traffic_direction direction, uint64_t bytes)
{
	bool outward = direction == TRAFFIC_SENT;
	_Atomic(uint64_t) *own = outward ? &t->sent : &t->received;

	SET(own, GET(own) + bytes);
	for (size_t i = 0; i < TRAFFIC_TALLIES && t->tallies[i] != NULL; i++) {
		struct tally *shared = t->tallies[i];

		atomic_fetch_add_explicit(
			outward ? &shared->sent : &shared->received, bytes, memory_order_relaxed);
	}
}

void traffic_share(struct traffic *t, struct tally *tally)
{
	size_t i = 0;

	while (i < TRAFFIC_TALLIES && t->tallies[i] != NULL)
		i++;
	assert(i < TRAFFIC_TALLIES);
	t->tallies[i] = tally;
}

struct traffic_figures traffic_read(const struct traffic *t, int64_t now)
{
	int64_t elapsed = now - GET(&t->window_begun);
	uint64_t sent = GET(&t->sent), received = GET(&t->received);
	struct traffic_figures f = {.sent = growth(sent, GET(&t->sent_before)),
		.received = growth(received, GET(&t->received_before)),
		.sent_rate = GET(&t->sent_rate),
		.received_rate = GET(&t->received_rate),
		.last_active = GET(&t->last_active),
		.half_closed = GET(&t->half_closed)};

	/* A window that is overdue shows that less comes now, or nothing. */
	if (elapsed >= WINDOW_MS) {
		f.sent_rate = rate(sent, GET(&t->window_sent), elapsed);
		f.received_rate = rate(received, GET(&t->window_received), elapsed);
	}
	return f;
}
