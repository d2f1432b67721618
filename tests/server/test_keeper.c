/* keeper: its thread, which nobody waits for, errands in it, copies of files, and its end. */
#include "server/keeper.h"

#include <semaphore.h>

#include "../base/faults_all.h"
#include "keeping.h"
#include "state/copies.h"

/* So many deadlines are now, whatever they would be. */
static _Atomic(int) hurries;

int64_t __real_clock_deadline(int64_t ms);
int64_t __wrap_clock_deadline(int64_t ms);

int64_t __wrap_clock_deadline(int64_t ms)
{
	if (atomic_load(&hurries) == 0)
		return __real_clock_deadline(ms);
	atomic_fetch_sub(&hurries, 1);
	return __real_clock_deadline(0);
}

static struct keeper *k;
static sem_t begun, may_go_on, came_back;

static void await_permission(void)
{
	sem_post(&begun);
	sem_wait(&may_go_on);
}

static void open_keeper(void)
{
	char error[DATABASE_ERROR_MAX];

	k = keeper_open(".", &kept, error);
	if (k == NULL)
		fail_msg("%s", error);
	assert_int_equal(keeper_start(k), 0);
}

static int setup(void **state)
{
	sem_init(&begun, 0, 0);
	sem_init(&may_go_on, 0, 0);
	sem_init(&came_back, 0, 0);
	if (keeping_enter(state) != 0)
		return -1;
	open_keeper();
	return 0;
}

static int teardown(void **state)
{
	keeper_stop(k);
	keeper_close(k);
	sem_destroy(&begun);
	sem_destroy(&may_go_on);
	sem_destroy(&came_back);
	return keeping_leave(state);
}

static void start_anew(void)
{
	keeper_stop(k);
	keeper_close(k);
	keeping_forget();
	open_keeper();
}

/* ---- an errand: to the keeper, and back ---- */

struct task {
	struct errand errand;
	int result;
	char why[DATABASE_ERROR_MAX];
};

static void write_all(struct errand *e)
{
	struct task *t = (struct task *)e;

	t->result = keeper_write(k, t->why);
	sem_post(&came_back);
}

static void send_task(struct task *t)
{
	errand_begin(&t->errand);
	errand_add_step(&t->errand, keeper_errands(k), write_all);
	errand_send(&t->errand);
}

static int write_in_its_thread(struct task *t)
{
	send_task(t);
	sem_wait(&came_back);
	return t->result;
}

static void what_is_written_outlives_the_server(void **state)
{
	struct task t;

	(void)state;
	assert_true(standing_is_kept(kept.standing));
	keeping_put("a", "1");
	assert_int_equal(write_in_its_thread(&t), 0);
	start_anew();
	keeping_assert_stands("a", "1");
}

static void what_there_is_at_the_end_is_written(void **state)
{
	(void)state;
	keeping_put("a", "1");
	keeping_serve("192.0.2.1", 5);
	start_anew();
	keeping_assert_stands("a", "1");
	keeper_stop(k);
	keeping_assert_usage(keeper_database(k), 20261126, "192.0.2.1:1/5 ");
}

static void who_asks_is_told_that_it_failed(void **state)
{
	struct task t;

	(void)state;
	commit_failure = KEEPING_FULL;
	commit_failures = 1;
	keeping_put("a", "1");
	assert_int_equal(write_in_its_thread(&t), -1);
	assert_string_equal(t.why, "database or disk is full");
	assert_int_equal(write_in_its_thread(&t), 0);
}

/* Whatever is done meanwhile comes back at once: this thread does all of it. */
static void nobody_waits_for_a_slow_disk(void **state)
{
	struct ledger_entry *user = ledger_add_user(kept.ledger, "alice", 5);
	struct traffic traffic = {.alarm = NULL};
	struct history_visitor who = {.user_len = 0};
	struct history_visit *v;
	struct task first, second;

	(void)state;
	before_commit = await_permission;
	keeping_put("a", "1");
	send_task(&first);
	sem_wait(&begun);

	keeping_put("a", "2");
	keeping_assert_stands("a", "2");
	for (int i = 0; i < 100; i++) {
		char client[32];

		snprintf(client, sizeof(client), "192.0.2.%d", i);
		keeping_serve(client, 1); /* most have to go for others */
	}
	ledger_join_user(user);
	ledger_retire_user(user);
	history_end_user(kept.history, "alice", ledger_last_serial(kept.ledger));
	ledger_leave(user, 1);
	assert_true(network_parse("192.0.2.1", 9, &who.client));
	v = history_visit_begin(kept.history, &who, "example.org", &traffic);
	history_visit_end(kept.history, v, false);
	keeper_call(k);
	keeper_copy_file(k, "log");
	send_task(&second);

	sem_post(&may_go_on);
	sem_wait(&came_back);
	sem_wait(&begun);
	before_commit = NULL;
	sem_post(&may_go_on);
	sem_wait(&came_back);
	assert_int_equal(first.result, 0);
	assert_int_equal(second.result, 0);
	start_anew();
	keeping_assert_stands("a", "2");
	keeper_stop(k);
	keeping_assert_usage(keeper_database(k), 19700101, "");
}

static void copies_are_made_of_files_that_were_read(void **state)
{
	char path[PATH_MAX], *copy;

	(void)state;
	scratch_write("list", "a.example\n");
	scratch_write("other", "b.example\n");
	keeper_copy_file(k, "list");
	keeper_copy_file(k, "other");
	keeper_copy_file(k, "list");
	keeper_stop(k);
	copy = scratch_read(copies_path(".", "list", path));
	assert_string_equal(copy, "a.example\n");
	free(copy);
}

static void one_that_cannot_be_made_is_said(void **state)
{
	(void)state;
	keeper_copy_file(k, "nowhere");
	keeper_stop(k);
	assert_int_equal(keeping_count_lines("no copy of nowhere can be made"), 1);
}

static void nothing_is_kept_without_it(void **state)
{
	(void)state;
	keeper_call(NULL);
	keeper_copy_file(NULL, "list");
	keeper_stop(NULL);
	keeper_close(NULL);
}

static void tell_of_commit(void)
{
	sem_post(&begun);
}

static void what_changes_is_written_when_it_is_time(void **state)
{
	(void)state;
	keeping_put("a", "1");
	before_commit = tell_of_commit;
	atomic_store(&hurries, 1);
	keeper_call(k);
	sem_wait(&begun);
	/* Who calls from then on calls for the next. */
	keeping_put("b", "2");
	atomic_store(&hurries, 1);
	keeper_call(k);
	sem_wait(&begun);
	start_anew();
	keeping_assert_stands("a", "1");
	keeping_assert_stands("b", "2");
}

static void what_is_too_old_is_dropped_when_it_is_time(void **state)
{
	struct task t;

	(void)state;
	keeping_serve("192.0.2.1", 5);
	assert_int_equal(write_in_its_thread(&t), 0);
	keeping_assert_usage(keeper_database(k), 20261126, "192.0.2.1:1/5 ");
	keeping_time += 3000 * 86400;
	before_commit = tell_of_commit;
	atomic_store(&hurries, 1);
	start_anew();
	sem_wait(&begun);
	keeper_stop(k);
	keeping_assert_usage(keeper_database(k), 20261126, "");
}

static void without_memory_it_is_not_opened(void **state)
{
	struct keeper *made = NULL;

	(void)state;
	keeper_stop(k);
	keeper_close(k);
	k = NULL;
	keeping_forget();
	for (int n = 1; made == NULL; n++) {
		char error[DATABASE_ERROR_MAX] = "";
		bool struck;

		faults_fail(n);
		made = keeper_open(".", &kept, error);
		struck = faults_struck();
		if (made == NULL && (!struck || *error == '\0'))
			fail_msg("allocation %d: \"%s\"", n, error);
		assert_int_equal(standing_is_kept(kept.standing), made != NULL);
	}
	k = made;
	assert_int_equal(keeper_start(k), 0);
}

#define keeper_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		keeper_test(what_is_written_outlives_the_server),
		keeper_test(what_there_is_at_the_end_is_written),
		keeper_test(who_asks_is_told_that_it_failed),
		keeper_test(nobody_waits_for_a_slow_disk),
		keeper_test(copies_are_made_of_files_that_were_read),
		keeper_test(one_that_cannot_be_made_is_said),
		keeper_test(what_changes_is_written_when_it_is_time),
		keeper_test(what_is_too_old_is_dropped_when_it_is_time),
		keeper_test(without_memory_it_is_not_opened),
		cmocka_unit_test(nothing_is_kept_without_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
