/* helper_groups: that a helper is asked about those groups of users of which something is said. */
#include "server/helper_groups.h"

#include <stdlib.h>
#include <string.h>

#include "../base/faults.h"
#include "../base/scratch.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/login_helper.h"
#include "wire/auth_line.h"

static struct services v;

static int begin(void **state)
{
	if (scratch_enter(state) != 0 || log_open("log") < 0)
		return -1;
	v.login_helper = login_helper_new("socket");
	v.limits = limit_book_new();
	return v.login_helper == NULL || v.limits == NULL ? -1 : 0;
}

static int end(void **state)
{
	log_close();
	login_helper_free(v.login_helper);
	limit_book_free(v.limits);
	v = (struct services){.login_helper = NULL};
	return scratch_leave(state);
}

static struct config *read_config(const char *text)
{
	static struct config_source source = {.path = "conf", .is_reload = true};
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	scratch_write("conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

static void follow(const char *text)
{
	struct config *c = read_config(text);

	helper_groups_follow(&v, c);
	config_release(c);
}

static bool is_logged(const char *text)
{
	char *log = scratch_read("log");
	bool is_there = strstr(log, text) != NULL;

	free(log);
	return is_there;
}

static void those_are_asked_about_that_settings_name(void **state)
{
	(void)state;
	follow("group_defaults = @staff sessions=9\ngroup_defaults = @pupils rate=2Mbit\n"
	       "group_rate = @pupils 20Mbit\ngroup_rate = @guests 5Mbit\n");
	assert_true(login_helper_asks_about(v.login_helper, "staff"));
	assert_true(login_helper_asks_about(v.login_helper, "pupils"));
	assert_true(login_helper_asks_about(v.login_helper, "guests"));
	assert_false(login_helper_asks_about(v.login_helper, "others"));
	follow("");
	assert_false(login_helper_asks_about(v.login_helper, "staff"));
}

static void groups_of_clients_are_not(void **state)
{
	(void)state;
	follow("client_group = @desks 192.0.2.0/24\ngroup_rate = @desks 20Mbit\n"
	       "group_rate = @staff 20Mbit\n");
	assert_false(login_helper_asks_about(v.login_helper, "desks"));
	assert_true(login_helper_asks_about(v.login_helper, "staff"));
}

/* Why a login cannot be checked; no helper is there. */
static const char *problem(void)
{
	static struct login_helper_trouble trouble;
	const struct hashing_wait wait = {.deadline = CLOCK_NEVER};
	const struct helper_question q = {.name = "alice", .password = "pw", .wait = &wait};
	struct helper_person person;

	assert_int_equal(login_helper_ask(v.login_helper, &q, &person), HELPER_SILENT);
	assert_true(login_helper_problem(v.login_helper, &trouble));
	return trouble.text;
}

/* Nobody is let in whose groups are not all asked about. */
static void more_than_a_question_can_name_let_nobody_in(void **state)
{
	char *text = calloc(60, 100);
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 60; i++)
		len += (size_t)sprintf(text + len,
			"group_rate = @a-group-with-a-name-that-is-rather-long-%d 1Mbit\n", i);
	assert_true(len > AUTH_LINE_GROUPS_MAX);
	follow("");
	assert_contains(problem(), "it cannot be reached");
	follow(text);
	free(text);
	assert_true(is_logged("more groups than a helper can be asked about"));
	assert_true(login_helper_asks_about(
		v.login_helper, "a-group-with-a-name-that-is-rather-long-0"));
	assert_false(login_helper_asks_about(
		v.login_helper, "a-group-with-a-name-that-is-rather-long-59"));
	assert_string_equal(
		problem(), "rules and limits name more groups than it can be asked about");
	follow("group_rate = @staff 20Mbit\n");
	assert_contains(problem(), "it cannot be reached");
}

static void without_memory_it_is_asked_about_the_same(void **state)
{
	struct config *c;

	(void)state;
	follow("group_rate = @staff 20Mbit\n");
	c = read_config("group_rate = @guests 20Mbit\n");
	faults_fail(1);
	helper_groups_follow(&v, c);
	assert_true(faults_struck());
	assert_true(is_logged("a helper is asked about the same groups as before: out of memory"));
	assert_true(login_helper_asks_about(v.login_helper, "staff"));
	config_release(c);
}

static void without_a_helper_nothing_is_done(void **state)
{
	struct services none = {.login_helper = NULL};
	struct config *c = read_config("group_rate = @staff 20Mbit\n");

	(void)state;
	helper_groups_follow(&none, c);
	assert_false(login_helper_asks_about(v.login_helper, "staff"));
	config_release(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(those_are_asked_about_that_settings_name),
		TEST(groups_of_clients_are_not),
		TEST(more_than_a_question_can_name_let_nobody_in),
		TEST(without_memory_it_is_asked_about_the_same),
		TEST(without_a_helper_nothing_is_done),
	};

	return cmocka_run_group_tests_name("server/helper_groups", tests, NULL, NULL);
}
