/*
 * What a line leads to: it is answered at once, or it is an errand, whose steps are done by other
 * threads one after the other, and which comes back. Meanwhile the console is away, and nothing of
 * it is read. A password is wiped when it has been used.
 */
#include "monitor/console_parts.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define REFUSED_PERIOD_MS 1000 /* of the lines that say so */

static struct console *console_of(struct errand *e)
{
	return (struct console *)((char *)e - offsetof(struct console, errand));
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
		console_welcome(c, c->user);
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

bool console_has_old_password(const struct console *c)
{
	struct users *users = c->desk->services->users;
	uint64_t mark = users_password_mark(users, c->user);

	return !c->is_operator && mark != 0 && mark != c->password_mark;
}

/* Is it logged in, or about to be, and does nothing of which another thread is the one to ask? */
static bool can_be_ended(const struct console *c)
{
	return c->phase == CONSOLE_LOGIN ? c->is_away : c->phase == CONSOLE_COMMANDS && !c->is_away;
}

/* Whoever has an old password is not to go on with it, nor to be told anything more. */
static void end_old_consoles(const struct desk *desk)
{
	for (size_t i = 0; i < desk->count; i++) {
		struct console *c = &desk->consoles[i];

		if (can_be_ended(c) && console_has_old_password(c))
			console_dismiss(c,
				c->phase == CONSOLE_LOGIN ? "ERR The password was changed\n"
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
		end_old_consoles(c->desk);
	console_wipe_request(c);
	if (c->fd < 0) {
		console_close(c);
		return;
	}
	if (c->phase == CONSOLE_LOGIN)
		answer_login(c);
	console_renew_deadline(c);
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
		console_wipe_request(c);
	} else {
		send_errand(c, &(struct steps){.hash = check_admin_login});
	}
}

void console_take_login_line(struct console *c, const struct monitor_line *line)
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

/* If not, the reply says so. */
static bool may_run(struct console *c)
{
	if (c->is_operator)
		return true;
	if (!console_has_old_password(c))
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

void console_take_command_line(struct console *c, const struct monitor_line *line)
{
	struct request *q = &c->request;

	if (!monitor_is_printable(line)) {
		reply_error(&c->reply, "Control bytes are not allowed");
		reply_finish(&c->reply);
	} else if (!commands_parse(line, q, &c->reply)) {
		console_wipe_request(c);
		reply_finish(&c->reply);
	} else if (q->command->is_errand || (q->command->is_keepers && c->desk->keeper != NULL)) {
		send_command(c);
	} else {
		execute(c);
	}
}
