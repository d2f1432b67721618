/* advice: every reason for which a session can end is no failure, or has a sentence of advice. */
#include "state/advice.h"

#include <ctype.h>
#include <string.h>

#include "../base/check.h"

/* Those that are no failures: nothing is to be done about them. */
static const enum end_reason ends[] = {END_CLOSED, END_CLIENT_RESET, END_TARGET_RESET, END_IDLE,
	END_HALF_CLOSED_IDLE, END_UDP_IDLE, END_OWN_PAGE, END_HEALTH_CHECK, END_NOTHING_ASKED,
	END_CLIENT_FINISHED, END_STOPPED};

static bool is_an_end(enum end_reason reason)
{
	for (size_t i = 0; i < COUNT(ends); i++) {
		if (ends[i] == reason)
			return true;
	}
	return false;
}

static void each_reason_has_advice_or_is_no_failure(void **state)
{
	(void)state;
	for (enum end_reason r = 0; r < END_REASONS; r++) {
		if (advice_is_failure(r) == is_an_end(r))
			fail_msg("state/advice.c: %s %s", end_reason_word(r),
				is_an_end(r) ? "has advice" : "has no advice");
	}
}

static void advice_is_one_line_of_printable_words(void **state)
{
	(void)state;
	for (enum end_reason r = 0; r < END_REASONS; r++) {
		const char *text = advice_find(r, NULL);

		assert_int_equal(text != NULL, advice_is_failure(r));
		for (const char *p = text; p != NULL && *p != '\0'; p++)
			assert_true(isprint((unsigned char)*p));
		if (text != NULL && (strlen(text) < 20 || text[strlen(text) - 1] == '.'))
			fail_msg("%s: \"%s\"", end_reason_word(r), text);
	}
}

/* What is to be done about a denied target depends on what denied it. */
static void advice_goes_by_the_rule(void **state)
{
	static const struct {
		const char *rule, *part;
	} rows[] = {{"3", "take that rule away"}, {"", "take that rule away"}, {"t1", "for a time"},
		{"protect:loopback", "protected"}, {"otherwise", "otherwise = deny"},
		{"no_port", "port 0"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = advice_find(END_TARGET_DENIED, rows[i].rule);

		if (text == NULL || strstr(text, rows[i].part) == NULL)
			fail_msg("%s: %s", rows[i].rule, text);
	}
	/* Elsewhere the rule does not matter. */
	assert_string_equal(advice_find(END_NO_METHOD, "3"), advice_find(END_NO_METHOD, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_advice_or_is_no_failure),
		cmocka_unit_test(advice_is_one_line_of_printable_words),
		cmocka_unit_test(advice_goes_by_the_rule),
	};

	return cmocka_run_group_tests_name("state/advice", tests, NULL, NULL);
}
