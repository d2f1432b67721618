/* options: every flag, users of the command line, what is refused and how, and the help. */
#include "state/options.h"

#include "../base/check.h"

/* One command line and what became of it. */
struct run {
	char text[70000]; /* all arguments, which options_parse() may write into */
	char *args[320]; /* in the order given, while options_parse() may permute argv */
	char *argv[320];
	struct options options;
	char error[CONFIG_ERROR_MAX];
};

static struct run run;

static int run_with(const char *const *args)
{
	char *p = run.text;
	int argc = 0;

	options_free(&run.options);
	for (; args[argc] != NULL; argc++) {
		run.argv[argc] = run.args[argc] = strcpy(p, args[argc]);
		p += strlen(p) + 1;
	}
	run.argv[argc] = NULL;
	run.error[0] = '\0';
	return options_parse(&run.options, argc, run.argv, run.error);
}

/* options_parse() for a command line of these arguments. */
#define parse(...) run_with((const char *const[]){"socks5d", __VA_ARGS__, NULL})

static int free_users(void **state)
{
	(void)state;
	options_free(&run.options);
	return 0;
}

static void assert_override(size_t index, const struct setting *setting, const char *value)
{
	assert_true(index < run.options.source.count);
	assert_ptr_equal(run.options.source.overrides[index].setting, setting);
	assert_string_equal(run.options.source.overrides[index].value, value);
}

static void assert_user(size_t index, const char *name, const char *password)
{
	assert_true(index < run.options.user_count);
	assert_string_equal(run.options.users[index].name, name);
	assert_string_equal(run.options.users[index].password, password);
}

/* ---- flags ---- */

static void serves_without_flags(void **state)
{
	(void)state;
	assert_int_equal(run_with((const char *const[]){"socks5d", NULL}), 0);
	assert_int_equal(run.options.action, OPTIONS_SERVE);
	assert_null(run.options.source.path);
	assert_int_equal(run.options.source.count, 0);
	assert_int_equal(run.options.user_count, 0);
}

static void every_short_flag_sets_its_setting(void **state)
{
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];
		char flag[] = {'-', s->flag, '\0'}, joined[] = {'-', s->flag, 'v', '\0'};

		if (s->flag == '\0')
			continue;
		assert_int_equal(parse(flag, "value", joined), 0);
		assert_int_equal(run.options.source.count, 2);
		assert_override(0, s, "value");
		assert_override(1, s, "v");
		found++;
	}
	assert_true(found > 0);
}

static void every_setting_has_a_long_flag(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *s = &settings_table[i];
		char flag[64], joined[80];

		assert_null(strchr(setting_flag(s, flag), '_'));
		snprintf(joined, sizeof(joined), "%s=other", flag);
		assert_int_equal(parse(flag, "value", joined), 0);
		assert_int_equal(run.options.source.count, 2);
		assert_override(0, s, "value");
		assert_override(1, s, "other");
	}
}

static void flags_keep_their_order(void **state)
{
	(void)state;
	assert_int_equal(
		parse("-p", "1", "--backlog", "2", "-p", "3", "--listen=::1", "-l", "::2"), 0);
	assert_int_equal(run.options.source.count, 5);
	assert_override(0, settings_find("port"), "1");
	assert_override(1, settings_find("backlog"), "2");
	assert_override(2, settings_find("port"), "3");
	assert_override(3, settings_find("listen"), "::1");
	assert_override(4, settings_find("listen"), "::2");
}

/* There were once at most 64, a number that other arrays had for their size, too. */
static void takes_as_many_flags_as_are_given(void **state)
{
	const char *args[302] = {"socks5d"};

	(void)state;
	for (size_t i = 1; i <= 300; i++)
		args[i] = i % 2 == 0 ? "-p1" : "-l::1";
	assert_int_equal(run_with(args), 0);
	assert_int_equal(run.options.source.count, 300);
	assert_override(0, settings_find("listen"), "::1");
	assert_override(299, settings_find("port"), "1");
}

static void values_are_not_judged_here(void **state)
{
	(void)state;
	assert_int_equal(parse("-p", "-1", "--timeout=", "-l", ""), 0);
	assert_override(0, settings_find("port"), "-1");
	assert_override(1, settings_find("timeout"), "");
	assert_override(2, settings_find("listen"), "");
}

static void takes_the_flags_of_the_program(void **state)
{
	static const struct {
		const char *flag;
		enum options_action action;
	} rows[] = {{"-h", OPTIONS_HELP}, {"--help", OPTIONS_HELP}, {"-v", OPTIONS_VERSION},
		{"--version", OPTIONS_VERSION}, {"-n", OPTIONS_CHECK}, {"--check", OPTIONS_CHECK},
		{"--doctor", OPTIONS_DOCTOR}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(parse(rows[i].flag), 0);
		assert_int_equal(run.options.action, rows[i].action);
	}
	assert_int_equal(parse("-c", "file"), 0);
	assert_string_equal(run.options.source.path, "file");
	assert_int_equal(parse("--config=other", "-np", "80"), 0);
	assert_string_equal(run.options.source.path, "other");
	assert_int_equal(run.options.action, OPTIONS_CHECK);
	assert_override(0, settings_find("port"), "80");
}

static void help_and_version_come_before_later_mistakes(void **state)
{
	(void)state;
	assert_int_equal(parse("-h", "--nonsense"), 0);
	assert_int_equal(run.options.action, OPTIONS_HELP);
	assert_int_equal(parse("-v", "-h", "stray"), 0);
	assert_int_equal(run.options.action, OPTIONS_VERSION);
}

/* ---- mistakes ---- */

static void assert_refused(int result, const char *start, const char *part)
{
	assert_int_equal(result, -1);
	assert_begins(run.error, start);
	assert_contains(run.error, part);
}

static void refuses_unknown_flags(void **state)
{
	static const char part[] = "there is no such flag";

	(void)state;
	assert_refused(parse("--nonsense"), "--nonsense: ", part);
	assert_refused(parse("-p", "80", "--potr", "81"), "--potr: ", part);
	assert_refused(parse("-Z"), "-Z: ", part);
	assert_refused(parse("-p", "80", "-Z", "81"), "-Z: ", part);
	assert_refused(parse("--max_sessions=5"), "--max_sessions: ", part);
}

static void asks_which_flag_was_meant(void **state)
{
	(void)state;
	assert_refused(parse("--potr", "81"), "--potr: ", "; did you mean --port?");
	assert_refused(
		parse("--max_sessions=5"), "--max_sessions: ", "; did you mean --max-sessions?");
	assert_refused(parse("--chekc"), "--chekc: ", "; did you mean --check?");
	assert_refused(parse("port=5"), "port=5: ", "; did you mean --port?");
	assert_int_equal(parse("--nonsense"), -1);
	assert_null(strstr(run.error, "did you mean"));
	assert_int_equal(parse("-Z"), -1);
	assert_null(strstr(run.error, "did you mean"));
}

static void refuses_flags_without_their_value(void **state)
{
	static const char part[] = "a value is missing";

	(void)state;
	assert_refused(parse("-p"), "-p: ", part);
	assert_refused(parse("-n", "--port"), "--port: ", part);
	assert_refused(parse("--port"), "--port: ", ": legal is a number from 0 to 65535;");
	assert_refused(parse("-u"), "-u: ", part);
	assert_refused(parse("-c"), "-c: ", part);
}

static void refuses_a_second_configuration(void **state)
{
	(void)state;
	assert_refused(parse("-c", "one", "--config", "two"), "--config: \"two\": ", "already");
}

static void refuses_stray_arguments(void **state)
{
	static const char part[] = "only flags are expected";

	(void)state;
	assert_refused(parse("stray"), "stray: ", part);
	assert_refused(parse("-p", "80", "stray", "-n"), "stray: ", part);
	assert_refused(parse("--", "-p"), "-p: ", part);
	assert_refused(parse(""), ": ", part);
}

/* ---- users ---- */

static void takes_users(void **state)
{
	(void)state;
	assert_int_equal(
		parse("-u", "alice:secret", "-ubob:b", "--user=carol:c", "--user", "d:d"), 0);
	assert_int_equal(run.options.user_count, 4);
	assert_user(0, "alice", "secret");
	assert_user(1, "bob", "b");
	assert_user(2, "carol", "c");
	assert_user(3, "d", "d");
}

/* The setting of that name is about whom the server runs as. */
static void the_flag_of_users_is_not_the_setting_user(void **state)
{
	char flag[64];

	(void)state;
	assert_string_equal(setting_flag(settings_find("user"), flag), "--run-as");
	assert_int_equal(parse("--run-as", "nobody", "--user", "bob:b"), 0);
	assert_int_equal(run.options.user_count, 1);
	assert_int_equal(run.options.source.count, 1);
	assert_ptr_equal(run.options.source.overrides[0].setting, settings_find("user"));
}

static void passwords_may_have_colons_and_blanks(void **state)
{
	(void)state;
	assert_int_equal(parse("-u", "alice:a:b::c", "-u", "bob: x ", "-u", "carol::"), 0);
	assert_user(0, "alice", "a:b::c");
	assert_user(1, "bob", " x ");
	assert_user(2, "carol", ":");
}

static void names_and_passwords_have_up_to_255_bytes(void **state)
{
	char argument[600] = "";

	(void)state;
	memset(argument, 'n', 255);
	argument[255] = ':';
	memset(argument + 256, 'p', 255);
	assert_int_equal(parse("-u", argument), 0);
	assert_int_equal(strlen(run.options.users[0].name), 255);
	assert_int_equal(strlen(run.options.users[0].password), 255);
	argument[511] = 'p';
	assert_refused(parse("-u", argument), "-u: \"nnn", "a password has 1 to 255 bytes");
	memset(argument, 'n', 256);
	argument[256] = ':';
	assert_refused(parse("-u", argument), "-u: \"nnn", "a user name has 1 to 255 bytes");
}

static void refuses_bad_users(void **state)
{
	static const struct {
		const char *argument, *start, *part;
	} rows[] = {{"secret", "-u: ", "expected NAME:PASS"}, {"", "-u: ", "expected NAME:PASS"},
		{":secret", "-u: \"\": ", "a user name has 1 to 255 bytes"},
		{"alice:", "-u: \"alice\": ", "a password has 1 to 255 bytes"},
		{"al ice:secret", "-u: \"al ice\": ", "no blanks"},
		{"#alice:secret", "-u: \"#alice\": ", "does not begin with #"},
		{"alice:sec\nret", "-u: \"alice\": ", "no control characters"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_refused(parse("-u", rows[i].argument), rows[i].start, rows[i].part);
		assert_null(strstr(run.error, "sec"));
		assert_int_equal(run.options.user_count, 0);
	}
}

static void the_eleventh_user_belongs_into_the_file(void **state)
{
	const char *args[OPTIONS_MAX_USERS + 3] = {"socks5d"};

	(void)state;
	for (size_t i = 1; i <= OPTIONS_MAX_USERS; i++)
		args[i] = "-ualice:secret";
	assert_int_equal(run_with(args), 0);
	assert_int_equal(run.options.user_count, OPTIONS_MAX_USERS);
	args[OPTIONS_MAX_USERS + 1] = "-ubob:secret";
	assert_refused(run_with(args), "-u: \"bob\": ", "a file of users");
	assert_contains(run.error, "-U FILE");
	assert_null(strstr(run.error, "secret"));
}

/* Not a byte of it is left, its length neither. */
static void assert_wiped(size_t index, const char *kept, size_t password_len)
{
	static const char zeros[16];

	assert_string_equal(run.args[index], kept);
	assert_memory_equal(run.args[index] + strlen(kept), zeros, password_len);
}

static void passwords_disappear_from_argv(void **state)
{
	(void)state;
	assert_int_equal(parse("-u", "alice:secret", "-ubob:a:b", "--user=carol:c", "-p", "80"), 0);
	assert_wiped(2, "alice:", 6);
	assert_wiped(3, "-ubob:", 3);
	assert_wiped(4, "--user=carol:", 1);
	assert_string_equal(run.args[6], "80");
	assert_user(1, "bob", "a:b");
}

static void passwords_disappear_even_when_a_later_flag_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(parse("-u", "alice:secret", "--nonsense"), -1);
	assert_wiped(2, "alice:", 6);
}

static void freed_users_are_gone(void **state)
{
	(void)state;
	assert_int_equal(parse("-u", "alice:secret"), 0);
	options_free_users(&run.options);
	assert_int_equal(run.options.user_count, 0);
	options_free_users(&run.options);
}

/* ---- help ---- */

static char *help_text(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	options_print_help(out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Makes one blank of every line break with what indents the next line. */
static void join_lines(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (*from == '\n')
			from += strspn(from, "\n ") - 1;
		*to++ = *from == '\n' ? ' ' : *from;
	}
	*to = '\0';
}

/* The part of the help from the setting's flag to the next one's. */
static void assert_help_explains(const char *help, const struct setting *s)
{
	char flag[64], line[128], initial[128];
	char *part, *end;

	snprintf(line, sizeof(line), "%s %s\n", setting_flag(s, flag), s->value_name);
	assert_contains(help, line);
	part = strdup(strstr(help, line));
	assert_non_null(part);
	end = strstr(part, "\n  -");
	if (end != NULL)
		*end = '\0';
	join_lines(part);
	snprintf(initial, sizeof(initial), "Default: %s.", *s->initial ? s->initial : "empty");
	assert_contains(part, initial);
	free(part);
}

static void help_explains_every_setting(void **state)
{
	char *help = help_text();

	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		char short_flag[] = "\n  -X, --";

		assert_help_explains(help, &settings_table[i]);
		short_flag[4] = settings_table[i].flag;
		if (settings_table[i].flag != '\0')
			assert_contains(help, short_flag);
	}
	free(help);
}

static void help_names_the_flags_of_the_program(void **state)
{
	static const char *const flags[] = {
		"-h, --help", "-v, --version", "-c, --config", "-n, --check", "-u, --user"};
	char *help = help_text();

	(void)state;
	for (size_t i = 0; i < COUNT(flags); i++)
		assert_contains(help, flags[i]);
	free(help);
}

static void help_has_lines_of_at_most_100_columns(void **state)
{
	char *help = help_text(), *rest = help, *line;

	(void)state;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strlen(line) > 100)
			fail_msg("too long: %s", line);
		assert_true(*line == '\0' || line[strlen(line) - 1] != ' ');
	}
	free(help);
}

/* ---- mended ---- */

/* getopt(3) stands within an argument then, and optind has not moved on. */
static void names_the_unknown_flag_at_the_head_of_an_argument(void **state)
{
	(void)state;
	assert_refused(parse("-p", "80", "-Zfoo"), "-Z: ", "there is no such flag");
	assert_refused(parse("-p", "80", "-nZ"), "-Z: ", "there is no such flag");
}

static void names_the_long_flag_that_takes_no_value(void **state)
{
	(void)state;
	assert_refused(parse("--help=x"), "--help: ", "");
	assert_refused(parse("-p", "80", "--check=x"), "--check: ", "");
}

static void begins_anew_after_a_mistake_within_an_argument(void **state)
{
	(void)state;
	assert_int_equal(parse("-Zn"), -1);
	assert_int_equal(parse("--backlog", "80"), 0);
	assert_int_equal(run.options.action, OPTIONS_SERVE);
	assert_override(0, settings_find("backlog"), "80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serves_without_flags),
		cmocka_unit_test(every_short_flag_sets_its_setting),
		cmocka_unit_test(every_setting_has_a_long_flag),
		cmocka_unit_test(flags_keep_their_order),
		cmocka_unit_test(takes_as_many_flags_as_are_given),
		cmocka_unit_test(values_are_not_judged_here),
		cmocka_unit_test(takes_the_flags_of_the_program),
		cmocka_unit_test(help_and_version_come_before_later_mistakes),
		cmocka_unit_test(refuses_unknown_flags),
		cmocka_unit_test(asks_which_flag_was_meant),
		cmocka_unit_test(refuses_flags_without_their_value),
		cmocka_unit_test(refuses_a_second_configuration),
		cmocka_unit_test(refuses_stray_arguments),
		cmocka_unit_test(takes_users),
		cmocka_unit_test(the_flag_of_users_is_not_the_setting_user),
		cmocka_unit_test(passwords_may_have_colons_and_blanks),
		cmocka_unit_test(names_and_passwords_have_up_to_255_bytes),
		cmocka_unit_test(refuses_bad_users),
		cmocka_unit_test(the_eleventh_user_belongs_into_the_file),
		cmocka_unit_test(passwords_disappear_from_argv),
		cmocka_unit_test(passwords_disappear_even_when_a_later_flag_is_wrong),
		cmocka_unit_test(freed_users_are_gone),
		cmocka_unit_test(help_explains_every_setting),
		cmocka_unit_test(help_names_the_flags_of_the_program),
		cmocka_unit_test(help_has_lines_of_at_most_100_columns),
		cmocka_unit_test(names_the_unknown_flag_at_the_head_of_an_argument),
		cmocka_unit_test(names_the_long_flag_that_takes_no_value),
		cmocka_unit_test(begins_anew_after_a_mistake_within_an_argument),
	};

	return cmocka_run_group_tests_name("state/options", tests, NULL, free_users);
}
