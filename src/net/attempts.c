/*
 * Attempts at one server that are to wait for the same time share a channel (a batch), so that a
 * batch is over, and its port gone, when that time is over at the latest: a question that a slow
 * server keeps for 16 s does not keep those company that take a moment.
 *
 * Places in channels are limited, by the descriptors there are to spare, and so that the memory for
 * channels stays small beside the number of sessions that wait: a few channels are always allowed,
 * beyond that one for each 64 attempts. So when a server keeps silent, half of the attempts wait in
 * a queue for the other half to end. First rounds go before later ones, and these have half of the
 * places: where many names get no answer, others still do.
 *
 * When there is no descriptor for a channel the queue waits; nothing fails for it.
 */
#include "net/attempts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/nameservers.h"

#define FEW_BATCHES 8 /* that all servers together are always allowed */
#define FEWEST_BATCHES 4 /* and each of them */
#define ATTEMPTS_A_BATCH 64
#define STARVED_PAUSE_MS 100
#define PROCESSED_AT_ONCE 8 /* channels; others wait for that meanwhile */

/* Batches are of one kind: for a length of time over UDP, or over TCP. */
enum { KIND_TCP = ATTEMPT_ROUNDS, KINDS };

TAILQ_HEAD(attempt_list, attempt);

struct batch {
	LIST_ENTRY(batch) link;
	struct dnschannel *channel;
	size_t server;
	unsigned kind;
	bool is_broken; /* the server is not there */
};

struct server_places {
	struct attempt_list queues[KINDS];
	struct batch *current[KINDS]; /* that takes in attempts; NULL: none */
	size_t attempts; /* queued or sent */
	size_t batches, late_batches; /* in use; and those not of a first round */
};

struct attempts {
	struct dnschannels *channels;
	size_t server_count;
	struct server_places servers[NAMESERVERS_MAX];
	struct attempt_list sent[ATTEMPT_ROUNDS]; /* those whose time is over first, first */
	struct attempt_list ended;
	LIST_HEAD(batch_list, batch) batches;
	size_t batch_count;
	bool has_broken; /* batches */
	bool is_starved; /* there was no descriptor or memory for a channel */
	int64_t not_before; /* which is tried again then; 0: there was */
};

static int64_t wait_ms(unsigned round)
{
	return (int64_t)ATTEMPT_FIRST_WAIT_MS << round;
}

struct attempts *attempts_new(struct fdbudget *budget)
{
	struct attempts *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->channels = dnschannels_new(budget);
	if (a->channels == NULL) {
		free(a);
		return NULL;
	}
	for (size_t i = 0; i < NAMESERVERS_MAX; i++) {
		for (unsigned kind = 0; kind < KINDS; kind++)
			TAILQ_INIT(&a->servers[i].queues[kind]);
	}
	for (unsigned round = 0; round < ATTEMPT_ROUNDS; round++)
		TAILQ_INIT(&a->sent[round]);
	TAILQ_INIT(&a->ended);
	return a;
}

/* ---- attempts ---- */

static struct attempt_list *queue_of(struct attempts *a, const struct attempt *attempt)
{
	return &a->servers[attempt->server].queues[attempt->over_tcp ? KIND_TCP : attempt->round];
}

struct attempt *attempts_begin(struct attempts *a, const struct attempt_setup *setup)
{
	size_t size = strlen(setup->name) + 1;
	struct attempt *attempt = calloc(1, sizeof(*attempt) + size);

	if (attempt == NULL)
		return NULL;
	attempt->all = a;
	attempt->server = setup->server;
	attempt->addr = *setup->addr;
	attempt->round = setup->round;
	attempt->family = setup->family;
	memcpy(attempt->name, setup->name, size);
	TAILQ_INSERT_TAIL(queue_of(a, attempt), attempt, link);
	a->servers[attempt->server].attempts++;
	return attempt;
}

static void take_off_list(struct attempts *a, struct attempt *attempt)
{
	if (attempt->state == ATTEMPT_QUEUED)
		TAILQ_REMOVE(queue_of(a, attempt), attempt, link);
	else if (attempt->state == ATTEMPT_SENT)
		TAILQ_REMOVE(&a->sent[attempt->round], attempt, link);
	else if (attempt->state == ATTEMPT_ENDED)
		TAILQ_REMOVE(&a->ended, attempt, link);
}

static void end_attempt(
	struct attempts *a, struct attempt *attempt, enum dnschannel_outcome outcome)
{
	take_off_list(a, attempt);
	attempt->state = ATTEMPT_ENDED;
	attempt->outcome = outcome;
	a->servers[attempt->server].attempts--;
	TAILQ_INSERT_TAIL(&a->ended, attempt, link);
}

static void forget(struct attempt *attempt)
{
	if (attempt->sent != NULL)
		dnschannel_forget(attempt->sent);
	attempt->sent = NULL;
}

struct attempt *attempts_take_ended(struct attempts *a)
{
	struct attempt *attempt = TAILQ_FIRST(&a->ended);

	if (attempt == NULL)
		return NULL;
	TAILQ_REMOVE(&a->ended, attempt, link);
	attempt->state = ATTEMPT_TAKEN;
	return attempt;
}

void attempts_release(struct attempts *a, struct attempt *attempt)
{
	if (attempt->state == ATTEMPT_QUEUED || attempt->state == ATTEMPT_SENT)
		a->servers[attempt->server].attempts--;
	take_off_list(a, attempt);
	forget(attempt);
	free(attempt->answer);
	free(attempt);
}

/* Back into a queue: to be asked over TCP, or first of all when there is a socket again. */
static void queue_again(struct attempts *a, struct attempt *attempt, bool over_tcp)
{
	take_off_list(a, attempt);
	attempt->state = ATTEMPT_QUEUED;
	attempt->over_tcp |= over_tcp;
	TAILQ_INSERT_HEAD(queue_of(a, attempt), attempt, link);
}

static void on_outcome(
	void *arg, enum dnschannel_outcome outcome, struct lookup_answer *answer, int64_t ttl_ms)
{
	struct attempt *attempt = arg;
	struct attempts *a = attempt->all;

	attempt->sent = NULL;
	if (outcome == DNSCHANNEL_STARVED) {
		a->is_starved = true;
		queue_again(a, attempt, false);
		return;
	}
	if (outcome == DNSCHANNEL_TRUNCATED) {
		queue_again(a, attempt, true);
		return;
	}
	if (outcome == DNSCHANNEL_UNREACHABLE)
		a->has_broken = attempt->batch->is_broken = true;
	attempt->answer = answer;
	attempt->ttl_ms = ttl_ms;
	end_attempt(a, attempt, outcome);
}

/* ---- batches ---- */

static void close_batch(struct attempts *a, struct batch *b)
{
	struct server_places *s = &a->servers[b->server];

	if (s->current[b->kind] == b)
		s->current[b->kind] = NULL;
	s->batches--;
	s->late_batches -= b->kind > 0;
	a->batch_count--;
	LIST_REMOVE(b, link);
	dnschannel_close(b->channel);
	free(b);
}

/* How many. */
static size_t close_batches_that_are_done(struct attempts *a)
{
	struct batch *b = LIST_FIRST(&a->batches);
	size_t before = a->batch_count;

	while (b != NULL) {
		struct batch *next = LIST_NEXT(b, link);

		if (dnschannel_is_done(b->channel))
			close_batch(a, b);
		b = next;
	}
	return before - a->batch_count;
}

void attempts_set_servers(struct attempts *a, size_t count)
{
	(void)close_batches_that_are_done(a);
	a->server_count = count;
}

void attempts_free(struct attempts *a)
{
	if (a == NULL)
		return;
	(void)close_batches_that_are_done(a);
	dnschannels_free(a->channels);
	free(a);
}

static bool may_open(const struct attempts *a, const struct server_places *s, unsigned kind)
{
	size_t allowed = s->attempts / (ATTEMPTS_A_BATCH * a->server_count);

	if (allowed < FEW_BATCHES / a->server_count)
		allowed = FEW_BATCHES / a->server_count;
	if (allowed < FEWEST_BATCHES)
		allowed = FEWEST_BATCHES;
	return s->batches < allowed && (kind == 0 || s->late_batches < allowed / 2);
}

static struct batch *open_batch(struct attempts *a, const struct attempt *first, unsigned kind)
{
	struct server_places *s = &a->servers[first->server];
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->channel = dnschannel_open(a->channels, &first->addr, kind == KIND_TCP);
	if (b->channel == NULL) {
		free(b);
		return NULL;
	}
	b->server = first->server;
	b->kind = kind;
	s->current[kind] = b;
	s->batches++;
	s->late_batches += kind > 0;
	a->batch_count++;
	LIST_INSERT_HEAD(&a->batches, b, link);
	return b;
}

/* The batch that takes in the next attempt in the queue; NULL: it has to wait. */
static struct batch *batch_for(struct attempts *a, const struct attempt *first, unsigned kind)
{
	struct server_places *s = &a->servers[first->server];
	struct batch *b = s->current[kind];

	if (b != NULL && !b->is_broken && !dnschannel_is_full(b->channel))
		return b;
	if (!may_open(a, s, kind))
		return NULL;
	b = open_batch(a, first, kind);
	a->is_starved = b == NULL;
	return b;
}

static void send_attempt(struct attempts *a, struct attempt *attempt, struct batch *b, int64_t now)
{
	TAILQ_REMOVE(queue_of(a, attempt), attempt, link);
	attempt->state = ATTEMPT_SENT;
	attempt->batch = b;
	attempt->asked = now;
	TAILQ_INSERT_TAIL(&a->sent[attempt->round], attempt, link);
	attempt->sent =
		dnschannel_ask(b->channel, attempt->name, attempt->family, on_outcome, attempt);
}

static void empty_queue(struct attempts *a, struct attempt_list *queue, unsigned kind, int64_t now)
{
	struct attempt *first;

	while (!a->is_starved && (first = TAILQ_FIRST(queue)) != NULL) {
		struct batch *b = batch_for(a, first, kind);

		if (b == NULL)
			return;
		send_attempt(a, first, b, now);
	}
}

static void give_places(struct attempts *a, int64_t now)
{
	if (now < a->not_before)
		return;
	for (size_t i = 0; i < a->server_count; i++) {
		for (unsigned kind = 0; kind < KINDS; kind++)
			empty_queue(a, &a->servers[i].queues[kind], kind, now);
	}
	a->not_before = a->is_starved ? now + STARVED_PAUSE_MS : 0;
	a->is_starved = false;
}

static bool is_queued(const struct attempts *a)
{
	for (size_t i = 0; i < a->server_count; i++) {
		for (unsigned kind = 0; kind < KINDS; kind++) {
			if (!TAILQ_EMPTY(&a->servers[i].queues[kind]))
				return true;
		}
	}
	return false;
}

static void end_those_in_silence(struct attempts *a, int64_t now)
{
	for (unsigned round = 0; round < ATTEMPT_ROUNDS; round++) {
		struct attempt *first;

		while ((first = TAILQ_FIRST(&a->sent[round])) != NULL &&
			first->asked + wait_ms(round) <= now) {
			forget(first);
			end_attempt(a, first, DNSCHANNEL_SILENT);
		}
	}
}

/* The kernel tells one attempt that nobody is there; what was sent before it is as lost. */
static void end_those_of_broken_batches(struct attempts *a)
{
	for (unsigned round = 0; round < ATTEMPT_ROUNDS && a->has_broken; round++) {
		struct attempt *attempt = TAILQ_FIRST(&a->sent[round]);

		while (attempt != NULL) {
			struct attempt *next = TAILQ_NEXT(attempt, link);

			if (attempt->batch->is_broken) {
				forget(attempt);
				end_attempt(a, attempt, DNSCHANNEL_UNREACHABLE);
			}
			attempt = next;
		}
	}
	a->has_broken = false;
}

void attempts_go_on(struct attempts *a, int64_t now)
{
	end_those_in_silence(a, now);
	do {
		give_places(a, now);
		end_those_of_broken_batches(a);
	} while (close_batches_that_are_done(a) > 0 && is_queued(a));
}

/* ---- events ---- */

size_t attempts_fds(const struct attempts *a, struct pollfd *fds, size_t room)
{
	const struct batch *b = LIST_FIRST(&a->batches);

	for (size_t i = 0; b != NULL && i < room; i++, b = LIST_NEXT(b, link))
		fds[i] = dnschannel_poll(b->channel);
	return a->batch_count;
}

int64_t attempts_deadline(const struct attempts *a)
{
	int64_t deadline = CLOCK_NEVER;

	for (unsigned round = 0; round < ATTEMPT_ROUNDS; round++) {
		const struct attempt *first = TAILQ_FIRST(&a->sent[round]);

		if (first != NULL)
			deadline = clock_earlier(deadline, first->asked + wait_ms(round));
	}
	if (a->not_before > 0 && is_queued(a))
		deadline = clock_earlier(deadline, a->not_before);
	return deadline;
}

static struct batch *find_batch(const struct attempts *a, int fd)
{
	struct batch *b = LIST_FIRST(&a->batches);

	while (b != NULL && dnschannel_poll(b->channel).fd != fd)
		b = LIST_NEXT(b, link);
	return b;
}

void attempts_process(struct attempts *a, const struct pollfd *fds, size_t count)
{
	size_t processed = 0;

	for (size_t i = 0; i < count && processed < PROCESSED_AT_ONCE; i++) {
		struct batch *b = fds[i].revents == 0 ? NULL : find_batch(a, fds[i].fd);

		if (b == NULL)
			continue;
		dnschannel_process(b->channel, fds[i].revents);
		processed++;
	}
}
