/* console: faults at each recv(2), send(2) and allocation, clients that do not read, deadlines, and
 * being dismissed. Whatever happens, the console is free behind it. */
#include <sys/ioctl.h>

#include "desk.h"

#define LINGER 2000

/* ---- faults ---- */

static void nothing_is_lost_by_calls_that_move_nothing_or_little(void **state)
{
	static const int errors[] = {EAGAIN, EINTR, ENOBUFS, ENOMEM, 0};

	for (size_t i = 0; i < COUNT(errors); i++) {
		unsigned at = 1;

		do {
			begin_anew(state);
			hear();
			say(SCRIPT);
			fail_move(at++, errors[i]);
			expect(ANSWERS_BEHIND_PROMPT);
			assert_leaves();
		} while (move_failed());
	}
}

/* Else who polls it would spin. */
static void a_console_that_lacks_memory_rests_for_a_moment(void **state)
{
	(void)state;
	log_in();
	say("USERS\n");
	fail_move(2, ENOBUFS); /* behind the request */
	console_step(&c, POLLIN);
	assert_int_equal(c.phase, CONSOLE_COMMANDS);
	assert_int_equal(c.rests_until, clock_ms() + BACKOFF_FIRST_MS);
	expect("OK No active users\n\n");
	assert_int_equal(c.rest.pause_ms, 0);
}

static void bytes_that_pass_one_by_one_are_the_same(void **state)
{
	(void)state;
	most_bytes = 1;
	open_console();
	ask(SCRIPT, ANSWERS);
	assert_leaves();
}

static void whatever_call_fails_the_console_is_free_behind_it(void **state)
{
	static const int errors[] = {ECONNRESET, EPIPE, ETIMEDOUT, EIO};

	for (size_t i = 0; i < COUNT(errors); i++) {
		unsigned at = 1;
		bool failed;

		do {
			begin_anew(state);
			hear();
			say(SCRIPT);
			fail_move(at++, errors[i]);
			hear();
			failed = move_failed();
			assert_memory_equal(ANSWERS_BEHIND_PROMPT, heard, strlen(heard));
			hang_up();
			serve();
			assert_gone();
		} while (failed);
	}
}

static void a_client_that_cannot_be_greeted_is_gone(void **state)
{
	(void)state;
	fail_move(1, EPIPE);
	open_console();
	assert_gone();
	fail_move(1, EAGAIN);
	open_console();
	expect(PROMPT);
}

static void a_connection_that_breaks_frees_the_console(void **state)
{
	static const short revents[] = {POLLERR, POLLNVAL, POLLERR | POLLIN | POLLHUP};

	(void)state;
	for (size_t i = 0; i < COUNT(revents); i++) {
		log_in();
		console_step(&c, revents[i]);
		assert_gone();
	}
	log_in();
	say("USERS\n");
	fail_move(1, ECONNRESET);
	serve_connection();
	assert_gone();
	log_in();
	say("HEL");
	serve();
	hang_up();
	serve();
	assert_gone();
}

/* What the client has not read makes a reset of its close. */
static void a_client_that_resets_frees_the_console(void **state)
{
	(void)state;
	log_in();
	say("USERS\n");
	serve();
	hang_up();
	serve();
	assert_gone();
}

/* A reply that is not whole is not ended as if it were. */
static void without_memory_a_request_is_refused_or_the_connection_ends(void **state)
{
	static const char *const requests[][2] = {{"HELP\n", "OK\nSTATS - "},
		{"USERS\n", "OK No active users\n\n"},
		{"CONNECTIONS\n", "OK\ncurrent connections:400\n"},
		{"KILL_USER alice\n", "ERR alice has no session\n\n"},
		{"NOTHING\n", "ERR Unknown command: NOTHING\n\n"}};
	bool struck;

	(void)state;
	for (size_t i = 0; i < 400; i++)
		parts_begin_session(i);
	for (size_t i = 0; i < COUNT(requests); i++) {
		struck = true;
		for (int n = 1; struck; n++) {
			log_in();
			reply_free(&c.order.reply);
			faults_fail(n);
			say(requests[i][0]);
			hear();
			struck = faults_struck();
			if (struck && c.phase == CONSOLE_COMMANDS)
				assert_string_equal(heard, "ERR Out of memory\n\n");
			if (c.phase == CONSOLE_FREE)
				assert_null(strstr(heard, "\n\n"));
			else
				console_close(&c);
			assert_gone();
		}
		assert_begins(heard, requests[i][1]);
	}
}

static void without_memory_nobody_is_greeted(void **state)
{
	(void)state;
	faults_fail(1);
	open_console();
	assert_true(faults_struck());
	expect("");
	assert_true(ended);
	assert_gone();
}

/* ---- a client that does not read ---- */

/* Asks for `n` times HELP, without reading any of it; the length of each reply. */
static size_t ask_for_help(size_t n)
{
	static char requests[4096];
	char *end = requests;
	size_t each;

	log_in();
	say("HELP\n");
	each = strlen(hear());
	for (size_t i = 0; i < n; i++)
		end = stpcpy(end, "HELP\n");
	say(requests);
	serve();
	return each;
}

static int unread(void)
{
	int n;

	assert_int_equal(ioctl(c.fd, FIONREAD, &n), 0);
	return n;
}

static void while_a_reply_waits_nothing_is_read(void **state)
{
	size_t each = ask_for_help(300), i;
	int left = unread();

	(void)state;
	assert_int_equal(console_events(&c), POLLOUT);
	assert_true(left > 0);
	say("USERS\n");
	serve();
	assert_int_equal(unread(), left + 6);
	assert_int_equal(strlen(hear()), 300 * each + strlen("OK No active users\n\n"));
	for (i = 1; i < 300; i++)
		assert_memory_equal(heard, heard + i * each, each);
	assert_string_equal(heard + 300 * each, "OK No active users\n\n");
}

/* In the middle of a reply a farewell would be taken for a part of it. */
static void a_client_that_never_reads_is_closed_without_a_word(void **state)
{
	size_t each = ask_for_help(400), len = 0, n;

	(void)state;
	wait_ms(TIMEOUT - 1);
	assert_open();
	wait_ms(1);
	assert_gone();
	while ((n = read_more(len)) > 0)
		len += n;
	assert_true(ended && len < 400 * each);
	for (size_t i = 0; i < len; i++)
		assert_true(heard[i] == heard[i % each]);
}

/* In one reply that takes longer than a client may be idle. */
static void a_client_that_reads_slowly_is_not_idle(void **state)
{
	int little = 4096;

	(void)state;
	for (size_t i = 0; i < 400; i++)
		parts_begin_session(i);
	log_in();
	assert_int_equal(setsockopt(served, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
	say("CONNECTIONS\n");
	serve();
	for (int i = 0; i < 3; i++) {
		parts_now += TIMEOUT - 1;
		assert_true(read_more(0) > 0);
		serve();
		assert_int_equal(console_events(&c), POLLOUT);
		assert_int_equal(c.deadline, parts_now + TIMEOUT);
	}
}

static void a_long_reply_lets_others_have_their_turns(void **state)
{
	(void)state;
	log_in();
	say("HELP\n");
	most_bytes = 10;
	assert_true(serve_connection());
	assert_int_equal(read_more(0), 8 * 10);
	assert_int_equal(console_events(&c), POLLOUT);
	assert_true(serve_connection());
	assert_int_equal(read_more(0), 8 * 10);
}

/* ---- deadlines ---- */

static void who_does_not_log_in_in_time_is_told_so(void **state)
{
	(void)state;
	open_console();
	say("root:");
	for (int i = 0; i < 29; i++) {
		parts_now += 1000;
		say("x");
		serve();
	}
	wait_ms(999);
	assert_open();
	wait_ms(1);
	expect(PROMPT "ERR Time to log in is over\n");
	assert_true(ended);
	assert_gone();
}

static void who_says_nothing_for_long_is_told_so(void **state)
{
	(void)state;
	log_in();
	wait_ms(TIMEOUT - 1);
	ask("USERS\n", "OK No active users\n\n");
	wait_ms(TIMEOUT - 1);
	say("half a line is none");
	serve();
	assert_open();
	wait_ms(1);
	expect("ERR Idle for too long\n\n");
	assert_true(ended);
	assert_gone();
}

static void a_line_that_comes_at_the_last_moment_counts(void **state)
{
	(void)state;
	log_in();
	parts_now += TIMEOUT;
	ask("USERS\n", "OK No active users\n\n");
	assert_open();
}

static void other_timeouts_hold_from_the_next_line_on(void **state)
{
	struct config *before = config_get(parts.config), *after = config_clone(before);

	(void)state;
	config_release(before);
	assert_non_null(after);
	after->settings.monitor_timeout = 1000;
	log_in();
	config_publish(parts.config, after);
	wait_ms(TIMEOUT - 1);
	ask("USERS\n", "OK No active users\n\n");
	wait_ms(999);
	assert_open();
	wait_ms(1);
	expect("ERR Idle for too long\n\n");
}

static void an_errand_has_no_deadline(void **state)
{
	(void)state;
	log_in();
	say("ADD_USER bob secret\n");
	serve_connection();
	wait_ms(10 * TIMEOUT);
	assert_int_equal(c.deadline, CLOCK_NEVER);
	assert_int_equal(console_events(&c), 0);
	assert_true(work(&hasher) && work(&changer));
	fail_move(1, EAGAIN);
	assert_true(work(&back));
	assert_int_equal(c.deadline, parts_now + TIMEOUT);
	expect("OK User bob" ADDED);
}

/* So that no reset overtakes the last words. */
static void a_console_that_closes_waits_a_while_for_the_client(void **state)
{
	(void)state;
	log_in();
	ask("QUIT\nUSERS\n", "OK Goodbye\n");
	assert_true(ended);
	for (int i = 0; i < MONITOR_LINE_MAX; i++) {
		say("xx");
		serve();
	}
	assert_int_equal(unread(), 0);
	wait_ms(LINGER - 1);
	assert_open();
	expect("");
	wait_ms(1);
	assert_gone();
}

/* ---- being dismissed ---- */

static void who_is_dismissed_gets_a_last_line(void **state)
{
	(void)state;
	open_console();
	console_dismiss(&c, "ERR Too many clients\n");
	assert_gone();
	expect(PROMPT "ERR Too many clients\n");
	assert_true(ended);
}

static void who_is_dismissed_in_a_reply_gets_none(void **state)
{
	size_t each = ask_for_help(400), len = 0, n;

	(void)state;
	console_dismiss(&c, "ERR Too many clients\n");
	assert_gone();
	while ((n = read_more(len)) > 0)
		len += n;
	assert_true(ended && len < 400 * each);
	heard[len] = '\0';
	assert_null(strstr(heard, "Too many clients"));
}

static void who_waits_for_a_reply_gets_no_line_in_the_middle(void **state)
{
	(void)state;
	log_in();
	say("HELP\n");
	fail_move(2, EAGAIN);
	serve_connection();
	console_dismiss(&c, "ERR Too many clients\n");
	assert_gone();
	expect("");
	assert_true(ended);
}

static void who_cannot_be_told_is_dismissed_all_the_same(void **state)
{
	static const int errors[] = {EAGAIN, EPIPE, ECONNRESET};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		open_console();
		expect(PROMPT);
		fail_move(1, errors[i]);
		console_dismiss(&c, "ERR Too many clients\n");
		assert_gone();
		expect("");
		assert_true(ended);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		console_test(nothing_is_lost_by_calls_that_move_nothing_or_little),
		console_test(a_console_that_lacks_memory_rests_for_a_moment),
		console_test(bytes_that_pass_one_by_one_are_the_same),
		console_test(whatever_call_fails_the_console_is_free_behind_it),
		console_test(a_client_that_cannot_be_greeted_is_gone),
		console_test(a_connection_that_breaks_frees_the_console),
		console_test(a_client_that_resets_frees_the_console),
		console_test(without_memory_a_request_is_refused_or_the_connection_ends),
		console_test(without_memory_nobody_is_greeted),
		console_test(while_a_reply_waits_nothing_is_read),
		console_test(a_client_that_never_reads_is_closed_without_a_word),
		console_test(a_client_that_reads_slowly_is_not_idle),
		console_test(a_long_reply_lets_others_have_their_turns),
		console_test(who_does_not_log_in_in_time_is_told_so),
		console_test(who_says_nothing_for_long_is_told_so),
		console_test(a_line_that_comes_at_the_last_moment_counts),
		console_test(other_timeouts_hold_from_the_next_line_on),
		console_test(an_errand_has_no_deadline),
		console_test(a_console_that_closes_waits_a_while_for_the_client),
		console_test(who_is_dismissed_gets_a_last_line),
		console_test(who_is_dismissed_in_a_reply_gets_none),
		console_test(who_waits_for_a_reply_gets_no_line_in_the_middle),
		console_test(who_cannot_be_told_is_dismissed_all_the_same),
	};

	return cmocka_run_group_tests_name("monitor/console_ends", tests, NULL, NULL);
}
