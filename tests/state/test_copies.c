/* copies: what a copy is made of, when it is made again, and what happens where it cannot be. */
#include "state/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "../base/scratch.h"

static void assert_copy(const char *path, const char *expected)
{
	char copy[PATH_MAX], *text = scratch_read(copies_path("state", path, copy));

	assert_string_equal(text, expected);
	free(text);
}

static int setup(void **state)
{
	return scratch_enter(state) != 0 ? -1 : mkdir("state", 0700);
}

static void a_copy_is_as_the_file_was(void **state)
{
	char copy[PATH_MAX];
	struct stat st;

	(void)state;
	scratch_write("list", "a\nb\n");
	assert_int_equal(copies_save("state", "list"), 0);
	assert_copy("list", "a\nb\n");
	assert_int_equal(stat(copies_path("state", "list", copy), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(unlink("list"), 0);
	assert_int_equal(copies_save("state", "list"), -1);
	assert_int_equal(errno, ENOENT);
	assert_copy("list", "a\nb\n");
}

static void each_path_has_its_own(void **state)
{
	char a[PATH_MAX], b[PATH_MAX];

	(void)state;
	assert_string_not_equal(
		copies_path("state", "/etc/a", a), copies_path("state", "/etc/b", b));
	assert_string_equal(copies_path("state", "/etc/a", b), a);
}

static void set_times(const char *name, time_t when)
{
	const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};

	assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static void one_that_is_as_old_and_as_long_is_not_made_again(void **state)
{
	char copy[PATH_MAX];
	struct stat before, after;

	(void)state;
	scratch_write("list", "a\n");
	set_times("list", 1000);
	assert_int_equal(copies_save("state", "list"), 0);
	assert_int_equal(stat(copies_path("state", "list", copy), &before), 0);
	assert_int_equal(copies_save("state", "list"), 0);
	assert_int_equal(stat(copy, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	scratch_write("list", "b\n");
	set_times("list", 1001);
	assert_int_equal(copies_save("state", "list"), 0);
	assert_copy("list", "b\n");
}

static void where_the_disk_is_full_the_old_one_stays(void **state)
{
	struct rlimit before, small;
	int files;

	(void)state;
	scratch_write("list", "a\n");
	assert_int_equal(copies_save("state", "list"), 0);
	files = scratch_count_files();
	scratch_write("list", "a longer one\n");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = 4, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(copies_save("state", "list"), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_copy("list", "a\n");
	assert_int_equal(scratch_count_files(), files);
}

static void without_the_folder_there_is_none(void **state)
{
	(void)state;
	scratch_write("list", "a\n");
	assert_int_equal(copies_save("nowhere", "list"), -1);
	assert_int_equal(errno, ENOENT);
}

#define copies_test(f) cmocka_unit_test_setup_teardown(f, setup, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		copies_test(a_copy_is_as_the_file_was),
		copies_test(each_path_has_its_own),
		copies_test(one_that_is_as_old_and_as_long_is_not_made_again),
		copies_test(where_the_disk_is_full_the_old_one_stays),
		copies_test(without_the_folder_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
