/* allowance: how many sessions are admitted, and what a quota lets through, period by period. */
#include "state/allowance.h"

#include <stdio.h>
#include <time.h>

#include "base/calendar.h"

#include "../base/check.h"

static struct tally tally;
static struct allowance a;
static int64_t noon;

static int begin(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	noon = calendar_moment(2026, 11, 27, 12, 0);
	memset(&tally, 0, sizeof(tally));
	memset(&a, 0, sizeof(a));
	allowance_init(&a, &tally);
	return 0;
}

static int end(void **state)
{
	(void)state;
	allowance_destroy(&a);
	return 0;
}

static void hold_to(const char *text, unsigned of_anonymous)
{
	struct limits_in_force f = {.of_anonymous = of_anonymous};
	char why[LIMITS_ERROR_MAX];

	assert_true(limits_parse(text, LIMITS_OF_USER, &f.limits, why));
	assert_int_equal(allowance_set(&a, &f, NULL, noon), 0);
}

static void sessions_have_a_bound_that_knows_of_those_before_it(void **state)
{
	(void)state;
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
	assert_int_equal(allowance_admit(&a, false), END_REASONS);
	hold_to("sessions=2", 0);
	assert_int_equal(allowance_admit(&a, true), END_TOO_MANY_SESSIONS);
	allowance_dismiss(&a, false);
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
	hold_to("sessions=none", 0);
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
}

static void a_bound_of_anonymous_is_none_of_those_with_a_login(void **state)
{
	(void)state;
	hold_to("sessions=1 quota=10B/day", LIMIT_BIT(LIMIT_SESSIONS) | LIMIT_BIT(LIMIT_QUOTA));
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
	assert_int_equal(allowance_admit(&a, false), END_REASONS);
	assert_int_equal(allowance_admit(&a, false), END_TOO_MANY_SESSIONS);
	allowance_dismiss(&a, false);
	atomic_store(&tally.sent, 10);
	assert_int_equal(allowance_admit(&a, false), END_QUOTA_REACHED);
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
}

static void a_quota_is_told_at_80_and_100_per_cent_and_begins_anew(void **state)
{
	struct allowance_news news;

	(void)state;
	hold_to("quota=1kB/day", 0);
	assert_int_equal(atomic_load(&tally.mark), 800);
	assert_int_equal(atomic_load(&tally.end), 1000);
	atomic_store(&tally.received, 800);
	news = allowance_look(&a, noon);
	assert_int_equal(news.passed, 80);
	assert_int_equal(atomic_load(&tally.mark), 1000);
	assert_int_equal(allowance_look(&a, noon).passed, 0);
	atomic_store(&tally.received, 1000);
	news = allowance_look(&a, noon);
	assert_int_equal(news.passed, 100);
	assert_true(news.is_spent);
	assert_int_equal(allowance_admit(&a, true), END_QUOTA_REACHED);
	/* back by a day, and on to the next one */
	assert_true(allowance_look(&a, noon - 86400).is_spent);
	news = allowance_look(&a, noon + 86400);
	assert_false(news.is_spent);
	assert_int_equal(atomic_load(&tally.end), 2000);
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
}

static void a_quota_can_grow_and_start_anew(void **state)
{
	(void)state;
	assert_false(allowance_reset_quota(&a, noon));
	assert_false(allowance_raise_use(&a, &(struct quota_use){.begun = noon}, noon));
	hold_to("quota=1kB/day over=refuse", 0);
	assert_int_equal(atomic_load(&tally.end), 0);
	atomic_store(&tally.sent, 1200);
	(void)allowance_look(&a, noon);
	assert_int_equal(allowance_admit(&a, true), END_QUOTA_REACHED);
	assert_true(allowance_add_to_quota(&a, 500, noon));
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
	atomic_store(&tally.sent, 1500);
	assert_int_equal(allowance_admit(&a, true), END_QUOTA_REACHED);
	assert_true(allowance_reset_quota(&a, noon));
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
}

/* By the clock of then it has ten years to go. */
static void a_quota_of_a_wrong_clock_begins_anew_when_it_is_reset(void **state)
{
	int64_t midnight = calendar_moment(2026, 11, 28, 0, 0);
	struct allowance_view view;

	(void)state;
	hold_to("quota=1kB/day", 0);
	(void)allowance_look(&a, calendar_moment(2036, 11, 27, 12, 0));
	atomic_store(&tally.sent, 1000);
	assert_true(allowance_look(&a, noon).is_spent);
	assert_int_equal(allowance_look(&a, noon).due, midnight);
	allowance_show(&a, noon, &view);
	assert_int_equal(view.until, midnight);
	assert_true(allowance_reset_quota(&a, noon));
	assert_int_equal(allowance_look(&a, noon).use.begun, calendar_moment(2026, 11, 27, 0, 0));
	atomic_store(&tally.sent, 2000);
	assert_true(allowance_look(&a, noon).is_spent);
	assert_false(allowance_look(&a, noon + 3 * 86400).is_spent);
}

static void what_is_used_can_be_known_to_be_more(void **state)
{
	const struct quota_use more = {
		.begun = calendar_moment(2026, 11, 27, 0, 0), .used = 1100, .extra = 300};
	const struct quota_use less = {.begun = more.begun, .used = 5, .extra = 5};
	const struct quota_use other = {.begun = more.begun - 86400, .used = 9000};
	struct allowance_view v;

	(void)state;
	hold_to("quota=1kB/day", 0);
	atomic_store(&tally.sent, 700);
	assert_true(allowance_raise_use(&a, &more, noon));
	assert_true(allowance_raise_use(&a, &less, noon));
	assert_true(allowance_raise_use(&a, &other, noon));
	allowance_show(&a, noon, &v);
	assert_int_equal(v.use.used, 1100);
	assert_int_equal(v.use.extra, 300);
	assert_int_equal(atomic_load(&tally.end), 900); /* the tally's, 200 bytes later */
}

static void what_was_used_before_counts(void **state)
{
	const struct quota_use before = {.begun = calendar_moment(2026, 11, 27, 0, 0), .used = 900};
	struct limits_in_force f = {.is_kept_out = false};
	char why[LIMITS_ERROR_MAX];

	(void)state;
	assert_true(limits_parse("quota=1kB/day", LIMITS_OF_USER, &f.limits, why));
	assert_int_equal(allowance_set(&a, &f, &before, noon), 0);
	assert_int_equal(atomic_load(&tally.end), 100);
	/* other limits leave it as it is */
	hold_to("quota=2kB/month sessions=5", 0);
	assert_int_equal(atomic_load(&tally.end), 1100);
}

static void a_used_up_quota_of_anonymous_slows_nobody_else(void **state)
{
	struct allowance_news news;

	(void)state;
	hold_to("rate=1MB quota=1kB/day over=slow:8kB/none", LIMIT_BIT(LIMIT_QUOTA));
	atomic_store(&tally.sent, 1000);
	news = allowance_look(&a, noon);
	assert_int_equal(news.down, 1000000);
	assert_int_equal(news.anonymous_down, 8000);
	assert_int_equal(news.anonymous_up, 0);
	hold_to("rate=4kB quota=1kB/day over=slow:8kB",
		LIMIT_BIT(LIMIT_QUOTA) | LIMIT_BIT(LIMIT_RATE));
	news = allowance_look(&a, noon);
	assert_int_equal(news.down, 0);
	assert_int_equal(news.anonymous_down, 4000);
	/* The quota is for all, and only the rate is not. */
	hold_to("rate=4kB quota=1kB/day over=slow:8kB", LIMIT_BIT(LIMIT_RATE));
	news = allowance_look(&a, noon);
	assert_int_equal(news.down, 8000);
	assert_int_equal(news.anonymous_down, 4000);
}

static void a_used_up_quota_can_slow_down(void **state)
{
	struct allowance_news news;

	(void)state;
	hold_to("rate=1MB quota=1kB/day over=slow:8kB/none", 0);
	news = allowance_look(&a, noon);
	assert_int_equal(news.down, 1000000);
	atomic_store(&tally.sent, 1000);
	news = allowance_look(&a, noon);
	assert_int_equal(news.down, 8000);
	assert_int_equal(news.up, 1000000);
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
}

static void what_is_shown_changes_nothing(void **state)
{
	struct allowance_view v;
	struct allowance_news news;

	(void)state;
	allowance_show(&a, noon, &v);
	assert_true(limits_say_nothing(&v.limits));
	hold_to("sessions=3 rate=2Mbit quota=1kB/day", LIMIT_BIT(LIMIT_SESSIONS));
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
	assert_int_equal(allowance_admit(&a, false), END_REASONS);
	atomic_store(&tally.received, 900);
	allowance_show(&a, noon, &v);
	assert_int_equal(v.running, 1); /* the bound is not for those with a login */
	assert_int_equal(v.of_anonymous, LIMIT_BIT(LIMIT_SESSIONS));
	assert_int_equal(v.limits.down, 250000);
	assert_int_equal(v.use.used, 900);
	assert_int_equal(v.until, calendar_moment(2026, 11, 28, 0, 0));
	assert_false(v.is_kept_out);
	/* The next day nothing is used of that day's. */
	allowance_show(&a, noon + 86400, &v);
	assert_int_equal(v.use.used, 0);
	assert_int_equal(v.until, calendar_moment(2026, 11, 29, 0, 0));
	/* What was to be said of the use still is. */
	news = allowance_look(&a, noon);
	assert_int_equal(news.passed, 80);
	assert_int_equal(news.use.used, 900);
}

/* What comes from other nodes moves the end, in either direction. */
static void what_is_used_elsewhere_is_used_of_the_quota(void **state)
{
	struct elsewhere others = {.used = 600, .extra = 100};
	struct allowance_news news;
	struct allowance_view v;

	(void)state;
	allowance_tell_elsewhere(&a, &others);
	assert_int_equal(allowance_begun(&a), 0);
	hold_to("quota=1kB/day", 0);
	assert_int_equal(allowance_begun(&a), calendar_moment(2026, 11, 27, 0, 0));
	assert_int_equal(atomic_load(&tally.end), 1000);
	allowance_tell_elsewhere(&a, &others);
	assert_int_equal(atomic_load(&tally.end), 500);
	atomic_store(&tally.sent, 300);
	news = allowance_look(&a, noon);
	assert_int_equal(news.passed, 80);
	assert_int_equal(news.use.used, 300);
	assert_int_equal(news.sum.used, 900);
	others.used = 800;
	allowance_tell_elsewhere(&a, &others);
	assert_int_equal(allowance_admit(&a, true), END_QUOTA_REACHED);
	assert_int_equal(allowance_look(&a, noon).passed, 100);
	others.used = UINT64_MAX;
	allowance_tell_elsewhere(&a, &others);
	assert_int_equal(allowance_admit(&a, true), END_QUOTA_REACHED);
	allowance_show(&a, noon, &v);
	assert_int_equal(v.use.used, UINT64_MAX);
	assert_int_equal(v.use.extra, 100);
	/* Of the next day nobody has used anything yet. */
	allowance_show(&a, noon + 86400, &v);
	assert_int_equal(v.use.used, 0);
	(void)allowance_look(&a, noon + 86400);
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
}

static void a_quota_begins_anew_on_all_nodes(void **state)
{
	const struct elsewhere others = {.used = 5000, .extra = 10};

	(void)state;
	hold_to("quota=1kB/day", 0);
	allowance_tell_elsewhere(&a, &others);
	assert_int_equal(allowance_admit(&a, true), END_QUOTA_REACHED);
	assert_true(allowance_reset_quota(&a, noon));
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
	assert_int_equal(atomic_load(&tally.end), 1000);
}

static void sessions_elsewhere_take_places(void **state)
{
	const struct elsewhere many = {.sessions = UINT32_MAX}, two = {.sessions = 2};
	struct allowance_view v;

	(void)state;
	allowance_tell_elsewhere(&a, &many);
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
	hold_to("sessions=4", 0);
	assert_int_equal(allowance_admit(&a, true), END_TOO_MANY_SESSIONS);
	allowance_tell_elsewhere(&a, &two);
	assert_int_equal(allowance_admit(&a, true), END_REASONS);
	assert_int_equal(allowance_admit(&a, true), END_TOO_MANY_SESSIONS);
	allowance_show(&a, noon, &v);
	assert_int_equal(v.running, 2);
	assert_int_equal(v.running_elsewhere, 2);
}

#define allowance_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		allowance_test(sessions_have_a_bound_that_knows_of_those_before_it),
		allowance_test(a_used_up_quota_of_anonymous_slows_nobody_else),
		allowance_test(a_bound_of_anonymous_is_none_of_those_with_a_login),
		allowance_test(a_quota_is_told_at_80_and_100_per_cent_and_begins_anew),
		allowance_test(a_quota_can_grow_and_start_anew),
		allowance_test(a_quota_of_a_wrong_clock_begins_anew_when_it_is_reset),
		allowance_test(what_is_used_can_be_known_to_be_more),
		allowance_test(what_was_used_before_counts),
		allowance_test(a_used_up_quota_can_slow_down),
		allowance_test(what_is_shown_changes_nothing),
		allowance_test(what_is_used_elsewhere_is_used_of_the_quota),
		allowance_test(a_quota_begins_anew_on_all_nodes),
		allowance_test(sessions_elsewhere_take_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
