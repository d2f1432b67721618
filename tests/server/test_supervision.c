/* supervision: what the service manager hears, in which order, and when it hears nothing. */
#include "server/supervision.h"

#include "../base/said.h"
#include "../base/scratch.h"
#include "base/clock.h"
#include "state/cluster.h"
#include "manager.h"

static int64_t now;

int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return now;
}

static struct services services;
static struct notify notify;
static struct supervision supervision;

/* With this watchdog, in ms. */
static int setup_with(void **state, const char *usec)
{
	struct config_source source = {.path = NULL};
	char error[CONFIG_ERROR_MAX], folder[80], name[128];

	if (scratch_enter(state) != 0 || getcwd(folder, sizeof(folder)) == NULL)
		return -1;
	now = 1000000;
	stats_init(&services.stats);
	services.registry = registry_new(2);
	services.config = config_store_new(config_read(&source, error));
	snprintf(name, sizeof(name), "%s/notify", folder);
	manager_open(name);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", usec, 1);
	return notify_open(&notify) < 0 ? -1 : supervision_init(&supervision, &notify, &services);
}

static int setup(void **state)
{
	return setup_with(state, "60000000");
}

static int setup_without_watchdog(void **state)
{
	return setup_with(state, "0");
}

static int teardown(void **state)
{
	supervision_destroy(&supervision);
	notify_close(&notify);
	manager_close();
	config_store_free(services.config);
	registry_free(services.registry);
	return scratch_leave(state);
}

/* The job, which wants to run again after so long. */
static int64_t run_after(int64_t ms)
{
	now += ms;
	return supervision.job.run(supervision.job.context, now) - now;
}

static void it_says_how_many_sessions_there_are_when_that_is_news(void **state)
{
	(void)state;
	supervision_ready(&supervision);
	manager_expect("READY=1\nSTATUS=0 sessions, 0 since the start");
	assert_int_equal(run_after(0), 10000);
	manager_expect_silence();
	stats_session_begins(&services.stats);
	run_after(10000);
	manager_expect("STATUS=1 session, 1 since the start");
	run_after(10000);
	manager_expect_silence();
}

static void how_it_shares_is_told_where_it_does(void **state)
{
	const struct cluster_beat other = {.node = "b", .instance = "x", .beat = 1};

	(void)state;
	services.cluster = cluster_new();
	assert_non_null(services.cluster);
	cluster_introduce(services.cluster, "a", "redis://h:1/0");
	supervision_ready(&supervision);
	manager_expect("READY=1\nSTATUS=0 sessions, 0 since the start; apart from other nodes");
	(void)cluster_note_up(services.cluster, now, 1);
	run_after(10000);
	manager_expect("STATUS=0 sessions, 0 since the start; 1 node online");
	assert_int_equal(cluster_note_beat(services.cluster, &other, now), 0);
	run_after(10000);
	manager_expect("STATUS=0 sessions, 0 since the start; 2 nodes online");
	(void)cluster_note_down(services.cluster, now, "Connection refused");
	run_after(10000);
	manager_expect("STATUS=0 sessions, 0 since the start; apart from other nodes: "
		       "Connection refused");
	cluster_free(services.cluster);
	services.cluster = NULL;
}

static void a_reload_is_told_with_its_time_and_its_end(void **state)
{
	struct timespec time;
	long long usec;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &time);
	supervision_reloads(&supervision);
	assert_true(manager_hears(0));
	assert_int_equal(sscanf(manager_text, "RELOADING=1\nMONOTONIC_USEC=%lld", &usec), 1);
	assert_true(usec >= time.tv_sec * 1000000LL);
	supervision_has_reloaded(&supervision, NULL);
	manager_expect("READY=1\nSTATUS=0 sessions, 0 since the start");
}

/* It stands there until one is done. */
static void a_refused_reload_says_why_in_one_line(void **state)
{
	char why[4000];

	(void)state;
	supervision_has_reloaded(&supervision, "a.conf:3: \"x\ny\xff\": no");
	manager_expect("READY=1\nSTATUS=0 sessions, 0 since the start; reload refused: a.conf:3: "
		       "\"x\\x0ay\\xff\": no");
	stats_session_begins(&services.stats);
	run_after(10000);
	manager_expect("STATUS=1 session, 1 since the start; reload refused: a.conf:3: "
		       "\"x\\x0ay\\xff\": no");
	memset(why, 'w', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	supervision_has_reloaded(&supervision, why);
	assert_true(manager_hears(0));
	assert_begins(
		manager_text, "READY=1\nSTATUS=1 session, 1 since the start; reload refused: w");
	assert_true(strlen(manager_text) < SUPERVISION_STATUS_MAX + 16);
	supervision_has_reloaded(&supervision, NULL);
	manager_expect("READY=1\nSTATUS=1 session, 1 since the start");
}

static void a_stop_says_what_is_left_and_asks_for_the_time(void **state)
{
	(void)state;
	stats_session_begins(&services.stats);
	stats_session_begins(&services.stats);
	supervision_stops(&supervision, now + 8000);
	manager_expect("STOPPING=1\nEXTEND_TIMEOUT_USEC=38000000\n"
		       "STATUS=stopping: 2 sessions may finish within 8 s");
	now += 2500;
	supervision_tell_status(&supervision);
	manager_expect("STATUS=stopping: 2 sessions may finish within 6 s");
	now += 20000;
	supervision_tell_status(&supervision);
	manager_expect("STATUS=stopping: 2 sessions may finish within 0 s");
}

static void without_a_watchdog_none_is_fed(void **state)
{
	(void)state;
	assert_int_equal(run_after(0), 10000);
	manager_expect("STATUS=0 sessions, 0 since the start");
	registry_turn(registry_slot_at(services.registry, 0));
	for (int i = 0; i < 100; i++)
		run_after(10000);
	manager_expect_silence();
}

/* How often it is fed follows what it waits for, 60 s here; a status is looked at more often. */
static void the_watchdog_is_fed_while_workers_get_on(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(run_after(10000), 10000);
		assert_true(manager_hears(0));
		if (i == 0) {
			assert_string_equal(manager_text, "WATCHDOG=1");
			assert_true(manager_hears(0));
		}
		manager_expect_silence();
	}
	notify.watchdog_ms = 3000;
	assert_int_equal(run_after(10000), 1000);
	manager_expect("WATCHDOG=1");
}

static void it_is_not_while_one_hangs(void **state)
{
	struct registry_slot *slot = registry_slot_at(services.registry, 1);

	(void)state;
	said_begin();
	run_after(0);
	manager_expect("WATCHDOG=1");
	manager_expect("STATUS=0 sessions, 0 since the start");
	registry_turn(slot); /* somebody comes */
	for (int i = 0; i < 10; i++) {
		run_after(10000); /* 30 s may pass, and 60 more */
		if (!manager_hears(MSG_DONTWAIT) || strcmp(manager_text, "WATCHDOG=1") != 0)
			break;
	}
	assert_string_equal(manager_text, "STATUS=1 worker hangs; 0 sessions, 0 since the start");
	for (int i = 0; i < 10; i++)
		run_after(10000);
	manager_expect_silence();
	registry_turn(slot); /* and is gone */
	run_after(10000);
	manager_expect("WATCHDOG=1");
	manager_expect("STATUS=0 sessions, 0 since the start");
	said_end();
	assert_contains(said, "level=error msg=\"1 worker hangs beyond all deadlines");
	assert_null(strstr(strstr(said, "hangs") + 1, "hangs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define supervision_test(f) cmocka_unit_test_setup_teardown(f, setup_without_watchdog, teardown)
#define watchdog_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		supervision_test(how_it_shares_is_told_where_it_does),
		supervision_test(it_says_how_many_sessions_there_are_when_that_is_news),
		supervision_test(a_reload_is_told_with_its_time_and_its_end),
		supervision_test(a_refused_reload_says_why_in_one_line),
		supervision_test(a_stop_says_what_is_left_and_asks_for_the_time),
		supervision_test(without_a_watchdog_none_is_fed),
		watchdog_test(the_watchdog_is_fed_while_workers_get_on),
		watchdog_test(it_is_not_while_one_hangs),
	};

	return cmocka_run_group_tests_name("server/supervision", tests, NULL, NULL);
}
