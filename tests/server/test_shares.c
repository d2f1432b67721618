/* server/shares: whether the job sleeps, and who wakes it. */
#include "server/shares.h"

#include "../base/scratch.h"
#include "base/clock.h"

static struct services services;
static struct shares shares;
static struct throttle *throttle;
static struct throttle_stream stream;
static unsigned calls;
static bool begins_meanwhile;

void __wrap_janitor_call(struct janitor *j, struct job *job);
struct throttle **__real_throttles_list(struct throttles *all, size_t *count);
struct throttle **__wrap_throttles_list(struct throttles *all, size_t *count);

void __wrap_janitor_call(struct janitor *j, struct job *job)
{
	assert_ptr_equal(j, &calls);
	assert_ptr_equal(job, &shares.job);
	calls++;
}

static void begin(int64_t now)
{
	throttle_enter(&stream, throttle, TRAFFIC_RECEIVED, true);
	throttle_begin(&stream, now);
}

/* One begins when the job has the list already. */
struct throttle **__wrap_throttles_list(struct throttles *all, size_t *count)
{
	struct throttle **list = __real_throttles_list(all, count);

	if (begins_meanwhile)
		begin(1000);
	begins_meanwhile = false;
	return list;
}

static struct config *read_text(const char *text)
{
	static struct config_source source = {.path = "conf"};
	static char error[CONFIG_ERROR_MAX];
	struct config *c;

	scratch_write("conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

static int setup(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	calls = 0;
	begins_meanwhile = false;
	services.ledger = ledger_new(4, NULL);
	services.config = config_store_new(read_text("rate_total = 8Mbit\n"));
	assert_non_null(services.config);
	shares_init(&shares, &services, (struct janitor *)&calls);
	throttle = throttle_new(shares.throttles);
	assert_non_null(throttle);
	return 0;
}

static int teardown(void **state)
{
	throttle_leave(&stream, 1000);
	throttle_release(throttle);
	ledger_free(services.ledger);
	config_store_free(services.config);
	return scratch_leave(state);
}

static int64_t run(int64_t now)
{
	return shares.job.run(shares.job.context, now);
}

static void it_sleeps_until_somebody_begins(void **state)
{
	(void)state;
	assert_true(run(1000) == CLOCK_NEVER);
	assert_int_equal(calls, 0);
	begin(1000);
	assert_int_equal(calls, 1);
	assert_int_equal(run(1000), 1100);
}

static void who_begins_while_it_looks_wakes_it(void **state)
{
	(void)state;
	begins_meanwhile = true;
	assert_true(run(1000) == CLOCK_NEVER);
	assert_int_equal(calls, 1);
	assert_int_equal(run(1000), 1100);
}

static void it_goes_on_for_a_while_when_all_have_ended(void **state)
{
	(void)state;
	begin(1000);
	assert_int_equal(run(1000), 1100);
	throttle_end(&stream, 1050);
	assert_int_equal(run(1100), 1200);
	assert_int_equal(run(2900), 3000);
	assert_true(run(3000) == CLOCK_NEVER);
	throttle_begin(&stream, 4000);
	assert_int_equal(calls, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_sleeps_until_somebody_begins),
		TEST(who_begins_while_it_looks_wakes_it),
		TEST(it_goes_on_for_a_while_when_all_have_ended),
	};

	return cmocka_run_group_tests_name("server/shares", tests, NULL, NULL);
}
