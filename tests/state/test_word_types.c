/* word_types: which words a set takes, and how it is written. */
#include "state/word_types.h"

#include "../base/check.h"
#include "state/settings.h"

static struct settings settings;

static int set_defaults(void **state)
{
	(void)state;
	return settings_init(&settings);
}

static int free_values(void **state)
{
	(void)state;
	settings_free(&settings);
	return 0;
}

/* What the set comes to, or why it does not: valid until the next call. */
static const char *set(const char *value, bool adds)
{
	static char answer[SETTING_ERROR_MAX];
	const struct setting *setting = settings_find("protocols");
	const struct setting_input in = {.text = value, .adds = adds};
	char *text;

	if (!setting_set(setting, &settings, &in, answer))
		return answer;
	text = setting_format(setting, &settings);
	snprintf(answer, sizeof(answer), "%s", text);
	free(text);
	return answer;
}

static void one_or_several_words_are_a_set(void **state)
{
	static const struct {
		const char *value;
		bool adds;
		const char *formatted;
	} rows[] = {
		{"http", false, "http"},
		{"socks5", true, "socks5, http"},
		{"http socks4,socks5", false, "socks5, socks4, http"},
		{"socks4, socks4", false, "socks4"},
	};

	(void)state;
	assert_int_equal(settings.protocols, PROTOCOL_SOCKS5 | PROTOCOL_SOCKS4 | PROTOCOL_HTTP);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(set(rows[i].value, rows[i].adds), rows[i].formatted);
	assert_int_equal(settings.protocols, PROTOCOL_SOCKS4);
}

static void nothing_else_is_one(void **state)
{
	static const struct {
		const char *value, *answer;
	} rows[] = {
		{"", "\"\": legal is socks5, socks4, http, or several of these"},
		{"socks", "\"socks\": legal is socks5, socks4, http, or several of these"},
		{"http, sock5",
			"\"http, sock5\": legal is socks5, socks4, http, or several of "
			"these; did you mean socks5?"},
		{"none", "\"none\": legal is socks5, socks4, http, or several of these"},
	};

	(void)state;
	set("socks4", false);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_begins(set(rows[i].value, false), rows[i].answer);
		assert_int_equal(settings.protocols, PROTOCOL_SOCKS4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			one_or_several_words_are_a_set, set_defaults, free_values),
		cmocka_unit_test_setup_teardown(nothing_else_is_one, set_defaults, free_values),
	};

	return cmocka_run_group_tests_name("state/word_types", tests, NULL, NULL);
}
