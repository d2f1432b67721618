/* pulse: which workers hang, and which only take their time. */
#include "server/pulse.h"

#include "../base/check.h"
#include "base/clock.h"

#define GRACE 60000
#define BEGIN 1000000
#define HANDSHAKE 15000

static struct registry *registry;
static struct pulse pulse;
static struct settings settings;

static int setup(void **state)
{
	(void)state;
	registry = registry_new(3);
	settings.handshake_timeout = HANDSHAKE;
	settings.connect_timeout = 30000;
	settings.bind_timeout = 120000;
	settings.timeout = 3600000;
	settings.half_close_timeout = 600000;
	settings.udp_timeout = 90000;
	return registry == NULL ? -1 : pulse_init(&pulse, registry, GRACE);
}

static int teardown(void **state)
{
	(void)state;
	pulse_destroy(&pulse);
	registry_free(registry);
	return 0;
}

static struct registry_slot *slot(void)
{
	return registry_slot_at(registry, 1);
}

/* A client comes, and is served until it is at that. */
static void begin(enum session_phase phase)
{
	registry_turn(slot());
	registry_set_phase(slot(), phase);
}

static size_t look(int64_t at)
{
	return pulse_count_hanging(&pulse, &settings, BEGIN + at);
}

static void idle_workers_may_wait_for_ever(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 100; day++)
		assert_int_equal(look(day * 86400000), 0);
	begin(PHASE_RELAY);
	registry_turn(slot()); /* done */
	for (int64_t day = 100; day < 200; day++)
		assert_int_equal(look(day * 86400000), 0);
}

/* What it may take beside the handshake's time once more, for an answer. */
static void each_phase_has_its_time_and_then_the_grace(void **state)
{
	static const struct {
		enum session_phase phase;
		int64_t lasts;
	} rows[] = {{PHASE_GREETING, HANDSHAKE}, {PHASE_LOGIN, HANDSHAKE},
		{PHASE_REQUEST, HANDSHAKE}, {PHASE_CONNECT, 30000 + HANDSHAKE + 120000},
		{PHASE_RELAY, 3600000}, {PHASE_UDP, 90000 + 30000}, {PHASE_CLOSING, HANDSHAKE}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t due = rows[i].lasts + HANDSHAKE;

		pulse_destroy(&pulse);
		assert_int_equal(pulse_init(&pulse, registry, GRACE), 0);
		begin(rows[i].phase);
		assert_int_equal(look(0), 0);
		assert_int_equal(look(due - 1), 0);
		assert_int_equal(look(due), 0);
		assert_int_equal(look(due + GRACE - 1), 0);
		assert_int_equal(look(due + GRACE), 1);
		registry_turn(slot());
		assert_int_equal(look(due + GRACE), 0);
	}
}

/* Nobody had the time to notice. */
static void a_process_that_was_halted_is_given_the_time_to_go_on(void **state)
{
	(void)state;
	begin(PHASE_GREETING);
	assert_int_equal(look(0), 0);
	assert_int_equal(look(86400000), 0);
	registry_turn(slot());
	begin(PHASE_GREETING);
	assert_int_equal(look(86400000 + GRACE), 0);
}

static void whoever_gets_on_does_not_hang(void **state)
{
	(void)state;
	registry_turn(slot());
	for (int64_t at = 0; at < 20 * 86400000LL; at += 100000) {
		registry_set_phase(slot(),
			(enum session_phase)(PHASE_GREETING + (at / 100000) % (PHASE_CLOSING + 1)));
		assert_int_equal(look(at), 0);
	}
}

static void a_relay_may_go_on_as_long_as_bytes_move(void **state)
{
	int64_t at = 0;

	(void)state;
	begin(PHASE_RELAY);
	for (; at < 50 * 3600000LL; at += 1800000) {
		traffic_active(registry_traffic(slot()), BEGIN + at);
		assert_int_equal(look(at + 1000), 0);
	}
	assert_int_equal(look(at + 3600000 + HANDSHAKE), 0);
	assert_int_equal(look(at + 3600000 + HANDSHAKE + GRACE), 1);
}

/* Live sessions follow idle times; of the others each keeps that it began with. */
static void lowered_times_hold_for_those_who_follow_them(void **state)
{
	(void)state;
	begin(PHASE_RELAY);
	assert_int_equal(look(0), 0);
	settings.timeout = settings.half_close_timeout = 1000;
	assert_int_equal(look(3000000), 0);
	assert_int_equal(look(3000000 + GRACE), 1);
	registry_turn(slot());
	begin(PHASE_CONNECT);
	assert_int_equal(look(4000000), 0);
	settings.bind_timeout = settings.connect_timeout = settings.handshake_timeout = 1000;
	assert_int_equal(look(4000000 + 150000), 0);
	assert_int_equal(look(4000000 + 150000 + 2 * HANDSHAKE), 0);
	assert_int_equal(look(4000000 + 150000 + 2 * HANDSHAKE + GRACE), 1);
}

/* It looks at udp_timeout when it wakes, and nobody wakes it. */
static void an_association_may_sleep_for_as_long_as_it_began_to(void **state)
{
	(void)state;
	settings.udp_timeout = 3600000;
	begin(PHASE_UDP);
	assert_int_equal(look(0), 0);
	settings.udp_timeout = 300000;
	for (int64_t at = 0; at <= 3600000; at += GRACE / 3)
		assert_int_equal(look(at), 0);
	registry_turn(slot());
	assert_int_equal(look(3600000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define pulse_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		pulse_test(idle_workers_may_wait_for_ever),
		pulse_test(each_phase_has_its_time_and_then_the_grace),
		pulse_test(a_process_that_was_halted_is_given_the_time_to_go_on),
		pulse_test(whoever_gets_on_does_not_hang),
		pulse_test(a_relay_may_go_on_as_long_as_bytes_move),
		pulse_test(lowered_times_hold_for_those_who_follow_them),
		pulse_test(an_association_may_sleep_for_as_long_as_it_began_to),
	};

	return cmocka_run_group_tests_name("server/pulse", tests, NULL, NULL);
}
