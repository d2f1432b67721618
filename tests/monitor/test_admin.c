/* admin: the monitor's thread with real sockets: who is let in at its doors, what other threads do
 * for it and tell it, and how it goes over to other sockets and ends. What is said at a console is
 * in test_console.c. */
#include "monitor/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "base/log.h"
#include "base/wake.h"
#include "net.h"
#include "parts.h"
#include "server/fronts.h"
#include "server/hasher.h"

#define PROMPT "Please enter Username:password (in that format)\n"
#define WELCOME "OK Welcome root\n"
#define TURNED_AWAY "ERR Too many clients\n"
#define MOST 2 /* clients at the address */

/* ---- the server ---- */

static struct fronts fronts;
static struct hasher *hasher;
static struct errands *main_errands;
static int main_wake; /* readable: there is an errand for the test, which is the main thread */
static struct admin *admin;

struct services *__wrap_server_services(struct server *s);
struct keeper *__wrap_server_keeper(struct server *s);
struct fronts *__wrap_server_fronts(struct server *s);
struct errands *__wrap_server_errands(struct server *s);
struct errands *__wrap_server_hashes(struct server *s);
struct errands *__wrap_server_lookups(struct server *s);
int __wrap_server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX]);

struct services *__wrap_server_services(struct server *s)
{
	(void)s;
	return &parts;
}

struct keeper *__wrap_server_keeper(struct server *s)
{
	(void)s;
	return NULL;
}

struct fronts *__wrap_server_fronts(struct server *s)
{
	(void)s;
	return &fronts;
}

struct errands *__wrap_server_errands(struct server *s)
{
	(void)s;
	return main_errands;
}

struct errands *__wrap_server_hashes(struct server *s)
{
	(void)s;
	return hasher_errands(hasher);
}

struct errands *__wrap_server_lookups(struct server *s)
{
	(void)s;
	return hasher_errands(hasher);
}

int __wrap_server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX])
{
	(void)s;
	(void)setting;
	(void)value;
	(void)reply;
	return 0;
}

/* How many of the next accept4(2) fail for want of descriptors. */
static _Atomic(int) accept_failures;

int __real_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	if (atomic_load(&accept_failures) == 0)
		return __real_accept4(fd, from, len, flags);
	atomic_fetch_sub(&accept_failures, 1);
	errno = EMFILE;
	return -1;
}

static void call_main(void *context)
{
	(void)context;
	wake_send(main_wake);
}

static void limit_clients(void)
{
	char error[CONFIG_ERROR_MAX];

	scratch_write("conf", "max_monitor_clients = 2\n");
	config_store_free(parts.config);
	parts.config = config_store_new(
		config_read(&(struct config_source){.path = "conf", .is_reload = true}, error));
	assert_non_null(parts.config);
}

static int begin(void **state)
{
	char error[CONFIG_ERROR_MAX];

	if (scratch_enter(state) != 0 || log_open("log") < 0)
		return -1;
	parts_make(4, 100);
	limit_clients();
	parts_add_user("root", USER_ROLE_ADMIN);
	fronts = (struct fronts){.budget = NULL};
	main_wake = wake_open();
	main_errands = errands_new(call_main, NULL);
	hasher = hasher_new();
	admin = admin_new(NULL, error);
	if (main_wake < 0 || main_errands == NULL || hasher == NULL || admin == NULL)
		return -1;
	return hasher_start(hasher, "hasher") < 0 || admin_start(admin, error) < 0 ? -1 : 0;
}

static int end(void **state)
{
	admin_stop(admin);
	hasher_stop(hasher);
	admin_free(admin);
	admin = NULL;
	hasher_free(hasher);
	errands_free(main_errands);
	close(main_wake);
	watching_set_bell(&parts.watching, NULL, NULL);
	parts_free();
	log_close();
	return scratch_leave(state);
}

/* From now on the monitor accepts at this socket of a front; -1: at none. */
static void listen_on(enum front front, int fd)
{
	const struct acceptor *a = &fronts.at[front].acceptor;
	struct listeners next = {.count = fd < 0 ? 0 : 1};

	next.items[0].fd = fd;
	if (a->expect != NULL)
		assert_int_equal(a->expect(a->context, &next), 0);
	a->listen_on(a->context, &next);
}

static int open_door(uint16_t *port)
{
	int listener = net_listen("127.0.0.1", port);

	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	listen_on(FRONT_MONITOR, listener);
	return listener;
}

/* Nobody accepts at it any more, and then it is closed. */
static void close_door(enum front front, int listener)
{
	listen_on(front, -1);
	close(listener);
}

/* At the unix socket "m". */
static int open_local_door(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "m"};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 8), 0);
	listen_on(FRONT_MONITOR_SOCKET, listener);
	return listener;
}

/* ---- clients ---- */

static void expect(int fd, const char *text)
{
	net_expect(fd, text, strlen(text));
}

static void say(int fd, const char *text)
{
	net_send(fd, text, strlen(text));
}

static int log_in_from(const char *source, uint16_t port)
{
	int fd = net_connect_from(source, "127.0.0.1", port);

	expect(fd, PROMPT);
	say(fd, "root:secret\n");
	expect(fd, WELCOME);
	return fd;
}

static void await_errand(void)
{
	struct pollfd p = {.fd = main_wake, .events = POLLIN};

	assert_int_equal(poll(&p, 1, NET_PATIENCE_S * 1000), 1);
}

/* Does the errand that is to come. */
static void do_errand(void)
{
	await_errand();
	wake_clear(main_wake);
	errands_run(main_errands);
}

#define admin_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

/* ---- who is let in ---- */

static void who_comes_is_asked_for_a_login_and_answered(void **state)
{
	uint16_t port;
	int listener = open_door(&port), fd = log_in_from("127.0.0.1", port);

	(void)state;
	say(fd, "USERS\n");
	expect(fd, "OK No active users\n\n");
	say(fd, "QUIT\n");
	expect(fd, "OK Goodbye\n");
	net_expect_end(fd);
	close(fd);
	close_door(FRONT_MONITOR, listener);
}

/* Requests that come in one piece are answered in their order, errands or not. */
static void an_errand_is_done_by_the_main_thread(void **state)
{
	uint16_t port;
	int listener = open_door(&port), fd = log_in_from("127.0.0.1", port);

	(void)state;
	say(fd, "CONFIG timeout 15\nUSERS\n");
	do_errand();
	expect(fd, "OK timeout set to 15\n\nOK No active users\n\n");
	close(fd);
	close_door(FRONT_MONITOR, listener);
}

/* Whoever leaves while an errand of his is under way costs nobody anything. */
static void who_leaves_before_an_answer_disturbs_nobody(void **state)
{
	uint16_t port;
	int listener = open_door(&port), fd = log_in_from("127.0.0.1", port), other;

	(void)state;
	say(fd, "CONFIG timeout 15\n");
	await_errand();
	net_reset(fd);
	do_errand();
	other = log_in_from("127.0.0.2", port);
	say(other, "USERS\n");
	expect(other, "OK No active users\n\n");
	close(other);
	close_door(FRONT_MONITOR, listener);
}

static void there_are_places_for_so_many(void **state)
{
	uint16_t port;
	int listener = open_door(&port), late, fds[MOST];

	(void)state;
	fds[0] = log_in_from("127.0.0.1", port);
	fds[1] = log_in_from("127.0.0.2", port);
	late = net_connect_from("127.0.0.3", "127.0.0.1", port);
	expect(late, TURNED_AWAY);
	net_expect_gone(late);
	close(late);
	say(fds[0], "QUIT\n");
	expect(fds[0], "OK Goodbye\n");
	net_expect_end(fds[0]);
	close(fds[0]);
	close(log_in_from("127.0.0.3", port));
	close(fds[1]);
	close_door(FRONT_MONITOR, listener);
}

/* Of those who have not logged in the newest has to go for who comes. */
static void who_only_connects_keeps_nobody_out(void **state)
{
	uint16_t port;
	int listener = open_door(&port), idle[MOST], fd;

	(void)state;
	for (size_t i = 0; i < MOST; i++) {
		idle[i] = net_connect_from("127.0.0.1", "127.0.0.1", port);
		expect(idle[i], PROMPT);
	}
	fd = log_in_from("127.0.0.2", port);
	expect(idle[MOST - 1], TURNED_AWAY);
	close(fd);
	for (size_t i = 0; i < MOST; i++)
		close(idle[i]);
	close_door(FRONT_MONITOR, listener);
}

/* Whoever runs the server is known by the kernel, and has places of his own. */
static void the_unix_socket_is_a_door_of_its_own(void **state)
{
	uint16_t port;
	int listener = open_door(&port), local = open_local_door(), fds[MOST], fd;
	char welcome[11] = "";

	(void)state;
	fds[0] = log_in_from("127.0.0.1", port);
	fds[1] = log_in_from("127.0.0.2", port);
	fd = net_connect_local("m");
	assert_true(fd >= 0);
	net_receive(fd, welcome, sizeof(welcome) - 1);
	assert_string_equal(welcome, "OK Welcome");
	close(fd);
	close(fds[0]);
	close(fds[1]);
	close_door(FRONT_MONITOR_SOCKET, local);
	close_door(FRONT_MONITOR, listener);
}

static void what_cannot_be_accepted_now_is_accepted_later(void **state)
{
	uint16_t port;
	int listener = open_door(&port), fd;

	(void)state;
	atomic_store(&accept_failures, 3);
	fd = log_in_from("127.0.0.1", port);
	assert_int_equal(atomic_load(&accept_failures), 0);
	close(fd);
	close_door(FRONT_MONITOR, listener);
}

/* ---- what it is told ---- */

/* Who is there stays, and who comes is accepted at the other socket only. */
static void it_goes_over_to_another_socket(void **state)
{
	uint16_t port, other_port;
	int listener = open_door(&port), fd = log_in_from("127.0.0.1", port), late, other;

	(void)state;
	other = open_door(&other_port);
	late = net_connect("127.0.0.1", port);
	close(log_in_from("127.0.0.2", other_port));
	assert_true(net_is_silent(late));
	say(fd, "USERS\n");
	expect(fd, "OK No active users\n\n");
	close_door(FRONT_MONITOR, other);
	close(listener);
	close(late);
	close(fd);
}

static void watchers_are_told_what_happens(void **state)
{
	uint16_t port;
	int listener = open_door(&port), fd = log_in_from("127.0.0.1", port);
	struct event e = {.kind = EVENT_REQUEST,
		.id = 7,
		.client = parts_addr("192.0.2.1", 1000),
		.command = "CONNECT",
		.target = "www.example.org:443",
		.user = "alice",
		.user_len = 5,
		.reason = END_REASONS,
		.rule = ""};

	(void)state;
	say(fd, "WATCH\n");
	expect(fd, "OK Watching: a line ends it\n");
	watching_tell(&parts.watching, &e);
	expect(fd, "event:request time:");
	say(fd, "\n");
	close(fd);
	close_door(FRONT_MONITOR, listener);
}

static void clients_see_the_end_when_it_is_freed(void **state)
{
	uint16_t port;
	int listener = open_door(&port), fd = log_in_from("127.0.0.1", port);

	(void)state;
	say(fd, "CONFIG timeout 15\n"); /* which nobody does */
	admin_stop(admin);
	hasher_stop(hasher);
	admin_free(admin);
	admin = NULL;
	net_expect_gone(fd);
	close(fd);
	close(listener);
}

static void without_memory_there_is_none(void **state)
{
	char error[CONFIG_ERROR_MAX];
	int fails = 0;
	struct admin *a;

	(void)state;
	admin_stop(admin);
	admin_free(admin);
	admin = NULL;
	do {
		faults_fail(++fails);
		a = admin_new(NULL, error);
		assert_true(a == NULL || !faults_struck());
	} while (a == NULL);
	assert_true(fails > 4);
	admin_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		admin_test(who_comes_is_asked_for_a_login_and_answered),
		admin_test(an_errand_is_done_by_the_main_thread),
		admin_test(who_leaves_before_an_answer_disturbs_nobody),
		admin_test(there_are_places_for_so_many),
		admin_test(who_only_connects_keeps_nobody_out),
		admin_test(the_unix_socket_is_a_door_of_its_own),
		admin_test(what_cannot_be_accepted_now_is_accepted_later),
		admin_test(it_goes_over_to_another_socket),
		admin_test(watchers_are_told_what_happens),
		admin_test(clients_see_the_end_when_it_is_freed),
		admin_test(without_memory_there_is_none),
	};

	return cmocka_run_group_tests_name("monitor/admin", tests, NULL, NULL);
}
