/*
 * Two flows, one each way, over two ends. A flow reads when its buffer has room and writes what it
 * has; neither waits for the other, so that both peers may send before they read.
 *
 * An end whose connection broke is still read until it is empty, then the other end gets what it
 * had sent, and then the session ends with a reset there. Only descriptors that something is
 * expected of are in the poll set: one that is broken, or finished both ways, would report POLLHUP
 * for ever.
 */
#include "proxy/relay.h"

#include <errno.h>
#include <stdbool.h>

#include "base/clock.h"
#include "net/socket.h"

/* A session that is quiet after this long gets keepalive on its target too; most are over before
 * and spare themselves the system calls. */
#define SETTLED_MS 20000

struct end {
	int fd;
	bool broken; /* reset, or dead by keepalive: nothing can be written to it any more */
	bool hung_up; /* finished both ways: reports POLLHUP whatever it is asked for */
};

struct flow {
	struct end *from;
	struct end *to;
	struct buffer *buffer;
	_Atomic(uint64_t) *count;
	struct flow *reverse;
	bool source_ended; /* nothing more comes from `from` */
	bool finished; /* and `to` was told, or cannot be told */
	bool readable; /* what poll(2) said */
	bool writable;
};

enum { OUTWARD, INWARD }; /* to the target, to the client */

/* Half a buffer, so that what is moved to the front is never more than what can be read then. */
static bool has_room(const struct flow *f)
{
	return buffer_readable(f->buffer) <= f->buffer->size / 2;
}

/* Reads once. True when something came, or the end did. */
static bool pull(struct flow *f)
{
	ssize_t n;

	if (f->source_ended || !has_room(f))
		return false;
	if (buffer_writable(f->buffer) < f->buffer->size / 2)
		buffer_compact(f->buffer);
	n = socket_read(f->from->fd, buffer_tail(f->buffer), buffer_writable(f->buffer));
	if (n > 0) {
		buffer_commit(f->buffer, (size_t)n);
		return true;
	}
	if (n < 0 && errno == EAGAIN) {
		if (!f->from->broken)
			return false;
		n = 0; /* broken and empty: that was all */
	}
	if (n < 0)
		f->from->broken = true;
	f->source_ended = true;
	return true;
}

/* Writes once. True when something went, or it turned out that nothing ever will. */
static bool push(struct flow *f)
{
	ssize_t n;

	if (buffer_readable(f->buffer) == 0)
		return false;
	n = socket_write(f->to->fd, buffer_head(f->buffer), buffer_readable(f->buffer));
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0) {
		f->to->broken = true;
		return true;
	}
	traffic_count(f->count, (uint64_t)n);
	buffer_consume(f->buffer, (size_t)n);
	return true;
}

/* Passes the end of the stream on once the last byte went out; if it is the last thing to happen,
 * closing does that. A broken source's end is passed on as a reset, by whoever called relay_run().
 */
static void finish_if_done(struct flow *f)
{
	if (f->finished)
		return;
	if (f->to->broken) {
		f->source_ended = f->finished = true;
		return;
	}
	if (!f->source_ended || buffer_readable(f->buffer) > 0)
		return;
	f->finished = true;
	if (!f->from->broken && !f->reverse->finished)
		socket_end_stream(f->to->fd);
}

/* One read and one write, where they can succeed; true when that changed anything. */
static bool step(struct flow *f)
{
	bool moved = false;

	if (f->finished)
		return false;
	if (f->readable || f->from->broken)
		moved = pull(f);
	/* Right after reading the other side is usually ready to take it: no poll in between. */
	if (f->writable || moved)
		moved |= push(f);
	finish_if_done(f);
	return moved;
}

/* What to wait for at the end that `out` reads from and `in` writes to. */
static short wanted(const struct flow *out, const struct flow *in)
{
	short events = 0;

	if (!out->source_ended && has_room(out))
		events |= POLLIN;
	if (!in->finished && buffer_readable(in->buffer) > 0)
		events |= POLLOUT;
	return events;
}

static struct pollfd poll_entry(const struct end *e, const struct flow *out, const struct flow *in)
{
	short events = wanted(out, in);
	bool over = e->broken || (out->source_ended && in->finished);

	if (over || (e->hung_up && events == 0))
		return (struct pollfd){.fd = -1};
	return (struct pollfd){.fd = e->fd, .events = events};
}

static void note(const struct pollfd *p, struct end *e, struct flow *out, struct flow *in)
{
	out->readable = (p->revents & (POLLIN | POLLHUP | POLLERR)) != 0;
	in->writable = (p->revents & POLLOUT) != 0;
	e->hung_up |= (p->revents & POLLHUP) != 0;
	e->broken |= (p->revents & (POLLERR | POLLNVAL)) != 0;
}

static int64_t idle_deadline(const struct relay *r)
{
	const struct idle_limits *limits = r->limits;
	int64_t limit = atomic_load(
		r->traffic->half_closed ? &limits->half_close_timeout : &limits->timeout);

	return atomic_load(&r->traffic->last_active) + limit;
}

/* Moves what can be moved now. A broken end is out of the poll set, so what it still has is fetched
 * here for as long as the other end takes it. */
static bool step_both(struct flow flows[2])
{
	bool moved = false, again;

	do {
		again = step(&flows[OUTWARD]);
		again |= step(&flows[INWARD]);
		moved |= again;
	} while (again && (flows[OUTWARD].from->broken || flows[INWARD].from->broken));
	return moved;
}

/* Waits until something happens at either end; false when the idle deadline came first, which may
 * have been moved meanwhile. Keepalive is for when nothing happens, so that is when it is seen to.
 */
static bool wait_for_ends(const struct relay *r, struct pollfd fds[2], int64_t *settled)
{
	int64_t idle = idle_deadline(r), now;

	if (socket_wait(fds, 2, *settled < idle ? *settled : idle) != 0)
		return true;
	now = clock_ms();
	if (now >= *settled) {
		socket_keep_alive(r->target);
		*settled = CLOCK_NEVER;
	}
	return now < idle_deadline(r);
}

static void note_activity(const struct relay *r, const struct flow flows[2])
{
	/* In this order: whoever sees the one finds a fresh time. */
	traffic_active(r->traffic, clock_ms());
	atomic_store(&r->traffic->half_closed, flows[OUTWARD].finished || flows[INWARD].finished);
}

enum end_reason relay_run(struct relay *r)
{
	struct end client = {.fd = r->client}, target = {.fd = r->target};
	struct flow flows[2];
	struct flow *out = &flows[OUTWARD], *in = &flows[INWARD];
	int64_t settled = clock_deadline(SETTLED_MS);

	*out = (struct flow){.from = &client,
		.to = &target,
		.reverse = in,
		.buffer = r->to_target,
		.count = &r->traffic->sent,
		.writable = true};
	*in = (struct flow){.from = &target,
		.to = &client,
		.reverse = out,
		.buffer = r->to_client,
		.count = &r->traffic->received};
	note_activity(r, flows);
	for (;;) {
		if (step_both(flows))
			note_activity(r, flows);
		if (out->finished && in->finished)
			break;
		struct pollfd fds[2] = {poll_entry(&client, out, in), poll_entry(&target, in, out)};
		if (!wait_for_ends(r, fds, &settled))
			return out->finished || in->finished ? END_HALF_CLOSED_IDLE : END_IDLE;
		note(&fds[0], &client, out, in);
		note(&fds[1], &target, in, out);
	}
	if (target.broken)
		return END_TARGET_RESET;
	return client.broken ? END_CLIENT_RESET : END_CLOSED;
}
