/* stats: what was counted since the start. C11 atomics, no lock; relaxed, so that a reader may see
 * one number a moment before another. */
#ifndef STATE_STATS_H
#define STATE_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "state/end_reason.h"

struct stats {
	int64_t started; /* clock_ms() */
	_Atomic(uint64_t) sessions;
	_Atomic(uint64_t) current;
	_Atomic(uint64_t) most; /* the largest `current` there was */
	_Atomic(uint64_t) succeeded; /* requests that were granted, and not */
	_Atomic(uint64_t) failed;
	_Atomic(uint64_t) ended[END_REASONS];
	_Atomic(uint64_t) session_ms; /* of all sessions that ended, together */
	_Atomic(uint64_t) longest_session_ms;
	_Atomic(uint64_t) lookups; /* of names, and how long they took together */
	_Atomic(uint64_t) lookup_ms;
	_Atomic(uint64_t) connects; /* connections that came about */
	_Atomic(uint64_t) connect_ms;
	_Atomic(uint64_t) clients_refused; /* by the rule `clients` */
	_Atomic(uint64_t) accept_exhausted; /* pauses for want of descriptors or memory */
	_Atomic(uint64_t) saturated; /* times that the last idle worker was taken */
	_Atomic(uint64_t) monitor_logins_refused;
};

void stats_init(struct stats *s);

/* Adds `n` to one of the counters above. */
void stats_add(_Atomic(uint64_t) *counter, uint64_t n);

uint64_t stats_get(const _Atomic(uint64_t) *counter);

void stats_session_begins(struct stats *s);

/* What became of a session. */
struct stats_outcome {
	enum end_reason reason;
	bool was_asked; /* there was a request */
	bool was_served; /* and it was granted */
	int64_t total_ms;
	int64_t lookup_ms; /* -1: nothing was looked up */
	int64_t connect_ms; /* -1: not connected */
};

void stats_session_ends(struct stats *s, const struct stats_outcome *outcome);

#endif
