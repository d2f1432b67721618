/* The real server's bounded pool and its budget of descriptors: full, silent and many clients. */
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lacking.h"
#include "monitor.h"
#include "suite.h"

static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port;

static int setup(void **state)
{
	(void)state;
	echo = net_echo_start("127.0.0.1", &echo_port);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	net_echo_stop(echo);
	return 0;
}

static void expect_echo(int fd, unsigned n)
{
	char text[32];
	size_t len = (size_t)snprintf(text, sizeof(text), "number %u", n);

	net_send(fd, text, len);
	net_expect(fd, text, len);
}

static int open_session(void)
{
	uint8_t rep;
	int fd = net_socks_connect(d.port, "127.0.0.1", echo_port, &rep);

	assert_int_equal(rep, 0);
	return fd;
}

static void more_clients_than_workers_wait_and_are_served(void **state)
{
	int fds[4], waiting[20];
	long cpu;

	(void)state;
	daemon_start(&d, (const char *const[]){"--max-sessions", "4", NULL});
	for (int i = 0; i < 4; i++)
		fds[i] = open_session();
	daemon_wait_log(&d, NULL, "all 4 sessions are taken");
	for (int i = 0; i < 20; i++) {
		waiting[i] = net_connect("127.0.0.1", d.port);
		net_send_hex(waiting[i], "05 01 00");
	}
	cpu = daemon_cpu_ms(&d);
	poll(NULL, 0, 500); /* a while in which nothing is to be done */
	assert_true(daemon_cpu_ms(&d) - cpu < 250);
	for (int i = 0; i < 20; i++)
		assert_true(net_is_silent(waiting[i]));
	for (int i = 0; i < 4; i++) {
		expect_echo(fds[i], 1);
		close(fds[i]);
	}
	for (int i = 0; i < 20; i++) {
		net_expect_hex(waiting[i], "05 00");
		close(waiting[i]);
	}
	assert_true(daemon_stat(&d, "times_saturated") >= 1);
	assert_int_equal(daemon_stat(&d, "max_concurrent_connections"), 4);
	daemon_stop(&d);
}

static void set_limit(rlim_t open_files)
{
	struct rlimit rl;

	assert_int_equal(prlimit(d.pid, RLIMIT_NOFILE, NULL, &rl), 0);
	rl.rlim_cur = open_files;
	assert_int_equal(prlimit(d.pid, RLIMIT_NOFILE, &rl, NULL), 0);
}

static void without_descriptors_accepting_pauses_and_goes_on(void **state)
{
	int fd;
	long cpu;

	(void)state;
	daemon_start(&d, NULL);
	/* What the budget rules out is done to it from outside. */
	set_limit(3);
	fd = net_connect("127.0.0.1", d.port);
	daemon_wait_stat(&d, "accept_exhausted", 2);
	cpu = daemon_cpu_ms(&d);
	poll(NULL, 0, 500);
	assert_true(daemon_cpu_ms(&d) - cpu < 250);
	set_limit(1000);
	net_socks_greet(fd);
	close(fd);
	assert_true(daemon_log_has(&d, "cannot accept clients: Too many open files"));
	daemon_stop(&d);
}

static void silent_and_slow_clients_are_gone_after_the_handshake_timeout(void **state)
{
	int fds[300];

	(void)state;
	daemon_start(&d,
		(const char *const[]){"--max-sessions", "400", "--handshake-timeout", "2s", NULL});
	for (int i = 0; i < 300; i++) {
		fds[i] = net_connect("127.0.0.1", d.port);
		if (i % 2 == 0)
			net_send_hex(fds[i], "05");
	}
	/* Meanwhile a new client is served. */
	close(open_session());
	daemon_wait_stat(&d, "ended_handshake_timeout", 300);
	for (int i = 0; i < 300; i++) {
		net_expect_gone(fds[i]);
		close(fds[i]);
	}
	daemon_stop(&d);
}

/* A client from 127.0.0.2 whose session has been and is over. */
static void have_a_second_address_been_here(void)
{
	int fd = net_connect_from("127.0.0.2", "127.0.0.1", d.port);

	net_socks_greet(fd);
	close(fd);
	daemon_wait_stat(&d, "ended_client_left", 1);
}

/* 20 workers, and as many connections of one address that say nothing. */
static void mute_connections_of_one_address_leave_a_worker_for_another(void **state)
{
	int mute[20], fd;

	(void)state;
	daemon_start(&d,
		(const char *const[]){"--max-sessions", "20", "--handshake-timeout", "10m", NULL});
	have_a_second_address_been_here();
	for (int i = 0; i < 20; i++)
		mute[i] = net_connect("127.0.0.1", d.port);
	fd = net_connect_from("127.0.0.2", "127.0.0.1", d.port);
	net_socks_greet(fd);
	assert_true(daemon_stat(&d, "clients_refused_for_sessions") >= 1);
	daemon_wait_log(&d, NULL, "client refused by the setting max_sessions_per_client");
	close(fd);
	for (int i = 0; i < 20; i++)
		close(mute[i]);
	daemon_stop(&d);
}

static void a_client_has_as_many_sessions_as_the_setting_says(void **state)
{
	int first, second, third;

	(void)state;
	daemon_start(&d,
		(const char *const[]){
			"--max-sessions", "20", "--max-sessions-per-client", "2", NULL});
	first = open_session();
	second = open_session();
	third = net_connect("127.0.0.1", d.port);
	net_expect_gone(third);
	close(third);
	third = net_connect_from("127.0.0.2", "127.0.0.1", d.port);
	net_socks_greet(third);
	close(third);
	expect_echo(first, 1);
	expect_echo(second, 2);
	assert_int_equal(daemon_stat(&d, "clients_refused_for_sessions"), 1);
	close(first);
	daemon_wait_stat(&d, "ended_closed", 1);
	first = open_session();
	expect_echo(first, 3);
	close(first);
	close(second);
	daemon_stop(&d);
}

/* 20 workers, and as many refused logins whose senders do not close. */
static void refused_clients_that_stay_leave_a_worker_for_another(void **state)
{
	int refused[20], fd;

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.users, "alice:" MONITOR_HASH ":user\n");
	daemon_launch(&d, (const char *const[]){"--max-sessions", "20", "-U", d.users, NULL});
	for (int i = 0; i < 20; i++) {
		refused[i] = net_connect("127.0.0.1", d.port);
		net_send_hex(refused[i], "05 01 02  01 05 61 6C 69 63 65 01 78");
		net_expect_hex(refused[i], "05 02  01 01");
	}
	fd = net_connect_from("127.0.0.2", "127.0.0.1", d.port);
	net_send_hex(fd, "05 01 02");
	net_expect_hex(fd, "05 02");
	close(fd);
	daemon_wait_stat(&d, "ended_wrong_password", 20);
	for (int i = 0; i < 20; i++)
		close(refused[i]);
	daemon_stop(&d);
}

/* ThreadSanitizer follows no more than some 8,000 of them. */
static void skip_if_threads_are_limited(void)
{
#if defined(__SANITIZE_THREAD__)
	skip_for_want_of("more threads than ThreadSanitizer follows");
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
	skip_for_want_of("more threads than ThreadSanitizer follows");
#endif
#endif
}

static void the_default_pool_has_room_for_300_silent_clients(void **state)
{
	char output[4096];
	int sessions = 0;

	(void)state;
	skip_if_threads_are_limited();
	/* max_sessions = auto under the usual limit on open files. */
	daemon_start(&d, (const char *const[]){"--max-sessions", "auto", NULL});
	snprintf(output, sizeof(output), "%s", daemon_wait_log(&d, NULL, " sessions fit\""));
	assert_int_equal(sscanf(strstr(output, "msg=\""), "msg=\"%d", &sessions), 1);
	assert_true(sessions >= 400);
	daemon_stop(&d);
}

/* What this program is when it is started as "test_pool echo": a process of its own that echoes, so
 * that its descriptors are not ours. Says its port and ends with its standard input. */
static int be_echo_process(void)
{
	uint16_t port;
	char byte;

	net_echo_start("127.0.0.1", &port);
	if (write(STDOUT_FILENO, &port, sizeof(port)) != sizeof(port))
		return 1;
	return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;
}

struct echo_process {
	pid_t pid;
	int input;
};

static void start_echo_process(struct echo_process *e, uint16_t *port)
{
	static char self[] = "/proc/self/exe", echo_word[] = "echo";
	char *const argv[] = {self, echo_word, NULL};
	posix_spawn_file_actions_t actions;
	int to[2], from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
	assert_int_equal(posix_spawn(&e->pid, self, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(to[0]);
	close(from[1]);
	e->input = to[1];
	assert_int_equal(read(from[0], port, sizeof(*port)), sizeof(*port));
	close(from[0]);
}

static void stop_echo_process(const struct echo_process *e)
{
	int status;

	close(e->input);
	assert_int_equal(waitpid(e->pid, &status, 0), e->pid);
	assert_int_equal(status, 0);
}

/* As many descriptors as the system lets us have. */
static rlim_t raise_own_limit(void)
{
	struct rlimit rl;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = rl.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	return rl.rlim_cur;
}

/* The server under a limit of open files with `count` sessions at once, each echoing. */
static void carry(unsigned limit, unsigned count)
{
	int *fds = calloc(count, sizeof(*fds));
	uint16_t local = echo_port;
	struct echo_process process;

	assert_non_null(fds);
	start_echo_process(&process, &echo_port);
	daemon_prepare(&d);
	d.open_files = limit;
	daemon_launch(&d, (const char *const[]){"--max-sessions", "100000", NULL});
	for (unsigned i = 0; i < count; i++)
		fds[i] = open_session();
	for (unsigned i = 0; i < count; i++)
		expect_echo(fds[i], i);
	assert_int_equal(daemon_stat(&d, "current_connections"), count);
	assert_int_equal(daemon_stat(&d, "accept_exhausted"), 0);
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	daemon_stop(&d);
	stop_echo_process(&process);
	echo_port = local;
	free(fds);
}

static void a_limit_of_1024_carries_480_sessions(void **state)
{
	(void)state;
	raise_own_limit();
	carry(1024, 480);
}

static void a_limit_of_20000_carries_9900_sessions(void **state)
{
	(void)state;
	skip_if_threads_are_limited();
	if (raise_own_limit() < 20000)
		skip_for_want_of("20000 files, or root to raise the hard limit");
	carry(20000, 9900);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_clients_than_workers_wait_and_are_served),
		cmocka_unit_test(without_descriptors_accepting_pauses_and_goes_on),
		cmocka_unit_test(silent_and_slow_clients_are_gone_after_the_handshake_timeout),
		cmocka_unit_test(mute_connections_of_one_address_leave_a_worker_for_another),
		cmocka_unit_test(a_client_has_as_many_sessions_as_the_setting_says),
		cmocka_unit_test(refused_clients_that_stay_leave_a_worker_for_another),
		cmocka_unit_test(the_default_pool_has_room_for_300_silent_clients),
		cmocka_unit_test(a_limit_of_1024_carries_480_sessions),
		cmocka_unit_test(a_limit_of_20000_carries_9900_sessions),
	};

	if (argc == 2 && strcmp(argv[1], "echo") == 0)
		return be_echo_process();
	return cmocka_run_group_tests_name("daemon/pool", tests, setup, teardown);
}
