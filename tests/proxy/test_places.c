/* places: which are kept for others, and when they are scarce, at the edges of a 64th and a
 * quarter. */
#include "proxy/places.h"

#include "../base/check.h"

static void each_is_told_which_place_it_takes(void **state)
{
	struct places p;

	(void)state;
	places_init(&p, 3);
	assert_int_equal(places_take(&p), 1);
	assert_int_equal(places_take(&p), 2);
	places_leave(&p);
	assert_int_equal(places_take(&p), 2);
	assert_int_equal(places_take(&p), 3);
}

/* How many places there are, how many of the last are kept, and how many sessions a client has at
 * most that gets one of these nevertheless. */
static const struct row {
	size_t total, kept, most;
} rows[] = {
	{1, 0, 1}, /* one would be more than a quarter */
	{3, 0, 3},
	{4, 1, 2},
	{7, 1, 2},
	{8, 1, 3},
	{20, 1, 6},
	{64, 1, 17},
	{127, 1, 32},
	{128, 2, 33},
	{10000, 156, 2501},
};

static void the_last_64th_is_kept_from_who_has_more_than_a_quarter(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct places p;

		places_init(&p, r->total);
		for (size_t place = 1; place <= r->total; place++) {
			bool is_last = place > r->total - r->kept;

			assert_false(places_is_kept(&p, place, 1));
			assert_false(places_is_kept(&p, place, r->most));
			assert_int_equal(places_is_kept(&p, place, r->most + 1), is_last);
			assert_int_equal(places_is_kept(&p, place, r->total + 1), is_last);
		}
	}
}

static void are_scarce_when_the_last_64th_is_left_or_less(void **state)
{
	static const struct {
		size_t total, left; /* when they begin to be scarce */
	} cases[] = {{1, 1}, {3, 1}, {20, 1}, {64, 1}, {127, 1}, {128, 2}, {10000, 156}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct places p;

		places_init(&p, cases[i].total);
		for (size_t left = cases[i].total; left > 0; left--) {
			assert_int_equal(places_are_scarce(&p), left <= cases[i].left);
			places_take(&p);
		}
		assert_true(places_are_scarce(&p));
	}
}

static void are_taken_when_all_have_a_client(void **state)
{
	struct places p;

	(void)state;
	places_init(&p, 2);
	places_take(&p);
	assert_false(places_are_taken(&p));
	places_take(&p);
	assert_true(places_are_taken(&p));
	places_leave(&p);
	assert_false(places_are_taken(&p));
	places_init(&p, 1);
	assert_false(places_are_taken(&p));
	places_take(&p);
	assert_true(places_are_taken(&p));
}

static void a_balancer_is_told_whether_there_is_an_idle_one(void **state)
{
	/* Workers, those that have a client, and what is told at the proxy's port and elsewhere. */
	static const struct {
		size_t total, taken;
		const char *inside, *outside;
	} cases[] = {{2, 1, "ok", "ok"}, {2, 2, "saturated", "saturated"}, {1, 0, "ok", "ok"},
		{1, 1, "ok", "saturated"}};
	struct places p;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		places_init(&p, cases[i].total);
		for (size_t k = 0; k < cases[i].taken; k++)
			places_take(&p);
		assert_string_equal(places_health(&p, true), cases[i].inside);
		assert_string_equal(places_health(&p, false), cases[i].outside);
		places_close(&p);
		assert_string_equal(places_health(&p, true), "draining");
		assert_string_equal(places_health(&p, false), "draining");
	}
}

static void are_closed_for_good(void **state)
{
	struct places p;

	(void)state;
	places_init(&p, 2);
	assert_false(places_are_closed(&p));
	places_close(&p);
	assert_true(places_are_closed(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_told_which_place_it_takes),
		cmocka_unit_test(the_last_64th_is_kept_from_who_has_more_than_a_quarter),
		cmocka_unit_test(are_scarce_when_the_last_64th_is_left_or_less),
		cmocka_unit_test(are_taken_when_all_have_a_client),
		cmocka_unit_test(a_balancer_is_told_whether_there_is_an_idle_one),
		cmocka_unit_test(are_closed_for_good),
	};

	return cmocka_run_group_tests_name("proxy/places", tests, NULL, NULL);
}
