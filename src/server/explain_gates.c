/*
 * Each gate asks the part that decides in a session, too. What only a running server knows is
 * unknown to one that just reads the configuration.
 */
#include "server/explain_gates.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "state/admission.h"
#include "state/bans.h"
#include "state/end_reason.h"

static void deny_at_gate(struct explain_gate *g, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void deny_at_gate(struct explain_gate *g, const char *reason, const char *format, ...)
{
	va_list ap;

	g->result = "deny";
	g->denies = true;
	snprintf(g->reason, sizeof(g->reason), "%s", reason);
	va_start(ap, format);
	vsnprintf(g->text, sizeof(g->text), format, ap);
	va_end(ap);
}

static void note_at_gate(struct explain_gate *g, const char *result, const char *text)
{
	g->result = result;
	snprintf(g->text, sizeof(g->text), "%s", text);
}

/* ---- who may come ---- */

static void ask_bans(const struct explain_gates_question *q, struct explain_gate *g)
{
	const struct network who = {.base = q->question->client,
		.prefix = q->question->client.sa.sa_family == AF_INET ? 32 : 128};
	struct bans_time at = bans_now();
	struct ban_info ban;

	if (q->services->bans == NULL) {
		note_at_gate(g, "unknown", "bans are known to the server that runs");
		return;
	}
	/* Of the moment that is asked about. */
	at.ms += (q->time - at.wall) * 1000;
	at.wall = q->time;
	if (!bans_find(q->services->bans, &who, at, &ban) ||
		(ban.by == BAN_BY_FAILURES &&
			ban_exempt_has(&q->config->settings.ban_exempt, &q->question->client)))
		return;
	deny_at_gate(g, end_reason_word(END_BANNED), "it is closed at once: banned by %s",
		ban_cause_word(ban.by));
	g->until = ban.until == INT64_MAX ? 0 : ban.until;
}

static void ask_clients(const struct explain_gates_question *q, struct explain_gate *g)
{
	if (!admission_client_allowed(
		    q->config, admission_login_required(q->config), &q->question->client))
		deny_at_gate(g, "", "clients does not have this address: it is closed at once");
}

/* ---- login ---- */

static bool user_exists(struct users *users, const char *name)
{
	struct user_info info;

	return users_get(users, name, &info);
}

bool explain_gates_keeps_user(const struct config *c, struct users *users, const struct question *q)
{
	if (!admission_login_checked(c))
		return false;
	return user_exists(users, q->user) || !admission_wrong_login_forgiven(c);
}

static void ask_login(const struct explain_gates_question *q, struct explain_gate *g)
{
	const struct question *question = q->question;

	if (question->user_len == 0 && admission_login_required(q->config))
		deny_at_gate(g, end_reason_word(END_NO_METHOD), "who does not log in is refused");
	else if (question->user_len == 0)
		note_at_gate(g, "pass", "nobody has to log in");
	else if (!admission_login_checked(q->config))
		note_at_gate(g, "anonymous", "auth = none: whoever logs in is Anonymous");
	else if (user_exists(q->services->users, question->user))
		note_at_gate(g, "pass", "with the right password");
	else if (admission_wrong_login_forgiven(q->config))
		note_at_gate(g, "anonymous",
			"there is no such user: whose login is not right is Anonymous here");
	else
		deny_at_gate(g, end_reason_word(END_LOGIN_REFUSED), "there is no such user");
}

/* ---- the table ---- */

const struct explain_gates_row explain_gates_table[] = {
	{"ban", ask_bans},
	{"clients", ask_clients},
	{"login", ask_login},
};

const size_t explain_gates_count = sizeof(explain_gates_table) / sizeof(explain_gates_table[0]);
