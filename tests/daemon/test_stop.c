/* The real server's end: draining, a second signal, what is left behind. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "suite.h"

static struct daemon d;
static int listener;
static uint16_t port;

static int setup(void **state)
{
	(void)state;
	listener = net_listen("127.0.0.1", &port);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(listener);
	return 0;
}

static int open_session(int *target)
{
	uint8_t rep;
	int fd = net_socks_connect(d.port, "127.0.0.1", port, &rep);

	assert_int_equal(rep, 0);
	*target = net_accept(listener);
	return fd;
}

static void expect_good_end(void)
{
	assert_int_equal(daemon_wait_exit(&d), 0);
	daemon_clean_up(&d);
}

/* Nobody listens any more; the kernel may take a moment to say so. */
static void wait_until_closed(void)
{
	struct addr a = net_addr("127.0.0.1", d.port);
	int fd, refused;

	do {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		refused = connect(fd, &a.sa, addr_len(&a)) < 0;
		close(fd);
	} while (!refused);
}

static void without_sessions_it_ends_at_once(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT};

	(void)state;
	for (int i = 0; i < 2; i++) {
		daemon_start(&d, (const char *const[]){"--drain-timeout", "1d", NULL});
		daemon_signal(&d, signals[i]);
		expect_good_end();
	}
}

static void sessions_may_finish_while_it_drains(void **state)
{
	int target, fd;

	(void)state;
	daemon_start(&d, (const char *const[]){"--drain-timeout", "1d", NULL});
	fd = open_session(&target);
	daemon_signal(&d, SIGTERM);
	wait_until_closed();
	net_send(fd, "still here", 10);
	net_expect(target, "still here", 10);
	close(target);
	net_expect_end(fd);
	close(fd);
	expect_good_end();
}

static void sessions_end_at_the_drain_timeout(void **state)
{
	int target, fd;

	(void)state;
	daemon_start(&d, (const char *const[]){"--drain-timeout", "200ms", NULL});
	fd = open_session(&target);
	daemon_signal(&d, SIGTERM);
	net_expect_gone(fd);
	net_expect_gone(target);
	close(fd);
	close(target);
	expect_good_end();
}

static void a_second_signal_ends_sessions_in_every_phase(void **state)
{
	static const struct dns_record records[] = {
		{"mute.test", DNS_SILENT, 0, NULL}, {NULL, DNS_ANSWER, 0, NULL}};
	struct dns *dns = dns_start(records);
	int fillers[3], greeting, looking_up, connecting, relaying, target;
	uint16_t mute_port;
	int mute = net_mute_port(&mute_port, fillers);

	(void)state;
	daemon_start(&d,
		(const char *const[]){"--drain-timeout", "1d", "--dns-servers", dns_server(dns),
			"--timeout", "1d", NULL});
	greeting = net_connect("127.0.0.1", d.port);
	net_send_hex(greeting, "05");
	looking_up = net_connect("127.0.0.1", d.port);
	net_socks_greet(looking_up);
	net_socks_send_connect(looking_up, "mute.test", 80);
	dns_wait_questions(dns, "mute.test", 1);
	connecting = net_connect("127.0.0.1", d.port);
	net_socks_greet(connecting);
	net_socks_send_connect(connecting, "127.0.0.1", mute_port);
	relaying = open_session(&target);
	daemon_wait_stat(&d, "current_connections", 4);
	daemon_signal(&d, SIGTERM);
	wait_until_closed();
	daemon_signal(&d, SIGTERM);
	net_expect_gone(greeting);
	net_expect_gone(looking_up);
	net_expect_gone(connecting);
	net_expect_gone(relaying);
	net_expect_gone(target);
	assert_int_equal(daemon_wait_exit(&d), 0);
	daemon_clean_up(&d);
	close(greeting);
	close(looking_up);
	close(connecting);
	close(relaying);
	close(target);
	for (int i = 0; i < 3; i++)
		close(fillers[i]);
	close(mute);
	dns_stop(dns);
}

/* The process that a shell started with descriptors 0 to 2 closed. */
static pid_t start_without_standard_descriptors(void)
{
	char command[512];
	const char *binary = getenv("SOCKS5D");
	pid_t pid = 0;
	FILE *shell;

	snprintf(command, sizeof(command),
		"%s -l 127.0.0.1:0 -P 0 --max-sessions 2 <&- >&- 2>&- & echo $!",
		binary != NULL ? binary : "bin/socks5d");
	shell = popen(command, "re");
	assert_non_null(shell);
	assert_int_equal(fscanf(shell, "%d", &pid), 1);
	pclose(shell);
	return pid;
}

static void closed_standard_descriptors_do_not_become_sockets(void **state)
{
	pid_t pid = start_without_standard_descriptors();
	char path[64], target[64];

	(void)state;
	for (int fd = 0; fd <= 2; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		/* It opens them before anything else; until then there is nothing. */
		do
			len = readlink(path, target, sizeof(target) - 1);
		while (len < 0 && kill(pid, 0) == 0);
		assert_true(len > 0);
		target[len] = '\0';
		assert_null(strstr(target, "socket:"));
	}
	assert_int_equal(kill(pid, SIGTERM), 0);
}

static void a_full_pool_can_be_stopped(void **state)
{
	int target[2], fd[2], waiting;

	(void)state;
	daemon_start(
		&d, (const char *const[]){"--max-sessions", "2", "--drain-timeout", "200ms", NULL});
	fd[0] = open_session(&target[0]);
	fd[1] = open_session(&target[1]);
	waiting = net_connect("127.0.0.1", d.port);
	daemon_wait_log(&d, NULL, "all 2 sessions are taken");
	daemon_signal(&d, SIGTERM);
	for (int i = 0; i < 2; i++) {
		net_expect_gone(fd[i]);
		close(fd[i]);
		close(target[i]);
	}
	net_expect_gone(waiting);
	close(waiting);
	expect_good_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_sessions_it_ends_at_once),
		cmocka_unit_test(sessions_may_finish_while_it_drains),
		cmocka_unit_test(sessions_end_at_the_drain_timeout),
		cmocka_unit_test(a_second_signal_ends_sessions_in_every_phase),
		cmocka_unit_test(closed_standard_descriptors_do_not_become_sockets),
		cmocka_unit_test(a_full_pool_can_be_stopped),
	};

	return cmocka_run_group_tests_name("daemon/stop", tests, setup, teardown);
}
