/*
 * A console answers one request at a time: while a reply goes out, or an errand is under way,
 * nothing is read, so that a client that does not read its answers fills only its own buffers. What
 * it has sent ahead is answered in its order, also when it has shut down its sending side since.
 */
#include "monitor/console.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/socket.h"

#define LINGER_MS 2000
#define REFUSED_PERIOD_MS 1000 /* of the lines that say so */
#define SENDS_A_TURN 8 /* then the other clients have theirs */

static struct console *console_of(struct errand *e)
{
	return (struct console *)((char *)e - offsetof(struct console, errand));
}

/* ---- opening and closing ---- */

static void renew_deadline(struct console *c)
{
	struct config *config = config_get(c->desk->services->config);
	const struct settings *s = &config->settings;

	/* Whoever watches may do so for days. */
	c->deadline = c->reply.is_lasting
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

static void welcome(struct console *c, const char *name)
{
	c->phase = CONSOLE_COMMANDS;
	log_login(c);
	reply_add(&c->reply, MONITOR_WELCOME "%s\n", name);
}

static void greet(struct console *c)
{
	const char *name;

	if (!c->is_operator) {
		c->phase = CONSOLE_LOGIN;
		reply_add(&c->reply, "%s\n", MONITOR_PROMPT);
		return;
	}
	name = peer_name(&c->peer, &c->desk->names);
	snprintf(c->user, sizeof(c->user), "%s@socket", name);
	welcome(c, name);
}

void console_open(struct console *c, struct desk *desk, int fd, const struct peer *peer)
{
	c->desk = desk;
	c->fd = fd;
	c->number = ++desk->opened;
	c->peer = *peer;
	c->is_operator = peer_is_operator(peer);
	c->is_away = c->input_ended = c->is_skipping = false;
	c->in_len = c->user_len = 0;
	c->rests_until = 0;
	backoff_end(&c->rest);
	c->request.server = desk->server;
	c->request.services = desk->services;
	c->request.keeper = desk->keeper;
	reply_reset(&c->reply);
	greet(c);
	renew_deadline(c);
	console_step(c, 0);
}

/* The password of a request or login. */
static void wipe_request(struct console *c)
{
	sodium_memzero(c->request.memory, sizeof(c->request.memory));
	sodium_memzero(c->request.hash, sizeof(c->request.hash));
}

void console_close(struct console *c)
{
	socket_close(c->fd);
	c->fd = -1;
	c->deadline = CLOCK_NEVER;
	if (c->is_away)
		return;
	c->phase = CONSOLE_FREE;
	reply_reset(&c->reply);
	sodium_memzero(c->in, sizeof(c->in));
	wipe_request(c);
}

void console_dismiss(struct console *c, const char *line)
{
	if (c->reply.len == c->reply.sent && c->reply.source == NULL &&
		socket_write(c->fd, line, strlen(line)) > 0)
		socket_end_stream(c->fd);
	console_close(c);
}

void console_free(struct console *c)
{
	reply_free(&c->reply);
}

/* The last words went out. */
static void begin_closing(struct console *c)
{
	c->phase = CONSOLE_CLOSING;
	c->deadline = clock_deadline(LINGER_MS);
	socket_end_stream(c->fd);
}

/* ---- login ---- */

static void log_refusal(const struct console *c, uint64_t held_back)
{
	char text[PEER_TEXT_MAX];
	struct log_line line;

	log_begin(&line, LOG_WARN, "monitor login refused");
	log_text(&line, "client", peer_format(&c->peer, text));
	log_number(&line, "failures", holdoff_failures(c->desk->services->holdoff, &c->peer.from));
	if (held_back > 0)
		log_number(&line, "others_since_last_line", (int64_t)held_back);
	log_end(&line);
}

static void count_refused_login(struct console *c)
{
	uint64_t held_back;

	if (c->login == LOGIN_NO_MEMORY) {
		if (log_limit_pass(&c->desk->refused_limit, REFUSED_PERIOD_MS, &held_back))
			log_message(LOG_ERROR,
				"a login at the monitor could not be checked: out of memory");
		return;
	}
	stats_add(&c->desk->services->stats.monitor_logins_refused, 1);
	if (c->login != LOGIN_HELD_OFF &&
		log_limit_pass(&c->desk->refused_limit, REFUSED_PERIOD_MS, &held_back))
		log_refusal(c, held_back);
}

static void answer_login(struct console *c)
{
	static const char *const refusals[] = {
		[LOGIN_REFUSED] = "Invalid credentials",
		[LOGIN_TOO_BUSY] = "Invalid credentials",
		[LOGIN_HELD_OFF] = "Too many failed logins",
		[LOGIN_DISABLED] = "Invalid credentials",
		[LOGIN_EXPIRED] = "Invalid credentials",
		[LOGIN_NOT_FROM_HERE] = "Invalid credentials",
		[LOGIN_NO_MEMORY] = "Out of memory: the password could not be checked",
	};

	if (c->login == LOGIN_OK) {
		welcome(c, c->user);
		return;
	}
	count_refused_login(c);
	reply_error(&c->reply, "%s", refusals[c->login]);
	c->reply.closes = true;
}

/* The password is in the request's memory. */
static struct login login_of(const struct console *c)
{
	return (struct login){.name = c->user,
		.name_len = c->user_len,
		.password = c->request.memory,
		.password_len = strlen(c->request.memory),
		.holdoff = c->desk->services->holdoff,
		.from = &c->peer.from};
}

/* Is it logged in under that name, or about to be? With a command under way it is another thread's:
 * that is refused, or the next one is (has_old_password()). */
static bool is_of_user(const struct console *c, const char *user)
{
	bool is_logging_in = c->phase == CONSOLE_LOGIN && c->is_away;
	bool is_idle = c->phase == CONSOLE_COMMANDS && !c->is_away;

	return !c->is_operator && (is_logging_in || is_idle) && strcmp(c->user, user) == 0;
}

/* Whoever has the old password of the user, whose new one this console has just set, is not to go
 * on with it. */
static void end_other_consoles(const struct console *c)
{
	const struct desk *desk = c->desk;

	for (size_t i = 0; i < desk->count; i++) {
		struct console *other = &desk->consoles[i];

		if (other != c && is_of_user(other, c->request.parameters[0]))
			console_dismiss(other,
				other->phase == CONSOLE_LOGIN ? "ERR The password was changed\n"
							      : "ERR The password was changed\n\n");
	}
}

static bool has_succeeded(const struct console *c)
{
	return !c->reply.failed && strncmp(c->reply.text, "OK", 2) == 0;
}

static void finish_errand(struct errand *e)
{
	struct console *c = console_of(e);

	c->is_away = false;
	if (c->phase == CONSOLE_COMMANDS && c->request.command->ends_consoles && has_succeeded(c))
		end_other_consoles(c);
	wipe_request(c);
	if (c->fd < 0) {
		console_close(c);
		return;
	}
	if (c->phase == CONSOLE_LOGIN)
		answer_login(c);
	renew_deadline(c);
	console_step(c, 0);
}

/* What the other threads do in turn; NULL: nothing. */
struct steps {
	void (*hash)(struct errand *e);
	void (*run)(struct errand *e); /* the main thread */
	void (*look_up)(struct errand *e); /* that which may wait for name servers */
	void (*keep)(struct errand *e);
};

/* Until it is back nothing is read. */
static void send_errand(struct console *c, const struct steps *steps)
{
	struct server *server = c->desk->server;

	c->is_away = true;
	c->deadline = CLOCK_NEVER;
	errand_begin(&c->errand);
	if (steps->hash != NULL)
		errand_add_step(&c->errand, server_hashes(server), steps->hash);
	if (steps->run != NULL)
		errand_add_step(&c->errand, server_errands(server), steps->run);
	if (steps->look_up != NULL)
		errand_add_step(&c->errand, server_lookups(server), steps->look_up);
	if (steps->keep != NULL)
		errand_add_step(&c->errand, keeper_errands(c->desk->keeper), steps->keep);
	errand_add_step(&c->errand, c->desk->done, finish_errand);
	errand_send(&c->errand);
}

static void check_admin_login(struct errand *e)
{
	struct console *c = console_of(e);
	struct login login = login_of(c);

	c->login = users_login_admin(c->desk->services->users, &login);
}

/* Who is known needs no slow hash, and waits for nobody's. */
static void log_in(struct console *c)
{
	struct login login = login_of(c);

	/* Before the password is compared: what changes meanwhile makes it an old one. */
	c->password_mark = users_password_mark(c->desk->services->users, c->user);
	if (users_knows_admin(c->desk->services->users, &login)) {
		c->login = LOGIN_OK;
		answer_login(c);
		wipe_request(c);
	} else {
		send_errand(c, &(struct steps){.hash = check_admin_login});
	}
}

static void take_login_line(struct console *c, const struct monitor_line *line)
{
	const char *colon = memchr(line->text, ':', line->len);
	size_t name_len = colon == NULL ? 0 : (size_t)(colon - line->text);

	if (name_len == 0 || name_len > USERS_NAME_MAX || !monitor_is_printable(line)) {
		reply_error(&c->reply, "Invalid format. Use username:password");
		c->reply.closes = true;
		return;
	}
	memcpy(c->user, line->text, name_len);
	c->user[name_len] = '\0';
	c->user_len = name_len;
	memcpy(c->request.memory, colon + 1, line->len - name_len - 1);
	c->request.memory[line->len - name_len - 1] = '\0';
	log_in(c);
}

/* ---- commands ---- */

/* What changes something is logged, with whom or what it is about, and never with a password. */
static void log_command(const struct console *c)
{
	const struct request *q = &c->request;
	char text[PEER_TEXT_MAX];
	struct log_line line;

	if (q->command->logged_from == 0 || q->count + 1 < q->command->logged_from)
		return;
	log_begin(&line, LOG_INFO, "monitor command");
	log_text(&line, "user", c->user);
	log_text(&line, "client", peer_format(&c->peer, text));
	log_text(&line, "command", q->command->word);
	if (q->count > 0)
		log_text(&line, "about", q->parameters[0]);
	log_text(&line, "answer", has_succeeded(c) ? "OK" : "ERR");
	log_end(&line);
}

static bool is_answered(const struct console *c)
{
	return c->reply.len > 0 || c->reply.failed;
}

/* Was the password changed since it logged in, by another console, or in the file? */
static bool has_old_password(const struct console *c)
{
	struct users *users = c->desk->services->users;
	uint64_t mark = users_password_mark(users, c->user);

	return mark != 0 && mark != c->password_mark;
}

/* If not, the reply says so. */
static bool may_run(struct console *c)
{
	if (c->is_operator)
		return true;
	if (!has_old_password(c))
		return commands_allowed(&c->request, c->user, &c->reply);
	reply_error(&c->reply, "The password was changed");
	c->reply.closes = true;
	return false;
}

static void prepare_command(struct errand *e)
{
	struct console *c = console_of(e);

	if (may_run(c))
		c->request.command->prepare(&c->request, &c->reply);
}

static void perform(struct console *c)
{
	if (!is_answered(c) && may_run(c)) {
		c->request.command->run(&c->request, &c->reply);
		/* Whoever has changed his own goes on. */
		if (c->request.command->ends_consoles)
			c->password_mark = users_password_mark(c->desk->services->users, c->user);
	}
}

static void conclude(struct console *c)
{
	if (!c->reply.failed)
		log_command(c);
	reply_finish(&c->reply);
}

/* In the thread that the command asks for. */
static void execute(struct console *c)
{
	perform(c);
	conclude(c);
}

static void run_command(struct errand *e)
{
	execute(console_of(e));
}

static void run_kept_command(struct errand *e)
{
	perform(console_of(e));
}

/* Behind a command that was done: what it has changed holds in any case. */
static void keep_command(struct errand *e)
{
	struct console *c = console_of(e);
	char why[DATABASE_ERROR_MAX];

	if (has_succeeded(c) && keeper_write(c->desk->keeper, why) < 0) {
		reply_reset(&c->reply);
		reply_error(&c->reply,
			"Done, but it may not outlast a restart: state_dir cannot be written: %s",
			why);
	}
	conclude(c);
}

static void send_command(struct console *c)
{
	const struct command *command = c->request.command;
	struct steps steps = {.run = run_command};

	if (command->is_keepers)
		steps = (struct steps){.keep = run_command};
	if (command->asks_names)
		steps = (struct steps){.look_up = run_command};
	if (command->prepare != NULL)
		steps.hash = prepare_command;
	if (command->is_kept && c->desk->keeper != NULL) {
		steps.run = run_kept_command;
		steps.keep = keep_command;
	}
	send_errand(c, &steps);
}

static void take_command_line(struct console *c, const struct monitor_line *line)
{
	struct request *q = &c->request;

	if (!monitor_is_printable(line)) {
		reply_error(&c->reply, "Control bytes are not allowed");
		reply_finish(&c->reply);
	} else if (!commands_parse(line, q, &c->reply)) {
		wipe_request(c);
		reply_finish(&c->reply);
	} else if (q->command->is_errand || (q->command->is_keepers && c->desk->keeper != NULL)) {
		send_command(c);
	} else {
		execute(c);
	}
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
	reply_reset(&c->reply);
	if (len == MONITOR_TOO_LONG) {
		reply_error(&c->reply, "Line too long");
		if (c->phase == CONSOLE_COMMANDS)
			reply_finish(&c->reply);
		c->is_skipping = true;
		return true;
	}
	if (c->phase == CONSOLE_LOGIN)
		take_login_line(c, &line);
	else
		take_command_line(c, &line);
	consume(c, (size_t)len);
	if (!c->is_away && c->phase == CONSOLE_COMMANDS)
		renew_deadline(c);
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
		len = reply_pending(&c->reply, &bytes);
		if (c->reply.failed)
			return SEND_FAILED;
		if (len == 0)
			return SENT_ALL;
		n = socket_write(c->fd, bytes, len);
		if (n < 0)
			return may_pass(c, errno) ? SENT_SOME : SEND_FAILED;
		backoff_end(&c->rest);
		reply_consume(&c->reply, (size_t)n);
		if (c->phase == CONSOLE_COMMANDS)
			renew_deadline(c);
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
	reply_stop(&c->reply);
	renew_deadline(c);
}

/* May whoever began to watch still do so? It is asked as often as there is something to see. */
static bool may_go_on(const struct console *c)
{
	return c->is_operator || (!has_old_password(c) && commands_may(&c->request, c->user));
}

/* Answers what there is to answer; false when the connection is to be closed. */
static bool proceed(struct console *c)
{
	while (!c->is_away && c->phase != CONSOLE_CLOSING) {
		if (c->reply.is_lasting && !may_go_on(c))
			return false;
		if (c->reply.is_lasting)
			end_lasting(c);
		switch (send_reply(c)) {
		case SEND_FAILED:
			return false;
		case SENT_SOME:
			return true;
		case SENT_ALL:
			break;
		}
		if (c->reply.is_lasting)
			return !c->input_ended;
		if (c->reply.closes)
			begin_closing(c);
		else if (!take_next_line(c))
			return !c->input_ended;
	}
	return c->is_away || !c->input_ended;
}

/* ---- polling ---- */

static bool has_pending(const struct console *c)
{
	const struct reply *r = &c->reply;

	return r->sent < r->len || (r->source != NULL && !r->is_waiting);
}

short console_events(const struct console *c)
{
	if (c->phase == CONSOLE_FREE || c->is_away)
		return 0;
	if (c->phase == CONSOLE_CLOSING || !has_pending(c))
		return POLLIN;
	/* However much happens, the line that ends it is heard. */
	if (c->reply.is_lasting && !c->input_ended && c->in_len < sizeof(c->in))
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
		((revents & (POLLIN | POLLHUP)) != 0 && !c->is_away && !receive(c)) ||
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
