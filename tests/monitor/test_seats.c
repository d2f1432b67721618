/* seats: who makes room for whom. */
#include "monitor/seats.h"

#include "../base/check.h"
#include "base/clock.h"

#define SEATS 6

static struct console seats[SEATS];

static struct peer client(unsigned last)
{
	struct addr a = addr_from_ipv4((uint8_t[4]){192, 0, 2, (uint8_t)last}, 0);

	return peer_from_address(NULL, &a);
}

static int begin(void **state)
{
	(void)state;
	memset(seats, 0, sizeof(seats));
	return 0;
}

static void take(size_t at, enum console_phase phase, unsigned from, int64_t deadline)
{
	seats[at].phase = phase;
	seats[at].peer = client(from);
	seats[at].deadline = deadline;
	seats[at].number = (uint64_t)deadline;
}

/* All have logged in. */
static void fill_with_administrators(void)
{
	for (size_t i = 0; i < SEATS; i++)
		take(i, CONSOLE_COMMANDS, 1, 1000 + (int64_t)i);
}

/* -1: nobody makes room. */
static int seat_for(unsigned from)
{
	struct peer newcomer = client(from);
	struct console *c = seats_find(seats, SEATS, &newcomer);

	return c == NULL ? -1 : (int)(c - seats);
}

static void a_free_seat_is_taken_first(void **state)
{
	(void)state;
	fill_with_administrators();
	take(1, CONSOLE_LOGIN, 2, 50);
	take(2, CONSOLE_CLOSING, 2, 40);
	take(4, CONSOLE_FREE, 2, CLOCK_NEVER);
	assert_int_equal(seat_for(3), 4);
}

static void then_that_of_a_connection_that_is_over(void **state)
{
	(void)state;
	fill_with_administrators();
	take(1, CONSOLE_LOGIN, 2, 5);
	take(2, CONSOLE_CLOSING, 2, 40);
	take(3, CONSOLE_CLOSING, 2, 30);
	assert_int_equal(seat_for(3), 3);
}

static void who_has_logged_in_never_makes_room(void **state)
{
	(void)state;
	fill_with_administrators();
	assert_int_equal(seat_for(1), -1);
	assert_int_equal(seat_for(2), -1);
}

static void the_newest_of_the_client_with_most_makes_room(void **state)
{
	(void)state;
	take(0, CONSOLE_LOGIN, 7, 90);
	take(1, CONSOLE_LOGIN, 7, 92);
	take(2, CONSOLE_LOGIN, 9, 99);
	take(3, CONSOLE_LOGIN, 7, 91);
	take(4, CONSOLE_LOGIN, 8, 97);
	take(5, CONSOLE_COMMANDS, 8, 98);
	assert_int_equal(seat_for(9), 1);
}

static void who_floods_displaces_itself(void **state)
{
	(void)state;
	fill_with_administrators();
	take(0, CONSOLE_LOGIN, 2, 99);
	take(1, CONSOLE_LOGIN, 7, 90);
	/* As many as the other has, and one more that comes now. */
	assert_int_equal(seat_for(7), 1);
	/* Whoever comes to be alone meets two that are: the newest. */
	assert_int_equal(seat_for(3), 0);
}

static void whose_password_is_being_checked_counts_and_stays(void **state)
{
	(void)state;
	fill_with_administrators();
	take(0, CONSOLE_LOGIN, 7, CLOCK_NEVER);
	seats[0].order.is_away = true;
	take(1, CONSOLE_LOGIN, 7, 90);
	take(2, CONSOLE_LOGIN, 8, 95);
	assert_int_equal(seat_for(3), 1);
	seats[1].order.is_away = seats[2].order.is_away = true;
	assert_int_equal(seat_for(3), -1);
}

/* It comes back as soon as it is displaced, against one that types. */
static void who_types_keeps_the_seat_while_another_address_floods(void **state)
{
	struct peer flood = client(7);

	(void)state;
	for (size_t i = 0; i < SEATS; i++)
		take(i, CONSOLE_LOGIN, 7, (int64_t)i);
	take((size_t)seat_for(2), CONSOLE_LOGIN, 2, 100);
	for (int64_t now = 101; now < 200; now++) {
		int at = seat_for(7);

		assert_true(at >= 0);
		assert_true(peer_is_one_with(&seats[at].peer, &flood));
		take((size_t)at, CONSOLE_LOGIN, 7, now);
	}
}

static void at_the_socket_it_is_a_user_who_displaces_himself(void **state)
{
	struct peer newcomer = {.is_local = true, .uid = 8};

	(void)state;
	fill_with_administrators();
	for (size_t i = 0; i < 3; i++) {
		take(i, CONSOLE_LOGIN, 1, 90 + (int64_t)i);
		seats[i].peer = (struct peer){.is_local = true, .uid = i < 2 ? 7 : 8};
	}
	assert_ptr_equal(seats_find(seats, SEATS, &newcomer), &seats[2]);
	newcomer.uid = 9;
	assert_ptr_equal(seats_find(seats, SEATS, &newcomer), &seats[1]);
}

#define seats_test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		seats_test(a_free_seat_is_taken_first),
		seats_test(then_that_of_a_connection_that_is_over),
		seats_test(who_has_logged_in_never_makes_room),
		seats_test(the_newest_of_the_client_with_most_makes_room),
		seats_test(who_floods_displaces_itself),
		seats_test(whose_password_is_being_checked_counts_and_stays),
		seats_test(who_types_keeps_the_seat_while_another_address_floods),
		seats_test(at_the_socket_it_is_a_user_who_displaces_himself),
	};

	return cmocka_run_group_tests_name("monitor/seats", tests, NULL, NULL);
}
