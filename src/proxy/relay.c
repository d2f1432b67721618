/*
 * Two flows, one each way, over two ends. A flow reads when it has room and writes what it has;
 * neither waits for the other, so that both peers may send before they read.
 *
 * A flow copies through its buffer until it has proved to be bulk (bulk.h); then it takes a pipe
 * and has the kernel pass the bytes on, until it goes quiet or its messages become small. It
 * changes over only when it holds nothing, so bytes are in one place at a time. Without a pipe it
 * goes on copying.
 *
 * What a call fails with is its end's: the connection broke. Or it is the system's, which says
 * nothing about either end: for want of memory the flow rests and tries again, and with what cannot
 * pass the session ends with a reset at both, so that none takes a part for the whole.
 *
 * Where memory is little, only so many flows may fill their buffers. The others read a small part
 * of one when they hold nothing, which stays in the page that a buffer always has, until there is a
 * place. A flow with a filter has all of its buffer, since messages have to become whole in it.
 *
 * A flow that has a filter (relay.h) lets that see what it reads, but for what the filter has no
 * wish to see: the bytes of a body may be spliced up to its end.
 *
 * A flow that has a limit (pace.h) writes as much at a time as that lets it, and reads into its
 * buffer when that is empty; while it waits for its turn its descriptors are not polled.
 *
 * An end whose connection broke is still read until it is empty, then the other end gets what it
 * had sent, and then the session ends with a reset there. Only descriptors that something is
 * expected of are in the poll set: one that is broken, or finished both ways, would report POLLHUP
 * for ever.
 */
#include "proxy/relay.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "net/socket.h"
#include "proxy/bulk.h"

/* A session that is quiet after this long gets keepalive on its target too; most are over before
 * and spare themselves the system calls. */
#define SETTLED_MS 20000

/* A flow that moves nothing for so long, and holds nothing, gives back its pipe and the memory of
 * its buffer. */
#define QUIET_MS 1000

/* The part of its buffer that a flow has which may not fill it. */
#define LEAN_PART 16

/* Of a limited flow, that it moves at once: so the other direction has its turn too. */
#define MOST_CHUNKS 8

struct end {
	int fd;
	bool broken; /* reset, or dead by keepalive: nothing can be written to it any more */
	bool hung_up; /* finished both ways: reports POLLHUP whatever it is asked for */
};

struct flow {
	struct end *from;
	struct end *to;
	struct buffer *buffer; /* empty while there is a pipe */
	struct relay_filter *filter; /* NULL: all is passed on as it is */
	struct pipe pipe;
	struct pipe_pool *pipes; /* NULL: only copying */
	struct relay_room *room; /* NULL: its buffer is its own */
	bool has_place; /* in that */
	bool was_filled; /* by the last read was the part that it has without one */
	bool always_splice;
	struct traffic *traffic;
	enum traffic_direction direction;
	struct flow *reverse;
	struct backoff rest; /* memory is out */
	int64_t rests_until; /* 0: it does not, or is to try again */
	int lack; /* the errno that said so */
	int error; /* why it was given up; 0: it was not */
	bool is_spent; /* an account may move nothing more */
	bool source_ended; /* nothing more comes from `from` */
	bool finished; /* and `to` was told, or cannot be told */
	bool readable; /* what poll(2) said */
	bool writable;
	bool stuck; /* nothing is read before some went out: the pipe may be full at any number of
		     * bytes, since each packet takes a place */
	bool moved_lately; /* since the time was last taken */
	int64_t last_moved; /* clock_ms() */
	struct bulk bulk; /* of its reads, one a wake-up */
	struct pace pace;
};

enum { OUTWARD, INWARD }; /* to the target, to the client */

/* ---- copying or splicing ---- */

static bool has_pipe(const struct flow *f)
{
	return f->pipe.pool != NULL;
}

/* Has it no more of its buffer than a small part? */
static bool is_lean(const struct flow *f)
{
	return f->room != NULL && !f->has_place;
}

static size_t held(const struct flow *f)
{
	return has_pipe(f) ? f->pipe.held : buffer_readable(f->buffer);
}

/* Of that, what a filter lets be written. Not inline, as all that is for filters alone: what is
 * asked at each step stays short for flows without one. */
__attribute__((noinline)) static size_t let_through(const struct flow *f)
{
	return f->filter->failed ? 0 : held(f) - f->filter->held_back;
}

/* What may be written. */
static inline size_t ready(const struct flow *f)
{
	return f->filter == NULL ? held(f) : let_through(f);
}

/* Is what comes to be looked at, instead of being passed on unseen? */
static bool is_sifted(const struct flow *f)
{
	return f->filter != NULL && f->filter->unseen < f->buffer->size;
}

/* Has all come that is to be passed on, so that what follows is of no interest? */
static bool has_ended(const struct flow *f)
{
	return f->filter != NULL && f->filter->ended && held(f) == 0;
}

/* Half of what it can hold: a buffer moves what it has to its front, which is never more than what
 * can be read then, and a pipe is not filled in small pieces. A limited flow has chunks of what it
 * holds written, and so would never be found empty, to change over; unless the kernel paces it. */
static inline bool has_plain_room(const struct flow *f)
{
	size_t size = has_pipe(f) ? f->pipe.capacity : f->buffer->size;

	if ((f->pace.is_on && !f->pace.is_paced) || (is_lean(f) && !has_pipe(f)))
		return held(f) == 0;
	return !f->stuck && held(f) <= size / 2;
}

/* As a filter wants it: what is held back has to become whole, and what may be passed unseen has to
 * leave the pipe before anything is looked at. */
__attribute__((noinline)) static bool has_filter_room(const struct flow *f)
{
	if (!has_pipe(f) && f->filter->held_back > 0)
		return held(f) + f->filter->spare < f->buffer->size;
	return (!has_pipe(f) || f->filter->unseen > 0 || held(f) == 0) && has_plain_room(f);
}

static bool has_room(const struct flow *f)
{
	return f->filter == NULL ? has_plain_room(f) : has_filter_room(f);
}

static void drop_pipe(struct flow *f)
{
	if (has_pipe(f))
		pipe_close(&f->pipe);
	f->stuck = false;
	bulk_init(&f->bulk, f->buffer->size);
}

/* Changes over, where that is due and nothing is on the way. */
static void choose_path(struct flow *f)
{
	if (f->pipes == NULL || held(f) > 0)
		return;
	if (has_pipe(f)) {
		if ((bulk_is_small(&f->bulk) && !f->always_splice) ||
			!pace_may_splice(&f->pace, true) ||
			(f->filter != NULL && f->filter->unseen == 0))
			drop_pipe(f);
	} else if ((bulk_is_large(&f->bulk) || f->always_splice) &&
		pace_may_splice(&f->pace, false) && !is_sifted(f)) {
		if (!pipe_open(&f->pipe, f->pipes))
			bulk_has_no_pipe(&f->bulk);
	}
}

/* ---- little memory ---- */

/* Asks for a place once the part was too small. */
__attribute__((noinline)) static void take_place(struct flow *f)
{
	if (!f->was_filled || atomic_load(&f->room->taken) >= f->room->total)
		return;
	f->has_place = atomic_fetch_add(&f->room->taken, 1) < f->room->total;
	if (!f->has_place)
		atomic_fetch_sub(&f->room->taken, 1);
}

static void give_place(struct flow *f)
{
	if (f->has_place)
		atomic_fetch_sub(&f->room->taken, 1);
	f->has_place = f->was_filled = false;
}

/* What may be read into its buffer, which is empty where it is lean. */
static size_t most_to_read(struct flow *f)
{
	size_t most = buffer_writable(f->buffer) - (f->filter != NULL ? f->filter->spare : 0);

	if (is_lean(f))
		take_place(f);
	if (is_lean(f) && most > f->buffer->size / LEAN_PART)
		most = f->buffer->size / LEAN_PART;
	return pace_reads(&f->pace, most);
}

static ssize_t read_into_buffer(struct flow *f)
{
	size_t most;
	ssize_t n;

	if (buffer_writable(f->buffer) < f->buffer->size / 2)
		buffer_compact(f->buffer);
	most = most_to_read(f);
	n = socket_read(f->from->fd, buffer_tail(f->buffer), most);
	f->was_filled = is_lean(f) && n == (ssize_t)(f->buffer->size / LEAN_PART);
	if (n > 0)
		buffer_commit(f->buffer, (size_t)n);
	if (n > 0 && f->filter != NULL)
		f->filter->sift(f->filter, f->buffer, (size_t)n);
	return n;
}

static ssize_t fill_pipe(struct flow *f)
{
	size_t most = pace_reads(&f->pace, f->pipe.capacity - f->pipe.held);
	ssize_t n;

	if (f->filter == NULL)
		return pipe_fill(&f->pipe, f->from->fd, most);
	n = pipe_fill(&f->pipe, f->from->fd, most < f->filter->unseen ? most : f->filter->unseen);
	if (n > 0)
		f->filter->pass(f->filter, (size_t)n);
	return n;
}

/* What splice(2) says where a sandbox has not got it, or not for sockets. */
static bool is_refusal(int error)
{
	return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM ||
		error == EACCES;
}

/* As read(2), which takes TCP's urgent data for bytes like all others. Only with bytes, or of a
 * broken connection, is splice(2) believed: where urgent data stand in its way it says that there
 * is nothing, or that this is the end. When it was only tried, nothing is what was to be expected.
 */
static ssize_t fetch(struct flow *f)
{
	ssize_t n;

	choose_path(f);
	if (!has_pipe(f))
		return read_into_buffer(f);
	n = fill_pipe(f);
	if (n > 0 || (n < 0 && errno != EAGAIN && !is_refusal(errno)))
		return n;
	if (n < 0 && errno == EAGAIN && !f->readable && !f->from->broken)
		return n;
	if (f->pipe.held > 0) {
		f->stuck = true;
		errno = EAGAIN;
		return -1;
	}
	if (n < 0 && errno != EAGAIN)
		f->pipes = NULL;
	drop_pipe(f);
	return read_into_buffer(f);
}

/* Takes in why a call on `e` failed; true when that changes anything but the time. */
static bool note_failure(struct flow *f, struct end *e, int error)
{
	if (socket_lacks_memory(error)) {
		f->rests_until = clock_deadline(backoff_next(&f->rest));
		f->lack = error;
		return false;
	}
	if (socket_is_broken(error))
		e->broken = true;
	else
		f->error = error;
	return true;
}

/* Has its filter seen the end of what may come, which is the end of the stream here? */
static bool ends_by_filter(const struct flow *f)
{
	return f->filter != NULL && f->filter->ended && f->filter->ends_stream;
}

/* Reads once. True when something came, or the end did. */
static bool pull(struct flow *f)
{
	ssize_t n;

	if (f->source_ended || !has_room(f))
		return false;
	n = fetch(f);
	if (n > 0) {
		bulk_note(&f->bulk, (size_t)n);
		f->source_ended = ends_by_filter(f);
		return true;
	}
	if (n < 0 && errno == EAGAIN) {
		if (!f->from->broken || f->stuck)
			return false;
		n = 0; /* broken and empty: that was all */
	}
	if (n < 0 && !note_failure(f, f->from, errno))
		return false;
	f->source_ended = true;
	if (f->filter != NULL)
		f->filter->cut(f->filter, f->from->broken);
	return true;
}

static ssize_t write_from_buffer(struct flow *f, size_t most)
{
	ssize_t n = socket_write(f->to->fd, buffer_head(f->buffer), most);

	if (n > 0)
		buffer_consume(f->buffer, (size_t)n);
	return n;
}

/* Writes once. True when something went, or it turned out that nothing ever will. */
static bool push(struct flow *f)
{
	size_t most = ready(f);
	ssize_t n;

	if (most > 0 && f->pace.is_on)
		most = pace_allow(&f->pace, most, has_pipe(f), most >= f->buffer->size / 2);
	if (most == 0)
		return false;
	most = traffic_room(f->traffic, most);
	f->is_spent = most == 0;
	if (f->is_spent)
		return true;
	n = has_pipe(f) ? pipe_drain(&f->pipe, f->to->fd, most) : write_from_buffer(f, most);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0)
		return note_failure(f, f->to, errno);
	traffic_count(f->traffic, f->direction, (uint64_t)n);
	if (f->pace.is_on)
		pace_spend(&f->pace, (size_t)n);
	f->stuck = false;
	return true;
}

/* Reads and writes on, up to where its limit has it wait again: else each chunk would cost two
 * wake-ups. */
static bool go_on(struct flow *f)
{
	bool moved = false, again = true;

	for (int i = 0; i < MOST_CHUNKS && again && f->error == 0 && !pace_waits(&f->pace); i++) {
		again = pull(f);
		again |= push(f);
		moved |= again;
	}
	return moved;
}

/* Passes the end of the stream on once the last byte went out; if it is the last thing to happen,
 * closing does that. A broken source's end is passed on as a reset, by whoever called relay_run().
 */
static void finish_if_done(struct flow *f)
{
	bool done = f->to->broken || (f->source_ended && held(f) == 0);

	if (f->finished || !done)
		return;
	f->source_ended = f->finished = true;
	drop_pipe(f);
	pace_end(&f->pace);
	if (f->to->broken || (f->from->broken && !has_ended(f)) || f->reverse->finished)
		return;
	if (f->direction == TRAFFIC_RECEIVED && has_ended(f->reverse))
		return;
	socket_end_stream(f->to->fd);
}

/* One read and one write, where they can succeed; true when that changed anything. */
static bool step(struct flow *f)
{
	bool moved = false, is_due;

	if (f->finished || f->error != 0 || f->is_spent || f->rests_until != 0)
		return false;
	is_due = pace_look(&f->pace, ready(f));
	/* What is spliced is tried at each wake-up: often something has come since, and then that
	 * costs none of its own. */
	if (f->readable || f->from->broken || has_pipe(f))
		moved = pull(f);
	/* Right after reading the other side is usually ready to take it: no poll in between. */
	if (f->writable || moved)
		moved |= push(f);
	if (is_due)
		moved |= go_on(f);
	if (moved && f->rests_until == 0)
		backoff_end(&f->rest);
	if (f->error == 0)
		finish_if_done(f);
	f->moved_lately |= moved;
	return moved;
}

/* What to wait for at the end that `out` reads from and `in` writes to. */
static short wanted(const struct flow *out, const struct flow *in)
{
	short events = 0;

	if (!out->source_ended && has_room(out) && out->rests_until == 0 && !pace_waits(&out->pace))
		events |= POLLIN;
	if (!in->finished && ready(in) > 0 && in->rests_until == 0 && !pace_waits(&in->pace))
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

/* ---- time ---- */

static int64_t stream_idle_deadline(const struct relay *r)
{
	const struct idle_limits *limits = r->limits;
	bool half_closed = atomic_load_explicit(&r->traffic->half_closed, memory_order_relaxed);
	int64_t since = atomic_load_explicit(&r->traffic->last_active, memory_order_relaxed);

	/* In one order with what was said of phase and half-close before: traffic_half_close(). */
	return since + atomic_load(half_closed ? &limits->half_close_timeout : &limits->timeout);
}

/* Has it something that it can do without while nothing moves? */
static bool can_let_go(const struct flow *f)
{
	return held(f) == 0 && ((has_pipe(f) && !f->always_splice) || buffer_is_swollen(f->buffer));
}

static void let_go(struct flow *f)
{
	if (!f->always_splice)
		drop_pipe(f);
	buffer_release(f->buffer);
	give_place(f);
}

/* When it is to let go, unless something moves before; CLOCK_NEVER without anything to let go of.
 */
static int64_t quiet_deadline(const struct flow *f)
{
	return can_let_go(f) ? f->last_moved + QUIET_MS : CLOCK_NEVER;
}

static void see_to_quiet(struct flow *f, int64_t now)
{
	if (f->moved_lately)
		f->last_moved = now;
	else if (now >= quiet_deadline(f))
		let_go(f);
	f->moved_lately = false;
}

static void note_activity(const struct relay *r, struct flow flows[2])
{
	int64_t now = clock_ms();

	see_to_quiet(&flows[OUTWARD], now);
	see_to_quiet(&flows[INWARD], now);
	traffic_active(r->traffic, now);
	traffic_half_close(r->traffic, flows[OUTWARD].finished || flows[INWARD].finished);
}

/* Until when a filter waits. */
static int64_t filter_deadline(const struct flow flows[2])
{
	int64_t until = CLOCK_NEVER;

	for (int i = OUTWARD; i <= INWARD; i++) {
		if (flows[i].filter != NULL)
			until = clock_earlier(until, flows[i].filter->deadline);
	}
	return until;
}

/* Does what is due because nothing moved; false when the idle deadline came, which may have been
 * moved meanwhile. Keepalive is for when nothing happens, so that is when it is seen to. */
static bool on_quiet(const struct relay *r, struct flow flows[2], int64_t *settled)
{
	int64_t now = clock_ms();

	see_to_quiet(&flows[OUTWARD], now);
	see_to_quiet(&flows[INWARD], now);
	if (now >= *settled) {
		socket_keep_alive(r->target);
		*settled = CLOCK_NEVER;
	}
	return now < stream_idle_deadline(r) && now < filter_deadline(flows);
}

/* Until when a flow rests, which then tries again; CLOCK_NEVER: none does. */
static int64_t rest_deadline(struct flow flows[2])
{
	int64_t until = CLOCK_NEVER;

	for (int i = OUTWARD; i <= INWARD; i++) {
		struct flow *f = &flows[i];

		if (f->rests_until == 0)
			continue;
		until = clock_earlier(until, f->rests_until);
		if (clock_ms() >= f->rests_until)
			f->rests_until = 0;
	}
	return until;
}

/* When a flow's limit has something to say; what has nothing to write lets others have its part. */
static int64_t turn_deadline(struct flow *f)
{
	if (ready(f) == 0)
		pace_rest(&f->pace);
	return f->rests_until != 0 ? CLOCK_NEVER : pace_deadline(&f->pace);
}

/* Waits until something happens at either end; false when the idle deadline came first. */
static bool wait_for_ends(
	const struct relay *r, struct pollfd fds[2], struct flow flows[2], int64_t *settled)
{
	int64_t until = clock_earlier(stream_idle_deadline(r), *settled);

	until = clock_earlier(until, rest_deadline(flows));
	until = clock_earlier(until, quiet_deadline(&flows[OUTWARD]));
	until = clock_earlier(until, quiet_deadline(&flows[INWARD]));
	until = clock_earlier(until, turn_deadline(&flows[OUTWARD]));
	until = clock_earlier(until, turn_deadline(&flows[INWARD]));
	until = clock_earlier(until, filter_deadline(flows));
	return socket_wait(fds, 2, until) != 0 || on_quiet(r, flows, settled);
}

/* ---- the whole ---- */

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

/* All zeros before. In place: a copy on its way would cost each worker a page of stack. */
static void init_flow(struct flow *f, const struct relay *r, struct buffer *buffer,
	enum traffic_direction direction)
{
	f->buffer = buffer;
	f->traffic = r->traffic;
	f->direction = direction;
	f->pipes = r->path == RELAY_COPY ? NULL : r->pipes;
	f->always_splice = r->path == RELAY_SPLICE;
	f->moved_lately = true;
	bulk_init(&f->bulk, buffer->size);
}

static void limit_room(struct flow *f, struct relay_room *room)
{
	if (room != NULL && room->total != 0 && f->filter == NULL)
		f->room = room;
}

/* Nothing moved for too long: what lacked memory all the while was not idle. */
static enum end_reason end_idle(struct flow flows[2])
{
	bool finished = false;

	for (int i = OUTWARD; i <= INWARD; i++) {
		finished |= flows[i].finished;
		if (flows[i].rest.pause_ms != 0)
			flows[i].error = flows[i].lack;
	}
	return finished ? END_HALF_CLOSED_IDLE : END_IDLE;
}

static bool is_spent(const struct flow flows[2])
{
	return flows[OUTWARD].is_spent || flows[INWARD].is_spent;
}

static bool has_filter_failed(const struct flow *f)
{
	return f->filter != NULL && f->filter->failed;
}

static bool has_failed(const struct flow flows[2])
{
	return flows[OUTWARD].error != 0 || flows[INWARD].error != 0 || is_spent(flows) ||
		has_filter_failed(&flows[OUTWARD]) || has_filter_failed(&flows[INWARD]);
}

/* What the client still sends may be of no interest. */
static bool is_over(const struct flow *out, const struct flow *in)
{
	return in->finished && (out->finished || has_ended(out));
}

static enum end_reason run_flows(const struct relay *r, struct flow flows[2])
{
	struct flow *out = &flows[OUTWARD], *in = &flows[INWARD];
	struct end *client = out->from, *target = in->from;
	int64_t settled = clock_deadline(SETTLED_MS);

	for (;;) {
		if (step_both(flows))
			note_activity(r, flows);
		if (is_over(out, in) || has_failed(flows))
			break;
		struct pollfd fds[2] = {poll_entry(client, out, in), poll_entry(target, in, out)};
		if (!wait_for_ends(r, fds, flows, &settled))
			return end_idle(flows);
		note(&fds[0], client, out, in);
		note(&fds[1], target, in, out);
	}
	if (target->broken && !has_ended(in))
		return END_TARGET_RESET;
	return client->broken ? END_CLIENT_RESET : END_CLOSED;
}

enum end_reason relay_run(struct relay *r)
{
	struct end client = {.fd = r->client}, target = {.fd = r->target};
	struct flow flows[2] = {0};
	struct flow *out = &flows[OUTWARD], *in = &flows[INWARD];
	enum end_reason reason;

	init_flow(out, r, r->to_target, TRAFFIC_SENT);
	init_flow(in, r, r->to_client, TRAFFIC_RECEIVED);
	out->from = in->to = &client;
	in->from = out->to = &target;
	out->reverse = in;
	in->reverse = out;
	out->filter = r->out_filter;
	in->filter = r->in_filter;
	limit_room(out, r->room);
	limit_room(in, r->room);
	in->source_ended = ends_by_filter(in); /* by what was there before */
	pace_init(&out->pace, &r->accounts, TRAFFIC_SENT, target.fd);
	pace_init(&in->pace, &r->accounts, TRAFFIC_RECEIVED, client.fd);
	out->writable = true;
	note_activity(r, flows);
	reason = run_flows(r, flows);
	r->error = out->error != 0 ? out->error : in->error;
	r->has_delivered = in->finished;
	if (r->error != 0)
		reason = END_RELAY_FAILED;
	else if (is_spent(flows))
		reason = END_QUOTA_REACHED;
	drop_pipe(out);
	drop_pipe(in);
	give_place(out);
	give_place(in);
	pace_end(&out->pace);
	pace_end(&in->pace);
	return reason;
}
