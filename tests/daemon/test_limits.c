/* The real server's limits: sessions, quotas, who is kept out, and changes while sessions run. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "monitor.h"
#include "suite.h"

static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port;

/* "secret", by crypt(3) at its lowest cost; a line of the users file each. */
#define HASH "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define ROOT "root:" HASH ":admin\n"

static void start(const char *users, const char *config)
{
	char text[2048];

	daemon_prepare(&d);
	daemon_write_file(d.users, users);
	snprintf(text, sizeof(text), "auth = optional\n%s", config);
	daemon_write_file(d.config, text);
	daemon_launch(&d, (const char *const[]){"-c", d.config, "-U", d.users, NULL});
	echo = net_echo_start("127.0.0.1", &echo_port);
}

static void stop(void)
{
	net_echo_stop(echo);
	daemon_stop(&d);
}

static int connect_as(const char *name, uint8_t *rep)
{
	return net_socks_connect_as(d.port, name, "secret", "127.0.0.1", echo_port, rep);
}

static void assert_refused(const char *name, uint8_t expected, const char *reason)
{
	size_t from = daemon_log_end(&d);
	uint8_t rep;
	int fd = name == NULL ? net_socks_connect(d.port, "127.0.0.1", echo_port, &rep)
			      : connect_as(name, &rep);

	assert_int_equal(rep, expected);
	close(fd);
	daemon_wait_log(&d, &from, reason);
}

static int assert_served(const char *name)
{
	uint8_t rep;
	int fd = name == NULL ? net_socks_connect(d.port, "127.0.0.1", echo_port, &rep)
			      : connect_as(name, &rep);

	assert_int_equal(rep, 0);
	return fd;
}

static void ask(const char *request, const char *reply)
{
	int fd = monitor_login(&d, "root:secret");

	monitor_expect(fd, request, reply);
	close(fd);
}

static void sessions_of_users_and_clients_are_bounded(void **state)
{
	size_t from = 0;
	int a, b, c;

	(void)state;
	start(ROOT "alice:" HASH ":user:sessions=2\nbob:" HASH
		   ":user:sessions=none sessions_client=1\n",
		"client_limits = 127.0.0.1 sessions=3\nuser_defaults = sessions=1\n");
	a = assert_served("alice");
	b = assert_served("alice");
	assert_refused("alice", 2, "reason=too_many_sessions");
	close(a);
	close(b);
	daemon_wait_log(&d, &from, "reason=closed");
	daemon_wait_log(&d, &from, "reason=closed");
	a = assert_served("bob");
	assert_refused("bob", 2, "reason=too_many_sessions");
	b = assert_served("alice");
	c = assert_served(NULL);
	assert_refused(NULL, 2, "reason=too_many_sessions");
	close(a);
	close(b);
	close(c);
	stop();
}

/* Sends until that is refused; the bytes are echoed, so each counts twice. */
static void use_up(int fds[10])
{
	static const char block[16384];
	bool any = true;

	while (any) {
		any = false;
		for (int i = 0; i < 10; i++) {
			char back[sizeof(block)];

			if (fds[i] < 0)
				continue;
			if (send(fds[i], block, sizeof(block), MSG_NOSIGNAL) <= 0 ||
				recv(fds[i], back, sizeof(back), 0) <= 0) {
				close(fds[i]);
				fds[i] = -1;
			}
			any |= fds[i] >= 0;
		}
	}
}

static void ten_at_once_do_not_pass_a_quota(void **state)
{
	size_t from = 0;
	const char *line;
	unsigned long long used = 0;
	int fds[10];

	(void)state;
	start(ROOT "alice:" HASH ":user:quota=8MB/month\n", "");
	for (int i = 0; i < 10; i++)
		fds[i] = assert_served("alice");
	use_up(fds);
	daemon_wait_log(&d, &from, "quota almost used up");
	line = daemon_wait_log(&d, &from, "quota used up");
	assert_int_equal(sscanf(strstr(line, "used="), "used=%llu", &used), 1);
	assert_true(used >= 8000000 && used <= 8080000);
	daemon_wait_log(&d, NULL, "reason=quota_reached");
	assert_refused("alice", 2, "reason=quota_reached");
	ask("QUOTA alice reset", "OK Quota of alice starts anew (until the next start)\n");
	close(assert_served("alice"));
	stop();
}

static void a_quota_that_only_refuses_lets_sessions_finish(void **state)
{
	int fd;

	(void)state;
	start(ROOT "alice:" HASH ":user:quota=100kB/day over=refuse\n", "");
	fd = assert_served("alice");
	for (int i = 0; i < 20; i++) {
		net_send_pattern(fd, 16384, 7);
		net_expect_pattern(fd, 16384, 7);
	}
	assert_refused("alice", 2, "reason=quota_reached");
	net_send_pattern(fd, 16384, 7);
	net_expect_pattern(fd, 16384, 7);
	close(fd);
	stop();
}

static void echo_block(int fd, size_t len)
{
	static const char block[10000];
	char back[sizeof(block)];

	assert_int_equal(send(fd, block, len, MSG_NOSIGNAL), len);
	assert_int_equal(recv(fd, back, len, MSG_WAITALL), len);
}

/* At that rate what a user moves would take an hour. */
static void a_used_up_quota_of_anonymous_does_not_slow_who_logs_in(void **state)
{
	int anonymous, alice;

	(void)state;
	start(ROOT "alice:" HASH ":user\n",
		"anonymous_defaults = quota=1kB/day over=slow:8kbit\n"
		"client_limits = 127.0.0.1 rate=1Gbit\n");
	anonymous = assert_served(NULL);
	echo_block(anonymous, 600);
	daemon_wait_log(&d, NULL, "quota used up");
	alice = assert_served("alice");
	for (int i = 0; i < 100; i++)
		echo_block(alice, 10000);
	close(anonymous);
	close(alice);
	stop();
}

/* A right password of theirs is as good as a wrong one, and never one of Anonymous. */
static void who_is_kept_out_is_refused_under_optional_too(void **state)
{
	(void)state;
	start(ROOT "bob:" HASH ":user:disabled=yes\ncarl:" HASH
		   ":user:expires=2020-01-01\ndora:" HASH ":user:from=10.0.0.0/8,::/0\n",
		"");
	assert_refused("bob", NET_LOGIN_REFUSED, "user=bob outcome=fail reason=disabled");
	assert_refused("carl", NET_LOGIN_REFUSED, "user=carl outcome=fail reason=expired");
	assert_refused("dora", NET_LOGIN_REFUSED,
		"user=dora outcome=fail reason=client_not_allowed_for_user");
	ask("ENABLE bob", "OK bob enabled\n");
	close(assert_served("bob"));
	stop();
}

static void disabling_ends_sessions_and_keeps_out(void **state)
{
	int fd;

	(void)state;
	start(ROOT "alice:" HASH ":user:groups=pupils\n", "");
	fd = assert_served("alice");
	ask("DISABLE alice", "OK alice disabled, 1 session ended\n");
	net_expect_gone(fd);
	close(fd);
	assert_refused("alice", NET_LOGIN_REFUSED, "reason=disabled");
	ask("ENABLE alice", "OK alice enabled\n");
	fd = assert_served("alice");
	ask("DISABLE @pupils", "OK @pupils disabled, 1 session ended (until the next start)\n");
	net_expect_gone(fd);
	close(fd);
	ask("DISABLE 127.0.0.1",
		"OK 127.0.0.1 disabled, 0 sessions ended (until the next start)\n");
	assert_refused(NULL, 2, "reason=disabled");
	stop();
}

/* Whoever lets somebody in again learns that another line still keeps him out. */
static void enabling_tells_who_keeps_out_still(void **state)
{
	(void)state;
	start(ROOT "alice:" HASH ":user:groups=pupils\n", "");
	ask("DISABLE alice", "OK alice disabled, 0 sessions ended\n");
	ask("DISABLE @pupils", "OK @pupils disabled, 0 sessions ended (until the next start)\n");
	ask("LIMITS alice",
		"OK\nuser:alice groups:pupils groups_by:users_file disabled:yes "
		"disabled_by:users_file running:0\n");
	ask("ENABLE alice", "OK alice enabled, but @pupils is disabled\n");
	ask("ENABLE alice", "ERR alice is not disabled by itself, but @pupils is\n");
	ask("LIMITS alice",
		"OK\nuser:alice groups:pupils groups_by:users_file disabled:yes "
		"disabled_by:DISABLE:@pupils running:0\n");
	ask("ENABLE @pupils", "OK @pupils enabled (until the next start)\n");
	ask("ENABLE @pupils", "ERR @pupils is not disabled\n");
	ask("ENABLE alice", "ERR alice is not disabled\n");
	ask("DISABLE 192.0.2.9",
		"OK 192.0.2.9 disabled, 0 sessions ended (until the next start)\n");
	ask("DISABLE 192.0.2.0/24",
		"OK 192.0.2.0/24 disabled, 0 sessions ended (until the next start)\n");
	ask("ENABLE 192.0.2.9",
		"OK 192.0.2.9 enabled, but 192.0.2.0/24 is disabled (until the next start)\n");
	ask("ENABLE 192.0.2.9", "ERR 192.0.2.9 is not disabled by itself, but 192.0.2.0/24 is\n");
	ask("ENABLE 192.0.2.0/24", "OK 192.0.2.0/24 enabled (until the next start)\n");
	stop();
}

static void a_guest_whom_nobody_looks_at_is_told_of(void **state)
{
	static const char warning[] = "\ntext:auth = none: this guest is served as Anonymous";
	int fd;

	(void)state;
	start(ROOT, "");
	fd = monitor_login(&d, "root:secret");
	assert_null(strstr(monitor_ask(fd, "GUEST"), warning));
	monitor_ask(fd, "CONFIG auth none");
	assert_non_null(strstr(monitor_ask(fd, "GUEST"), warning));
	close(fd);
	stop();
}

/* By LIMITS, and by a reload. */
static void changes_hold_for_sessions_that_run(void **state)
{
	size_t from;
	int a;

	(void)state;
	start(ROOT "alice:" HASH "\n", "");
	a = assert_served("alice");
	ask("LIMITS alice sessions=1", "OK Limits of alice changed\n");
	assert_refused("alice", 2, "reason=too_many_sessions");
	ask("LIMITS alice sessions=default", "OK Limits of alice changed\n");
	close(assert_served("alice"));
	from = daemon_log_end(&d);
	ask("LIMITS alice expires=2020-01-01", "OK Limits of alice changed\n");
	daemon_wait_log(&d, &from, "reason=expired");
	net_expect_gone(a);
	close(a);
	ask("LIMITS alice expires=default", "OK Limits of alice changed\n");
	a = assert_served("alice");
	daemon_write_file(d.users, ROOT "alice:" HASH ":user:from=10.0.0.0/8\n");
	daemon_reload(&d, "reason=client_not_allowed_for_user");
	close(a);
	stop();
}

static void a_setting_that_is_wrong_is_told_with_its_line(void **state)
{
	char output[2048];

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.config, "port = 0\ngroup_defaults = @pupils sessions=5 rate=2\n");
	assert_int_equal(daemon_run((const char *const[]){"-n", "-c", d.config, NULL}, output,
				 sizeof(output)),
		2);
	assert_contains(output, ":2: group_defaults: ");
	assert_contains(output, "rate=2: \"2\": bits or bytes?");
	daemon_clean_up(&d);
}

static void groups_that_there_are_not_are_told(void **state)
{
	char output[8192];

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.users, "bob:" HASH ":user:groups=pupils\n");
	daemon_write_file(d.config,
		"client_group = @room 192.0.2.0/24\ngroup_rate = @room 1Mbit\n"
		"group_rate = @pupils 1Mbit\ngroup_rate = @teachers 1Mbit\n"
		"group_defaults = @staff rate=1Mbit\nclient_limits = @guests rate=1Mbit\n");
	assert_int_equal(
		daemon_run((const char *const[]){"-n", "-c", d.config, "-U", d.users, NULL}, output,
			sizeof(output)),
		0);
	assert_non_null(strstr(output, "group_rate: there is no group @teachers, of users or of "));
	assert_non_null(strstr(output, "group_defaults: no user is in the group @staff"));
	assert_non_null(strstr(output, "client_limits: there is no client_group @guests"));
	assert_null(strstr(output, "@room"));
	assert_null(strstr(output, "@pupils"));
	daemon_clean_up(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_of_users_and_clients_are_bounded),
		cmocka_unit_test(ten_at_once_do_not_pass_a_quota),
		cmocka_unit_test(a_quota_that_only_refuses_lets_sessions_finish),
		cmocka_unit_test(a_used_up_quota_of_anonymous_does_not_slow_who_logs_in),
		cmocka_unit_test(who_is_kept_out_is_refused_under_optional_too),
		cmocka_unit_test(disabling_ends_sessions_and_keeps_out),
		cmocka_unit_test(enabling_tells_who_keeps_out_still),
		cmocka_unit_test(a_guest_whom_nobody_looks_at_is_told_of),
		cmocka_unit_test(changes_hold_for_sessions_that_run),
		cmocka_unit_test(a_setting_that_is_wrong_is_told_with_its_line),
		cmocka_unit_test(groups_that_there_are_not_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
