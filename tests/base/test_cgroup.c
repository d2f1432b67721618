/* cgroup: limits of trees that each test makes, with what /proc would say of them. */
#include "base/cgroup.h"

#include "scratch.h"

static char root[256]; /* of the tree: the test's folder */

static int enter(void **state)
{
	return scratch_enter(state) < 0 || getcwd(root, sizeof(root)) == NULL ? -1 : 0;
}

/* Makes the file with all folders on its way. */
static void put(const char *path, const char *text)
{
	char copy[1024];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *slash = copy; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
		*slash = '\0';
		(void)!mkdir(copy, 0755);
	}
	scratch_write(path, text);
}

#define MOUNT_V2 "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define MOUNTS_V1                                                                                  \
	"21 1 0:5 / / rw - ext4 /dev/root rw\n"                                                    \
	"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"                        \
	"40 31 0:37 / /sys/fs/cgroup/pids rw shared:1 master:2 - cgroup cgroup rw,pids\n"

static void put_proc(const char *cgroup, const char *mountinfo)
{
	put("proc/self/cgroup", cgroup);
	put("proc/self/mountinfo", mountinfo);
}

static void expect_limit(struct cgroup_limit limit, uint64_t value, const char *file)
{
	assert_int_equal(limit.value, value);
	assert_string_equal(limit.file, file);
}

static void expect_bytes(uint64_t value, const char *file)
{
	expect_limit(cgroup_memory(root), value, file);
}

static void expect_threads(uint64_t value, const char *file)
{
	expect_limit(cgroup_threads_left(root), value, file);
}

/* ---- v2 ---- */

static void the_least_of_all_levels_counts_in_v2(void **state)
{
	(void)state;
	put_proc("0::/system.slice/a.service\n", MOUNT_V2);
	put("sys/fs/cgroup/system.slice/a.service/memory.max", "max\n");
	expect_bytes(CGROUP_NO_LIMIT, "");
	put("sys/fs/cgroup/system.slice/memory.max", "268435456\n");
	expect_bytes(268435456, "/sys/fs/cgroup/system.slice/memory.max");
	put("sys/fs/cgroup/system.slice/a.service/memory.max", "134217728\n");
	expect_bytes(134217728, "/sys/fs/cgroup/system.slice/a.service/memory.max");
	put("sys/fs/cgroup/system.slice/a.service/memory.high", "100000000\n");
	expect_bytes(100000000, "/sys/fs/cgroup/system.slice/a.service/memory.high");
	put("sys/fs/cgroup/memory.max", "5000000\n");
	expect_bytes(5000000, "/sys/fs/cgroup/memory.max");
}

static void threads_that_are_there_do_not_count_as_left(void **state)
{
	(void)state;
	put_proc("0::/a/b\n", MOUNT_V2);
	put("sys/fs/cgroup/a/b/pids.max", "2048\n");
	put("sys/fs/cgroup/a/b/pids.current", "5\n");
	expect_threads(2043, "/sys/fs/cgroup/a/b/pids.max");
	put("sys/fs/cgroup/a/pids.max", "3000\n");
	put("sys/fs/cgroup/a/pids.current", "2500\n");
	expect_threads(500, "/sys/fs/cgroup/a/pids.max");
	put("sys/fs/cgroup/a/pids.current", "3001\n");
	expect_threads(0, "/sys/fs/cgroup/a/pids.max");
	put("sys/fs/cgroup/a/pids.max", "max\n");
	expect_threads(2043, "/sys/fs/cgroup/a/b/pids.max");
}

/* ---- v1 ---- */

static void each_controller_of_v1_has_its_own_group(void **state)
{
	(void)state;
	put_proc("9:name=systemd:/x\n5:pids:/p\n4:memory:/m/n\n0::/\n", MOUNTS_V1);
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	expect_bytes(9223372036854771712u, "/sys/fs/cgroup/memory/memory.limit_in_bytes");
	put("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "268435456\n");
	put("sys/fs/cgroup/memory/m/n/memory.limit_in_bytes", "536870912\n");
	put("sys/fs/cgroup/memory/p/memory.limit_in_bytes", "1\n"); /* another's */
	expect_bytes(268435456, "/sys/fs/cgroup/memory/m/memory.limit_in_bytes");
	put("sys/fs/cgroup/pids/p/pids.max", "100\n");
	put("sys/fs/cgroup/pids/p/pids.current", "1\n");
	expect_threads(99, "/sys/fs/cgroup/pids/p/pids.max");
}

static void controllers_may_share_a_hierarchy(void **state)
{
	(void)state;
	put_proc("3:cpu,memory,pids:/g\n2:memoryless:/h\n",
		"1 1 0:1 / /c rw - cgroup none rw,cpu,memory,pids\n");
	put("c/g/memory.limit_in_bytes", "4096\n");
	put("c/g/pids.max", "7\n");
	expect_bytes(4096, "/c/g/memory.limit_in_bytes");
	expect_threads(7, "/c/g/pids.max");
}

static void the_hierarchy_of_v2_may_stand_beside_those_of_v1(void **state)
{
	(void)state;
	put_proc("4:memory:/m\n0::/u\n",
		MOUNTS_V1 "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	put("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "4096\n");
	put("sys/fs/cgroup/unified/u/pids.max", "7\n");
	expect_bytes(4096, "/sys/fs/cgroup/memory/m/memory.limit_in_bytes");
	expect_threads(7, "/sys/fs/cgroup/unified/u/pids.max");
}

/* ---- containers ---- */

static void a_container_with_its_own_namespace_sees_its_group_as_the_root(void **state)
{
	(void)state;
	put_proc("0::/\n", MOUNT_V2);
	put("sys/fs/cgroup/memory.max", "268435456\n");
	expect_bytes(268435456, "/sys/fs/cgroup/memory.max");
}

static void a_container_without_one_sees_its_group_at_the_mount_point(void **state)
{
	(void)state;
	put_proc("4:memory:/docker/0123/sub\n",
		"35 31 0:32 /docker/0123 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
	expect_bytes(268435456, "/sys/fs/cgroup/memory/memory.limit_in_bytes");
	put("sys/fs/cgroup/memory/sub/memory.limit_in_bytes", "4096\n");
	expect_bytes(4096, "/sys/fs/cgroup/memory/sub/memory.limit_in_bytes");
}

static void a_group_that_is_not_below_the_mount_has_the_limits_of_its_top(void **state)
{
	static const char *const groups[] = {"0::/../other\n", "0::/docker/0123\n", "0::/ab\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(groups); i++) {
		put_proc(groups[i], "1 1 0:1 /a /c rw - cgroup2 none rw\n");
		put("c/memory.max", "268435456\n");
		put("other/memory.max", "1\n");
		put("cb/memory.max", "1\n");
		expect_bytes(268435456, "/c/memory.max");
	}
}

static void of_several_mounts_the_last_that_shows_the_group_counts(void **state)
{
	(void)state;
	put_proc("0::/a/b\n",
		"1 1 0:1 / /one rw - cgroup2 none rw\n2 1 0:1 / /two rw - cgroup2 none rw\n"
		"3 1 0:1 /else /three rw - cgroup2 none rw\n");
	put("one/a/b/memory.max", "1\n");
	put("two/a/b/memory.max", "268435456\n");
	put("three/memory.max", "2\n");
	expect_bytes(268435456, "/two/a/b/memory.max");
}

static void a_mount_point_may_have_blanks(void **state)
{
	(void)state;
	put_proc("0::/\n", "1 1 0:1 / /my\\040own\\134x rw - cgroup2 none rw\n");
	put("my own\\x/memory.max", "4096\n");
	expect_bytes(4096, "/my own\\x/memory.max");
}

/* ---- what cannot be understood ---- */

static void without_proc_there_is_no_limit(void **state)
{
	(void)state;
	expect_bytes(CGROUP_NO_LIMIT, "");
	expect_threads(CGROUP_NO_LIMIT, "");
	put("proc/self/cgroup", "0::/\n");
	expect_bytes(CGROUP_NO_LIMIT, "");
}

static void odd_lines_and_values_are_no_limit(void **state)
{
	static const char *const mounts[] = {"", "\n", "1 1\n", "1 1 0:1 / /c rw\n",
		" - cgroup2 x y\n", "1 1 0:1 / /c rw - \n", "1 1 0:1 / /c rw - cgroup2\n",
		"1 1 0:1 / /c rw - tmpfs x rw\n"};
	static const char *const values[] = {"", "\n", "-1\n", "x\n", "0x10\n",
		"99999999999999999999\n", "12345678901234567890123456789012345\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(mounts); i++) {
		put_proc("no colons\n1:\n0::/\n", mounts[i]);
		put("c/memory.max", "4096\n");
		expect_bytes(CGROUP_NO_LIMIT, "");
	}
	put_proc("0::/\n", "1 1 0:1 / /c rw - cgroup2 x rw\n");
	expect_bytes(4096, "/c/memory.max");
	for (size_t i = 0; i < COUNT(values); i++) {
		put("c/memory.max", values[i]);
		expect_bytes(CGROUP_NO_LIMIT, "");
	}
}

static void a_path_that_is_too_long_is_no_limit(void **state)
{
	char group[2000];

	(void)state;
	snprintf(group, sizeof(group), "0::/%01500d\n", 0);
	put_proc(group, MOUNT_V2);
	expect_bytes(CGROUP_NO_LIMIT, "");
	snprintf(group, sizeof(group), "0::/%01015d\n", 0);
	put_proc(group, MOUNT_V2);
	expect_bytes(CGROUP_NO_LIMIT, "");
}

/* ---- processors ---- */

static void expect_processors(uint64_t value, const char *file)
{
	expect_limit(cgroup_processors(root), value, file);
}

static void a_part_of_a_processor_counts_as_a_whole_one(void **state)
{
	static const struct {
		const char *text;
		uint64_t processors;
	} rows[] = {{"max 100000\n", CGROUP_NO_LIMIT}, {"100000 100000\n", 1},
		{"150000 100000\n", 2}, {"200000 100000\n", 2}, {"1000 100000\n", 1},
		{"6400000 100000\n", 64}, {"50000 25000\n", 2}, {"", CGROUP_NO_LIMIT},
		{"100000\n", CGROUP_NO_LIMIT}, {"0 100000\n", CGROUP_NO_LIMIT},
		{"-1 100000\n", CGROUP_NO_LIMIT}, {"100000 0\n", CGROUP_NO_LIMIT},
		{"99999999999999999999 1\n", CGROUP_NO_LIMIT}};

	(void)state;
	put_proc("0::/\n", MOUNT_V2);
	for (size_t i = 0; i < COUNT(rows); i++) {
		put("sys/fs/cgroup/cpu.max", rows[i].text);
		if (cgroup_processors(root).value != rows[i].processors)
			fail_msg("%s", rows[i].text);
	}
}

static void the_tightest_quota_of_all_levels_counts(void **state)
{
	(void)state;
	put_proc("0::/a/b/c\n", MOUNT_V2);
	put("sys/fs/cgroup/cpu.max", "max 100000\n");
	put("sys/fs/cgroup/a/cpu.max", "800000 100000\n");
	put("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
	expect_processors(8, "/sys/fs/cgroup/a/cpu.max");
	put("sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
	expect_processors(3, "/sys/fs/cgroup/a/b/cpu.max");
}

static void v1_has_quota_and_period_in_two_files(void **state)
{
	(void)state;
	put_proc("1:cpu,cpuacct:/box\n2:cpuset:/other\n",
		"33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
	put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "-1\n");
	expect_processors(CGROUP_NO_LIMIT, "");
	put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
	expect_processors(CGROUP_NO_LIMIT, "");
	put("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "250000\n");
	expect_processors(3, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_least_of_all_levels_counts_in_v2),
		TEST(threads_that_are_there_do_not_count_as_left),
		TEST(each_controller_of_v1_has_its_own_group),
		TEST(controllers_may_share_a_hierarchy),
		TEST(the_hierarchy_of_v2_may_stand_beside_those_of_v1),
		TEST(a_container_with_its_own_namespace_sees_its_group_as_the_root),
		TEST(a_container_without_one_sees_its_group_at_the_mount_point),
		TEST(a_group_that_is_not_below_the_mount_has_the_limits_of_its_top),
		TEST(of_several_mounts_the_last_that_shows_the_group_counts),
		TEST(a_mount_point_may_have_blanks),
		TEST(a_part_of_a_processor_counts_as_a_whole_one),
		TEST(the_tightest_quota_of_all_levels_counts),
		TEST(v1_has_quota_and_period_in_two_files),
		TEST(without_proc_there_is_no_limit),
		TEST(odd_lines_and_values_are_no_limit),
		TEST(a_path_that_is_too_long_is_no_limit),
	};

	return cmocka_run_group_tests_name("base/cgroup", tests, NULL, NULL);
}
