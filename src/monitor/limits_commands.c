/*
 * LIMITS shows what holds for whom, with who says it, and what is used; what it changes is said
 * where it belongs (limits_changes.h).
 */
#include "monitor/limits_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/grow.h"
#include "base/timestamp.h"
#include "base/writing.h"
#include "monitor/limits_changes.h"
#include "state/kept_use.h"

/* ---- a line of LIMITS ---- */

static const char *const who_words[] = {
	[ACCOUNT_USER] = "user", [ACCOUNT_CLIENT] = "client", [ACCOUNT_GROUP] = "group"};

/* "KEY:VALUE" of one limit, and who says it. */
static void add_limit(
	struct reply *r, const struct limits *limits, enum limit_key key, const char *source)
{
	const char *word = limit_key_word(key);
	struct writing w;

	if (writing_begin(&w) != NULL)
		limits_put_key(limits, key, w.out);
	if (!writing_end(&w)) {
		r->failed = true;
		return;
	}
	reply_add(r, " ");
	limits_add_word(r, word, w.text + strlen(word) + 1);
	if (*source != '\0') {
		reply_add(r, " %s", word);
		limits_add_word(r, "_by", source);
	}
	free(w.text);
}

/* What is used of the quota, as the account knows it or, of one that is not there, as it is kept.
 */
static void add_use(struct services *v, struct reply *r, const struct account_name *who,
	const struct limits *limits)
{
	int64_t now = (int64_t)time(NULL);
	struct ledger_account account = {.sessions = 0};
	char date[TIMESTAMP_DATE], zone[TIMESTAMP_ZONE];
	const struct quota_use *use = &account.news.sum;
	uint64_t allowed;

	if (!ledger_find_account(v->ledger, who->key, now, &account)) {
		(void)kept_use_get(v->standing, who->key, &account.news.use);
		if (limits_have(limits, LIMIT_QUOTA))
			(void)quota_turn(&account.news.use, &limits->quota, now);
		account.news.sum = cluster_add_use(account.news.use,
			cluster_sum(v->cluster, who->key, account.news.use.begun));
	}
	reply_add(r, " running:%zu", account.sessions);
	if (!limits_have(limits, LIMIT_QUOTA))
		return;
	allowed = limits->quota.bytes + use->extra;
	timestamp_format(quota_end(&limits->quota, now), date, zone);
	reply_add(r, " used:%llu left:%llu until:%.*s", (unsigned long long)use->used,
		(unsigned long long)(use->used < allowed ? allowed - use->used : 0), TIMESTAMP_DATE,
		date);
}

/* What was said of somebody, as text, and becomes limits. */
struct said_limits {
	unsigned legal;
	struct limits *out;
};

static void take_limits(void *context, const char *value)
{
	struct said_limits *said = context;
	char why[LIMITS_ERROR_MAX];

	(void)limits_parse(value, said->legal, said->out, why);
}

/* Where the line in the users file says other groups, a helper says some, too. */
static void name_helper(struct services *v, const char *user, const struct limits *said,
	struct limit_sources *sources)
{
	struct limits line;

	if (users_own_limits(v->users, user, &line) && strcmp(line.groups, said->groups) != 0)
		strcpy(sources->of[LIMIT_GROUPS], "auth_socket");
}

/* What holds for whom. False when there is nobody of that name any more. */
bool limits_find_in_force(struct services *v, const struct account_name *who,
	struct limits_in_force *out, struct limit_sources *sources)
{
	struct said_limits said = {LIMITS_OF_CLIENTS, &out->limits};
	struct limits own;

	*out = (struct limits_in_force){.is_kept_out = false};
	memset(sources, 0, sizeof(*sources));
	if (who->kind == ACCOUNT_CLIENT) {
		limit_book_of_client(v->limits, &who->client, out, sources);
		return true;
	}
	if (who->kind == ACCOUNT_USER) {
		if (!users_said_limits(v->users, who->key, &own))
			return false;
		limit_book_of_user(v->limits, &own, out, sources);
		name_helper(v, who->key, &own, sources);
		return true;
	}
	if (!who->is_of_clients) {
		(void)limit_book_of_group(v->limits, who->key + 1, out, sources);
		return true;
	}
	(void)standing_read(v->standing, STANDING_LIMITS, who->key, take_limits, &said);
	out->is_kept_out = standing_read(v->standing, STANDING_DISABLED, who->key, NULL, NULL);
	snprintf(
		sources->of[LIMIT_DISABLED], LIMIT_SOURCE_MAX, LIMIT_BY_DISABLE "%.100s", who->key);
	return true;
}

static void add_account_line(struct services *v, struct reply *r, const struct account_name *who,
	const struct limits_in_force *f, const struct limit_sources *sources)
{
	limits_add_word(r, who_words[who->kind], who->key);
	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		if (f->limits.said[key] != LIMIT_UNSAID && key != LIMIT_DISABLED)
			add_limit(r, &f->limits, key, sources->of[key]);
	}
	if (f->is_kept_out) {
		reply_add(r, " disabled:yes ");
		limits_add_word(r, "disabled_by", sources->of[LIMIT_DISABLED]);
	}
	if (who->kind != ACCOUNT_GROUP)
		add_use(v, r, who, &f->limits);
	reply_add(r, "\n");
}

/* ---- LIMITS of all ---- */

/* Those that something may be said of; who is gone when the turn comes is left out. */
struct limit_listing {
	struct services *services;
	struct account_name *names;
	size_t count, size, at;
	bool failed;
};

static void note_name(struct limit_listing *l, const struct account_name *name)
{
	struct account_name *more;

	for (size_t i = l->count; name->kind == ACCOUNT_GROUP && i-- > 0;) {
		if (strcmp(l->names[i].key, name->key) == 0)
			return;
	}
	more = grow_by_one(l->names, l->count, &l->size, sizeof(*more));
	l->failed |= more == NULL;
	if (more == NULL)
		return;
	l->names = more;
	more[l->count++] = *name;
}

static void note_user_names(struct limit_listing *l)
{
	size_t count = 0;
	const char **names = users_names(l->services->users, &count);

	l->failed |= names == NULL;
	for (size_t i = 0; names != NULL && i < count; i++) {
		struct account_name name = {.kind = ACCOUNT_USER};

		snprintf(name.key, sizeof(name.key), "%s", names[i]);
		note_name(l, &name);
	}
	free(names);
}

static void note_known_clients(struct limit_listing *l)
{
	size_t count = 0;
	struct ledger_client *clients;

	if (!limit_book_is_about_clients(l->services->limits))
		return;
	clients = ledger_clients(l->services->ledger, &count);
	l->failed |= clients == NULL;
	for (size_t i = 0; clients != NULL && i < count; i++) {
		struct account_name name = {.kind = ACCOUNT_CLIENT, .client = clients[i].client};

		network_format(&name.client, name.key);
		note_name(l, &name);
	}
	free(clients);
}

static void note_group(struct limit_listing *l, const char *group, bool is_of_clients)
{
	struct account_name name = {.kind = ACCOUNT_GROUP, .is_of_clients = is_of_clients};

	snprintf(name.key, sizeof(name.key), "@%s", group);
	note_name(l, &name);
}

/* Of group_defaults, and those that administrators spoke of. */
static void note_groups(struct limit_listing *l)
{
	struct config *c = config_get(l->services->config);
	const struct limit_lines *lines = &c->settings.group_defaults;
	static const enum standing_kind kinds[] = {STANDING_LIMITS, STANDING_DISABLED};

	for (size_t i = 0; i < lines->count; i++)
		note_group(l, lines->lines[i].holders[0].group, false);
	for (size_t k = 0; k < 2; k++) {
		size_t count = 0;
		struct standing_fact *facts =
			standing_list(l->services->standing, kinds[k], &count);

		for (size_t i = 0; facts != NULL && i < count; i++) {
			const char *group = facts[i].key + 1;

			if (facts[i].key[0] == '@')
				note_group(l, group,
					client_groups_find(&c->settings.client_groups, group,
						strlen(group)) != NULL);
		}
		l->failed |= facts == NULL;
		free(facts);
	}
	config_release(c);
}

static bool more_limits(void *state, struct reply *r)
{
	struct limit_listing *l = state;
	struct limits_in_force f;
	struct limit_sources sources;

	for (; l->at < l->count && r->len < REPLY_CHUNK; l->at++) {
		const struct account_name *who = &l->names[l->at];

		if (limits_find_in_force(l->services, who, &f, &sources) &&
			(f.is_kept_out || !limits_say_nothing(&f.limits)))
			add_account_line(l->services, r, who, &f, &sources);
	}
	return l->at < l->count;
}

static void free_limit_listing(void *state)
{
	struct limit_listing *l = state;

	free(l->names);
	free(l);
}

static void list_limits(struct services *v, struct reply *r)
{
	struct limit_listing *l = calloc(1, sizeof(*l));

	if (l != NULL) {
		l->services = v;
		note_groups(l);
		note_user_names(l);
		note_known_clients(l);
	}
	if (l == NULL || l->failed) {
		if (l != NULL)
			free_limit_listing(l);
		reply_error(r, "Out of memory");
		return;
	}
	reply_add(r, "OK\n");
	reply_continue(r, more_limits, free_limit_listing, l);
}

/* ---- LIMITS <who> ---- */

static void show_limits(struct services *v, const struct account_name *who, struct reply *r)
{
	struct limits_in_force f;
	struct limit_sources sources;

	if (!limits_find_in_force(v, who, &f, &sources)) {
		reply_error(r, "%s does not exist", who->key);
		return;
	}
	reply_add(r, "OK\n");
	add_account_line(v, r, who, &f, &sources);
}

static bool change_said(struct services *v, const struct account_name *who,
	const struct limits *said, struct reply *r)
{
	char *text = limits_format(said);
	bool changed = text != NULL &&
		standing_put(v->standing, STANDING_LIMITS, who->key, *text == '\0' ? NULL : text) ==
			0;

	free(text);
	if (!changed)
		reply_error(r, "Out of memory");
	return changed;
}

static unsigned legal_for(const struct account_name *who)
{
	if (who->kind == ACCOUNT_USER)
		return LIMITS_SAYABLE;
	return who->kind == ACCOUNT_GROUP && !who->is_of_clients ? LIMITS_OF_USERS
								 : LIMITS_OF_CLIENTS;
}

/* What was said of whom until now. */
static void find_said(struct services *v, const struct account_name *who, struct limits *out)
{
	struct said_limits said = {legal_for(who), out};

	*out = (struct limits){.said = {0}};
	if (who->kind == ACCOUNT_USER) {
		(void)users_own_limits(v->users, who->key, out);
		return;
	}
	(void)standing_read(v->standing, STANDING_LIMITS, who->key, take_limits, &said);
}

static void change_limits(
	const struct monitor_request *q, const struct account_name *who, struct reply *r)
{
	struct services *v = q->services;
	struct limits said;
	char why[LIMITS_ERROR_MAX], term[USER_TERM_MAX];

	find_said(v, who, &said);
	if (!limits_change(q->parameters[1], legal_for(who), &said, why)) {
		reply_error(r, "%s", why);
		return;
	}
	if (!(who->kind == ACCOUNT_USER ? limits_change_user(v, who->key, &said, r)
					: change_said(v, who, &said, r)))
		return;
	limits_take_in(q);
	reply_add(r, "OK Limits of %s changed%s\n", who->key, limits_term(v, who, term));
}

void limits_command_limits(const struct monitor_request *q, struct reply *r)
{
	struct account_name who;

	if (q->count == 0)
		list_limits(q->services, r);
	else if (account_name_find(q->services, q->parameters[0], &who, r)) {
		if (q->count == 1)
			show_limits(q->services, &who, r);
		else
			change_limits(q, &who, r);
	}
}

/* ---- QUOTA ---- */

/* Of a client that the ledger does not remember, which may still have used some. */
static bool change_kept_use(struct services *v, const struct account_name *who,
	const struct limits *limits, uint64_t extra)
{
	struct quota_use use = {.begun = 0};

	(void)kept_use_get(v->standing, who->key, &use);
	(void)quota_turn(&use, &limits->quota, (int64_t)time(NULL));
	if (extra == 0)
		use.used = use.extra = 0;
	use.extra += extra;
	return kept_use_put(v->standing, who->key, &use) == 0;
}

void limits_command_quota(const struct monitor_request *q, struct reply *r)
{
	struct services *v = q->services;
	const char *what = q->parameters[1];
	struct account_name who;
	struct limits_in_force f;
	struct limit_sources sources;
	char why[AMOUNT_ERROR_MAX] = "legal is reset, or a size such as +2GB";
	uint64_t extra = 0;

	if (strcmp(what, "reset") != 0 &&
		(what[0] != '+' || !amount_parse_size(what + 1, strlen(what + 1), &extra, why))) {
		reply_error(r, "%s: %s", what, why);
		return;
	}
	if (!account_name_find(v, q->parameters[0], &who, r))
		return;
	if (who.kind == ACCOUNT_GROUP) {
		reply_error(r, "%s: a quota is used by each user or client for itself", who.key);
		return;
	}
	if (!limits_find_in_force(v, &who, &f, &sources) || !limits_have(&f.limits, LIMIT_QUOTA)) {
		reply_error(r, "%s has no quota", who.key);
		return;
	}
	if (extra == 0 && cluster_begin_anew(v->cluster, who.key) < 0) {
		reply_error(r, "Out of memory");
		return;
	}
	if (!ledger_change_quota(v->ledger, who.key, extra, (int64_t)time(NULL)) &&
		!change_kept_use(v, &who, &f.limits, extra)) {
		reply_error(r, "Out of memory");
		return;
	}
	limits_take_in(q);
	reply_add(r, "OK Quota of %s %s%s\n", who.key,
		extra > 0 ? "has grown for this period" : "starts anew",
		standing_term(v->standing));
}
