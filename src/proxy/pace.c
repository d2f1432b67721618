/*
 * Who takes turns takes a chunk from the buckets before it is written, and waits in the session's
 * own poll(2) for its time. A time is only as good as what was known when it was asked for, so
 * nobody waits for more than TURN_MS without asking again; that is how a rate that is raised
 * reaches who waits. Where many wait one of them asks soon in any case, and what a rate has more
 * than was known is his: there each may wait for a whole round, since wakes are what a rate costs.
 * A chunk is worth a pipe from SPLICED_LEAST on.
 *
 * Where the share is large the kernel paces what is spliced, and sends a few packets at a time
 * without waking anybody; the session wakes when little is left in the socket. What has gone is
 * what was written less what the socket still has. Since the kernel is told a rate for each
 * connection, that is this session's share, and each time it settles it is told the present one.
 * Where shares are so small that a packet of the kernel's would be a longer pause than a chunk, and
 * many small packets more work than a few large ones, streams take turns.
 */
#include "proxy/pace.h"

#include <string.h>

#include "base/clock.h"
#include "net/socket.h"
#include "state/ledger_limits.h"

#define TURN_MS 220 /* for which one waits at most without asking again */
#define PAUSE_MS 100 /* the same, of one whom the kernel paces */
#define SPLICED_FROM (256 * 1024) /* bytes that are copied first */
#define SHARE_SMOOTH 1600000 /* bytes a second, of which the kernel's 64 KiB are 40 ms */
#define SPLICED_LEAST 16384 /* bytes of a chunk that are worth a pipe */
#define MANY 4 /* streams */
#define READ_LEAST 65536 /* bytes that are read at once for some chunks */
#define SETTLE_LEAST_MS 40 /* between two times */
#define SETTLE_MOST_MS 125 /* while it moves */
#define AHEAD_PARTS 8 /* of a second's bytes may wait in the socket */
#define AHEAD_LEAST 16384
#define QUEUE_LEAST 4096 /* bytes of datagrams that may wait */
#define CHUNK_MOST (16 * 1024 * 1024)

/* ---- which limits there are ---- */

/* rate_total counts a session for its user, and for its client where nobody has logged in. */
static bool is_counted(const struct pace *p, int account)
{
	return account == PACE_USER || p->accounts->entries[PACE_USER] == NULL;
}

/* Is the account in that group, of users or of clients? */
static bool is_member(const struct pace *p, int account, const struct config *c, const char *groups,
	const char *name)
{
	const struct asker *a = p->accounts->asker;
	const struct client_group *of_clients;

	if (account == PACE_USER)
		return limits_in_group(groups, name, strlen(name));
	of_clients = client_groups_find(&c->settings.client_groups, name, strlen(name));
	return of_clients != NULL && client_group_contains(of_clients, a->client);
}

/* Which of the groups that have a rate by the configuration in force is the account in? Not inline:
 * see judge_with_groups() in target.c. */
__attribute__((noinline)) static uint64_t find_groups(
	const struct pace *p, int account, const struct config *c)
{
	const struct group_rates *list = &c->settings.group_rates;
	char groups[LEDGER_GROUPS_MAX] = "";
	uint64_t found = 0;

	if (list->count > 0 && account == PACE_USER)
		(void)ledger_groups(p->accounts->entries[account], groups);
	for (size_t i = 0; i < list->count; i++) {
		if (is_member(p, account, c, groups, list->groups[i].name))
			found |= UINT64_C(1) << i;
	}
	return found;
}

/* Sees to it that the throttle knows its groups; a session knows whose it is, the others do not. */
static void see_to_groups(struct pace *p, int account, struct throttle *t)
{
	struct config_store *configs = p->accounts->asker->configs;
	struct config *c;

	if (configs == NULL || throttle_known_by(t) == config_generation(configs) + 1)
		return;
	c = config_get(configs);
	throttle_set_groups(t, find_groups(p, account, c), c->generation + 1);
	config_release(c);
}

static void enter_accounts(struct pace *p)
{
	for (int i = 0; i < PACE_ACCOUNTS; i++) {
		struct ledger_entry *e = p->accounts->entries[i];
		struct throttle *t;

		if (e == NULL)
			continue;
		t = ledger_throttle(e);
		if (t == NULL)
			continue;
		if (p->accounts->asker != NULL)
			see_to_groups(p, i, t);
		if (p->streams[i].throttle == NULL)
			throttle_enter(&p->streams[i], t, p->direction, is_counted(p, i));
	}
}

static bool is_limited(const struct pace *p)
{
	for (int i = 0; i < PACE_ACCOUNTS; i++) {
		const struct throttle_stream *s = &p->streams[i];

		if (s->throttle != NULL && throttle_is_on(s))
			return true;
	}
	return false;
}

void pace_init(
	struct pace *p, const struct pace_accounts *accounts, enum traffic_direction d, int fd)
{
	*p = (struct pace){.accounts = accounts, .direction = d, .fd = fd};
}

/* ---- in all buckets of both accounts ---- */

#define EACH_STREAM(p, s)                                                                          \
	for (struct throttle_stream * (s) = (p)->streams; (s) < (p)->streams + PACE_ACCOUNTS;      \
		(s)++)                                                                             \
		if ((s)->throttle != NULL)

static void take_of_all(struct pace *p, size_t bytes, int64_t now)
{
	EACH_STREAM (p, s)
		throttle_take(s, bytes, now);
}

static void give_back_to_all(struct pace *p, size_t bytes, int64_t now)
{
	if (bytes == 0)
		return;
	EACH_STREAM (p, s)
		throttle_give_back(s, bytes, now);
}

static int64_t when_of_all(struct pace *p, int64_t now)
{
	int64_t last = now;

	EACH_STREAM (p, s) {
		int64_t when = throttle_when(s, now);

		last = when > last ? when : last;
	}
	return last;
}

static size_t chunk_of_all(struct pace *p)
{
	size_t least = CHUNK_MOST;

	EACH_STREAM (p, s) {
		size_t chunk = throttle_chunk(s);

		least = chunk < least ? chunk : least;
	}
	return least;
}

static void begin_in_all(struct pace *p, int64_t now)
{
	if (p->is_active)
		return;
	p->is_active = true;
	EACH_STREAM (p, s)
		throttle_begin(s, now);
}

static void end_in_all(struct pace *p, int64_t now)
{
	if (!p->is_active)
		return;
	p->is_active = false;
	EACH_STREAM (p, s)
		throttle_end(s, now);
}

/* Have at least so many streams something to move, itself included? */
static bool has_company(struct pace *p, size_t least)
{
	size_t most = 0;

	EACH_STREAM (p, s) {
		size_t active = throttle_active(s);

		most = active > most ? active : most;
	}
	return most >= least;
}

/* ---- paced by the kernel ---- */

/* Is it to go on so at this rate? */
static bool is_worth_pacing(uint64_t rate)
{
	return rate >= SHARE_SMOOTH / 2;
}

static void tell_kernel(struct pace *p, uint64_t rate)
{
	size_t ahead =
		rate / AHEAD_PARTS < AHEAD_LEAST ? AHEAD_LEAST : (size_t)(rate / AHEAD_PARTS);
	uint64_t change = rate > p->rate ? rate - p->rate : p->rate - rate;

	/* A little is not worth the calls: what it comes to is made up for later. */
	if (rate == p->rate || (rate != 0 && change < p->rate / 32))
		return;
	p->rate = rate;
	p->ahead = rate == 0 ? SIZE_MAX : ahead;
	socket_pace(p->fd, rate, rate == 0 ? 0 : ahead);
}

/* What has gone since that was reckoned last. */
static uint64_t newly_gone(struct pace *p)
{
	size_t waiting = socket_unacknowledged(p->fd);
	uint64_t gone = p->written > waiting ? p->written - waiting : 0;
	uint64_t news = gone > p->settled ? gone - p->settled : 0;

	p->settled += news;
	return news;
}

/* Reckons `news` bytes. Returns its share. */
static uint64_t settle_in_all(struct pace *p, uint64_t news, int64_t now)
{
	int64_t elapsed = now - p->settled_at;
	uint64_t share = UINT64_MAX;

	EACH_STREAM (p, s) {
		uint64_t part = throttle_settle(s, news, elapsed, now);

		share = part < share ? part : share;
	}
	p->settled_at = now;
	return share;
}

/* Smoothed over some settlings, since what is acknowledged comes in lumps. */
static void note_used(struct pace *p, uint64_t share, uint64_t news, int64_t elapsed)
{
	uint64_t used = elapsed > 0 ? news * 1000 / (uint64_t)elapsed : share;

	p->used = p->check_at == 0 ? share : (3 * p->used + used) / 4;
}

/* Goes on at its share. Others have what it does not want of that: where it had nothing more to
 * write, or its receiver takes far less, it is expected to use a fourth more than lately. */
static void go_at(struct pace *p, uint64_t share, int64_t now)
{
	bool is_hungry = p->has_more && p->used >= share / 2;
	uint64_t modest = p->used + p->used / 4 + 1; /* without any drain it would take turns */
	uint64_t drain = is_hungry || modest > share ? share : modest;

	/* Else it is about to take turns; and at such a rate the pause behind the kernel's next
	 * packets, which nothing shortens, would hold up what comes behind them. */
	if (is_worth_pacing(share))
		tell_kernel(p, share);
	else
		p->rate = share;
	if (drain == share)
		drain = p->rate;
	EACH_STREAM (p, s)
		throttle_drain(s, drain, now);
	p->has_more = false;
}

/* False: it owes so much that it had better pause. */
static bool settle(struct pace *p, int64_t now)
{
	int64_t elapsed = now - p->settled_at;
	uint64_t news, share;

	if (p->check_at != 0 && elapsed < SETTLE_LEAST_MS)
		return true;
	news = newly_gone(p);
	share = settle_in_all(p, news, now);
	note_used(p, share, news, elapsed);
	p->has_more |= p->check_at == 0;
	p->check_at = now + SETTLE_MOST_MS;
	if (share == 0) {
		p->until = now + PAUSE_MS;
		return false;
	}
	go_at(p, share, now);
	return true;
}

/* What is in the socket already was reckoned when it was copied. */
static void begin_pacing(struct pace *p, int64_t now)
{
	p->is_paced = true;
	p->written = p->settled = socket_unacknowledged(p->fd);
	p->settled_at = now;
	p->rate = 0;
	give_back_to_all(p, p->taken + p->allowance, now);
	p->taken = p->allowance = 0;
}

/* What is still in the socket goes sooner or later. */
static void end_pacing(struct pace *p, int64_t now)
{
	if (!p->is_paced)
		return;
	(void)settle_in_all(p, p->written - p->settled, now);
	EACH_STREAM (p, s)
		throttle_drain(s, 0, now);
	tell_kernel(p, 0);
	p->is_paced = false;
	p->check_at = 0;
}

/* It has settled and has nothing to write: it drains no more when the socket has nothing either. */
static void see_whether_paced_rests(struct pace *p, size_t held, int64_t now)
{
	if (held > 0 || p->written > p->settled)
		return;
	p->check_at = 0;
	end_in_all(p, now);
}

/* What may be written while no more than `ahead` is to wait in the socket; what is on a long way
 * does not wait there. Where that is next to nothing, it waits until half has gone: a wake-up costs
 * the same whatever it carries. */
static size_t room_ahead(struct pace *p, size_t held, int64_t now)
{
	size_t waiting = socket_unsent(p->fd);
	size_t room = p->ahead > waiting ? p->ahead - waiting : 0;

	p->has_more |= held > room;
	if (room >= held || room >= p->ahead / 4 || p->rate == 0)
		return held < room ? held : room;
	p->until = now + 1 + (int64_t)((waiting - p->ahead / 2) * 1000 / p->rate);
	if (p->until > now + PAUSE_MS)
		p->until = now + PAUSE_MS;
	return 0;
}

static size_t allow_paced(struct pace *p, size_t held, int64_t now)
{
	if (!p->is_paced)
		begin_pacing(p, now);
	if (!p->is_active)
		p->settled_at = now;
	begin_in_all(p, now);
	return settle(p, now) ? room_ahead(p, held, now) : 0;
}

/* Its turns come first to an end. */
static bool is_for_kernel(struct pace *p, int64_t now)
{
	if (p->is_paced)
		return p->rate == 0 || is_worth_pacing(p->rate);
	return p->taken == 0 && p->allowance == 0 && settle_in_all(p, 0, now) >= SHARE_SMOOTH;
}

/* ---- taking turns ---- */

static void take_chunk(struct pace *p, size_t held, bool is_flood, int64_t now)
{
	p->chunk = chunk_of_all(p);
	p->taken = is_flood || held > p->chunk ? p->chunk : held;
	take_of_all(p, p->taken, now);
}

/* Its turn is what a turn is now: what it took when the rate was far higher would be too much. */
static void have_turn(struct pace *p, int64_t now)
{
	size_t chunk = chunk_of_all(p);

	if (p->taken / 2 > chunk) {
		give_back_to_all(p, p->taken - chunk, now);
		p->taken = chunk;
	}
	p->allowance = p->taken;
	p->taken = 0;
}

static int64_t latest_to_ask(struct pace *p, int64_t when, int64_t now)
{
	if (when > now + TURN_MS)
		return clock_earlier(when, now + (has_company(p, MANY) ? 2 : 1) * TURN_MS);
	return when;
}

static size_t allow_turn(struct pace *p, size_t held, bool is_flood, int64_t now)
{
	int64_t when;

	end_pacing(p, now);
	begin_in_all(p, now);
	if (p->allowance == 0) {
		if (p->taken == 0)
			take_chunk(p, held, is_flood, now);
		when = when_of_all(p, now);
		if (when > now) {
			p->until = latest_to_ask(p, when, now);
			return 0;
		}
		have_turn(p, now);
	}
	return held < p->allowance ? held : p->allowance;
}

/* ---- the whole ---- */

size_t pace_reads(const struct pace *p, size_t room)
{
	size_t most = 2 * p->chunk > READ_LEAST ? 2 * p->chunk : READ_LEAST;
	size_t reads = room < most ? room : most;

	if (!p->is_on || p->is_paced || p->chunk == 0)
		return room;
	return reads > p->chunk ? reads - reads % p->chunk : reads;
}

size_t pace_allow(struct pace *p, size_t held, bool is_spliced, bool is_flood)
{
	int64_t now;

	if (p->until != 0)
		return 0;
	now = clock_ms();
	return is_spliced && is_for_kernel(p, now) ? allow_paced(p, held, now)
						   : allow_turn(p, held, is_flood, now);
}

void pace_spend(struct pace *p, size_t bytes)
{
	p->moved += bytes;
	if (p->is_paced)
		p->written += bytes;
	else
		p->allowance -= bytes;
}

/* Gives back what it has and is not active any more. */
static void let_go_of_all(struct pace *p)
{
	int64_t now = clock_ms();

	end_pacing(p, now);
	give_back_to_all(p, p->taken + p->allowance, now);
	p->taken = p->allowance = 0;
	p->until = 0;
	end_in_all(p, now);
}

void pace_rest(struct pace *p)
{
	if (p->is_active && !p->is_paced)
		let_go_of_all(p);
}

bool pace_may_splice(struct pace *p, bool is_spliced)
{
	if (!p->is_on || (p->is_paced && is_worth_pacing(p->rate)))
		return true;
	if (p->fd < 0 || p->moved < SPLICED_FROM)
		return false;
	return chunk_of_all(p) >= (is_spliced ? SPLICED_LEAST / 2 : SPLICED_LEAST);
}

int64_t pace_deadline(const struct pace *p)
{
	int64_t until = p->until != 0 ? p->until : CLOCK_NEVER;

	return p->check_at != 0 ? clock_earlier(until, p->check_at) : until;
}

/* Its time has come, to go on or to settle. */
static bool is_due(struct pace *p, size_t held)
{
	int64_t now;

	if (p->until == 0 && p->check_at == 0)
		return false;
	now = clock_ms();
	if (now < pace_deadline(p))
		return false;
	p->until = 0;
	if (p->is_paced && now >= p->check_at && settle(p, now))
		see_whether_paced_rests(p, held, now);
	return true;
}

bool pace_look(struct pace *p, size_t held)
{
	if (p->accounts == NULL)
		return false;
	enter_accounts(p);
	if (is_limited(p)) {
		p->is_on = true;
		return is_due(p, held);
	}
	if (p->is_on) {
		let_go_of_all(p);
		p->is_on = false;
		p->moved = 0;
		return true;
	}
	return false;
}

/* Where others are, it is not to be ahead of them by more than a few turns. */
static size_t queue_of(struct pace *p)
{
	size_t turns;

	if (!has_company(p, 2))
		return SIZE_MAX;
	turns = 2 * chunk_of_all(p);
	return turns > QUEUE_LEAST ? turns : QUEUE_LEAST;
}

static bool owes_nothing(struct pace *p, int64_t now)
{
	take_of_all(p, 0, now);
	return when_of_all(p, now) == now;
}

static bool has_turn(struct pace *p, int64_t now)
{
	bool all = true;

	EACH_STREAM (p, s)
		all &= throttle_has_turn(s, now);
	return all;
}

static void end_turn(struct pace *p, int64_t next)
{
	EACH_STREAM (p, s)
		throttle_end_turn(s, next);
}

int64_t pace_admit(struct pace *p, size_t bytes, size_t waiting, int64_t most, int64_t now)
{
	int64_t when;

	begin_in_all(p, now);
	if (waiting > 0 && waiting + bytes > queue_of(p))
		return -1;
	take_of_all(p, bytes, now);
	when = when_of_all(p, now);
	if (when - now <= most)
		return when - now;
	give_back_to_all(p, bytes, now);
	/* At a low rate a large one would never go: alone it does, and those behind it pay. Beside
	 * streams, which owe something at all times, it has a turn now and then. */
	if (waiting > 0 || !(owes_nothing(p, now) || has_turn(p, now)))
		return -1;
	take_of_all(p, bytes, now);
	end_turn(p, when_of_all(p, now));
	return 0;
}

void pace_give_back(struct pace *p, size_t bytes, int64_t now)
{
	give_back_to_all(p, bytes, now);
}

void pace_end(struct pace *p)
{
	int64_t now;

	if (p->is_on)
		let_go_of_all(p);
	p->is_on = false;
	p->accounts = NULL;
	now = clock_ms();
	EACH_STREAM (p, s)
		throttle_leave(s, now);
}
