/* turnaways: each client now and then, and not too many together. */
#include "state/turnaways.h"

#include <stdio.h>
#include <string.h>

#include "../base/check.h"

#define BEGUN 1000000

static struct turnaways t;

static int begin(void **state)
{
	(void)state;
	t = (struct turnaways){.next = 0};
	turnaways_init(&t);
	return 0;
}

static int end(void **state)
{
	(void)state;
	turnaways_destroy(&t);
	return 0;
}

static bool passes(const char *client, int64_t now)
{
	struct network n;

	assert_true(network_parse(client, strlen(client), &n));
	return turnaways_pass(&t, &n, now);
}

static bool number_passes(unsigned n, int64_t now)
{
	char client[32];

	snprintf(client, sizeof(client), "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
	return passes(client, now);
}

static void each_client_is_told_now_and_then(void **state)
{
	(void)state;
	assert_true(passes("192.0.2.1", BEGUN));
	assert_false(passes("192.0.2.1", BEGUN + 1));
	assert_true(passes("192.0.2.2", BEGUN + 1));
	assert_true(passes("2001:db8::/64", BEGUN + 1));
	assert_false(passes("192.0.2.1", BEGUN + TURNAWAYS_AGAIN_MS - 1));
	assert_true(passes("192.0.2.1", BEGUN + TURNAWAYS_AGAIN_MS));
	assert_false(passes("192.0.2.1", BEGUN + TURNAWAYS_AGAIN_MS + 1));
}

static void of_all_together_no_more_are_told_than_leave_room(void **state)
{
	unsigned told = 0, n = 0;

	(void)state;
	while (number_passes(n, BEGUN))
		n++;
	assert_int_equal(n, TURNAWAYS_AT_ONCE);
	/* A day of it. */
	for (int64_t now = BEGUN; now < BEGUN + 86400000; now += 1000)
		told += number_passes(++n, now);
	assert_in_range(told, 86400000 / TURNAWAYS_EACH_MS - 1, 86400000 / TURNAWAYS_EACH_MS + 1);
}

#define turnaways_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		turnaways_test(each_client_is_told_now_and_then),
		turnaways_test(of_all_together_no_more_are_told_than_leave_room),
	};

	return cmocka_run_group_tests_name("state/turnaways", tests, NULL, NULL);
}
