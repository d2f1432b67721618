/* server/fairness: something divided among those who want some of it. */
#include "server/fairness.h"

#include "../base/check.h"

#define ALL UINT64_MAX

static const struct {
	uint64_t whole;
	uint64_t wants[5];
	uint64_t shares[5]; /* from the most modest on */
	size_t count;
	uint64_t most;
} rows[] = {
	{100, {0}, {0}, 0, 100},
	{100, {ALL}, {100}, 1, 100},
	{100, {ALL, ALL}, {50, 50}, 2, 50},
	{100, {10, ALL, ALL}, {10, 45, 45}, 3, 45},
	{100, {ALL, 10, 20, ALL}, {10, 20, 35, 35}, 4, 35},
	{100, {40, 30}, {30, 40}, 2, 70},
	{90, {30, 30, 30}, {30, 30, 30}, 3, 30},
	{7, {ALL, ALL}, {3, 4}, 2, 4},
	{0, {ALL, 5}, {0, 0}, 2, 0},
};

static void gives_each_what_it_wants_or_an_equal_part(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct claim claims[5];

		for (size_t k = 0; k < rows[i].count; k++)
			claims[k] = (struct claim){.want = rows[i].wants[k], .index = k};
		assert_int_equal(
			fairness_divide(rows[i].whole, claims, rows[i].count), rows[i].most);
		for (size_t k = 0; k < rows[i].count; k++) {
			assert_int_equal(claims[k].share, rows[i].shares[k]);
			assert_int_equal(claims[k].want, rows[i].wants[claims[k].index]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_each_what_it_wants_or_an_equal_part),
	};

	return cmocka_run_group_tests_name("server/fairness", tests, NULL, NULL);
}
