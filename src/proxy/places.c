/*
 * One counter that all workers write, twice a session. To take a place and to be told which it is
 * are one step; so two that come for the last one are not both told that there was another.
 */
#include "proxy/places.h"

void places_init(struct places *p, size_t total)
{
	p->total = total;
	atomic_init(&p->taken, 0);
	atomic_init(&p->are_closed, false);
}

size_t places_take(struct places *p)
{
	return atomic_fetch_add(&p->taken, 1) + 1;
}

void places_leave(struct places *p)
{
	atomic_fetch_sub(&p->taken, 1);
}

static size_t last_places(const struct places *p)
{
	return p->total < 64 ? 1 : p->total / 64;
}

bool places_is_kept(const struct places *p, size_t place, size_t running)
{
	size_t quarter = p->total / 4;

	/* Of less than four one would be more than a quarter. */
	return quarter > 0 && place > p->total - last_places(p) && running > quarter + 1;
}

bool places_are_scarce(const struct places *p)
{
	return atomic_load(&p->taken) + last_places(p) >= p->total;
}

bool places_are_taken(const struct places *p)
{
	return p->total > 0 && atomic_load(&p->taken) >= p->total;
}

const char *places_health(const struct places *p, bool has_place)
{
	if (places_are_closed(p))
		return "draining";
	if (has_place && p->total == 1)
		return "ok";
	return places_are_taken(p) ? "saturated" : "ok";
}

void places_close(struct places *p)
{
	atomic_store(&p->are_closed, true);
}

bool places_are_closed(const struct places *p)
{
	return atomic_load(&p->are_closed);
}
