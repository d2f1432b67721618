/*
 * ALLOW and DENY write a line as it could stand in the file, and hand it to the server.
 */
#include "monitor/rules_commands.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "base/parse.h"
#include "base/plural.h"
#include "monitor/account_name.h"
#include "monitor/rule_answers.h"
#include "state/client_groups.h"

#define DAY_SECONDS INT64_C(86400)
#define LONGEST (3660 * DAY_SECONDS) /* that a temporary rule lasts: some ten years */

/* ---- RULES and DROP_RULE ---- */

void rules_commands_list(const struct monitor_request *q, struct reply *r)
{
	rule_answers_list(q->services, r);
}

/* "t3", or * for all of them. */
void rules_commands_drop(const struct monitor_request *q, struct reply *r)
{
	const char *word = q->parameters[0];
	char error[CHANGE_REPLY_MAX];
	int64_t number = 0;
	int dropped;

	if (strcmp(word, "*") != 0 &&
		((word[0] != 't' && word[0] != 'T') || !parse_number(word + 1, &number) ||
			number < 1 || number > INT32_MAX)) {
		reply_error(r, "\"%s\": legal is the word of a temporary rule, as t1, or *", word);
		return;
	}
	dropped = server_drop_rule(q->server, (unsigned)number, error);
	if (dropped < 0)
		reply_error(r, "%s", error);
	else if (dropped == 0 && number > 0)
		reply_error(r, "There is no temporary rule t%lld", (long long)number);
	else
		reply_add(
			r, "OK %d temporary rule%s dropped\n", dropped, plural((uint64_t)dropped));
}

/* ---- ALLOW and DENY ---- */

static bool is_group(const struct monitor_request *q, const char *who, bool *is_of_clients)
{
	struct config *c = config_get(q->services->config);

	*is_of_clients =
		client_groups_find(&c->settings.client_groups, who + 1, strlen(who + 1)) != NULL;
	config_release(c);
	return *is_of_clients || users_have_group(q->services->users, who + 1);
}

static bool is_stand_in(const char *who)
{
	return strcasecmp(who, "anonymous") == 0 || strcasecmp(who, "known") == 0;
}

/* As a line of the file has it: a backslash there begins an escape. */
static void put_user(const char *keyword, const char *who, char *out, size_t size)
{
	size_t len = (size_t)snprintf(out, size, " %s ", keyword);

	escape_word(who, strlen(who), out + len, size - len);
}

/* Writes whom a rule is about as its keyword and value; "" for everybody. False, and `r` says so,
 * when there is no such. */
static bool put_who(
	const struct monitor_request *q, const char *who, char *out, size_t size, struct reply *r)
{
	char text[NETWORK_TEXT_MAX];
	struct network client;
	int is_client = account_client_parse(who, &client, r);
	bool is_from = false;

	out[0] = '\0';
	if (is_client < 0 || strcmp(who, "*") == 0)
		return is_client >= 0;
	if (is_client > 0) {
		client = account_of_client(q->services, &client);
		snprintf(out, size, " from %s", network_format(&client, text));
		return true;
	}
	if (who[0] == '@'
			? !is_group(q, who, &is_from)
			: !is_stand_in(who) && !users_have(q->services->users, who, strlen(who))) {
		reply_error(r, "There is no user or group %s", who);
		return false;
	}
	put_user(is_from ? "from" : "user", who, out, size);
	return true;
}

/* Files are named in the configuration only. */
static bool put_what(const char *what, char *out, size_t size, struct reply *r)
{
	out[0] = '\0';
	if (strcmp(what, "*") == 0)
		return true;
	if (strstr(what, "file:") != NULL || strchr(what, ';') != NULL) {
		reply_error(
			r, "\"%s\": legal is a host, a .domain, an address, a network or *", what);
		return false;
	}
	snprintf(out, size, " to %s", what);
	return true;
}

static bool read_lasting(const char *text, int64_t *seconds, struct reply *r)
{
	int64_t ms;

	if (parse_duration(text, &ms) && ms >= 1000 && ms <= LONGEST * 1000) {
		*seconds = ms / 1000;
		return true;
	}
	reply_error(r, "\"%s\": legal is a time from 1s to 3660d (30s, 5m, 2h, 1d)", text);
	return false;
}

static void add_temporary(const struct monitor_request *q, const char *verb, struct reply *r)
{
	char who[4 * USERS_NAME_MAX + 16], what[MONITOR_LINE_MAX], text[2 * MONITOR_LINE_MAX];
	char lasts[32];
	struct server_rule rule = {.text = text};

	if (!put_who(q, q->parameters[0], who, sizeof(who), r) ||
		!put_what(q->parameters[1], what, sizeof(what), r) ||
		!read_lasting(q->parameters[2], &rule.lasts, r))
		return;
	snprintf(text, sizeof(text), "%s%s%s", verb, who, what);
	if (server_add_rule(q->server, &rule) < 0) {
		reply_error(r, "%s", rule.error);
		return;
	}
	reply_add(r, "OK Rule t%u for %s: %s", rule.number,
		parse_format_duration(rule.lasts * 1000, lasts), text);
	if (rule.ended > 0)
		reply_add(r, "; %zu session%s ended", rule.ended, plural(rule.ended));
	reply_add(r, "%s\n", standing_term(q->services->standing));
}

void rules_commands_allow(const struct monitor_request *q, struct reply *r)
{
	add_temporary(q, "allow", r);
}

void rules_commands_deny(const struct monitor_request *q, struct reply *r)
{
	add_temporary(q, "deny", r);
}

/* ---- EXPLAIN ---- */

void rules_commands_explain(const struct monitor_request *q, struct reply *r)
{
	rule_answers_explain(q->services, q->parameters[0], r);
}
