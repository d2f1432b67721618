/* limiting: when the job looks again, and whose sessions it ends. What else it does is in
 * daemon/test_limits.c. */
#include "server/limiting.h"

#include "../base/check.h"
#include "../base/scratch.h"
#include "base/clock.h"
#include "state/ledger_limits.h"

void __wrap_janitor_call(struct janitor *j, struct job *called);

void __wrap_janitor_call(struct janitor *j, struct job *called)
{
	(void)j;
	(void)called;
}

#define SLOTS (PHASE_CLOSING + 1)

static struct services services;
static struct limiting job;

static void take_in(const char *text)
{
	static struct config_source source = {.path = "conf", .is_reload = true};
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	scratch_write("conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	assert_int_equal(limit_book_read(services.limits, c, services.standing), 0);
	assert_int_equal(ledger_limit_clients(services.ledger), 0);
	config_release(c);
}

static void begin(const char *text)
{
	services = (struct services){.ledger = ledger_new(1, NULL),
		.limits = limit_book_new(),
		.standing = standing_new(),
		.registry = registry_new(SLOTS)};
	ledger_follow(services.ledger, services.limits, services.standing);
	limiting_init(&job, &services, NULL, NULL);
	take_in(text);
}

static int64_t run(void)
{
	return job.job.run(job.job.context, 1000);
}

static void end(void)
{
	registry_free(services.registry);
	ledger_free(services.ledger);
	limit_book_free(services.limits);
	standing_free(services.standing);
}

/* When the job looks again that looks at 1000, by these settings, while there is nobody yet. */
static int64_t look_by(const char *text)
{
	int64_t next;

	begin(text);
	next = run();
	end();
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

/* ---- whose sessions end ---- */

static struct registry_slot *slot(size_t i)
{
	return registry_slot_at(services.registry, i);
}

/* A session in each phase. */
static struct ledger_entry *begin_sessions(void)
{
	struct addr from = {.in = {.sin_family = AF_INET, .sin_addr = {htonl(0xC0000207)}}};
	size_t running;
	struct ledger_entry *client = ledger_join_client(services.ledger, &from, 1000, &running);

	assert_non_null(client);
	for (size_t i = 0; i < SLOTS; i++) {
		registry_enter(slot(i), -1, &from);
		traffic_share(registry_traffic(slot(i)), ledger_tally(client));
		registry_set_phase(slot(i), (enum session_phase)i);
	}
	return client;
}

/* From CONNECT on, but for the one that is on its way out. */
static void expect_ended_from_connect(enum end_reason why)
{
	for (size_t i = 0; i < SLOTS; i++) {
		bool ends = i >= PHASE_CONNECT && i < PHASE_CLOSING;

		assert_int_equal(registry_told_why(slot(i)), ends ? why : END_REASONS);
	}
}

/* Who has not been admitted yet is told so by a reply, which a reset would overtake. */
static void a_used_up_quota_ends_those_that_were_admitted(void **state)
{
	struct ledger_entry *client;

	(void)state;
	begin("client_limits = 192.0.2.7 quota=1MB/day\n");
	client = begin_sessions();
	traffic_count(registry_traffic(slot(PHASE_RELAY)), TRAFFIC_SENT, 1000000);
	assert_int_equal(ledger_admit(client, NULL), END_QUOTA_REACHED);
	run();
	expect_ended_from_connect(END_QUOTA_REACHED);
	ledger_leave(client, 1000);
	end();
}

static void a_used_up_quota_of_anonymous_ends_nobody_who_logged_in(void **state)
{
	struct ledger_entry *client;

	(void)state;
	begin("anonymous_defaults = quota=1MB/day\n");
	client = begin_sessions();
	registry_set_user(slot(PHASE_UDP), "alice", 5);
	traffic_count(registry_traffic(slot(PHASE_RELAY)), TRAFFIC_SENT, 1000000);
	run();
	assert_int_equal(registry_told_why(slot(PHASE_UDP)), END_REASONS);
	registry_set_user(slot(PHASE_UDP), "", 0);
	run();
	expect_ended_from_connect(END_QUOTA_REACHED);
	ledger_leave(client, 1000);
	end();
}

/* Who was admitted just before, and has not got on, is seen the next time. */
static void who_is_kept_out_is_looked_for_until_all_have_ended(void **state)
{
	struct ledger_entry *client;

	(void)state;
	begin("");
	client = begin_sessions();
	assert_int_equal(standing_put(services.standing, STANDING_DISABLED, "192.0.2.7", "yes"), 0);
	take_in("");
	assert_int_equal(ledger_admit(client, NULL), END_DISABLED);
	assert_int_equal(run(), 4000);
	expect_ended_from_connect(END_DISABLED);
	registry_set_phase(slot(PHASE_REQUEST), PHASE_CONNECT);
	assert_int_equal(run(), 4000);
	assert_int_equal(registry_told_why(slot(PHASE_REQUEST)), END_DISABLED);
	ledger_leave(client, 1000);
	assert_true(run() == CLOCK_NEVER);
	end();
}

/* What becomes of a session while its user is asked for; then he is disabled. */
static void (*meanwhile)(void);

enum login_result __wrap_users_bar(
	struct users *u, const char *name, size_t len, const struct addr *client);

enum login_result __wrap_users_bar(
	struct users *u, const char *name, size_t len, const struct addr *client)
{
	(void)u;
	(void)name;
	(void)len;
	(void)client;
	meanwhile();
	return LOGIN_DISABLED;
}

static void nothing_happens(void)
{
}

static void it_begins_to_close(void)
{
	registry_set_phase(slot(PHASE_RELAY), PHASE_CLOSING);
}

static void it_is_told_to_end(void)
{
	assert_true(registry_end(services.registry, PHASE_RELAY + 1, END_KILLED));
}

static void who_has_begun_to_close_is_not_ended_as_barred(void **state)
{
	static const struct {
		void (*meanwhile)(void);
		enum end_reason why;
	} rows[] = {
		{nothing_happens, END_DISABLED},
		{it_begins_to_close, END_REASONS},
		{it_is_told_to_end, END_KILLED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ledger_entry *client;

		begin("");
		client = begin_sessions();
		registry_set_user(slot(PHASE_RELAY), "alice", 5);
		meanwhile = rows[i].meanwhile;
		limiting_look(&job);
		run();
		assert_int_equal(registry_told_why(slot(PHASE_RELAY)), rows[i].why);
		ledger_leave(client, 1000);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			it_sleeps_while_nobody_can_have_a_quota, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(it_stays_awake_while_somebody_may_come_with_a_quota,
			scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(a_used_up_quota_ends_those_that_were_admitted,
			scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
			a_used_up_quota_of_anonymous_ends_nobody_who_logged_in, scratch_enter,
			scratch_leave),
		cmocka_unit_test_setup_teardown(who_has_begun_to_close_is_not_ended_as_barred,
			scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(who_is_kept_out_is_looked_for_until_all_have_ended,
			scratch_enter, scratch_leave),
	};

	return cmocka_run_group_tests_name("server/limiting", tests, NULL, NULL);
}
