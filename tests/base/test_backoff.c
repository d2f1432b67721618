/* backoff: pauses that double up to a second, and begin anew once it worked. */
#include "base/backoff.h"

#include "check.h"

static void pauses_double_up_to_a_second(void **state)
{
	static const int64_t pauses[] = {10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000};
	struct backoff b = {0};

	(void)state;
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < COUNT(pauses); i++)
			assert_int_equal(backoff_next(&b), pauses[i]);
		backoff_end(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_double_up_to_a_second),
	};

	return cmocka_run_group_tests_name("base/backoff", tests, NULL, NULL);
}
