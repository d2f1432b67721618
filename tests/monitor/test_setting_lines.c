/* setting_lines: what SETTINGS says of values from anywhere. */
#include "monitor/setting_lines.h"

#include "../base/scratch.h"

static struct reply r;

static struct config *read_conf(const char *text, const struct config_override *flag)
{
	struct config_override overrides[1];
	struct config_source source = {.path = "my conf", .overrides = overrides};
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	if (flag != NULL)
		overrides[source.count++] = *flag;
	scratch_write("my conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

/* Leaves out of each line what the table of settings has, whatever the configuration. */
static void leave_out_reference(char *text)
{
	char *at, *end;

	while ((at = strstr(text, " legal:")) != NULL) {
		end = strchr(at, '\n');
		assert_non_null(end);
		memmove(at, end, strlen(end) + 1);
	}
}

static const char *put(const struct config *now, const struct config *base, const char *word)
{
	reply_reset(&r);
	setting_lines_put(&r, now, base, word);
	assert_false(r.failed);
	leave_out_reference(r.text);
	return r.text;
}

static void set_by_command(struct config *c, const char *name, const char *value)
{
	const struct setting *setting = settings_find(name);
	char why[SETTING_ERROR_MAX];

	assert_true(setting_set(
		setting, &c->settings, &(const struct setting_input){.text = value}, why));
	c->origins[setting - settings_table].from = CONFIG_FROM_COMMAND;
}

static void each_line_says_where_its_value_comes_from(void **state)
{
	static const struct {
		const char *word, *line;
	} rows[] = {
		{"half_close",
			"name:half_close_timeout value:10m from:default file:- default:10m "
			"takes_effect:at_once waits:-\n"},
		{"backlog",
			"name:backlog value:7 from:my\\x20conf:2 file:7 default:4096 "
			"takes_effect:at_once waits:-\n"},
		{"drain_timeout",
			"name:drain_timeout value:2s from:command file:30m default:8s "
			"takes_effect:at_once waits:-\n"},
		{"udp_timeout",
			"name:udp_timeout value:9s from:flag file:5m default:1h "
			"takes_effect:at_once waits:-\n"},
		{"clients",
			"name:clients value:private,\\x20192.0.2.0/24 from:my\\x20conf:4 "
			"file:private,\\x20192.0.2.0/24 default:auto takes_effect:at_once waits:-\n"},
		{"access_log_file",
			"name:access_log_file value: from:default file:- default: "
			"takes_effect:on_reload waits:-\n"},
		{"MAX-MONITOR",
			"name:max_monitor_clients value:16 from:default file:- default:16 "
			"takes_effect:at_start waits:-\n"},
	};
	struct config_override flag = {settings_find("udp_timeout"), "9s"};
	struct config *base = read_conf("# comment\nbacklog = 7\ndrain_timeout = 30m\n"
					"clients = private\nclients = 192.0.2.0/24\n"
					"udp_timeout = 5m\n",
		&flag);
	struct config *now = config_clone(base);
	char expected[512];

	(void)state;
	set_by_command(now, "drain_timeout", "2s");
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(expected, sizeof(expected), "OK\n%s", rows[i].line);
		assert_string_equal(put(now, base, rows[i].word), expected);
	}
	config_release(now);
	config_release(base);
}

static void each_line_says_what_is_legal_and_what_it_is_for(void **state)
{
	struct config *c = read_conf("", NULL);

	(void)state;
	reply_reset(&r);
	setting_lines_put(&r, c, c, "backlog");
	assert_contains(r.text, " waits:- legal:a\\x20number\\x20from\\x201\\x20to\\x20");
	assert_contains(r.text, " help:");
	config_release(c);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void a_word_picks_the_names_that_have_it(void **state)
{
	struct config *c = read_conf("", NULL);

	(void)state;
	assert_int_equal(count_lines(put(c, c, "")), 1 + SETTINGS_COUNT);
	assert_int_equal(count_lines(put(c, c, "dns_")), 1 + 4);
	assert_int_equal(count_lines(put(c, c, "timeou")), 1 + 9);
	assert_int_equal(count_lines(put(c, c, "timeout")), 1 + 1);
	assert_string_equal(put(c, c, "colour"), "ERR No setting has \"colour\" in its name\n");
	config_release(c);
	reply_free(&r);
}

/* max_sessions stays until the next start, and the file has said something else since. */
static void what_waits_for_the_next_start_is_what_the_file_says(void **state)
{
	struct config *now = read_conf("", NULL), *base = read_conf("max_sessions = 9\n", NULL);

	(void)state;
	assert_string_equal(put(now, base, "max_sessions"),
		"OK\nname:max_sessions value:auto from:default file:9 default:auto "
		"takes_effect:at_start waits:yes\n");
	config_release(now);
	config_release(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(each_line_says_where_its_value_comes_from),
		scratch_test(each_line_says_what_is_legal_and_what_it_is_for),
		scratch_test(a_word_picks_the_names_that_have_it),
		scratch_test(what_waits_for_the_next_start_is_what_the_file_says),
	};

	return cmocka_run_group_tests_name("monitor/setting_lines", tests, NULL, NULL);
}
