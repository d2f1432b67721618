/*
 * Each gate asks the part that decides in a session, too. What only a running server knows is
 * unknown to one that just reads the configuration.
 */
#include "server/explain_gates.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "state/admission.h"
#include "state/cluster.h"
#include "state/bans.h"
#include "state/end_reason.h"
#include "state/ledger_limits.h"
#include "state/quota.h"

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
			exempt_has(&q->config->settings.ban_exempt, &q->question->client)))
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

static bool may_come_from(const struct limits *limits, const struct question *q)
{
	for (size_t i = 0; i < limits->from_count; i++) {
		if (network_contains_on_link(&limits->from[i], &q->client))
			return true;
	}
	return false;
}

static bool user_exists(struct users *users, const char *name)
{
	struct user_info info;

	return users_get(users, name, &info);
}

bool explain_gates_keeps_user(const struct config *c, struct users *users, const struct question *q)
{
	if (!admission_login_checked(c))
		return false;
	return user_exists(users, q->user) || users_ask_helper(users, q->user, q->user_len) ||
		!admission_wrong_login_forgiven(c);
}

/* What holds for the user, and what the door does with a right password then. */
static void ask_user(const struct explain_gates_question *q, struct explain_gate *g)
{
	struct limits_in_force f;
	struct limits own;

	if (!users_said_limits(q->services->users, q->question->user, &own))
		return;
	limit_book_of_user(q->services->limits, &own, &f, NULL);
	if (f.is_kept_out)
		deny_at_gate(g, end_reason_word(END_DISABLED), "the user is disabled");
	else if (limits_have(&f.limits, LIMIT_EXPIRES) && q->time >= f.limits.expires)
		deny_at_gate(g, end_reason_word(END_EXPIRED), "the user has expired");
	else if (limits_have(&f.limits, LIMIT_FROM) && !may_come_from(&f.limits, q->question))
		deny_at_gate(g, end_reason_word(END_CLIENT_NOT_ALLOWED_FOR_USER),
			"the user may not come from there");
	else if (users_bar(q->services->users, q->question->user, q->question->user_len, NULL) ==
		LOGIN_UNANSWERED)
		deny_at_gate(g, end_reason_word(END_LOGIN_UNANSWERED),
			"nodes share the user, and what shared names has not answered for longer "
			"than shared_grace");
	else if (limits_have(&f.limits, LIMIT_EXPIRES))
		g->until = f.limits.expires;
}

static void ask_known(const struct explain_gates_question *q, struct explain_gate *g)
{
	const struct question *question = q->question;
	struct users *users = q->services->users;

	if (users_ask_helper(users, question->user, question->user_len))
		note_at_gate(g, "pass", "with the password that the helper at auth_socket knows");
	else if (users_are_of_helper(users, question->user, question->user_len))
		deny_at_gate(g, end_reason_word(END_NO_LOGIN_HELPER),
			"a helper knows the password, and auth_socket is not set");
	else
		note_at_gate(g, "pass", "with the right password");
	if (!g->denies)
		ask_user(q, g);
}

/* Nothing is known of him here, and he may be somebody all the same. */
static void ask_unknown(struct explain_gate *g)
{
	note_at_gate(g, "pass",
		"nobody of that name has come yet: if the helper at auth_socket lets him in");
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
		ask_known(q, g);
	else if (users_ask_helper(q->services->users, question->user, question->user_len))
		ask_unknown(g);
	else if (admission_wrong_login_forgiven(q->config))
		note_at_gate(g, "anonymous",
			"there is no such user: whose login is not right is Anonymous here");
	else
		deny_at_gate(g, end_reason_word(END_LOGIN_REFUSED), "there is no such user");
}

/* ---- limits ---- */

/* What is used by the account of that name (a user's, or a client as text), if it is known. */
static void ask_account(const struct explain_gates_question *q, const char *who,
	const struct limits *limits, struct explain_gate *g)
{
	size_t elsewhere = cluster_sum(q->services->cluster, who, 0).sessions;
	struct ledger_account account;
	char there[48] = "";

	if (g->denies ||
		!ledger_find_account(q->services->ledger, who, (int64_t)time(NULL), &account))
		return;
	if (limits_have(limits, LIMIT_SESSIONS) &&
		account.sessions + elsewhere >= limits->sessions) {
		if (elsewhere > 0)
			snprintf(there, sizeof(there), ", %zu of them on other nodes", elsewhere);
		deny_at_gate(g, end_reason_word(END_TOO_MANY_SESSIONS),
			"%s has %zu sessions now, of %u%s", who, account.sessions + elsewhere,
			limits->sessions, there);
	} else if (account.news.is_spent && account.news.over != OVER_SLOW) {
		deny_at_gate(
			g, end_reason_word(END_QUOTA_REACHED), "%s has used up the quota", who);
		g->until = quota_end(&account.news.quota, q->time);
	}
}

/* Those of the client's that hold for this session. */
static void ask_client_limits(
	const struct explain_gates_question *q, bool has_login, struct explain_gate *g)
{
	struct network client = own_client_of(q->services->own, &q->question->client);
	char who[NETWORK_TEXT_MAX];
	struct limits_in_force f;

	limit_book_of_client(q->services->limits, &client, &f, NULL);
	network_format(&client, who);
	for (enum limit_key k = 0; k < LIMIT_KEYS && has_login; k++) {
		if ((f.of_anonymous & LIMIT_BIT(k)) != 0)
			f.limits.said[k] = LIMIT_UNSAID;
	}
	if (f.is_kept_out)
		deny_at_gate(g, end_reason_word(END_DISABLED), "%s is disabled", who);
	ask_account(q, who, &f.limits, g);
}

static void ask_limits(const struct explain_gates_question *q, struct explain_gate *g)
{
	const char *user = q->question->user;
	bool has_login = *user != '\0' && admission_login_checked(q->config) &&
		user_exists(q->services->users, user);
	struct limits_in_force f;
	struct limits own;

	ask_client_limits(q, has_login, g);
	if (has_login && users_said_limits(q->services->users, user, &own)) {
		limit_book_of_user(q->services->limits, &own, &f, NULL);
		ask_account(q, user, &f.limits, g);
	}
	if (q->services->registry == NULL && !g->denies)
		note_at_gate(g, "unknown", "what is used is known to the server that runs");
}

/* ---- the table ---- */

const struct explain_gates_row explain_gates_table[] = {
	{"ban", ask_bans},
	{"clients", ask_clients},
	{"login", ask_login},
	{"limits", ask_limits},
};

const size_t explain_gates_count = sizeof(explain_gates_table) / sizeof(explain_gates_table[0]);
