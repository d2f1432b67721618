/* end_reason: the word of every reason. */
#include "state/end_reason.h"

#include "../base/check.h"
#include "state/access_log.h"

static void every_reason_has_a_word(void **state)
{
	(void)state;
	for (int i = 0; i < END_REASONS; i++) {
		const char *word = end_reason_word((enum end_reason)i);

		assert_non_null(word);
		assert_in_range(strlen(word), 1, ACCESS_REASON_MAX - 1);
		assert_int_equal(
			strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(word));
	}
}

static void no_two_reasons_share_a_word(void **state)
{
	(void)state;
	for (int i = 0; i < END_REASONS; i++) {
		for (int j = 0; j < i; j++)
			assert_string_not_equal(end_reason_word((enum end_reason)i),
				end_reason_word((enum end_reason)j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_a_word),
		cmocka_unit_test(no_two_reasons_share_a_word),
	};

	return cmocka_run_group_tests_name("state/end_reason", tests, NULL, NULL);
}
