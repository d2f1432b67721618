/* follow: a server that does not end what goes on, or does not begin it, and who is at the keys. */
#include "client/follow.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"
#include "net.h"

static int64_t now = 1000000;
static unsigned interrupts; /* Ctrl-C that are still to be pressed, each behind the one before */

static struct {
	struct flags flags;
	struct client client;
	int peer;
	const char *says[2]; /* the server, one each time that it is waited for; NULL: nothing */
} run;

/* ---- the clock, and the keys ---- */

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_ms(void)
{
	return now;
}

int64_t __wrap_clock_deadline(int64_t ms);
int64_t __wrap_clock_deadline(int64_t ms)
{
	return ms == CLOCK_NEVER ? CLOCK_NEVER : now + ms;
}

static void say_next(void)
{
	const char *text = run.says[0];

	run.says[0] = run.says[1];
	run.says[1] = NULL;
	if (text == NULL)
		return;
	net_send(run.peer, text, strlen(text));
	while (net_is_silent(link_fd(run.client.link)))
		;
}

/* What is there is there; else time passes. */
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline);
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	int ready;

	say_next();
	ready = poll(fds, count, 0);
	if (ready == 0) {
		assert_int_not_equal(deadline, CLOCK_NEVER);
		now = deadline > now ? deadline : now;
	}
	return ready;
}

static void press_ctrl_c(void)
{
	if (interrupts == 0)
		return;
	interrupts--;
	raise(SIGINT);
}

int __real_signals_next_ending(const struct signals *s);
int __wrap_signals_next_ending(const struct signals *s);
int __wrap_signals_next_ending(const struct signals *s)
{
	int number = __real_signals_next_ending(s);

	press_ctrl_c();
	return number;
}

/* ---- the server ---- */

static void connect_to_server(void)
{
	char error[LINK_ERROR_MAX], port[8];
	struct link_target target = {"127.0.0.1", port, LINK_PATIENCE_MS, LINK_REPLY_MAX, NULL};
	uint16_t number;
	int listener = net_listen("127.0.0.1", &number);

	snprintf(port, sizeof(port), "%u", number);
	run.flags = (struct flags){.action = FLAGS_ASK};
	run.client = (struct client){.flags = &run.flags};
	run.client.link = link_open(&target, error);
	assert_non_null(run.client.link);
	run.peer = net_accept(listener);
	close(listener);
}

/* With Ctrl-C pressed so many times. */
static enum client_status follow(const char *first, const char *second, unsigned pressed)
{
	enum client_status status;

	connect_to_server();
	assert_int_equal(signals_open(&run.client.signals, false), 0);
	run.says[0] = first;
	run.says[1] = second;
	interrupts = pressed;
	press_ctrl_c();
	status = follow_run(&run.client, FOLLOW_COMMAND);
	client_close(&run.client);
	signals_forget_interrupt();
	signals_close(&run.client.signals);
	close(run.peer);
	assert_int_equal(interrupts, 0);
	return status;
}

/* ---- tests ---- */

static void ctrl_c_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(follow("OK Watching\nfirst\n", "last\n\n", 1), CLIENT_OK);
}

static void a_server_that_does_not_end_it_is_silent(void **state)
{
	(void)state;
	assert_int_equal(follow("OK Watching\n", NULL, 1), CLIENT_BROKEN);
}

static void a_second_ctrl_c_does_not_wait_for_the_server(void **state)
{
	(void)state;
	assert_int_equal(follow("OK Watching\n", NULL, 2), CLIENT_INTERRUPTED);
}

static void a_server_that_does_not_begin_it_is_silent(void **state)
{
	(void)state;
	assert_int_equal(follow(NULL, NULL, 0), CLIENT_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ctrl_c_is_no_failure),
		cmocka_unit_test(a_server_that_does_not_end_it_is_silent),
		cmocka_unit_test(a_second_ctrl_c_does_not_wait_for_the_server),
		cmocka_unit_test(a_server_that_does_not_begin_it_is_silent),
	};

	return cmocka_run_group_tests_name("client/follow", tests, NULL, NULL);
}
