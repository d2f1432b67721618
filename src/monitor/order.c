/*
 * A console has an order, and so has each connection of the web's front: who may give what, what
 * each thread does of it, and what the log says is the same for both. The rows of the table say
 * which threads a command wants.
 */
#include "monitor/order.h"

#include <sodium.h>
#include <string.h>

#include "base/log.h"

void order_wipe(struct order *o)
{
	sodium_memzero(o->request.memory, sizeof(o->request.memory));
	sodium_memzero(o->request.hash, sizeof(o->request.hash));
}

bool order_has_old_password(const struct order *o)
{
	uint64_t mark = users_password_mark(o->request.services->users, o->user);

	return !o->is_operator && mark != 0 && mark != o->password_mark;
}

bool order_has_succeeded(const struct order *o)
{
	return !o->reply.failed && o->reply.len >= 2 && memcmp(o->reply.text, "OK", 2) == 0;
}

bool order_may_go_on(const struct order *o)
{
	return o->is_operator || (!order_has_old_password(o) && commands_may(&o->request, o->user));
}

/* ---- from thread to thread ---- */

struct order *order_of(struct errand *e)
{
	return (struct order *)((char *)e - offsetof(struct order, errand));
}

static void finish_order(struct errand *e)
{
	struct order *o = order_of(e);

	o->is_away = false;
	o->finished(o);
}

void order_send(struct order *o, const struct order_steps *steps)
{
	struct server *server = o->request.server;

	o->is_away = true;
	errand_begin(&o->errand);
	if (steps->hash != NULL)
		errand_add_step(&o->errand, server_hashes(server), steps->hash);
	if (steps->ask != NULL)
		errand_add_step(&o->errand, server_questions(server), steps->ask);
	if (steps->run != NULL)
		errand_add_step(&o->errand, server_errands(server), steps->run);
	if (steps->look_up != NULL)
		errand_add_step(&o->errand, server_lookups(server), steps->look_up);
	if (steps->keep != NULL)
		errand_add_step(&o->errand, keeper_errands(o->request.keeper), steps->keep);
	if (steps->finish != NULL)
		errand_add_step(&o->errand, server_errands(server), steps->finish);
	errand_add_step(&o->errand, o->done, finish_order);
	errand_send(&o->errand);
}

/* ---- what is done ---- */

/* What changes something is logged, with whom or what it is about, and never with a password. */
static void log_command(const struct order *o)
{
	const struct monitor_request *q = &o->request;
	char text[PEER_TEXT_MAX];
	struct log_line line;

	if (!commands_changes(q))
		return;
	log_begin(&line, LOG_INFO, o->logged_as);
	log_text(&line, "user", o->user);
	log_text(&line, "client", peer_format(o->peer, text));
	log_text(&line, "command", q->command->word);
	if (q->count > 0)
		log_text(&line, "about", q->parameters[0]);
	log_text(&line, "answer", order_has_succeeded(o) ? "OK" : "ERR");
	log_end(&line);
}

static bool is_answered(const struct order *o)
{
	return o->reply.len > 0 || o->reply.failed;
}

/* If not, the reply says so. */
static bool may_run(struct order *o)
{
	if (o->is_operator)
		return true;
	if (!order_has_old_password(o))
		return commands_allowed(&o->request, o->user, &o->reply);
	reply_error(&o->reply, "The password was changed");
	o->reply.closes = true;
	return false;
}

static void prepare_command(struct errand *e)
{
	struct order *o = order_of(e);

	if (may_run(o))
		o->request.command->prepare(&o->request, &o->reply);
}

static void perform(struct order *o)
{
	if (!is_answered(o) && may_run(o)) {
		o->request.command->run(&o->request, &o->reply);
		/* Whoever has changed his own goes on. */
		if (o->request.command->ends_consoles)
			o->password_mark = users_password_mark(o->request.services->users, o->user);
	}
}

static void conclude(struct order *o)
{
	if (!o->reply.failed)
		log_command(o);
	reply_finish(&o->reply);
}

/* In the thread that the command asks for. */
static void execute(struct order *o)
{
	perform(o);
	conclude(o);
}

static void run_command(struct errand *e)
{
	execute(order_of(e));
}

static void run_begun_command(struct errand *e)
{
	perform(order_of(e));
}

/* Behind a command that was done: what it has changed holds in any case. */
static void keep_changes(struct order *o)
{
	char why[DATABASE_ERROR_MAX];

	if (order_has_succeeded(o) && keeper_write(o->request.keeper, why) < 0) {
		reply_reset(&o->reply);
		reply_error(&o->reply,
			"Done, but it may not outlast a restart: state_dir cannot be written: %s",
			why);
	}
}

static void keep_command(struct errand *e)
{
	struct order *o = order_of(e);

	keep_changes(o);
	if (o->request.command->finish == NULL)
		conclude(o);
}

static void finish_command(struct errand *e)
{
	struct order *o = order_of(e);

	if (order_has_succeeded(o))
		o->request.command->finish(&o->request, &o->reply);
	conclude(o);
}

static bool is_to_be_kept(const struct order *o)
{
	const struct command *command = o->request.command;

	return o->request.keeper != NULL &&
		(command->is_kept ||
			(command->keeps_users && o->request.services->shared_users != NULL));
}

static void send_command(struct order *o)
{
	const struct command *command = o->request.command;
	struct order_steps steps = {.run = run_command};

	if (command->is_keepers)
		steps = (struct order_steps){.keep = run_command};
	if (command->asks_names)
		steps = (struct order_steps){.look_up = run_command};
	if (command->prepare != NULL)
		steps.hash = prepare_command;
	if (is_to_be_kept(o)) {
		steps.run = run_begun_command;
		steps.keep = keep_command;
	}
	if (command->finish != NULL) {
		steps.run = run_begun_command;
		steps.finish = finish_command;
	}
	order_send(o, &steps);
}

void order_give(struct order *o)
{
	const struct command *command = o->request.command;

	if (command->is_errand || (command->is_keepers && o->request.keeper != NULL))
		send_command(o);
	else
		execute(o);
}
