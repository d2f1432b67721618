/*
 * A slot is one worker's for good, so a session finds its place without a search, and its lock is
 * waited for only while somebody looks at that very slot. Whoever ends a session from outside
 * shuts its sockets down under that lock: without it the worker could close them meanwhile, and the
 * number belong to somebody else. Ids are never used again, so that who comes back with one finds
 * that session or none.
 */
#include "state/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "net/socket.h"

static const char *const phase_words[SESSION_PHASES] = {
#define SESSION_PHASE(name, word) [PHASE_##name] = (word),
	SESSION_PHASE_LIST(SESSION_PHASE)
#undef SESSION_PHASE
};

const char *session_phase_word(enum session_phase phase)
{
	return phase_words[phase];
}

struct registry_slot {
	struct registry *registry;
	struct mutex lock; /* all but the atomics */
	uint64_t id; /* 0: no session */
	int client; /* -1: no session */
	int target; /* -1: not connected yet */
	enum end_reason why; /* it was told to end; END_REASONS: it was not */
	int64_t begun;
	struct addr client_addr;
	struct addr address;
	const char *user;
	size_t user_len;
	const char *command;
	const char *wanted;
	const char *upstream;
	_Atomic(bool) told;
	bool awaits_answer;
	_Atomic(int) phase;
	_Atomic(uint64_t) turns; /* odd: its worker has a client */
	uint64_t turn; /* registry_take_turn(); 0: none */
	char rule[REGISTRY_RULE_MAX]; /* that it was told to end for; only where it was */
	struct traffic traffic;
};

struct registry {
	size_t count;
	struct registry_slot *slots;
	_Atomic(uint64_t) last_id;
	_Atomic(uint64_t) last_turn;
	_Atomic(bool) stopping;
};

struct registry *registry_new(size_t slots)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->slots = calloc(slots, sizeof(*r->slots));
	if (r->slots == NULL) {
		free(r);
		return NULL;
	}
	r->count = slots;
	for (size_t i = 0; i < slots; i++) {
		mutex_init(&r->slots[i].lock);
		r->slots[i].registry = r;
		r->slots[i].client = r->slots[i].target = -1;
	}
	return r;
}

void registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++)
		mutex_destroy(&r->slots[i].lock);
	free(r->slots);
	free(r);
}

static void close_both_locked(struct registry_slot *s, void (*closing)(int fd)) REQUIRES(&s->lock)
{
	if (s->client >= 0)
		closing(s->client);
	if (s->target >= 0)
		closing(s->target);
}

/* A session that is over by its own rules ends as it would by itself; one that is cut short must
 * not look to its peers as if all had been said. What is said to a client whose answer did not come
 * in time, or not to its end, is its worker's to know, which loses the target and so wakes. */
static void tell_locked(struct registry_slot *s, enum end_reason why) REQUIRES(&s->lock)
{
	s->why = why;
	atomic_store(&s->told, true);
	if (!end_reason_is_idle(why))
		close_both_locked(s, socket_abort);
	else if (s->awaits_answer && s->target >= 0)
		socket_abort(s->target);
	else
		close_both_locked(s, socket_shutdown);
}

/* ---- the slot's worker ---- */

struct registry_slot *registry_slot_at(struct registry *r, size_t index)
{
	return &r->slots[index];
}

void registry_turn(struct registry_slot *s)
{
	uint64_t turns = atomic_load_explicit(&s->turns, memory_order_relaxed);

	atomic_store_explicit(&s->turns, turns + 1, memory_order_release);
}

uint64_t registry_enter(struct registry_slot *s, int client, const struct addr *addr)
{
	uint64_t id = atomic_fetch_add(&s->registry->last_id, 1) + 1;
	int64_t now = clock_ms();

	mutex_lock(&s->lock);
	s->id = id;
	s->client = client;
	s->target = -1;
	s->why = END_REASONS;
	s->begun = now;
	s->client_addr = *addr;
	s->address.sa.sa_family = AF_UNSPEC;
	s->user_len = 0;
	s->turn = 0;
	s->user = s->command = s->wanted = s->upstream = NULL;
	s->awaits_answer = false;
	atomic_store(&s->told, false);
	atomic_store(&s->phase, PHASE_GREETING);
	traffic_begin(&s->traffic, now);
	if (atomic_load(&s->registry->stopping))
		tell_locked(s, END_STOPPED);
	mutex_unlock(&s->lock);
	return id;
}

void registry_set_client(struct registry_slot *s, const struct addr *addr)
{
	mutex_lock(&s->lock);
	s->client_addr = *addr;
	mutex_unlock(&s->lock);
}

/* Whoever ends a session looks at the phase under the lock, and breaks it off there: so that is
 * over before the session is closing, or does not come at all. */
void registry_set_phase(struct registry_slot *s, enum session_phase phase)
{
	if (phase != PHASE_CLOSING) {
		atomic_store(&s->phase, (int)phase);
		return;
	}
	mutex_lock(&s->lock);
	atomic_store(&s->phase, PHASE_CLOSING);
	mutex_unlock(&s->lock);
}

void registry_set_user(struct registry_slot *s, const char *user, size_t len)
{
	mutex_lock(&s->lock);
	s->user = user;
	s->user_len = len;
	mutex_unlock(&s->lock);
}

void registry_set_request(struct registry_slot *s, const char *command, const char *target)
{
	mutex_lock(&s->lock);
	s->command = command;
	s->wanted = target;
	mutex_unlock(&s->lock);
}

void registry_set_upstream(struct registry_slot *s, const char *upstream)
{
	mutex_lock(&s->lock);
	s->upstream = upstream;
	mutex_unlock(&s->lock);
}

void registry_set_awaiting(struct registry_slot *s, bool awaits_answer)
{
	mutex_lock(&s->lock);
	s->awaits_answer = awaits_answer;
	mutex_unlock(&s->lock);
}

void registry_set_target(struct registry_slot *s, int target, const struct addr *addr)
{
	mutex_lock(&s->lock);
	s->target = target;
	s->address = *addr;
	if (s->why != END_REASONS)
		tell_locked(s, s->why);
	mutex_unlock(&s->lock);
}

/* Is it a session of the same user from the client, and had it its turn before, or never needed
 * one?
 */
static bool was_before_locked(const struct registry_slot *other, const struct registry_slot *s,
	uint64_t turn, const struct network *client) REQUIRES(&other->lock)
{
	if (other->id == 0 || other->user_len != s->user_len ||
		memcmp(other->user, s->user, s->user_len) != 0)
		return false;
	if (other->turn != 0 ? other->turn > turn : atomic_load(&other->phase) < PHASE_CONNECT)
		return false;
	return network_contains_on_link(client, &other->client_addr);
}

/* Turns are given out under the lock of the slot that gets one: whoever looks at a slot later sees
 * every turn there that came before his own. */
size_t registry_take_turn(struct registry_slot *s, const struct network *client)
{
	struct registry *r = s->registry;
	size_t before = 1;
	uint64_t turn;

	mutex_lock(&s->lock);
	turn = s->turn = atomic_fetch_add(&r->last_turn, 1) + 1;
	mutex_unlock(&s->lock);
	for (size_t i = 0; i < r->count; i++) {
		struct registry_slot *other = &r->slots[i];
		int phase = atomic_load(&other->phase);

		/* Free slots are not worth their lock. */
		if (other == s || phase < PHASE_REQUEST || phase == PHASE_CLOSING)
			continue;
		mutex_lock(&other->lock);
		before += was_before_locked(other, s, turn, client) ? 1 : 0;
		mutex_unlock(&other->lock);
	}
	return before;
}

struct traffic *registry_traffic(struct registry_slot *s)
{
	return &s->traffic;
}

const _Atomic(bool) *registry_told(struct registry_slot *s)
{
	return &s->told;
}

enum end_reason registry_told_why(struct registry_slot *s)
{
	enum end_reason why;

	mutex_lock(&s->lock);
	why = s->why;
	mutex_unlock(&s->lock);
	return why;
}

void registry_told_rule(struct registry_slot *s, char out[REGISTRY_RULE_MAX])
{
	mutex_lock(&s->lock);
	if (s->why == END_RULE_CHANGED)
		memcpy(out, s->rule, REGISTRY_RULE_MAX);
	mutex_unlock(&s->lock);
}

void registry_leave(struct registry_slot *s)
{
	mutex_lock(&s->lock);
	s->id = 0;
	s->client = s->target = -1;
	s->user_len = 0;
	s->user = s->command = s->wanted = s->upstream = NULL;
	mutex_unlock(&s->lock);
	traffic_stir(&s->traffic);
}

/* ---- looking ---- */

static int compare_ids(const void *a, const void *b)
{
	const struct session_ref *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

struct session_ref *registry_list(struct registry *r, size_t *count)
{
	struct session_ref *refs = malloc(r->count * sizeof(*refs));
	size_t n = 0;

	if (refs == NULL)
		return NULL;
	for (size_t i = 0; i < r->count; i++) {
		struct registry_slot *s = &r->slots[i];

		mutex_lock(&s->lock);
		if (s->id != 0)
			refs[n++] = (struct session_ref){.id = s->id, .slot = i};
		mutex_unlock(&s->lock);
	}
	qsort(refs, n, sizeof(*refs), compare_ids);
	*count = n;
	return refs;
}

static void copy_locked(struct registry_slot *s, int64_t now, struct session_info *out)
	REQUIRES(&s->lock)
{
	out->id = s->id;
	out->phase = (enum session_phase)atomic_load(&s->phase);
	out->client = s->client_addr;
	out->address = s->address;
	out->command = s->command;
	out->user_len = s->user_len;
	if (s->user_len > 0)
		memcpy(out->user, s->user, s->user_len);
	strcpy(out->target, s->wanted != NULL ? s->wanted : "");
	strcpy(out->upstream, s->upstream != NULL ? s->upstream : "");
	out->traffic = traffic_read(&s->traffic, now);
	out->age_ms = now - s->begun;
	out->idle_ms = now - out->traffic.last_active;
	/* The worker may have been active since `now` was taken. */
	if (out->idle_ms < 0)
		out->idle_ms = 0;
}

bool registry_get(struct registry *r, const struct session_ref *ref, struct session_info *out)
{
	struct registry_slot *s = &r->slots[ref->slot];
	int64_t now = clock_ms();
	bool alive;

	mutex_lock(&s->lock);
	alive = s->id == ref->id;
	if (alive)
		copy_locked(s, now, out);
	mutex_unlock(&s->lock);
	return alive;
}

void registry_count_commands(struct registry *r, size_t counts[REQUEST_COMMANDS])
{
	memset(counts, 0, REQUEST_COMMANDS * sizeof(*counts));
	for (size_t i = 0; i < r->count; i++) {
		struct registry_slot *s = &r->slots[i];

		mutex_lock(&s->lock);
		if (s->id != 0)
			counts[s->command == NULL ? REQUEST_NONE
						  : request_command_parse(s->command)]++;
		mutex_unlock(&s->lock);
	}
}

void registry_totals(struct registry *r, uint64_t *sent, uint64_t *received)
{
	*sent = *received = 0;
	for (size_t i = 0; i < r->count; i++) {
		const struct traffic *t = &r->slots[i].traffic;

		*sent += atomic_load_explicit(&t->sent, memory_order_relaxed);
		*received += atomic_load_explicit(&t->received, memory_order_relaxed);
	}
}

void registry_set_mark_alarm(struct registry *r, struct traffic_alarm *alarm)
{
	for (size_t i = 0; i < r->count; i++)
		r->slots[i].traffic.mark_alarm = alarm;
}

void registry_set_alarm(struct registry *r, struct traffic_alarm *alarm)
{
	for (size_t i = 0; i < r->count; i++)
		r->slots[i].traffic.alarm = alarm;
}

size_t registry_size(const struct registry *r)
{
	return r->count;
}

struct registry_pulse registry_pulse(const struct registry *r, size_t index)
{
	const struct registry_slot *s = &r->slots[index];
	uint64_t turns = atomic_load_explicit(&s->turns, memory_order_acquire);

	return (struct registry_pulse){.turns = turns,
		.has_client = turns % 2 != 0,
		.phase = (enum session_phase)atomic_load(&s->phase),
		.last_active = atomic_load(&s->traffic.last_active)};
}

/* ---- ending ---- */

bool registry_end(struct registry *r, uint64_t id, enum end_reason reason)
{
	bool found = false;

	for (size_t i = 0; i < r->count && !found && id != 0; i++) {
		struct registry_slot *s = &r->slots[i];

		mutex_lock(&s->lock);
		found = s->id == id;
		if (found)
			tell_locked(s, reason);
		mutex_unlock(&s->lock);
	}
	return found;
}

/* Is it on its way out by itself? Then a reset could only overtake what its client was told. */
static bool is_closing(const struct registry_slot *s)
{
	return atomic_load(&s->phase) == PHASE_CLOSING;
}

/* `rule` NULL: it is none that ends it. */
static bool end_live(
	struct registry *r, const struct session_ref *ref, enum end_reason reason, const char *rule)
{
	struct registry_slot *s = &r->slots[ref->slot];
	bool ends;

	mutex_lock(&s->lock);
	ends = s->id == ref->id && s->why == END_REASONS && !is_closing(s);
	if (ends) {
		if (rule != NULL)
			snprintf(s->rule, sizeof(s->rule), "%s", rule);
		tell_locked(s, reason);
	}
	mutex_unlock(&s->lock);
	return ends;
}

bool registry_end_live(struct registry *r, const struct session_ref *ref, enum end_reason reason)
{
	return end_live(r, ref, reason, NULL);
}

bool registry_end_by_rule(struct registry *r, const struct session_ref *ref, const char *rule)
{
	return end_live(r, ref, END_RULE_CHANGED, rule);
}

static bool is_meant_locked(const struct registry_slot *s, const struct session_owner *w)
	REQUIRES(&s->lock)
{
	if (s->id == 0 || is_closing(s))
		return false;
	if (w->client != NULL)
		return (!w->is_anonymous || s->user_len == 0) &&
			network_contains_on_link(w->client, &s->client_addr);
	return s->user_len == w->user_len &&
		(s->user_len == 0 || memcmp(s->user, w->user, s->user_len) == 0);
}

/* Those that have come as far as `first`. */
static size_t end_all_of(struct registry *r, const struct session_owner *w,
	enum session_phase first, enum end_reason reason)
{
	size_t ended = 0;

	for (size_t i = 0; i < r->count; i++) {
		struct registry_slot *s = &r->slots[i];

		mutex_lock(&s->lock);
		if (is_meant_locked(s, w) && atomic_load(&s->phase) >= (int)first) {
			tell_locked(s, reason);
			ended++;
		}
		mutex_unlock(&s->lock);
	}
	return ended;
}

size_t registry_end_user(struct registry *r, const char *user, size_t len, enum end_reason reason)
{
	const struct session_owner w = {.user = user, .user_len = user == NULL ? 0 : len};

	return end_all_of(r, &w, PHASE_GREETING, reason);
}

size_t registry_end_client(struct registry *r, const struct network *client, enum end_reason reason)
{
	const struct session_owner w = {.client = client};

	return end_all_of(r, &w, PHASE_GREETING, reason);
}

size_t registry_end_admitted(
	struct registry *r, const struct session_owner *owner, enum end_reason reason)
{
	return end_all_of(r, owner, PHASE_CONNECT, reason);
}

/* Ends the session when it is due; returns when it is, or was. The phase is looked at first: the
 * worker writes it behind the time since which its relay counts as idle. */
static int64_t end_if_idle_locked(struct registry_slot *s, int64_t now, int64_t timeout,
	int64_t half_close_timeout) REQUIRES(&s->lock)
{
	struct traffic_figures f;
	int64_t limit, due;

	/* A relay that begins after this sees the present limits itself. */
	if (atomic_load(&s->phase) != PHASE_RELAY)
		return CLOCK_NEVER;
	f = traffic_read(&s->traffic, now);
	limit = f.half_closed ? half_close_timeout : timeout;
	due = f.last_active + limit;
	if (now >= due && s->why == END_REASONS)
		tell_locked(s, f.half_closed ? END_HALF_CLOSED_IDLE : END_IDLE);
	return now >= due ? now + limit : due;
}

int64_t registry_end_idle(
	struct registry *r, uint64_t last, int64_t timeout, int64_t half_close_timeout, int64_t now)
{
	int64_t next = CLOCK_NEVER;

	for (size_t i = 0; i < r->count; i++) {
		struct registry_slot *s = &r->slots[i];
		int64_t due;

		mutex_lock(&s->lock);
		if (s->id != 0 && s->id <= last) {
			due = end_if_idle_locked(s, now, timeout, half_close_timeout);
			if (due < next)
				next = due;
		}
		mutex_unlock(&s->lock);
	}
	return next;
}

uint64_t registry_last_id(struct registry *r)
{
	return atomic_load(&r->last_id);
}

void registry_stop_all(struct registry *r)
{
	atomic_store(&r->stopping, true);
	for (size_t i = 0; i < r->count; i++) {
		struct registry_slot *s = &r->slots[i];

		mutex_lock(&s->lock);
		if (s->id != 0)
			tell_locked(s, END_STOPPED);
		mutex_unlock(&s->lock);
	}
}
