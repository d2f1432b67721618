/* events: what is kept, what is pushed out, what is read back, and what happens without memory. */
#include "state/events.h"

#include <stdlib.h>
#include <string.h>

#include "../base/faults.h"

#define MOST 4

static struct events *e;
static struct event_copy copy;

static int make_it(void **state)
{
	(void)state;
	e = events_new(MOST);
	return e == NULL ? -1 : 0;
}

static int free_it(void **state)
{
	(void)state;
	events_free(e);
	return 0;
}

static void add(uint64_t id)
{
	events_add(e, &(struct event){.kind = EVENT_END, .id = id, .reason = END_REASONS});
}

static void assert_range(uint64_t begin, uint64_t end)
{
	uint64_t b, n;

	events_range(e, &b, &n);
	assert_int_equal(b, begin);
	assert_int_equal(n, end);
}

static void what_is_added_is_read_as_it_was(void **state)
{
	struct event event = {.kind = EVENT_REFUSED,
		.id = 7,
		.time = 1000,
		.user = "alice, and more",
		.user_len = 5,
		.command = "CONNECT",
		.target = "example.org:80",
		.reason = END_TARGET_DENIED,
		.rule = "protect:loopback",
		.error = 13,
		.sent = 1,
		.received = 2,
		.total_ms = 3};

	(void)state;
	events_add(e, &event);
	memset(&copy, 0xff, sizeof(copy));
	assert_true(events_read(e, 0, &copy));
	assert_int_equal(copy.event.kind, EVENT_REFUSED);
	assert_int_equal(copy.event.id, 7);
	assert_int_equal(copy.event.user_len, 5);
	assert_string_equal(copy.event.user, "alice");
	assert_string_equal(copy.event.command, "CONNECT");
	assert_string_equal(copy.event.target, "example.org:80");
	assert_string_equal(copy.event.rule, "protect:loopback");
	assert_int_equal(copy.event.reason, END_TARGET_DENIED);
	assert_int_equal(copy.event.error, 13);
	assert_int_equal(copy.event.total_ms, 3);
}

static void what_is_not_known_is_empty(void **state)
{
	(void)state;
	add(1);
	assert_true(events_read(e, 0, &copy));
	assert_string_equal(copy.event.user, "");
	assert_string_equal(copy.event.command, "");
	assert_string_equal(copy.event.target, "");
	assert_string_equal(copy.event.rule, "");
}

static void texts_that_are_too_long_are_cut(void **state)
{
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	events_add(e,
		&(struct event){.user = text,
			.user_len = 999,
			.command = text,
			.target = text,
			.rule = text});
	assert_true(events_read(e, 0, &copy));
	assert_int_equal(copy.event.user_len, USERS_NAME_MAX);
	assert_int_equal(strlen(copy.event.command), EVENT_COMMAND_MAX - 1);
	assert_int_equal(strlen(copy.event.target), ACCESS_TARGET_MAX - 1);
	assert_int_equal(strlen(copy.event.rule), EVENT_RULE_MAX - 1);
}

static void the_oldest_make_room(void **state)
{
	(void)state;
	assert_range(0, 0);
	for (uint64_t id = 0; id < 6; id++)
		add(id);
	assert_range(2, 6);
	assert_false(events_read(e, 1, &copy));
	assert_false(events_read(e, 6, &copy));
	for (uint64_t n = 2; n < 6; n++) {
		assert_true(events_read(e, n, &copy));
		assert_int_equal(copy.event.id, n);
	}
}

static void what_is_forgotten_is_not_read_and_numbers_go_on(void **state)
{
	(void)state;
	add(0);
	add(1);
	events_forget(e);
	assert_range(2, 2);
	assert_false(events_read(e, 1, &copy));
	add(2);
	assert_range(2, 3);
	assert_true(events_read(e, 2, &copy));
	assert_int_equal(copy.event.id, 2);
}

static void without_memory_nothing_is_kept(void **state)
{
	uint64_t begin, end;

	(void)state;
	for (int n = 1; n <= 2; n++) {
		faults_fail(n);
		add(1);
		assert_true(faults_struck());
	}
	events_range(e, &begin, &end);
	assert_int_equal(end, 0);
	add(5);
	assert_range(0, 1);
}

static void where_nobody_keeps_them_none_are_added(void **state)
{
	(void)state;
	events_add(NULL, &(struct event){.id = 1});
	events_free(NULL);
}

#define events_test(name) cmocka_unit_test_setup_teardown(name, make_it, free_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		events_test(what_is_added_is_read_as_it_was),
		events_test(what_is_not_known_is_empty),
		events_test(texts_that_are_too_long_are_cut),
		events_test(the_oldest_make_room),
		events_test(what_is_forgotten_is_not_read_and_numbers_go_on),
		events_test(without_memory_nothing_is_kept),
		cmocka_unit_test(where_nobody_keeps_them_none_are_added),
	};

	return cmocka_run_group_tests_name("state/events", tests, NULL, NULL);
}
