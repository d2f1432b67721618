/* arguments: what stands in front of the socket is for socks5d_auth, and what follows the command
 * is the helper's. */
#include "helper/arguments.h"

#include "../base/check.h"

#define WORDS_MAX 16

static struct arguments a;
static char error[ARGUMENTS_ERROR_MAX];
static char *words[WORDS_MAX + 1];

/* Of a line with a blank between two words. */
static int parse_line(const char *line)
{
	static char text[512];
	int count = 0;

	assert_true(strlen(line) < sizeof(text));
	strcpy(text, line);
	for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
		assert_true(count < WORDS_MAX);
		words[count++] = word;
	}
	words[count] = NULL;
	error[0] = '\0';
	return arguments_parse(&a, count, words, error);
}

static void a_socket_and_a_command_suffice(void **state)
{
	(void)state;
	assert_int_equal(parse_line("socks5d_auth /run/a.sock /usr/lib/helper"), 0);
	assert_int_equal(a.action, ARGUMENTS_SERVE);
	assert_int_equal(a.children, 5);
	assert_int_equal(a.concurrency, 0);
	assert_int_equal(a.groups_concurrency, 0);
	assert_null(a.groups);
	assert_int_equal(a.timeout_ms, 10000);
	assert_int_equal(a.log_level, LOG_INFO);
	assert_string_equal(a.socket, "/run/a.sock");
	assert_string_equal(a.command[0], "/usr/lib/helper");
	assert_null(a.command[1]);
}

static void flags_are_read(void **state)
{
	(void)state;
	assert_int_equal(parse_line("socks5d_auth --children 100 --concurrency=1000 --groups g "
				    "--groups-concurrency 3 --timeout 500ms --log-level=debug s c"),
		0);
	assert_int_equal(a.children, 100);
	assert_int_equal(a.concurrency, 1000);
	assert_string_equal(a.groups, "g");
	assert_int_equal(a.groups_concurrency, 3);
	assert_int_equal(a.timeout_ms, 500);
	assert_int_equal(a.log_level, LOG_DEBUG);
}

static void the_command_keeps_its_own_flags(void **state)
{
	(void)state;
	assert_int_equal(parse_line("socks5d_auth a.sock helper --children 7 -h -- x"), 0);
	assert_int_equal(a.children, 5);
	assert_string_equal(a.command[1], "--children");
	assert_string_equal(a.command[3], "-h");
	assert_string_equal(a.command[5], "x");
}

static void an_empty_groups_command_is_none(void **state)
{
	char *empty[] = {(char[]){"socks5d_auth"}, (char[]){"--groups"}, (char[]){""},
		(char[]){"s"}, (char[]){"c"}, NULL};

	(void)state;
	assert_int_equal(arguments_parse(&a, 5, empty, error), 0);
	assert_null(a.groups);
	assert_string_equal(a.socket, "s");
}

static void what_is_wrong_is_told_with_what_is_legal(void **state)
{
	static const char *const rows[][2] = {{"socks5d_auth", "the path of a socket is missing"},
		{"socks5d_auth s", "the command of the helpers is missing"},
		{"socks5d_auth --children 0 s c",
			"--children: \"0\": expected a number from 1 to 100"},
		{"socks5d_auth --children 101 s c", "expected a number from 1 to 100"},
		{"socks5d_auth --children x s c", "expected a number from 1 to 100"},
		{"socks5d_auth --concurrency 1001 s c", "expected a number from 0 to 1000"},
		{"socks5d_auth --groups-concurrency -1 s c", "--groups-concurrency: \"-1\""},
		{"socks5d_auth --timeout 99ms s c", "expected a time from 100ms to 10m"},
		{"socks5d_auth --timeout 11m s c", "expected a time from 100ms to 10m"},
		{"socks5d_auth --log-level loud s c", "expected error, warn, info or debug"},
		{"socks5d_auth --chldren 3 s c", "did you mean --children?"},
		{"socks5d_auth -x s c", "-x: there is no such flag"},
		{"socks5d_auth --help=x s c", "--help: it takes no value"},
		{"socks5d_auth --timeout", "--timeout: a value is missing"}};
	char line[300] = "socks5d_auth ";

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(parse_line(rows[i][0]), -1);
		assert_contains(error, rows[i][1]);
	}
	memset(line + strlen(line), 's', 108);
	strcpy(line + strlen("socks5d_auth ") + 108, " c");
	assert_int_equal(parse_line(line), -1);
	assert_contains(error, "expected a path of at most 107 bytes");
}

static void help_and_version_need_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(parse_line("socks5d_auth -h"), 0);
	assert_int_equal(a.action, ARGUMENTS_HELP);
	assert_int_equal(parse_line("socks5d_auth --version"), 0);
	assert_int_equal(a.action, ARGUMENTS_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_and_a_command_suffice),
		cmocka_unit_test(flags_are_read),
		cmocka_unit_test(the_command_keeps_its_own_flags),
		cmocka_unit_test(an_empty_groups_command_is_none),
		cmocka_unit_test(what_is_wrong_is_told_with_what_is_legal),
		cmocka_unit_test(help_and_version_need_nothing_else),
	};

	return cmocka_run_group_tests_name("helper/arguments", tests, NULL, NULL);
}
