/* name_queue: order, each name once, what was prepared, and what happens without memory. */
#include "base/name_queue.h"

#include <stdio.h>

#include "faults.h"

static struct name_queue *q;

static int make_queue(void **state)
{
	(void)state;
	q = name_queue_new();
	return q == NULL ? -1 : 0;
}

static int free_queue(void **state)
{
	(void)state;
	name_queue_free(q);
	return 0;
}

static void put(const char *name)
{
	assert_int_equal(name_queue_put(q, name), 0);
	assert_true(name_queue_has(q, name));
}

static void assert_queue(const char *expected)
{
	char text[256] = "";
	size_t count = 0;

	for (const char *n = name_queue_first(q); n != NULL; n = name_queue_next(q, n), count++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			count == 0 ? "" : " ", n);
	assert_string_equal(text, expected);
	assert_int_equal(name_queue_count(q), count);
}

static void names_stand_in_the_order_in_which_they_came_each_once(void **state)
{
	(void)state;
	assert_queue("");
	put("carl");
	put("alice");
	put("bob");
	put("carl");
	assert_queue("carl alice bob");
	assert_false(name_queue_has(q, "dora"));
}

static void any_name_can_be_taken_out(void **state)
{
	static const char *const rows[][2] = {{"a", "b c"}, {"b", "a c"}, {"c", "a b"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		put("a");
		put("b");
		put("c");
		assert_true(name_queue_remove(q, rows[i][0]));
		assert_false(name_queue_remove(q, rows[i][0]));
		assert_queue(rows[i][1]);
		put("d");
		while (name_queue_first(q) != NULL)
			assert_true(name_queue_remove(q, name_queue_first(q)));
		assert_queue("");
	}
}

static void what_was_prepared_needs_no_memory_whatever_else_comes(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[16], other[16];

		snprintf(name, sizeof(name), "n%d", i);
		snprintf(other, sizeof(other), "o%d", i);
		assert_int_equal(name_queue_prepare(q, "never"), 0);
		assert_int_equal(name_queue_prepare(q, name), 0);
		put(other);
		faults_fail(1);
		put(name);
		assert_false(faults_struck());
	}
	assert_int_equal(name_queue_count(q), 200);
}

static void without_memory_nothing_changes(void **state)
{
	(void)state;
	put("a");
	faults_fail(1);
	assert_int_equal(name_queue_put(q, "b"), -1);
	faults_fail(1);
	assert_int_equal(name_queue_prepare(q, "b"), -1);
	assert_true(faults_struck());
	assert_queue("a");
	for (int n = 1; n <= 2; n++) {
		faults_fail(n);
		assert_null(name_queue_new());
		assert_true(faults_struck());
	}
	name_queue_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_queue, free_queue)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_stand_in_the_order_in_which_they_came_each_once),
		TEST(any_name_can_be_taken_out),
		TEST(what_was_prepared_needs_no_memory_whatever_else_comes),
		TEST(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
