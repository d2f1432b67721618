/* limiting: when the job looks again. What it does is in daemon/test_limits.c. */
#include "server/limiting.h"

#include "../base/scratch.h"
#include "base/clock.h"
#include "state/ledger_limits.h"

/* When the job looks again that looks at 1000, by these settings, while there is nobody yet. */
static int64_t look_by(const char *text)
{
	static struct config_source source = {.path = "conf", .is_reload = true};
	struct services services = {.ledger = ledger_new(1, NULL),
		.limits = limit_book_new(),
		.standing = standing_new(),
		.registry = registry_new(1)};
	char error[CONFIG_ERROR_MAX];
	struct limiting l;
	struct config *c;
	int64_t next;

	scratch_write("conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	assert_int_equal(limit_book_read(services.limits, c, services.standing), 0);
	ledger_follow(services.ledger, services.limits, services.standing);
	limiting_init(&l, &services, NULL, NULL);
	next = l.job.run(l.job.context, 1000);
	registry_free(services.registry);
	ledger_free(services.ledger);
	limit_book_free(services.limits);
	standing_free(services.standing);
	config_release(c);
	return next;
}

static void it_sleeps_while_nobody_can_have_a_quota(void **state)
{
	(void)state;
	assert_true(look_by("") == CLOCK_NEVER);
	assert_true(look_by("anonymous_defaults = sessions=5\n") == CLOCK_NEVER);
}

static void it_stays_awake_while_somebody_may_come_with_a_quota(void **state)
{
	(void)state;
	assert_int_equal(look_by("client_limits = 10.0.0.0/8 quota=1GB/day\n"), 4000);
	assert_int_equal(look_by("anonymous_defaults = quota=1GB/day\n"), 4000);
	assert_int_equal(look_by("user_defaults = quota=1GB/day\n"), 4000);
	assert_int_equal(look_by("group_defaults = @kids quota=1GB/day\n"), 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			it_sleeps_while_nobody_can_have_a_quota, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(it_stays_awake_while_somebody_may_come_with_a_quota,
			scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests_name("server/limiting", tests, NULL, NULL);
}
