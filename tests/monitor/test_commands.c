/* commands: how requests are taken apart, by the table. What they do: daemon/test_monitor.c. */
#include "monitor/commands.h"

#include "../base/check.h"

static struct request q;
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
		{"STAT", "ERR Unknown command: STAT\n"},
		{"STATSX", "ERR Unknown command: STATSX\n"},
		{"STATS now", "ERR Usage: STATS\n"},
		{"KILL", "ERR Usage: KILL <id>\n"},
		{"KILL 1 2", "ERR Usage: KILL <id>\n"},
		{"ADD_USER bob", "ERR Usage: ADD_USER <name> <password> [admin]\n"},
		{"ADD_USER bob a admin more", "ERR Usage: ADD_USER <name> <password> [admin]\n"},
		{"SET_PASSWORD bob", "ERR Usage: SET_PASSWORD <name> <password>\n"},
		{"ACCESS_LOG a 1 2", "ERR Usage: ACCESS_LOG [<name>|* [<count>]]\n"},
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

static int free_reply(void **state)
{
	(void)state;
	reply_free(&r);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_request_apart),
		cmocka_unit_test(says_what_is_wrong_with_a_request),
		cmocka_unit_test(the_longest_line_fits),
	};

	return cmocka_run_group_tests_name("monitor/commands", tests, NULL, free_reply);
}
