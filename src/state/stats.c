/*
 * Every worker counts here, so nothing is locked: each number is right by itself, and no two are
 * promised to be of one moment. What a session has to tell is counted when it ends, at one place,
 * so that its path touches little that others write.
 */
#include "state/stats.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

static const char *const drop_words[DATAGRAM_DROPS] = {
#define DATAGRAM_DROP(name, words) [DROP_##name] = (words),
	DATAGRAM_DROP_LIST(DATAGRAM_DROP)
#undef DATAGRAM_DROP
};

const char *datagram_drop_words(enum datagram_drop drop)
{
	return drop_words[drop];
}

const char *session_outcome_word(enum session_outcome outcome)
{
	return outcome == SESSION_SUCCEEDED ? "success" : "fail";
}

void stats_init(struct stats *s)
{
	memset(s, 0, sizeof(*s));
	s->started = clock_ms();
	s->started_at = time(NULL);
	histogram_init(&s->session_times, &histogram_of_sessions);
	histogram_init(&s->lookup_times, &histogram_of_waits);
	histogram_init(&s->connect_times, &histogram_of_waits);
}

void stats_add(_Atomic(uint64_t) *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

uint64_t stats_get(const _Atomic(uint64_t) *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void stats_add_datagrams(struct stats *s, const struct datagram_counts *counts)
{
	if (counts->sent > 0)
		stats_add(&s->datagrams_sent, counts->sent);
	if (counts->received > 0)
		stats_add(&s->datagrams_received, counts->received);
	for (enum datagram_drop i = 0; i < DATAGRAM_DROPS; i++) {
		if (counts->dropped[i] > 0)
			stats_add(&s->datagrams_dropped[i], counts->dropped[i]);
	}
}

static void raise_to(_Atomic(uint64_t) *counter, uint64_t value)
{
	uint64_t most = stats_get(counter);

	while (value > most &&
		!atomic_compare_exchange_weak_explicit(
			counter, &most, value, memory_order_relaxed, memory_order_relaxed))
		;
}

void stats_session_begins(struct stats *s)
{
	raise_to(&s->most, atomic_fetch_add_explicit(&s->current, 1, memory_order_relaxed) + 1);
	stats_add(&s->sessions, 1);
}

void stats_session_ends(struct stats *s, const struct stats_outcome *outcome)
{
	atomic_fetch_sub_explicit(&s->current, 1, memory_order_relaxed);
	stats_add(&s->ended[outcome->outcome][outcome->reason], 1);
	if (outcome->was_asked)
		stats_add(outcome->was_served ? &s->succeeded : &s->failed, 1);
	histogram_add(&s->session_times, outcome->total_ms);
	raise_to(&s->longest_session_ms, (uint64_t)outcome->total_ms);
	if (outcome->lookup_ms >= 0)
		histogram_add(&s->lookup_times, outcome->lookup_ms);
	if (outcome->connect_ms >= 0)
		histogram_add(&s->connect_times, outcome->connect_ms);
}

uint64_t stats_ended(const struct stats *s, enum end_reason reason)
{
	uint64_t sum = 0;

	for (enum session_outcome i = 0; i < SESSION_OUTCOMES; i++)
		sum += stats_get(&s->ended[i][reason]);
	return sum;
}
