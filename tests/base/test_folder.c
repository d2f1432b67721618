/* folder: where a path is, and whether a file could be made there, which leaves no trace. */
#include "base/folder.h"

#include <errno.h>

#include "lacking.h"
#include "scratch.h"

static void a_path_is_in_its_folder(void **state)
{
	static const char *const rows[][2] = {{"users", "."}, {"a/users", "a"}, {"/users", "/"},
		{"/etc/socks5d/users", "/etc/socks5d"}, {"../users", ".."}};
	char copy[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(folder_of(rows[i][0], copy), rows[i][1]);
}

static void a_folder_that_may_be_written_takes_a_file(void **state)
{
	(void)state;
	assert_true(folder_takes_file("file"));
	assert_true(access("file", F_OK) < 0);
	assert_false(folder_takes_file("missing/file"));
	assert_int_equal(errno, ENOENT);
	scratch_write("file", "");
	assert_false(folder_takes_file("file/other"));
	assert_int_equal(errno, ENOTDIR);
	assert_false(folder_takes_file("/proc/self/file"));
}

static void a_folder_that_may_only_be_read_does_not(void **state)
{
	(void)state;
	if (geteuid() == 0 && seteuid(65534) < 0)
		skip_for_want_of("another user");
	errno = 0;
	assert_false(folder_takes_file("/etc/file"));
	assert_int_equal(errno, EACCES);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_in_its_folder),
		scratch_test(a_folder_that_may_be_written_takes_a_file),
		scratch_test(a_folder_that_may_only_be_read_does_not),
	};

	return cmocka_run_group_tests_name("base/folder", tests, NULL, NULL);
}
