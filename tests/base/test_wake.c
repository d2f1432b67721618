/* wake: readable once it was sent to, and not before. */
#include "base/wake.h"

#include <poll.h>
#include <unistd.h>

#include <stdbool.h>

#include "check.h"

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void polls_readable_until_it_is_read(void **state)
{
	int fd = wake_open();
	uint64_t times;

	(void)state;
	assert_true(fd >= 0);
	assert_false(is_readable(fd));
	wake_send(fd);
	wake_send(fd);
	assert_true(is_readable(fd));
	assert_int_equal(read(fd, &times, sizeof(times)), sizeof(times));
	assert_int_equal(times, 2);
	assert_false(is_readable(fd));
	close(fd);
}

static void what_was_sent_can_be_taken_back(void **state)
{
	int fd = wake_open();

	(void)state;
	wake_send(fd);
	wake_send(fd);
	wake_clear(fd);
	assert_false(is_readable(fd));
	wake_clear(fd);
	wake_send(fd);
	assert_true(is_readable(fd));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(polls_readable_until_it_is_read),
		cmocka_unit_test(what_was_sent_can_be_taken_back)};

	return cmocka_run_group_tests_name("base/wake", tests, NULL, NULL);
}
