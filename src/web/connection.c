/*
 * One request at a time: while it is answered nothing is read, so that a client that does not read
 * fills only its own buffers. What it has sent ahead stays where it is and is answered next. Memory
 * for requests is there only while one comes in; an answer is put together as a whole.
 *
 * A request that is malformed, too slow or too large is answered as far as that helps, and then the
 * connection ends: nobody knows where the next one would begin.
 */
#include "web/connection.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/socket.h"
#include "web/gather.h"
#include "web/handlers.h"
#include "web/respond.h"
#include "web/view.h"

#define IN_MAX (WEB_HEAD_MAX + WEB_BODY_MAX)
#define LINGER_MS 2000
#define SENDS_A_TURN 8 /* then the other clients have theirs */

/* ---- opening and closing ---- */

struct web_connection *connection_of(struct order *o)
{
	return (struct web_connection *)((char *)o - offsetof(struct web_connection, order));
}

static void take_order_back(struct order *o);

void connection_open(
	struct web_connection *c, struct web_desk *desk, int fd, const struct peer *peer)
{
	*c = (struct web_connection){.desk = desk,
		.phase = WEB_READING,
		.fd = fd,
		.peer = *peer,
		.client = *peer,
		.deadline = clock_deadline(WEB_REQUEST_MS)};
	c->order.logged_as = "web command";
	c->order.user = c->user;
	c->order.peer = &c->client;
	c->order.done = desk->done;
	c->order.finished = take_order_back;
	c->order.request.server = desk->server;
	c->order.request.services = desk->services;
	c->order.request.keeper = desk->keeper;
}

static void drop_input(struct web_connection *c)
{
	if (c->in != NULL)
		sodium_memzero(c->in, IN_MAX);
	free(c->in);
	c->in = NULL;
	c->in_len = c->seen = 0;
}

void connection_close(struct web_connection *c)
{
	socket_close(c->fd);
	c->fd = -1;
	c->deadline = CLOCK_NEVER;
	if (c->order.is_away)
		return;
	respond_drop(c);
	gather_drop(c);
	view_drop(c);
	drop_input(c);
	order_wipe(&c->order);
	reply_free(&c->order.reply);
	c->phase = WEB_FREE;
}

bool connection_is_idle(const struct web_connection *c)
{
	return c->phase == WEB_CLOSING || (c->phase == WEB_READING && c->in_len == 0);
}

/* ---- answering ---- */

static void begin_writing(struct web_connection *c)
{
	c->phase = WEB_WRITING;
	c->deadline = clock_deadline(WEB_SEND_MS);
	respond_finish(c);
}

/* The answer to what is no request, behind which the connection ends. */
static void refuse_input(struct web_connection *c, unsigned status, const char *text)
{
	c->closes = true;
	c->is_head = false;
	respond_say(c, status, text);
	begin_writing(c);
}

/* Goes over to what the answer waits for, or to sending it. */
static void settle(struct web_connection *c)
{
	c->deadline = CLOCK_NEVER;
	if (c->order.is_away)
		c->phase = WEB_AWAY;
	else if (gather_is_under_way(c))
		c->phase = WEB_GATHERING;
	else
		begin_writing(c);
}

static void take_order_back(struct order *o)
{
	struct web_connection *c = connection_of(o);

	if (c->fd < 0) {
		connection_close(c);
		return;
	}
	c->resume(c);
	settle(c);
	connection_step(c, 0);
}

static bool wants_close(const struct http_slice *fields)
{
	struct http_slice rest = *fields, member;
	struct http_field field;
	bool wants = false;

	while (http_next_field(&rest, &field)) {
		if (!http_is(&field.name, "Connection"))
			continue;
		while (http_next_member(&field.value, &member))
			wants |= http_is(&member, "close");
	}
	return wants;
}

static void answer_request(struct web_connection *c)
{
	const struct http_request *head = &c->request.head;

	c->is_head = http_equals(&head->method, "HEAD");
	c->closes = head->minor == 0 || wants_close(&head->fields);
	c->gave[0] = '\0';
	c->order.request.is_proven = false;
	handlers_answer(c);
	settle(c);
}

/* ---- bytes in ---- */

static size_t find_body_length(const struct http_request *head)
{
	return head->body.framing == HTTP_LENGTH ? (size_t)head->body.length : 0;
}

/* Is there a reason to answer without the body? Then it does. */
static bool refuse_body(struct web_connection *c)
{
	const struct http_body *body = &c->request.head.body;

	if (body->framing == HTTP_CHUNKED)
		refuse_input(c, 411, "Tell the length of the body.\n");
	else if (body->framing == HTTP_LENGTH && body->length > WEB_BODY_MAX)
		refuse_input(c, 413, "The body may have 64 KiB.\n");
	else
		return false;
	return true;
}

/* Whoever waits for it before he sends the body gets it. What does not fit now is not needed. */
static void let_continue(struct web_connection *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (!c->request.head.expects_continue || c->has_continued || c->request.head.minor == 0)
		return;
	c->has_continued = true;
	if (socket_write(c->fd, text, sizeof(text) - 1) < 0)
		c->closes = true;
}

/* False when the request is not complete. */
static bool take_request(struct web_connection *c)
{
	size_t seen = c->seen, body_len;
	int len = http_parse_request(c->in, c->in_len, &seen, &c->request.head);

	if (len == HTTP_MORE && c->in_len < WEB_HEAD_MAX) {
		c->seen = seen;
		return false;
	}
	if (len == HTTP_MORE || len > WEB_HEAD_MAX)
		len = HTTP_TOO_LARGE;
	if (len < 0) {
		refuse_input(c, http_fault_status(len), http_fault_text(len));
		return true;
	}
	if (refuse_body(c))
		return true;
	body_len = find_body_length(&c->request.head);
	c->request_len = (size_t)len + body_len;
	if (c->in_len < c->request_len) {
		let_continue(c);
		return false;
	}
	c->request.body = (struct http_slice){.text = (const char *)c->in + len, .len = body_len};
	answer_request(c);
	return true;
}

/* What was answered goes; what came behind it stays. */
static void consume_request(struct web_connection *c)
{
	size_t left = c->in_len - c->request_len;

	memmove(c->in, c->in + c->request_len, left);
	sodium_memzero(c->in + left, c->in_len - left);
	c->in_len = left;
	c->seen = 0;
	c->has_continued = false;
	if (left == 0)
		drop_input(c);
}

/* False when the connection broke, or there is no memory. */
static bool receive(struct web_connection *c)
{
	bool begins = c->in_len == 0;
	ssize_t n;

	if (c->in == NULL)
		c->in = malloc(IN_MAX);
	if (c->in == NULL)
		return false;
	if (c->phase == WEB_CLOSING)
		c->in_len = 0;
	if (c->in_len == IN_MAX)
		return true;
	n = socket_read(c->fd, c->in + c->in_len, IN_MAX - c->in_len);
	if (n < 0)
		return errno == EAGAIN;
	c->input_ended = n == 0;
	c->in_len += (size_t)n;
	if (begins && n > 0 && c->phase == WEB_READING)
		c->deadline = clock_deadline(WEB_REQUEST_MS);
	return true;
}

/* ---- bytes out ---- */

/* What is to be sent next; 0: all went out. */
static size_t find_pending(const struct web_connection *c, const char **bytes)
{
	size_t body_len = c->is_head ? 0 : c->answer.body_len;

	if (c->sent < c->head_len) {
		*bytes = c->head + c->sent;
		return c->head_len - c->sent;
	}
	*bytes = c->answer.body + (c->sent - c->head_len);
	return c->head_len + body_len - c->sent;
}

/* False when the connection broke. */
static bool send_answer(struct web_connection *c, bool *is_sent)
{
	const char *bytes;
	size_t len;

	*is_sent = false;
	for (int i = 0; i < SENDS_A_TURN; i++) {
		ssize_t n;

		len = find_pending(c, &bytes);
		*is_sent = len == 0;
		if (len == 0)
			return true;
		n = socket_write(c->fd, bytes, len);
		if (n < 0)
			return errno == EAGAIN || socket_lacks_memory(errno);
		c->sent += (size_t)n;
		c->deadline = clock_deadline(WEB_SEND_MS);
	}
	return true;
}

static void end_answer(struct web_connection *c)
{
	respond_drop(c);
	if (c->closes) {
		c->phase = WEB_CLOSING;
		c->deadline = clock_deadline(LINGER_MS);
		socket_end_stream(c->fd);
		return;
	}
	consume_request(c);
	c->phase = WEB_READING;
	c->deadline = clock_deadline(c->in_len > 0 ? WEB_REQUEST_MS : WEB_KEPT_MS);
}

/* ---- polling ---- */

short connection_events(const struct web_connection *c)
{
	if (c->phase == WEB_FREE || c->phase == WEB_AWAY || c->phase == WEB_GATHERING || c->fd < 0)
		return 0;
	return c->phase == WEB_WRITING ? POLLOUT : POLLIN;
}

bool connection_is_busy(const struct web_connection *c)
{
	return c->phase == WEB_GATHERING;
}

/* Goes on as far as it can; false when the connection is to be closed. */
static bool proceed(struct web_connection *c)
{
	bool is_sent;

	for (;;) {
		if (c->phase == WEB_READING && (c->in_len == 0 || !take_request(c)))
			return !c->input_ended;
		if (c->phase == WEB_AWAY || c->phase == WEB_GATHERING)
			return true;
		if (c->phase != WEB_WRITING)
			return !c->input_ended;
		if (!send_answer(c, &is_sent))
			return false;
		if (!is_sent)
			return true;
		end_answer(c);
	}
}

/* Who was in the middle of a request is told. */
static void give_up(struct web_connection *c)
{
	if (c->phase == WEB_READING && c->in_len > 0) {
		refuse_input(c, 408, "The request took too long.\n");
		if (proceed(c))
			return;
	}
	connection_close(c);
}

void connection_step(struct web_connection *c, short revents)
{
	if (c->phase == WEB_FREE || c->fd < 0)
		return;
	if (c->phase == WEB_GATHERING) {
		gather_go_on(c);
		settle(c);
	}
	if ((revents & (POLLERR | POLLNVAL)) != 0 ||
		((revents & (POLLIN | POLLHUP)) != 0 &&
			(c->phase == WEB_READING || c->phase == WEB_CLOSING) && !receive(c)) ||
		!proceed(c)) {
		connection_close(c);
		return;
	}
	if (clock_ms() >= c->deadline)
		give_up(c);
}
