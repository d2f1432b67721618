/*
 * What a line leads to: it is answered at once, or it is an errand, which other threads do and
 * which comes back (order.h). Meanwhile the console is away, and nothing of it is read. A password
 * is wiped when it has been used.
 */
#include "monitor/console_parts.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define REFUSED_PERIOD_MS 1000 /* of the lines that say so */

static struct console *console_of(struct order *o)
{
	return (struct console *)((char *)o - offsetof(struct console, order));
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

static void note_refused_login(struct console *c)
{
	uint64_t held_back;

	if (c->login == LOGIN_NO_MEMORY) {
		if (log_limit_pass(&c->desk->refused_limit, REFUSED_PERIOD_MS, &held_back))
			log_message(LOG_ERROR,
				"a login at the monitor could not be checked: out of memory");
		return;
	}
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
		[LOGIN_NO_HELPER] = "Invalid credentials",
		[LOGIN_UNANSWERED] = "Invalid credentials",
		[LOGIN_NO_MEMORY] = "Out of memory: the password could not be checked",
	};

	login_counts_add(&c->desk->services->stats.logins, LOGIN_AT_MONITOR, c->login);
	if (c->login == LOGIN_OK) {
		console_welcome(c, c->user);
		return;
	}
	note_refused_login(c);
	reply_error(&c->order.reply, "%s", refusals[c->login]);
	c->order.reply.closes = true;
}

/* The password is in the request's memory. */
static struct login login_of(const struct console *c)
{
	return (struct login){.name = c->user,
		.name_len = c->user_len,
		.password = c->order.request.memory,
		.password_len = strlen(c->order.request.memory),
		.holdoff = c->desk->services->holdoff,
		.from = &c->peer.from};
}

/* Is it logged in, or about to be, and does nothing of which another thread is the one to ask? */
static bool can_be_ended(const struct console *c)
{
	return c->phase == CONSOLE_LOGIN ? c->order.is_away
					 : c->phase == CONSOLE_COMMANDS && !c->order.is_away;
}

/* Whoever has an old password is not to go on with it, nor to be told anything more. */
static void end_old_consoles(const struct desk *desk)
{
	for (size_t i = 0; i < desk->count; i++) {
		struct console *c = &desk->consoles[i];

		if (can_be_ended(c) && order_has_old_password(&c->order))
			console_dismiss(c,
				c->phase == CONSOLE_LOGIN ? "ERR The password was changed\n"
							  : "ERR The password was changed\n\n");
	}
}

void console_take_back(struct order *o)
{
	struct console *c = console_of(o);

	if (c->phase == CONSOLE_COMMANDS && c->order.request.command->ends_consoles &&
		order_has_succeeded(&c->order))
		end_old_consoles(c->desk);
	order_wipe(&c->order);
	if (c->fd < 0) {
		console_close(c);
		return;
	}
	if (c->phase == CONSOLE_LOGIN)
		answer_login(c);
	console_renew_deadline(c);
	console_step(c, 0);
}

static void check_admin_login(struct errand *e)
{
	struct console *c = console_of(order_of(e));
	struct login login = login_of(c);

	c->login = users_login_admin(c->desk->services->users, &login);
}

/* Who is known needs no slow hash, and waits for nobody's. */
static void log_in(struct console *c)
{
	struct login login = login_of(c);

	/* Before the password is compared: what changes meanwhile makes it an old one. */
	c->order.password_mark = users_password_mark(c->desk->services->users, c->user);
	if (users_knows_admin(c->desk->services->users, &login)) {
		c->login = LOGIN_OK;
		answer_login(c);
		order_wipe(&c->order);
	} else {
		c->deadline = CLOCK_NEVER;
		order_send(&c->order, &(struct order_steps){.hash = check_admin_login});
	}
}

void console_take_login_line(struct console *c, const struct monitor_line *line)
{
	const char *colon = memchr(line->text, ':', line->len);
	size_t name_len = colon == NULL ? 0 : (size_t)(colon - line->text);

	if (name_len == 0 || name_len > USERS_NAME_MAX || !monitor_is_printable(line)) {
		reply_error(&c->order.reply, "Invalid format. Use username:password");
		c->order.reply.closes = true;
		return;
	}
	memcpy(c->user, line->text, name_len);
	c->user[name_len] = '\0';
	c->user_len = name_len;
	memcpy(c->order.request.memory, colon + 1, line->len - name_len - 1);
	c->order.request.memory[line->len - name_len - 1] = '\0';
	log_in(c);
}

/* ---- commands ---- */

static void give_order(struct console *c)
{
	order_give(&c->order);
	if (c->order.is_away)
		c->deadline = CLOCK_NEVER;
}

void console_take_command_line(struct console *c, const struct monitor_line *line)
{
	struct monitor_request *q = &c->order.request;

	if (!monitor_is_printable(line)) {
		reply_error(&c->order.reply, "Control bytes are not allowed");
		reply_finish(&c->order.reply);
	} else if (!commands_parse(line, q, &c->order.reply)) {
		order_wipe(&c->order);
		reply_finish(&c->order.reply);
	} else {
		give_order(c);
	}
}
