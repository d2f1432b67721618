/* fdbudget: how a limit is divided, and leases on what is to spare. */
#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/fdbudget.h"
#include "suite.h"

static struct fdbudget budget;

/* ---- a system that does not tell ---- */

static bool has_no_size, has_no_folder, has_no_limits, keeps_limits;

int __real_stat64(const char *path, struct stat *out);
DIR *__real_opendir(const char *path);
int __real_getrlimit64(int resource, struct rlimit *out);
int __real_setrlimit64(int resource, const struct rlimit *limit);
int __wrap_stat64(const char *path, struct stat *out);
DIR *__wrap_opendir(const char *path);
int __wrap_getrlimit64(int resource, struct rlimit *out);
int __wrap_setrlimit64(int resource, const struct rlimit *limit);

/* Before Linux 6.2 the folder has no size. */
int __wrap_stat64(const char *path, struct stat *out)
{
	int result = __real_stat64(path, out);

	if (has_no_size)
		out->st_size = 0;
	return result;
}

DIR *__wrap_opendir(const char *path)
{
	return has_no_folder ? NULL : __real_opendir(path);
}

int __wrap_getrlimit64(int resource, struct rlimit *out)
{
	return has_no_limits ? -1 : __real_getrlimit64(resource, out);
}

int __wrap_setrlimit64(int resource, const struct rlimit *limit)
{
	return keeps_limits ? -1 : __real_setrlimit64(resource, limit);
}

/* ---- tests ---- */

static void a_usual_limit_carries_what_the_readme_says(void **state)
{
	(void)state;
	fdbudget_plan(&budget, 1024, 40, 10000);
	assert_true(budget.sessions >= 480);
	fdbudget_plan(&budget, 20000, 40, 100000);
	assert_true(budget.sessions >= 9900);
}

static void the_parts_add_up_and_some_is_always_to_spare(void **state)
{
	(void)state;
	for (size_t limit = 60; limit < 30000; limit += 37) {
		for (size_t wanted = 1; wanted < 20000; wanted = wanted * 3 + 1) {
			fdbudget_plan(&budget, limit, 40, wanted);
			assert_true(budget.sessions <= wanted);
			assert_int_equal(
				budget.reserved + 2 * budget.sessions + budget.spare, limit);
			assert_true(budget.spare >= 16);
		}
	}
}

static void a_limit_that_is_too_small_carries_nothing(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 58; limit++) {
		fdbudget_plan(&budget, limit, 40, 10);
		assert_int_equal(budget.sessions, 0);
	}
}

static void the_first_descriptor_is_the_sessions_own(void **state)
{
	struct fd_lease a = {.budget = &budget}, b = {.budget = &budget};

	(void)state;
	fdbudget_plan(&budget, 100, 10, 37);
	budget.spare = 2;
	assert_true(fd_lease_take(&a));
	assert_true(fd_lease_take(&b));
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	assert_true(fd_lease_take(&a));
	assert_true(fd_lease_take(&a));
	assert_false(fd_lease_take(&a));
	assert_false(fd_lease_take(&b));
	assert_int_equal(atomic_load(&budget.spare_used), 2);
	fd_lease_give(&a);
	assert_true(fd_lease_take(&b));
	fd_lease_give(&a);
	fd_lease_give(&a);
	fd_lease_give(&b);
	fd_lease_give(&b);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	assert_int_equal(a.held + b.held, 0);
}

static void *take_and_give(void *arg)
{
	struct fd_lease lease = {.budget = arg};

	for (int i = 0; i < 20000; i++) {
		size_t taken = 0;

		while (taken < 4 && fd_lease_take(&lease))
			taken++;
		while (taken-- > 0)
			fd_lease_give(&lease);
	}
	return NULL;
}

static void threads_never_take_more_than_there_is(void **state)
{
	pthread_t threads[4];

	(void)state;
	budget.spare = 5;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &budget), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
}

static void open_descriptors_are_counted(void **state)
{
	size_t before = fdbudget_count_open();
	int fd = dup(0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fdbudget_count_open(), before + 1);
	close(fd);
	assert_int_equal(fdbudget_count_open(), before);
}

/* One by one where the folder does not say how many, and as many as there are at least without it.
 */
static void they_are_counted_without_a_size_and_without_proc(void **state)
{
	int fd;
	size_t before;

	(void)state;
	has_no_size = true;
	before = fdbudget_count_open();
	fd = dup(0);
	assert_true(fd >= 0);
	assert_int_equal(fdbudget_count_open(), before + 1);
	close(fd);
	has_no_folder = true;
	assert_int_equal(fdbudget_count_open(), 3);
	has_no_size = has_no_folder = false;
	assert_int_equal(fdbudget_count_open(), before);
}

/* Then what is there has to do. */
static void a_limit_that_cannot_be_raised_stays(void **state)
{
	struct rlimit before, low;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = (struct rlimit){.rlim_cur = 64, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	keeps_limits = true;
	assert_int_equal(fdbudget_raise_limit(), 64);
	keeps_limits = false;
	has_no_limits = true;
	assert_int_equal(fdbudget_raise_limit(), 0);
	has_no_limits = false;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void the_soft_limit_is_raised_to_the_hard_one(void **state)
{
	struct rlimit rl;
	size_t limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = rl.rlim_max / 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	limit = fdbudget_raise_limit();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	assert_int_equal(rl.rlim_cur, rl.rlim_max);
	assert_true(limit <= rl.rlim_max);
}

static void the_process_borrows_all_or_nothing(void **state)
{
	struct fd_lease lease = {.budget = &budget};

	(void)state;
	fdbudget_plan(&budget, 100, 10, 37);
	budget.spare = 5;
	assert_true(fdbudget_borrow(&budget, 0));
	assert_true(fdbudget_borrow(&budget, 4));
	assert_false(fdbudget_borrow(&budget, 2));
	assert_int_equal(atomic_load(&budget.spare_used), 4);
	assert_true(fd_lease_take(&lease));
	assert_true(fd_lease_take(&lease));
	assert_false(fdbudget_borrow(&budget, 1));
	fdbudget_return(&budget, 3);
	assert_true(fdbudget_borrow(&budget, 3));
	assert_int_equal(atomic_load(&budget.spare_used), 5);
	fdbudget_return(&budget, 4);
	fd_lease_give(&lease);
	fd_lease_give(&lease);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_usual_limit_carries_what_the_readme_says),
		cmocka_unit_test(the_parts_add_up_and_some_is_always_to_spare),
		cmocka_unit_test(a_limit_that_is_too_small_carries_nothing),
		cmocka_unit_test(the_first_descriptor_is_the_sessions_own),
		cmocka_unit_test(the_process_borrows_all_or_nothing),
		cmocka_unit_test(threads_never_take_more_than_there_is),
		cmocka_unit_test(open_descriptors_are_counted),
		cmocka_unit_test(they_are_counted_without_a_size_and_without_proc),
		cmocka_unit_test(a_limit_that_cannot_be_raised_stays),
		cmocka_unit_test(the_soft_limit_is_raised_to_the_hard_one),
	};

	return cmocka_run_group_tests_name("net/fdbudget", tests, NULL, NULL);
}
