/* archive: batches that are written, that fail and are tried again, whose file is damaged, and
 * what is too old by clocks that are right and others. */
#include "server/archive.h"

#include "../base/said.h"
#include "keeping.h"

struct standing_fact *__real_standing_changes(struct standing *s, size_t *count);
struct standing_fact *__wrap_standing_changes(struct standing *s, size_t *count);

static struct archive *a;
static bool is_without_memory;

struct standing_fact *__wrap_standing_changes(struct standing *s, size_t *count)
{
	return is_without_memory ? NULL : __real_standing_changes(s, count);
}

static void open_archive(void)
{
	char error[DATABASE_ERROR_MAX];

	a = archive_open(".", &kept, error);
	if (a == NULL)
		fail_msg("%s", error);
	standing_set_kept(kept.standing, true);
}

static void call(void *context)
{
	(void)context;
}

static int setup(void **state)
{
	if (keeping_enter(state) != 0)
		return -1;
	kept.history = history_new(call, NULL);
	open_archive();
	return kept.history == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	archive_close(a);
	history_free(kept.history);
	kept.history = NULL;
	return keeping_leave(state);
}

/* Was there anything to write? */
static bool write_now(void)
{
	bool was_anything;

	if (archive_write(a, &was_anything) < 0)
		fail_msg("%s", archive_problem(a));
	return was_anything;
}

static void assert_fails(void)
{
	bool was_anything;

	assert_int_equal(archive_write(a, &was_anything), -1);
	assert_true(was_anything);
	assert_string_not_equal(archive_problem(a), "");
}

static void start_anew(void)
{
	archive_close(a);
	keeping_forget();
	open_archive();
}

static void assert_usage(int32_t day, const char *expected)
{
	keeping_assert_usage(archive_database(a), day, expected);
}

static void what_stands_outlives_it(void **state)
{
	(void)state;
	keeping_put("a", "1");
	keeping_put("b", "2");
	assert_true(write_now());
	assert_false(write_now());
	keeping_put("b", NULL);
	assert_true(write_now());
	start_anew();
	keeping_assert_stands("a", "1");
	keeping_assert_stands("b", NULL);
	assert_false(write_now());
}

static void what_is_used_counts_for_its_day(void **state)
{
	(void)state;
	keeping_serve("192.0.2.1", 5);
	assert_true(write_now());
	keeping_time += 86400;
	keeping_serve("192.0.2.1", 7);
	write_now();
	keeping_time -= 86400; /* the clock is put back */
	keeping_serve("192.0.2.1", 10);
	write_now();
	assert_usage(20261126, "192.0.2.1:2/15 ");
	assert_usage(20261127, "192.0.2.1:1/7 ");
	assert_false(write_now());
}

static void a_batch_that_fails_is_tried_again_and_loses_nothing(void **state)
{
	(void)state;
	commit_failure = KEEPING_FULL;
	commit_failures = 3;
	keeping_serve("192.0.2.1", 5);
	keeping_put("a", "1");
	history_end_user(kept.history, "alice", 7);
	assert_fails();
	keeping_serve("192.0.2.1", 6);
	keeping_serve("192.0.2.2", 1);
	keeping_put("a", "2");
	assert_fails();
	assert_fails();
	assert_true(write_now());
	assert_usage(20261126, "192.0.2.1:2/11 192.0.2.2:1/1 ");
	assert_int_equal(keeping_count_lines("nothing can be written"), 1);
	assert_int_equal(keeping_count_lines("it can be written again"), 1);
	start_anew();
	keeping_assert_stands("a", "2");
}

static void where_the_file_proves_damaged_what_stands_is_written_anew(void **state)
{
	(void)state;
	keeping_put("old", "1");
	keeping_serve("192.0.2.1", 5);
	write_now();
	keeping_put("new", "2");
	keeping_serve("192.0.2.1", 6);
	commit_failure = KEEPING_CORRUPT;
	commit_failures = 1;
	write_now();
	assert_int_equal(keeping_count_lines("the database was damaged"), 1);
	assert_usage(20261126, "192.0.2.1:1/6 ");
	write_now();
	start_anew();
	keeping_assert_stands("old", "1");
	keeping_assert_stands("new", "2");
}

static void join_user(struct ledger_entry *user, uint64_t bytes)
{
	ledger_join_user(user);
	atomic_fetch_add(&ledger_tally(user)->sent, bytes);
}

/* With a batch that fails in between. */
static void a_name_that_is_deleted_takes_its_history_along(void **state)
{
	struct ledger_entry *old = ledger_add_user(kept.ledger, "alice", 5), *new;

	(void)state;
	join_user(old, 5);
	write_now();
	ledger_retire_user(old);
	history_end_user(kept.history, "alice", ledger_last_serial(kept.ledger));
	new = ledger_add_user(kept.ledger, "alice", 5);
	join_user(new, 100);
	commit_failure = KEEPING_FULL;
	commit_failures = 1;
	assert_fails();
	atomic_fetch_add(&ledger_tally(old)->sent, 2);
	ledger_leave(old, 1);
	write_now();
	assert_usage(20261126, "alice:1/100 alice deleted:1/5 ");
	(void)old;
	ledger_leave(new, 1);
	ledger_retire_user(new);
}

static void end_user(const char *name)
{
	history_end_user(kept.history, name, ledger_last_serial(kept.ledger));
}

/* As many names as are remembered, and a batch with one more that fails some times. */
static void a_batch_that_fails_forgets_no_name(void **state)
{
	struct ledger_entry *old = ledger_add_user(kept.ledger, "alice", 5);
	char name[16];

	(void)state;
	join_user(old, 5);
	write_now();
	ledger_retire_user(old);
	for (unsigned i = 0; i < ARCHIVE_FORMER_MAX; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		end_user(i == 2 ? "alice" : name);
	}
	write_now();
	end_user("last");
	commit_failure = KEEPING_FULL;
	commit_failures = 3;
	for (int i = 0; i < 3; i++)
		assert_fails();
	write_now();
	atomic_fetch_add(&ledger_tally(old)->sent, 2);
	write_now();
	assert_usage(20261126, "alice deleted:1/7 ");
	ledger_leave(old, 1);
}

static void days_go_when_the_settings_say_so(void **state)
{
	(void)state;
	keeping_set("history_days", "2");
	keeping_serve("192.0.2.1", 1);
	write_now();
	assert_true(archive_prune(a));
	assert_usage(20261126, "192.0.2.1:1/1 ");
	keeping_time += 86400;
	assert_false(archive_prune(a)); /* the clock has jumped */
	assert_true(archive_prune(a));
	assert_usage(20261126, "192.0.2.1:1/1 ");
	keeping_time += 86400;
	assert_false(archive_prune(a));
	assert_usage(20261126, "192.0.2.1:1/1 ");
	assert_true(archive_prune(a));
	assert_usage(20261126, "");
}

/* Years ahead, and corrected soon after, as where a host has no clock of its own. */
static void a_clock_that_is_wrong_for_a_while_costs_nothing(void **state)
{
	(void)state;
	keeping_serve("192.0.2.1", 1);
	write_now();
	keeping_time += 10 * 365 * 86400;
	assert_false(archive_prune(a));
	keeping_time -= 10 * 365 * 86400;
	assert_false(archive_prune(a));
	assert_true(archive_prune(a));
	assert_usage(20261126, "192.0.2.1:1/1 ");
}

static void without_history_days_accounts_are_not_kept(void **state)
{
	(void)state;
	keeping_set("history_days", "0");
	keeping_serve("192.0.2.1", 1);
	write_now();
	assert_usage(20261126, "");
}

#define archive_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void a_lack_of_memory_is_told(void **state)
{
	(void)state;
	assert_int_equal(standing_put(kept.standing, STANDING_LIMITS, "alice", "x"), 0);
	said_begin();
	is_without_memory = true;
	assert_fails();
	is_without_memory = false;
	assert_true(write_now());
	said_end();
	assert_non_null(
		strstr(said, "nothing can be written, which is tried again: out of memory"));
	assert_non_null(strstr(said, "it can be written again"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		archive_test(what_stands_outlives_it),
		archive_test(what_is_used_counts_for_its_day),
		archive_test(a_batch_that_fails_is_tried_again_and_loses_nothing),
		archive_test(where_the_file_proves_damaged_what_stands_is_written_anew),
		archive_test(a_name_that_is_deleted_takes_its_history_along),
		archive_test(a_lack_of_memory_is_told),
		archive_test(a_batch_that_fails_forgets_no_name),
		archive_test(days_go_when_the_settings_say_so),
		archive_test(a_clock_that_is_wrong_for_a_while_costs_nothing),
		archive_test(without_history_days_accounts_are_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
