/*
 * A worker's own counters have one writer, so they are read and written without a locked
 * instruction. An account's are added to by many workers at once; each of them does so where it
 * counts its own, so that there is no moment at which an account knows less than its sessions.
 */
#include "state/traffic.h"

#include <assert.h>
#include <stddef.h>

#define WINDOW_MS 1000

/* Of what is left to an account before its end each session may take this part at once. */
#define ROOM_SHARE 16
#define ROOM_LEAST 4096 /* bytes */

/* Relaxed: such a number is right by itself, and only one thread writes it. What belongs together
 * says in which order it is written and read. */
#define GET(field) atomic_load_explicit(field, memory_order_relaxed)
#define SET(field, value) atomic_store_explicit(field, value, memory_order_relaxed)

/* ---- windows ---- */

/* The numbers of a window belong together, and a reader is not to take some of one and some of the
 * next: a sequence lock. `window` is odd while they are written. Whoever reads one that was written
 * since (acquire, of a release) also sees that `window` has changed, when he looks again. */
#define FETCH(field) atomic_load_explicit(field, memory_order_acquire)
#define PUT(field, value) atomic_store_explicit(field, value, memory_order_release)

struct window {
	int64_t begun;
	uint64_t sent, received;
	uint64_t sent_rate, received_rate;
};

static void write_window(struct traffic *t, const struct window *w)
{
	unsigned before = GET(&t->window);

	SET(&t->window, before + 1);
	PUT(&t->window_begun, w->begun);
	PUT(&t->window_sent, w->sent);
	PUT(&t->window_received, w->received);
	PUT(&t->sent_rate, w->sent_rate);
	PUT(&t->received_rate, w->received_rate);
	PUT(&t->window, before + 2);
}

/* False when it is being written, which nobody waits for: then the rates are those of this window
 * or of the next one, each right by itself, and the rest means nothing. */
static bool read_window(const struct traffic *t, struct window *w)
{
	unsigned before = FETCH(&t->window);

	w->begun = FETCH(&t->window_begun);
	w->sent = FETCH(&t->window_sent);
	w->received = FETCH(&t->window_received);
	w->sent_rate = FETCH(&t->sent_rate);
	w->received_rate = FETCH(&t->received_rate);
	return before % 2 == 0 && GET(&t->window) == before;
}

/* ---- the ends and marks of accounts ---- */

static uint64_t total_of(const struct tally *tally)
{
	return GET(&tally->sent) + GET(&tally->received);
}

/* The second tally is that of the user who has logged in. */
static bool holds_for(const struct traffic *t, const struct tally *tally)
{
	return t->tallies[1] == NULL || !GET(&tally->end_is_for_anonymous);
}

/* Each takes a part of what is left, down to a few pages. */
static uint64_t room_of(const struct tally *tally, uint64_t end)
{
	uint64_t total = total_of(tally), left = total < end ? end - total : 0;
	uint64_t part = left / ROOM_SHARE;

	if (part >= ROOM_LEAST)
		return part;
	return left < ROOM_LEAST ? left : ROOM_LEAST;
}

uint64_t traffic_room(const struct traffic *t, uint64_t wanted)
{
	for (size_t i = 0; i < TRAFFIC_TALLIES && t->tallies[i] != NULL; i++) {
		uint64_t end = GET(&t->tallies[i]->end), room;

		if (end == 0 || !holds_for(t, t->tallies[i]))
			continue;
		room = room_of(t->tallies[i], end);
		if (room < wanted)
			wanted = room;
	}
	return wanted;
}

/* Only the first who comes rings. */
static void pass_mark(const struct traffic *t, struct tally *tally, uint64_t mark)
{
	struct traffic_alarm *a = t->mark_alarm;

	if (total_of(tally) >= mark && atomic_compare_exchange_strong(&tally->mark, &mark, 0) &&
		a != NULL)
		a->ring(a->context);
}

/* ---- the worker ---- */

static void note_counts(struct traffic *t)
{
	t->noted_sent = GET(&t->sent);
	t->noted_received = GET(&t->received);
}

void traffic_begin(struct traffic *t, int64_t now)
{
	uint64_t sent = GET(&t->sent), received = GET(&t->received);

	SET(&t->sent_before, sent);
	SET(&t->received_before, received);
	write_window(t, &(struct window){.begun = now, .sent = sent, .received = received});
	note_counts(t);
	PUT(&t->last_active, now);
	traffic_half_close(t, false);
	for (size_t i = 0; i < TRAFFIC_TALLIES; i++)
		t->tallies[i] = NULL;
}

/* Has nothing come for longer than a window? */
static bool is_silence(int64_t last_active, int64_t now)
{
	return now - last_active > WINDOW_MS;
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

/* Ends the window. What comes after a silence has all come just now, and the time before it says
 * nothing about how fast that was. */
static void turn_window(struct traffic *t, int64_t elapsed, int64_t now)
{
	bool was_silent = is_silence(GET(&t->last_active), now);
	struct window next = {.begun = now, .sent = GET(&t->sent), .received = GET(&t->received)};

	if (was_silent) {
		next.sent_rate = rate(next.sent, t->noted_sent, WINDOW_MS);
		next.received_rate = rate(next.received, t->noted_received, WINDOW_MS);
	} else {
		next.sent_rate = rate(next.sent, GET(&t->window_sent), elapsed);
		next.received_rate = rate(next.received, GET(&t->window_received), elapsed);
	}
	write_window(t, &next);
}

/* The time comes last: who sees it also sees the window that it has begun. */
void traffic_active(struct traffic *t, int64_t now)
{
	int64_t elapsed = now - GET(&t->window_begun);

	if (elapsed >= WINDOW_MS)
		turn_window(t, elapsed, now);
	note_counts(t);
	PUT(&t->last_active, now);
	traffic_stir(t);
}

void traffic_half_close(struct traffic *t, bool half_closed)
{
	/* Seldom, since an order among all threads costs a locked instruction. */
	if (GET(&t->half_closed) != half_closed)
		atomic_store(&t->half_closed, half_closed);
}

void traffic_count(struct traffic *t, enum traffic_direction direction, uint64_t bytes)
{
	bool outward = direction == TRAFFIC_SENT;
	_Atomic(uint64_t) *own = outward ? &t->sent : &t->received;

	SET(own, GET(own) + bytes);
	for (size_t i = 0; i < TRAFFIC_TALLIES && t->tallies[i] != NULL; i++) {
		struct tally *shared = t->tallies[i];
		uint64_t mark = GET(&shared->mark);

		atomic_fetch_add_explicit(
			outward ? &shared->sent : &shared->received, bytes, memory_order_relaxed);
		if (mark != 0)
			pass_mark(t, shared, mark);
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

/* ---- anybody ---- */

/* What came in the last second: all of the present window and, as far as that is younger, the same
 * part of the one before; or the average of one that is overdue. */
static uint64_t recent_rate(uint64_t rate_before, uint64_t grown, int64_t elapsed)
{
	if (elapsed >= WINDOW_MS)
		return grown * 1000 / (uint64_t)elapsed;
	if (elapsed < 0)
		elapsed = 0;
	return rate_before * (uint64_t)(WINDOW_MS - elapsed) / WINDOW_MS + grown;
}

struct traffic_figures traffic_read(const struct traffic *t, int64_t now)
{
	struct traffic_figures f = {0};
	struct window w;
	uint64_t sent, received;
	bool whole;

	/* Before `last_active`, which is written before it: who sees that a side has finished sees
	 * a time that is as late. */
	f.half_closed = atomic_load(&t->half_closed);
	/* Before the window: who sees that something has come lately does not take the rates of a
	 * window that ended long ago. */
	f.last_active = FETCH(&t->last_active);
	whole = read_window(t, &w);
	/* Behind the window, so that they have not fallen behind what it began with. */
	sent = GET(&t->sent);
	received = GET(&t->received);
	f.sent = growth(sent, GET(&t->sent_before));
	f.received = growth(received, GET(&t->received_before));
	if (is_silence(f.last_active, now))
		return f;
	f.sent_rate = w.sent_rate;
	f.received_rate = w.received_rate;
	if (whole) {
		f.sent_rate = recent_rate(w.sent_rate, growth(sent, w.sent), now - w.begun);
		f.received_rate =
			recent_rate(w.received_rate, growth(received, w.received), now - w.begun);
	}
	return f;
}
