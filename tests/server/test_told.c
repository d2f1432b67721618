/* told: what is told again, and what is told to be gone. */
#include "server/told.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/check.h"
#include "../base/faults.h"

static struct told *t;
static const char *last; /* value of what is gone */

static int make_it(void **state)
{
	(void)state;
	t = told_new();
	return t == NULL ? -1 : 0;
}

static int free_it(void **state)
{
	(void)state;
	told_free(t);
	return 0;
}

static void only_what_differs_is_told(void **state)
{
	(void)state;
	told_begin(t);
	assert_true(told_differs(t, "alice", "1"));
	assert_true(told_differs(t, "bob", "1"));
	assert_null(told_next_gone(t, &last));
	told_begin(t);
	assert_false(told_differs(t, "alice", "1"));
	assert_true(told_differs(t, "bob", "2"));
	assert_null(told_next_gone(t, &last));
	assert_true(told_is(t, "bob", "2"));
	assert_string_equal(told_value(t, "bob"), "2");
	assert_null(told_value(t, "nobody"));
	assert_false(told_is(t, "bob", "1"));
	assert_false(told_is(t, "carol", ""));
	told_note(t, "alice", "3");
	told_begin(t);
	assert_false(told_differs(t, "alice", "3"));
	assert_string_equal(told_next_gone(t, &last), "bob");
	assert_string_equal(last, "2");
	assert_null(told_next_gone(t, &last));
	told_begin(t);
	assert_false(told_differs(t, "alice", "3"));
	assert_null(told_next_gone(t, &last));
	assert_int_equal(told_count(t), 1);
	told_drop(t, "alice");
	told_drop(t, "alice");
	assert_int_equal(told_count(t), 0);
}

/* However they lie in the map. */
static void each_that_is_gone_is_said_once(void **state)
{
	bool seen[1000] = {false};
	char key[16];
	const char *gone;
	int number;

	(void)state;
	told_begin(t);
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_true(told_differs(t, key, ""));
	}
	told_begin(t);
	for (int i = 0; i < 1000; i += 3) {
		snprintf(key, sizeof(key), "%d", i);
		assert_false(told_differs(t, key, ""));
		seen[i] = true;
	}
	while ((gone = told_next_gone(t, &last)) != NULL) {
		number = atoi(gone);
		assert_false(seen[number]);
		seen[number] = true;
	}
	for (int i = 0; i < 1000; i++)
		assert_true(seen[i]);
	told_begin(t);
	for (int i = 0; i < 1000; i += 3) {
		snprintf(key, sizeof(key), "%d", i);
		assert_false(told_differs(t, key, ""));
	}
	assert_null(told_next_gone(t, &last));
	assert_int_equal(told_count(t), 334);
}

static void what_is_gone_is_told_until_that_has_arrived(void **state)
{
	(void)state;
	told_begin(t);
	assert_true(told_differs(t, "alice", "1"));
	assert_true(told_differs(t, "bob", "1"));
	told_begin(t);
	assert_string_equal(told_next_gone(t, &last), "alice");
	assert_string_equal(told_next_gone(t, &last), "bob");
	/* The engine has failed: who knows what it has heard? */
	told_forget_all(t);
	told_begin(t);
	assert_true(told_differs(t, "bob", "1"));
	assert_string_equal(told_next_gone(t, &last), "alice");
	assert_string_equal(last, "1");
	assert_null(told_next_gone(t, &last));
	told_begin(t);
	assert_false(told_differs(t, "bob", "1"));
	assert_null(told_next_gone(t, &last));
	assert_int_equal(told_count(t), 1);
}

static void what_comes_back_is_told_again(void **state)
{
	(void)state;
	told_begin(t);
	assert_true(told_differs(t, "alice", "1"));
	told_begin(t);
	assert_string_equal(told_next_gone(t, &last), "alice");
	told_begin(t);
	assert_true(told_differs(t, "alice", "1"));
	assert_null(told_next_gone(t, &last));
	assert_false(told_differs(t, "alice", "1"));
}

static void what_is_forgotten_is_told_again(void **state)
{
	(void)state;
	told_begin(t);
	assert_true(told_differs(t, "alice", "1"));
	told_forget_all(t);
	told_begin(t);
	assert_true(told_is(t, "alice", "1"));
	assert_true(told_differs(t, "alice", "1"));
	assert_false(told_differs(t, "alice", "1"));
	assert_null(told_next_gone(t, &last));
	told_forget_all(t);
	told_begin(t);
	assert_string_equal(told_next_gone(t, &last), "alice");
	assert_string_equal(last, "1");
}

static bool is_of(void *context, const char *key, const char *value)
{
	return strcmp(context, value) == 0 && *key != '\0';
}

static void those_are_dropped_that_are_to_go(void **state)
{
	char key[16];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "u%d", i);
		told_note(t, key, i % 3 == 0 ? "old" : "new");
	}
	told_sift(t, is_of, (char[]){"old"});
	assert_int_equal(told_count(t), 66);
	assert_null(told_value(t, "u3"));
	assert_string_equal(told_value(t, "u4"), "new");
	told_sift(t, is_of, (char[]){"new"});
	assert_int_equal(told_count(t), 0);
}

static void without_memory_it_is_told_again(void **state)
{
	(void)state;
	for (int n = 1; n <= 2; n++) {
		faults_fail(n);
		assert_null(told_new());
	}
	told_begin(t);
	faults_fail(1);
	assert_true(told_differs(t, "alice", "1"));
	faults_fail(0);
	assert_true(told_differs(t, "alice", "1"));
	assert_false(told_differs(t, "alice", "1"));
}

#define told_test(name) cmocka_unit_test_setup_teardown(name, make_it, free_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		told_test(only_what_differs_is_told),
		told_test(each_that_is_gone_is_said_once),
		told_test(what_is_gone_is_told_until_that_has_arrived),
		told_test(what_comes_back_is_told_again),
		told_test(what_is_forgotten_is_told_again),
		told_test(those_are_dropped_that_are_to_go),
		told_test(without_memory_it_is_told_again),
	};

	return cmocka_run_group_tests_name("server/told", tests, NULL, NULL);
}
