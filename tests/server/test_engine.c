/* engine: connecting with a login, replies and their ends, by a server that says what the test has
 * told it to. */
#include "server/engine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "../lib/net.h"

/* What it says when so many commands have come, one after the other; NULL: it closes. */
static const char *answers[8];
static char asked[1024]; /* all that came */
static int listener;
static pthread_t thread;

/* Commands are told apart by where they begin. */
static unsigned count_commands(const char *text)
{
	unsigned count = 0;

	for (; *text != '\0'; text++)
		count += *text == '*';
	return count;
}

static void *serve(void *arg)
{
	int fd = accept(listener, NULL, NULL);
	size_t len = 0, answered = 0;
	ssize_t n;

	(void)arg;
	memset(asked, 0, sizeof(asked));
	while ((n = read(fd, asked + len, sizeof(asked) - 1 - len)) > 0) {
		len += (size_t)n;
		for (; answered < count_commands(asked); answered++) {
			if (answers[answered] == NULL) {
				close(fd);
				return NULL;
			}
			net_send(fd, answers[answered], strlen(answers[answered]));
		}
	}
	close(fd);
	return NULL;
}

/* The clock of whoever waits: with each look at it half a second has passed, and another byte comes
 * if it is to drip. */
static bool drops;
static _Atomic(int) drop_fd = -1;
static int64_t now_ms, dropped;

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);

int64_t __wrap_clock_ms(void)
{
	if (!drops)
		return now_ms;
	if (drop_fd >= 0) {
		net_send(drop_fd, "x", 1);
		dropped++;
	}
	return now_ms += 500;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return now_ms + ms;
}

static struct engine *e;
static char error[ENGINE_ERROR_MAX];

static int begin(void **state)
{
	e = engine_new();
	memset(answers, 0, sizeof(answers));
	return e == NULL ? -1 : scratch_enter(state);
}

static int end(void **state)
{
	engine_free(e);
	return scratch_leave(state);
}

static void say_in_turn(const char *first, const char *second, const char *third)
{
	answers[0] = first;
	answers[1] = second;
	answers[2] = third;
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void join(void)
{
	engine_close(e);
	pthread_join(thread, NULL);
	close(listener);
}

static struct addr listen_by_tcp(void)
{
	struct addr at;
	uint16_t port;

	listener = net_listen("127.0.0.1", &port);
	assert_true(addr_parse("127.0.0.1", 9, &at));
	addr_set_port(&at, port);
	return at;
}

/* One command, whose answer that is. */
static void get_hi(void)
{
	redisReply *r;

	ENGINE_ASK(e, "GET", "key");
	r = engine_reply(e, error);
	assert_non_null(r);
	assert_string_equal(engine_text(r), "hi");
	freeReplyObject(r);
}

static void it_logs_in_and_chooses_the_database(void **state)
{
	const struct shared_place place = {
		.host = "h", .user = "user", .password = "secret", .database = 3};
	struct addr at = listen_by_tcp(), here;

	(void)state;
	say_in_turn("+OK\r\n", "+OK\r\n", "$2\r\nhi\r\n");
	assert_int_equal(engine_connect(e, &place, &at, error), 0);
	get_hi();
	assert_int_equal(engine_commands(e), 3);
	assert_true(engine_here(e, &here));
	assert_true(addr_same_host(&here, &at));
	join();
	assert_false(engine_here(e, &here));
	assert_string_equal(asked,
		"*3\r\n$4\r\nAUTH\r\n$4\r\nuser\r\n$6\r\nsecret\r\n"
		"*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
}

/* Redis calls that nopass. */
static void a_user_may_have_no_password(void **state)
{
	const struct shared_place place = {.host = "h", .user = "user"};
	struct addr at = listen_by_tcp();

	(void)state;
	say_in_turn("+OK\r\n", "+OK\r\n", "$2\r\nhi\r\n");
	assert_int_equal(engine_connect(e, &place, &at, error), 0);
	get_hi();
	join();
}

static void a_password_alone_is_the_default_users(void **state)
{
	const struct shared_place place = {.host = "h", .password = "wrong"};
	struct addr at = listen_by_tcp();

	(void)state;
	say_in_turn("-WRONGPASS invalid\r\n", "-NOAUTH Authentication required.\r\n", NULL);
	assert_int_equal(engine_connect(e, &place, &at, error), -1);
	assert_string_equal(error, "WRONGPASS invalid");
	join();
	assert_non_null(strstr(asked, "*2\r\n$4\r\nAUTH\r\n$5\r\nwrong\r\n"));
}

static void a_unix_socket_will_do(void **state)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "engine"};
	struct addr here;
	const struct shared_place place = {.path = "engine"};

	(void)state;
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&local, sizeof(local)), 0);
	assert_int_equal(listen(listener, 1), 0);
	say_in_turn("+OK\r\n", "+OK\r\n", "-ERR no\r\n");
	assert_int_equal(engine_connect(e, &place, NULL, error), 0);
	assert_false(engine_here(e, &here));
	ENGINE_ASK(e, "PING");
	ENGINE_ASK(e, "PONG");
	assert_int_equal(engine_skip(e, 2, error), -1);
	assert_string_equal(error, "ERR no");
	join();
}

static void who_does_not_answer_is_not_awaited(void **state)
{
	const struct shared_place place = {.host = "h"};
	struct addr at = listen_by_tcp();

	(void)state;
	say_in_turn("+OK\r\n", "", NULL);
	assert_int_equal(engine_connect(e, &place, &at, error), 0);
	ENGINE_ASK(e, "PING");
	assert_null(engine_reply(e, error));
	assert_string_equal(error, "no answer in time");
	join();
}

/* The rest of its second answer comes with the clock. */
static void *serve_drop_by_drop(void *arg)
{
	int fd = accept(listener, NULL, NULL);
	char asked_here[256];

	(void)arg;
	if (read(fd, asked_here, sizeof(asked_here)) > 0)
		net_send(fd, "+OK\r\n", 5);
	if (read(fd, asked_here, sizeof(asked_here)) > 0) {
		drop_fd = fd;
		net_send(fd, "$1000000\r\n", 10);
	}
	while (read(fd, asked_here, sizeof(asked_here)) > 0)
		continue;
	return NULL;
}

static void who_answers_drop_by_drop_is_not_awaited(void **state)
{
	const struct shared_place place = {.host = "h"};
	struct addr at = listen_by_tcp();

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, serve_drop_by_drop, NULL), 0);
	assert_int_equal(engine_connect(e, &place, &at, error), 0);
	ENGINE_ASK(e, "PING");
	drops = true;
	assert_null(engine_reply(e, error));
	drops = false;
	assert_string_equal(error, "no answer in time");
	assert_true(dropped > 0);
	join();
	close(drop_fd); /* not by the other thread, while this one may still write */
	drop_fd = -1;
}

static void who_closes_is_told_of(void **state)
{
	const struct shared_place place = {.host = "h"};
	struct addr at = listen_by_tcp();

	(void)state;
	say_in_turn("+OK\r\n", NULL, NULL);
	assert_int_equal(engine_connect(e, &place, &at, error), 0);
	ENGINE_ASK(e, "PING");
	assert_int_equal(engine_skip(e, 1, error), -1);
	assert_string_equal(error, "Server closed the connection");
	join();
}

static void where_nobody_is_there_is_no_connection(void **state)
{
	const struct shared_place place = {.host = "h"}, missing = {.path = "missing"};
	struct addr at = listen_by_tcp();

	(void)state;
	close(listener);
	assert_int_equal(engine_connect(e, &place, &at, error), -1);
	assert_string_equal(error, "Connection refused");
	assert_int_equal(engine_connect(e, &missing, NULL, error), -1);
	assert_string_equal(error, "No such file or directory");
	ENGINE_ASK(e, "PING");
	assert_null(engine_reply(e, error));
	assert_string_equal(error, "not connected");
	assert_string_equal(engine_text(NULL), "");
	engine_close(e);
	engine_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_logs_in_and_chooses_the_database),
		TEST(a_user_may_have_no_password),
		TEST(a_password_alone_is_the_default_users),
		TEST(a_unix_socket_will_do),
		TEST(who_does_not_answer_is_not_awaited),
		TEST(who_answers_drop_by_drop_is_not_awaited),
		TEST(who_closes_is_told_of),
		TEST(where_nobody_is_there_is_no_connection),
	};

	return cmocka_run_group_tests_name("server/engine", tests, NULL, NULL);
}
