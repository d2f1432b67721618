/* flags: every flag, where the server is, the command behind them, and what is refused. */
#include "client/flags.h"

#include "../base/check.h"

static struct {
	char text[4096]; /* all arguments, which flags_parse() may write into */
	char *argv[32];
	struct flags flags;
	char error[FLAGS_ERROR_MAX];
} run;

static int run_with(const char *const *args)
{
	char *p = run.text;
	int argc = 0;

	flags_free(&run.flags);
	for (; args[argc] != NULL; argc++) {
		run.argv[argc] = strcpy(p, args[argc]);
		p += strlen(p) + 1;
	}
	run.argv[argc] = NULL;
	run.error[0] = '\0';
	return flags_parse(&run.flags, argc, run.argv, run.error);
}

/* flags_parse() for a command line of these arguments. */
#define parse(...) run_with((const char *const[]){"monitor_client", __VA_ARGS__, NULL})

static int free_flags(void **state)
{
	(void)state;
	flags_free(&run.flags);
	return 0;
}

/* ---- flags ---- */

static void talks_to_the_default_address_without_flags(void **state)
{
	(void)state;
	assert_int_equal(run_with((const char *const[]){"monitor_client", NULL}), 0);
	assert_int_equal(run.flags.action, FLAGS_TALK);
	assert_string_equal(run.flags.host, "127.0.0.1");
	assert_string_equal(run.flags.port, "8080");
	assert_null(run.flags.user);
	assert_null(run.flags.password_file);
	assert_null(run.flags.request);
	assert_false(run.flags.json);
}

static void takes_short_and_long_flags(void **state)
{
	(void)state;
	assert_int_equal(parse("-L", "host", "-P", "81", "-u", "alice"), 0);
	assert_string_equal(run.flags.host, "host");
	assert_string_equal(run.flags.port, "81");
	assert_string_equal(run.flags.user, "alice");
	assert_int_equal(parse("--monitor-listen=other", "--monitor-port", "65535", "--user=bob",
				 "--password-file", "file", "--json"),
		0);
	assert_string_equal(run.flags.host, "other");
	assert_string_equal(run.flags.port, "65535");
	assert_string_equal(run.flags.user, "bob");
	assert_string_equal(run.flags.password_file, "file");
	assert_true(run.flags.json);
}

static void takes_addresses_as_the_server_does(void **state)
{
	static const struct {
		const char *given, *host, *port;
	} rows[] = {
		{"::1", "::1", "8080"},
		{"[::1]", "::1", "8080"},
		{"[::1]:90", "::1", "90"},
		{"192.0.2.1", "192.0.2.1", "8080"},
		{"192.0.2.1:90", "192.0.2.1", "90"},
		{"proxy.example.org", "proxy.example.org", "8080"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(parse("-L", rows[i].given), 0);
		assert_string_equal(run.flags.host, rows[i].host);
		assert_string_equal(run.flags.port, rows[i].port);
	}
}

static void who_says_where_to_is_not_led_to_the_usual_socket(void **state)
{
	(void)state;
	assert_int_equal(parse("USERS"), 0);
	assert_null(run.flags.socket);
	assert_false(run.flags.is_elsewhere);
	assert_int_equal(parse("--socket", "/run/s", "-u", "alice", "USERS"), 0);
	assert_string_equal(run.flags.socket, "/run/s");
	assert_int_equal(parse("-L", "127.0.0.1"), 0);
	assert_true(run.flags.is_elsewhere);
	assert_int_equal(parse("-P", "8080"), 0);
	assert_true(run.flags.is_elsewhere);
	assert_int_equal(parse("--user", "alice"), 0);
	assert_true(run.flags.is_elsewhere);
	assert_int_equal(parse("--json", "USERS", "-u"), 0);
	assert_false(run.flags.is_elsewhere);
}

static void help_and_version_come_before_later_mistakes(void **state)
{
	(void)state;
	assert_int_equal(parse("-h", "--nonsense"), 0);
	assert_int_equal(run.flags.action, FLAGS_HELP);
	assert_int_equal(parse("--version", "-P", "x"), 0);
	assert_int_equal(run.flags.action, FLAGS_VERSION);
}

static void refuses_bad_flags(void **state)
{
	static const struct {
		const char *const args[4];
		const char *says;
	} rows[] = {
		{{"monitor_client", "-z"}, "-z: there is no such flag"},
		{{"monitor_client", "--nope=secret"}, "--nope: there is no such flag"},
		{{"monitor_client", "--pasword_file=secret"},
			"flags; did you mean --password-file?"},
		{{"monitor_client", "-P"}, "-P: a value is missing"},
		{{"monitor_client", "--user"}, "--user: a value is missing"},
		{{"monitor_client", "--json=1"}, "--json: it takes no value"},
		{{"monitor_client", "-P", "0"}, "expected a number from 1 to 65535"},
		{{"monitor_client", "-P", "65536"}, "expected a number from 1 to 65535"},
		{{"monitor_client", "-P", "http"}, "expected a number from 1 to 65535"},
		{{"monitor_client", "-L", ""}, "expected an address or a name"},
		{{"monitor_client", "-L", "host:80"}, "expected an address or a name"},
		{{"monitor_client", "-u", ""}, "expected a name"},
		{{"monitor_client", "-u", "alice:secret"}, "expected a name"},
		{{"monitor_client", "--socket", ""}, "expected a path of at most 107 bytes"},
		{{"monitor_client", "-P80", "--socket=/s"}, "two places"},
		{{"monitor_client", "--socket=/s", "-L::1"}, "two places"},
		{{"monitor_client", "top", "now"}, "top takes no words"},
		{{"monitor_client", "--json", "top"}, "--json"},
		{{"monitor_client", "--all"}, "--all: a COMMAND is missing"},
		{{"monitor_client", "--all", "top"}, "--all: top"},
		{{"monitor_client", "--all", "watch", "user=bob"}, "--all: WATCH"},
		{{"monitor_client", "--all=yes", "USERS"}, "--all: it takes no value"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(run_with(rows[i].args), -1);
		assert_contains(run.error, rows[i].says);
		assert_null(strstr(run.error, "=secret"));
	}
}

/* ---- the command ---- */

static void words_become_one_request(void **state)
{
	(void)state;
	assert_int_equal(parse("-u", "alice", "CONFIG", "timeout", "15"), 0);
	assert_int_equal(run.flags.action, FLAGS_ASK);
	assert_string_equal(run.flags.request, "CONFIG timeout 15");
	assert_int_equal(parse("CONFIG timeout 15"), 0);
	assert_string_equal(run.flags.request, "CONFIG timeout 15");
}

static void what_follows_the_command_belongs_to_it(void **state)
{
	(void)state;
	assert_int_equal(parse("SET_PASSWORD", "bob", "-v"), 0);
	assert_int_equal(run.flags.action, FLAGS_ASK);
	assert_string_equal(run.flags.request, "SET_PASSWORD bob -v");
}

static void top_is_no_request(void **state)
{
	(void)state;
	assert_int_equal(parse("-u", "alice", "top"), 0);
	assert_int_equal(run.flags.action, FLAGS_TOP);
	assert_null(run.flags.request);
}

static void a_request_may_be_for_all_nodes(void **state)
{
	(void)state;
	assert_int_equal(parse("--all", "--json", "USERS"), 0);
	assert_int_equal(run.flags.action, FLAGS_ASK);
	assert_true(run.flags.all);
	assert_int_equal(parse("USERS", "--all"), 0);
	assert_false(run.flags.all);
}

static void refuses_requests_that_are_no_line(void **state)
{
	char long_word[1100];

	(void)state;
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_int_equal(parse(""), -1);
	assert_contains(run.error, "empty");
	assert_int_equal(parse("STATS\nQUIT"), -1);
	assert_contains(run.error, "control characters");
	assert_int_equal(parse(long_word), -1);
	assert_contains(run.error, "1023 bytes");
	long_word[1023] = '\0';
	assert_int_equal(parse(long_word), 0);
}

static void passwords_disappear_from_argv(void **state)
{
	(void)state;
	assert_int_equal(parse("add_user", "bob", "secret", "admin"), 0);
	assert_string_equal(run.flags.request, "add_user bob secret admin");
	assert_string_equal(run.argv[2], "bob");
	assert_string_equal(run.argv[3], "");
	assert_int_equal(parse("CONFIG", "timeout", "15"), 0);
	assert_string_equal(run.argv[3], "15");
}

static void help_has_lines_of_at_most_100_columns(void **state)
{
	char *text = NULL, *line, *rest;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	flags_print_help(out);
	fclose(out);
	assert_contains(text, "--password-file FILE");
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		assert_in_range(strlen(line), 1, 100);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talks_to_the_default_address_without_flags),
		cmocka_unit_test(takes_short_and_long_flags),
		cmocka_unit_test(takes_addresses_as_the_server_does),
		cmocka_unit_test(who_says_where_to_is_not_led_to_the_usual_socket),
		cmocka_unit_test(help_and_version_come_before_later_mistakes),
		cmocka_unit_test(refuses_bad_flags),
		cmocka_unit_test(words_become_one_request),
		cmocka_unit_test(what_follows_the_command_belongs_to_it),
		cmocka_unit_test(top_is_no_request),
		cmocka_unit_test(a_request_may_be_for_all_nodes),
		cmocka_unit_test(refuses_requests_that_are_no_line),
		cmocka_unit_test(passwords_disappear_from_argv),
		cmocka_unit_test(help_has_lines_of_at_most_100_columns),
	};

	return cmocka_run_group_tests_name("client/flags", tests, NULL, free_flags);
}
