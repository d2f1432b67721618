/*
 * What is asked for is put together in the keeper's thread, as text: rows come in the order in
 * which they are answered. It is sent as any long listing, 16 KiB at a time.
 *
 * What is not on the disk yet is written first, so that the answer is whole.
 */
#include "monitor/history_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/day.h"
#include "base/escape.h"
#include "base/writing.h"
#include "monitor/account_name.h"
#include "server/history_tables.h"

/* ---- which days ---- */

static bool parse_days(const char *word, int32_t today, struct history_period *out)
{
	int32_t date;

	*out = (struct history_period){.from = today, .to = today};
	if (strcmp(word, "yesterday") == 0)
		out->from = out->to = day_add(today, -1);
	else if (strcmp(word, "week") == 0)
		out->from = day_week(today);
	else if (strcmp(word, "month") == 0)
		out->from = day_month(today);
	else if (day_parse(word, &date))
		out->from = out->to = date;
	else
		return strcmp(word, "today") == 0;
	return true;
}

bool history_period_parse(const char *from, const char *to, int32_t today,
	struct history_period *out, const char **wrong)
{
	struct history_period last = {.to = today};
	int32_t date;

	*wrong = from;
	if (!parse_days(from == NULL ? "month" : from, today, out))
		return false;
	if (to == NULL && from != NULL && day_parse(from, &date))
		out->to = today > date ? today : date;
	*wrong = to;
	if (to == NULL)
		return true;
	if (!parse_days(to, today, &last))
		return false;
	out->to = last.to;
	return out->from <= out->to;
}

/* ---- who ---- */

/* What was asked for; of the parameters, which outlive it. */
struct question {
	struct history_who who;
	struct network clients;
	struct config *config; /* a reference; NULL: no group is meant, of which it has the list */
	struct user_group {
		struct users *users;
		const char *name;
	} user_group;
	struct history_period period;
};

static void forget_question(struct question *q)
{
	config_release(q->config);
}

static bool is_refused(const struct monitor_request *q, struct reply *r)
{
	if (q->keeper == NULL)
		reply_error(r, "There is no history: state_dir is not set");
	return q->keeper == NULL;
}

static bool is_in_client_group(const void *group, const struct network *client, const char *name)
{
	(void)name;
	return client != NULL && client_group_contains(group, &client->base);
}

static bool is_in_user_group(const void *group, const struct network *client, const char *name)
{
	const struct user_group *g = group;

	return client == NULL && users_is_in_group(g->users, name, g->name);
}

/* Of clients or of users. False when there is no such group; then `r` says so. */
static bool parse_group(
	const struct monitor_request *q, const char *word, struct question *out, struct reply *r)
{
	const struct client_group *group;

	out->config = config_get(q->services->config);
	group = client_groups_find(
		&out->config->settings.client_groups, word + 1, strlen(word + 1));
	if (group == NULL && !account_group_is_known(q->services, word + 1)) {
		reply_error(r, "There is no group %s", word);
		return false;
	}
	out->user_group = (struct user_group){.users = q->services->users, .name = word + 1};
	out->who.is_member = group != NULL ? is_in_client_group : is_in_user_group;
	out->who.group = group != NULL ? (const void *)group : &out->user_group;
	return true;
}

static bool parse_who(
	const struct monitor_request *q, const char *word, struct question *out, struct reply *r)
{
	int is_client;

	if (*word == '@')
		return parse_group(q, word, out, r);
	is_client = account_client_parse(word, &out->clients, r);
	if (is_client > 0)
		out->who.clients = &out->clients;
	else if (strcmp(word, "*") != 0)
		out->who.user = word;
	return is_client >= 0;
}

/* False when it is none; then `r` says why. */
static bool parse_question(const struct monitor_request *q, struct question *out, struct reply *r)
{
	const char *from = q->count > 1 ? q->parameters[1] : NULL, *wrong;
	const char *to = q->count > 2 ? q->parameters[2] : NULL;

	*out = (struct question){.who.user = NULL};
	if (q->count > 0 && !parse_who(q, q->parameters[0], out, r))
		return false;
	if (history_period_parse(from, to, day_of((int64_t)time(NULL)), &out->period, &wrong))
		return true;
	reply_error(r,
		"\"%s\": legal is today, yesterday, week, month, or a date such as 2026-01-31, "
		"the later one behind the earlier",
		wrong);
	return false;
}

/* ---- the answer ---- */

struct answer {
	const char *name; /* of what the lines are about; NULL: a day, or user or client */
	struct writing text;
	size_t at; /* that went out */
	size_t lines;
	bool lacks_last; /* what is new could not be written */
};

static void free_answer(void *state)
{
	struct answer *a = state;

	(void)writing_end(&a->text);
	free(a->text.text);
	free(a);
}

static bool more_lines(void *state, struct reply *r)
{
	struct answer *a = state;
	size_t left = a->text.len - a->at, n = left < REPLY_CHUNK ? left : REPLY_CHUNK;

	reply_add(r, "%.*s", (int)n, a->text.text + a->at);
	a->at += n;
	return a->at < a->text.len;
}

static void put_counts(FILE *out, const struct ledger_counts *c)
{
	fprintf(out, " sessions:%lld refused:%lld sent:%lld received:%lld seconds:%lld",
		(long long)c->of[LEDGER_SESSIONS], (long long)c->of[LEDGER_REFUSED],
		(long long)c->of[LEDGER_SENT], (long long)c->of[LEDGER_RECEIVED],
		(long long)c->of[LEDGER_MS] / 1000);
}

/* The part of a client's sessions that had a login. */
static void put_known(FILE *out, const struct ledger_counts *c)
{
	fprintf(out, " known_sessions:%lld known_sent:%lld known_received:%lld known_seconds:%lld",
		(long long)c->of[LEDGER_KNOWN_SESSIONS], (long long)c->of[LEDGER_KNOWN_SENT],
		(long long)c->of[LEDGER_KNOWN_RECEIVED], (long long)c->of[LEDGER_KNOWN_MS] / 1000);
}

static void put_sum(void *context, const struct history_sum *sum)
{
	struct answer *a = context;
	char name[4 * HISTORY_NAME_MAX + 1], day[DAY_TEXT_MAX];
	bool is_of_accounts = a->name == NULL && sum->day == 0;

	if (++a->lines > HISTORY_LINES)
		return;
	if (sum->day != 0)
		fprintf(a->text.out, "day:%s", day_format(sum->day, day));
	else
		fprintf(a->text.out, "%s:%s",
			!is_of_accounts        ? a->name
				: sum->is_user ? "user"
					       : "client",
			escape_word(sum->name, strlen(sum->name), name, sizeof(name)));
	put_counts(a->text.out, &sum->counts);
	if (is_of_accounts && !sum->is_user)
		put_known(a->text.out, &sum->counts);
	if (sum->deleted != 0)
		fprintf(a->text.out, " deleted:%s", day_format(sum->deleted, day));
	fputc('\n', a->text.out);
}

static void put_status(const struct answer *a, const struct history_period *period, struct reply *r)
{
	char from[DAY_TEXT_MAX], to[DAY_TEXT_MAX];

	reply_add(r, "OK %s to %s", day_format(period->from, from), day_format(period->to, to));
	if (a->lines > HISTORY_LINES)
		reply_add(r, ", the first %d of %zu", HISTORY_LINES, a->lines);
	reply_add(r, "%s\n", a->lacks_last ? ", without what cannot be written now" : "");
}

static struct answer *make_answer(const char *name)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->name = name;
	if (writing_begin(&a->text) != NULL)
		return a;
	free(a);
	return NULL;
}

typedef int summing(struct database *d, const struct history_who *who, int32_t from, int32_t to,
	history_sum_taker *take, void *context);

/* Nothing was found: is it because there is nobody? Then `r` says so, also that who comes first. */
static bool is_nobody(const struct monitor_request *q, const struct question *what, struct reply *r)
{
	const char *user = what->who.user, *wrong;
	char name[4 * USERS_NAME_MAX + 1];
	struct history_period period;

	if (user == NULL || users_have(q->services->users, user, strlen(user)))
		return false;
	escape_word(user, strlen(user), name, sizeof(name));
	if (history_period_parse(user, NULL, day_of((int64_t)time(NULL)), &period, &wrong))
		reply_error(r, "There is no user %s: legal is * %s for everybody", name, name);
	else
		reply_error(r, "There is no user %s, and no history of one in that time", name);
	return true;
}

static void put_answer(const struct monitor_request *q, const struct question *what,
	const char *name, summing *sum_up, struct reply *r)
{
	struct answer *a = make_answer(name);
	struct database *d = keeper_database(q->keeper);
	char why[DATABASE_ERROR_MAX];

	if (a == NULL) {
		r->failed = true;
		return;
	}
	a->lacks_last = keeper_write(q->keeper, why) < 0;
	if (sum_up(d, &what->who, what->period.from, what->period.to, put_sum, a) < 0) {
		reply_error(r, "The history cannot be read: %s", database_error(d));
		free_answer(a);
	} else if (a->lines == 0 && is_nobody(q, what, r)) {
		free_answer(a);
	} else if (!writing_end(&a->text)) {
		r->failed = true;
		free_answer(a);
	} else {
		put_status(a, &what->period, r);
		reply_continue(r, more_lines, free_answer, a);
	}
}

static void answer_question(
	const struct monitor_request *q, const char *name, summing *sum_up, struct reply *r)
{
	struct question question;

	if (parse_question(q, &question, r))
		put_answer(q, &question, name, sum_up, r);
	forget_question(&question);
}

void history_command_usage(const struct monitor_request *q, struct reply *r)
{
	if (!is_refused(q, r))
		answer_question(q, NULL, history_tables_usage, r);
}

void history_command_days(const struct monitor_request *q, struct reply *r)
{
	if (!is_refused(q, r))
		answer_question(q, NULL, history_tables_by_day, r);
}

static int64_t sites_days(const struct monitor_request *q)
{
	struct config *c = config_get(q->services->config);
	int64_t days = c->settings.sites_days;

	config_release(c);
	return days;
}

void history_command_sites(const struct monitor_request *q, struct reply *r)
{
	if (is_refused(q, r))
		return;
	if (sites_days(q) == 0)
		reply_error(r, "Sites are not kept: sites_days is 0");
	else
		answer_question(q, "site", history_tables_sites, r);
}

/* ---- FORGET ---- */

static int forget(struct database *d, const struct history_who *who, size_t *count)
{
	if (database_begin(d) == 0 && history_tables_forget(d, who, count) == 0 &&
		database_commit(d) == 0)
		return 0;
	database_roll_back(d);
	return -1;
}

static void forget_who(
	const struct monitor_request *q, const struct history_who *who, struct reply *r)
{
	struct database *d = keeper_database(q->keeper);
	char why[DATABASE_ERROR_MAX];
	size_t count;

	/* What came until now is to be forgotten, too. */
	if (keeper_write(q->keeper, why) < 0)
		reply_error(r, "Nothing can be written: %s", why);
	else if (forget(d, who, &count) < 0)
		reply_error(r, "Nothing can be written: %s", database_error(d));
	else if (count == 0)
		reply_error(r, "There is no history of %s", q->parameters[0]);
	else
		reply_add(r, "OK History of %s forgotten\n", q->parameters[0]);
}

/* What a helper said of them is asked anew. */
static void forget_logins(const struct monitor_request *q)
{
	const char *who = q->parameters[0];
	bool is_one = *who != '@' && strcmp(who, "*") != 0;

	if (q->services->login_helper != NULL)
		login_helper_forget(q->services->login_helper, is_one ? who : NULL);
}

void history_command_forget(const struct monitor_request *q, struct reply *r)
{
	struct question question = {.who.user = NULL};

	forget_logins(q);
	if (is_refused(q, r))
		return;
	if (parse_who(q, q->parameters[0], &question, r))
		forget_who(q, &question.who, r);
	forget_question(&question);
}
