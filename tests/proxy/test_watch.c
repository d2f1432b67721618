/* watch: what of a client's doings ends what is done for it, and what bounds it. The clock is in
 * the test's hand. */
#include "proxy/watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"
#include "net.h"

static int64_t now;

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);

int64_t __wrap_clock_ms(void)
{
	return now;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return now + ms;
}

static int client; /* the test's end */
static struct watch w;

static int set_up(void **state)
{
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port);

	(void)state;
	client = net_connect("127.0.0.1", port);
	w = (struct watch){.client = net_accept(listener)};
	now = 1000;
	close(listener);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(w.client);
	if (client >= 0)
		close(client);
	return 0;
}

/* Waits until the kernel has something to say of it. */
static bool left(void)
{
	struct pollfd p = watch_entry(&w);

	assert_int_equal(poll(&p, 1, NET_PATIENCE_S * 1000), 1);
	return watch_left(&w, &p);
}

static void who_waits_for_an_answer_is_waited_with(void **state)
{
	(void)state;
	assert_false(watch_look(&w));
	net_send(client, "ahead", 5);
	assert_false(watch_look(&w));
	assert_int_equal(watch_deadline(&w, 77777), 77777);
	now += 60000;
	assert_false(watch_is_over(&w));
}

static void a_fin_ends_nothing_and_bounds_what_is_left(void **state)
{
	(void)state;
	shutdown(client, SHUT_WR);
	assert_false(left());
	assert_int_equal(watch_deadline(&w, 77777), 1000 + WATCH_FINISHED_MS);
	assert_int_equal(watch_deadline(&w, 1001), 1001);
	now = 1000 + WATCH_FINISHED_MS - 1;
	assert_false(watch_is_over(&w));
	/* It is told once: another look stretches nothing, and poll(2) does not return for it. */
	assert_false(watch_look(&w));
	assert_int_equal(watch_entry(&w).events, 0);
	now++;
	assert_true(watch_is_over(&w));
}

static void a_fin_behind_bytes_is_seen_without_reading_them(void **state)
{
	(void)state;
	net_send(client, "ahead", 5);
	shutdown(client, SHUT_WR);
	while (!w.finished)
		assert_false(left());
	net_expect(w.client, "ahead", 5);
}

static void who_closed_may_still_be_waiting_for_all_that_is_known(void **state)
{
	(void)state;
	close(client);
	client = -1;
	assert_false(left());
	assert_true(w.finished);
}

static void a_reset_ends_it_at_once(void **state)
{
	(void)state;
	net_reset(client);
	client = -1;
	assert_true(left());
	assert_true(watch_is_over(&w));
	assert_int_equal(watch_deadline(&w, CLOCK_NEVER), 0);
}

static void a_reset_behind_a_fin_ends_it_at_once(void **state)
{
	(void)state;
	shutdown(client, SHUT_WR);
	assert_false(left());
	net_reset(client);
	client = -1;
	assert_true(left());
}

static void nobody_is_watched_without_a_client(void **state)
{
	struct watch nobody = {.client = -1};

	(void)state;
	assert_false(watch_look(&nobody));
	assert_false(watch_is_over(&nobody));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(who_waits_for_an_answer_is_waited_with),
		TEST(a_fin_ends_nothing_and_bounds_what_is_left),
		TEST(a_fin_behind_bytes_is_seen_without_reading_them),
		TEST(who_closed_may_still_be_waiting_for_all_that_is_known),
		TEST(a_reset_ends_it_at_once),
		TEST(a_reset_behind_a_fin_ends_it_at_once),
		TEST(nobody_is_watched_without_a_client),
	};

	return cmocka_run_group_tests_name("proxy/watch", tests, NULL, NULL);
}
