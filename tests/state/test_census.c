/* census: users with sessions, summed up and in order. */
#include "state/census.h"

#include "../base/check.h"

static const struct addr nobody = {.sa = {.sa_family = AF_UNSPEC}};

static void begin(struct registry *r, size_t slot, const char *user, uint64_t bytes)
{
	registry_enter(r, slot, -1, &nobody);
	if (user != NULL)
		registry_set_user(r, slot, user, strlen(user));
	traffic_count(registry_traffic(r, slot), TRAFFIC_SENT, bytes);
	traffic_count(registry_traffic(r, slot), TRAFFIC_RECEIVED, 2 * bytes);
}

static void sums_up_by_user_and_leaves_out_who_has_none(void **state)
{
	struct registry *r = registry_new(6);
	struct census *c;

	(void)state;
	begin(r, 0, "carol", 1);
	begin(r, 1, "alice", 10);
	begin(r, 2, NULL, 100);
	begin(r, 3, "alice", 1000);
	begin(r, 4, "bob", 5);
	registry_leave(r, 4);
	c = census_take(r);
	assert_non_null(c);
	assert_int_equal(census_count(c), 2);
	assert_string_equal(census_at(c, 0)->name, "alice");
	assert_int_equal(census_at(c, 0)->sessions, 2);
	assert_int_equal(census_at(c, 0)->sent, 1010);
	assert_int_equal(census_at(c, 0)->received, 2020);
	assert_string_equal(census_at(c, 1)->name, "carol");
	assert_ptr_equal(census_find(c, "carol", 5), census_at(c, 1));
	assert_null(census_find(c, "bob", 3));
	census_free(c);
	registry_free(r);
}

static void nobody_is_an_empty_one(void **state)
{
	struct registry *r = registry_new(1);
	struct census *c = census_take(r);

	(void)state;
	assert_non_null(c);
	assert_int_equal(census_count(c), 0);
	census_free(c);
	census_free(NULL);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_up_by_user_and_leaves_out_who_has_none),
		cmocka_unit_test(nobody_is_an_empty_one),
	};

	return cmocka_run_group_tests_name("state/census", tests, NULL, NULL);
}
