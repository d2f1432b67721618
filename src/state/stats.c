/*
 * Every worker counts here, so nothing is locked: each number is right by itself, and no two are
 * promised to be of one moment. What a session has to tell is counted when it ends, at one place,
 * so that its path touches little that others write.
 */
#include "state/stats.h"

#include <string.h>

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

void stats_init(struct stats *s)
{
	memset(s, 0, sizeof(*s));
	s->started = clock_ms();
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

static void add_time(_Atomic(uint64_t) *count, _Atomic(uint64_t) *total, int64_t ms)
{
	if (ms < 0)
		return;
	stats_add(count, 1);
	if (ms > 0)
		stats_add(total, (uint64_t)ms);
}

void stats_session_ends(struct stats *s, const struct stats_outcome *outcome)
{
	atomic_fetch_sub_explicit(&s->current, 1, memory_order_relaxed);
	stats_add(&s->ended[outcome->reason], 1);
	if (outcome->reason == END_WRONG_PASSWORD || outcome->reason == END_LOGIN_REFUSED)
		stats_add(&s->logins_refused, 1);
	if (outcome->was_asked)
		stats_add(outcome->was_served ? &s->succeeded : &s->failed, 1);
	stats_add(&s->session_ms, (uint64_t)outcome->total_ms);
	raise_to(&s->longest_session_ms, (uint64_t)outcome->total_ms);
	add_time(&s->lookups, &s->lookup_ms, outcome->lookup_ms);
	add_time(&s->connects, &s->connect_ms, outcome->connect_ms);
}
