/* temporary: rules that come, are over, are taken back and come again at the next start. */
#include "server/temporary.h"

#include <string.h>
#include <time.h>

#include "../base/check.h"
#include "state/rules.h"

static time_t wall;

time_t __wrap_time(time_t *out);

time_t __wrap_time(time_t *out)
{
	if (out != NULL)
		*out = wall;
	return wall;
}

static int64_t set_by; /* seconds, since the process began */

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
	int result = __real_clock_gettime(clock, out);

	if (clock == CLOCK_REALTIME)
		out->tv_sec += set_by;
	return result;
}

static void set_wall(int64_t by)
{
	wall += by;
	set_by += by;
}

static struct services services;
static char error[CONFIG_ERROR_MAX];

static void read_configuration(void)
{
	struct config *c = config_read(&(struct config_source){.path = NULL}, error);

	assert_non_null(c);
	config_set_rules(c, rules_compile(&c->settings, NULL, false, error));
	assert_non_null(c->rules);
	services.config = config_store_new(c);
	assert_non_null(services.config);
}

static int make_services(void **state)
{
	(void)state;
	wall = 1752583239;
	services.standing = standing_new();
	read_configuration();
	return services.standing == NULL ? -1 : 0;
}

static int free_services(void **state)
{
	(void)state;
	config_store_free(services.config);
	standing_free(services.standing);
	return 0;
}

static unsigned add(const char *text, int64_t lasts)
{
	unsigned number = 0;

	if (temporary_add(&services, text, lasts, &number, error) < 0)
		fail_msg("%s: %s", text, error);
	return number;
}

/* The words of those in force, as "t2 t1", and what stands, as "1=... 2=...". */
static const char *in_force(void)
{
	static char text[256];
	struct config *c = config_get(services.config);

	text[0] = '\0';
	for (size_t i = 0; i < rules_count(c->rules); i++) {
		strcat(text, i == 0 ? "" : " ");
		strcat(text, rules_get(c->rules, i).word);
	}
	config_release(c);
	return text;
}

static const char *what_stands(void)
{
	static char text[1024];
	size_t count;
	struct standing_fact *facts = standing_list(services.standing, STANDING_RULE, &count);

	assert_non_null(facts);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s=%s",
			i == 0 ? "" : "; ", facts[i].key, facts[i].value);
	}
	free(facts);
	return text;
}

static void the_newest_is_the_first(void **state)
{
	(void)state;
	assert_int_equal(add("deny user alice", 60), 1);
	assert_int_equal(add("allow user alice", 90), 2);
	assert_string_equal(in_force(), "t2 t1");
	assert_string_equal(
		what_stands(), "1=1752583299 deny user alice; 2=1752583329 allow user alice");
}

static void what_is_over_goes_with_the_next_one(void **state)
{
	(void)state;
	add("deny user alice", 60);
	add("deny user bob", 90);
	wall += 60;
	assert_int_equal(add("deny user carl", 60), 3);
	assert_string_equal(in_force(), "t3 t2");
	assert_string_equal(
		what_stands(), "2=1752583329 deny user bob; 3=1752583359 deny user carl");
}

static void they_can_be_taken_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		add("deny user alice", 60);
	assert_int_equal(temporary_drop(&services, 2, error), 1);
	assert_int_equal(temporary_drop(&services, 2, error), 0);
	assert_string_equal(in_force(), "t3 t1");
	assert_int_equal(temporary_drop(&services, 0, error), 2);
	assert_string_equal(in_force(), "");
	assert_string_equal(what_stands(), "");
	assert_int_equal(temporary_drop(&services, 0, error), 0);
}

static void what_is_no_rule_changes_nothing(void **state)
{
	unsigned number;

	(void)state;
	add("deny user alice", 60);
	assert_int_equal(temporary_add(&services, "deny colour red", 60, &number, error), -1);
	assert_non_null(strstr(error, "\"colour\""));
	assert_string_equal(in_force(), "t1");
	assert_string_equal(what_stands(), "1=1752583299 deny user alice");
}

static void there_is_a_bound(void **state)
{
	unsigned number;

	(void)state;
	for (unsigned i = 0; i < TEMPORARY_MOST; i++)
		add("deny user alice", 60);
	assert_int_equal(temporary_add(&services, "deny user bob", 60, &number, error), -1);
	assert_string_equal(error, "There are 1000 temporary rules already");
	wall += 60;
	add("deny user bob", 60);
	assert_string_equal(in_force(), "t1001");
}

static void they_come_again_with_the_rest_of_their_time(void **state)
{
	(void)state;
	add("deny user alice", 60);
	add("deny user bob", 90);
	add("deny user carl", 90);
	assert_int_equal(standing_put(services.standing, STANDING_RULE, "7", "noise"), 0);
	assert_int_equal(
		standing_put(services.standing, STANDING_RULE, "8", "1752583999 deny from @gone"),
		0);
	config_store_free(services.config);
	read_configuration();
	wall += 70;
	temporary_restore(&services);
	assert_string_equal(in_force(), "t3 t2");
	assert_string_equal(
		what_stands(), "2=1752583329 deny user bob; 3=1752583329 deny user carl");
	assert_int_equal(add("deny user dora", 60), 4);
}

/* How many seconds are left to the newest rule; 0: it is over. */
static int64_t left(void)
{
	struct config *c = config_get(services.config);
	struct rule_tally tally = {.until = 0};
	size_t at = 0;

	assert_true(rules_next_tally(c, &at, wall, &tally));
	config_release(c);
	return tally.until == 0 ? 0 : tally.until - wall;
}

static void they_last_as_long_when_the_clock_is_set(void **state)
{
	static const int64_t steps[] = {86400, -2 * 86400, 3600, 86400 - 3600};

	(void)state;
	add("allow user alice", 3600);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		set_wall(steps[i]);
		wall += 60;
		assert_int_equal(left(), 3600 - 60 * (int64_t)(i + 1));
	}
	set_wall(-86400);
	add("deny user bob", 60);
	assert_string_equal(in_force(), "t2 t1");
	assert_int_equal(left(), 60);
	wall += 3600;
	assert_int_equal(left(), 0);
}

#define temporary_test(f) cmocka_unit_test_setup_teardown(f, make_services, free_services)

int main(void)
{
	const struct CMUnitTest tests[] = {
		temporary_test(the_newest_is_the_first),
		temporary_test(what_is_over_goes_with_the_next_one),
		temporary_test(they_can_be_taken_back),
		temporary_test(what_is_no_rule_changes_nothing),
		temporary_test(there_is_a_bound),
		temporary_test(they_come_again_with_the_rest_of_their_time),
		temporary_test(they_last_as_long_when_the_clock_is_set),
	};

	return cmocka_run_group_tests_name("server/temporary", tests, NULL, NULL);
}
