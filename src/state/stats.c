#include "state/stats.h"

#include <string.h>

#include "base/clock.h"

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

void stats_session_begins(struct stats *s)
{
	uint64_t now = atomic_fetch_add_explicit(&s->current, 1, memory_order_relaxed) + 1;
	uint64_t most = stats_get(&s->most);

	stats_add(&s->sessions, 1);
	while (now > most &&
		!atomic_compare_exchange_weak_explicit(
			&s->most, &most, now, memory_order_relaxed, memory_order_relaxed))
		;
}

void stats_session_ends(struct stats *s, enum end_reason reason, uint64_t sent, uint64_t received)
{
	atomic_fetch_sub_explicit(&s->current, 1, memory_order_relaxed);
	stats_add(&s->ended[reason], 1);
	stats_add(&s->sent, sent);
	stats_add(&s->received, received);
}
