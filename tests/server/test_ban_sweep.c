/* ban_sweep: it says which bans are over, sleeps until the next one is, and is called when one
 * begins. */
#include "server/ban_sweep.h"

#include "../base/said.h"
#include "base/clock.h"

static struct bans *bans;
static struct ban_sweep sweep;
static unsigned calls;

void __wrap_janitor_call(struct janitor *j, struct job *job);

void __wrap_janitor_call(struct janitor *j, struct job *job)
{
	assert_ptr_equal(j, &calls);
	assert_ptr_equal(job, &sweep.job);
	calls++;
}

static int setup(void **state)
{
	(void)state;
	calls = 0;
	bans = bans_new(NULL, NULL);
	assert_non_null(bans);
	ban_sweep_init(&sweep, bans, (struct janitor *)&calls);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bans_free(bans);
	return 0;
}

static int64_t run(int64_t now)
{
	return sweep.job.run(sweep.job.context, now);
}

static void ban(const char *client, int64_t lasts, int64_t now)
{
	struct network n;
	struct ban_info begun;

	assert_true(network_parse(client, strlen(client), &n));
	assert_int_equal(bans_put(bans, &n, lasts, (struct bans_time){.ms = now}, &begun), 0);
}

static void it_sleeps_while_nobody_is_banned(void **state)
{
	(void)state;
	assert_true(run(1000) == CLOCK_NEVER);
	assert_int_equal(calls, 0);
}

static void it_says_which_are_over_and_sleeps_until_the_next_one_is(void **state)
{
	(void)state;
	ban("192.0.2.1", 5000, 1000);
	assert_int_equal(calls, 1);
	assert_int_equal(run(1000), 6000);
	ban("192.0.2.2", 2000, 1000);
	assert_int_equal(calls, 2);
	assert_int_equal(run(1000), 3000);
	ban("192.0.2.3", CLOCK_NEVER, 1000);
	said_begin();
	assert_int_equal(run(3000), 6000);
	said_end();
	assert_contains(said, "client=192.0.2.2 why=time");
	assert_null(strstr(said, "client=192.0.2.1"));
	said_begin();
	assert_true(run(6000) == CLOCK_NEVER);
	said_end();
	assert_contains(said, "client=192.0.2.1 why=time");
	assert_true(bans_any(bans)); /* for good */
}

static void what_is_long_over_is_forgotten_without_a_word(void **state)
{
	struct ban_rule rule = {.failures = 1, .within = 1000, .first = 1000, .longest = 8000};
	struct exempt_clients exempt = {.loopback = false};
	struct ban_info begun;
	struct network n;

	(void)state;
	assert_true(network_parse("192.0.2.1", 9, &n));
	assert_true(bans_note_failure(bans,
		&(const struct ban_failure){.from = &n.base, .rule = &rule, .exempt = &exempt},
		(struct bans_time){.ms = 1000}, &begun));
	assert_int_equal(calls, 1);
	assert_int_equal(run(2000), 10000);
	said_begin();
	assert_true(run(10000) == CLOCK_NEVER);
	said_end();
	assert_string_equal(said, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_sleeps_while_nobody_is_banned),
		TEST(it_says_which_are_over_and_sleeps_until_the_next_one_is),
		TEST(what_is_long_over_is_forgotten_without_a_word),
	};

	return cmocka_run_group_tests_name("server/ban_sweep", tests, NULL, NULL);
}
