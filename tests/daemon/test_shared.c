/* The real server and an engine of the test's that it shares its state by: it joins, hears of
 * users, tells of its own, and serves without it. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../server/fake_store.h"
#include "monitor.h"
#include "suite.h"

static struct daemon d;
static int monitor;
static char engine_path[TMP_MAX_PATH + 16], shared[TMP_MAX_PATH + 32];

/* ---- an engine at a unix socket ---- */

static pthread_mutex_t store = PTHREAD_MUTEX_INITIALIZER; /* the fake's memory */
static pthread_t engine;
static int listener, hang_up[2]; /* a pipe that is closed when it is to end */

static void put_reply(FILE *out, const redisReply *r)
{
	static const char signs[] = {[REDIS_REPLY_STATUS] = '+', [REDIS_REPLY_ERROR] = '-'};

	switch (r->type) {
	case REDIS_REPLY_ARRAY:
		fprintf(out, "*%zu\r\n", r->elements);
		for (size_t i = 0; i < r->elements; i++)
			put_reply(out, r->element[i]);
		break;
	case REDIS_REPLY_STRING:
		fprintf(out, "$%zu\r\n%s\r\n", strlen(r->str), r->str);
		break;
	case REDIS_REPLY_INTEGER:
		fprintf(out, ":%lld\r\n", r->integer);
		break;
	case REDIS_REPLY_NIL:
		fputs("$-1\r\n", out);
		break;
	default:
		fprintf(out, "%c%s\r\n", signs[r->type], r->str);
	}
}

static void answer_command(int fd, const redisReply *command)
{
	const char *words[300] = {NULL};
	redisReply *r;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < command->elements && i + 1 < COUNT(words); i++)
		words[i] = command->element[i]->str;
	pthread_mutex_lock(&store);
	r = fake_do(words);
	pthread_mutex_unlock(&store);
	put_reply(out, r);
	freeReplyObject(r);
	fclose(out);
	(void)!send(fd, text, size, MSG_NOSIGNAL);
	free(text);
}

/* False when it is to end. */
static bool wait_for_bytes(int fd)
{
	struct pollfd ends[] = {{.fd = fd, .events = POLLIN}, {.fd = hang_up[0], .events = POLLIN}};

	while (poll(ends, COUNT(ends), -1) < 0)
		assert_int_equal(errno, EINTR);
	return ends[1].revents == 0;
}

static void serve_client(int fd)
{
	redisReader *reader = redisReaderCreate();
	char bytes[16384];
	ssize_t n;

	while (wait_for_bytes(fd) && (n = read(fd, bytes, sizeof(bytes))) > 0) {
		void *command = NULL;

		redisReaderFeed(reader, bytes, (size_t)n);
		while (redisReaderGetReply(reader, &command) == REDIS_OK && command != NULL) {
			answer_command(fd, command);
			freeReplyObject(command);
		}
	}
	redisReaderFree(reader);
	close(fd);
}

static void *serve_engine(void *arg)
{
	(void)arg;
	while (wait_for_bytes(listener)) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			serve_client(fd);
	}
	return NULL;
}

static void start_engine(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	strcpy(at.sun_path, engine_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(pipe(hang_up), 0);
	assert_int_equal(pthread_create(&engine, NULL, serve_engine, NULL), 0);
}

static void stop_engine(void)
{
	close(hang_up[1]);
	pthread_join(engine, NULL);
	close(hang_up[0]);
	close(listener);
	unlink(engine_path);
}

/* As another node tells it. */
static void tell(const char *kind, const char *account, const char *value)
{
	const char *const words[] = {
		"i", "another", "k", kind, "n", "another", "a", account, "v", value, NULL};

	pthread_mutex_lock(&store);
	fake_add_event(words);
	pthread_mutex_unlock(&store);
}

static bool has_heard(const char *key, const char *field, const char *part)
{
	const char *value;
	bool result;

	pthread_mutex_lock(&store);
	value = fake_get(key, field);
	result = value != NULL && strstr(value, part) != NULL;
	pthread_mutex_unlock(&store);
	return result;
}

/* ---- the server ---- */

#define PATIENCE 3000 /* times ten milliseconds */

static void prepare(void)
{
	daemon_prepare(&d);
	monitor_write_users(&d);
	assert_true(strlen(d.folder) + 8 < sizeof(((struct sockaddr_un *)0)->sun_path));
	snprintf(engine_path, sizeof(engine_path), "%.*s/engine", TMP_MAX_PATH, d.folder);
	snprintf(shared, sizeof(shared), "unix:%s", engine_path);
}

static void launch(void)
{
	const char *const flags[] = {"-U", d.users, "--state-dir", d.folder, "--shared", shared,
		"--shared-users", "yes", "--node-name", "one", NULL};

	daemon_launch(&d, flags);
	monitor = monitor_login(&d, "root:secret");
}

static void stop_server(void)
{
	close(monitor);
	daemon_stop(&d);
}

static void empty_engine(void)
{
	pthread_mutex_lock(&store);
	fake_empty();
	pthread_mutex_unlock(&store);
}

static void stop(void)
{
	stop_server();
	empty_engine();
}

static void await_reply(const char *request, const char *part)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (strstr(monitor_ask(monitor, request), part) != NULL)
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("%s never says \"%s\": %s", request, part, monitor_ask(monitor, request));
}

static void await_heard(const char *key, const char *field, const char *part)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (has_heard(key, field, part))
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("the engine never hears \"%s\" of %s", part, field);
}

/* A session that has logged in, and asks for nothing. */
static int log_in_as(const char *name, const char *password)
{
	int fd = net_connect("127.0.0.1", d.port);

	assert_int_equal(net_socks_log_in(fd, name, password), 0);
	return fd;
}

static void it_hears_of_users_and_tells_of_its_own(void **state)
{
	int session;

	(void)state;
	prepare();
	start_engine();
	launch();
	daemon_wait_log(&d, NULL, "joined the other nodes as one");
	await_reply("NODES", "node:one state:here");
	tell("user", "carol", "1795698000000 another " MONITOR_HASH ":sessions=3");
	await_reply("ACCOUNTS", "carol ");
	session = log_in_as("carol", "secret");
	assert_contains(monitor_ask(monitor, "ADD_USER dave geheim"), "OK User dave added");
	await_heard("socks5d:users", "dave", " one ");
	assert_contains(monitor_ask(monitor, "BAN 192.0.2.7 1h"), "OK ");
	await_heard("socks5d:bans", "192.0.2.7", "command");
	tell("kill", "carol", "killed");
	net_expect_gone(session);
	close(session);
	assert_contains(monitor_ask(monitor, "UNBAN 192.0.2.7"), "OK ");
	stop_server();
	assert_true(has_heard("socks5d:bans", "192.0.2.7", "lifted "));
	empty_engine();
	stop_engine();
}

static void it_hears_that_nodes_come_and_go(void **state)
{
	(void)state;
	prepare();
	start_engine();
	launch();
	await_reply("NODES", "node:one state:here");
	fake_tells_beats = true;
	tell("beat", "another", "abcd 1.2 1795698000 4 200 7 192.0.2.2:8080 two");
	await_reply("NODES", "node:two state:online");
	tell("end", "", "");
	await_reply("NODES", "node:two state:offline");
	fake_tells_beats = false;
	stop();
	stop_engine();
}

static void it_serves_while_there_is_no_engine(void **state)
{
	(void)state;
	prepare();
	launch();
	daemon_wait_log(&d, NULL, "does not work, and is tried again");
	await_reply("NODES", "node:one state:apart");
	await_reply("ALARMS", "alarm:shared level:error");
	assert_contains(monitor_ask(monitor, "ADD_USER dave geheim"),
		"on the other nodes when the engine is there again");
	close(log_in_as("dave", "geheim"));
	start_engine();
	await_reply("NODES", "node:one state:here");
	await_heard("socks5d:users", "dave", " one ");
	stop_engine();
	await_reply("NODES", "node:one state:apart");
	close(log_in_as("dave", "geheim"));
	stop();
}

static void what_cannot_be_shared_is_refused_at_the_start(void **state)
{
	const char *const rows[][2] = {
		{"--node-name", "a b"}, {"--shared-password-file", "/nowhere"}};
	char output[2000];

	(void)state;
	prepare();
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const flags[] = {"-l", "127.0.0.1", "-p", "0", "--monitor-port", "0",
			"--shared", shared, rows[i][0], rows[i][1], NULL};

		assert_int_not_equal(daemon_run(flags, output, sizeof(output)), 0);
		assert_non_null(strstr(output, i == 0 ? "node-name" : "password_file"));
	}
	daemon_clean_up(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_hears_of_users_and_tells_of_its_own),
		cmocka_unit_test(it_hears_that_nodes_come_and_go),
		cmocka_unit_test(it_serves_while_there_is_no_engine),
		cmocka_unit_test(what_cannot_be_shared_is_refused_at_the_start),
	};

	return cmocka_run_group_tests_name("daemon/shared", tests, NULL, NULL);
}
