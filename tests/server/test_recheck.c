/* recheck: which live sessions the rules refuse by now, and when the job looks, on clocks that the
 * test moves. */
#include "server/recheck.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/check.h"
#include "../base/scratch.h"
#include "base/clock.h"
#include "state/rules.h"

#define TUESDAY 1752583239 /* 2025-07-15 12:40:39 */

static int64_t now;
static time_t wall;

int64_t __wrap_clock_ms(void);
time_t __wrap_time(time_t *out);

int64_t __wrap_clock_ms(void)
{
	return now;
}

time_t __wrap_time(time_t *out)
{
	if (out != NULL)
		*out = wall;
	return wall;
}

#define SLOTS 4

static bool lacks_memory;

struct session_ref *__wrap_registry_list(struct registry *r, size_t *count);
struct session_ref *__real_registry_list(struct registry *r, size_t *count);

struct session_ref *__wrap_registry_list(struct registry *r, size_t *count)
{
	return lacks_memory ? NULL : __real_registry_list(r, count);
}

static struct services services;
static struct recheck job;
static char error[CONFIG_ERROR_MAX];

static struct config *read_rules(const char *text)
{
	static struct config_source source = {.path = "conf", .is_reload = true};
	struct config *c;

	scratch_write("conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	config_set_rules(c, rules_compile(&c->settings, NULL, false, error));
	assert_non_null(c->rules);
	return c;
}

static void begin_with(const char *text)
{
	services.config = config_store_new(read_rules(text));
	assert_non_null(services.config);
	recheck_init(&job, &services);
}

static void change_to(const char *text)
{
	config_publish(services.config, read_rules(text));
}

static int make_services(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	now = 1000000;
	wall = TUESDAY;
	fdbudget_plan(&services.budget, 100, 10, 10);
	services.registry = registry_new(SLOTS);
	services.ledger = ledger_new(4, NULL);
	services.hashing = hashing_new(1);
	services.users = users_new(services.hashing, services.ledger, NULL);
	services.own = own_new();
	return services.users == NULL ? -1 : 0;
}

static int free_services(void **state)
{
	config_store_free(services.config);
	users_free(services.users);
	hashing_free(services.hashing);
	ledger_free(services.ledger);
	registry_free(services.registry);
	own_free(services.own);
	return scratch_leave(state);
}

static struct registry_slot *slot(size_t i)
{
	return registry_slot_at(services.registry, i);
}

static struct addr address(const char *text)
{
	struct addr a;
	bool has_port;

	assert_true(addr_parse_port(text, strlen(text), &a, &has_port));
	return a;
}

/* A session from 192.0.2.7, of that user (NULL: none), that was asked for this. */
static void begin_session(size_t i, const char *user, const char *command, const char *target)
{
	struct addr from = address("192.0.2.7:1000");

	registry_enter(slot(i), -1, &from);
	if (user != NULL)
		registry_set_user(slot(i), user, strlen(user));
	registry_set_request(slot(i), command, target);
	registry_set_phase(slot(i), PHASE_CONNECT);
}

static void connect_session(size_t i, const char *text)
{
	struct addr to = address(text);

	registry_set_target(slot(i), -1, &to);
	registry_set_phase(slot(i), PHASE_RELAY);
}

static bool was_ended(size_t i)
{
	char rule[REGISTRY_RULE_MAX] = "";
	bool was_told = registry_told_why(slot(i)) == END_RULE_CHANGED;

	registry_told_rule(slot(i), rule);
	assert_int_equal(rule[0] != '\0', was_told);
	return was_told;
}

static int64_t run(void)
{
	return job.job.run(job.job.context, now);
}

/* ---- who is refused ---- */

static void sessions_are_judged_by_all_that_was_asked(void **state)
{
	static const struct {
		const char *rule;
		bool refuses[4];
	} rows[] = {
		{"deny", {true, true, true, true}},
		{"deny user alice", {true, false, false, false}},
		{"deny user anonymous", {false, true, true, true}},
		{"deny from 192.0.2.0/24", {true, true, true, true}},
		{"deny from 192.0.3.0/24", {false, false, false, false}},
		{"deny to www.example.org", {true, false, false, false}},
		{"deny to 198.51.100.9", {true, true, false, false}},
		{"deny to literal", {false, true, true, false}},
		{"deny port 443", {true, false, false, false}},
		{"deny command udp", {false, false, false, true}},
		{"deny command bind", {false, false, true, false}},
	};

	(void)state;
	begin_with("");
	begin_session(0, "alice", "CONNECT", "www.example.org:443");
	connect_session(0, "198.51.100.9:443");
	begin_session(1, NULL, "CONNECT", "198.51.100.9:80");
	connect_session(1, "198.51.100.9:80");
	begin_session(2, NULL, "BIND", "203.0.113.9:21");
	connect_session(2, "203.0.113.9:21");
	begin_session(3, NULL, "UDP_ASSOCIATE", "0.0.0.0:0");
	registry_set_phase(slot(3), PHASE_UDP);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[128];
		size_t expected = 0;

		snprintf(text, sizeof(text), "rule = %s\n", rows[i].rule);
		change_to(text);
		for (size_t k = 0; k < SLOTS; k++)
			expected += rows[i].refuses[k];
		if (recheck_sessions(&services, RECHECK_ANY_RULE, false) != expected)
			fail_msg("%s: %zu are refused", rows[i].rule,
				recheck_sessions(&services, RECHECK_ANY_RULE, false));
		for (size_t k = 0; k < SLOTS; k++)
			assert_false(was_ended(k));
	}
}

static void those_refused_end_and_are_counted_once(void **state)
{
	(void)state;
	begin_with("");
	begin_session(0, "alice", "CONNECT", "192.0.2.9:80");
	connect_session(0, "192.0.2.9:80");
	begin_session(1, "bob", "CONNECT", "192.0.2.9:80");
	connect_session(1, "192.0.2.9:80");
	change_to("rule = deny user alice\n");
	assert_int_equal(recheck_sessions(&services, RECHECK_ANY_RULE, true), 1);
	assert_true(was_ended(0));
	assert_false(was_ended(1));
	assert_int_equal(recheck_sessions(&services, RECHECK_ANY_RULE, true), 0);
}

static void one_rule_alone_may_count(void **state)
{
	struct temporary_rule rule = {.text = "deny user bob", .number = 3, .until = TUESDAY + 60};
	struct config *c;

	(void)state;
	begin_with("");
	begin_session(0, "alice", "CONNECT", "192.0.2.9:80");
	connect_session(0, "192.0.2.9:80");
	begin_session(1, "bob", "CONNECT", "192.0.2.9:80");
	connect_session(1, "192.0.2.9:80");
	c = read_rules("rule = deny user alice\n");
	config_set_rules(c, rules_with_temporary(c->rules, &c->settings, &rule, 1, error));
	config_publish(services.config, c);
	assert_int_equal(recheck_sessions(&services, 3, true), 1);
	assert_false(was_ended(0));
	assert_true(was_ended(1));
	assert_int_equal(recheck_sessions(&services, 4, true), 0);
	assert_int_equal(recheck_sessions(&services, RECHECK_ANY_RULE, true), 1);
}

/* Whose request is not known will be judged by the rules there are then. */
static void who_has_not_asked_yet_is_left_alone(void **state)
{
	struct addr from = address("192.0.2.7:1000");

	(void)state;
	begin_with("rule = deny\n");
	registry_enter(slot(0), -1, &from);
	begin_session(1, NULL, "CMD-9", "-");
	assert_int_equal(recheck_sessions(&services, RECHECK_ANY_RULE, true), 0);
}

/* Whoever was refused may not have read the reply yet, which a reset would overtake. */
static void who_is_on_the_way_out_is_left_alone(void **state)
{
	(void)state;
	begin_with("rule = deny\n");
	begin_session(0, NULL, "CONNECT", "192.0.2.9:80");
	registry_set_phase(slot(0), PHASE_CLOSING);
	assert_int_equal(recheck_sessions(&services, RECHECK_ANY_RULE, false), 0);
	assert_int_equal(recheck_sessions(&services, RECHECK_ANY_RULE, true), 0);
	assert_false(was_ended(0));
	/* Nor is it waited for. */
	change_to("rule = allow\n");
	recheck_follow(&job, RECHECK_ANY_RULE);
	assert_int_equal(run(), CLOCK_NEVER);
}

/* Nor may he have been judged yet, whose request is known and who is to have an answer. */
static void who_connects_is_left_to_his_own_verdict(void **state)
{
	(void)state;
	begin_with("rule = deny\n");
	begin_session(0, NULL, "CONNECT", "192.0.2.9:80");
	registry_set_phase(slot(0), PHASE_REQUEST);
	begin_session(1, NULL, "CONNECT", "192.0.2.9:80");
	begin_session(2, NULL, "UDP_ASSOCIATE", "0.0.0.0:0");
	begin_session(3, NULL, "BIND", "192.0.2.9:21");
	registry_set_phase(slot(3), PHASE_REQUEST);
	assert_int_equal(recheck_sessions(&services, RECHECK_ANY_RULE, true), 0);
	for (size_t i = 0; i < SLOTS; i++)
		assert_false(was_ended(i));
	/* Those that the verdict of before lets in after all. */
	recheck_follow(&job, RECHECK_ANY_RULE);
	assert_int_equal(run(), now + 1000);
	connect_session(0, "192.0.2.9:80");
	registry_set_phase(slot(2), PHASE_UDP);
	registry_set_phase(slot(1), PHASE_CLOSING);
	registry_leave(slot(3));
	assert_int_equal(run(), CLOCK_NEVER);
	assert_true(was_ended(0));
	assert_false(was_ended(1));
	assert_true(was_ended(2));
}

/* They are live sessions, and would be refused. */
static void those_that_connect_are_counted_where_nothing_ends(void **state)
{
	(void)state;
	begin_with("rule = deny\n");
	begin_session(0, NULL, "CONNECT", "192.0.2.9:80");
	assert_int_equal(recheck_sessions(&services, RECHECK_ANY_RULE, false), 1);
}

/* It was judged before it listens, and may go on to for as long as `bind_timeout`. */
static void who_waits_for_a_peer_ends_at_once(void **state)
{
	(void)state;
	begin_with("rule = deny\n");
	begin_session(0, NULL, "BIND", "192.0.2.9:21");
	assert_int_equal(recheck_sessions(&services, RECHECK_ANY_RULE, true), 1);
	assert_true(was_ended(0));
}

/* ---- the job ---- */

static void a_session_ends_when_its_rule_loses_its_time(void **state)
{
	(void)state;
	begin_with("rule = allow time tue 12:00-12:41\notherwise = deny\n");
	begin_session(0, NULL, "CONNECT", "192.0.2.9:80");
	connect_session(0, "192.0.2.9:80");
	assert_int_equal(run(), now + 21000);
	assert_false(was_ended(0));
	wall += 20;
	assert_int_equal(run(), now + 1000);
	assert_false(was_ended(0));
	wall += 1;
	assert_int_equal(run(), now + 60000);
	assert_true(was_ended(0));
}

/* The clock is set to before the window. */
static void a_session_ends_when_the_clock_is_set_back_behind_its_rule(void **state)
{
	(void)state;
	begin_with("rule = allow time tue 12:00-12:41\notherwise = deny\n");
	begin_session(0, NULL, "CONNECT", "192.0.2.9:80");
	connect_session(0, "192.0.2.9:80");
	assert_int_equal(run(), now + 21000);
	wall -= 3600;
	run();
	assert_true(was_ended(0));
}

static void nothing_ends_at_a_border_where_that_is_not_wanted(void **state)
{
	(void)state;
	begin_with("rule = allow time tue 12:00-12:41\notherwise = deny\nrecheck = no\n");
	begin_session(0, NULL, "CONNECT", "192.0.2.9:80");
	connect_session(0, "192.0.2.9:80");
	run();
	wall += 21;
	run();
	assert_false(was_ended(0));
}

static void without_times_the_job_sleeps(void **state)
{
	(void)state;
	begin_with("rule = deny to .example.org\n");
	assert_int_equal(run(), CLOCK_NEVER);
}

/* Its address may have been judged before the border, and be connected to behind it. */
static void who_connects_at_the_border_is_looked_at_again(void **state)
{
	(void)state;
	begin_with("rule = deny to 192.0.2.9 time tue 12:41-13:00\n");
	begin_session(0, NULL, "CONNECT", "www.example.org:80");
	run();
	wall += 21;
	assert_int_equal(run(), now + 1000);
	assert_false(was_ended(0));
	/* Who comes later sees the rules as they are. */
	begin_session(1, NULL, "CONNECT", "www.example.org:80");
	connect_session(1, "192.0.2.9:80");
	connect_session(0, "192.0.2.9:80");
	wall += 1;
	assert_int_equal(run(), now + 60000);
	assert_true(was_ended(0));
	assert_false(was_ended(1));
}

static void who_asks_is_followed_whatever_is_rechecked(void **state)
{
	(void)state;
	begin_with("recheck = no\n");
	begin_session(0, NULL, "CONNECT", "www.example.org:80");
	change_to("recheck = no\nrule = deny to 192.0.2.9\n");
	recheck_follow(&job, RECHECK_ANY_RULE);
	assert_int_equal(run(), now + 1000);
	connect_session(0, "192.0.2.9:80");
	assert_int_equal(run(), CLOCK_NEVER);
	assert_true(was_ended(0));
}

static void deny_to_bob_and_alice(void)
{
	struct temporary_rule rules[] = {
		{.text = "deny user alice", .number = 4, .until = TUESDAY + 60},
		{.text = "deny user bob", .number = 3, .until = TUESDAY + 60}};
	struct config *c = read_rules("recheck = no\nrule = deny user carol\n");

	config_set_rules(c, rules_with_temporary(c->rules, &c->settings, rules, 2, error));
	config_publish(services.config, c);
}

/* Who connects when the first of two rules comes may still do so when the second has come. */
static void one_rule_behind_another_takes_nobody_from_it(void **state)
{
	static const char *const users[] = {"alice", "bob", "carol"};

	(void)state;
	begin_with("");
	for (size_t i = 0; i < COUNT(users); i++)
		begin_session(i, users[i], "CONNECT", "192.0.2.9:80");
	deny_to_bob_and_alice();
	recheck_follow(&job, 3);
	recheck_follow(&job, 4);
	assert_int_equal(run(), now + 1000);
	recheck_follow(&job, 4);
	assert_int_equal(run(), now + 1000);
	for (size_t i = 0; i < COUNT(users); i++)
		connect_session(i, "192.0.2.9:80");
	run();
	assert_true(was_ended(0));
	assert_true(was_ended(1));
	assert_false(was_ended(2));
	/* What was looked for then is not looked for ever after. */
	begin_session(1, "bob", "CONNECT", "192.0.2.9:80");
	connect_session(1, "192.0.2.9:80");
	recheck_follow(&job, 4);
	run();
	assert_false(was_ended(1));
}

/* A rule alone that came behind a RELOAD CUT takes from nobody what the rules of a later RELOAD
 * only say. */
static void any_rule_counts_for_those_of_its_time_only(void **state)
{
	(void)state;
	begin_with("recheck = no\n");
	begin_session(0, "alice", "CONNECT", "192.0.2.9:80");
	recheck_follow(&job, RECHECK_ANY_RULE);
	assert_int_equal(run(), now + 1000);
	begin_session(1, "carol", "CONNECT", "192.0.2.9:80");
	connect_session(1, "192.0.2.9:80");
	begin_session(2, "bob", "CONNECT", "192.0.2.9:80");
	deny_to_bob_and_alice(); /* and to carol, by the configuration */
	recheck_follow(&job, 3);
	assert_int_equal(run(), now + 1000);
	assert_false(was_ended(1));
	connect_session(0, "192.0.2.9:80");
	connect_session(2, "192.0.2.9:80");
	run();
	assert_true(was_ended(0));
	assert_false(was_ended(1));
	assert_true(was_ended(2));
}

static void without_memory_it_is_tried_again(void **state)
{
	(void)state;
	begin_with("");
	begin_session(0, "alice", "CONNECT", "192.0.2.9:80");
	connect_session(0, "192.0.2.9:80");
	change_to("rule = deny user alice\n");
	recheck_follow(&job, RECHECK_ANY_RULE);
	lacks_memory = true;
	assert_int_equal(run(), now + 1000);
	lacks_memory = false;
	assert_int_equal(run(), CLOCK_NEVER);
	assert_true(was_ended(0));
}

#define recheck_test(f) cmocka_unit_test_setup_teardown(f, make_services, free_services)

int main(void)
{
	const struct CMUnitTest tests[] = {
		recheck_test(sessions_are_judged_by_all_that_was_asked),
		recheck_test(those_refused_end_and_are_counted_once),
		recheck_test(one_rule_alone_may_count),
		recheck_test(who_has_not_asked_yet_is_left_alone),
		recheck_test(who_is_on_the_way_out_is_left_alone),
		recheck_test(who_connects_is_left_to_his_own_verdict),
		recheck_test(those_that_connect_are_counted_where_nothing_ends),
		recheck_test(who_waits_for_a_peer_ends_at_once),
		recheck_test(a_session_ends_when_its_rule_loses_its_time),
		recheck_test(a_session_ends_when_the_clock_is_set_back_behind_its_rule),
		recheck_test(nothing_ends_at_a_border_where_that_is_not_wanted),
		recheck_test(without_times_the_job_sleeps),
		recheck_test(who_connects_at_the_border_is_looked_at_again),
		recheck_test(any_rule_counts_for_those_of_its_time_only),
		recheck_test(without_memory_it_is_tried_again),
		recheck_test(who_asks_is_followed_whatever_is_rechecked),
		recheck_test(one_rule_behind_another_takes_nobody_from_it),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests_name("server/recheck", tests, NULL, NULL);
}
