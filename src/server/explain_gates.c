/*
 * Each gate asks the part that decides in a session, too. What only a running server knows is
 * unknown to one that just reads the configuration.
 */
#include "server/explain_gates.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "state/admission.h"
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
	{"clients", ask_clients},
	{"login", ask_login},
};

const size_t explain_gates_count = sizeof(explain_gates_table) / sizeof(explain_gates_table[0]);
