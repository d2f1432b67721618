/* password_checks: the number that is set, and what auto makes of processors and memory. */
#include "server/password_checks.h"

#include <unistd.h>

#include "../base/check.h"
#include "base/processors.h"

static unsigned processors;
static long pages;

unsigned __wrap_processors_usable(void);
long __real_sysconf(int name);
long __wrap_sysconf(int name);

unsigned __wrap_processors_usable(void)
{
	return processors;
}

long __wrap_sysconf(int name)
{
	if (name == _SC_PAGESIZE)
		return 4096;
	return name == _SC_PHYS_PAGES ? pages : __real_sysconf(name);
}

#define GIGABYTE (1L << 18) /* in pages */

static void what_is_set_is_done(void **state)
{
	struct settings s = {.max_password_checks = 7};

	(void)state;
	processors = 2;
	pages = GIGABYTE / 16;
	assert_int_equal(password_checks_most(&s), 7);
}

static void auto_goes_by_processors_and_memory(void **state)
{
	static const struct {
		unsigned processors;
		long pages;
		unsigned most;
	} rows[] = {
		{1, 64 * GIGABYTE, 1}, {2, 64 * GIGABYTE, 2}, {16, 64 * GIGABYTE, 16},
		{200, 64 * GIGABYTE, 64}, /* as many as may be set */
		{16, 1 * GIGABYTE, 4}, {4, 1 * GIGABYTE, 4}, {16, GIGABYTE / 2, 2},
		{16, GIGABYTE / 8, 1}, /* a 16th does not hold one */
		{16, -1, 1}, /* not known */
	};
	struct settings s = {.max_password_checks = 0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		processors = rows[i].processors;
		pages = rows[i].pages;
		if (password_checks_most(&s) != rows[i].most)
			fail_msg("row %zu: %u", i, password_checks_most(&s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_is_done),
		cmocka_unit_test(auto_goes_by_processors_and_memory),
	};

	return cmocka_run_group_tests_name("server/password_checks", tests, NULL, NULL);
}
