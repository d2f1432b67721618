/* landlock: what is asked of kernels of each age; without a kernel. */
#include "server/landlock.h"

#include <errno.h>
#include <stdarg.h>

#include "../base/scratch.h"

/* ---- a kernel that knows as much as a test says ---- */

#define CREATE 444
#define ADD 445
#define RESTRICT 446

static int kernel; /* its version; 0: `error` is what it says */
static int error;
static uint64_t handled[3], allowed; /* as it was told last */

long __wrap_syscall(long number, ...);

static long answer(long value)
{
	if (kernel > 0)
		return value;
	errno = error;
	return -1;
}

long __wrap_syscall(long number, ...)
{
	unsigned flags;
	const void *what;
	va_list ap;
	int rules;

	va_start(ap, number);
	if (number == CREATE) {
		what = va_arg(ap, const void *);
		(void)va_arg(ap, size_t);
		flags = va_arg(ap, unsigned);
		va_end(ap);
		if (flags == 1)
			return answer(kernel);
		memcpy(handled, what, sizeof(handled));
		return answer(17);
	}
	rules = va_arg(ap, int);
	assert_int_equal(rules, 17);
	if (number == ADD) {
		assert_int_equal(va_arg(ap, int), 1);
		memcpy(&allowed, va_arg(ap, const void *), sizeof(allowed));
	} else {
		assert_int_equal(number, RESTRICT);
	}
	va_end(ap);
	return answer(0);
}

static int begin(void **state)
{
	kernel = 0;
	error = 0;
	return scratch_enter(state);
}

/* ---- tests ---- */

static void a_kernel_without_it_has_no_version_and_a_reason(void **state)
{
	static const int reasons[] = {ENOSYS, EOPNOTSUPP, EPERM};

	(void)state;
	for (size_t i = 0; i < COUNT(reasons); i++) {
		error = reasons[i];
		assert_int_equal(landlock_version(), 0);
		assert_int_equal(errno, reasons[i]);
	}
	assert_int_equal(landlock_begin(1), -1);
}

/* A right that it does not know makes an older kernel refuse all. */
static void each_version_is_asked_for_what_it_knows(void **state)
{
	static const struct {
		int version;
		uint64_t files, scopes;
	} rows[] = {{1, 0x1ff3, 0}, {2, 0x3ff3, 0}, {3, 0x7ff3, 0}, {4, 0x7ff3, 0}, {5, 0xfff3, 0},
		{6, 0xfff3, 3}, {99, 0xfff3, 3}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		kernel = rows[i].version;
		assert_int_equal(landlock_version(), kernel);
		assert_int_equal(landlock_begin(kernel), 17);
		assert_int_equal(handled[0], rows[i].files);
		assert_int_equal(handled[1], 0); /* ports: a reload may listen on others */
		assert_int_equal(handled[2], rows[i].scopes);
	}
}

static void nothing_is_allowed_that_is_not_handled(void **state)
{
	(void)state;
	kernel = 1;
	assert_int_equal(landlock_allow(17, 1, ".", LANDLOCK_OWN), 0);
	assert_int_equal(allowed, 0x122);
	kernel = 3;
	assert_int_equal(landlock_allow(17, 3, ".", LANDLOCK_OWN), 0);
	assert_int_equal(allowed, 0x4122);
	assert_int_equal(landlock_allow(17, 3, ".", LANDLOCK_APPEND), 0);
	assert_int_equal(allowed, 0x102);
	assert_int_equal(landlock_allow(17, 3, ".", LANDLOCK_LISTEN), 0);
	assert_int_equal(allowed, 0x220);
	assert_int_equal(landlock_allow(17, 3, "/dev/null", LANDLOCK_DEVICE), 0);
	assert_int_equal(allowed, 0x2);
}

static void what_is_no_folder_is_not_taken_for_one(void **state)
{
	(void)state;
	kernel = 3;
	scratch_write("file", "");
	assert_int_equal(landlock_allow(17, 3, "file", LANDLOCK_OWN), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(landlock_allow(17, 3, "missing", LANDLOCK_OWN), -1);
	assert_int_equal(errno, ENOENT);
}

static void a_kernel_that_refuses_is_told(void **state)
{
	(void)state;
	error = E2BIG;
	assert_int_equal(landlock_allow(17, 3, ".", LANDLOCK_OWN), -1);
	assert_int_equal(errno, E2BIG);
	assert_int_equal(landlock_enforce(17), -1);
	assert_int_equal(errno, E2BIG);
	kernel = 1;
	assert_int_equal(landlock_enforce(17), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, scratch_leave)
	const struct CMUnitTest tests[] = {
		TEST(a_kernel_without_it_has_no_version_and_a_reason),
		TEST(each_version_is_asked_for_what_it_knows),
		TEST(nothing_is_allowed_that_is_not_handled),
		TEST(what_is_no_folder_is_not_taken_for_one),
		TEST(a_kernel_that_refuses_is_told),
	};

	return cmocka_run_group_tests_name("server/landlock", tests, NULL, NULL);
}
