/* The real server's side of RFC 1928 section 3 and RFC 1929: greeting, METHOD, login. */
#include <string.h>
#include <unistd.h>

#include "suite.h"

static struct daemon open_daemon, login_daemon, optional_daemon;
static struct net_echo *echo;
static uint16_t echo_port;

static int setup(void **state)
{
	(void)state;
	echo = net_echo_start("127.0.0.1", &echo_port);
	daemon_start(&open_daemon, NULL);
	daemon_start(&login_daemon, (const char *const[]){"-u", "alice:se:cret", NULL});
	daemon_start(&optional_daemon,
		(const char *const[]){"-u", "alice:se:cret", "--auth", "optional", NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&open_daemon);
	daemon_stop(&login_daemon);
	daemon_stop(&optional_daemon);
	net_echo_stop(echo);
	return 0;
}

/* "05 01 00 01 127.0.0.1 port" */
static size_t echo_request(uint8_t *out)
{
	const uint8_t request[10] = {
		5, 1, 0, 1, 127, 0, 0, 1, (uint8_t)(echo_port >> 8), (uint8_t)echo_port};

	memcpy(out, request, sizeof(request));
	return sizeof(request);
}

static void expect_success_reply(int fd)
{
	struct addr bound;

	assert_int_equal(net_socks_read_reply(fd, &bound), 0);
}

static void serves_every_byte_in_a_segment_of_its_own(void **state)
{
	static const char login[] = "\x01\x05"
				    "alice"
				    "\x07"
				    "se:cret";
	int fd = net_connect("127.0.0.1", login_daemon.port);
	uint8_t all[64] = {5, 2, 0, 2};
	size_t len = 4;
	int one = 1;

	(void)state;
	setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
	memcpy(all + len, login, sizeof(login) - 1);
	len += sizeof(login) - 1;
	len += echo_request(all + len);
	for (size_t i = 0; i < len; i++)
		net_send(fd, all + i, 1);
	net_expect_hex(fd, "05 02 01 00");
	expect_success_reply(fd);
	net_send(fd, "hello", 5);
	net_expect(fd, "hello", 5);
	close(fd);
}

/* conforms: RFC1928/subnegotiation RFC1928/pass-data */
static void serves_greeting_login_request_and_payload_in_one_segment(void **state)
{
	static const char login[] = "\x01\x05"
				    "alice"
				    "\x07"
				    "se:cret";
	int fd = net_connect("127.0.0.1", login_daemon.port);
	uint8_t all[64] = {5, 1, 2};
	size_t len = 3;

	(void)state;
	memcpy(all + len, login, sizeof(login) - 1);
	len += sizeof(login) - 1;
	len += echo_request(all + len);
	memcpy(all + len, "payload", 7);
	net_send(fd, all, len + 7);
	net_expect_hex(fd, "05 02 01 00");
	expect_success_reply(fd);
	net_expect(fd, "payload", 7);
	close(fd);
}

static void serves_a_pipelined_client_that_has_finished_sending(void **state)
{
	int fd = net_connect("127.0.0.1", open_daemon.port);
	uint8_t all[64] = {5, 1, 0};
	size_t len = 3 + echo_request(all + 3);

	(void)state;
	memcpy(all + len, "payload", 7);
	net_send(fd, all, len + 7);
	shutdown(fd, SHUT_WR);
	net_expect_hex(fd, "05 00");
	expect_success_reply(fd);
	net_expect(fd, "payload", 7);
	net_expect_end(fd);
	close(fd);
}

struct method_case {
	const struct daemon *daemon;
	const char *greeting;
	const char *choice;
};

/* conforms: RFC1928/select RFC1928/none-acceptable */
static void chooses_only_an_offered_method(void **state)
{
	const struct method_case cases[] = {
		{&open_daemon, "05 01 00", "05 00"},
		{&open_daemon, "05 02 00 02", "05 00"},
		{&open_daemon, "05 02 02 00", "05 00"},
		{&open_daemon, "05 01 02", "05 ff"},
		{&open_daemon, "05 01 01", "05 ff"},
		{&open_daemon, "05 00", "05 ff"},
		{&login_daemon, "05 01 02", "05 02"},
		{&login_daemon, "05 02 00 02", "05 02"},
		{&login_daemon, "05 01 00", "05 ff"},
		{&login_daemon, "05 00", "05 ff"},
		{&login_daemon, "05 03 80 01 03", "05 ff"},
		{&optional_daemon, "05 01 00", "05 00"},
		{&optional_daemon, "05 02 00 02", "05 02"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = net_connect("127.0.0.1", cases[i].daemon->port);

		net_send_hex(fd, cases[i].greeting);
		net_expect_hex(fd, cases[i].choice);
		if (strcmp(cases[i].choice, "05 ff") == 0)
			net_expect_end(fd);
		close(fd);
	}
}

/* conforms: RFC1928/methods */
static void takes_255_methods(void **state)
{
	int fd = net_connect("127.0.0.1", open_daemon.port);
	uint8_t greeting[2 + 255] = {5, 255};

	(void)state;
	memset(greeting + 2, 0x80, 254);
	greeting[2 + 254] = 0;
	net_send(fd, greeting, sizeof(greeting));
	net_expect_hex(fd, "05 00");
	close(fd);
}

/* conforms: RFC1928/version */
static void refuses_another_version_without_a_word(void **state)
{
	static const char *const beginnings[] = {"06 01 00", "53 53 48 2d 32 2e", "16 03 01", "00"};

	(void)state;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		int fd = net_connect("127.0.0.1", open_daemon.port);

		net_send_hex(fd, beginnings[i]);
		net_expect_gone(fd);
		close(fd);
	}
}

/* name and password as RFC 1929 fields */
struct login_case {
	const char *login;
	const char *status;
};

/* conforms: RFC1928/login RFC1929/version RFC1929/success RFC1929/failure */
/* conforms: RFC1929/failure-close */
static void says_in_the_status_whether_the_login_is_right(void **state)
{
	static const struct login_case cases[] = {
		/* alice, se:cret */
		{"01 05 61 6c 69 63 65 07 73 65 3a 63 72 65 74", "01 00"},
		/* alice, wrong */
		{"01 05 61 6c 69 63 65 05 77 72 6f 6e 67", "01 01"},
		/* alice, se:cret with a NUL behind it */
		{"01 05 61 6c 69 63 65 08 73 65 3a 63 72 65 74 00", "01 01"},
		/* alice with a NUL behind it */
		{"01 06 61 6c 69 63 65 00 07 73 65 3a 63 72 65 74", "01 01"},
		/* nobody */
		{"01 06 6e 6f 62 6f 64 79 07 73 65 3a 63 72 65 74", "01 01"},
		/* empty name, empty password, both */
		{"01 00 07 73 65 3a 63 72 65 74", "01 01"},
		{"01 05 61 6c 69 63 65 00", "01 01"},
		{"01 00 00", "01 01"},
		/* another version of the login */
		{"05 05 61 6c 69 63 65 07 73 65 3a 63 72 65 74", "01 01"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = net_connect("127.0.0.1", login_daemon.port);

		net_send_hex(fd, "05 01 02");
		net_expect_hex(fd, "05 02");
		net_send_hex(fd, cases[i].login);
		net_expect_hex(fd, cases[i].status);
		if (strcmp(cases[i].status, "01 01") == 0)
			net_expect_end(fd);
		close(fd);
	}
}

/* conforms: RFC1929/fields */
static void refuses_255_byte_fields_cleanly(void **state)
{
	int fd = net_connect("127.0.0.1", login_daemon.port);
	uint8_t login[1 + 1 + 255 + 1 + 255];

	(void)state;
	memset(login, 'a', sizeof(login));
	login[0] = 1;
	login[1] = login[2 + 255] = 255;
	net_send_hex(fd, "05 01 02");
	net_expect_hex(fd, "05 02");
	net_send(fd, login, sizeof(login));
	net_expect_hex(fd, "01 01");
	net_expect_end(fd);
	close(fd);
}

static void a_refusal_survives_input_that_nobody_reads(void **state)
{
	int fd = net_connect("127.0.0.1", login_daemon.port);
	uint8_t login[3 + 100000] = {1, 0, 0};

	(void)state;
	net_send_hex(fd, "05 01 02");
	net_expect_hex(fd, "05 02");
	net_send(fd, login, sizeof(login));
	net_expect_hex(fd, "01 01");
	net_expect_end(fd);
	close(fd);
}

static void passwords_and_failed_names_are_not_logged(void **state)
{
	int fd = net_connect("127.0.0.1", login_daemon.port);
	size_t from = daemon_log_end(&login_daemon);

	(void)state;
	net_send_hex(
		fd, "05 01 02 01 06 73 65 63 72 65 74 06 68 69 64 64 65 6e"); /* secret, hidden */
	net_expect_hex(fd, "05 02 01 01");
	net_expect_end(fd);
	daemon_wait_log(&login_daemon, &from, "reason=login_refused");
	assert_false(daemon_log_has(&login_daemon, "secret"));
	assert_false(daemon_log_has(&login_daemon, "hidden"));
	assert_false(daemon_log_has(&login_daemon, "se:cret"));
	close(fd);
}

static void a_client_that_only_connects_is_no_failure(void **state)
{
	long asked_nothing = daemon_stat(&open_daemon, "ended_nothing_asked");

	(void)state;
	close(net_connect("127.0.0.1", open_daemon.port));
	daemon_wait_stat(&open_daemon, "ended_nothing_asked", asked_nothing + 1);
	net_reset(net_connect("127.0.0.1", open_daemon.port));
	daemon_wait_stat(&open_daemon, "ended_nothing_asked", asked_nothing + 2);
	assert_false(daemon_log_has(&open_daemon, "reason=nothing_asked"));
}

static void a_health_check_with_a_greeting_is_no_line_in_the_log(void **state)
{
	long left = daemon_stat(&open_daemon, "ended_client_left");
	size_t from = daemon_log_end(&open_daemon);
	int fd = net_connect("127.0.0.1", open_daemon.port);

	(void)state;
	net_socks_greet(fd);
	net_reset(fd);
	daemon_wait_stat(&open_daemon, "ended_client_left", left + 1);
	fd = net_connect("127.0.0.1", open_daemon.port);
	net_send(fd, "GET /\r\n\r\n", 9);
	daemon_wait_log(&open_daemon, &from, " door=http ");
	assert_false(daemon_log_has(&open_daemon, "reason=client_left"));
	close(fd);
}

static void one_deadline_covers_the_whole_handshake(void **state)
{
	/* What each client has sent when it falls silent. */
	static const char alice[] =
		"05 01 02 01 05 61 6c 69 63 65 07 73 65 3a 63 72 65 74 05 01 00";
	const char *const stages[] = {"", "05", "05 01 02", "05 01 02 01 05", alice};
	const size_t count = sizeof(stages) / sizeof(stages[0]);
	int fds[sizeof(stages) / sizeof(stages[0])];
	struct daemon d;

	(void)state;
	daemon_start(&d,
		(const char *const[]){"-u", "alice:se:cret", "--handshake-timeout", "1s", NULL});
	for (size_t i = 0; i < count; i++) {
		fds[i] = net_connect("127.0.0.1", d.port);
		net_send_hex(fds[i], stages[i]);
	}
	daemon_wait_stat(&d, "ended_handshake_timeout", (long)count);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	daemon_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serves_every_byte_in_a_segment_of_its_own),
		cmocka_unit_test(serves_greeting_login_request_and_payload_in_one_segment),
		cmocka_unit_test(serves_a_pipelined_client_that_has_finished_sending),
		cmocka_unit_test(chooses_only_an_offered_method),
		cmocka_unit_test(takes_255_methods),
		cmocka_unit_test(refuses_another_version_without_a_word),
		cmocka_unit_test(says_in_the_status_whether_the_login_is_right),
		cmocka_unit_test(refuses_255_byte_fields_cleanly),
		cmocka_unit_test(a_refusal_survives_input_that_nobody_reads),
		cmocka_unit_test(passwords_and_failed_names_are_not_logged),
		cmocka_unit_test(a_client_that_only_connects_is_no_failure),
		cmocka_unit_test(a_health_check_with_a_greeting_is_no_line_in_the_log),
		cmocka_unit_test(one_deadline_covers_the_whole_handshake),
	};

	return cmocka_run_group_tests_name("daemon/handshake", tests, setup, teardown);
}
