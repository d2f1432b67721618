/* sharing_grace: users whom nodes share may log in while the engine is away, for as long as the
 * configuration says, by clocks that the test moves. */
#include "server/sharing_parts.h"

#include <time.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/config.h"

#define HOUR_MS INT64_C(3600000)

static int64_t now_ms;
static time_t now_s;

int64_t __wrap_clock_ms(void);
time_t __wrap_time(time_t *out);

int64_t __wrap_clock_ms(void)
{
	return now_ms;
}

time_t __wrap_time(time_t *out)
{
	if (out != NULL)
		*out = now_s;
	return now_s;
}

static struct services services;
static struct sharing s;

static void start(void)
{
	s = (struct sharing){.services = &services, .cluster = services.cluster};
	services.shared_users = shared_users_new(services.standing, "n1");
	assert_non_null(services.shared_users);
	sharing_begin_grace(&s);
}

static void restart_after(int64_t ms)
{
	shared_users_free(services.shared_users);
	now_ms = 1234;
	now_s += ms / 1000;
	start();
}

static int set_up(void **state)
{
	char error[CONFIG_ERROR_MAX];

	if (scratch_enter(state) != 0 || log_open("log") < 0)
		return -1;
	now_ms = 1000000;
	now_s = 1795694400;
	services.standing = standing_new();
	services.cluster = cluster_new();
	services.config =
		config_store_new(config_read(&(struct config_source){.path = NULL}, error));
	start();
	return 0;
}

static int tear_down(void **state)
{
	config_store_free(services.config);
	cluster_free(services.cluster);
	shared_users_free(services.shared_users);
	standing_free(services.standing);
	memset(&services, 0, sizeof(services));
	log_close();
	return scratch_leave(state);
}

static void go_on(int64_t ms)
{
	now_ms += ms;
	now_s += ms / 1000;
}

static int64_t grace_in_status(void)
{
	struct cluster_status status;

	cluster_look(s.cluster, now_ms, &status);
	return status.grace_ms;
}

/* How many lines of the log have it. */
static size_t logged(const char *text)
{
	char *log = scratch_read("log");
	size_t count = 0;

	for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
		count++;
	free(log);
	return count;
}

static void set_grace(int64_t ms)
{
	struct config *c = config_get(services.config);

	c->settings.shared_grace = ms;
	config_release(c);
}

static void they_may_log_in_for_a_day(void **state)
{
	(void)state;
	sharing_note_heard(&s);
	assert_int_equal(grace_in_status(), -1);
	go_on(2000);
	assert_int_equal(sharing_note_missed(&s), 24 * HOUR_MS - 2000);
	assert_int_equal(grace_in_status(), 24 * HOUR_MS - 2000);
	go_on(24 * HOUR_MS - 2001);
	assert_int_equal(sharing_note_missed(&s), 1);
	assert_true(shared_users_are_valid(services.shared_users));
	for (int i = 0; i < 3; i++) {
		go_on(1);
		assert_int_equal(sharing_note_missed(&s), 0);
		assert_int_equal(grace_in_status(), 0);
		assert_false(shared_users_are_valid(services.shared_users));
	}
	assert_int_equal(logged("users whom nodes share are refused until they are"), 1);
	assert_int_equal(logged("not heard for 86400 s"), 1);
	for (int i = 0; i < 3; i++)
		sharing_note_heard(&s);
	assert_int_equal(grace_in_status(), -1);
	assert_true(shared_users_are_valid(services.shared_users));
	assert_int_equal(logged("users whom nodes share may log in again"), 1);
}

/* Until the first attempt has failed nobody knows that the engine is away. */
static void a_start_goes_on_with_it(void **state)
{
	(void)state;
	sharing_note_heard(&s);
	go_on(3 * HOUR_MS);
	assert_int_equal(sharing_note_missed(&s), 21 * HOUR_MS);
	sharing_end_grace(&s);
	restart_after(20 * HOUR_MS);
	assert_int_equal(sharing_note_missed(&s), HOUR_MS);
	restart_after(HOUR_MS);
	assert_true(shared_users_are_valid(services.shared_users));
	assert_int_equal(sharing_note_missed(&s), 0);
	assert_false(shared_users_are_valid(services.shared_users));
	sharing_note_heard(&s);
	sharing_end_grace(&s);
	restart_after(HOUR_MS);
	assert_int_equal(sharing_note_missed(&s), 23 * HOUR_MS);
}

static void no_clock_that_is_set_ends_it_or_keeps_it_from_its_end(void **state)
{
	(void)state;
	sharing_note_heard(&s);
	now_s += 48 * 3600;
	assert_int_equal(sharing_note_missed(&s), 24 * HOUR_MS);
	now_s -= 96 * 3600;
	go_on(24 * HOUR_MS);
	assert_int_equal(sharing_note_missed(&s), 0);
	sharing_end_grace(&s);
	now_s -= 24 * 3600;
	restart_after(0);
	assert_int_equal(sharing_note_missed(&s), 0);
}

/* Each time the keeper is called, and no oftener than that is worth. */
static void it_is_kept_once_a_minute(void **state)
{
	int kept = 0;

	(void)state;
	sharing_note_heard(&s);
	for (int i = 0; i < 600; i++) {
		s.has_news = false;
		go_on(1000);
		if (i % 2 == 0)
			sharing_note_heard(&s);
		else
			(void)sharing_note_missed(&s);
		kept += s.has_news;
	}
	assert_int_equal(kept, 10);
	set_grace(30000);
	for (int i = 0; i < 10; i++) {
		s.has_news = false;
		go_on(1000);
		sharing_note_heard(&s);
		assert_true(s.has_news);
	}
}

static void another_time_holds_at_once(void **state)
{
	(void)state;
	sharing_note_heard(&s);
	go_on(HOUR_MS);
	set_grace(HOUR_MS);
	assert_int_equal(sharing_note_missed(&s), 0);
	set_grace(HOUR_MS + 1);
	assert_int_equal(sharing_note_missed(&s), 1);
	assert_true(shared_users_are_valid(services.shared_users));
	set_grace(0);
	sharing_note_heard(&s);
	assert_true(shared_users_are_valid(services.shared_users));
	assert_int_equal(sharing_note_missed(&s), 0);
}

static void where_no_users_are_shared_it_is_nobody_s_concern(void **state)
{
	(void)state;
	shared_users_free(services.shared_users);
	services.shared_users = NULL;
	sharing_begin_grace(&s);
	sharing_note_heard(&s);
	go_on(99 * HOUR_MS);
	assert_int_equal(sharing_note_missed(&s), -1);
	sharing_end_grace(&s);
	assert_int_equal(grace_in_status(), -1);
	assert_false(s.has_news);
}

#define grace_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		grace_test(they_may_log_in_for_a_day),
		grace_test(a_start_goes_on_with_it),
		grace_test(no_clock_that_is_set_ends_it_or_keeps_it_from_its_end),
		grace_test(it_is_kept_once_a_minute),
		grace_test(another_time_holds_at_once),
		grace_test(where_no_users_are_shared_it_is_nobody_s_concern),
	};

	return cmocka_run_group_tests_name("server/sharing_grace", tests, NULL, NULL);
}
