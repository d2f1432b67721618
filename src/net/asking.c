/*
 * A question is asked in rounds. In each the servers are asked one after the other, the next one
 * 400 ms after the one before it, or at once when that failed (SERVFAIL, FORMERR, REFUSED, NOTIMP,
 * nonsense, nobody there), and nobody is given up meanwhile: the first answer that says what there
 * is, or that there is nothing, wins. Who was asked waits 2 s in the first round, 4, 8 and 16 s in
 * those after it, which is connect_timeout as it comes; a round begins when the one before it is
 * over. A server that failed is not asked again; when all have, the question has failed.
 *
 * c-ares 1.18 can do neither: it asks the servers of a channel one after the other, each for its
 * whole time, and takes FORMERR for an answer. So a channel has one server and one try, each ask is
 * an attempt of its own in one of them (attempts.c), and a question has as many as it takes. A
 * server that stays silent while another answers, or until its time is over, is asked last for 30
 * s.
 *
 * Nothing here ends a question that somebody waits for; each session has a deadline. Who joins one
 * that was asked long ago has it begin anew with the first round, what was asked before staying
 * outstanding. When the servers change, all questions begin anew with the new ones.
 *
 * What c-ares' callbacks say is put down, and looked at when c-ares has returned.
 */
#include "net/asking.h"

#include <stdlib.h>

#include "base/clock.h"
#include "net/attempts.h"
#include "net/nameservers.h"

#define HEDGE_MS 400

TAILQ_HEAD(asked_list, asked);

struct asking {
	asking_done *done;
	void *done_arg;
	int64_t now; /* of this call */
	bool is_due; /* there are places to be given up */
	struct nameservers *nameservers;
	struct attempts *attempts;
	struct asked_list active;
	struct asked_list hedges; /* by when another server is due */
};

/* ---- one question ---- */

static void disarm_hedge(struct asking *a, struct asked *q)
{
	if (q->hedge_due != 0)
		TAILQ_REMOVE(&a->hedges, q, hedge_link);
	q->hedge_due = 0;
}

static void arm_hedge(struct asking *a, struct asked *q)
{
	disarm_hedge(a, q);
	q->hedge_due = a->now + HEDGE_MS;
	TAILQ_INSERT_TAIL(&a->hedges, q, hedge_link);
}

/* The next server is asked in the next turn. */
static void ask_soon(struct asking *a, struct asked *q)
{
	disarm_hedge(a, q);
	q->hedge_due = a->now;
	q->last = a->now;
	TAILQ_INSERT_HEAD(&a->hedges, q, hedge_link);
}

static void drop_attempt(struct asking *a, struct attempt *attempt)
{
	LIST_REMOVE(attempt, of_question);
	attempts_release(a->attempts, attempt);
}

static void drop_attempts(struct asking *a, struct asked *q)
{
	while (!LIST_EMPTY(&q->attempts))
		drop_attempt(a, LIST_FIRST(&q->attempts));
}

/* Nothing of it is known here any more. */
static void let_go(struct asking *a, struct asked *q)
{
	drop_attempts(a, q);
	disarm_hedge(a, q);
	TAILQ_REMOVE(&a->active, q, active_link);
}

/* NULL: the servers failed. */
static void finish(struct asking *a, struct asked *q, struct lookup_answer *answer, int64_t ttl_ms)
{
	let_go(a, q);
	a->done(a->done_arg, q, answer, ttl_ms);
}

static uint32_t bit(size_t server)
{
	return (uint32_t)1 << server;
}

static bool begin_attempt(struct asking *a, struct asked *q, size_t server)
{
	char name[NAMESERVERS_NAME_MAX];
	struct attempt_setup setup = {.name = name,
		.family = q->family,
		.server = server,
		.addr = nameservers_addr(a->nameservers, server),
		.round = q->round};
	struct attempt *attempt;

	(void)nameservers_name(a->nameservers, q->name, q->step, name);
	attempt = attempts_begin(a->attempts, &setup);
	if (attempt == NULL)
		return false;
	attempt->question = q;
	attempt->round_id = q->round_id;
	LIST_INSERT_HEAD(&q->attempts, attempt, of_question);
	q->outstanding++;
	q->last = a->now;
	return true;
}

static void begin_round(struct asked *q, unsigned round)
{
	q->round = (uint8_t)(round < ATTEMPT_ROUNDS ? round : ATTEMPT_ROUNDS - 1);
	q->round_id++;
	q->tried = 0;
	q->outstanding = 0;
}

static size_t pick_server(const struct asking *a, const struct asked *q)
{
	return nameservers_pick(a->nameservers, q->tried | q->failed, q->turn, a->now);
}

/* Asks the next server of the round; when all of them were asked and none is awaited, begins the
 * next round. False when no server is left that has not failed. */
static bool ask_next(struct asking *a, struct asked *q)
{
	size_t count = nameservers_count(a->nameservers), server = pick_server(a, q);

	disarm_hedge(a, q);
	if (server == count && q->outstanding == 0) {
		begin_round(q, q->round + 1U);
		server = pick_server(a, q);
	}
	while (server < count) {
		q->tried |= bit(server);
		if (begin_attempt(a, q, server))
			break;
		q->failed |= bit(server);
		server = pick_server(a, q);
	}
	if (pick_server(a, q) < count)
		arm_hedge(a, q);
	return !LIST_EMPTY(&q->attempts);
}

static void go_on(struct asking *a, struct asked *q)
{
	if (!ask_next(a, q))
		finish(a, q, NULL, 0);
}

/* Is to ask for the name at this step of the search. */
static void begin_step(struct asking *a, struct asked *q, size_t step)
{
	drop_attempts(a, q);
	q->step = step;
	q->failed = 0;
	begin_round(q, 0);
	ask_soon(a, q);
}

/* ---- what became of attempts ---- */

/* Another server was faster by more than its head start. */
static void note_losers(struct asking *a, struct asked *q, const struct attempt *winner)
{
	const struct attempt *other;

	for (other = LIST_FIRST(&q->attempts); other != NULL;
		other = LIST_NEXT(other, of_question)) {
		if (other->asked != 0 && other->asked < winner->asked)
			nameservers_note_silence(
				a->nameservers, other->server, other->asked, a->now);
	}
}

static void take_not_found(struct asking *a, struct asked *q)
{
	char name[NAMESERVERS_NAME_MAX];
	struct lookup_answer *answer;

	if (nameservers_name(a->nameservers, q->name, q->step + 1, name)) {
		begin_step(a, q, q->step + 1);
		go_on(a, q);
		return;
	}
	answer = calloc(1, sizeof(*answer));
	if (answer != NULL)
		answer->state = LOOKUP_NOT_FOUND;
	finish(a, q, answer, 0);
}

static void take_answer(struct asking *a, struct asked *q, struct attempt *attempt)
{
	struct lookup_answer *answer = attempt->answer;
	int64_t ttl_ms = attempt->ttl_ms;

	attempt->answer = NULL;
	note_losers(a, q, attempt);
	drop_attempt(a, attempt);
	if (answer == NULL)
		take_not_found(a, q);
	else
		finish(a, q, answer, ttl_ms);
}

static void take_failure(struct asking *a, struct asked *q, struct attempt *attempt)
{
	bool is_current = attempt->round_id == q->round_id;
	bool is_silent = attempt->outcome == DNSCHANNEL_SILENT;

	if (!is_silent)
		q->failed |= bit(attempt->server);
	q->outstanding -= is_current;
	drop_attempt(a, attempt);
	if (q->outstanding == 0 || (is_current && !is_silent))
		go_on(a, q);
}

static void take_outcome(struct asking *a, struct attempt *attempt)
{
	enum dnschannel_outcome outcome = attempt->outcome;

	if (outcome == DNSCHANNEL_SILENT || outcome == DNSCHANNEL_UNREACHABLE)
		nameservers_note_silence(a->nameservers, attempt->server, attempt->asked, a->now);
	else if (outcome != DNSCHANNEL_NO_NAME)
		nameservers_note_answer(a->nameservers, attempt->server, a->now);
	if (outcome == DNSCHANNEL_FOUND || outcome == DNSCHANNEL_NOT_FOUND ||
		outcome == DNSCHANNEL_NO_NAME)
		take_answer(a, attempt->question, attempt);
	else
		take_failure(a, attempt->question, attempt);
}

/* ---- questions ---- */

void asking_begin(struct asking *a, struct asked *q)
{
	a->now = clock_ms();
	LIST_INIT(&q->attempts);
	TAILQ_INSERT_TAIL(&a->active, q, active_link);
	q->turn = nameservers_turn(a->nameservers);
	begin_step(a, q, 0);
}

static bool waits_for_a_place(const struct asked *q)
{
	const struct attempt *attempt;

	for (attempt = LIST_FIRST(&q->attempts); attempt != NULL;
		attempt = LIST_NEXT(attempt, of_question)) {
		if (attempt->asked == 0)
			return true;
	}
	return false;
}

void asking_repeat(struct asking *a, struct asked *q)
{
	a->now = clock_ms();
	if (waits_for_a_place(q))
		return;
	begin_round(q, 0);
	ask_soon(a, q);
}

void asking_end(struct asking *a, struct asked *q)
{
	a->now = clock_ms();
	let_go(a, q);
	a->is_due = true;
}

void asking_set_servers(struct asking *a, struct nameservers *n)
{
	struct asked *q;

	a->now = clock_ms();
	for (q = TAILQ_FIRST(&a->active); q != NULL; q = TAILQ_NEXT(q, active_link))
		drop_attempts(a, q);
	nameservers_free(a->nameservers);
	a->nameservers = n;
	attempts_set_servers(a->attempts, nameservers_count(n));
	for (q = TAILQ_FIRST(&a->active); q != NULL; q = TAILQ_NEXT(q, active_link))
		begin_step(a, q, 0);
}

/* ---- going on ---- */

static void ask_who_is_next(struct asking *a)
{
	struct asked *q;

	while ((q = TAILQ_FIRST(&a->hedges)) != NULL && q->hedge_due <= a->now)
		go_on(a, q);
}

/* Answers go out before sockets are closed and opened. */
static void settle_attempts(struct asking *a)
{
	struct attempt *ended = attempts_take_ended(a->attempts);

	do {
		for (; ended != NULL; ended = attempts_take_ended(a->attempts))
			take_outcome(a, ended);
		attempts_go_on(a->attempts, a->now);
		ended = attempts_take_ended(a->attempts);
	} while (ended != NULL);
}

void asking_go_on(struct asking *a, const struct pollfd *fds, size_t count)
{
	a->now = clock_ms();
	a->is_due = false;
	attempts_process(a->attempts, fds, count);
	ask_who_is_next(a);
	settle_attempts(a);
}

size_t asking_fds(const struct asking *a, struct pollfd *fds, size_t room)
{
	return attempts_fds(a->attempts, fds, room);
}

int64_t asking_due(const struct asking *a)
{
	const struct asked *next = TAILQ_FIRST(&a->hedges);

	if (a->is_due)
		return 0;
	return clock_earlier(
		attempts_deadline(a->attempts), next == NULL ? CLOCK_NEVER : next->hedge_due);
}

/* ---- life ---- */

struct asking *asking_new(
	struct nameservers *n, struct fdbudget *budget, asking_done *done, void *arg)
{
	struct asking *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->attempts = attempts_new(budget);
	if (a->attempts == NULL) {
		free(a);
		return NULL;
	}
	a->done = done;
	a->done_arg = arg;
	a->nameservers = n;
	attempts_set_servers(a->attempts, nameservers_count(n));
	TAILQ_INIT(&a->active);
	TAILQ_INIT(&a->hedges);
	return a;
}

void asking_free(struct asking *a)
{
	if (a == NULL)
		return;
	attempts_free(a->attempts);
	nameservers_free(a->nameservers);
	free(a);
}
