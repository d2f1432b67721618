/*
 * One table: the dispatcher, HELP, the manual and the completion of monitor_client all come from
 * it. Each handler writes its whole reply but for the empty line at the end.
 */
#include "monitor/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "monitor/alarm_commands.h"
#include "monitor/ban_commands.h"
#include "monitor/disable_commands.h"
#include "monitor/guest_commands.h"
#include "monitor/history_commands.h"
#include "monitor/insight_commands.h"
#include "monitor/limits_commands.h"
#include "monitor/node_commands.h"
#include "monitor/look_commands.h"
#include "monitor/rules_commands.h"
#include "monitor/session_commands.h"
#include "monitor/setting_commands.h"
#include "monitor/user_commands.h"

/* ---- the connection itself ---- */

static void run_quit(const struct monitor_request *q, struct reply *r)
{
	(void)q;
	reply_add(r, "OK Goodbye\n");
	r->closes = true;
}

static void run_help(const struct monitor_request *q, struct reply *r);

/* ---- the table ---- */

#define USER .role = USER_ROLE_USER
#define ADMIN .role = USER_ROLE_ADMIN

const struct command commands_table[] = {
	{.word = "STATS",
		ADMIN,
		.parameters = "",
		.help = "what was counted and measured since the start",
		.run = look_command_stats},
	{.word = "CONNECTIONS",
		ADMIN,
		.parameters = "[<name>|<client>]",
		.help = "the sessions that run now, or those of a user or of a client's address or "
			"network, a line each",
		.most = 1,
		.own = OWN_LOOKS,
		.run = look_command_connections},
	{.word = "USERS",
		ADMIN,
		.parameters = "",
		.help = "the users who have a session now",
		.run = look_command_users},
	{.word = "CONFIG",
		ADMIN,
		.parameters = "[<parameter> [<value>]]",
		.help = "shows all settings or one of them, or changes one",
		.most = 2,
		.takes_rest = true,
		.is_errand = true,
		.logged_from = 3,
		.run = setting_command_config},
	{.word = "ACCESS_LOG",
		ADMIN,
		.parameters = "[<name>|<client>|* [<count>|<day>]]",
		.help = "the requests that were answered, of all, of a user or of a client's "
			"address, or the newest of them, or those of a day",
		.most = 2,
		.run = look_command_access_log},
	{.word = "QUIT",
		USER,
		.parameters = "",
		.is_for_consoles = true,
		.help = "ends the connection to the monitor",
		.run = run_quit},
	{.word = "HELP", USER, .parameters = "", .help = "this list", .run = run_help},
	{.word = "ACCOUNTS",
		ADMIN,
		.parameters = "",
		.help = "all users there are: role, sessions, bytes, last login",
		.run = look_command_accounts},
	{.word = "ADD_USER",
		ADMIN,
		.parameters = "<name> <password> [admin|helper]",
		.help = "adds a user, who may use the monitor too if admin; helper, with the "
			"password *: whose password auth_socket knows",
		.least = 2,
		.most = 3,
		.is_errand = true,
		.keeps_users = true,
		.logged_from = 2,
		.prepare = user_command_prepare_add,
		.run = user_command_add_user},
	{.word = "SET_PASSWORD",
		ADMIN,
		.parameters = "<name> <password>",
		.help = "gives a user another password, which may have blanks in it",
		.least = 2,
		.most = 2,
		.takes_rest = true,
		.is_errand = true,
		.keeps_users = true,
		.ends_consoles = true,
		.own = OWN_PROVEN,
		.logged_from = 2,
		.prepare = user_command_make_hash,
		.run = user_command_set_password},
	{.word = "DEL_USER",
		ADMIN,
		.parameters = "<name>",
		.help = "deletes a user and ends the user's sessions",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = user_command_del_user},
	{.word = "KILL",
		ADMIN,
		.parameters = "<id>",
		.help = "ends a session",
		.least = 1,
		.most = 1,
		.logged_from = 2,
		.run = session_command_kill},
	{.word = "KILL_USER",
		ADMIN,
		.parameters = "<name>|<client>|@<group>",
		.help = "ends all sessions of a user (Anonymous: of those without a login), of a "
			"client's address or network, or of a group",
		.least = 1,
		.most = 1,
		.logged_from = 2,
		.run = session_command_kill_user},
	{.word = "RELOAD",
		ADMIN,
		.parameters = "[CUT]",
		.help = "reads configuration and users again and opens the logs again; CUT: and "
			"ends the sessions that the rules would refuse by now",
		.most = 1,
		.is_errand = true,
		.logged_from = 1,
		.run = setting_command_reload},
	{.word = "LOG_LEVEL",
		ADMIN,
		.parameters = "<error|warn|info|debug>",
		.help = "changes what is logged",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.logged_from = 2,
		.run = setting_command_log_level},
	{.word = "TRAFFIC",
		ADMIN,
		.parameters = "[<seconds> [<step>]]",
		.help = "bytes moved of late, newest first, in steps of 1, 60 or 300 seconds",
		.most = 2,
		.run = look_command_traffic},
	{.word = "SET_ROLE",
		ADMIN,
		.parameters = "<name> user|admin",
		.help = "lets a user use the monitor, or not any more",
		.least = 2,
		.most = 2,
		.is_errand = true,
		.keeps_users = true,
		.logged_from = 2,
		.run = user_command_set_role},
	{.word = "SETTINGS",
		ADMIN,
		.parameters = "[<word>]",
		.help = "the settings, or those with that in their names: where each value comes "
			"from, what the file says",
		.most = 1,
		.is_errand = true,
		.run = setting_command_settings},
	{.word = "CLIENTS",
		ADMIN,
		.parameters = "",
		.help = "the clients that are remembered: sessions, bytes, what was refused",
		.run = look_command_clients},
	{.word = "UPSTREAMS",
		ADMIN,
		.parameters = "",
		.help = "the upstreams: whether each works, its sessions, its last fault",
		.run = look_command_upstreams},
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
		.own = OWN_LOOKS,
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
		.run = disable_command_disable},
	{.word = "ENABLE",
		ADMIN,
		.parameters = "<name>|<client>|@<group>",
		.help = "lets them in again",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = disable_command_enable},
	{.word = "GUEST",
		ADMIN,
		.parameters = "[<hours> [<key=value>...]]",
		.help = "adds a user with a random name and password who expires, in 24 hours if "
			"nothing else is said",
		.most = 2,
		.takes_rest = true,
		.is_errand = true,
		.keeps_users = true,
		.logged_from = 1,
		.prepare = guest_command_prepare,
		.run = guest_command_guest},
	{.word = "GUESTS",
		ADMIN,
		.parameters = "",
		.help = "the guests there are, and when they expire",
		.run = guest_command_guests},
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
		.is_for_consoles = true,
		.run = insight_run_watch},
	{.word = "NODES",
		ADMIN,
		.parameters = "",
		.help = "the servers that share their state with this one: which are there, and "
			"how many sessions they have",
		.run = node_commands_list},
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
		.own = OWN_LOOKS,
		.run = history_command_usage},
	{.word = "DAYS",
		ADMIN,
		.parameters =
			"[<name>|<client>|@<group>|* [today|yesterday|week|month|<date> [<date>]]]",
		.help = "the same by day: what all clients together have used, or some, or a user",
		.most = 3,
		.is_keepers = true,
		.run = history_command_days},
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
	{.word = "ALARMS",
		ADMIN,
		.parameters = "",
		.help = "what is wrong now",
		.run = alarm_command_alarms},
	{.word = "SHARE_USER",
		ADMIN,
		.parameters = "<name>",
		.help = "takes a user out of users_file, who is one whom all nodes share from then "
			"on",
		.least = 1,
		.most = 1,
		.is_errand = true,
		.is_kept = true,
		.logged_from = 2,
		.run = user_command_share_user,
		.finish = user_command_finish_sharing},
	{.word = "VERSION",
		USER,
		.parameters = "",
		.help = "which version of the server this is",
		.run = look_command_version},
};

const size_t commands_count = sizeof(commands_table) / sizeof(commands_table[0]);

static void run_help(const struct monitor_request *q, struct reply *r)
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
static void take_parameter(struct monitor_request *q, struct monitor_line *rest, char **memory)
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

static void refuse_usage(const struct monitor_request *q, struct reply *r)
{
	reply_error(r, "Usage: %s%s%s", q->command->word, *q->command->parameters ? " " : "",
		q->command->parameters);
}

bool commands_parse(const struct monitor_line *line, struct monitor_request *q, struct reply *r)
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
	refuse_usage(q, r);
	return false;
}

static struct monitor_line line_of(const char *text)
{
	return (struct monitor_line){.text = text, .len = strlen(text)};
}

/* Could it have come in a line, at that place? */
static bool is_parameter(const struct monitor_request *q, size_t at, const char *text)
{
	struct monitor_line line = line_of(text);
	bool is_rest = q->command->takes_rest && at + 1 == q->command->most;

	return line.len > 0 && monitor_is_printable(&line) &&
		(is_rest ? text[0] != ' ' : strchr(text, ' ') == NULL);
}

static bool take_parameters(
	const char *const parameters[], size_t count, struct monitor_request *q, struct reply *r)
{
	char *memory = q->memory, *end = q->memory + sizeof(q->memory);

	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(parameters[i]) + 1;

		if (size > (size_t)(end - memory)) {
			reply_error(r, "Line too long");
			return false;
		}
		if (!is_parameter(q, i, parameters[i])) {
			reply_error(r,
				"A parameter must not be empty, nor have control bytes in it, "
				"nor blanks but in the last one of some commands");
			return false;
		}
		memcpy(memory, parameters[i], size);
		q->parameters[q->count++] = memory;
		memory += size;
	}
	return true;
}

bool commands_take(const char *word, const char *const parameters[], size_t count,
	struct monitor_request *q, struct reply *r)
{
	struct monitor_line name = line_of(word);

	q->command = find(&name);
	q->count = 0;
	if (q->command == NULL) {
		refuse_unknown(&name, r);
		return false;
	}
	if (count >= q->command->least && count <= q->command->most)
		return take_parameters(parameters, count, q, r);
	refuse_usage(q, r);
	return false;
}

void commands_put_request(const struct monitor_request *q, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", q->command->word, q->count > 0 ? " " : "",
		q->count > 0 ? q->parameters[0] : "");
}

bool commands_changes(const struct monitor_request *q)
{
	return q->command->logged_from != 0 && q->count + 1 >= q->command->logged_from;
}

/* Names of users are neither those of clients nor of groups. */
static bool is_about_own(const struct monitor_request *q, const char *user)
{
	enum command_own needed = commands_changes(q) ? OWN_PROVEN : OWN_LOOKS;

	return q->command->own == needed && (needed == OWN_LOOKS || q->is_proven) && q->count > 0 &&
		strcmp(q->parameters[0], user) == 0;
}

bool commands_may(const struct monitor_request *q, const char *user)
{
	struct user_info info;

	/* Who could log in may at least leave. */
	if (q->command->role == USER_ROLE_USER || is_about_own(q, user))
		return true;
	return users_get(q->services->users, user, &info) && info.role >= q->command->role;
}

bool commands_allowed(const struct monitor_request *q, const char *user, struct reply *r)
{
	if (commands_may(q, user))
		return true;
	reply_error(r, "%s may not do that any more", user);
	return false;
}
