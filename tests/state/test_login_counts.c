/* login_counts: which results are refusals, and that each has a word of its own. */
#include "state/login_counts.h"

#include "../base/check.h"

static void each_door_and_result_has_a_word_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LOGIN_RESULTS; i++) {
		assert_non_null(login_result_word(i));
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(login_result_word(i), login_result_word(k));
	}
	for (enum login_door i = 0; i < LOGIN_DOORS; i++)
		assert_non_null(login_door_word(i));
}

static void refused_is_what_was_checked_and_not_let_in(void **state)
{
	static const struct {
		unsigned result;
		bool is_refused;
	} rows[] = {{LOGIN_OK, false}, {LOGIN_REFUSED, true}, {LOGIN_TOO_BUSY, false},
		{LOGIN_HELD_OFF, true}, {LOGIN_NO_MEMORY, false}, {LOGIN_DISABLED, true},
		{LOGIN_EXPIRED, true}, {LOGIN_NOT_FROM_HERE, true}, {LOGIN_NO_HELPER, true},
		{LOGIN_UNANSWERED, false}, {LOGIN_IGNORED, false}};

	(void)state;
	assert_int_equal(COUNT(rows), LOGIN_RESULTS);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct login_counts c = {0};

		login_counts_add(&c, LOGIN_AT_HTTP, rows[i].result);
		assert_int_equal(login_counts_get(&c, LOGIN_AT_HTTP, rows[i].result), 1);
		assert_int_equal(login_counts_get(&c, LOGIN_AT_WEB, rows[i].result), 0);
		assert_int_equal(login_counts_refused(&c, LOGIN_AT_HTTP), rows[i].is_refused);
		assert_int_equal(login_counts_refused(&c, LOGIN_AT_WEB), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_door_and_result_has_a_word_of_its_own),
		cmocka_unit_test(refused_is_what_was_checked_and_not_let_in),
	};

	return cmocka_run_group_tests_name("state/login_counts", tests, NULL, NULL);
}
