/* bell: who rings, who hears it, and who closes. */
#include "net/bell.h"

#include <fcntl.h>
#include <poll.h>

#include "base/wake.h"
#include "suite.h"

static bool is_ringing(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void all_that_were_put_are_rung_once(void **state)
{
	struct bell *a = bell_new(), *b = bell_new();
	struct bells bells = {NULL};

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	bell_put(&bells, a);
	bell_put(&bells, b);
	assert_false(is_ringing(bell_fd(a)));
	bells_ring(&bells);
	assert_true(is_ringing(bell_fd(a)));
	assert_true(is_ringing(bell_fd(b)));
	wake_clear(bell_fd(a));
	bells_ring(&bells);
	assert_false(is_ringing(bell_fd(a)));
	bell_release(a);
	bell_release(b);
}

static void it_is_open_until_the_last_releases_it(void **state)
{
	struct bell *b = bell_new();
	struct bells bells = {NULL};
	int fd;

	(void)state;
	assert_non_null(b);
	fd = bell_fd(b);
	bell_put(&bells, b);
	bell_release(b);
	assert_true(is_open(fd));
	bells_ring(&bells);
	assert_false(is_open(fd));
	bell_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_that_were_put_are_rung_once),
		cmocka_unit_test(it_is_open_until_the_last_releases_it)};

	return cmocka_run_group_tests_name("net/bell", tests, NULL, NULL);
}
