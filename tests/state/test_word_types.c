/* word_types: which words a set takes, and how it is written. */
#include "state/word_types.h"

#include "defaults.h"

static void one_or_several_words_are_a_set(void **state)
{
	static const struct set_value rows[] = {
		{"http", "http", false},
		{"socks5", "socks5, http", true},
		{"http socks4,socks5", "socks5, socks4, http", false},
		{"socks4, socks4", "socks4", false},
	};

	(void)state;
	assert_int_equal(settings.protocols, PROTOCOL_SOCKS5 | PROTOCOL_SOCKS4 | PROTOCOL_HTTP);
	expect_values("protocols", rows, COUNT(rows));
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
	set("protocols", "socks4", false);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_begins(set("protocols", rows[i].value, false), rows[i].answer);
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
