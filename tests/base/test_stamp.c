/* stamp: any change of a file changes it, and nothing else does. */
#include "base/stamp.h"

#include <fcntl.h>

#include "scratch.h"

static void without_a_change_it_is_equal(void **state)
{
	struct stamp a, b;

	(void)state;
	scratch_write("file", "text");
	a = stamp_of("file");
	free(scratch_read("file"));
	b = stamp_of("file");
	assert_true(stamp_equal(&a, &b));
}

static void a_missing_file_has_the_stamp_of_none(void **state)
{
	struct stamp none = {0}, missing = stamp_of("file"), made;

	(void)state;
	assert_true(stamp_equal(&none, &missing));
	scratch_write("file", "");
	made = stamp_of("file");
	assert_false(stamp_equal(&none, &made));
}

/* Times have the grain of the clock's ticks: until the next one comes. */
static void wait_for_another_time(const struct stamp *before)
{
	struct stamp now;

	do {
		scratch_write("other", "");
		now = stamp_of("other");
	} while (now.changed.tv_sec == before->changed.tv_sec &&
		now.changed.tv_nsec == before->changed.tv_nsec);
}

static void write_as_much(const char *name)
{
	scratch_write(name, "TEXT");
}

static void write_as_much_with_the_old_time(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	scratch_write(name, "TEXT");
	assert_int_equal(
		utimensat(AT_FDCWD, name, (struct timespec[]){st.st_atim, st.st_mtim}, 0), 0);
}

static void open_it_to_others(const char *name)
{
	assert_int_equal(chmod(name, 0644), 0);
}

static void put_another_in_its_place(const char *name)
{
	scratch_write("new", "text");
	assert_int_equal(rename("new", name), 0);
}

static void append(const char *name)
{
	FILE *file = fopen(name, "a");

	assert_non_null(file);
	fputs("more", file);
	assert_int_equal(fclose(file), 0);
}

static void any_change_is_one(void **state)
{
	static void (*const changes[])(const char *name) = {write_as_much,
		write_as_much_with_the_old_time, open_it_to_others, put_another_in_its_place,
		append};

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct stamp before, after;

		scratch_write("file", "text");
		assert_int_equal(chmod("file", 0600), 0);
		before = stamp_of("file");
		wait_for_another_time(&before);
		changes[i]("file");
		after = stamp_of("file");
		if (stamp_equal(&before, &after))
			fail_msg("change %zu is none", i);
	}
}

static void an_open_file_keeps_its_own(void **state)
{
	struct stamp named, opened;
	int fd;

	(void)state;
	scratch_write("file", "text");
	fd = open("file", O_RDONLY);
	named = stamp_of("file");
	opened = stamp_of_open(fd);
	assert_true(stamp_equal(&named, &opened));
	put_another_in_its_place("file");
	named = stamp_of("file");
	opened = stamp_of_open(fd);
	assert_false(stamp_equal(&named, &opened));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(without_a_change_it_is_equal),
		scratch_test(a_missing_file_has_the_stamp_of_none),
		scratch_test(any_change_is_one),
		scratch_test(an_open_file_keeps_its_own),
	};

	return cmocka_run_group_tests_name("base/stamp", tests, NULL, NULL);
}
