/* commands: how requests are taken apart, by the table, and what each row answers, over parts that
 * the test makes. With a whole server: daemon/test_monitor.c. */
#include "monitor/commands.h"

#include <stdio.h>

#include "base/version.h"
#include "parts.h"
#include "server/statistics.h"

static struct monitor_request q;
static struct reply r;

static bool parse(const char *text)
{
	struct monitor_line line = {.text = text, .len = strlen(text)};

	reply_reset(&r);
	return commands_parse(&line, &q, &r);
}

static void takes_a_request_apart(void **state)
{
	static const struct {
		const char *line, *word;
		size_t count;
		const char *parameters[3];
	} rows[] = {
		{"STATS", "STATS", 0, {0}},
		{" stats  ", "STATS", 0, {0}},
		{"CONFIG", "CONFIG", 0, {0}},
		{"CONFIG timeout", "CONFIG", 1, {"timeout"}},
		{"config timeout 15", "CONFIG", 2, {"timeout", "15"}},
		{"CONFIG clients 10.0.0.0/8, 192.0.2.1", "CONFIG", 2,
			{"clients", "10.0.0.0/8, 192.0.2.1"}},
		{"ACCESS_LOG", "ACCESS_LOG", 0, {0}},
		{"ACCESS_LOG * 5", "ACCESS_LOG", 2, {"*", "5"}},
		{"ADD_USER bob pass:word", "ADD_USER", 2, {"bob", "pass:word"}},
		{"ADD_USER bob password admin", "ADD_USER", 3, {"bob", "password", "admin"}},
		{"SET_PASSWORD bob two  words", "SET_PASSWORD", 2, {"bob", "two  words"}},
		{"KILL 7", "KILL", 1, {"7"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(parse(rows[i].line));
		assert_string_equal(q.command->word, rows[i].word);
		assert_int_equal(q.count, rows[i].count);
		for (size_t j = 0; j < q.count; j++)
			assert_string_equal(q.parameters[j], rows[i].parameters[j]);
	}
}

static void says_what_is_wrong_with_a_request(void **state)
{
	static const char *const rows[][2] = {
		{"", "ERR Empty line: HELP lists the commands\n"},
		{"   ", "ERR Empty line: HELP lists the commands\n"},
		{"FROBNICATE now", "ERR Unknown command: FROBNICATE\n"},
		{"STAT", "ERR Unknown command: STAT; did you mean STATS?\n"},
		{"STATSX", "ERR Unknown command: STATSX; did you mean STATS?\n"},
		{"STATS now", "ERR Usage: STATS\n"},
		{"KILL", "ERR Usage: KILL <id>\n"},
		{"KILL 1 2", "ERR Usage: KILL <id>\n"},
		{"ADD_USER bob", "ERR Usage: ADD_USER <name> <password> [admin|helper]\n"},
		{"ADD_USER bob a admin more",
			"ERR Usage: ADD_USER <name> <password> [admin|helper]\n"},
		{"SET_PASSWORD bob", "ERR Usage: SET_PASSWORD <name> <password>\n"},
		{"ACCESS_LOG a 1 2", "ERR Usage: ACCESS_LOG [<name>|<client>|* [<count>|<day>]]\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_false(parse(rows[i][0]));
		assert_string_equal(r.text, rows[i][1]);
	}
}

static void the_longest_line_fits(void **state)
{
	char line[MONITOR_LINE_MAX];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "ADD_USER a ", 11);
	line[sizeof(line) - 1] = '\0';
	assert_true(parse(line));
	assert_int_equal(strlen(q.parameters[1]), sizeof(line) - 12);
	memcpy(line + 500, " admin", 6);
	line[506] = '\0';
	assert_true(parse(line));
	assert_string_equal(q.parameters[2], "admin");
}

/* ---- each row of the table ---- */

/* "WORD p1 p2 ..." */
static const char *request_with(const struct command *c, size_t parameters)
{
	static char line[256];
	char *end = stpcpy(line, c->word);

	for (size_t i = 1; i <= parameters; i++)
		end += sprintf(end, " p%zu", i);
	return line;
}

static const char *usage_of(const struct command *c)
{
	static char line[256];

	snprintf(line, sizeof(line), "ERR Usage: %s%s%s\n", c->word,
		*c->parameters == '\0' ? "" : " ", c->parameters);
	return line;
}

static void each_command_takes_as_many_parameters_as_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands_table[i];

		for (size_t n = 0; n <= c->most + 2; n++) {
			bool fits = n >= c->least && (n <= c->most || c->takes_rest);

			assert_int_equal(parse(request_with(c, n)), fits);
			assert_ptr_equal(q.command, c);
			if (fits)
				assert_int_equal(q.count, n < c->most ? n : c->most);
			else
				assert_string_equal(r.text, usage_of(c));
		}
	}
}

static size_t count_chars(const char *text, char wanted)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == wanted;
	return n;
}

/* "<name> <password> [admin]": in brackets what may be left out. */
static void the_usage_of_each_command_tells_how_many(void **state)
{
	(void)state;
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands_table[i];
		size_t optional = count_chars(c->parameters, '[');

		assert_int_equal(c->most - c->least, optional);
		assert_int_equal(count_chars(c->parameters, ']'), optional);
		assert_int_equal(
			count_chars(c->parameters, ' ') + (*c->parameters != '\0'), c->most);
		assert_true(c->most < COMMANDS_MAX_WORDS && c->logged_from <= c->most + 1);
		assert_true(c->prepare == NULL || c->is_errand);
	}
}

static void words_are_matched_whole_and_in_any_case(void **state)
{
	char line[64];

	(void)state;
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands_table[i];

		strcpy(line, request_with(c, c->least));
		for (char *p = line; *p != '\0' && *p != ' '; p += 2)
			*p |= 'A' <= *p && *p <= 'Z' ? ' ' : 0;
		assert_true(parse(line));
		assert_ptr_equal(q.command, c);
		snprintf(line, sizeof(line), "%sX", c->word);
		assert_false(parse(line));
		snprintf(line, sizeof(line), "%.*s", (int)strlen(c->word) - 1, c->word);
		if (strcmp(line, "BAN") == 0 || strcmp(line, "GUEST") == 0)
			continue; /* a command, too */
		assert_false(parse(line));
		assert_begins(r.text, "ERR Unknown command: ");
	}
}

/* ---- what they answer ---- */

int __wrap_server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX]);
int __wrap_server_reload(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX]);
int __wrap_server_add_rule(struct server *s, struct server_rule *rule);
int __wrap_server_drop_rule(struct server *s, unsigned number, char error[CHANGE_REPLY_MAX]);
int __wrap_password_hash(const char *password, char out[PASSWORD_HASH_SIZE]);
void __wrap_statistics_each(struct services *v, statistics_taker *take, void *context);

static char set[128]; /* the setting and value that the server was given */

int __wrap_server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX])
{
	(void)s;
	snprintf(set, sizeof(set), "%s=%s", setting->name, value);
	strcpy(reply, "it must not be 13");
	return strcmp(value, "13") == 0 ? -1 : 0;
}

int __wrap_server_reload(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX])
{
	(void)s;
	(void)cuts;
	strcpy(reply, "timeout changed");
	return 0;
}

static char added[128]; /* the temporary rule that the server was given */

int __wrap_server_add_rule(struct server *s, struct server_rule *rule)
{
	(void)s;
	snprintf(added, sizeof(added), "%s %lld", rule->text, (long long)rule->lasts);
	rule->number = 7;
	rule->ended = 2;
	strcpy(rule->error, "no such rule");
	return strstr(rule->text, "bad") != NULL ? -1 : 0;
}

int __wrap_server_drop_rule(struct server *s, unsigned number, char error[CHANGE_REPLY_MAX])
{
	(void)s;
	strcpy(error, "out of memory");
	return number == 0 ? 3 : number == 7 ? 1 : number == 8 ? -1 : 0;
}

int __wrap_password_hash(const char *password, char out[PASSWORD_HASH_SIZE])
{
	(void)password;
	strcpy(out, MONITOR_HASH);
	return 0;
}

void __wrap_statistics_each(struct services *v, statistics_taker *take, void *context)
{
	(void)v;
	take(context, "all time connections", 2, "");
	take(context, "server uptime", 276, "s");
}

static char answer[65536];

/* Does what a console and the threads behind it do, all at once. */
static const char *ask(const char *line)
{
	const char *bytes;
	size_t n, len = 0;

	q.services = &parts;
	if (parse(line) && commands_allowed(&q, "root", &r)) {
		if (q.command->prepare != NULL)
			q.command->prepare(&q, &r);
		if (r.len == 0)
			q.command->run(&q, &r);
	}
	reply_finish(&r);
	while ((n = reply_pending(&r, &bytes)) > 0) {
		assert_true(len + n < sizeof(answer));
		memcpy(answer + len, bytes, n);
		reply_consume(&r, n);
		len += n;
	}
	answer[len] = '\0';
	return answer;
}

/* Slots 0 and 1 are alice's, 2 nobody's. */
static int make_parts(void **state)
{
	(void)state;
	parts_make(8, 10);
	parts_add_user("root", USER_ROLE_ADMIN);
	parts_add_user("alice", USER_ROLE_USER);
	for (size_t i = 0; i < 3; i++)
		parts_begin_session(i);
	parts_set_user(0, "alice");
	parts_set_user(1, "alice");
	parts_log_access("alice", "www.example.org:443", true);
	parts_log_access(NULL, "www.example.org:80", false);
	return 0;
}

static int free_parts(void **state)
{
	(void)state;
	reply_free(&r);
	parts_free();
	return 0;
}

#define KEPT " (until the server ends: users_file is not set)\n\n"
#define ADDED                                                                                      \
	" added (until the server ends: users_file is not set; who must log in stays as it "       \
	"was)\n\n"

static void each_command_answers_word_for_word(void **state)
{
	static const char *const rows[][2] = {
		{"STATS",
			"OK\nall time connections:2\nserver uptime:276s\nversion:" SOCKS5D_VERSION
			"\nconfined by:none"
			"\n\n"},
		{"VERSION", "OK socks5d " SOCKS5D_VERSION "\n\n"},
		{"USERS", "OK No active users\n\n"},
		{"CONFIG timeout 15", "OK timeout set to 15\n\n"},
		{"CONFIG timeout 13", "ERR it must not be 13\n\n"},
		{"CONFIG clients \"\"", "OK clients set to \"\"\n\n"},
		{"CONFIG colour", "ERR Unknown parameter: colour\n\n"},
		{"CONFIG colour red", "ERR Unknown parameter: colour\n\n"},
		{"CONFIG Time-out 5", "ERR Unknown parameter: Time-out; did you mean timeout?\n\n"},
		{"SETTINGS half_close_timeout",
			"OK\nname:half_close_timeout value:10m from:default file:- default:10m "
			"takes_effect:at_once waits:- "
			"legal:a\\x20time\\x20from\\x20100ms\\x20to\\x2030d\\x20(500ms,\\x2030s,\\x205m,"
			"\\x202h,\\x201d;\\x20without\\x20a\\x20unit:\\x20s) "
			"help:The\\x20same\\x20once\\x20one\\x20side\\x20has\\x20finished\\x20sending\\x20"
			"and\\x20the\\x20other\\x20has\\x20not.\n\n"},
		{"SETTINGS colour", "ERR No setting has \"colour\" in its name\n\n"},
		{"LOG_LEVEL debug", "OK log_level set to debug\n\n"},
		{"RELOAD", "OK timeout changed\n\n"},
		{"RELOAD CUT", "OK timeout changed\n\n"},
		{"RELOAD all", "ERR \"all\": legal is CUT, or nothing\n\n"},
		{"DENY alice www.example.org 1h",
			"OK Rule t7 for 1h: deny user alice to www.example.org; 2 sessions ended "
			"(until the next start)\n\n"},
		{"DROP_RULE t7", "OK 1 temporary rule dropped\n\n"},
		{"drop_rule *", "OK 3 temporary rules dropped\n\n"},
		{"DROP_RULE t8", "ERR out of memory\n\n"},
		{"DROP_RULE t9", "ERR There is no temporary rule t9\n\n"},
		{"DROP_RULE 9",
			"ERR \"9\": legal is the word of a temporary rule, as t1, or *\n\n"},
		{"DROP_RULE t0",
			"ERR \"t0\": legal is the word of a temporary rule, as t1, or *\n\n"},
		{"ACCESS_LOG",
			"OK Access log for all users:\n"
			"alice: www.example.org:443 [2025-07-15 12:40:39] SUCCESS\n"
			"Anonymous: www.example.org:80 [2025-07-15 12:40:39] FAIL "
			"connect_refused 192.0.2.1\n\n"},
		{"ACCESS_LOG alice",
			"OK Access log for user alice:\n"
			"www.example.org:443 [2025-07-15 12:40:39] SUCCESS\n\n"},
		{"ACCESS_LOG * 1",
			"OK Access log for all users:\n"
			"Anonymous: www.example.org:80 [2025-07-15 12:40:39] FAIL "
			"connect_refused 192.0.2.1\n\n"},
		{"ACCESS_LOG 192.0.2.1",
			"OK Access log for client 192.0.2.1:\n"
			"alice: www.example.org:443 [2025-07-15 12:40:39] SUCCESS\n"
			"Anonymous: www.example.org:80 [2025-07-15 12:40:39] FAIL "
			"connect_refused 192.0.2.1\n\n"},
		{"ACCESS_LOG 192.0.2.0/24 1",
			"OK Access log for client 192.0.2.0/24:\n"
			"Anonymous: www.example.org:80 [2025-07-15 12:40:39] FAIL "
			"connect_refused 192.0.2.1\n\n"},
		{"ACCESS_LOG 2001:db8::1", "OK No access log entries for client [2001:db8::1]\n\n"},
		{"ACCESS_LOG bob", "OK No access log entries for user bob\n\n"},
		{"ACCESS_LOG * 0",
			"ERR \"0\": legal is a count from 1 on, today, yesterday, week, "
			"month, or a date such as 2026-01-31\n\n"},
		{"ACCESS_LOG * -1",
			"ERR \"-1\": legal is a count from 1 on, today, yesterday, week, "
			"month, or a date such as 2026-01-31\n\n"},
		{"ACCESS_LOG alice all",
			"ERR \"all\": legal is a count from 1 on, today, yesterday, week, "
			"month, or a date such as 2026-01-31\n\n"},
		{"ACCESS_LOG alice 2025-07-15",
			"OK Access log for user alice:\n"
			"www.example.org:443 [2025-07-15 12:40:39] SUCCESS\n\n"},
		{"ACCESS_LOG alice 2025-07-14", "OK No access log entries for user alice\n\n"},
		{"ACCESS_LOG alice today",
			"OK Access log for user alice:\n"
			"www.example.org:443 [2025-07-15 12:40:39] SUCCESS\n\n"},
		{"CONNECTIONS bob", "OK\n\n"},
		{"CONNECTIONS 198.51.100.0/24", "OK\n\n"},
		{"CONNECTIONS 192.0.2.1/24",
			"ERR \"192.0.2.1/24\": bits are set behind the prefix; did you mean "
			"192.0.2.0/24?\n\n"},
		{"ADD_USER bob secret", "OK User bob" ADDED},
		{"ADD_USER bob secret", "ERR bob exists already\n\n"},
		{"ADD_USER carl secret boss",
			"ERR \"boss\": the role is admin or helper, or left out\n\n"},
		{"ADD_USER carl secret admin", "OK User carl" ADDED},
		{"SET_PASSWORD bob two words", "OK Password of bob changed" KEPT},
		{"SET_PASSWORD dora secret", "ERR dora does not exist\n\n"},
		{"SET_PASSWORD Anonymous secret",
			"ERR anonymous, known, * and - stand for others, not for a user\n\n"},
		{"SET_ROLE dora admin", "ERR dora does not exist\n\n"},
		{"SET_ROLE bob boss", "ERR \"boss\": the role is user or admin\n\n"},
		{"SET_ROLE bob admin", "OK Role of bob set to admin" KEPT},
		{"SET_ROLE bob user", "OK Role of bob set to user" KEPT},
		{"SET_ROLE bob user", "OK Role of bob set to user" KEPT},
		{"SET_ROLE carl user", "OK Role of carl set to user" KEPT},
		{"SET_ROLE root user", "ERR root is the last admin and stays one\n\n"},
		{"SET_ROLE root admin", "OK Role of root set to admin" KEPT},
		{"DEL_USER bob", "OK User bob deleted, 0 sessions ended" KEPT},
		{"DEL_USER bob", "ERR bob does not exist\n\n"},
		{"KILL 2", "OK Session 2 ended\n\n"},
		{"KILL 0", "ERR There is no session 0\n\n"},
		{"KILL 9", "ERR There is no session 9\n\n"},
		{"KILL all", "ERR \"all\": the id of a session is a number\n\n"},
		{"CLIENTS", "OK\n\n"},
		{"BANS", "OK\n\n"},
		{"UNBAN *", "ERR Nobody is banned\n\n"},
		{"UNBAN 192.0.2.1", "ERR 192.0.2.1 is not banned\n\n"},
		{"BAN alice",
			"ERR \"alice\": legal is an address, or a network such as "
			"192.168.1.0/24\n\n"},
		{"BAN 192.0.2.1/24",
			"ERR \"192.0.2.1/24\": bits are set behind the prefix; did you mean "
			"192.0.2.0/24?\n\n"},
		{"BAN 192.0.2.9 0s",
			"ERR \"0s\": legal is a time from 1s to 3650d (30s, 5m, 2h, 1d; without a "
			"unit: s)\n\n"},
		{"BAN 192.0.2.9 90",
			"OK 192.0.2.9 banned for 90s, 0 sessions ended (until the next start)\n\n"},
		{"BAN 2001:db8:0:7::9",
			"OK [2001:db8:0:7::]/64 banned, 0 sessions ended (until the next start)"
			"\n\n"},
		{"BANS",
			"OK\nclient:192.0.2.9 by:command failures:0 refused:0 "
			"begun:2025-07-15T12:40:39 until:2025-07-15T12:42:09 left:90\n"
			"client:[2001:db8:0:7::]/64 by:command failures:0 refused:0 "
			"begun:2025-07-15T12:40:39 until:- left:-\n\n"},
		{"UNBAN 2001:db8:0:7::1", "OK [2001:db8:0:7::]/64 is not banned any more\n\n"},
		{"BAN 192.0.0.0/16 1h",
			"OK 192.0.0.0/16 banned for 1h, 3 sessions ended (until the next start)"
			"\n\n"},
		{"UNBAN 192.0.2.1",
			"ERR 192.0.2.1 is not banned by itself, but 192.0.0.0/16 is\n\n"},
		{"UNBAN *", "OK 2 bans ended\n\n"},
		{"KILL_USER 192.0.2.2", "ERR 192.0.2.2 has no session\n\n"},
		{"KILL_USER 192.0.2.1", "OK 3 sessions of 192.0.2.1 ended\n\n"},
		{"KILL_USER alice", "OK 2 sessions of alice ended\n\n"},
		{"KILL_USER Anonymous", "OK 1 session of Anonymous ended\n\n"},
		{"KILL_USER bob", "ERR bob has no session\n\n"},
		{"DEL_USER alice", "OK User alice deleted, 2 sessions ended" KEPT},
		{"DEL_USER carl", "OK User carl deleted, 0 sessions ended" KEPT},
		{"TRAFFIC", "OK\nago:0 sent:0 received:0 sessions:0\n\n"},
		{"TRAFFIC 86400", "OK\nago:0 sent:0 received:0 sessions:0\n\n"},
		{"TRAFFIC 3600 60", "OK\nago:0 sent:0 received:0 sessions:0\n\n"},
		{"TRAFFIC 86401", "ERR \"86401\": the seconds are 1 to 86400\n\n"},
		{"TRAFFIC 301 1", "ERR \"301\": with a step of 1 the seconds are 1 to 300\n\n"},
		{"TRAFFIC 60 2", "ERR \"2\": the step is 1, 60 or 300 seconds\n\n"},
		{"TRAFFIC 0", "ERR \"0\": seconds and step are numbers from 1 on\n\n"},
		{"TRAFFIC 60 all", "ERR \"all\": seconds and step are numbers from 1 on\n\n"},
		{"QUIT", "OK Goodbye\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(ask(rows[i][0]), rows[i][1]);
}

/* Whom and what ALLOW and DENY are about, as a line of the configuration would say it. */
static void a_temporary_rule_is_written_as_a_line(void **state)
{
	static const char *const rows[][2] = {
		{"ALLOW alice .example.org 90", "allow user alice to .example.org 90"},
		{"DENY 192.0.2.7 198.51.100.0/24 10m",
			"deny from 192.0.2.7 to 198.51.100.0/24 600"},
		{"DENY 192.0.2.0/24 * 1d", "deny from 192.0.2.0/24 86400"},
		{"allow * www.example.org 2h", "allow to www.example.org 7200"},
		{"DENY anonymous * 1s", "deny user anonymous 1"},
		{"DENY Anonymous * 1s", "deny user Anonymous 1"},
	};
	static const char *const wrong[][2] = {
		{"DENY nobody * 1h", "ERR There is no user or group nobody\n\n"},
		{"DENY @nobody * 1h", "ERR There is no user or group @nobody\n\n"},
		{"DENY alice * never",
			"ERR \"never\": legal is a time from 1s to 3660d (30s, 5m, 2h, 1d)\n\n"},
		{"DENY alice * 3661d",
			"ERR \"3661d\": legal is a time from 1s to 3660d (30s, 5m, 2h, 1d)\n\n"},
		{"DENY alice * 0",
			"ERR \"0\": legal is a time from 1s to 3660d (30s, 5m, 2h, 1d)\n\n"},
		{"DENY alice file:/etc/passwd 1h",
			"ERR \"file:/etc/passwd\": legal is a host, a .domain, an address, a "
			"network or *\n\n"},
		{"DENY alice bad 1h", "ERR no such rule\n\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_begins(ask(rows[i][0]), "OK Rule t7 for ");
		assert_string_equal(added, rows[i][1]);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_string_equal(ask(wrong[i][0]), wrong[i][1]);
}

static void traffic_is_listed_newest_first(void **state)
{
	(void)state;
	parts_move(0, 1000, 20);
	ask("TRAFFIC 2");
	assert_string_equal(answer, "OK\nago:0 sent:1000 received:20 sessions:0\n\n");
	parts_now += 5000;
	parts_move(1, 7, 0);
	ask("TRAFFIC 300 1");
	assert_string_equal(answer,
		"OK\nago:0 sent:7 received:0 sessions:0\nago:1 sent:0 received:0 sessions:0\n"
		"ago:2 sent:0 received:0 sessions:0\nago:3 sent:0 received:0 sessions:0\n"
		"ago:4 sent:0 received:0 sessions:0\nago:5 sent:1000 received:20 sessions:0\n\n");
	ask("TRAFFIC 301");
	assert_string_equal(answer, "OK\nago:0 sent:1007 received:20 sessions:0\n\n");
}

/* After a restart the old password was right again, without a hint. */
static void what_the_command_line_gives_again_is_said(void **state)
{
	(void)state;
	assert_int_equal(users_note_given(parts.users, "alice"), 0);
	assert_string_equal(ask("SET_PASSWORD alice new"),
		"OK Password of alice changed (until the next start: -u gives alice a password)"
		"\n\n");
	ask("ADD_USER bob secret admin");
	assert_string_equal(ask("SET_ROLE alice user"),
		"OK Role of alice set to user (until the next start: -u gives alice the role admin)"
		"\n\n");
	assert_string_equal(ask("DEL_USER alice"),
		"OK User alice deleted, 2 sessions ended (until the next start: -u gives alice "
		"again)\n\n");
	assert_string_equal(ask("ADD_USER alice other"),
		"OK User alice added (until the next start: -u gives alice a password)\n\n");
}

static void a_user_leaves_no_used_quota_to_the_next_of_that_name(void **state)
{
	(void)state;
	assert_int_equal(standing_put(parts.standing, STANDING_QUOTA, "alice", "1 2 0"), 0);
	assert_int_equal(standing_put(parts.standing, STANDING_QUOTA, "bob", "1 2 0"), 0);
	assert_begins(ask("DEL_USER alice"), "OK User alice deleted");
	assert_false(standing_read(parts.standing, STANDING_QUOTA, "alice", NULL, NULL));
	assert_true(standing_read(parts.standing, STANDING_QUOTA, "bob", NULL, NULL));
}

static void an_empty_value_is_written_as_two_quotes(void **state)
{
	(void)state;
	ask("CONFIG clients \"\"");
	assert_string_equal(set, "clients=");
	ask("LOG_LEVEL warn");
	assert_string_equal(set, "log_level=warn");
}

static void config_shows_all_settings_or_one(void **state)
{
	(void)state;
	ask("CONFIG");
	assert_begins(answer, "OK\n");
	assert_int_equal(count_chars(answer, '\n'), 1 + SETTINGS_COUNT + 1);
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		char start[64];

		snprintf(start, sizeof(start), "\n%s:", settings_table[i].name);
		assert_contains(answer, start);
	}
	ask("CONFIG log_level");
	assert_string_equal(answer, "OK\nlog_level:info\n\n");
}

static void help_has_a_line_for_each_command(void **state)
{
	char start[128];

	(void)state;
	ask("HELP");
	assert_int_equal(count_chars(answer, '\n'), 1 + commands_count + 1);
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands_table[i];

		snprintf(start, sizeof(start), "\n%s%s%s - %s\n", c->word,
			*c->parameters == '\0' ? "" : " ", c->parameters, c->help);
		assert_contains(answer, start);
	}
}

/* Who was deleted, or is no administrator any more, may still leave. */
static void each_command_asks_for_its_role(void **state)
{
	static const char *const who[] = {"root", "alice", "nobody"};
	char refusal[64];

	(void)state;
	for (size_t i = 0; i < commands_count; i++) {
		for (size_t j = 0; j < COUNT(who); j++) {
			bool may = j == 0 || commands_table[i].role == USER_ROLE_USER;

			q.services = &parts;
			assert_true(
				parse(request_with(&commands_table[i], commands_table[i].least)));
			assert_int_equal(commands_allowed(&q, who[j], &r), may);
			snprintf(refusal, sizeof(refusal), "ERR %s may not do that any more\n",
				who[j]);
			if (!may)
				assert_string_equal(r.text, refusal);
		}
	}
}

#define answer_test(f) cmocka_unit_test_setup_teardown(f, make_parts, free_parts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_request_apart),
		cmocka_unit_test(says_what_is_wrong_with_a_request),
		cmocka_unit_test(the_longest_line_fits),
		cmocka_unit_test(each_command_takes_as_many_parameters_as_it_says),
		cmocka_unit_test(the_usage_of_each_command_tells_how_many),
		cmocka_unit_test(words_are_matched_whole_and_in_any_case),
		answer_test(each_command_answers_word_for_word),
		answer_test(a_temporary_rule_is_written_as_a_line),
		answer_test(traffic_is_listed_newest_first),
		answer_test(what_the_command_line_gives_again_is_said),
		answer_test(a_user_leaves_no_used_quota_to_the_next_of_that_name),
		answer_test(an_empty_value_is_written_as_two_quotes),
		answer_test(config_shows_all_settings_or_one),
		answer_test(help_has_a_line_for_each_command),
		answer_test(each_command_asks_for_its_role),
	};

	return cmocka_run_group_tests_name("monitor/commands", tests, NULL, NULL);
}
