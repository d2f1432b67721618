/*
 * The servers of a way are tried one after the other. What goes wrong is either the server's fault,
 * for which it rests and the next one is tried, or an answer about the target, which is
 * everybody's; upstream_talk.c tells them apart.
 *
 * To get there is dial's work. Rules have no say in where an administrator's servers are, but the
 * proxy itself is none.
 */
#include "proxy/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/socket.h"
#include "proxy/dial.h"
#include "proxy/upstream_talk.h"

/* ---- one server ---- */

/* What it takes to dial a server. */
struct upstream_dialling {
	struct asker asker;
	struct destination dst;
	struct dial dial;
};

/* What a failure to get there says. */
static enum upstream_outcome judge_dialling(struct upstream_talk *t, const struct dial *d)
{
	static const int own_lacks[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, EPERM, EACCES};

	t->request->error = d->error;
	if (d->failure == END_CLIENT_LEFT || d->failure == END_CLIENT_FINISHED ||
		d->failure == END_NO_LOCAL_PORT)
		return upstream_fail_for_target(t, d->failure);
	for (size_t i = 0; i < sizeof(own_lacks) / sizeof(own_lacks[0]); i++) {
		if (d->error == own_lacks[i])
			return upstream_fail_for_target(t, d->failure);
	}
	if (d->failure == END_TARGET_DENIED)
		return upstream_blame(t, UPSTREAM_LOOP);
	return upstream_blame(
		t, d->failure == END_CONNECT_TIMEOUT ? UPSTREAM_SILENT : UPSTREAM_UNREACHABLE);
}

/* On the heap: a worker's stack has better to do with its room. */
static enum upstream_outcome dial_server(struct upstream_talk *t)
{
	const struct upstream_url *url = t->server->url;
	struct upstream_dialling *all = calloc(1, sizeof(*all));
	enum upstream_outcome o = OUTCOME_TAKEN;

	if (all == NULL)
		return upstream_fail_for_target(t, END_UPSTREAM_FAILED);
	all->asker = *t->request->asker;
	all->asker.is_unruled = true;
	all->asker.command = REQUEST_CONNECT;
	all->dst = destination_of_name(url->host, strlen(url->host), url->port);
	all->dial.asker = &all->asker;
	all->dial.dst = &all->dst;
	all->dial.watch = *t->request->watch;
	t->fd = dial_until(&all->dial, t->deadline);
	*t->request->watch = all->dial.watch;
	t->request->server = all->dial.address;
	if (t->fd < 0)
		o = judge_dialling(t, &all->dial);
	free(all);
	return o;
}

static void leave_server(struct upstream_talk *t)
{
	socket_close(t->fd);
	fd_lease_give(t->request->asker->lease);
	buffer_consume_secret(t->request->in, buffer_readable(t->request->in));
	t->fd = -1;
}

static enum upstream_outcome talk_to_server(struct upstream_talk *t)
{
	enum upstream_outcome o = dial_server(t);

	if (o != OUTCOME_TAKEN)
		return o;
	o = upstream_ask(t);
	if (o != OUTCOME_TAKEN)
		leave_server(t);
	return o;
}

/* ---- what is said of it ---- */

static void log_state(const struct upstream *u, const char *what, enum upstream_fault fault)
{
	struct log_line line;

	log_begin(&line, fault != UPSTREAM_FAULTLESS ? LOG_WARN : LOG_INFO, what);
	log_text(&line, "upstream", u->name);
	log_text(&line, "url", u->shown);
	if (fault != UPSTREAM_FAULTLESS)
		log_text(&line, "fault", upstream_fault_word(fault));
	log_end(&line);
}

/* The first that finds it down or up again says so. */
static void note_fault(const struct upstream *u, enum upstream_fault fault)
{
	if (upstream_failed(u, fault, clock_ms()))
		log_state(u, "upstream is down", fault);
}

void upstream_note_answer(const struct upstream *u)
{
	if (upstream_worked(u, clock_ms()))
		log_state(u, "upstream is back", UPSTREAM_FAULTLESS);
}

void upstream_note_silence(const struct upstream *u, int64_t since)
{
	if (!upstream_has_worked_since(u, since))
		note_fault(u, UPSTREAM_SILENT);
}

/* One that has taken a request and said nothing yet is known by what becomes of that. */
static void note_outcome(
	const struct upstream_talk *t, enum upstream_outcome o, enum upstream_turn turn)
{
	if (o == OUTCOME_FAULT)
		note_fault(t->server, t->fault);
	else if (t->has_answered && (o == OUTCOME_TAKEN || o == OUTCOME_FAILED))
		upstream_note_answer(t->server);
	else if (o != OUTCOME_TAKEN)
		upstream_undecided(t->server, turn);
}

/* ---- all of them ---- */

/* An equal share of what is left for each that may yet be tried. */
static int64_t share_of_time(
	const struct upstream_request *r, const struct upstream_way *way, size_t from)
{
	int64_t now = clock_ms(), left = r->deadline - now, shares = 1 + way->goes_straight;

	for (size_t i = from + 1; i < way->count; i++)
		shares += !upstream_rests(way->servers[i], now) &&
			upstream_misfit(r, way->servers[i]) == END_REASONS;
	return now + (left > 0 ? left / shares : 0);
}

/* Of servers that were passed over, what says most of the request: that one was silent about the
 * target; then that they are down; and that they could not do it only if it was nothing else. */
static int weight_of_passing(enum end_reason why)
{
	if (why == END_CONNECT_TIMEOUT || why == END_UPSTREAM_FAILED)
		return 3;
	return why == END_UPSTREAMS_DOWN ? 2 : why != END_REASONS;
}

static void note_passed_over(struct upstream_request *r, enum end_reason why)
{
	if (weight_of_passing(why) > weight_of_passing(r->failure))
		r->failure = why;
}

static int try_server(
	struct upstream_request *r, const struct upstream_way *way, size_t at, bool *over)
{
	struct upstream_talk t = {.request = r, .server = way->servers[at], .fd = -1};
	enum upstream_turn turn = upstream_take_turn(t.server, clock_ms());
	enum upstream_outcome o;

	if (turn == UPSTREAM_RESTS) {
		note_passed_over(r, END_UPSTREAMS_DOWN);
		return -1;
	}
	t.deadline = share_of_time(r, way, at);
	o = talk_to_server(&t);
	note_outcome(&t, o, turn);
	r->through = t.server;
	*over = o == OUTCOME_TAKEN || o == OUTCOME_FAILED;
	if (!*over)
		note_passed_over(r, o == OUTCOME_QUIET ? t.why_quiet : END_UPSTREAMS_DOWN);
	return t.fd;
}

int upstream_connect(struct upstream_request *r, const struct upstream_way *way)
{
	bool over = false;
	int fd = -1;

	r->failure = END_REASONS;
	r->error = 0;
	r->through = NULL;
	r->bound.sa.sa_family = AF_UNSPEC;
	for (size_t i = 0; i < way->count && !over; i++) {
		enum end_reason why = upstream_misfit(r, way->servers[i]);

		if (i > 0 && clock_ms() >= r->deadline)
			break; /* it would be blamed for having no time */
		if (why == END_REASONS)
			fd = try_server(r, way, i, &over);
		else
			note_passed_over(r, why);
	}
	if (r->failure == END_REASONS && fd < 0)
		r->failure = END_UPSTREAMS_DOWN;
	r->is_undone = !over;
	return fd;
}

struct addr upstream_bound(const struct upstream_request *r)
{
	struct addr bound = r->server;

	if (r->bound.sa.sa_family != AF_UNSPEC && !addr_is_unspecified(&r->bound))
		return r->bound;
	addr_set_port(&bound, addr_port(&r->bound));
	return bound;
}

int upstream_await_peer(struct upstream_request *r, int fd)
{
	struct upstream_talk t = {.request = r,
		.server = r->through,
		.fd = fd,
		.deadline = r->deadline,
		.has_answered = true,
		.has_asked = true};
	enum upstream_outcome o = upstream_receive_reply(&t);

	if (o == OUTCOME_TAKEN)
		return 0;
	if (o != OUTCOME_FAILED)
		r->failure = END_UPSTREAM_FAILED;
	else if (r->failure == END_CONNECT_TIMEOUT)
		r->failure = END_BIND_TIMEOUT;
	return -1;
}
