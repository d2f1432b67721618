/* capacity: how many sessions fit into limits that the test sets, and what is said to have decided.
 */
#include "server/capacity.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/said.h"
#include "base/cgroup.h"
#include "proxy/pool.h"

#define MIB (1024 * 1024ull)

/* ---- the system ---- */

static struct system {
	uint64_t host; /* bytes of memory; 0: it does not tell */
	struct cgroup_limit memory, threads, granted;
	int processors; /* of its affinity; 0: it does not tell */
	rlim_t files, address_space, data;
	uint64_t mapped, mapped_data; /* in use of these, in pages */
} system_;

struct cgroup_limit __wrap_cgroup_memory(const char *root);
struct cgroup_limit __wrap_cgroup_threads_left(const char *root);
struct cgroup_limit __wrap_cgroup_processors(const char *root);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *out);
long __real_sysconf(int name);
long __wrap_sysconf(int name);
int __wrap_getrlimit64(__rlimit_resource_t resource, struct rlimit *out);
int __wrap_setrlimit64(__rlimit_resource_t resource, const struct rlimit *limit);
FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
size_t __wrap_fdbudget_count_open(void);

struct cgroup_limit __wrap_cgroup_memory(const char *root)
{
	assert_string_equal(root, "");
	return system_.memory;
}

struct cgroup_limit __wrap_cgroup_threads_left(const char *root)
{
	assert_string_equal(root, "");
	return system_.threads;
}

struct cgroup_limit __wrap_cgroup_processors(const char *root)
{
	assert_string_equal(root, "");
	return system_.granted;
}

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *out)
{
	assert_int_equal(pid, 0);
	assert_int_equal(size, sizeof(*out));
	CPU_ZERO(out);
	for (size_t i = 0; i < (size_t)system_.processors; i++)
		CPU_SET(i, out);
	return system_.processors == 0 ? -1 : 0;
}

long __wrap_sysconf(int name)
{
	if (name != _SC_PHYS_PAGES)
		return __real_sysconf(name);
	return system_.host == 0 ? -1 : (long)system_.host / __real_sysconf(_SC_PAGESIZE);
}

int __wrap_getrlimit64(__rlimit_resource_t resource, struct rlimit *out)
{
	rlim_t limit = RLIM_INFINITY;

	if (resource == RLIMIT_NOFILE)
		limit = system_.files;
	else if (resource == RLIMIT_AS)
		limit = system_.address_space;
	else if (resource == RLIMIT_DATA)
		limit = system_.data;
	*out = (struct rlimit){.rlim_cur = limit, .rlim_max = limit};
	return 0;
}

int __wrap_setrlimit64(__rlimit_resource_t resource, const struct rlimit *limit)
{
	(void)resource;
	(void)limit;
	fail();
	return -1;
}

FILE *__wrap_fopen64(const char *path, const char *mode)
{
	static char text[128];

	if (strcmp(path, "/proc/self/statm") != 0)
		return __real_fopen64(path, mode);
	snprintf(text, sizeof(text), "%llu 1 1 1 0 %llu 0\n", (unsigned long long)system_.mapped,
		(unsigned long long)system_.mapped_data);
	return fmemopen(text, strlen(text), "r");
}

size_t __wrap_fdbudget_count_open(void)
{
	return 3;
}

/* ---- planning ---- */

static struct fdbudget budget;
static struct settings settings;
static struct capacity c;
static char error[CONFIG_ERROR_MAX];

static int setup(void **state)
{
	(void)state;
	system_ = (struct system){.host = 64 * 1024 * MIB,
		.memory = {.value = CGROUP_NO_LIMIT},
		.threads = {.value = CGROUP_NO_LIMIT},
		.files = 1000000,
		.address_space = RLIM_INFINITY,
		.data = RLIM_INFINITY};
	return settings_init(&settings);
}

static int teardown(void **state)
{
	(void)state;
	settings_free(&settings);
	return 0;
}

static void limit_memory(uint64_t mib)
{
	system_.memory = (struct cgroup_limit){.value = mib * MIB, .file = "/cg/memory.max"};
}

static void leave_threads(uint64_t threads)
{
	system_.threads = (struct cgroup_limit){.value = threads, .file = "/cg/pids.max"};
}

/* Both steps, with max_sessions as given; 0: auto. */
static void expect(int64_t max_sessions, size_t sessions, const char *why)
{
	settings.max_sessions = max_sessions;
	if (capacity_plan(&c, &budget, &settings, 2, error) < 0 ||
		capacity_plan_workers(&c, &budget, &settings, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(budget.sessions, sessions);
	assert_string_equal(c.why, why);
}

static void automatic_is_a_64th_of_the_memory_between_512_and_10000(void **state)
{
	(void)state;
	expect(0, 10000, "max_sessions = auto, at most 10000");
	system_.host = 4096 * MIB;
	expect(0, 2048, "max_sessions = auto, a 64th of the memory");
	system_.host = 1024 * MIB;
	expect(0, 512, "max_sessions = auto, a 64th of the memory");
	system_.host = 512 * MIB;
	expect(0, 512, "max_sessions = auto, at least 512");
}

static void automatic_is_never_more_than_an_eighth_of_the_memory(void **state)
{
	(void)state;
	system_.host = 128 * MIB;
	expect(0, 512, "max_sessions = auto, at least 512");
	system_.host = 64 * MIB;
	expect(0, 256, "max_sessions = auto, an eighth of the memory");
}

static void the_control_group_counts_where_it_allows_less_than_the_host_has(void **state)
{
	(void)state;
	limit_memory(2048);
	expect(0, 1024, "max_sessions = auto, a 64th of /cg/memory.max");
	assert_int_equal(c.memory, 2048 * MIB);
	limit_memory(256);
	expect(0, 512, "max_sessions = auto, at least 512");
	limit_memory(32);
	expect(0, 128, "max_sessions = auto, an eighth of /cg/memory.max");
	system_.host = 16 * MIB;
	expect(0, 64, "max_sessions = auto, an eighth of the memory");
}

static void full_buffers_take_a_16th_of_the_memory(void **state)
{
	(void)state;
	expect(0, 10000, "max_sessions = auto, at most 10000");
	assert_int_equal(c.full_buffers, 0); /* all sessions may have both of theirs */
	limit_memory(256);
	expect(0, 512, "max_sessions = auto, at least 512");
	assert_int_equal(c.full_buffers, 256);
	limit_memory(4096);
	expect(0, 2048, "max_sessions = auto, a 64th of /cg/memory.max");
	assert_int_equal(c.full_buffers, 0);
	limit_memory(32);
	expect(100, 100, "max_sessions");
	assert_int_equal(c.full_buffers, 32);
	expect(16, 16, "max_sessions");
	assert_int_equal(c.full_buffers, 0);
}

static void a_host_that_does_not_tell_its_memory_has_512(void **state)
{
	(void)state;
	system_.host = 0;
	expect(0, 512, "max_sessions = auto, a 64th of the memory");
}

static void what_is_given_is_lowered_to_what_half_of_the_memory_carries(void **state)
{
	(void)state;
	limit_memory(256);
	expect(4096, 4096, "max_sessions");
	expect(4097, 4096, "half of /cg/memory.max");
	expect(1, 1, "max_sessions");
}

static void files_bound_both(void **state)
{
	(void)state;
	system_.files = 1024;
	expect(0, 484, "the limit of 1024 open files (ulimit -n)");
	expect(489, 484, "the limit of 1024 open files (ulimit -n)");
	expect(484, 484, "max_sessions");
}

static void an_eighth_of_the_threads_that_are_left_and_16_at_least_is_kept_free(void **state)
{
	(void)state;
	leave_threads(2040);
	expect(0, 1785, "/cg/pids.max");
	expect(5000, 1785, "/cg/pids.max");
	expect(1785, 1785, "max_sessions");
	leave_threads(100);
	expect(0, 84, "/cg/pids.max");
	leave_threads(17);
	expect(0, 1, "/cg/pids.max");
}

static void of_the_address_space_hashes_have_theirs_and_workers_half_of_the_rest(void **state)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	(void)state;
	settings.max_password_checks = 3;
	system_.mapped = 100;
	system_.address_space = 100 * page + 3 * 16 * MIB + 2 * 70 * pool_bytes_each();
	expect(0, 70, "the limit on address space (ulimit -v)");
	system_.mapped_data = 50;
	system_.data = 50 * page + 3 * 16 * MIB + 2 * 60 * pool_bytes_each();
	expect(0, 60, "the limit on data (ulimit -d)");
	expect(60, 60, "max_sessions");
}

static void hashes_are_as_many_as_processors_and_memory_allow(void **state)
{
	static const struct {
		int processors;
		uint64_t granted;
		uint64_t mib;
		unsigned most;
	} rows[] = {
		{1, CGROUP_NO_LIMIT, 65536, 1}, {16, CGROUP_NO_LIMIT, 65536, 16}, {16, 3, 65536, 3},
		{2, 3, 65536, 2}, {200, CGROUP_NO_LIMIT, 65536, 64}, /* as many as may be set */
		{16, CGROUP_NO_LIMIT, 1024, 4}, {2, CGROUP_NO_LIMIT, 1024, 2},
		{16, CGROUP_NO_LIMIT, 128, 1}, /* a 16th does not hold one */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		settings.max_password_checks = 0;
		system_.processors = rows[i].processors;
		system_.granted.value = rows[i].granted;
		limit_memory(rows[i].mib);
		if (capacity_password_checks(&settings) != rows[i].most)
			fail_msg("row %zu: %u", i, capacity_password_checks(&settings));
		settings.max_password_checks = 7;
		assert_int_equal(capacity_password_checks(&settings), 7);
	}
}

static void what_leaves_room_for_none_says_so(void **state)
{
	(void)state;
	settings.max_sessions = 5;
	system_.files = 30;
	assert_int_equal(capacity_plan(&c, &budget, &settings, 2, error), -1);
	assert_string_equal(
		error, "there is room for no session: the limit of 30 open files (ulimit -n)");
	system_.files = 1000;
	leave_threads(16);
	assert_int_equal(capacity_plan(&c, &budget, &settings, 2, error), 0);
	assert_int_equal(capacity_plan_workers(&c, &budget, &settings, error), -1);
	assert_string_equal(error, "there is room for no session: /cg/pids.max");
	leave_threads(CGROUP_NO_LIMIT);
	system_.address_space = MIB;
	assert_int_equal(capacity_plan(&c, &budget, &settings, 2, error), 0);
	assert_int_equal(capacity_plan_workers(&c, &budget, &settings, error), -1);
	assert_string_equal(
		error, "there is room for no session: the limit on address space (ulimit -v)");
}

/* ---- what is said ---- */

static void listen_to(size_t made)
{
	budget.sessions = made;
	said_begin();
	capacity_log(&c, &budget, &settings);
	said_end();
}

static void says_what_decided_and_warns_where_less_was_given(void **state)
{
	(void)state;
	limit_memory(256);
	expect(0, 512, "max_sessions = auto, at least 512");
	listen_to(512);
	assert_contains(
		said, "msg=\"512 sessions fit\" limited_by=\"max_sessions = auto, at least");
	assert_contains(said, " memory_mib=256 ");
	assert_null(strstr(said, "warn"));
	listen_to(100);
	assert_contains(said, "limited_by=\"the system's limit on threads or memory\"");
	assert_null(strstr(said, "warn"));
	expect(5000, 4096, "half of /cg/memory.max");
	listen_to(4096);
	assert_contains(said, "limited_by=\"half of /cg/memory.max\"");
	assert_contains(said,
		"level=warn msg=\"max_sessions = 5000 does not fit: lowered to 4096 "
		"(half of /cg/memory.max)\"");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(automatic_is_a_64th_of_the_memory_between_512_and_10000),
		TEST(automatic_is_never_more_than_an_eighth_of_the_memory),
		TEST(the_control_group_counts_where_it_allows_less_than_the_host_has),
		TEST(a_host_that_does_not_tell_its_memory_has_512),
		TEST(full_buffers_take_a_16th_of_the_memory),
		TEST(what_is_given_is_lowered_to_what_half_of_the_memory_carries),
		TEST(files_bound_both),
		TEST(an_eighth_of_the_threads_that_are_left_and_16_at_least_is_kept_free),
		TEST(of_the_address_space_hashes_have_theirs_and_workers_half_of_the_rest),
		TEST(hashes_are_as_many_as_processors_and_memory_allow),
		TEST(what_leaves_room_for_none_says_so),
		TEST(says_what_decided_and_warns_where_less_was_given),
	};

	return cmocka_run_group_tests_name("server/capacity", tests, NULL, NULL);
}
