/*
 * The request's head stands in the buffer and is rewritten in its place; then the relay moves bytes
 * both ways, and two filters see to it that they are two messages and no more. What the client
 * sends behind its request is thrown away: it may be another request, which nobody has judged. What
 * the server sends behind its answer is not even read. The answer's head is held back until it is
 * whole, since fields of it are the server's word to us; interim answers are passed on before it.
 *
 * A body's bytes are seen by a filter only where they have to be: a length and the data of a large
 * chunk are left to the relay, which may splice them.
 *
 * Who reads an answer to the end of the connection takes a broken one for a whole one unless it is
 * broken off. So it matters in which way an answer has ended: with its own end, with the stream's
 * where that is its end, or before.
 */
#include "proxy/exchange.h"

#include <string.h>

#include "base/clock.h"
#include "proxy/dialect.h"
#include "proxy/http_forward.h"
#include "proxy/upstream.h"
#include "wire/http.h"
#include "wire/http_response.h"
#include "wire/http_write.h"

static struct message *message_of(struct relay_filter *filter)
{
	return (struct message *)(void *)filter;
}

static bool is_answer(const struct message *m)
{
	return m == &m->exchange->response;
}

static void fail_exchange(struct message *m, enum end_reason reason)
{
	m->filter.failed = true;
	m->exchange->failure = reason;
}

/* ---- bodies ---- */

static void end_message(struct message *m)
{
	m->filter.ended = true;
	m->filter.unseen = 0;
}

/* What stands behind the message. */
static void throw_away(struct message *m, struct buffer *b, size_t bytes)
{
	buffer_retract(b, bytes);
	m->exchange->has_more |= bytes > 0 && !is_answer(m);
}

static void sift_length(struct message *m, struct buffer *b, size_t fresh)
{
	size_t taken = fresh;

	if ((uint64_t)m->body.length < fresh)
		taken = (size_t)m->body.length;
	m->body.length -= (int64_t)taken;
	m->filter.unseen = (uint64_t)m->body.length;
	throw_away(m, b, fresh - taken);
	if (m->body.length == 0)
		end_message(m);
}

/* Goes through the chunks in the last `fresh` bytes, and leaves those that are passed on. */
static void sift_chunks(struct message *m, struct buffer *b, size_t fresh)
{
	uint8_t *from = buffer_tail(b) - fresh, *to = from;
	bool is_data;
	size_t n;

	while (fresh > 0 && (n = http_chunked_take(&m->chunks, from, fresh, &is_data)) > 0) {
		if (is_data || !m->takes_chunks_apart) {
			memmove(to, from, n);
			to += n;
		}
		from += n;
		fresh -= n;
	}
	buffer_retract(b, (size_t)(from - to));
	m->filter.unseen = m->chunks.state == HTTP_CHUNK_DATA ? m->chunks.left : 0;
	if (http_chunked_is_malformed(&m->chunks))
		fail_exchange(m, is_answer(m) ? END_BAD_ANSWER : END_MALFORMED);
	if (http_chunked_has_ended(&m->chunks))
		end_message(m);
	if (fresh > 0)
		throw_away(m, b, fresh);
}

static void sift_body(struct message *m, struct buffer *b, size_t fresh)
{
	switch (m->body.framing) {
	case HTTP_NO_BODY:
		end_message(m);
		throw_away(m, b, fresh);
		break;
	case HTTP_LENGTH:
		sift_length(m, b, fresh);
		break;
	case HTTP_CHUNKED:
		sift_chunks(m, b, fresh);
		break;
	case HTTP_UNTIL_CLOSE:
		m->filter.unseen = UINT64_MAX;
		break;
	}
}

static void begin_tunnel(struct message *m)
{
	m->stage = MESSAGE_TUNNEL;
	m->filter.unseen = UINT64_MAX;
	m->filter.ended = false;
}

/* ---- the answer's head ---- */

static void fail_if_late(struct message *m, size_t waiting)
{
	int64_t now = clock_ms();

	if (waiting == 0)
		m->filter.deadline = CLOCK_NEVER;
	else if (m->filter.deadline == CLOCK_NEVER)
		m->filter.deadline = now + atomic_load(&m->exchange->relay->limits->timeout);
	else if (now >= m->filter.deadline)
		fail_exchange(m, END_IDLE);
}

/* No more of the head could be read, so its end never comes. */
static void fail_if_too_large(struct message *m, const struct buffer *b, size_t waiting)
{
	if (waiting + m->filter.spare >= b->size)
		fail_exchange(m, END_BAD_ANSWER);
}

/* Puts the head, which has `len` of the last `waiting` bytes, into the form in which it is passed
 * on. True, and `waiting` is what is behind it. */
static bool put_response_head(
	struct buffer *b, size_t len, size_t *waiting, const struct http_hop *hop)
{
	size_t at = buffer_readable(b) - *waiting, seen = 0, room;
	struct http_response r;
	struct http_writer w;

	if (!buffer_insert(b, at, HTTP_FORWARD_ROOM))
		return false;
	w = (struct http_writer){.at = (char *)b->memory + b->head + at};
	w.end = w.at + HTTP_FORWARD_ROOM + len;
	(void)http_parse_response((uint8_t *)w.at + HTTP_FORWARD_ROOM, len, &seen, &r);
	http_forward_response(&w, &r, hop);
	room = (size_t)(w.end - w.at);
	buffer_cut(b, at + HTTP_FORWARD_ROOM + len - room, room);
	*waiting -= len;
	return !w.is_full;
}

/* 1xx. Who speaks HTTP/1.0 knows none (RFC 9110 section 15.2). */
static bool pass_interim(struct message *m, struct buffer *b, size_t len, size_t *waiting)
{
	struct http_hop hop = {.has_via = m->exchange->has_via};

	if (!m->exchange->is_old)
		return put_response_head(b, len, waiting, &hop);
	buffer_cut(b, buffer_readable(b) - *waiting, len);
	*waiting -= len;
	return true;
}

/* Other codings than chunked have to be known to who reads them. */
static bool is_beyond_client(const struct message *m, const struct http_response *r)
{
	return m->exchange->is_old && r->is_coded && m->body.framing != HTTP_NO_BODY;
}

static bool pass_final(struct message *m, struct buffer *b, const struct http_response *r,
	size_t len, size_t *waiting)
{
	struct exchange *x = m->exchange;
	struct http_hop hop = {.has_via = x->has_via, .is_tunnel = r->status == 101};

	m->body = http_response_body(r, x->is_head);
	m->takes_chunks_apart = x->is_old && m->body.framing == HTTP_CHUNKED;
	m->chunks.is_lax = true;
	hop.takes_chunks_apart = m->takes_chunks_apart;
	if ((hop.is_tunnel && !x->upgrades) || is_beyond_client(m, r) ||
		!put_response_head(b, len, waiting, &hop) || !x->answer(x->who, r->status))
		return false;
	x->is_answered = true;
	m->stage = MESSAGE_BODY;
	m->filter.spare = 0;
	if (hop.is_tunnel) {
		begin_tunnel(&x->request);
		begin_tunnel(&x->response);
	}
	return true;
}

/* It asks for a login that is not the client's to give. */
static bool is_refused_by_upstream(const struct exchange *x, const struct http_response *r)
{
	return x->upstream_login != NULL && r->status == 407;
}

/* The heads in the last `waiting` bytes, up to the one whose body follows; false when there is
 * another one to come, or what there is is none. */
static bool take_heads(struct message *m, struct buffer *b, size_t *waiting)
{
	while (m->stage == MESSAGE_HEAD) {
		struct http_response r;
		int len = http_parse_response(buffer_tail(b) - *waiting, *waiting, &m->seen, &r);
		bool taken;

		if (len == HTTP_MORE) {
			fail_if_late(m, *waiting);
			fail_if_too_large(m, b, *waiting);
			return false;
		}
		if (len > 0 && is_refused_by_upstream(m->exchange, &r)) {
			fail_exchange(m, END_UPSTREAM_FAILED);
			return false;
		}
		taken = len > 0 &&
			(http_response_is_interim(&r) ? pass_interim(m, b, (size_t)len, waiting)
						      : pass_final(m, b, &r, (size_t)len, waiting));
		if (!taken) {
			fail_exchange(m, END_BAD_ANSWER);
			return false;
		}
		m->seen = 0;
		m->filter.deadline = CLOCK_NEVER;
	}
	return true;
}

/* ---- as filters ---- */

static void sift(struct relay_filter *filter, struct buffer *b, size_t fresh)
{
	struct message *m = message_of(filter);
	size_t waiting = filter->held_back + fresh;

	m->exchange->has_spoken |= is_answer(m);
	if (m->stage == MESSAGE_HEAD && !take_heads(m, b, &waiting)) {
		filter->held_back = waiting;
		return;
	}
	filter->held_back = 0;
	if (m->stage == MESSAGE_BODY)
		sift_body(m, b, waiting);
}

static void pass(struct relay_filter *filter, size_t bytes)
{
	struct message *m = message_of(filter);

	if (filter->unseen == UINT64_MAX)
		return;
	filter->unseen -= bytes;
	if (m->body.framing == HTTP_LENGTH) {
		m->body.length -= (int64_t)bytes;
		if (m->body.length == 0)
			end_message(m);
		return;
	}
	http_chunked_skip(&m->chunks, bytes);
}

/* The stream's end is an answer's where nothing else is. A client that has finished, in the middle
 * of a body even, may wait for what the server says to that. */
static void cut(struct relay_filter *filter, bool is_broken)
{
	struct message *m = message_of(filter);

	if (filter->ended || !is_answer(m) || m->stage == MESSAGE_TUNNEL)
		return;
	if (m->stage == MESSAGE_HEAD || (m->takes_chunks_apart && !is_broken))
		fail_exchange(m, END_BAD_ANSWER);
	else if (m->body.framing == HTTP_UNTIL_CLOSE && !is_broken)
		end_message(m);
}

static void init_message(struct message *m, struct exchange *x)
{
	*m = (struct message){.exchange = x,
		.filter = {.sift = sift, .pass = pass, .cut = cut, .deadline = CLOCK_NEVER}};
}

/* ---- the request ---- */

_Static_assert(
	HTTP_FORWARD_ROOM + sizeof("Proxy-Authorization: \r\n") + UPSTREAM_AUTHORIZATION_MAX <=
		DIALECT_SPARE,
	"a head is rewritten in the handshake's buffer");

static void note_request(struct exchange *x, const struct http_request *r)
{
	x->is_head = http_equals(&r->method, "HEAD");
	x->is_old = r->minor == 0;
	x->upgrades = http_forward_upgrades(r);
	x->request.body = r->body;
	x->request.stage = MESSAGE_BODY;
}

static size_t room_for_head(const struct exchange *x)
{
	static const char field[] = "Proxy-Authorization: \r\n";

	if (x->upstream_login == NULL || *x->upstream_login == '\0')
		return HTTP_FORWARD_ROOM;
	return HTTP_FORWARD_ROOM + sizeof(field) + strlen(x->upstream_login);
}

/* Rewrites the head, and leaves of what is behind it what is of its body. */
static void begin_request(struct exchange *x)
{
	struct buffer *b = x->relay->to_target;
	size_t all = buffer_readable(b), seen = 0, room = room_for_head(x), rest;
	struct http_request r;
	struct http_writer w;
	int len = 0;

	if (buffer_insert(b, 0, room))
		len = http_parse_request(buffer_head(b) + room, all, &seen, &r);
	if (len <= 0) {
		fail_exchange(&x->request, END_MALFORMED);
		return;
	}
	w = (struct http_writer){.at = (char *)b->memory + b->head};
	w.end = w.at + room + len;
	note_request(x, &r);
	if (x->upstream_login != NULL)
		http_forward_absolute(&w, &r, x->has_via, x->upstream_login);
	else
		http_forward_request(&w, &r, x->has_via);
	rest = (size_t)(w.end - w.at);
	buffer_cut(b, room + (size_t)len - rest, rest);
	sift_body(&x->request, b, all - (size_t)len);
}

/* An upstream may have sent the beginning of it with its own reply. */
static void begin_response(struct exchange *x)
{
	struct buffer *b = x->relay->to_client;

	if (x->failure == END_REASONS && buffer_readable(b) > 0)
		sift(&x->response.filter, b, buffer_readable(b));
}

/* ---- the whole ---- */

static void judge_end(struct exchange *x, enum end_reason reason)
{
	bool is_whole = x->response.stage == MESSAGE_TUNNEL ||
		(x->response.filter.ended && x->relay->has_delivered);

	x->is_torn = x->is_answered && !is_whole;
	x->has_more |= !x->request.filter.ended && x->response.stage != MESSAGE_TUNNEL;
	if (x->failure != END_REASONS || x->is_answered)
		return;
	if (reason == END_TARGET_RESET || reason == END_CLOSED)
		x->failure = END_BAD_ANSWER;
	else if (reason != END_CLIENT_RESET)
		x->failure = reason;
}

enum end_reason exchange_run(struct exchange *x)
{
	enum end_reason reason = END_CLOSED;

	x->failure = END_REASONS;
	init_message(&x->request, x);
	init_message(&x->response, x);
	x->response.filter.ends_stream = true;
	x->response.filter.spare = HTTP_FORWARD_ROOM;
	x->relay->out_filter = &x->request.filter;
	x->relay->in_filter = &x->response.filter;
	begin_request(x);
	begin_response(x);
	if (x->failure == END_REASONS)
		reason = relay_run(x->relay);
	judge_end(x, reason);
	return reason;
}
