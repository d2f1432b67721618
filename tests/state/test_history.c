/* history: batches and their bound, visits as they go and when they end, and what is taken. */
#include "state/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/check.h"
#include "base/clock.h"

static unsigned called;

static void call(void *context)
{
	(void)context;
	called++;
}

static struct history *h;
static struct history_batch *batch;
static struct history_end *ends;

static int setup(void **state)
{
	(void)state;
	called = 0;
	h = history_new(call, NULL);
	batch = history_batch_new();
	return h == NULL || batch == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	while (ends != NULL) {
		struct history_end *next = ends->next;

		free(ends);
		ends = next;
	}
	history_batch_free(batch);
	history_free(h);
	return 0;
}

static void add(const char *name, const char *site, int64_t sent)
{
	history_batch_add(batch,
		&(struct history_row){.name = name,
			.site = site,
			.day = 20261126,
			.counts.of[LEDGER_SENT] = sent});
}

/* What is in the batch for the account and site. */
static struct ledger_counts counts_of(const char *name, const char *site)
{
	struct ledger_counts sum = {{0}};
	const struct history_row *row;
	size_t position = 0;

	while ((row = history_batch_next(batch, &position)) != NULL) {
		if (strcmp(row->name, name) != 0 || strcmp(row->site, site) != 0)
			continue;
		for (size_t i = 0; i < LEDGER_COUNTS; i++)
			sum.of[i] += row->counts.of[i];
	}
	return sum;
}

static int64_t sent_by(const char *name, const char *site)
{
	return counts_of(name, site).of[LEDGER_SENT];
}

static void rows_are_told_apart_by_all_that_they_have(void **state)
{
	struct history_row row = {.name = "a", .site = "", .counts.of[LEDGER_SENT] = 1};

	(void)state;
	history_batch_add(batch, &row);
	history_batch_add(batch, &row);
	assert_int_equal(history_batch_count(batch), 1);
	row.day = 20261126;
	history_batch_add(batch, &row);
	row.is_user = true;
	history_batch_add(batch, &row);
	row.serial = 2;
	history_batch_add(batch, &row);
	row.site = "b";
	history_batch_add(batch, &row);
	assert_int_equal(history_batch_count(batch), 5);
	history_batch_clear(batch);
	assert_int_equal(history_batch_count(batch), 0);
}

static void what_is_too_much_is_counted_for_others(void **state)
{
	char name[32];

	(void)state;
	add("192.0.2.1", HISTORY_OTHER, 1);
	for (int i = 1; i < HISTORY_ROWS; i++) {
		snprintf(name, sizeof(name), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		add(name, "", 1);
	}
	assert_int_equal(history_batch_count(batch), HISTORY_ROWS);
	add("192.0.2.9", "", 5);
	add("192.0.2.8", "", 6);
	assert_int_equal(sent_by(HISTORY_OTHER, ""), 11);
	add("192.0.2.1", "example.org", 7);
	assert_int_equal(sent_by("192.0.2.1", HISTORY_OTHER), 8);
	add("192.0.2.7", "example.org", 9);
	assert_int_equal(sent_by(HISTORY_OTHER, HISTORY_OTHER), 9);
	add("10.0.0.1", "", 3);
	assert_int_equal(sent_by("10.0.0.1", ""), 4);
}

static void what_goes_on_too_long_is_cut(void **state)
{
	char name[1000];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	add(name, name, 1);
	name[HISTORY_NAME_MAX - 1] = '\0';
	assert_int_equal(sent_by(name, name), 1);
}

static void take(void)
{
	history_take(h, 20261126, batch, &ends);
}

static struct history_visitor visitor(const char *user, uint64_t serial)
{
	struct history_visitor who = {.user = user, .user_len = strlen(user), .serial = serial};

	assert_true(network_parse("192.0.2.1", 9, &who.client));
	return who;
}

static void a_visit_counts_as_it_goes_for_client_and_user(void **state)
{
	struct traffic traffic = {.alarm = NULL};
	struct history_visitor who = visitor("alice", 3);
	struct history_visit *v;
	struct ledger_counts all;

	(void)state;
	traffic_begin(&traffic, clock_ms());
	v = history_visit_begin(h, &who, "example.org", &traffic);
	assert_non_null(v);
	assert_true(called > 0);
	traffic_count(&traffic, TRAFFIC_SENT, 10);
	take();
	assert_int_equal(sent_by("alice", "example.org"), 10);
	assert_int_equal(sent_by("192.0.2.1", "example.org"), 10);
	traffic_count(&traffic, TRAFFIC_SENT, 5);
	traffic_count(&traffic, TRAFFIC_RECEIVED, 7);
	take();
	history_visit_end(h, v, true);
	take();
	all = counts_of("alice", "example.org");
	assert_int_equal(all.of[LEDGER_SESSIONS], 1);
	assert_int_equal(all.of[LEDGER_REFUSED], 1);
	assert_int_equal(all.of[LEDGER_SENT], 15);
	assert_int_equal(all.of[LEDGER_RECEIVED], 7);
	take();
	assert_int_equal(counts_of("alice", "example.org").of[LEDGER_SESSIONS], 1);
}

static void visits_end_in_any_order(void **state)
{
	struct traffic traffic = {.alarm = NULL};
	struct history_visitor who = visitor("", 0);
	struct history_visit *v[3];

	(void)state;
	traffic_begin(&traffic, clock_ms());
	for (int i = 0; i < 3; i++)
		v[i] = history_visit_begin(h, &who, i == 1 ? "b" : "a", &traffic);
	history_visit_end(h, v[1], false);
	history_visit_end(h, v[2], false);
	take();
	history_visit_end(h, v[0], false);
	take();
	assert_int_equal(counts_of("192.0.2.1", "a").of[LEDGER_SESSIONS], 2);
	assert_int_equal(counts_of("192.0.2.1", "b").of[LEDGER_SESSIONS], 1);
	assert_int_equal(history_batch_count(batch), 2);
}

static void what_was_left_is_taken_with_its_day(void **state)
{
	struct ledger_share share = {
		.is_user = true, .serial = 4, .name = "bob", .counts.of[LEDGER_SENT] = 9};
	size_t position = 0;
	const struct history_row *row;

	(void)state;
	history_inherit(h, &share);
	assert_int_equal(called, 1);
	take();
	row = history_batch_next(batch, &position);
	assert_non_null(row);
	assert_int_equal(row->day, 20261126);
	assert_int_equal(row->serial, 4);
	assert_string_equal(row->name, "bob");
}

static void ends_come_in_their_order_behind_those_that_wait(void **state)
{
	(void)state;
	history_end_user(h, "a", 1);
	history_end_user(h, "b", 2);
	take();
	history_end_user(h, "c", 3);
	take();
	assert_string_equal(ends->name, "a");
	assert_string_equal(ends->next->name, "b");
	assert_string_equal(ends->next->next->name, "c");
	assert_int_equal(ends->next->next->last, 3);
	assert_null(ends->next->next->next);
}

static void where_nothing_is_kept_nothing_happens(void **state)
{
	struct traffic traffic = {.alarm = NULL};
	struct history_visitor who = visitor("", 0);

	(void)state;
	assert_null(history_visit_begin(NULL, &who, "a", &traffic));
	history_visit_end(NULL, NULL, true);
	history_end_user(NULL, "a", 1);
	history_take(NULL, 1, batch, &ends);
	history_free(NULL);
}

#define history_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		history_test(rows_are_told_apart_by_all_that_they_have),
		history_test(what_is_too_much_is_counted_for_others),
		history_test(what_goes_on_too_long_is_cut),
		history_test(a_visit_counts_as_it_goes_for_client_and_user),
		history_test(visits_end_in_any_order),
		history_test(what_was_left_is_taken_with_its_day),
		history_test(ends_come_in_their_order_behind_those_that_wait),
		history_test(where_nothing_is_kept_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
