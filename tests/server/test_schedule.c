/* schedule: which jobs run when, on a clock that the test moves. */
#include "server/schedule.h"

#include <stdio.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "tmp.h"

static int64_t now;

int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return now;
}

/* A job that writes down when it ran. */
struct diary {
	struct job job;
	int64_t period; /* CLOCK_NEVER: it has nothing more to do */
	int64_t takes;
	size_t count;
	int64_t ran_at[8];
};

static int64_t write_down(void *context, int64_t at)
{
	struct diary *d = context;

	assert_true(d->count < COUNT(d->ran_at));
	d->ran_at[d->count++] = at;
	now += d->takes;
	return d->period == CLOCK_NEVER ? CLOCK_NEVER : at + d->period;
}

static struct diary *add(struct schedule *s, struct diary *d, int64_t period)
{
	*d = (struct diary){
		.period = period, .job = {.name = "test", .run = write_down, .context = d}};
	schedule_add(s, &d->job);
	return d;
}

static void expect_diary(const struct diary *d, size_t count, const int64_t *times)
{
	assert_int_equal(d->count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(d->ran_at[i], times[i]);
}

static void without_jobs_nothing_is_ever_due(void **state)
{
	struct schedule s = {0};

	(void)state;
	assert_true(schedule_run(&s, 1000) == CLOCK_NEVER);
	schedule_hurry(&s);
	assert_true(schedule_run(&s, 1000) == CLOCK_NEVER);
}

static void each_job_runs_at_first_and_then_in_its_own_time(void **state)
{
	struct schedule s = {0};
	struct diary often, rarely, once;

	(void)state;
	add(&s, &often, 100);
	add(&s, &rarely, 250);
	add(&s, &once, CLOCK_NEVER);
	assert_int_equal(schedule_run(&s, 1000), 1100);
	assert_int_equal(schedule_run(&s, 1099), 1100);
	assert_int_equal(schedule_run(&s, 1100), 1200);
	assert_int_equal(schedule_run(&s, 1200), 1250);
	assert_int_equal(schedule_run(&s, 1250), 1300);
	expect_diary(&often, 3, (const int64_t[]){1000, 1100, 1200});
	expect_diary(&rarely, 2, (const int64_t[]){1000, 1250});
	expect_diary(&once, 1, (const int64_t[]){1000});
}

static void a_job_that_is_late_runs_once(void **state)
{
	struct schedule s = {0};
	struct diary d;

	(void)state;
	add(&s, &d, 100);
	schedule_run(&s, 0);
	assert_int_equal(schedule_run(&s, 1000), 1100);
	expect_diary(&d, 2, (const int64_t[]){0, 1000});
}

static void a_job_that_is_always_due_holds_up_no_other(void **state)
{
	struct schedule s = {0};
	struct diary others[2], hasty;

	(void)state;
	add(&s, &others[0], 1000);
	add(&s, &hasty, 0);
	add(&s, &others[1], 1000);
	assert_int_equal(schedule_run(&s, 5), 5);
	expect_diary(&others[0], 1, (const int64_t[]){5});
	expect_diary(&hasty, 1, (const int64_t[]){5});
	expect_diary(&others[1], 1, (const int64_t[]){5});
}

static void in_a_hurry_all_run_and_then_as_they_say(void **state)
{
	struct schedule s = {0};
	struct diary d, once;

	(void)state;
	add(&s, &d, 100);
	add(&s, &once, CLOCK_NEVER);
	schedule_run(&s, 0);
	schedule_hurry(&s);
	assert_int_equal(schedule_run(&s, 10), 110);
	expect_diary(&d, 2, (const int64_t[]){0, 10});
	expect_diary(&once, 2, (const int64_t[]){0, 10});
}

static size_t read_log(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, size - 1, f);
	text[len] = '\0';
	fclose(f);
	return len;
}

static void a_job_that_takes_long_is_named_in_the_log(void **state)
{
	char path[TMP_MAX_PATH], text[1024];
	struct schedule s = {0};
	struct diary d;

	(void)state;
	assert_int_equal(close(mkstemp(tmp_template(path, "test_schedule"))), 0);
	assert_int_equal(log_open(path), 0);
	add(&s, &d, 100)->takes = 999;
	schedule_run(&s, now);
	assert_int_equal(read_log(path, text, sizeof(text)), 0);
	d.takes = 1000;
	schedule_run(&s, now);
	read_log(path, text, sizeof(text));
	assert_contains(text, "took 1000 ms");
	log_close();
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_jobs_nothing_is_ever_due),
		cmocka_unit_test(each_job_runs_at_first_and_then_in_its_own_time),
		cmocka_unit_test(a_job_that_is_late_runs_once),
		cmocka_unit_test(a_job_that_is_always_due_holds_up_no_other),
		cmocka_unit_test(in_a_hurry_all_run_and_then_as_they_say),
		cmocka_unit_test(a_job_that_takes_long_is_named_in_the_log),
	};

	return cmocka_run_group_tests_name("server/schedule", tests, NULL, NULL);
}
