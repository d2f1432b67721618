/* completion: what may stand next, for every form of parameter that HELP has. */
#include "client/completion.h"

#include "../wire/answers.h"

static const char help_text[] = "OK\n"
				"STATS - counters\n"
				"CONFIG [<parameter> [<value>]] - shows or changes settings\n"
				"CONNECTIONS - live sessions\n"
				"KILL <id> - ends a session\n"
				"LOG_LEVEL <error|warn|info|debug> - switches the log\n"
				"ADD_USER <name> <password> [admin] - adds a user\n"
				"ACCESS_LOG [<name>|* [<count>]] - the log - of accesses\n"
				"END_USER <name>|<client> - ends those of somebody\n"
				"SET_ROLE <name> user|admin - a role\n"
				"WATCH [user=<name>] [client=<client>] [to=<host>] - events\n"
				"PAIR <name>|user=x [user=<a|b>] - one form\n"
				"PAIR user=x [user=<c|d>] - and another\n"
				"ODD a|b [<c|d>|e] - literals\n\n";

static struct answer help;
static struct completion found;

static int read_help(void **state)
{
	(void)state;
	help = answer_of(help_text);
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	completion_free(&found);
	answer_free(&help);
	return 0;
}

/* The words found, with blanks between them. */
static const char *words_of(const struct completion *c)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0; i < c->count; i++) {
		if (i > 0)
			strcat(text, " ");
		strcat(text, c->words[i]);
	}
	return text;
}

static void find(const char *line)
{
	completion_free(&found);
	completion_find(&found, &help, line, strlen(line));
}

static void assert_found(const char *line, const char *words, const char *source)
{
	find(line);
	assert_string_equal(words_of(&found), words);
	if (source == NULL)
		assert_null(found.source);
	else
		assert_string_equal(found.source, source);
}

static void the_first_word_is_a_command(void **state)
{
	(void)state;
	assert_found("",
		"STATS CONFIG CONNECTIONS KILL LOG_LEVEL ADD_USER ACCESS_LOG END_USER "
		"SET_ROLE WATCH PAIR PAIR ODD",
		NULL);
	assert_found("  CON", "CONFIG CONNECTIONS", NULL);
	assert_found("con", "CONFIG CONNECTIONS", NULL);
	assert_found("STATS", "STATS", NULL);
	assert_found("X", "", NULL);
}

/* They may stand in any order; what stands behind one is completed from there on. */
static void parameters_with_keys_are_completed_by_key_and_by_value(void **state)
{
	(void)state;
	assert_found("WATCH ", "user= client= to=", NULL);
	assert_found("WATCH to=x u", "user=", NULL);
	assert_found("WATCH user=", "", "ACCOUNTS");
	assert_found("WATCH to=x user=al", "", "ACCOUNTS");
	assert_int_equal(found.begun_len, 2);
	assert_found("PAIR user=", "a b", NULL);
	assert_found("WATCH client=1", "", "CLIENTS");
	assert_found("WATCH to=1", "", NULL);
	assert_found("WATCH x", "", NULL);
}

static void parameters_come_from_the_help(void **state)
{
	(void)state;
	assert_found("LOG_LEVEL ", "error warn info debug", NULL);
	assert_found("log_level  w", "warn", NULL);
	assert_found("LOG_LEVEL warn ", "", NULL);
	assert_found("CONFIG t", "", "CONFIG");
	assert_found("CONFIG timeout ", "", NULL);
	assert_found("KILL ", "", "CONNECTIONS");
	assert_found("ADD_USER ", "", "ACCOUNTS");
	assert_found("ADD_USER bob ", "", NULL);
	assert_found("ADD_USER bob secret a", "admin", NULL);
	assert_found("ACCESS_LOG ", "*", "ACCOUNTS");
	assert_found("ACCESS_LOG * ", "", NULL);
	assert_found("END_USER ", "", "ACCOUNTS");
	assert_found("SET_ROLE ", "", "ACCOUNTS");
	assert_found("SET_ROLE bob ", "user admin", NULL);
	assert_found("STATS ", "", NULL);
	assert_found("NOPE ", "", NULL);
	assert_found("ODD ", "a b", NULL);
	assert_found("ODD a ", "c d e", NULL);
}

static void replies_add_the_names_that_begin_so(void **state)
{
	struct answer config = answer_of("OK\ntimeout:3600s\nport:1080\ntime_out:1\n\n");
	struct answer accounts = answer_of("OK\nname:alice role:admin\nrole:name name:a\\x5cb\n\n");
	struct answer sessions =
		answer_of("OK\ncurrent connections:2\nid:7 user:a\nid:12 user:b\n\n");

	(void)state;
	find("CONFIG ti");
	completion_add(&found, &config);
	assert_string_equal(words_of(&found), "timeout time_out");
	find("ACCESS_LOG A");
	completion_add(&found, &accounts);
	assert_string_equal(words_of(&found), "alice a\\b");
	find("KILL ");
	completion_add(&found, &sessions);
	assert_string_equal(words_of(&found), "7 12");
	answer_free(&config);
	answer_free(&accounts);
	answer_free(&sessions);
}

static void names_with_control_bytes_are_left_out(void **state)
{
	struct answer accounts =
		answer_of("OK\nname:a\\x0aQUIT "
			  "role:user\nname:\\x1b\nname:\nname:a\\xc2\\x9bm\nname:\\x9bm\n\n");

	(void)state;
	find("ACCESS_LOG ");
	completion_add(&found, &accounts);
	assert_string_equal(words_of(&found), "*");
	answer_free(&accounts);
}

static void tells_how_much_is_certain(void **state)
{
	(void)state;
	find("CO");
	assert_int_equal(completion_common(&found), 3);
	find("CON");
	assert_int_equal(completion_common(&found), 3);
	find("K");
	assert_int_equal(completion_common(&found), 4);
	find("X");
	assert_int_equal(completion_common(&found), 1);
}

static void looks_only_at_what_is_left_of_the_cursor(void **state)
{
	(void)state;
	completion_free(&found);
	completion_find(&found, &help, "KILL 7", 2);
	assert_string_equal(words_of(&found), "KILL");
	assert_int_equal(found.begun_len, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_word_is_a_command),
		cmocka_unit_test(parameters_come_from_the_help),
		cmocka_unit_test(parameters_with_keys_are_completed_by_key_and_by_value),
		cmocka_unit_test(replies_add_the_names_that_begin_so),
		cmocka_unit_test(names_with_control_bytes_are_left_out),
		cmocka_unit_test(tells_how_much_is_certain),
		cmocka_unit_test(looks_only_at_what_is_left_of_the_cursor),
	};

	return cmocka_run_group_tests_name("client/completion", tests, read_help, free_all);
}
