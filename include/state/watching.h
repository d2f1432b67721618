/* watching: those who look on while sessions come and go, and what happens meanwhile. Atomics say
 * whether there is anybody; the events have their own lock. */
#ifndef STATE_WATCHING_H
#define STATE_WATCHING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "state/events.h"

#define WATCHING_MOST                                                                              \
	4096 /* events that wait for a reader who is slow; then the oldest are lost                \
	      */

struct watching {
	_Atomic(unsigned) watchers; /* read by all sessions */
	_Atomic(unsigned) called; /* of them: who waits for the bell */
	struct events *events;
	_Atomic(bool) is_rung; /* and nobody has come to look since */
	void (*ring)(void *context); /* from any thread: returns at once; NULL: nobody comes */
	void *context;
};

/* -1 without memory. */
int watching_init(struct watching *w) __attribute__((warn_unused_result));

/* Nobody watches any more. Also for one that is all zeros. */
void watching_free(struct watching *w);

/* Whom to call when something has happened, before there are sessions. */
void watching_set_bell(struct watching *w, void (*ring)(void *context), void *context);

/* ---- sessions ---- */

/* Does anybody watch? All that a session pays while nobody does. */
static inline bool watching_is_on(const struct watching *w)
{
	return atomic_load_explicit(&w->watchers, memory_order_relaxed) > 0;
}

/* Tells those who watch, and waits for none of them. */
void watching_tell(struct watching *w, const struct event *event);

/* ---- the thread of those who are called ---- */

/* It was called, and looks at what there is for each watcher. */
void watching_answer_bell(struct watching *w);

/* A watcher begins: he is at `*next` from then on. Whoever has begun ends. */
void watching_begin(struct watching *w, uint64_t *next);
void watching_end(struct watching *w);

/* The same, from any thread, for one who looks by himself every so often and is not called. */
void watching_begin_quietly(struct watching *w, uint64_t *next);
void watching_end_quietly(struct watching *w);

/* The next event for the watcher who is at `*next`; false when there is none yet. `*lost` is how
 * many were before it that he was too slow for. */
bool watching_next(struct watching *w, uint64_t *next, struct event_copy *out, uint64_t *lost);

#endif
