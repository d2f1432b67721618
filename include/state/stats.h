/* stats: what was counted since the start. C11 atomics, no lock; relaxed, so that a reader may see
 * one number a moment before another. */
#ifndef STATE_STATS_H
#define STATE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "state/end_reason.h"

struct stats {
	int64_t started; /* clock_ms() */
	_Atomic(uint64_t) sessions;
	_Atomic(uint64_t) current;
	_Atomic(uint64_t) most; /* the largest `current` there was */
	_Atomic(uint64_t) sent; /* bytes from clients to targets */
	_Atomic(uint64_t) received;
	_Atomic(uint64_t) ended[END_REASONS];
	_Atomic(uint64_t) clients_refused; /* by the rule `clients` */
	_Atomic(uint64_t) accept_exhausted; /* pauses for want of descriptors or memory */
	_Atomic(uint64_t) saturated; /* times that the last idle worker was taken */
};

void stats_init(struct stats *s);

/* Adds `n` to one of the counters above. */
void stats_add(_Atomic(uint64_t) *counter, uint64_t n);

uint64_t stats_get(const _Atomic(uint64_t) *counter);

void stats_session_begins(struct stats *s);
void stats_session_ends(struct stats *s, enum end_reason reason, uint64_t sent, uint64_t received);

#endif
