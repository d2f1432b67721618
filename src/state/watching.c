/*
 * One ring for all watchers, each of whom is at a number of his own in it; what he wants to see of
 * it is his affair. The bell is rung once until it is answered, so many sessions that end at once
 * cost one call. It is answered before the ring is looked at: what comes in between rings again.
 */
#include "state/watching.h"

int watching_init(struct watching *w)
{
	w->events = events_new(WATCHING_MOST);
	return w->events == NULL ? -1 : 0;
}

void watching_free(struct watching *w)
{
	events_free(w->events);
	w->events = NULL;
}

void watching_set_bell(struct watching *w, void (*ring)(void *context), void *context)
{
	w->ring = ring;
	w->context = context;
}

void watching_tell(struct watching *w, const struct event *event)
{
	events_add(w->events, event);
	if (w->ring != NULL && atomic_load_explicit(&w->called, memory_order_relaxed) > 0 &&
		!atomic_exchange(&w->is_rung, true))
		w->ring(w->context);
}

void watching_answer_bell(struct watching *w)
{
	/* In one order with the exchange above and the lock behind it. */
	atomic_store(&w->is_rung, false);
}

void watching_begin_quietly(struct watching *w, uint64_t *next)
{
	uint64_t begin;

	events_range(w->events, &begin, next);
	atomic_fetch_add(&w->watchers, 1);
}

/* A session that saw the last watcher a moment ago may still add an event or two, which stay until
 * the next one goes. Whoever begins at that moment may lose as many, and is told. */
void watching_end_quietly(struct watching *w)
{
	if (atomic_fetch_sub(&w->watchers, 1) == 1)
		events_forget(w->events);
}

void watching_begin(struct watching *w, uint64_t *next)
{
	atomic_fetch_add(&w->called, 1);
	watching_begin_quietly(w, next);
}

void watching_end(struct watching *w)
{
	watching_end_quietly(w);
	atomic_fetch_sub(&w->called, 1);
}

bool watching_next(struct watching *w, uint64_t *next, struct event_copy *out, uint64_t *lost)
{
	uint64_t begin, end;

	*lost = 0;
	for (;;) {
		events_range(w->events, &begin, &end);
		if (*next < begin) {
			*lost += begin - *next;
			*next = begin;
		}
		if (*next == end)
			return false;
		if (events_read(w->events, *next, out)) {
			++*next;
			return true;
		}
	}
}
