/* processors: what cgroups of both versions grant, in trees like those of /sys/fs/cgroup. */
#include "base/processors.h"

#include <sys/stat.h>

#include "scratch.h"

/* A file of the tree with the folders above it. */
static void put(const char *path, const char *text)
{
	char folder[256];

	for (const char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/')) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(p - path), path);
		(void)mkdir(folder, 0700);
	}
	scratch_write(path, text);
}

static unsigned granted_to(const char *membership)
{
	scratch_write("membership", membership);
	return processors_granted("fs", "membership");
}

static void without_cgroups_nothing_is_known(void **state)
{
	(void)state;
	assert_int_equal(processors_granted("fs", "membership"), 0);
	assert_int_equal(granted_to(""), 0);
	assert_int_equal(granted_to("0::/\n"), 0);
	assert_int_equal(granted_to("no line of that kind\n:\n0:\n::\n"), 0);
}

static void a_part_of_a_processor_counts_as_a_whole_one(void **state)
{
	static const struct {
		const char *text;
		unsigned granted;
	} rows[] = {{"max 100000\n", 0}, {"100000 100000\n", 1}, {"150000 100000\n", 2},
		{"200000 100000\n", 2}, {"1000 100000\n", 1}, {"6400000 100000\n", 64},
		{"50000 25000\n", 2}, {"", 0}, {"100000\n", 0}, {"0 100000\n", 0},
		{"-1 100000\n", 0}, {"100000 0\n", 0}, {"99999999999999999999 1\n", 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		put("fs/cpu.max", rows[i].text);
		if (granted_to("0::/\n") != rows[i].granted)
			fail_msg("%s", rows[i].text);
	}
}

static void the_tightest_level_decides(void **state)
{
	(void)state;
	put("fs/cpu.max", "max 100000\n");
	put("fs/a/cpu.max", "800000 100000\n");
	put("fs/a/b/cpu.max", "300000 100000\n");
	put("fs/a/b/c/cpu.max", "max 100000\n");
	put("fs/a/tight/cpu.max", "1600000 100000\n");
	assert_int_equal(granted_to("0::/a/b/c\n"), 3);
	assert_int_equal(granted_to("0::/a/b\n"), 3);
	assert_int_equal(granted_to("0::/a/tight\n"), 8);
	assert_int_equal(granted_to("0::/a\n"), 8);
	assert_int_equal(granted_to("0::/\n"), 0);
	/* A level without the file: the controller is not on there. */
	assert_int_equal(granted_to("0::/a/b/c/d\n"), 3);
}

static void version_1_is_asked_where_it_has_the_controller(void **state)
{
	(void)state;
	put("fs/cpu/box/cpu.cfs_quota_us", "250000\n");
	put("fs/cpu/box/cpu.cfs_period_us", "100000\n");
	put("fs/cpu/free/cpu.cfs_quota_us", "-1\n");
	put("fs/cpu/free/cpu.cfs_period_us", "100000\n");
	assert_int_equal(granted_to("4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n"), 3);
	assert_int_equal(granted_to("1:cpu:/box\n"), 3);
	assert_int_equal(granted_to("1:cpuacct,cpu:/free\n"), 0);
	assert_int_equal(granted_to("1:cpuset:/box\n2:name=cpu:/box\n3:cpuacct:/box\n"), 0);
}

static void version_2_beside_version_1_lies_deeper(void **state)
{
	(void)state;
	put("fs/unified/box/cpu.max", "400000 100000\n");
	put("fs/cpu/box/cpu.cfs_quota_us", "200000\n");
	put("fs/cpu/box/cpu.cfs_period_us", "100000\n");
	assert_int_equal(granted_to("0::/box\n"), 4);
	assert_int_equal(granted_to("0::/box\n1:cpu:/box\n"), 2);
}

static void a_path_that_is_too_long_is_passed_over(void **state)
{
	static char membership[6000];

	(void)state;
	put("fs/cpu.max", "100000 100000\n");
	memset(membership, 'x', sizeof(membership) - 1);
	memcpy(membership, "0::/", 4);
	assert_int_equal(granted_to(membership), 0);
}

static void at_least_one_is_usable(void **state)
{
	(void)state;
	assert_true(processors_usable() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(without_cgroups_nothing_is_known),
		scratch_test(a_part_of_a_processor_counts_as_a_whole_one),
		scratch_test(the_tightest_level_decides),
		scratch_test(version_1_is_asked_where_it_has_the_controller),
		scratch_test(version_2_beside_version_1_lies_deeper),
		scratch_test(a_path_that_is_too_long_is_passed_over),
		scratch_test(at_least_one_is_usable),
	};

	return cmocka_run_group_tests_name("base/processors", tests, NULL, NULL);
}
