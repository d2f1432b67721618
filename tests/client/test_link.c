/* link: against a server that misbehaves in every way: bytes one by one, silence, early ends. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "client/link.h"
#include "net/local.h"
#include "wire/monitor.h"
#include "net.h"
#include "../wire/answers.h"

#define SHORT_MS 50 /* a patience that is meant to end */
#define LONG_MS 60000

/* ---- a server that follows a script ---- */

enum act {
	END, /* of the script: ends the stream and waits until the client is gone */
	SAY, /* `text` in one piece */
	DRIBBLE, /* `text` byte by byte */
	HEAR, /* expects exactly `text` */
	FLOOD, /* 'x' without a line's end, until the client is gone */
	WAIT, /* until the client is gone */
	RESET, /* breaks the connection off */
};

struct step {
	enum act act;
	const char *text;
};

struct server {
	pthread_t thread;
	int listener;
	uint16_t port;
	const struct step *script;
	char failure[200]; /* what was heard instead; assertions belong to the test's own thread */
};

static struct server server;
static struct link *link_; /* link(2) has the name */
static struct answer reply;

static void say(int fd, const char *text, size_t piece)
{
	size_t len = strlen(text);

	for (size_t done = 0; done < len; done += piece) {
		if (send(fd, text + done, piece, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void hear(int fd, const char *expected)
{
	char got[2048] = "";
	size_t len = strlen(expected), n = 0;

	while (n < len) {
		ssize_t more = recv(fd, got + n, len - n, 0);

		if (more <= 0)
			break;
		n += (size_t)more;
	}
	if (n != len || memcmp(got, expected, len) != 0)
		snprintf(server.failure, sizeof(server.failure), "heard \"%.*s\"", (int)n, got);
}

static void flood(int fd)
{
	static const char line[] =
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

	while (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) > 0)
		;
}

static void wait_until_gone(int fd)
{
	char bytes[256];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static void act(int fd, const struct step *step)
{
	switch (step->act) {
	case SAY:
		say(fd, step->text, strlen(step->text));
		break;
	case DRIBBLE:
		say(fd, step->text, 1);
		break;
	case HEAR:
		hear(fd, step->text);
		break;
	case FLOOD:
		flood(fd);
		break;
	case RESET:
	case END:
	case WAIT:
		break;
	}
}

static void *serve(void *arg)
{
	int fd = accept(server.listener, NULL, NULL), one = 1;
	const struct step *step = server.script;

	(void)arg;
	setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
	while (step->act != END && step->act != RESET && step->act != WAIT)
		act(fd, step++);
	if (step->act == RESET) {
		net_reset(fd);
		return NULL;
	}
	if (step->act == END)
		shutdown(fd, SHUT_WR);
	wait_until_gone(fd);
	close(fd);
	return NULL;
}

/* Connects to a server that follows the script. */
static void open_with(const struct step *script, int64_t patience_ms, size_t reply_max)
{
	char error[LINK_ERROR_MAX], port[8];
	struct link_target target = {"127.0.0.1", port, patience_ms, reply_max, NULL};

	memset(&server, 0, sizeof(server));
	server.script = script;
	server.listener = net_listen("127.0.0.1", &server.port);
	snprintf(port, sizeof(port), "%u", server.port);
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
	link_ = link_open(&target, error);
	if (link_ == NULL)
		fail_msg("%s", error);
}

#define open_to(...)                                                                               \
	open_with((const struct step[]){__VA_ARGS__, {END, NULL}}, LONG_MS, LINK_REPLY_MAX)

static void close_all(void)
{
	link_close(link_);
	link_ = NULL;
	pthread_join(server.thread, NULL);
	close(server.listener);
	assert_string_equal(server.failure, "");
	answer_free(&reply);
}

static void assert_broken(int result, const char *why)
{
	assert_int_equal(result, LINK_BROKEN);
	assert_contains(link_error(link_), why);
}

static void ask(const char *request, bool ok, const char *message)
{
	assert_int_equal(link_ask(link_, request, &reply), 0);
	assert_int_equal(reply.ok, ok);
	assert_line(reply.message, message);
}

/* ---- what goes well ---- */

#define GREETING MONITOR_PROMPT "\n"

static void logs_in_asks_and_says_goodbye(void **state)
{
	static const struct step script[] = {{SAY, GREETING}, {HEAR, "alice:se cret\n"},
		{SAY, "OK Welcome alice\n"}, {HEAR, "STATS\n"}, {SAY, "OK\na:1\n\n"},
		{HEAR, "NOPE\n"}, {SAY, "ERR Unknown command: NOPE\n\n"}, {HEAR, "QUIT\n"},
		{SAY, "OK Goodbye\n"}, {END, NULL}};
	char line[100];

	(void)state;
	open_with(script, LONG_MS, LINK_REPLY_MAX);
	assert_int_equal(link_greeting(link_, line, sizeof(line)), 0);
	assert_string_equal(line, MONITOR_PROMPT);
	assert_int_equal(link_login(link_, "alice:se cret", &reply), 0);
	assert_line(reply.message, "Welcome alice");
	answer_free(&reply);
	ask("STATS", true, "");
	assert_int_equal(reply.count, 1);
	answer_free(&reply);
	ask("NOPE", false, "Unknown command: NOPE");
	answer_free(&reply);
	ask("QUIT", true, "Goodbye");
	close_all();
}

static void takes_replies_byte_by_byte(void **state)
{
	char line[100];

	(void)state;
	open_to({DRIBBLE, MONITOR_PROMPT "\r\n"}, {HEAR, "a:b\n"}, {DRIBBLE, "OK Welcome a\r\n"},
		{HEAR, "STATS\n"}, {DRIBBLE, "OK\r\na:1\r\nb:2\r\n\r\n"});
	assert_int_equal(link_greeting(link_, line, sizeof(line)), 0);
	assert_string_equal(line, MONITOR_PROMPT);
	assert_int_equal(link_login(link_, "a:b", &reply), 0);
	assert_line(reply.status, "OK Welcome a");
	answer_free(&reply);
	ask("STATS", true, "");
	assert_int_equal(reply.count, 2);
	assert_line(reply.lines[1], "b:2");
	close_all();
}

static void await_bytes(void)
{
	while (net_is_silent(link_fd(link_)))
		;
}

static void await_next_line(struct monitor_line *line)
{
	struct pollfd p = {.fd = link_fd(link_), .events = POLLIN};
	int result;

	while ((result = link_next_line(link_, line)) == 0)
		assert_true(poll(&p, 1, NET_PATIENCE_S * 1000) > 0);
	assert_int_equal(result, 1);
}

/* WATCH: lines as they come, whole ones only, until the reply is ended; then the next request. */
static void a_reply_that_goes_on_comes_line_by_line(void **state)
{
	static const struct step script[] = {{HEAR, "WATCH\n"}, {SAY, "OK Watching\nfirst\nsec"},
		{HEAR, "\n"}, {SAY, "ond\n\n"}, {HEAR, "VERSION\n"}, {SAY, "OK 1\n\n"},
		{END, NULL}};
	static const char *const lines[] = {"OK Watching", "first"};
	struct monitor_line line;

	(void)state;
	open_with(script, LONG_MS, LINK_REPLY_MAX);
	assert_int_equal(link_send(link_, "WATCH"), 0);
	for (size_t i = 0; i < COUNT(lines); i++) {
		await_next_line(&line);
		assert_true(answer_is(&line, lines[i]));
	}
	assert_int_equal(link_next_line(link_, &line), 0);
	assert_int_equal(link_end_lines(link_), 0);
	await_next_line(&line);
	assert_true(answer_is(&line, "second"));
	await_next_line(&line);
	assert_int_equal(line.len, 0);
	ask("VERSION", true, "1");
	close_all();
}

static void huge_lines_are_lines(void **state)
{
	size_t len = (size_t)8 << 20;
	char *text = malloc(len + 10);

	(void)state;
	assert_non_null(text);
	memcpy(text, "OK\n", 3);
	memset(text + 3, 'x', len);
	strcpy(text + 3 + len, "\n\n");
	open_to({HEAR, "HELP\n"}, {SAY, text});
	ask("HELP", true, "");
	assert_int_equal(reply.count, 1);
	assert_int_equal(reply.lines[0].len, len);
	close_all();
	free(text);
}

static void what_nobody_asked_for_is_no_reply(void **state)
{
	(void)state;
	open_to({SAY, "OK stray\n\n"}, {HEAR, "STATS\n"}, {SAY, "OK right\n\n"});
	await_bytes();
	ask("STATS", true, "right");
	close_all();
}

static void quit_may_be_refused(void **state)
{
	(void)state;
	open_to({HEAR, "quit now\n"}, {SAY, "ERR Usage: QUIT\n\n"}, {HEAR, "STATS\n"},
		{SAY, "OK\n\n"});
	ask("quit now", false, "Usage: QUIT");
	answer_free(&reply);
	ask("STATS", true, "");
	close_all();
}

static void half_a_reply_is_none_yet(void **state)
{
	int result;

	(void)state;
	open_to({HEAR, "STATS\n"}, {SAY, "OK\na:1\n"}, {HEAR, "x"}, {SAY, "\n"});
	assert_int_equal(link_send(link_, "STATS"), 0);
	assert_int_equal(link_receive(link_, &reply), 0);
	assert_int_equal(send(link_fd(link_), "x", 1, 0), 1);
	while ((result = link_receive(link_, &reply)) == 0)
		;
	assert_int_equal(result, 1);
	assert_int_equal(reply.count, 1);
	close_all();
}

/* ---- what goes wrong ---- */

static void silence_has_an_end(void **state)
{
	static const struct step script[] = {{SAY, "OK\nhalf"}, {WAIT, NULL}};
	char line[10];

	(void)state;
	open_with(script + 1, SHORT_MS, LINK_REPLY_MAX);
	assert_broken(link_greeting(link_, line, sizeof(line)), "nothing came for 0.05 s");
	close_all();
	open_with(script, SHORT_MS, LINK_REPLY_MAX);
	assert_broken(link_ask(link_, "STATS", &reply), "silent");
	close_all();
	open_with(script, SHORT_MS, LINK_REPLY_MAX);
	assert_broken(link_read_out(link_), "silent");
	close_all();
}

static void silence_is_noticed_without_waiting_too(void **state)
{
	static const struct step script[] = {{WAIT, NULL}};
	int result;

	(void)state;
	open_with(script, SHORT_MS, LINK_REPLY_MAX);
	assert_int_equal(link_send(link_, "STATS"), 0);
	while ((result = link_receive(link_, &reply)) == 0)
		;
	assert_broken(result, "silent");
	close_all();
}

static void an_early_end_is_an_error_wherever_it_comes(void **state)
{
	static const char *const replies[] = {"", "O", "OK", "OK\n", "OK\na:1", "OK\na:1\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(replies); i++) {
		open_to({HEAR, "STATS\n"}, {SAY, replies[i]});
		assert_broken(link_ask(link_, "STATS", &reply), "the server ended the connection");
		close_all();
	}
}

static void an_early_end_tells_the_last_refusal(void **state)
{
	(void)state;
	open_to({SAY, "ERR Idle for too long\n"});
	while (link_check(link_) == 0)
		;
	assert_string_equal(
		link_error(link_), "the server ended the connection: ERR Idle for too long");
	close_all();
	open_to({SAY, "ERR Login timeout\n"});
	assert_broken(link_read_out(link_), "ERR Login timeout");
	close_all();
}

static void a_reset_is_an_error(void **state)
{
	(void)state;
	open_with((const struct step[]){{HEAR, "STATS\n"}, {RESET, NULL}}, LONG_MS, LINK_REPLY_MAX);
	assert_broken(link_ask(link_, "STATS", &reply), "the connection broke");
	close_all();
}

static void a_request_to_a_server_that_is_gone_tells_its_last_refusal(void **state)
{
	(void)state;
	open_to({SAY, "ERR Idle for too long\n"});
	assert_broken(link_ask(link_, "STATS", &reply), "ERR Idle for too long");
	close_all();
}

static void a_refusal_is_told_at_once_though_the_server_stays(void **state)
{
	static const struct step script[] = {{SAY, "ERR Shutting down\n"}, {WAIT, NULL}};

	(void)state;
	open_with(script, SHORT_MS, LINK_REPLY_MAX);
	await_bytes();
	assert_broken(link_send(link_, "STATS"), "ERR Shutting down");
	close_all();
}

/* Nobody takes the connection off the listener, and so nobody reads. */
static void what_never_waits_fails_where_it_would(void **state)
{
	size_t len = (size_t)64 << 20;
	char *text = malloc(len + 1), port[8], error[LINK_ERROR_MAX];
	struct link_target target = {"127.0.0.1", port, LONG_MS, LINK_REPLY_MAX, NULL};
	uint16_t number;
	int listener = net_listen("127.0.0.1", &number);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	snprintf(port, sizeof(port), "%u", number);
	link_ = link_open(&target, error);
	assert_non_null(link_);
	link_never_wait(link_);
	assert_broken(link_send(link_, text), "have to be waited for");
	link_close(link_);
	link_ = NULL;
	close(listener);
	free(text);
}

static void other_services_are_no_monitor(void **state)
{
	(void)state;
	open_to({HEAR, "STATS\n"}, {SAY, "HTTP/1.1 400 Bad Request\r\n\r\n"});
	assert_broken(link_ask(link_, "STATS", &reply), "no monitor of socks5d");
	close_all();
}

static void endless_replies_have_an_end(void **state)
{
	(void)state;
	open_with((const struct step[]){{FLOOD, NULL}, {WAIT, NULL}}, LONG_MS, 1 << 20);
	assert_broken(link_ask(link_, "STATS", &reply), "too long");
	close_all();
}

static void waiting_can_be_interrupted(void **state)
{
	int fd = eventfd(1, EFD_CLOEXEC);

	(void)state;
	open_with((const struct step[]){{WAIT, NULL}}, LONG_MS, LINK_REPLY_MAX);
	link_interrupt_by(link_, fd);
	assert_int_equal(link_ask(link_, "STATS", &reply), LINK_INTERRUPTED);
	close_all();
	close(fd);
}

/* ---- connecting ---- */

static void assert_unreachable(const char *host, const char *port, const char *why)
{
	struct link_target target = {host, port, SHORT_MS, LINK_REPLY_MAX, NULL};
	char error[LINK_ERROR_MAX];

	assert_null(link_open(&target, error));
	assert_contains(error, why);
	assert_contains(error, "(does socks5d run? -L and -P say where)");
}

static void says_what_cannot_be_reached_and_why(void **state)
{
	uint16_t port;
	int fd = net_refusing_port(&port), fillers[3];
	char text[8], expected[100];

	(void)state;
	snprintf(text, sizeof(text), "%u", port);
	snprintf(expected, sizeof(expected), "cannot reach 127.0.0.1:%u: Connection refused", port);
	assert_unreachable("127.0.0.1", text, expected);
	close(fd);
	assert_unreachable("nosuch.invalid", "80", "cannot reach nosuch.invalid:80: ");
	fd = net_mute_port(&port, fillers);
	snprintf(text, sizeof(text), "%u", port);
	assert_unreachable("127.0.0.1", text, "Connection timed out");
	for (int i = 0; i < 3; i++)
		close(fillers[i]);
	close(fd);
}

/* localhost is 127.0.0.1 and, in most places, ::1, on which nobody listens here. */
static void tries_every_address_of_a_name(void **state)
{
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port);
	char text[8], error[LINK_ERROR_MAX];
	struct link_target target = {"localhost", text, LONG_MS, LINK_REPLY_MAX, NULL};

	(void)state;
	snprintf(text, sizeof(text), "%u", port);
	link_ = link_open(&target, error);
	assert_non_null(link_);
	snprintf(error, sizeof(error), "localhost:%s", text);
	assert_string_equal(link_place(link_), error);
	link_close(link_);
	link_ = NULL;
	close(listener);
}

static void a_path_comes_before_host_and_port(void **state)
{
	struct link_target target = {
		"nosuch.invalid", "80", SHORT_MS, LINK_REPLY_MAX, "monitor.sock"};
	char error[LINK_ERROR_MAX], line[64];
	struct local_file file;
	int listener, peer;

	(void)state;
	assert_null(link_open(&target, error));
	assert_contains(error, "cannot reach monitor.sock: No such file or directory");
	listener = local_listen("monitor.sock", 1, &file);
	assert_true(listener >= 0);
	link_ = link_open(&target, error);
	if (link_ == NULL)
		fail_msg("%s", error);
	assert_string_equal(link_place(link_), "monitor.sock");
	peer = net_accept(listener);
	net_send(peer, "OK Welcome root\n", 16);
	assert_int_equal(link_greeting(link_, line, sizeof(line)), 0);
	assert_string_equal(line, "OK Welcome root");
	link_close(link_);
	link_ = NULL;
	close(peer);
	close(listener);
	assert_null(link_open(&target, error));
	assert_contains(error, "cannot reach monitor.sock: Connection refused");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_in_asks_and_says_goodbye),
		cmocka_unit_test(takes_replies_byte_by_byte),
		cmocka_unit_test(a_reply_that_goes_on_comes_line_by_line),
		cmocka_unit_test(huge_lines_are_lines),
		cmocka_unit_test(what_nobody_asked_for_is_no_reply),
		cmocka_unit_test(quit_may_be_refused),
		cmocka_unit_test(half_a_reply_is_none_yet),
		cmocka_unit_test(silence_has_an_end),
		cmocka_unit_test(silence_is_noticed_without_waiting_too),
		cmocka_unit_test(an_early_end_is_an_error_wherever_it_comes),
		cmocka_unit_test(an_early_end_tells_the_last_refusal),
		cmocka_unit_test(a_reset_is_an_error),
		cmocka_unit_test(a_request_to_a_server_that_is_gone_tells_its_last_refusal),
		cmocka_unit_test(a_refusal_is_told_at_once_though_the_server_stays),
		cmocka_unit_test(what_never_waits_fails_where_it_would),
		cmocka_unit_test(other_services_are_no_monitor),
		cmocka_unit_test(endless_replies_have_an_end),
		cmocka_unit_test(waiting_can_be_interrupted),
		cmocka_unit_test(says_what_cannot_be_reached_and_why),
		cmocka_unit_test(tries_every_address_of_a_name),
		scratch_test(a_path_comes_before_host_and_port),
	};

	return cmocka_run_group_tests_name("client/link", tests, NULL, NULL);
}
