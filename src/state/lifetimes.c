/*
 * Of n sessions that run, and whatever has ended, the sum at the time t is S + n * t, where each
 * beginning has taken its time from S and each end has added its own. Both S and n have to be of
 * the same moment, or the sum is off by as much as the clock shows; so they are one number,
 * n * UNIT + S, and a beginning adds UNIT - t to it, an end takes that away. At the time t this is
 * n * (UNIT - t) and the sum; the sum is below half of UNIT - t, so n is what is nearest.
 */
#include "state/lifetimes.h"

#include "base/clock.h"

#define UNIT (INT64_C(1) << 44) /* of milliseconds: 557 years */

static uint64_t share_at(int64_t now)
{
	return (uint64_t)(UNIT - now);
}

void lifetimes_begin(lifetimes *l, int64_t now)
{
	atomic_fetch_add_explicit(l, share_at(now), memory_order_relaxed);
}

void lifetimes_end(lifetimes *l, int64_t now)
{
	atomic_fetch_sub_explicit(l, share_at(now), memory_order_relaxed);
}

int64_t lifetimes_at(uint64_t value, int64_t now)
{
	int64_t share = UNIT - now, sum = (int64_t)value;
	int64_t running = (sum + share / 2) / share;

	sum -= running * share;
	return sum > 0 ? sum : 0; /* `now` may have been read before somebody else's */
}

int64_t lifetimes_read(const lifetimes *l)
{
	uint64_t value = atomic_load(l);

	return lifetimes_at(value, clock_ms());
}
