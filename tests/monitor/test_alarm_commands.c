/* alarm_commands: what ALARMS says of a server that is full, fails or is guessed at, and that it
 * says nothing of one that is well. */
#include "desk.h"

#include "monitor/alarm_commands.h"
#include "state/upstreams.h"

static int make_desk(void **state)
{
	if (setup(state) != 0)
		return -1;
	parts_time = PARTS_TIME;
	places_init(&parts.places, 100);
	parts.budget = (struct fdbudget){.spare = 16};
	enter_as_root();
	return 0;
}

static int free_desk(void **state)
{
	atomic_store(&parts.places.are_closed, false);
	parts.budget = (struct fdbudget){.spare = 0};
	return teardown(state);
}

static const char *alarms(void)
{
	say("ALARMS\n");
	return hear();
}

static void request(enum end_reason failure)
{
	struct addr from = parts_addr("192.0.2.1", 1000);
	struct access_record record = {.user = "alice",
		.user_len = 5,
		.client = &from,
		.target = "example.org:80",
		.failure = failure};

	access_log_add(parts.access_log, &record);
}

static void requests(unsigned count, enum end_reason failure)
{
	while (count-- > 0)
		request(failure);
}

static void a_server_that_is_well_has_no_alarms(void **state)
{
	(void)state;
	assert_string_equal(alarms(), "OK\n\n");
	requests(60, END_REASONS);
	requests(30, END_CONNECT_REFUSED);
	assert_string_equal(alarms(), "OK\n\n");
}

static void full_places_are_told(void **state)
{
	(void)state;
	for (int i = 0; i < 99; i++)
		places_take(&parts.places);
	assert_string_equal(alarms(),
		"OK\nalarm:places level:warning text:Of 100 workers all but the last few have a "
		"client; max_sessions allows more at the next start\n\n");
	places_take(&parts.places);
	assert_string_equal(alarms(),
		"OK\nalarm:saturated level:error text:All of the 100 workers have a client: who "
		"comes now has to wait; max_sessions allows more at the next start\n\n");
	places_close(&parts.places);
	assert_string_equal(alarms(),
		"OK\nalarm:draining level:error text:The server stops: nobody is let in any "
		"more\n\n");
}

static void spare_descriptors_that_are_used_up_are_told(void **state)
{
	(void)state;
	atomic_store(&parts.budget.spare_used, 16);
	assert_string_equal(alarms(),
		"OK\nalarm:descriptors level:warning text:All of the 16 spare descriptors are in "
		"use: UDP and BIND are refused, lookups and connections are slower; ulimit -n "
		"allows more\n\n");
}

static void requests_that_fail_one_after_the_other_are_told(void **state)
{
	(void)state;
	requests(ALARM_LEAST / 2, END_REASONS);
	requests(ALARM_LEAST / 2 - 1, END_NAME_FAILED);
	assert_string_equal(alarms(), "OK\n\n");
	requests(ALARM_LEAST, END_TARGET_DENIED); /* as it was told */
	assert_string_equal(alarms(), "OK\n\n");
	request(END_NAME_NOT_FOUND);
	assert_begins(alarms(),
		"OK\nalarm:failures level:error text:Of the newest 20 requests 10 failed, most of "
		"them by name_failed: ");
	/* What clients ask for is no fault of the line's. */
	requests(ALARM_LEAST, END_CONNECT_REFUSED);
	assert_begins(alarms(),
		"OK\nalarm:failures level:warning text:Of the newest 40 requests 30 failed, most "
		"of them by connect_refused: ");
	parts_time += ALARM_SECONDS + 1;
	assert_string_equal(alarms(), "OK\n\n");
}

static void an_upstream_that_rests_is_told(void **state)
{
	struct config_override line = {
		.setting = settings_find("upstream"), .value = "office socks5://192.0.2.9:1080"};
	struct config_source source = {.overrides = &line, .count = 1};
	char error[CONFIG_ERROR_MAX];
	struct config *config = config_read(&source, error);

	(void)state;
	if (config != NULL)
		config->upstreams = upstreams_compile(&config->settings, NULL, error);
	if (config == NULL || config->upstreams == NULL)
		fail_msg("%s", error);
	config_publish(parts.config, config);
	assert_string_equal(alarms(), "OK\n\n");
	config = config_get(parts.config);
	upstream_failed(&config->upstreams->servers[0], UPSTREAM_SILENT, parts_now);
	config_release(config);
	assert_string_equal(alarms(),
		"OK\nalarm:upstream level:error text:Upstream office (socks5://192.0.2.9:1080) "
		"does not work: silent; 1 failure\n\n");
}

/* So many wrong passwords, where the third bans. */
static void guess(uint64_t count)
{
	struct addr from = parts_addr("192.0.2.50", 1000);
	struct ban_rule rule = {.failures = 3, .within = 60000, .first = 60000, .longest = 60000};
	struct exempt_clients exempt = {.loopback = false};
	struct ban_info begun;

	for (uint64_t pair = 1; pair <= count; pair++)
		(void)bans_note_failure(parts.bans,
			&(struct ban_failure){
				.from = &from, .pair = pair, .rule = &rule, .exempt = &exempt},
			bans_now(), &begun);
}

static void bans_by_themselves_are_told_and_those_by_hand_are_not(void **state)
{
	(void)state;
	say("BAN 192.0.2.99\n");
	serve();
	errands_run(changer.errands);
	(void)hear();
	assert_string_equal(alarms(), "OK\n\n");
	guess(4);
	assert_string_equal(alarms(),
		"OK\nalarm:bans level:warning text:1 client is banned for wrong passwords: BANS "
		"tells which, UNBAN lets them in\n\n");
}

/* The last, since it stays so until the end of the process. */
static void lines_that_the_log_has_lost_are_told(void **state)
{
	(void)state;
	assert_int_equal(log_open("/dev/full"), 0);
	log_message(LOG_ERROR, "in vain");
	assert_int_equal(log_open("log"), 0);
	assert_string_equal(alarms(),
		"OK\nalarm:log level:warning text:1 line of the log could not be written since "
		"the start: is its disk full?\n\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_desk, free_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_that_is_well_has_no_alarms),
		TEST(full_places_are_told),
		TEST(spare_descriptors_that_are_used_up_are_told),
		TEST(requests_that_fail_one_after_the_other_are_told),
		TEST(an_upstream_that_rests_is_told),
		TEST(bans_by_themselves_are_told_and_those_by_hand_are_not),
		TEST(lines_that_the_log_has_lost_are_told),
	};

	return cmocka_run_group_tests_name("monitor/alarm_commands", tests, NULL, NULL);
}
