/*
 * Users' limits are written to the users file, those of groups and clients stand (standing.h) over
 * the configuration; then all that is said is taken in anew (server_apply_limits()), so live
 * sessions follow before the answer goes out. What has to end for it does so by the janitor's job
 * at once, but for sessions of whoever is disabled, which the answer counts.
 */
#include "monitor/limits_commands.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/parse.h"
#include "base/plural.h"
#include "base/timestamp.h"
#include "monitor/account_name.h"
#include "state/kept_use.h"

/* What LIMITS may say: the rest is written by DISABLE and GUEST. */
#define SAYABLE (LIMITS_OF_USER & ~(LIMIT_BIT(LIMIT_DISABLED) | LIMIT_BIT(LIMIT_GUEST)))

#define GUEST_HOURS 24
#define GUEST_HOURS_MOST (24 * 366)

static const char *users_term(struct services *v)
{
	return users_are_kept(v->users) ? "" : " (until the next start)";
}

static const char *term_of(struct services *v, const struct account_name *who)
{
	return who->kind == ACCOUNT_USER ? users_term(v) : standing_term(v->standing);
}

/* Behind a change. */
static void take_in(const struct request *q)
{
	(void)server_apply_limits(q->server);
	hashing_wake(q->services->hashing);
}

/* ---- a line of LIMITS ---- */

static const char *const who_words[] = {
	[ACCOUNT_USER] = "user", [ACCOUNT_CLIENT] = "client", [ACCOUNT_GROUP] = "group"};

static void add_word_of(struct reply *r, const char *key, const char *word)
{
	char escaped[4 * LEDGER_NAME_MAX + 1];

	reply_add(r, "%s:%s", key, escape_word(word, strlen(word), escaped, sizeof(escaped)));
}

/* "KEY:VALUE" of one limit, and who says it. */
static void add_limit(
	struct reply *r, const struct limits *limits, enum limit_key key, const char *source)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out != NULL)
		limits_put_key(limits, key, out);
	if (out == NULL || fclose(out) != 0) {
		r->failed = true;
		free(text);
		return;
	}
	reply_add(r, " ");
	add_word_of(r, limit_key_word(key), text + strlen(limit_key_word(key)) + 1);
	if (*source != '\0') {
		reply_add(r, " %s_by:", limit_key_word(key));
		free(text);
		text = malloc(4 * strlen(source) + 1);
		if (text != NULL)
			reply_add(r, "%s",
				escape_word(source, strlen(source), text, 4 * strlen(source) + 1));
	}
	free(text);
}

/* What is used of the quota, as the account knows it or, of one that is not there, as it is kept.
 */
static void add_use(struct services *v, struct reply *r, const struct account_name *who,
	const struct limits *limits)
{
	int64_t now = (int64_t)time(NULL);
	struct ledger_account account = {.sessions = 0};
	char date[TIMESTAMP_DATE], zone[TIMESTAMP_ZONE];
	uint64_t allowed;

	if (!ledger_find_account(v->ledger, who->key, now, &account)) {
		(void)kept_use_get(v->standing, who->key, &account.news.use);
		if (limits_have(limits, LIMIT_QUOTA))
			(void)quota_turn(&account.news.use, &limits->quota, now);
	}
	reply_add(r, " running:%zu", account.sessions);
	if (!limits_have(limits, LIMIT_QUOTA))
		return;
	allowed = limits->quota.bytes + account.news.use.extra;
	timestamp_format(quota_end(&limits->quota, now), date, zone);
	reply_add(r, " used:%llu left:%llu until:%.*s", (unsigned long long)account.news.use.used,
		(unsigned long long)(account.news.use.used < allowed
				? allowed - account.news.use.used
				: 0),
		TIMESTAMP_DATE, date);
}

/* What holds for whom. False when there is nobody of that name any more. */
static bool find_in_force(struct services *v, const struct account_name *who,
	struct limits_in_force *out, struct limit_sources *sources)
{
	struct limits own;
	char why[LIMITS_ERROR_MAX], *said;

	*out = (struct limits_in_force){.is_kept_out = false};
	memset(sources, 0, sizeof(*sources));
	if (who->kind == ACCOUNT_CLIENT) {
		limit_book_of_client(v->limits, &who->client, out, sources);
		return true;
	}
	if (who->kind == ACCOUNT_USER) {
		if (!users_own_limits(v->users, who->key, &own))
			return false;
		limit_book_of_user(v->limits, &own, out, sources);
		return true;
	}
	if (!who->is_of_clients) {
		(void)limit_book_of_group(v->limits, who->key + 1, out, sources);
		return true;
	}
	said = standing_get(v->standing, STANDING_LIMITS, who->key);
	if (said != NULL)
		(void)limits_parse(said, LIMITS_OF_CLIENTS, &out->limits, why);
	free(said);
	said = standing_get(v->standing, STANDING_DISABLED, who->key);
	out->is_kept_out = said != NULL;
	free(said);
	return true;
}

static void add_account_line(struct services *v, struct reply *r, const struct account_name *who,
	const struct limits_in_force *f, const struct limit_sources *sources)
{
	add_word_of(r, who_words[who->kind], who->key);
	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		if (f->limits.said[key] != LIMIT_UNSAID && key != LIMIT_DISABLED)
			add_limit(r, &f->limits, key, sources->of[key]);
	}
	if (f->is_kept_out)
		reply_add(r, " disabled:yes");
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
	size_t size = l->size == 0 ? 64 : 2 * l->size;
	struct account_name *more;

	for (size_t i = l->count; name->kind == ACCOUNT_GROUP && i-- > 0;) {
		if (strcmp(l->names[i].key, name->key) == 0)
			return;
	}
	if (l->count == l->size) {
		more = reallocarray(l->names, size, sizeof(*more));
		l->failed |= more == NULL;
		if (more == NULL)
			return;
		l->names = more;
		l->size = size;
	}
	l->names[l->count++] = *name;
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

		if (find_in_force(l->services, who, &f, &sources) &&
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

	if (!find_in_force(v, who, &f, &sources)) {
		reply_error(r, "%s does not exist", who->key);
		return;
	}
	reply_add(r, "OK\n");
	add_account_line(v, r, who, &f, &sources);
}

/* False, and `r` says why. */
static bool change_user(
	struct services *v, const char *name, const struct limits *own, struct reply *r)
{
	char *text = limits_format(own), error[USERS_ERROR_MAX] = "Out of memory";
	bool changed = text != NULL && users_set_attributes(v->users, name, text, error) == 0;

	free(text);
	if (!changed)
		reply_error(r, "%s", error);
	return changed;
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
		return SAYABLE;
	return who->kind == ACCOUNT_GROUP && !who->is_of_clients ? LIMITS_OF_USERS
								 : LIMITS_OF_CLIENTS;
}

/* What was said of whom until now. */
static void find_said(struct services *v, const struct account_name *who, struct limits *out)
{
	char why[LIMITS_ERROR_MAX], *said;

	*out = (struct limits){.said = {0}};
	if (who->kind == ACCOUNT_USER) {
		(void)users_own_limits(v->users, who->key, out);
		return;
	}
	said = standing_get(v->standing, STANDING_LIMITS, who->key);
	if (said != NULL)
		(void)limits_parse(said, legal_for(who), out, why);
	free(said);
}

static void change_limits(const struct request *q, const struct account_name *who, struct reply *r)
{
	struct services *v = q->services;
	struct limits said;
	char why[LIMITS_ERROR_MAX];

	find_said(v, who, &said);
	if (!limits_change(q->parameters[1], legal_for(who), &said, why)) {
		reply_error(r, "%s", why);
		return;
	}
	if (!(who->kind == ACCOUNT_USER ? change_user(v, who->key, &said, r)
					: change_said(v, who, &said, r)))
		return;
	take_in(q);
	reply_add(r, "OK Limits of %s changed%s\n", who->key, term_of(v, who));
}

void limits_command_limits(const struct request *q, struct reply *r)
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

void limits_command_quota(const struct request *q, struct reply *r)
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
	if (!find_in_force(v, &who, &f, &sources) || !limits_have(&f.limits, LIMIT_QUOTA)) {
		reply_error(r, "%s has no quota", who.key);
		return;
	}
	if (!ledger_change_quota(v->ledger, who.key, extra, (int64_t)time(NULL)) &&
		!change_kept_use(v, &who, &f.limits, extra)) {
		reply_error(r, "Out of memory");
		return;
	}
	take_in(q);
	reply_add(r, "OK Quota of %s %s%s\n", who.key,
		extra > 0 ? "has grown for this period" : "starts anew",
		standing_term(v->standing));
}

/* ---- DISABLE, ENABLE ---- */

struct group_end {
	struct services *services;
	enum end_reason reason;
	size_t ended;
};

static void end_user_of_group(void *context, const char *name)
{
	struct group_end *e = context;

	e->ended += registry_end_user(e->services->registry, name, strlen(name), e->reason);
}

size_t limits_end_group(struct services *v, const char *group, enum end_reason reason)
{
	struct group_end e = {.services = v, .reason = reason};
	struct config *c = config_get(v->config);
	const struct client_group *clients =
		client_groups_find(&c->settings.client_groups, group, strlen(group));

	account_each_in_group(v, group, end_user_of_group, &e);
	for (size_t i = 0; clients != NULL && i < clients->count; i++)
		e.ended += registry_end_client(v->registry, &clients->networks[i], reason);
	config_release(c);
	return e.ended;
}

static size_t end_sessions_of_account(struct services *v, const struct account_name *who)
{
	if (who->kind == ACCOUNT_GROUP)
		return limits_end_group(v, who->key + 1, END_DISABLED);
	if (who->kind == ACCOUNT_CLIENT)
		return registry_end_client(v->registry, &who->client, END_DISABLED);
	return registry_end_user(v->registry, who->key, strlen(who->key), END_DISABLED);
}

static bool is_only_admin(struct services *v, const char *name)
{
	struct user_info info;

	return users_get(v->users, name, &info) && info.role == USER_ROLE_ADMIN &&
		users_count_admins(v->users) == 1;
}

/* False, and `r` says why, also when it is so already. */
static bool set_user_disabled(struct services *v, const char *name, bool disabled, struct reply *r)
{
	struct limits own;
	bool was;

	(void)users_own_limits(v->users, name, &own);
	was = limits_have(&own, LIMIT_DISABLED) && own.is_disabled;
	if (was == disabled || (disabled && is_only_admin(v, name))) {
		reply_error(r, "%s %s", name,
			was != disabled    ? "is the last admin and stays"
				: disabled ? "is disabled already"
					   : "is not disabled");
		return false;
	}
	own.said[LIMIT_DISABLED] = disabled ? LIMIT_SAID : LIMIT_UNSAID;
	own.is_disabled = disabled;
	return change_user(v, name, &own, r);
}

static bool set_said_disabled(
	struct services *v, const struct account_name *who, bool disabled, struct reply *r)
{
	char *was = standing_get(v->standing, STANDING_DISABLED, who->key);
	bool is_news = (was != NULL) != disabled;

	free(was);
	if (!is_news)
		reply_error(
			r, "%s is %s", who->key, disabled ? "disabled already" : "not disabled");
	else if (standing_put(v->standing, STANDING_DISABLED, who->key, disabled ? "yes" : NULL) <
		0)
		reply_error(r, "Out of memory");
	else
		return true;
	return false;
}

static bool set_disabled(
	const struct request *q, bool disabled, struct account_name *who, struct reply *r)
{
	struct services *v = q->services;

	if (!account_name_find(v, q->parameters[0], who, r))
		return false;
	return who->kind == ACCOUNT_USER ? set_user_disabled(v, who->key, disabled, r)
					 : set_said_disabled(v, who, disabled, r);
}

void limits_command_disable(const struct request *q, struct reply *r)
{
	struct account_name who;
	size_t ended;

	if (!set_disabled(q, true, &who, r))
		return;
	ended = end_sessions_of_account(q->services, &who);
	take_in(q);
	/* Those that have begun meanwhile. */
	(void)end_sessions_of_account(q->services, &who);
	hashing_wake(q->services->hashing);
	reply_add(r, "OK %s disabled, %zu session%s ended%s\n", who.key, ended, plural(ended),
		term_of(q->services, &who));
}

void limits_command_enable(const struct request *q, struct reply *r)
{
	struct account_name who;

	if (!set_disabled(q, false, &who, r))
		return;
	take_in(q);
	reply_add(r, "OK %s enabled%s\n", who.key, term_of(q->services, &who));
}

/* ---- GUEST, GUESTS ---- */

/* Letters and digits that nobody takes for others. */
static void make_up(char *out, size_t len)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";

	for (size_t i = 0; i < len; i++)
		out[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	out[len] = '\0';
}

/* What the guest's line of the users file says. False, and `r` says why. */
static bool read_guest(const struct request *q, struct limits *out, struct reply *r)
{
	unsigned legal = SAYABLE & ~LIMIT_BIT(LIMIT_EXPIRES);
	char why[LIMITS_ERROR_MAX];
	int64_t hours = GUEST_HOURS;

	if (q->count > 0 &&
		(!parse_number(q->parameters[0], &hours) || hours < 1 ||
			hours > GUEST_HOURS_MOST)) {
		reply_error(r, "\"%s\": the hours are a number from 1 to %d", q->parameters[0],
			GUEST_HOURS_MOST);
		return false;
	}
	if (!limits_parse(q->count > 1 ? q->parameters[1] : "", legal, out, why)) {
		reply_error(r, "%s", why);
		return false;
	}
	out->said[LIMIT_EXPIRES] = out->said[LIMIT_GUEST] = LIMIT_SAID;
	out->is_guest = true;
	/* What is written has no seconds. */
	out->expires = ((int64_t)time(NULL) + hours * 3600 + 59) / 60 * 60;
	return true;
}

void limits_command_prepare_guest(struct request *q, struct reply *r)
{
	struct hashing_wait wait = {.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	struct limits limits;

	if (!read_guest(q, &limits, r))
		return;
	strcpy(q->made_name, "guest-");
	make_up(q->made_name + 6, 5);
	make_up(q->made_password, 12);
	if (hashing_make(q->services->hashing, &wait, q->made_password, q->hash) < 0)
		reply_error(r, "The password cannot be hashed: %s", strerror(errno));
}

/* Where clients reach the proxy, as far as that is known: the first address that is listened on, or
 * for all of them the first that this host has. */
static void find_door(struct services *v, char out[ADDR_TEXT_MAX])
{
	struct config *c = config_get(v->config);
	struct addr door = c->own[0], own;
	char all[512], text[ADDR_TEXT_MAX];
	uint16_t port = addr_port(&door);

	config_release(c);
	if (addr_is_unspecified(&door)) {
		own_format(v->own, all, sizeof(all));
		for (char *rest = all, *word; (word = strsep(&rest, " ")) != NULL;) {
			if (addr_parse(word, strlen(word), &own) && !addr_is_loopback(&own)) {
				door = own;
				break;
			}
		}
		addr_set_port(&door, port);
	}
	strcpy(out, addr_format(&door, text));
}

static void tell_guest(const struct request *q, const struct limits *limits, struct reply *r)
{
	char until[CALENDAR_END_MAX], door[ADDR_TEXT_MAX], *colon;

	find_door(q->services, door);
	calendar_format_end(limits->expires, until);
	reply_add(r, "OK Guest %s until %s%s\n", q->made_name, until, users_term(q->services));
	reply_add(r, "name:%s password:%s expires:%s proxy:%s\n", q->made_name, q->made_password,
		until, door);
	reply_add(r, "text:curl --proxy socks5h://%s:%s@%s https://example.org/\n", q->made_name,
		q->made_password, door);
	colon = strrchr(door, ':');
	if (colon == NULL)
		return;
	*colon = '\0';
	reply_add(r,
		"text:browsers (by an extension such as FoxyProxy, since none logs in to SOCKS by "
		"itself): type SOCKS5, host %s, port %s, user %s, password %s, DNS through the "
		"proxy\n",
		door, colon + 1, q->made_name, q->made_password);
}

void limits_command_guest(const struct request *q, struct reply *r)
{
	struct user_credentials c = {.name = q->made_name, .password = q->made_password};
	char error[USERS_ERROR_MAX] = "Out of memory", *text;
	struct limits limits;
	bool added;

	if (!read_guest(q, &limits, r))
		return;
	text = limits_format(&limits);
	added = text != NULL &&
		users_add_limited(q->services->users, c.name, q->hash, text, error) == 0;
	free(text);
	if (!added) {
		reply_error(r, "%s", error);
		return;
	}
	users_remember(q->services->users, &c, q->hash);
	take_in(q);
	tell_guest(q, &limits, r);
}

static void add_guest(struct reply *r, const char *name, const struct limits *own, size_t sessions)
{
	char until[CALENDAR_END_MAX] = "-";
	bool has_end = limits_have(own, LIMIT_EXPIRES);

	if (has_end)
		calendar_format_end(own->expires, until);
	add_word_of(r, "name", name);
	reply_add(r, " expires:%s state:%s sessions:%zu\n", until,
		limits_have(own, LIMIT_DISABLED) && own->is_disabled ? "disabled"
			: has_end && time(NULL) >= own->expires      ? "expired"
								     : "open",
		sessions);
}

/* There are as many as somebody has made by hand. */
void limits_command_guests(const struct request *q, struct reply *r)
{
	struct users *u = q->services->users;
	size_t count = 0;
	const char **names = users_names(u, &count);

	if (names == NULL) {
		reply_error(r, "Out of memory");
		return;
	}
	reply_add(r, "OK\n");
	for (size_t i = 0; i < count; i++) {
		struct limits own;
		struct user_info info;

		if (users_own_limits(u, names[i], &own) && limits_have(&own, LIMIT_GUEST) &&
			own.is_guest && users_get(u, names[i], &info))
			add_guest(r, names[i], &own, info.figures.sessions);
	}
	free(names);
}
