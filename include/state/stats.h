/* stats: what was counted since the start. C11 atomics, no lock; relaxed, so that a reader may see
 * one number a moment before another. */
#ifndef STATE_STATS_H
#define STATE_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "state/end_reason.h"
#include "state/histogram.h"
#include "state/login_counts.h"

/* Why a datagram of an association was dropped: the one list, with the words in the statistics. */
/* clang-format off */
#define DATAGRAM_DROP_LIST(X) \
	X(MALFORMED, "malformed") /* not as RFC 1928 section 7 says */ \
	X(FRAGMENT, "fragment") /* of a datagram that never became whole */ \
	X(STRANGER, "stranger") /* not from the client's address and port */ \
	X(DENIED, "denied") /* the rules forbid the target */ \
	X(NAME, "name") /* the target's name led to no address */ \
	X(QUEUE_FULL, "queue full") /* too many waited for their targets' names */ \
	X(FILTERED, "filtered") /* from somebody that the client has not sent to */ \
	X(TOO_LARGE, "too large") /* for one datagram on the other side */ \
	X(RATE, "rate") /* over the rate of an account for longer than it may wait */ \
	X(UNSENT, "unsent") /* no socket, no route or no room in it */

enum datagram_drop {
#define DATAGRAM_DROP(name, words) DROP_##name,
	DATAGRAM_DROP_LIST(DATAGRAM_DROP)
#undef DATAGRAM_DROP
	DATAGRAM_DROPS,
};
/* clang-format on */

const char *datagram_drop_words(enum datagram_drop drop);

/* Datagrams of associations that got through, to targets and to clients, and those that did not. */
struct datagram_counts {
	uint64_t sent;
	uint64_t received;
	uint64_t dropped[DATAGRAM_DROPS];
};

/* Was something asked for, of a target or of the server itself, and granted? */
enum session_outcome { SESSION_FAILED, SESSION_SUCCEEDED, SESSION_OUTCOMES };

/* "fail", "success". */
const char *session_outcome_word(enum session_outcome outcome);

struct stats {
	int64_t started; /* clock_ms() */
	int64_t started_at; /* the same in seconds since 1970 */
	_Atomic(uint64_t) sessions;
	_Atomic(uint64_t) current;
	_Atomic(uint64_t) most; /* the largest `current` there was */
	_Atomic(uint64_t) succeeded; /* requests that were granted, and not */
	_Atomic(uint64_t) failed;
	_Atomic(uint64_t) ended[SESSION_OUTCOMES][END_REASONS];
	_Atomic(uint64_t) longest_session_ms;
	struct histogram session_times; /* of sessions that ended */
	struct histogram lookup_times; /* of names */
	struct histogram connect_times; /* of connections that came about */
	_Atomic(uint64_t) clients_refused; /* by the rule `clients` */
	_Atomic(uint64_t) clients_over_share; /* by max_sessions_per_client */
	_Atomic(uint64_t) clients_banned; /* connections of those who were */
	_Atomic(uint64_t) accept_exhausted; /* pauses because accept(2) failed */
	_Atomic(uint64_t) saturated; /* times that the last idle worker was taken */
	struct login_counts logins;
	_Atomic(uint64_t) peers_refused; /* that came to BIND from elsewhere */
	_Atomic(uint64_t) datagrams_sent;
	_Atomic(uint64_t) datagrams_received;
	_Atomic(uint64_t) datagrams_dropped[DATAGRAM_DROPS];
};

void stats_init(struct stats *s);

/* Adds `n` to one of the counters above. */
void stats_add(_Atomic(uint64_t) *counter, uint64_t n);

uint64_t stats_get(const _Atomic(uint64_t) *counter);

/* Adds what an association has counted since it did so last. */
void stats_add_datagrams(struct stats *s, const struct datagram_counts *counts);

void stats_session_begins(struct stats *s);

/* What became of a session. */
struct stats_outcome {
	enum end_reason reason;
	enum session_outcome outcome;
	bool was_asked; /* there was a request */
	bool was_served; /* and it was granted */
	int64_t total_ms;
	int64_t lookup_ms; /* -1: nothing was looked up */
	int64_t connect_ms; /* -1: not connected */
};

void stats_session_ends(struct stats *s, const struct stats_outcome *outcome);

/* How many ended for this reason. */
uint64_t stats_ended(const struct stats *s, enum end_reason reason);

#endif
