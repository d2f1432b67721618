/*
 * A console answers one request at a time: while a reply goes out, or an errand is under way,
 * nothing is read, so that a client that does not read its answers fills only its own buffers. What
 * it has sent ahead is answered in its order, also when it has shut down its sending side since.
 */
#include "monitor/console_parts.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/socket.h"

#define LINGER_MS 2000
#define SENDS_A_TURN 8 /* then the other clients have theirs */

/* ---- opening and closing ---- */

void console_renew_deadline(struct console *c)
{
	struct config *config = config_get(c->desk->services->config);
	const struct settings *s = &config->settings;

	/* Whoever watches may do so for days. */
	c->deadline = c->order.reply.is_lasting
		? CLOCK_NEVER
		: clock_deadline(c->phase == CONSOLE_LOGIN ? s->monitor_login_timeout
							   : s->monitor_timeout);
	config_release(config);
}

/* One that comes each second, as of watch(1), is not told each time. */
static void log_login(const struct console *c)
{
	char text[PEER_TEXT_MAX];
	struct log_line line;
	uint64_t held_back;

	if (!recurring_is_news(
		    &c->desk->recurring, c->user, &c->peer.client, clock_ms(), &held_back))
		return;
	log_begin(&line, LOG_INFO, "monitor login");
	log_text(&line, "client", peer_format(&c->peer, text));
	log_text(&line, "user", c->user);
	if (held_back > 0)
		log_number(&line, "others_since_last_line", (int64_t)held_back);
	log_end(&line);
}

void console_welcome(struct console *c, const char *name)
{
	c->phase = CONSOLE_COMMANDS;
	log_login(c);
	reply_add(&c->order.reply, MONITOR_WELCOME "%s\n", name);
}

static void greet(struct console *c)
{
	const char *name;

	if (!c->order.is_operator) {
		c->phase = CONSOLE_LOGIN;
		reply_add(&c->order.reply, "%s\n", MONITOR_PROMPT);
		return;
	}
	name = peer_name(&c->peer, &c->desk->names);
	snprintf(c->user, sizeof(c->user), "%s@socket", name);
	console_welcome(c, name);
}

void console_open(struct console *c, struct desk *desk, int fd, const struct peer *peer)
{
	c->desk = desk;
	c->fd = fd;
	c->number = ++desk->opened;
	c->peer = *peer;
	c->order.is_operator = peer_is_operator(peer);
	c->order.is_away = false;
	c->input_ended = c->is_skipping = false;
	c->in_len = c->user_len = 0;
	c->rests_until = 0;
	backoff_end(&c->rest);
	c->order.logged_as = "monitor command";
	c->order.user = c->user;
	c->order.peer = &c->peer;
	c->order.done = desk->done;
	c->order.finished = console_take_back;
	c->order.request.server = desk->server;
	c->order.request.services = desk->services;
	c->order.request.keeper = desk->keeper;
	reply_reset(&c->order.reply);
	greet(c);
	console_renew_deadline(c);
	console_step(c, 0);
}

void console_close(struct console *c)
{
	socket_close(c->fd);
	c->fd = -1;
	c->deadline = CLOCK_NEVER;
	if (c->order.is_away)
		return;
	c->phase = CONSOLE_FREE;
	reply_reset(&c->order.reply);
	sodium_memzero(c->in, sizeof(c->in));
	order_wipe(&c->order);
}

void console_dismiss(struct console *c, const char *line)
{
	if (c->order.reply.len == c->order.reply.sent && c->order.reply.source == NULL &&
		socket_write(c->fd, line, strlen(line)) > 0)
		socket_end_stream(c->fd);
	console_close(c);
}

void console_free(struct console *c)
{
	reply_free(&c->order.reply);
}

/* The last words went out. */
static void begin_closing(struct console *c)
{
	c->phase = CONSOLE_CLOSING;
	c->deadline = clock_deadline(LINGER_MS);
	socket_end_stream(c->fd);
}

/* ---- bytes in ---- */

static void consume(struct console *c, size_t n)
{
	memmove(c->in, c->in + n, c->in_len - n);
	sodium_memzero(c->in + c->in_len - n, n);
	c->in_len -= n;
}

/* Drops what belongs to a line that was too long; false when all there is does. */
static bool skip(struct console *c)
{
	bool ended;

	consume(c, monitor_skip_line(c->in, c->in_len, &ended));
	c->is_skipping = !ended;
	return ended;
}

/* Takes one line in, if there is one, and answers it or sends an errand; false when there is none.
 */
static bool take_next_line(struct console *c)
{
	struct monitor_line line;
	int len;

	if (c->is_skipping && !skip(c))
		return false;
	len = monitor_parse_line(c->in, c->in_len, &line);
	if (len == MONITOR_MORE)
		return false;
	reply_reset(&c->order.reply);
	if (len == MONITOR_TOO_LONG) {
		reply_error(&c->order.reply, "Line too long");
		if (c->phase == CONSOLE_COMMANDS)
			reply_finish(&c->order.reply);
		c->is_skipping = true;
		return true;
	}
	if (c->phase == CONSOLE_LOGIN)
		console_take_login_line(c, &line);
	else
		console_take_command_line(c, &line);
	consume(c, (size_t)len);
	if (!c->order.is_away && c->phase == CONSOLE_COMMANDS)
		console_renew_deadline(c);
	return true;
}

/* Did a read or write fail for what passes? For want of memory the console rests until it is tried
 * again. */
static bool may_pass(struct console *c, int error)
{
	if (socket_lacks_memory(error))
		c->rests_until = clock_deadline(backoff_next(&c->rest));
	return error == EAGAIN || socket_lacks_memory(error);
}

/* Reads what is there; false when the connection broke. */
static bool receive(struct console *c)
{
	ssize_t n;

	if (c->phase == CONSOLE_CLOSING)
		c->in_len = 0;
	if (c->input_ended || c->in_len == sizeof(c->in))
		return true;
	n = socket_read(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len);
	if (n < 0)
		return may_pass(c, errno);
	backoff_end(&c->rest);
	c->input_ended = n == 0;
	c->in_len += (size_t)n;
	return true;
}

/* ---- bytes out ---- */

enum sending { SENT_ALL, SENT_SOME, SEND_FAILED };

static enum sending send_reply(struct console *c)
{
	const char *bytes;
	size_t len;
	ssize_t n;

	for (int i = 0; i < SENDS_A_TURN; i++) {
		len = reply_pending(&c->order.reply, &bytes);
		if (c->order.reply.failed)
			return SEND_FAILED;
		if (len == 0)
			return SENT_ALL;
		n = socket_write(c->fd, bytes, len);
		if (n < 0)
			return may_pass(c, errno) ? SENT_SOME : SEND_FAILED;
		backoff_end(&c->rest);
		reply_consume(&c->order.reply, (size_t)n);
		if (c->phase == CONSOLE_COMMANDS)
			console_renew_deadline(c);
	}
	return SENT_SOME;
}

/* The next line ends a reply that lasts, whatever it says. */
static void end_lasting(struct console *c)
{
	struct monitor_line line;
	int len;

	if (c->is_skipping && !skip(c))
		return;
	len = monitor_parse_line(c->in, c->in_len, &line);
	if (len == MONITOR_MORE)
		return;
	c->is_skipping = len == MONITOR_TOO_LONG;
	if (!c->is_skipping)
		consume(c, (size_t)len);
	reply_stop(&c->order.reply);
	console_renew_deadline(c);
}

/* Answers what there is to answer; false when the connection is to be closed. */
static bool proceed(struct console *c)
{
	while (!c->order.is_away && c->phase != CONSOLE_CLOSING) {
		if (c->order.reply.is_lasting && !order_may_go_on(&c->order))
			return false;
		if (c->order.reply.is_lasting)
			end_lasting(c);
		switch (send_reply(c)) {
		case SEND_FAILED:
			return false;
		case SENT_SOME:
			return true;
		case SENT_ALL:
			break;
		}
		if (c->order.reply.is_lasting)
			return !c->input_ended;
		if (c->order.reply.closes)
			begin_closing(c);
		else if (!take_next_line(c))
			return !c->input_ended;
	}
	return c->order.is_away || !c->input_ended;
}

/* ---- polling ---- */

static bool has_pending(const struct console *c)
{
	const struct reply *r = &c->order.reply;

	return r->sent < r->len || (r->source != NULL && !r->is_waiting);
}

short console_events(const struct console *c)
{
	if (c->phase == CONSOLE_FREE || c->order.is_away)
		return 0;
	if (c->phase == CONSOLE_CLOSING || !has_pending(c))
		return POLLIN;
	/* However much happens, the line that ends it is heard. */
	if (c->order.reply.is_lasting && !c->input_ended && c->in_len < sizeof(c->in))
		return POLLIN | POLLOUT;
	return POLLOUT;
}

void console_step(struct console *c, short revents)
{
	static const char *const farewells[] = {
		[CONSOLE_LOGIN] = "ERR Time to log in is over\n",
		[CONSOLE_COMMANDS] = "ERR Idle for too long\n\n",
	};

	if (c->phase == CONSOLE_FREE || c->fd < 0)
		return;
	if ((revents & (POLLERR | POLLNVAL)) != 0 ||
		((revents & (POLLIN | POLLHUP)) != 0 && !c->order.is_away && !receive(c)) ||
		!proceed(c)) {
		console_close(c);
		return;
	}
	if (clock_ms() < c->deadline)
		return;
	if (c->phase == CONSOLE_CLOSING)
		console_close(c);
	else
		console_dismiss(c, farewells[c->phase]);
}
