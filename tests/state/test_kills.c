/* kills: the queue of those whose sessions are to end on other nodes. */
#include "state/kills.h"

#include "../base/check.h"

#include <stdio.h>
#include <string.h>

static unsigned rings;

static void count_ring(void *context)
{
	(*(unsigned *)context)++;
}

static int make_kills(void **state)
{
	rings = 0;
	*state = kills_new(count_ring, &rings);
	return *state == NULL ? -1 : 0;
}

static int free_kills(void **state)
{
	kills_free(*state);
	return 0;
}

static void what_is_put_comes_in_its_order_and_rings(void **state)
{
	struct kill k;

	assert_int_equal(kills_set_open(*state, true), 0);
	assert_true(kills_put(*state, "alice", END_KILLED));
	assert_true(kills_put(*state, "10.0.0.0/8", END_BANNED));
	assert_int_equal(rings, 2);
	assert_true(kills_take(*state, &k));
	assert_string_equal(k.who, "alice");
	assert_int_equal(k.reason, END_KILLED);
	assert_true(kills_take(*state, &k));
	assert_string_equal(k.who, "10.0.0.0/8");
	assert_int_equal(k.reason, END_BANNED);
	assert_false(kills_take(*state, &k));
}

static void nobody_can_be_told_at_first_and_while_it_is_closed(void **state)
{
	struct kill k;

	assert_false(kills_put(*state, "alice", END_KILLED));
	(void)kills_set_open(*state, true);
	assert_true(kills_put(*state, "alice", END_KILLED));
	assert_int_equal(kills_set_open(*state, false), 1);
	assert_false(kills_put(*state, "alice", END_KILLED));
	(void)kills_set_open(*state, true);
	assert_false(kills_take(*state, &k)); /* what was not told then is not told later */
	assert_int_equal(rings, 1);
}

static void it_takes_so_many_and_is_round(void **state)
{
	char long_name[KILLS_WHO_MAX + 1];
	struct kill k;

	(void)kills_set_open(*state, true);
	for (int i = 0; i < 3 * KILLS_MOST; i++) {
		char name[16];

		snprintf(name, sizeof(name), "u%d", i);
		if (i >= KILLS_MOST) {
			assert_false(kills_put(*state, name, END_KILLED));
			assert_true(kills_take(*state, &k));
		}
		assert_true(kills_put(*state, name, END_KILLED));
	}
	for (int i = 2 * KILLS_MOST; i < 3 * KILLS_MOST; i++) {
		char name[16];

		snprintf(name, sizeof(name), "u%d", i);
		assert_true(kills_take(*state, &k));
		assert_string_equal(k.who, name);
	}
	memset(long_name, 'a', KILLS_WHO_MAX);
	long_name[KILLS_WHO_MAX] = '\0';
	assert_false(kills_put(*state, long_name, END_KILLED));
}

#define kills_test(name) cmocka_unit_test_setup_teardown(name, make_kills, free_kills)

int main(void)
{
	const struct CMUnitTest tests[] = {
		kills_test(what_is_put_comes_in_its_order_and_rings),
		kills_test(nobody_can_be_told_at_first_and_while_it_is_closed),
		kills_test(it_takes_so_many_and_is_round),
	};

	return cmocka_run_group_tests_name("state/kills", tests, NULL, NULL);
}
