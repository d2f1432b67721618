/* grace: for how long the others were not heard, by two clocks, of which one is set. */
#include "state/grace.h"

#include <stdio.h>

#include "../base/check.h"

#define NOON INT64_C(1795694400)
#define HOUR INT64_C(3600)
#define HOUR_MS (HOUR * 1000)

static struct standing *standing;
static struct grace g;
static struct grace_time now;

static int begin(void **state)
{
	(void)state;
	standing = standing_new();
	now = (struct grace_time){.ms = 5000, .wall = NOON};
	grace_begin(&g, standing, now);
	return standing == NULL ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	standing_free(standing);
	return 0;
}

static void go_on(int64_t ms)
{
	now.ms += ms;
	now.wall += ms / 1000;
}

/* The server dies, is away for so long, and begins to count from another time. */
static void restart_after(int64_t ms)
{
	now.wall += ms / 1000;
	now.ms = 77;
	grace_begin(&g, standing, now);
}

static void assert_apart(int64_t ms)
{
	assert_int_equal(grace_apart(&g, now), ms);
}

static void compare(void *context, const char *value)
{
	assert_string_equal(value, (const char *)context);
}

static void assert_kept(const char *expected)
{
	char text[64];

	snprintf(text, sizeof(text), "%s", expected);
	assert_true(standing_read(standing, STANDING_SHARED, "heard", compare, text));
}

static void it_counts_from_when_they_were_heard_last(void **state)
{
	(void)state;
	assert_apart(0);
	assert_kept("1795694400 0");
	go_on(3 * HOUR_MS);
	assert_apart(3 * HOUR_MS);
	grace_note_heard(&g, now);
	assert_apart(0);
	go_on(1500);
	assert_apart(1500);
}

static void it_is_kept_every_so_often(void **state)
{
	(void)state;
	go_on(59999);
	assert_false(grace_keep(&g, now, 60000));
	assert_kept("1795694400 0");
	go_on(1);
	assert_true(grace_keep(&g, now, 60000));
	assert_kept("1795694459 60");
	go_on(59000);
	assert_false(grace_keep(&g, now, 60000));
	grace_note_heard(&g, now);
	assert_true(grace_keep(&g, now, 0));
	assert_kept("1795694518 0");
}

static void it_goes_on_over_restarts(void **state)
{
	(void)state;
	grace_note_heard(&g, now);
	go_on(HOUR_MS);
	assert_true(grace_keep(&g, now, 60000));
	restart_after(2 * HOUR_MS);
	assert_apart(3 * HOUR_MS);
	go_on(HOUR_MS);
	assert_apart(4 * HOUR_MS);
	/* What stood from before is what counts, as long as nobody was heard. */
	assert_true(grace_keep(&g, now, 60000));
	go_on(HOUR_MS);
	assert_apart(5 * HOUR_MS);
	restart_after(0);
	assert_apart(5 * HOUR_MS);
	grace_note_heard(&g, now);
	assert_apart(0);
}

static void while_they_are_heard_no_clock_that_is_set_counts(void **state)
{
	(void)state;
	grace_note_heard(&g, now);
	now.wall += 48 * HOUR;
	assert_apart(0);
	now.wall -= 96 * HOUR;
	go_on(1000);
	assert_apart(1000);
}

/* A host without a clock of its own begins each time at the same hour. */
static void a_clock_that_is_set_back_does_not_begin_it_anew(void **state)
{
	(void)state;
	grace_note_heard(&g, now);
	for (int i = 1; i <= 5; i++) {
		now.wall = NOON;
		restart_after(0);
		go_on(HOUR_MS);
		assert_apart(i * HOUR_MS);
		assert_true(grace_keep(&g, now, 60000));
	}
	now.wall -= 48 * HOUR;
	assert_apart(5 * HOUR_MS);
	restart_after(0);
	assert_apart(5 * HOUR_MS);
}

/* It was ahead at the start, and is right now; or the other way round. */
static void a_clock_that_is_set_right_is_believed(void **state)
{
	(void)state;
	restart_after(30 * HOUR_MS);
	assert_apart(30 * HOUR_MS);
	now.wall -= 29 * HOUR;
	assert_apart(HOUR_MS);
	now.wall -= 5 * HOUR;
	go_on(2000);
	assert_apart(2000);
	now.wall = NOON + 10 * HOUR;
	assert_apart(10 * HOUR_MS);
}

static void what_cannot_be_read_counts_as_heard_just_now(void **state)
{
	static const char *const values[] = {"", "soon", "5", "5 x", "-5 1", "1 99999999999999999",
		"1 99999999999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(standing_put(standing, STANDING_SHARED, "heard", values[i]), 0);
		grace_begin(&g, standing, now);
		assert_apart(0);
	}
}

#define grace_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		grace_test(it_counts_from_when_they_were_heard_last),
		grace_test(it_is_kept_every_so_often),
		grace_test(it_goes_on_over_restarts),
		grace_test(while_they_are_heard_no_clock_that_is_set_counts),
		grace_test(a_clock_that_is_set_back_does_not_begin_it_anew),
		grace_test(a_clock_that_is_set_right_is_believed),
		grace_test(what_cannot_be_read_counts_as_heard_just_now),
	};

	return cmocka_run_group_tests_name("state/grace", tests, NULL, NULL);
}
