/*
 * One table: the dispatcher, HELP, the manual and the completion of monitor_client all come from
 * it. Each handler writes its whole reply but for the empty line at the end. Listings that can be
 * long are sources (reply.h): what is listed is copied a little at a time, between which nothing is
 * locked.
 */
#include "monitor/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "base/parse.h"
#include "base/version.h"
#include "monitor/insight_commands.h"
#include "monitor/ban_commands.h"
#include "monitor/history_commands.h"
#include "monitor/limits_commands.h"
#include "monitor/listings.h"
#include "monitor/rules_commands.h"
#include "monitor/setting_lines.h"
#include "monitor/upstream_listing.h"
#include "server/sampling.h"
#include "server/statistics.h"
#include "state/kept_use.h"

/* ---- looking ---- */

static void add_figure(void *context, const char *name, uint64_t value, const char *unit)
{
	reply_add(context, "%s:%llu%s\n", name, (unsigned long long)value, unit);
}

static void run_stats(const struct request *q, struct reply *r)
{
	reply_add(r, "OK\n");
	statistics_each(q->services, add_figure, r);
	reply_add(r, "version:%s\n", SOCKS5D_VERSION);
	upstream_listing_add_figures(q->services, r);
}

static void run_version(const struct request *q, struct reply *r)
{
	(void)q;
	reply_add(r, "OK socks5d %s\n", SOCKS5D_VERSION);
}

static void run_connections(const struct request *q, struct reply *r)
{
	listings_connections(q->services, r);
}

static void run_users(const struct request *q, struct reply *r)
{
	listings_users(q->services, r);
}

static void run_upstreams(const struct request *q, struct reply *r)
{
	upstream_listing(q->services, r);
}

static void run_accounts(const struct request *q, struct reply *r)
{
	listings_accounts(q->services, r);
}

static void run_clients(const struct request *q, struct reply *r)
{
	listings_clients(q->services, r);
}

/* Is it an address, or a network? No user has such a name. */
static bool names_client(const char *word, struct network *client)
{
	return network_parse(word, strlen(word), client);
}

static void run_access_log(const struct request *q, struct reply *r)
{
	const char *user = q->count > 0 ? q->parameters[0] : "*";
	struct network client;
	int64_t newest = INT64_MAX;

	if (q->count > 1 && (!parse_number(q->parameters[1], &newest) || newest == 0)) {
		reply_error(r, "\"%s\": the count is a number from 1 on", q->parameters[1]);
		return;
	}
	if (names_client(user, &client))
		listings_access_log_of_client(q->services, &client, (uint64_t)newest, r);
	else
		listings_access_log(
			q->services, strcmp(user, "*") == 0 ? NULL : user, (uint64_t)newest, r);
}

#define TRAFFIC_SECONDS 60 /* that are shown where nothing is asked for */

/* The scale with that step, or else the finest that reaches so far back; false, and `r` says so, if
 * there is none. */
static bool find_scale(struct reply *r, int64_t seconds, int64_t step, size_t *out)
{
	for (*out = 0; *out < THROUGHPUT_SCALES; (*out)++) {
		const struct throughput_scale *s = &throughput_scales[*out];

		if (step == 0 ? seconds <= s->reach : step == s->step) {
			if (seconds >= 1 && seconds <= s->reach)
				return true;
			reply_error(r, "\"%lld\": with a step of %lld the seconds are 1 to %lld",
				(long long)seconds, (long long)s->step, (long long)s->reach);
			return false;
		}
	}
	if (step == 0)
		reply_error(r, "\"%lld\": the seconds are 1 to 86400", (long long)seconds);
	else
		reply_error(r, "\"%lld\": the step is 1, 60 or 300 seconds", (long long)step);
	return false;
}

static void run_traffic(const struct request *q, struct reply *r)
{
	int64_t numbers[] = {TRAFFIC_SECONDS, 0}, now = clock_ms();
	size_t scale;

	for (size_t i = 0; i < q->count; i++) {
		if (!parse_number(q->parameters[i], &numbers[i]) || numbers[i] == 0) {
			reply_error(r, "\"%s\": seconds and step are numbers from 1 on",
				q->parameters[i]);
			return;
		}
	}
	if (!find_scale(r, numbers[0], numbers[1], &scale))
		return;
	sampling_take(q->services, now);
	listings_traffic(q->services, scale, numbers[0], now, r);
}

/* ---- settings ---- */

static void add_setting(
	struct reply *r, const struct setting *setting, const struct settings *settings)
{
	char *value = setting_format(setting, settings);

	if (value == NULL)
		r->failed = true;
	else
		reply_add(r, "%s:%s\n", setting->name, value);
	free(value);
}

static void show_settings(const struct request *q, const struct setting *only, struct reply *r)
{
	struct config *c = config_get(q->services->config);

	reply_add(r, "OK\n");
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (only == NULL || only == &settings_table[i])
			add_setting(r, &settings_table[i], &c->settings);
	}
	config_release(c);
}

/* `""` is how an empty value is written. */
static void change_setting(
	const struct request *q, const struct setting *setting, const char *value, struct reply *r)
{
	char why[CHANGE_REPLY_MAX];

	if (server_set(q->server, setting, strcmp(value, "\"\"") == 0 ? "" : value, why) < 0)
		reply_error(r, "%s", why);
	else
		reply_add(r, "OK %s set to %s\n", setting->name, value);
}

static void run_config(const struct request *q, struct reply *r)
{
	const struct setting *setting = q->count == 0 ? NULL : settings_find(q->parameters[0]);
	char hint[NEAREST_HINT_MAX];

	if (q->count > 0 && setting == NULL)
		reply_error(r, "Unknown parameter: %s%s", q->parameters[0],
			setting_name_hint(settings_table, SETTINGS_COUNT, q->parameters[0], hint));
	else if (q->count < 2)
		show_settings(q, setting, r);
	else
		change_setting(q, setting, q->parameters[1], r);
}

static void run_settings(const struct request *q, struct reply *r)
{
	struct config *now = config_get(q->services->config);

	setting_lines_put(r, now, server_base(q->server), q->count > 0 ? q->parameters[0] : "");
	config_release(now);
}

static void run_log_level(const struct request *q, struct reply *r)
{
	change_setting(q, settings_find("log_level"), q->parameters[0], r);
}

static void run_reload(const struct request *q, struct reply *r)
{
	char what[CHANGE_REPLY_MAX];
	bool cuts = q->count > 0;

	if (cuts && strcasecmp(q->parameters[0], "CUT") != 0)
		reply_error(r, "\"%s\": legal is CUT, or nothing", q->parameters[0]);
	else if (server_reload(q->server, cuts, what) < 0)
		reply_error(r, "%s", what);
	else
		reply_add(r, "OK %s\n", what);
}

/* ---- users ---- */

#define HOW_LONG_MAX (USERS_NAME_MAX + 128)

/* Why what was done to this user may not last, for the end of an answer: the command line gives him
 * something (`again`) at every start, or users are not kept, of which there may be `more` to say.
 */
static const char *for_how_long(
	const struct request *q, const char *again, const char *more, char text[HOW_LONG_MAX])
{
	const struct users *u = q->services->users;
	const char *name = q->parameters[0];

	text[0] = '\0';
	if (users_are_given(u, name))
		snprintf(text, HOW_LONG_MAX, " (until the next start: -u gives %s%s)", name, again);
	else if (!users_are_kept(u))
		snprintf(text, HOW_LONG_MAX, " (until the server ends: users_file is not set%s)",
			more);
	return text;
}

/* False when name or password cannot be one; then `r` says why. */
static bool check_credentials(const char *name, const char *password, struct reply *r)
{
	const char *problem = users_name_problem(name, strlen(name));

	if (problem == NULL)
		problem = users_password_problem(password);
	if (problem != NULL)
		reply_error(r, "%s", problem);
	return problem == NULL;
}

static struct user_credentials credentials_of(const struct request *q)
{
	return (struct user_credentials){.name = q->parameters[0], .password = q->parameters[1]};
}

static void make_hash(struct request *q, struct reply *r)
{
	struct hashing_wait wait = {.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	struct user_credentials c = credentials_of(q);

	if (check_credentials(c.name, c.password, r) &&
		hashing_make(q->services->hashing, &wait, c.password, q->hash) < 0)
		reply_error(r, "The password cannot be hashed: %s", strerror(errno));
}

static void prepare_add_user(struct request *q, struct reply *r)
{
	if (q->count == 3 && strcmp(q->parameters[2], user_role_word(USER_ROLE_ADMIN)) != 0)
		reply_error(r, "\"%s\": the role is admin, or left out", q->parameters[2]);
	else
		make_hash(q, r);
}

static void run_add_user(const struct request *q, struct reply *r)
{
	enum user_role role = q->count == 3 ? USER_ROLE_ADMIN : USER_ROLE_USER;
	struct user_credentials c = credentials_of(q);
	char error[USERS_ERROR_MAX], text[HOW_LONG_MAX];

	if (users_add(q->services->users, c.name, q->hash, role, error) < 0) {
		reply_error(r, "%s", error);
		return;
	}
	users_remember(q->services->users, &c, q->hash);
	reply_add(r, "OK User %s added%s\n", c.name,
		for_how_long(q, " a password", "; who must log in stays as it was", text));
}

static void run_set_password(const struct request *q, struct reply *r)
{
	struct user_credentials c = credentials_of(q);
	char error[USERS_ERROR_MAX], text[HOW_LONG_MAX];

	if (users_set_password(q->services->users, c.name, q->hash, error) < 0) {
		reply_error(r, "%s", error);
		return;
	}
	users_remember(q->services->users, &c, q->hash);
	reply_add(r, "OK Password of %s changed%s\n", c.name,
		for_how_long(q, " a password", "", text));
}

static void run_set_role(const struct request *q, struct reply *r)
{
	const char *name = q->parameters[0];
	char error[USERS_ERROR_MAX], text[HOW_LONG_MAX];
	enum user_role role;

	if (!user_role_parse(q->parameters[1], &role))
		reply_error(r, "\"%s\": the role is user or admin", q->parameters[1]);
	else if (users_set_role(q->services->users, name, role, error) < 0)
		reply_error(r, "%s", error);
	else
		reply_add(r, "OK Role of %s set to %s%s\n", name, user_role_word(role),
			for_how_long(q, " the role admin", "", text));
}

/* `who` is a user, or a client by its address. */
static size_t end_sessions_of(const struct request *q, const char *who)
{
	struct registry *registry = q->services->registry;
	struct network client;
	size_t ended = names_client(who, &client)
		? registry_end_client(registry, &client, END_KILLED)
		: registry_end_user(registry, who, strlen(who), END_KILLED);

	if (*who == '@')
		ended += limits_end_group(q->services, who + 1, END_KILLED);
	if (strcmp(who, USERS_ANONYMOUS) == 0)
		ended += registry_end_user(registry, NULL, 0, END_KILLED);
	hashing_wake(q->services->hashing);
	return ended;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void run_del_user(const struct request *q, struct reply *r)
{
	const char *name = q->parameters[0];
	char error[USERS_ERROR_MAX], text[HOW_LONG_MAX];
	size_t ended;

	if (users_remove(q->services->users, name, error) < 0) {
		reply_error(r, "%s", error);
	} else {
		history_end_user(
			q->services->history, name, ledger_last_serial(q->services->ledger));
		kept_use_drop(q->services->standing, name);
		ended = registry_end_user(q->services->registry, name, strlen(name), END_KILLED);
		reply_add(r, "OK User %s deleted, %zu session%s ended%s\n", name, ended,
			plural(ended), for_how_long(q, " again", "", text));
	}
}

/* ---- sessions ---- */

static void run_kill(const struct request *q, struct reply *r)
{
	int64_t id;

	if (!parse_number(q->parameters[0], &id)) {
		reply_error(r, "\"%s\": the id of a session is a number", q->parameters[0]);
	} else if (!registry_end(q->services->registry, (uint64_t)id, END_KILLED)) {
		reply_error(r, "There is no session %s", q->parameters[0]);
	} else {
		hashing_wake(q->services->hashing);
		reply_add(r, "OK Session %s ended\n", q->parameters[0]);
	}
}

static void run_kill_user(const struct request *q, struct reply *r)
{
	const char *name = q->parameters[0];
	size_t ended = end_sessions_of(q, name);

	if (ended == 0)
		reply_error(r, "%s has no session", name);
	else
		reply_add(r, "OK %zu session%s of %s ended\n", ended, plural(ended), name);
}

/* ---- the connection itself ---- */

static void run_quit(const struct request *q, struct reply *r)
{
	(void)q;
	reply_add(r, "OK Goodbye\n");
	r->closes = true;
}

static void run_help(const struct request *q, struct reply *r);

/* ---- the table ---- */

#define USER .role = USER_ROLE_USER
#define ADMIN .role = USER_ROLE_ADMIN

const struct command commands_table[] = {
	{.word = "STATS",
		ADMIN,
		.parameters = "",
		.help = "what was counted and measured since the start",
		.run = run_stats},
	{.word = "CONNECTIONS",
		ADMIN,
		.parameters = "",
		.help = "the sessions that run now, a line each",
		.run = run_connections},
	{.word = "USERS",
		ADMIN,
		.parameters = "",
		.help = "the users who have a session now",
		.run = run_users},
	{.word = "CONFIG",
		ADMIN,
		.parameters = "[<parameter> [<value>]]",
		.help = "shows all settings or one of them, or changes one",
		.most = 2,
		.takes_rest = true,
		.is_errand = true,
		.logged_from = 3,
		.run = run_config},
	{.word = "ACCESS_LOG",
		ADMIN,
		.parameters = "[<name>|<client>|* [<count>]]",
		.help = "the requests that were answered, of all, of a user or of a client's "
			"address, or the newest of them",
		.most = 2,
		.run = run_access_log},
	{.word = "QUIT",
		USER,
		.parameters = "",
		.help = "ends the connection to the monitor",
		.run = run_quit},
	{.word = "HELP", USER, .parameters = "", .help = "this list", .run = run_help},
	{.word = "ACCOUNTS",
		ADMIN,
		.parameters = "",
		.help = "all users there are: role, sessions, bytes, last login",
		.run = run_accounts},
	{.word = "ADD_USER",
		ADMIN,
		.parameters = "<name> <password> [admin]",
		.help = "adds a user, who may use the monitor too if admin",
		.least = 2,
		.most = 3,
		.is_errand = true,
		.logged_from = 2,
		.prepare = prepare_add_user,
		.run = run_add_user},
	{.word = "SET_PASSWORD",
		ADMIN,
		.parameters = "<name> <password>",
		.help = "gives a user another password, which may have blanks in it",
		.least = 2,
		.most = 2,
		.takes_rest = true,
		.is_errand = true,
		.ends_consoles = true,
		.logged_from = 2,
		.prepare = make_hash,
		.run = run_set_password},
	{.word = "DEL_USER",
		ADMIN,
		.parameters = "<name>",
		.help = "deletes a user and ends the user's sessions",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = run_del_user},
	{.word = "KILL",
		ADMIN,
		.parameters = "<id>",
		.help = "ends a session",
		.least = 1,
		.most = 1,
		.logged_from = 2,
		.run = run_kill},
	{.word = "KILL_USER",
		ADMIN,
		.parameters = "<name>|<client>|@<group>",
		.help = "ends all sessions of a user (Anonymous: of those without a login), of a "
			"client's address or network, or of a group",
		.least = 1,
		.most = 1,
		.logged_from = 2,
		.run = run_kill_user},
	{.word = "RELOAD",
		ADMIN,
		.parameters = "[CUT]",
		.help = "reads configuration and users again and opens the logs again; CUT: and "
			"ends the sessions that the rules would refuse by now",
		.most = 1,
		.is_errand = true,
		.logged_from = 1,
		.run = run_reload},
	{.word = "LOG_LEVEL",
		ADMIN,
		.parameters = "<error|warn|info|debug>",
		.help = "changes what is logged",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.logged_from = 2,
		.run = run_log_level},
	{.word = "TRAFFIC",
		ADMIN,
		.parameters = "[<seconds> [<step>]]",
		.help = "bytes moved of late, newest first, in steps of 1, 60 or 300 seconds",
		.most = 2,
		.run = run_traffic},
	{.word = "SET_ROLE",
		ADMIN,
		.parameters = "<name> user|admin",
		.help = "lets a user use the monitor, or not any more",
		.least = 2,
		.most = 2,
		.is_errand = true,
		.logged_from = 2,
		.run = run_set_role},
	{.word = "SETTINGS",
		ADMIN,
		.parameters = "[<word>]",
		.help = "the settings, or those with that in their names: where each value comes "
			"from, what the file says",
		.most = 1,
		.is_errand = true,
		.run = run_settings},
	{.word = "CLIENTS",
		ADMIN,
		.parameters = "",
		.help = "the clients that are remembered: sessions, bytes, what was refused",
		.run = run_clients},
	{.word = "UPSTREAMS",
		ADMIN,
		.parameters = "",
		.help = "the upstreams: whether each works, its sessions, its last fault",
		.run = run_upstreams},
	{.word = "RULES",
		ADMIN,
		.parameters = "",
		.help = "the rules in force: hits, where each comes from, how long a temporary "
			"one has left",
		.run = rules_commands_list},
	{.word = "ALLOW",
		ADMIN,
		.parameters = "<name>|<client>|@<group>|* <host>|.<domain>|* <time>",
		.help = "a rule above all others that allows it for so long",
		.least = 3,
		.most = 3,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 1,
		.run = rules_commands_allow},
	{.word = "DENY",
		ADMIN,
		.parameters = "<name>|<client>|@<group>|* <host>|.<domain>|* <time>",
		.help = "a rule above all others that denies it for so long, and ends the sessions "
			"that it hits",
		.least = 3,
		.most = 3,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 1,
		.run = rules_commands_deny},
	{.word = "DROP_RULE",
		ADMIN,
		.parameters = "<rule>|*",
		.help = "takes a temporary rule back, or all of them",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = rules_commands_drop},
	{.word = "EXPLAIN",
		ADMIN,
		.parameters = "<question>",
		.help = "what would become of a request, gate by gate, and why: from=ADDR "
			"[user=NAME] to=HOST:PORT [command=udp] [time=\"tue 09:30\"]; nothing is "
			"connected to",
		.least = 1,
		.most = 1,
		.takes_rest = true,
		.is_errand = true,
		.asks_names = true,
		.run = rules_commands_explain},
	{.word = "LIMITS",
		ADMIN,
		.parameters = "[<name>|<client>|@<group> [<key=value>...]]",
		.help = "what holds for whom, who says it, and what is used and left; or changes it "
			"(none lifts a limit, default takes back what was said)",
		.most = 2,
		.takes_rest = true,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 3,
		.run = limits_command_limits},
	{.word = "QUOTA",
		ADMIN,
		.parameters = "<name>|<client> reset|+<size>",
		.help = "lets a quota start anew, or gives more for this period",
		.least = 2,
		.most = 2,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = limits_command_quota},
	{.word = "DISABLE",
		ADMIN,
		.parameters = "<name>|<client>|@<group>",
		.help = "keeps a user, a client's address or network, or a group out, and ends the "
			"sessions",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = limits_command_disable},
	{.word = "ENABLE",
		ADMIN,
		.parameters = "<name>|<client>|@<group>",
		.help = "lets them in again",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = limits_command_enable},
	{.word = "GUEST",
		ADMIN,
		.parameters = "[<hours> [<key=value>...]]",
		.help = "adds a user with a random name and password who expires, in 24 hours if "
			"nothing else is said",
		.most = 2,
		.takes_rest = true,
		.is_errand = true,
		.logged_from = 1,
		.prepare = limits_command_prepare_guest,
		.run = limits_command_guest},
	{.word = "GUESTS",
		ADMIN,
		.parameters = "",
		.help = "the guests there are, and when they expire",
		.run = limits_command_guests},
	{.word = "WHY",
		ADMIN,
		.parameters = "<name>|<client>|@<group>|* [<count>]",
		.help = "the newest failures, 20 of them or that many, and what to do about each",
		.least = 1,
		.most = 2,
		.run = insight_run_why},
	{.word = "WATCH",
		ADMIN,
		.parameters = "[user=<name>] [client=<client>] [to=<host>|.<domain>|<network>]",
		.help = "sessions as they begin, ask, are refused and end, until a line is sent",
		.most = 3,
		.run = insight_run_watch},
	{.word = "BANS",
		ADMIN,
		.parameters = "",
		.help = "who is banned from the proxy: since when, until when, and why",
		.run = ban_commands_list},
	{.word = "BAN",
		ADMIN,
		.parameters = "<client>|<network> [<time>]",
		.help = "bans a client's address or a network, for a time or for good, and ends "
			"its sessions",
		.least = 1,
		.most = 2,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = ban_commands_ban},
	{.word = "UNBAN",
		ADMIN,
		.parameters = "<banned>|*",
		.help = "ends a ban, or all of them",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = ban_commands_unban},
	{.word = "USAGE",
		ADMIN,
		.parameters =
			"[<name>|<client>|@<group>|* [today|yesterday|week|month|<date> [<date>]]]",
		.help = "what users and clients have used, by bytes: today, yesterday, week, month "
			"or dates; this month",
		.most = 3,
		.is_keepers = true,
		.run = history_command_usage},
	{.word = "SITES",
		ADMIN,
		.parameters =
			"[<name>|<client>|@<group>|* [today|yesterday|week|month|<date> [<date>]]]",
		.help = "the sites that were visited, likewise, where sites_days keeps them",
		.most = 3,
		.is_keepers = true,
		.run = history_command_sites},
	{.word = "FORGET",
		ADMIN,
		.parameters = "<name>|<client>|@<group>|*",
		.help = "deletes the history of a user, of a client's address, or all of it",
		.least = 1,
		.most = 1,
		.is_keepers = true,
		.logged_from = 2,
		.run = history_command_forget},
	{.word = "VERSION",
		USER,
		.parameters = "",
		.help = "which version of the server this is",
		.run = run_version},
};

const size_t commands_count = sizeof(commands_table) / sizeof(commands_table[0]);

static void run_help(const struct request *q, struct reply *r)
{
	(void)q;
	reply_add(r, "OK\n");
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands_table[i];

		reply_add(r, "%s%s%s - %s\n", c->word, *c->parameters != '\0' ? " " : "",
			c->parameters, c->help);
	}
}

/* ---- dispatching ---- */

static const struct command *find(const struct monitor_line *word)
{
	for (size_t i = 0; i < commands_count; i++) {
		if (monitor_is_word(word, commands_table[i].word))
			return &commands_table[i];
	}
	return NULL;
}

static void refuse_unknown(const struct monitor_line *word, struct reply *r)
{
	struct nearest nearest = nearest_to(word->text, word->len);
	char hint[NEAREST_HINT_MAX];

	for (size_t i = 0; i < commands_count; i++)
		nearest_try(&nearest, commands_table[i].word);
	reply_error(r, "Unknown command: %.*s%s", (int)word->len, word->text,
		nearest_hint(&nearest, "", hint));
}

/* The next parameter of `q` from what is left of the line. */
static void take_parameter(struct request *q, struct monitor_line *rest, char **memory)
{
	bool is_rest = q->command->takes_rest && q->count + 1 == q->command->most;
	struct monitor_line word = *rest;

	if (is_rest)
		rest->len = 0;
	else
		monitor_next_word(rest, &word);
	memcpy(*memory, word.text, word.len);
	(*memory)[word.len] = '\0';
	q->parameters[q->count++] = *memory;
	*memory += word.len + 1;
}

bool commands_parse(const struct monitor_line *line, struct request *q, struct reply *r)
{
	struct monitor_line rest = *line, word;
	char *memory = q->memory;

	if (!monitor_next_word(&rest, &word)) {
		reply_error(r, "Empty line: HELP lists the commands");
		return false;
	}
	q->command = find(&word);
	q->count = 0;
	if (q->command == NULL) {
		refuse_unknown(&word, r);
		return false;
	}
	while (rest.len > 0 && q->count < q->command->most)
		take_parameter(q, &rest, &memory);
	if (rest.len == 0 && q->count >= q->command->least)
		return true;
	reply_error(r, "Usage: %s%s%s", q->command->word, *q->command->parameters ? " " : "",
		q->command->parameters);
	return false;
}

bool commands_may(const struct request *q, const char *user)
{
	struct user_info info;

	/* Who could log in may at least leave. */
	if (q->command->role == USER_ROLE_USER)
		return true;
	return users_get(q->services->users, user, &info) && info.role >= q->command->role;
}

bool commands_allowed(const struct request *q, const char *user, struct reply *r)
{
	if (commands_may(q, user))
		return true;
	reply_error(r, "%s may not do that any more", user);
	return false;
}
