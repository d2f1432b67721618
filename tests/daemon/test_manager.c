/* The real server under a service manager, which is the test: what it says and when, the watchdog,
 * sockets that are handed over, and restarts that refuse nobody. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../server/manager.h"
#include "monitor.h"
#include "suite.h"

/* ---- the service manager ---- */

#define HEARD_MAX 65536

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t heard_more;
	char heard[HEARD_MAX]; /* each message between two lines of "--" */
	size_t len;
	size_t count; /* of what it keeps */
	struct daemon_handed kept[DAEMON_MAX_HANDED];
	char names[DAEMON_MAX_HANDED][256];
} manager = {.lock = PTHREAD_MUTEX_INITIALIZER, .heard_more = PTHREAD_COND_INITIALIZER};

static void keep_locked(const char *name, int fd)
{
	size_t i = manager.count++;

	assert_true(i < DAEMON_MAX_HANDED);
	strcpy(manager.names[i], name);
	manager.kept[i].name = manager.names[i];
	manager.kept[i].fd = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	close(fd);
}

static void drop_locked(const char *name)
{
	for (size_t i = 0; i < manager.count; i++) {
		if (strcmp(manager.names[i], name) != 0)
			continue;
		close(manager.kept[i].fd);
		manager.kept[i].fd = manager.kept[--manager.count].fd;
		strcpy(manager.names[i], manager.names[manager.count]);
	}
}

static void hear_locked(void)
{
	const char *name = strstr(manager_text, "FDNAME=");

	manager.len += (size_t)snprintf(
		manager.heard + manager.len, HEARD_MAX - manager.len, "%s\n--\n", manager_text);
	assert_true(manager.len < HEARD_MAX);
	if (manager_passed >= 0)
		keep_locked(name + 7, manager_passed);
	else if (strncmp(manager_text, "FDSTOREREMOVE=1", 15) == 0)
		drop_locked(name + 7);
	pthread_cond_broadcast(&manager.heard_more);
}

static void *listen_to_daemon(void *arg)
{
	(void)arg;
	while (manager_hears(0) && strcmp(manager_text, "END") != 0) {
		pthread_mutex_lock(&manager.lock);
		hear_locked();
		pthread_mutex_unlock(&manager.lock);
	}
	return NULL;
}

/* Waits until one of the messages at or behind `*from` has `text` in it; `*from` moves behind it.
 */
static void wait_heard(size_t *from, const char *text)
{
	struct timespec until;
	const char *hit;
	int status = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += NET_PATIENCE_S;
	pthread_mutex_lock(&manager.lock);
	while ((hit = strstr(manager.heard + *from, text)) == NULL && status == 0)
		status = pthread_cond_timedwait(&manager.heard_more, &manager.lock, &until);
	if (hit != NULL)
		*from = (size_t)(hit - manager.heard) + strlen(text);
	pthread_mutex_unlock(&manager.lock);
	if (hit == NULL)
		fail_msg("\"%s\" was not heard in:\n%s", text, manager.heard + *from);
}

static bool has_heard(size_t from, const char *text)
{
	bool has;

	pthread_mutex_lock(&manager.lock);
	has = strstr(manager.heard + from, text) != NULL;
	pthread_mutex_unlock(&manager.lock);
	return has;
}

static size_t heard_until_now(void)
{
	size_t len;

	pthread_mutex_lock(&manager.lock);
	len = manager.len;
	pthread_mutex_unlock(&manager.lock);
	return len;
}

static char notify_name[64];

static int start_manager(void **state)
{
	(void)state;
	snprintf(notify_name, sizeof(notify_name), "@socks5d-test-%d", getpid());
	manager_open(notify_name);
	manager.len = manager.count = 0;
	manager.heard[0] = '\0';
	return pthread_create(&manager.thread, NULL, listen_to_daemon, NULL);
}

static int end_manager(void **state)
{
	struct notify n;

	(void)state;
	setenv("NOTIFY_SOCKET", notify_name, 1);
	assert_int_equal(notify_open(&n), 0);
	notify_tell(&n, "END");
	notify_close(&n);
	pthread_join(manager.thread, NULL);
	while (manager.count > 0)
		close(manager.kept[--manager.count].fd);
	manager_close();
	unsetenv("WATCHDOG_USEC");
	return 0;
}

#define manager_test(f) cmocka_unit_test_setup_teardown(f, start_manager, end_manager)

/* ---- the daemon ---- */

static struct daemon d;

static void end_daemon(void)
{
	assert_int_equal(daemon_wait_exit(&d), 0);
	daemon_clean_up(&d);
}

static int open_session(int listener, uint16_t port, int *target)
{
	uint8_t rep;
	int fd = net_socks_connect(d.port, "127.0.0.1", port, &rep);

	assert_int_equal(rep, 0);
	*target = net_accept(listener);
	return fd;
}

static void it_tells_when_it_serves_reloads_and_stops(void **state)
{
	size_t from = 0;

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.config, "listen = 127.0.0.1\n");
	daemon_launch(&d, (const char *const[]){"-c", d.config, "--drain-timeout", "7s", NULL});
	wait_heard(&from, "FDSTORE=1\nFDNAME=kept-socks-127.0.0.1_0\n--\n");
	wait_heard(&from, "FDSTORE=1\nFDNAME=kept-monitor-127.0.0.1_0\n--\n");
	wait_heard(&from, "READY=1\nSTATUS=0 sessions, 0 since the start\n--\n");
	daemon_use_config(&d, "listen = 127.0.0.1\ntimeout = 5m\n");
	wait_heard(&from, "RELOADING=1\nMONOTONIC_USEC=");
	wait_heard(&from, "READY=1\nSTATUS=0 sessions, 0 since the start\n--\n");
	daemon_write_file(d.config, "listen = 127.0.0.1\nport = x\n");
	daemon_signal(&d, SIGHUP);
	wait_heard(&from, "RELOADING=1\nMONOTONIC_USEC=");
	wait_heard(&from, "READY=1\nSTATUS=0 sessions, 0 since the start; reload refused: ");
	wait_heard(&from, "/conf:2: port: \"x\": ");
	daemon_signal(&d, SIGTERM);
	wait_heard(&from, "STOPPING=1\nEXTEND_TIMEOUT_USEC=3");
	wait_heard(&from, "\nSTATUS=stopping: 0 sessions may finish within 7 s; reload refused: ");
	end_daemon();
}

static void a_start_that_fails_never_serves(void **state)
{
	char output[1024], at[32];
	uint16_t port;
	int holder = net_listen("127.0.0.1", &port);

	(void)state;
	snprintf(at, sizeof(at), "127.0.0.1:%u", port);
	assert_int_equal(daemon_run((const char *const[]){"-l", at, "-P", "0", NULL}, output,
				 sizeof(output)),
		1);
	assert_int_equal(
		daemon_run((const char *const[]){"--port", "x", NULL}, output, sizeof(output)), 2);
	assert_false(has_heard(0, "READY=1"));
	close(holder);
}

static void a_drain_is_told_as_it_gets_on(void **state)
{
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port), fds[2], targets[2];
	size_t from = 0, log = 0;

	(void)state;
	daemon_start(&d, (const char *const[]){"--drain-timeout", "1d", NULL});
	for (int i = 0; i < 2; i++)
		fds[i] = open_session(listener, port, &targets[i]);
	daemon_signal(&d, SIGTERM);
	wait_heard(&from, "STATUS=stopping: 2 sessions may finish within 86");
	daemon_wait_log(&d, &log,
		"msg=\"stopping: live sessions may finish, a second signal ends "
		"them\" sessions=2 within_s=86");
	close(fds[0]);
	net_expect_end(targets[0]);
	close(targets[0]);
	wait_heard(&from, "STATUS=stopping: 1 session may finish within 86");
	daemon_wait_log(&d, &log, "msg=\"stopping: sessions are left\" sessions=1 within_s=86");
	daemon_signal(&d, SIGTERM);
	daemon_wait_log(&d, &log, "stopping: 1 session that was left is ended");
	close(fds[1]);
	close(targets[1]);
	close(listener);
	end_daemon();
}

/* ---- restarts ---- */

struct visitor {
	pthread_t thread;
	uint16_t proxy, echo;
	_Atomic(bool) stops;
	_Atomic(unsigned) served;
	_Atomic(int) error; /* of the first who was not */
};

static bool exchange(int fd, const void *sent, size_t len, void *answer, size_t answer_len)
{
	return send(fd, sent, len, MSG_NOSIGNAL) == (ssize_t)len &&
		recv(fd, answer, answer_len, MSG_WAITALL) == (ssize_t)answer_len;
}

/* Greeting, CONNECT to the echo, and a few bytes there. */
static bool is_served(int fd, const struct visitor *v)
{
	const uint8_t request[] = {
		5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, (uint8_t)(v->echo >> 8), (uint8_t)v->echo};
	uint8_t replies[12], here[4];

	return exchange(fd, request, sizeof(request), replies, sizeof(replies)) &&
		replies[3] == 0 && exchange(fd, "here", 4, here, 4) && memcmp(here, "here", 4) == 0;
}

/* One client after the other, as fast as they are served. */
static void *visit(void *arg)
{
	struct timeval patience = {.tv_sec = NET_PATIENCE_S};
	struct visitor *v = arg;
	struct addr proxy = {.in = {.sin_family = AF_INET,
				     .sin_port = htons(v->proxy),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};

	while (!atomic_load(&v->stops) && atomic_load(&v->error) == 0) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		errno = EPROTO;
		if (connect(fd, &proxy.sa, sizeof(proxy.in)) == 0 && is_served(fd, v))
			atomic_fetch_add(&v->served, 1);
		else
			atomic_store(&v->error, errno);
		close(fd);
	}
	return NULL;
}

/* So many more, and none was refused or cut off. */
static void wait_served(struct visitor *v, unsigned more)
{
	unsigned from = atomic_load(&v->served);
	time_t end = time(NULL) + NET_PATIENCE_S;

	while (atomic_load(&v->served) - from < more) {
		if (atomic_load(&v->error) != 0)
			fail_msg("client %u: %s", atomic_load(&v->served),
				strerror(atomic_load(&v->error)));
		assert_true(time(NULL) < end);
		usleep(1000);
	}
}

/* With what the manager has kept. */
static void start_again(const char *const flags[])
{
	struct daemon_handed handed[DAEMON_MAX_HANDED];
	char names[DAEMON_MAX_HANDED][256];
	size_t from = heard_until_now();

	setenv("NOTIFY_SOCKET", notify_name, 1);
	pthread_mutex_lock(&manager.lock);
	memcpy(names, manager.names, sizeof(names));
	d.handed_count = manager.count;
	for (size_t i = 0; i < manager.count; i++)
		handed[i] = (struct daemon_handed){manager.kept[i].fd, names[i]};
	pthread_mutex_unlock(&manager.lock);
	d.handed = handed;
	daemon_launch(&d, flags);
	d.handed = NULL;
	d.handed_count = 0;
	wait_heard(&from, "READY=1");
}

/* The download goes on as long as it may, and nobody is refused meanwhile. */
static void a_restart_with_a_live_download_refuses_nobody(void **state)
{
	static const char *const flags[] = {"--drain-timeout", "500ms", NULL};
	struct visitor v = {.stops = false};
	struct net_echo *echo = net_echo_start("127.0.0.1", &v.echo);
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port), target, download;

	(void)state;
	daemon_prepare(&d);
	start_again(flags);
	v.proxy = d.port;
	assert_int_equal(pthread_create(&v.thread, NULL, visit, &v), 0);
	for (int i = 0; i < 3; i++) {
		size_t from = heard_until_now();

		download = open_session(listener, port, &target);
		wait_served(&v, 20);
		daemon_signal(&d, SIGTERM);
		wait_heard(&from, "STOPPING=1");
		net_send(target, "still here", 10);
		net_expect(download, "still here", 10);
		net_expect_gone(download);
		assert_int_equal(daemon_wait_exit(&d), 0);
		close(download);
		close(target);
		start_again(flags);
		assert_int_equal(d.port, v.proxy);
		wait_served(&v, 20);
	}
	atomic_store(&v.stops, true);
	pthread_join(v.thread, NULL);
	assert_int_equal(atomic_load(&v.error), 0);
	net_echo_stop(echo);
	close(listener);
	daemon_stop(&d);
}

static void who_comes_after_a_crash_waits_for_the_next_one(void **state)
{
	static const char *const flags[] = {NULL};
	uint16_t port, proxy;
	int listener = net_listen("127.0.0.1", &port), fd, target;

	(void)state;
	daemon_prepare(&d);
	start_again(flags);
	proxy = d.port;
	daemon_signal(&d, SIGKILL);
	daemon_wait_death(&d);
	fd = net_connect("127.0.0.1", proxy);
	net_send_hex(fd, "05 01 00");
	net_socks_send_connect(fd, "127.0.0.1", port);
	start_again(flags);
	target = net_accept(listener);
	close(target);
	close(fd);
	close(listener);
	daemon_stop(&d);
}

static void what_the_settings_name_no_more_is_refused_at_once(void **state)
{
	static const char *const flags[] = {"-l", "127.0.0.2", NULL};
	uint16_t before;
	struct addr a;
	int fd;

	(void)state;
	daemon_prepare(&d);
	start_again((const char *const[]){NULL});
	before = d.port;
	daemon_signal(&d, SIGTERM);
	assert_int_equal(daemon_wait_exit(&d), 0);
	start_again(flags);
	a = net_addr("127.0.0.1", before);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &a.sa, addr_len(&a)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	assert_true(has_heard(0, "FDSTOREREMOVE=1\nFDNAME=kept-socks-127.0.0.1_0\n"));
	daemon_stop(&d);
}

/* ---- sockets of the manager's own ---- */

static int listen_beyond(uint16_t *port)
{
	int fd = net_listen("127.0.0.1", port), moved = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	close(fd);
	return moved;
}

static void its_sockets_stand_for_the_settings(void **state)
{
	uint16_t proxy, monitor;
	const struct daemon_handed handed[] = {
		{listen_beyond(&proxy), "socks5d.socket"}, {listen_beyond(&monitor), "monitor"}};
	char expected[256];
	int fd;

	(void)state;
	daemon_prepare(&d);
	monitor_write_users(&d);
	daemon_write_file(d.config, "listen = 192.0.2.1\nport = 1\n");
	d.handed = handed;
	d.handed_count = 2;
	daemon_launch(
		&d, (const char *const[]){"-c", d.config, "--port", "1", "-U", d.users, NULL});
	assert_int_equal(d.port, proxy);
	assert_int_equal(d.monitor_port, monitor);
	fd = monitor_login(&d, "root:secret");
	snprintf(expected, sizeof(expected),
		"OK\nname:listen value:127.0.0.1:%u from:systemd file:192.0.2.1 default:0.0.0.0 ",
		proxy);
	assert_begins(monitor_ask(fd, "SETTINGS listen"), expected);
	monitor_expect(fd, "CONFIG listen 127.0.0.1",
		"ERR listen is where the sockets are that the service manager has opened: its "
		".socket unit says that\n");
	daemon_use_config(&d, "listen = 192.0.2.2\nport = 1\n");
	close(net_connect("127.0.0.1", proxy));
	close(fd);
	daemon_stop(&d);
	close(net_connect("127.0.0.1", proxy)); /* it is the manager's */
	close(handed[0].fd);
	close(handed[1].fd);
	assert_false(has_heard(0, "FDSTORE"));
}

static void what_it_cannot_serve_at_is_refused_in_words(void **state)
{
	int datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct daemon_handed handed[] = {{fcntl(datagram, F_DUPFD_CLOEXEC, 100), "socks"}};
	char output[1024];

	(void)state;
	close(datagram);
	daemon_prepare(&d);
	d.handed = handed;
	d.handed_count = 1;
	assert_int_equal(
		daemon_run_handed(&d, (const char *const[]){NULL}, output, sizeof(output)), 2);
	assert_string_equal(output,
		"socks5d: descriptor 3, socks, comes from the service manager and is not a TCP "
		"socket that listens (ListenStream=, Accept=no): see the .socket unit\n");
	daemon_clean_up(&d);
	close(handed[0].fd);
}

/* ---- the watchdog ---- */

#define WORKERS_MOST 64

/* The workers, which have the name of the program, and are not its main thread. */
static size_t find_workers(pid_t out[WORKERS_MOST])
{
	char path[64], name[32];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", d.pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL && count < WORKERS_MOST) {
		pid_t tid = atoi(entry->d_name);
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", d.pid, tid);
		f = tid == 0 || tid == d.pid ? NULL : fopen(path, "re");
		if (f == NULL)
			continue;
		if (fgets(name, sizeof(name), f) != NULL && strcmp(name, "socks5d\n") == 0)
			out[count++] = tid;
		fclose(f);
	}
	closedir(dir);
	return count;
}

static bool halt(pid_t tid)
{
	int status;

	return ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0 &&
		ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0 &&
		waitpid(tid, &status, __WALL) == tid;
}

static void a_worker_that_hangs_makes_the_watchdog_bark(void **state)
{
	pid_t workers[WORKERS_MOST];
	size_t count, from = 0, hanging;
	int fd;

	(void)state;
	setenv("WATCHDOG_USEC", "1000000", 1);
	daemon_start(&d,
		(const char *const[]){"--max-sessions", "1", "--handshake-timeout", "500ms", NULL});
	for (int i = 0; i < 3; i++) /* an idle one is no reason */
		wait_heard(&from, "WATCHDOG=1\n");
	count = find_workers(workers);
	assert_true(count > 0);
	fd = net_connect("127.0.0.1", d.port);
	daemon_wait_stat(&d, "current_connections", 1);
	for (size_t i = 0; i < count; i++) {
		if (!halt(workers[i]))
			skip(); /* may not trace it */
	}
	wait_heard(&from, "STATUS=1 worker hangs; 1 session, 1 since the start\n");
	hanging = from;
	for (int i = 0; i < 3; i++) { /* each has the janitor look */
		daemon_signal(&d, SIGHUP);
		wait_heard(&from, "READY=1");
	}
	assert_false(has_heard(hanging, "WATCHDOG=1"));
	daemon_wait_log(&d, NULL, "level=error msg=\"1 worker hangs beyond all deadlines");
	for (size_t i = 0; i < count; i++)
		assert_int_equal(ptrace(PTRACE_DETACH, workers[i], NULL, NULL), 0);
	wait_heard(&from, "WATCHDOG=1\n");
	net_expect_gone(fd);
	close(fd);
	daemon_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		manager_test(it_tells_when_it_serves_reloads_and_stops),
		manager_test(a_start_that_fails_never_serves),
		manager_test(a_drain_is_told_as_it_gets_on),
		manager_test(a_restart_with_a_live_download_refuses_nobody),
		manager_test(who_comes_after_a_crash_waits_for_the_next_one),
		manager_test(what_the_settings_name_no_more_is_refused_at_once),
		manager_test(its_sockets_stand_for_the_settings),
		manager_test(what_it_cannot_serve_at_is_refused_in_words),
		manager_test(a_worker_that_hangs_makes_the_watchdog_bark),
	};

	return cmocka_run_group_tests_name("daemon/manager", tests, NULL, NULL);
}
