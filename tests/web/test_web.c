/* web: the thread of the web's front with real sockets: when it is there, who is let in, and how it
 * goes over to other sockets and ends. What is said on a connection is in test_connection.c. */
#include "web/web.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "../monitor/parts.h"
#include "base/log.h"
#include "net.h"
#include "server/fronts.h"

#define HEALTH "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---- the server ---- */

static struct fronts fronts;
static struct web *web;

struct services *__wrap_server_services(struct server *s);
struct keeper *__wrap_server_keeper(struct server *s);
struct fronts *__wrap_server_fronts(struct server *s);

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

/* From 198.51.100.N those come who are accepted; 0: from where they do. */
static _Atomic(unsigned) network_host;

int __real_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	int client = __real_accept4(fd, from, len, flags);
	unsigned host = atomic_load(&network_host);

	if (client >= 0 && host > 0)
		((struct sockaddr_in *)(void *)from)->sin_addr.s_addr = htonl(0xc6336400 + host);
	return client;
}

static void configure(const char *text)
{
	char error[CONFIG_ERROR_MAX];

	scratch_write("conf", text);
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
	fronts = (struct fronts){.budget = NULL};
	atomic_store(&network_host, 0);
	web = web_new(NULL, error);
	return web != NULL && web_start(web, error) == 0 ? 0 : -1;
}

static int end(void **state)
{
	web_stop(web);
	web_free(web);
	parts_free();
	log_close();
	return scratch_leave(state);
}

/* From now on it is accepted at this socket; -1: at none. */
static int listen_on(int fd)
{
	const struct acceptor *a = &fronts.at[FRONT_WEB].acceptor;
	struct listeners next = {.count = fd < 0 ? 0 : 1};

	next.items[0].fd = fd;
	if (a->expect(a->context, &next) < 0)
		return -1;
	a->listen_on(a->context, &next);
	return 0;
}

static int open_door(uint16_t *port)
{
	int listener = net_listen("127.0.0.1", port);

	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(listen_on(listener), 0);
	return listener;
}

static void close_door(int listener)
{
	assert_int_equal(listen_on(-1), 0);
	close(listener);
}

/* By its name. */
static bool has_thread(void)
{
	DIR *folder = opendir("/proc/self/task");
	struct dirent *entry;
	bool found = false;

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		char path[300], name[5] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		found |= fd >= 0 && read(fd, name, 4) == 4 && strcmp(name, "web\n") == 0;
		if (fd >= 0)
			close(fd);
	}
	closedir(folder);
	return found;
}

/* The status of what is answered. */
static unsigned ask(int fd)
{
	char head[13] = "";

	net_send(fd, HEALTH, strlen(HEALTH));
	net_receive(fd, head, sizeof(head) - 1);
	assert_memory_equal(head, "HTTP/1.1 ", 9);
	return (unsigned)atoi(head + 9);
}

/* Up to the end of the body. */
static void read_rest(int fd)
{
	char last[3] = "";

	while (memcmp(last, "ok\n", 3) != 0) {
		last[0] = last[1];
		last[1] = last[2];
		net_receive(fd, &last[2], 1);
	}
}

/* ---- tests ---- */

static void there_is_no_thread_until_it_listens(void **state)
{
	uint16_t port;
	int listener, fd;

	(void)state;
	assert_int_equal(listen_on(-1), 0);
	assert_false(has_thread());
	listener = open_door(&port);
	fd = net_connect("127.0.0.1", port);
	assert_int_equal(ask(fd), 200);
	assert_true(has_thread());
	close_door(listener);
	/* Whoever is there stays. */
	read_rest(fd);
	assert_int_equal(ask(fd), 200);
	close(fd);
}

static void it_goes_over_to_another_socket(void **state)
{
	uint16_t port, next_port;
	int listener = open_door(&port), next = open_door(&next_port), fd;

	(void)state;
	close(listener);
	fd = net_connect("127.0.0.1", next_port);
	assert_int_equal(ask(fd), 200);
	close(fd);
	close_door(next);
}

/* Eight connections from each of two addresses, and a ninth of the first: of those that it has none
 * gives way but one of which nothing is heard. */
static void an_address_has_eight_connections(void **state)
{
	int fds[17], ninth, listener;
	uint16_t port;
	char byte;

	(void)state;
	listener = open_door(&port);
	for (size_t i = 0; i < 16; i++) {
		atomic_store(&network_host, 1 + (unsigned)i / 8);
		fds[i] = net_connect("127.0.0.1", port);
		assert_int_equal(ask(fds[i]), 200);
		read_rest(fds[i]);
		if (i < 8)
			net_send(fds[i], "GET", 3);
	}
	atomic_store(&network_host, 1);
	ninth = net_connect("127.0.0.1", port);
	net_expect(ninth, "HTTP/1.1 503 ", 13);
	close(ninth);
	net_send(fds[5], &HEALTH[3], strlen(HEALTH) - 3);
	net_expect(fds[5], "HTTP/1.1 200 ", 13);
	read_rest(fds[5]);
	ninth = net_connect("127.0.0.1", port);
	assert_int_equal(ask(ninth), 200);
	assert_int_equal(read(fds[5], &byte, 1), 0);
	close(ninth);
	for (size_t i = 0; i < 16; i++)
		close(fds[i]);
	close_door(listener);
}

static void this_host_and_those_who_are_trusted_have_more(void **state)
{
	uint16_t port;
	int fds[18], listener;

	(void)state;
	configure("web_trusted = 198.51.100.0/24\n");
	listener = open_door(&port);
	for (size_t i = 0; i < 18; i++) {
		atomic_store(&network_host, i < 9 ? 0 : 3);
		fds[i] = net_connect("127.0.0.1", port);
		assert_int_equal(ask(fds[i]), 200);
	}
	for (size_t i = 0; i < 18; i++)
		close(fds[i]);
	close_door(listener);
}

/* Those of whom nothing is heard give way, those in the middle of a request do not. */
static void when_all_places_are_taken_the_idle_give_way(void **state)
{
	int idle, busy, fd, listener;
	uint16_t port;
	char byte;

	(void)state;
	configure("max_web_clients = 2\n");
	listener = open_door(&port);
	busy = net_connect("127.0.0.1", port);
	assert_int_equal(ask(busy), 200);
	idle = net_connect("127.0.0.1", port);
	assert_int_equal(ask(idle), 200);
	read_rest(idle);
	read_rest(busy);
	net_send(busy, "GET", 3);
	fd = net_connect("127.0.0.1", port);
	assert_int_equal(ask(fd), 200);
	assert_int_equal(read(idle, &byte, 1), 0);
	net_send(busy, &HEALTH[3], strlen(HEALTH) - 3);
	net_expect(busy, "HTTP/1.1 200 ", 13);
	close(idle);
	close(busy);
	close(fd);
	close_door(listener);
}

static void without_memory_there_is_no_front_and_nothing_is_lost(void **state)
{
	int listener, result, at = 0;
	uint16_t port;

	(void)state;
	listener = net_listen("127.0.0.1", &port);
	do {
		faults_fail(++at);
		result = listen_on(listener);
	} while (faults_struck());
	assert_int_equal(result, 0);
	assert_true(at > 3);
	close_door(listener);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_no_thread_until_it_listens),
		TEST(it_goes_over_to_another_socket),
		TEST(an_address_has_eight_connections),
		TEST(this_host_and_those_who_are_trusted_have_more),
		TEST(when_all_places_are_taken_the_idle_give_way),
		TEST(without_memory_there_is_no_front_and_nothing_is_lost),
	};

	return cmocka_run_group_tests_name("web/web", tests, NULL, NULL);
}
