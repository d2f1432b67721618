/* kept_use: for whom a fact stands, and which are swept away: also of clients of the ledger's. */
#include "state/kept_use.h"

#include <stdio.h>
#include <time.h>

#include "../base/faults.h"
#include "../base/scratch.h"
#include "base/calendar.h"
#include "state/ledger.h"
#include "state/ledger_limits.h"

static struct standing *standing;
static struct limit_book *book;

static int begin(void **state)
{
	static struct config_source source = {.path = "conf", .is_reload = true};
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	if (scratch_enter(state) < 0)
		return -1;
	setenv("TZ", "UTC", 1);
	tzset();
	scratch_write("conf",
		"client_limits = 10.0.0.0/8 quota=1GB/day\n"
		"client_limits = 2001:db8::/32 quota=1GB/month\n");
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	standing = standing_new();
	book = limit_book_new();
	assert_non_null(standing);
	assert_non_null(book);
	assert_int_equal(limit_book_read(book, c, standing), 0);
	config_release(c);
	return 0;
}

static int end(void **state)
{
	limit_book_free(book);
	standing_free(standing);
	return scratch_leave(state);
}

static void keep(const char *name, int64_t begun, uint64_t used, uint64_t extra)
{
	struct quota_use use = {.begun = begun, .used = used, .extra = extra};

	assert_int_equal(kept_use_put(standing, name, &use), 0);
}

static size_t count_kept(void)
{
	size_t count;
	struct standing_fact *facts = standing_list(standing, STANDING_QUOTA, &count);

	assert_non_null(facts);
	free(facts);
	return count;
}

static bool is_kept(const char *name)
{
	struct quota_use use;

	return kept_use_get(standing, name, &use);
}

/* As whoever keeps it does when it is on the disk; there was a bound. */
static void free_told(void)
{
	size_t count;
	struct standing_fact *facts = standing_changes(standing, &count);

	assert_non_null(facts);
	assert_true(count <= KEPT_USE_MOST + 1);
	standing_told(standing, facts, count);
	free(facts);
}

static void nothing_is_kept_of_who_has_used_nothing(void **state)
{
	(void)state;
	keep("alice", 86400, 0, 0);
	assert_int_equal(count_kept(), 0);
	keep("alice", 86400, 0, 5);
	assert_true(is_kept("alice"));
	keep("alice", 86400, 7, 0);
	assert_true(is_kept("alice"));
	keep("alice", 86400, 0, 0);
	assert_int_equal(count_kept(), 0);
	keep("alice", 86400, 7, 0);
	kept_use_drop(standing, "alice");
	assert_int_equal(count_kept(), 0);
}

static void what_belongs_to_a_period_that_is_over_is_swept_away(void **state)
{
	int64_t day = calendar_moment(2026, 11, 27, 0, 0), noon = day + 43200;

	(void)state;
	keep("10.0.0.1", day, 1, 0);
	keep("10.0.0.2", day - 86400, 1, 0);
	keep("2001:db8::1", calendar_moment(2026, 11, 1, 0, 0), 1, 0);
	keep("2001:db8::2", calendar_moment(2026, 10, 1, 0, 0), 1, 0);
	/* these have no quota now, or are users */
	keep("192.0.2.1", day - 31 * 86400, 1, 0);
	keep("192.0.2.2", day - 32 * 86400, 1, 0);
	keep("alice", day - 31 * 86400, 1, 0);
	keep("bob", day - 32 * 86400, 1, 0);
	assert_true(kept_use_sweep(standing, book, noon));
	assert_true(is_kept("10.0.0.1"));
	assert_true(is_kept("2001:db8::1"));
	assert_true(is_kept("192.0.2.1"));
	assert_true(is_kept("alice"));
	assert_int_equal(count_kept(), 4);
	assert_false(kept_use_sweep(standing, book, noon));
	/* a clock that is set back gives nothing a second time */
	assert_false(kept_use_sweep(standing, book, noon - 10 * 86400));
	assert_int_equal(count_kept(), 4);
}

static void of_very_many_clients_those_with_the_least_use_go(void **state)
{
	int64_t day = calendar_moment(2026, 11, 27, 0, 0);
	char name[32];

	(void)state;
	keep("alice", day, 1, 0);
	for (unsigned i = 0; i < KEPT_USE_CLIENTS + 10; i++) {
		snprintf(name, sizeof(name), "10.0.%u.%u", i / 256, i % 256);
		keep(name, day, 100 + i, 0);
	}
	assert_true(kept_use_sweep(standing, book, day));
	assert_int_equal(count_kept(), KEPT_USE_CLIENTS + 1);
	assert_true(is_kept("alice"));
	assert_false(is_kept("10.0.0.9"));
	assert_true(is_kept("10.0.0.10"));
}

/* Between two sweeps, and even where nobody writes what has gone: as with a disk that is full. */
static void of_clients_no_more_are_kept_than_there_is_room_for(void **state)
{
	int64_t day = calendar_moment(2026, 11, 27, 0, 0);
	char name[32];

	(void)state;
	standing_set_kept(standing, true);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < KEPT_USE_MOST / 4; i++) {
			snprintf(name, sizeof(name), "10.%u.%u.%u", round, i / 256, i % 256);
			keep(name, day, 100 + i, 0);
		}
		(void)kept_use_sweep(standing, book, day + 86400);
	}
	keep("10.200.0.1", day, 1, 0);
	keep("alice", day, 1, 0);
	assert_false(is_kept("10.200.0.1"));
	assert_true(is_kept("alice"));
	/* What is written makes room. */
	free_told();
	keep("10.200.0.1", day, 1, 0);
	assert_true(is_kept("10.200.0.1"));
	keep("10.200.0.1", day, 2, 0);
}

static void use_up(struct ledger *l, const char *text, uint64_t bytes)
{
	struct ledger_entry *e;
	struct addr client;
	size_t running;

	assert_true(addr_parse(text, strlen(text), &client));
	e = ledger_join_client(l, &client, 1000, &running);
	assert_non_null(e);
	atomic_fetch_add(&ledger_tally(e)->sent, bytes);
	ledger_leave(e, 1000);
}

static void a_client_that_is_forgotten_leaves_what_it_has_used_if_any(void **state)
{
	struct ledger *l = ledger_new(1, NULL);

	(void)state;
	assert_non_null(l);
	ledger_follow(l, book, standing);
	for (unsigned i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof(name), "10.0.0.%u", i);
		use_up(l, name, i == 7 ? 100 : 0);
	}
	assert_int_equal(count_kept(), 1);
	assert_true(is_kept("10.0.0.7"));
	ledger_free(l);
}

/* As at a reload, with the last look some seconds ago. */
static void what_was_used_is_kept_when_limits_become_others(void **state)
{
	struct ledger *l = ledger_new(10, NULL);
	struct quota_use use;

	(void)state;
	assert_non_null(l);
	ledger_follow(l, book, standing);
	use_up(l, "10.0.0.1", 700);
	assert_false(is_kept("10.0.0.1"));
	assert_int_equal(ledger_limit_clients(l), 0);
	assert_true(kept_use_get(standing, "10.0.0.1", &use));
	assert_int_equal(use.used, 700);
	ledger_free(l);
}

#define kept_use_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* Else it would have its quota once more. */
static void what_was_used_is_known_without_memory(void **state)
{
	(void)state;
	keep("alice", 1, 5, 0);
	faults_fail(1);
	assert_true(is_kept("alice"));
	assert_false(faults_struck());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kept_use_test(nothing_is_kept_of_who_has_used_nothing),
		kept_use_test(what_was_used_is_known_without_memory),
		kept_use_test(what_belongs_to_a_period_that_is_over_is_swept_away),
		kept_use_test(of_very_many_clients_those_with_the_least_use_go),
		kept_use_test(of_clients_no_more_are_kept_than_there_is_room_for),
		kept_use_test(what_was_used_is_kept_when_limits_become_others),
		kept_use_test(a_client_that_is_forgotten_leaves_what_it_has_used_if_any),
	};

	return cmocka_run_group_tests_name("state/kept_use", tests, NULL, NULL);
}
