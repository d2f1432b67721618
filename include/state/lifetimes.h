/* lifetimes: how long all sessions of an account have taken together, those that run included, as
 * one number. One atomic; no lock. */
#ifndef STATE_LIFETIMES_H
#define STATE_LIFETIMES_H

#include <stdatomic.h>
#include <stdint.h>

/* Zeroed: none has begun. */
typedef _Atomic(uint64_t) lifetimes;

/* A session begins, and one ends, at the time `now` (clock.h). */
void lifetimes_begin(lifetimes *l, int64_t now);
void lifetimes_end(lifetimes *l, int64_t now);

/* Their milliseconds so far, by a clock that is read behind what they were begun with. */
int64_t lifetimes_read(const lifetimes *l);

/* The same at the time `now`. */
int64_t lifetimes_at(uint64_t value, int64_t now);

#endif
