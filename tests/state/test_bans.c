/* bans: how long addresses wait, and which are forgotten. */
#include "state/bans.h"

#include "../base/check.h"

static struct addr host(uint8_t last, uint16_t port)
{
	const uint8_t bytes[4] = {192, 0, 2, last};

	return addr_from_ipv4(bytes, port);
}

static void a_few_tries_are_free_and_then_the_wait_doubles(void **state)
{
	static const int64_t waits[] = {0, 0, 5000, 10000, 20000, 40000, 60000, 60000, 60000};
	struct bans h = {0};
	int64_t now = 1000;

	(void)state;
	for (size_t i = 0; i < COUNT(waits); i++) {
		struct addr a = host(1, (uint16_t)(5000 + i)); /* whatever the port */

		assert_false(bans_holds(&h, &a, now));
		assert_int_equal(bans_note_failure(&h, &a, now), i + 1);
		if (waits[i] > 0)
			assert_true(bans_holds(&h, &a, now + waits[i] - 1));
		now += waits[i];
		assert_false(bans_holds(&h, &a, now));
	}
}

static void others_are_not_held_off(void **state)
{
	struct bans h = {0};
	struct addr bad = host(1, 1), good = host(2, 1);

	(void)state;
	for (int i = 0; i < 3; i++)
		bans_note_failure(&h, &bad, 0);
	assert_true(bans_holds(&h, &bad, 1));
	assert_false(bans_holds(&h, &good, 1));
}

static void a_network_of_ipv6_is_one_holder(void **state)
{
	const uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4};
	struct bans h = {0};
	struct addr a = addr_from_ipv6(bytes, 1), other;

	(void)state;
	for (uint8_t i = 0; i < 3; i++) {
		a.in6.sin6_addr.s6_addr[15] = i;
		bans_note_failure(&h, &a, 0);
	}
	a.in6.sin6_addr.s6_addr[8] = 0xff;
	assert_true(bans_holds(&h, &a, 1));
	other = a;
	other.in6.sin6_addr.s6_addr[7] = 0xff;
	assert_false(bans_holds(&h, &other, 1));
	bans_forget(&h, &a);
	assert_false(bans_holds(&h, &a, 1));
}

static void a_success_or_a_long_time_makes_it_good(void **state)
{
	struct bans h = {0};
	struct addr a = host(1, 1);
	int64_t later = 5000 + BANS_FORGET_MS;

	(void)state;
	for (int i = 0; i < 3; i++)
		bans_note_failure(&h, &a, 0);
	bans_forget(&h, &a);
	assert_false(bans_holds(&h, &a, 1));
	assert_int_equal(bans_note_failure(&h, &a, 0), 1);
	for (int i = 0; i < 2; i++)
		bans_note_failure(&h, &a, 0);
	assert_int_equal(bans_note_failure(&h, &a, later - 1), 4);
	assert_int_equal(bans_note_failure(&h, &a, later * 3), 1);
}

static void a_full_table_forgets_who_may_try_again_first(void **state)
{
	struct bans h = {0};
	struct addr first = host(255, 1), last = host(254, 1);

	(void)state;
	for (int i = 0; i < 3; i++)
		bans_note_failure(&h, &first, 1000000);
	for (int n = 0; n < BANS_ADDRS - 1; n++) {
		struct addr a = host((uint8_t)n, 1);

		bans_note_failure(&h, &a, n);
	}
	bans_note_failure(&h, &last, 500);
	assert_true(bans_holds(&h, &first, 1000001));
	assert_int_equal(bans_note_failure(&h, &last, 500), 2);
	last = host(0, 1); /* the one that made room */
	assert_int_equal(bans_note_failure(&h, &last, 500), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_tries_are_free_and_then_the_wait_doubles),
		cmocka_unit_test(others_are_not_held_off),
		cmocka_unit_test(a_network_of_ipv6_is_one_holder),
		cmocka_unit_test(a_success_or_a_long_time_makes_it_good),
		cmocka_unit_test(a_full_table_forgets_who_may_try_again_first),
	};

	return cmocka_run_group_tests_name("state/bans", tests, NULL, NULL);
}
