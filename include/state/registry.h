/* registry: the live sessions, a slot for each worker, so that others can see and end them. A mutex
 * a slot guards its strings and the fact that its descriptors are still open. */
#ifndef STATE_REGISTRY_H
#define STATE_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/access_log.h"
#include "state/end_reason.h"
#include "state/traffic.h"
#include "state/upstream_line.h"
#include "state/users.h"
#include "wire/request.h"

/* How far a session has come, for those who look from outside: the one list, with the words in
 * CONNECTIONS. */
/* clang-format off */
#define SESSION_PHASE_LIST(X) \
	X(GREETING, "GREETING") \
	X(LOGIN, "LOGIN") \
	X(REQUEST, "REQUEST") \
	X(CONNECT, "CONNECT") /* name lookup included */ \
	X(RELAY, "RELAY") \
	X(UDP, "RELAY") /* an association; PHASE_RELAY is for streams */ \
	X(CLOSING, "CLOSING")

enum session_phase {
#define SESSION_PHASE(name, word) PHASE_##name,
	SESSION_PHASE_LIST(SESSION_PHASE)
#undef SESSION_PHASE
	SESSION_PHASES,
};
/* clang-format on */

const char *session_phase_word(enum session_phase phase);

struct registry;

/* NULL without memory. */
struct registry *registry_new(size_t slots);
void registry_free(struct registry *r);

/* The place of one worker's sessions, one after the other. */
struct registry_slot;

/* The one at `index`, valid as long as the registry. */
struct registry_slot *registry_slot_at(struct registry *r, size_t index);

/* ---- for the slot's worker ---- */

/* Its worker has got a client now, or is done with the one it had: the calls take turns. */
void registry_turn(struct registry_slot *s);

/* A session begins in the slot with the client's socket. Returns its id, which is never used again;
 * the first is 1. */
uint64_t registry_enter(struct registry_slot *s, int client, const struct addr *addr);

/* The session's client is another one than who has connected. */
void registry_set_client(struct registry_slot *s, const struct addr *addr);

/* What the session has written before this is seen by whoever sees the phase. That of a relay is
 * published before the relay looks at the idle times, in one order with those (struct idle_limits).
 */
void registry_set_phase(struct registry_slot *s, enum session_phase phase);

/* The session's user has logged in; the name stays the session's and must live until
 * registry_leave(). */
void registry_set_user(struct registry_slot *s, const char *user, size_t len);

/* The session was asked for `command` and `target` (host:port, one word), static or living until
 * registry_leave(). */
void registry_set_request(struct registry_slot *s, const char *command, const char *target);

/* It waits for an answer, or for the rest of one, whose client it owes a word about what becomes of
 * that: being ended as idle takes the target from it, and leaves it the client. Not so at first. */
void registry_set_awaiting(struct registry_slot *s, bool awaits_answer);

/* It goes through the upstream of this name, which lives as long as the strings of the request. */
void registry_set_upstream(struct registry_slot *s, const char *upstream);

/* How many sessions of this one's user from the client run, this one included: of several that ask
 * at once each is told another number. Those that are served and never asked count, too. */
size_t registry_take_turn(struct registry_slot *s, const struct network *client);

/* The session has connected to its target. */
void registry_set_target(struct registry_slot *s, int target, const struct addr *addr);

/* The slot's counters, for its worker to write. */
struct traffic *registry_traffic(struct registry_slot *s);

/* Becomes true when the session is told to end. */
const _Atomic(bool) *registry_told(struct registry_slot *s);

/* Why the session was told to end; END_REASONS when it was not. */
enum end_reason registry_told_why(struct registry_slot *s);

#define REGISTRY_RULE_MAX 24

/* Where that is END_RULE_CHANGED: by which rule. Else `out` stays as it is. */
void registry_told_rule(struct registry_slot *s, char out[REGISTRY_RULE_MAX]);

/* The session ends; afterwards its worker may close the descriptors. */
void registry_leave(struct registry_slot *s);

/* ---- for others ---- */

struct session_ref {
	uint64_t id;
	size_t slot;
};

/* All live sessions, by id; to be freed. NULL without memory. */
struct session_ref *registry_list(struct registry *r, size_t *count);

#define REGISTRY_UPSTREAM_MAX (UPSTREAM_NAME_MAX + 1)

struct session_info {
	uint64_t id;
	enum session_phase phase;
	struct addr client;
	struct addr address; /* of the target; AF_UNSPEC until connected */
	const char *command; /* static; NULL: nothing was asked for yet */
	size_t user_len; /* 0: none */
	char user[USERS_NAME_MAX];
	char target[ACCESS_TARGET_MAX]; /* "" like `command` */
	char upstream[REGISTRY_UPSTREAM_MAX]; /* "": straight */
	int64_t age_ms;
	int64_t idle_ms;
	struct traffic_figures traffic;
};

/* A copy of what is known of a session; false when it has ended. */
bool registry_get(struct registry *r, const struct session_ref *ref, struct session_info *out);

/* How many sessions there are by what they were asked for; those that were not asked yet are
 * REQUEST_NONE. */
void registry_count_commands(struct registry *r, size_t counts[REQUEST_COMMANDS]);

/* Bytes moved by all sessions since the start, the live ones included. */
void registry_totals(struct registry *r, uint64_t *sent, uint64_t *received);

size_t registry_size(const struct registry *r);

/* What tells whether the worker of a slot gets on. Without the slot's lock: a phase may be that of
 * the session before. */
struct registry_pulse {
	uint64_t turns; /* another number with each client */
	bool has_client;
	enum session_phase phase;
	int64_t last_active; /* clock_ms() */
};

struct registry_pulse registry_pulse(const struct registry *r, size_t index);

/* Has every worker ring `alarm`, which outlives them. Before there are sessions. */
void registry_set_alarm(struct registry *r, struct traffic_alarm *alarm);

/* The same with the alarm for the marks of accounts. */
void registry_set_mark_alarm(struct registry *r, struct traffic_alarm *alarm);

/* Tells the session `id` to end for `reason` and breaks its connections off, which wakes its
 * worker. False when there is none. */
bool registry_end(struct registry *r, uint64_t id, enum end_reason reason);

/* The same with the session that `ref` is of, unless it was told to end already or is closing. */
bool registry_end_live(struct registry *r, const struct session_ref *ref, enum end_reason reason);

/* Likewise, as that rule (its word) refuses it by now: END_RULE_CHANGED. */
bool registry_end_by_rule(struct registry *r, const struct session_ref *ref, const char *rule);

/* The same with all sessions of a user but those that are closing; NULL: of those who did not log
 * in. The number of them. */
size_t registry_end_user(struct registry *r, const char *user, size_t len, enum end_reason reason);

/* The same with all sessions of the clients in a network, which may be a single address. */
size_t registry_end_client(
	struct registry *r, const struct network *client, enum end_reason reason);

/* Whose sessions are meant: those of the clients in a network, or (NULL) of a user, or of nobody
 * (of a length of 0). */
struct session_owner {
	const struct network *client;
	bool is_anonymous; /* of the client's those without a login only */
	const char *user;
	size_t user_len;
};

/* The same with those of them that have been admitted (ledger_admit()), as far as their phase
 * tells: CONNECT and later. The others are to hear from there why they may not go on. */
size_t registry_end_admitted(
	struct registry *r, const struct session_owner *owner, enum end_reason reason);

/* Ends the sessions with an id up to `last` whose relay has been idle at the time `now` for longer
 * than it may be, with one side finished or not. Returns when the next could be (clock.h),
 * CLOCK_NEVER when there are no such sessions any more. */
int64_t registry_end_idle(struct registry *r, uint64_t last, int64_t timeout,
	int64_t half_close_timeout, int64_t now);

/* The id of the newest session. */
uint64_t registry_last_id(struct registry *r);

/* Tells all sessions, those to come included, to end because the server stops. */
void registry_stop_all(struct registry *r);

#endif
