/* What the real server tells of its sessions: why they failed, what happens as it happens, what
 * clients are called, and what is wrong with the host. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"
#include "dns.h"
#include "monitor.h"
#include "suite.h"

static const struct dns_record records[] = {{"here.test", DNS_ANSWER, 60, "127.0.0.1"},
	{"broken.test", DNS_SERVFAIL, 0, NULL}, {NULL, DNS_ANSWER, 0, NULL}};

static struct daemon d;
static struct dns *dns;
static struct net_echo *echo;
static uint16_t echo_port;
static int monitor; /* logged in as root */

static int begin(void **state)
{
	(void)state;
	dns = dns_start(records);
	echo = net_echo_start("127.0.0.1", &echo_port);
	daemon_prepare(&d);
	monitor_write_users(&d);
	daemon_write_file(d.config, "auth = optional\n");
	daemon_launch(&d,
		(const char *const[]){
			"-U", d.users, "-c", d.config, "--dns-servers", dns_server(dns), NULL});
	monitor = monitor_login(&d, "root:secret");
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(monitor);
	daemon_stop(&d);
	net_echo_stop(echo);
	dns_stop(dns);
	return 0;
}

/* A session that asks for this and is over; how it was answered. */
static uint8_t ask_for(const char *user, const char *password, const char *host, uint16_t port)
{
	uint8_t rep;
	int fd = user == NULL ? net_socks_connect(d.port, host, port, &rep)
			      : net_socks_connect_as(d.port, user, password, host, port, &rep);

	close(fd);
	return rep;
}

/* What WHY says of them, when it has so many lines: a session is told when it has ended. */
static const char *await_why(const char *request, int lines)
{
	int64_t deadline = clock_deadline(NET_PATIENCE_S * 1000);
	const char *reply;
	int found;

	do {
		found = 0;
		reply = monitor_ask(monitor, request);
		for (const char *at = reply; (at = strstr(at, "\ntime:")) != NULL; at++)
			found++;
	} while (found < lines && clock_ms() < deadline);
	assert_int_equal(found, lines);
	return reply;
}

/* ---- WHY ---- */

static void a_wrong_password_is_told_by_name_with_advice(void **state)
{
	const char *reply;

	(void)state;
	monitor_expect(monitor, "CONFIG auth required", "OK auth set to required\n");
	assert_int_equal(ask_for("alice", "wrong", "here.test", echo_port), NET_LOGIN_REFUSED);
	assert_int_equal(ask_for("mallory", "secret", "here.test", echo_port), NET_LOGIN_REFUSED);
	reply = await_why("WHY alice", 1);
	assert_contains(reply,
		" user:alice client:127.0.0.1 command:- target:- "
		"reason:wrong_password rule:- error:- advice:");
	assert_contains(reply, "SET_PASSWORD");
	/* A name that is nobody's is not told; the failure is its client's. */
	reply = await_why("WHY 127.0.0.1", 2);
	assert_null(strstr(reply, "mallory"));
	assert_contains(reply, " user:- client:127.0.0.1 command:- target:- reason:login_refused ");
}

static void what_fails_before_a_login_is_the_client_s(void **state)
{
	const char *reply;
	int fd;

	(void)state;
	monitor_expect(monitor, "CONFIG auth required", "OK auth set to required\n");
	fd = net_connect("127.0.0.1", d.port);
	net_send_hex(fd, "05 01 00");
	net_expect_hex(fd, "05 ff");
	close(fd);
	reply = await_why("WHY *", 1);
	assert_contains(reply, " user:- client:127.0.0.1 command:- target:- reason:no_method ");
	assert_contains(reply, "it must be given name and password");
}

static void targets_that_cannot_be_had_are_told_with_the_cause(void **state)
{
	uint16_t refusing;
	int holder = net_refusing_port(&refusing);
	const char *reply;

	(void)state;
	assert_int_not_equal(ask_for("alice", "secret", "127.0.0.1", refusing), 0);
	reply = await_why("WHY alice", 1);
	assert_contains(reply, "reason:connect_refused rule:otherwise error:ECONNREFUSED advice:");
	assert_int_not_equal(ask_for(NULL, NULL, "nowhere.test", 80), 0);
	assert_int_not_equal(ask_for(NULL, NULL, "broken.test", 80), 0);
	reply = await_why("WHY Anonymous", 2);
	assert_contains(reply, "command:CONNECT target:nowhere.test:80 reason:name_not_found ");
	assert_contains(reply, "command:CONNECT target:broken.test:80 reason:name_failed ");
	assert_contains(reply, "dns_servers");
	close(holder);
}

static void a_denied_target_is_told_with_its_rule(void **state)
{
	const char *reply;

	(void)state;
	assert_int_equal(ask_for("alice", "secret", "127.0.0.1", d.port), 2);
	reply = await_why("WHY alice", 1);
	assert_contains(reply, "reason:target_denied rule:");
	assert_null(strstr(reply, "rule:- "));
}

/* Whoever tries on is told once. */
static void who_was_turned_away_is_told(void **state)
{
	const char *reply;
	int held;
	uint8_t rep;

	(void)state;
	monitor_expect(monitor, "CONFIG max_sessions_per_client 1",
		"OK max_sessions_per_client set to 1\n");
	held = net_socks_connect(d.port, "here.test", echo_port, &rep);
	for (int i = 0; i < 3; i++)
		net_expect_end(net_connect("127.0.0.1", d.port));
	close(held);
	reply = await_why("WHY 127.0.0.1", 1);
	assert_contains(reply,
		" user:- client:127.0.0.1 command:- target:- "
		"reason:client_over_share rule:- error:- advice:");
	assert_contains(reply, "max_sessions_per_client");
}

static void a_session_that_was_served_well_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(ask_for("alice", "secret", "here.test", echo_port), 0);
	daemon_wait_log(&d, NULL, "reason=closed");
	monitor_expect(monitor, "WHY alice", "OK No session of user alice has failed\n");
}

/* ---- WATCH ---- */

static const char *next_event(int fd)
{
	static char line[2048];
	size_t len = 0;

	do
		net_receive(fd, line + len, 1);
	while (line[len++] != '\n' && len < sizeof(line));
	line[len - 1] = '\0';
	return line;
}

static int watch(const char *request)
{
	int fd = monitor_login(&d, "root:secret");

	monitor_send(fd, request);
	assert_string_equal(next_event(fd), "OK Watching: a line ends it");
	return fd;
}

static void who_is_banned_is_told(void **state)
{
	int fd;

	(void)state;
	assert_begins(monitor_ask(monitor, "BAN 127.0.0.0/8"), "OK");
	fd = watch("WATCH client=127.0.0.1\n");
	net_expect_end(net_connect("127.0.0.1", d.port));
	assert_contains(next_event(fd), "event:refused ");
	close(fd);
	assert_contains(await_why("WHY *", 1),
		" reason:banned rule:- error:- advice:the address is "
		"banned for failed logins or by an administrator");
	assert_begins(monitor_ask(monitor, "UNBAN *"), "OK");
}

static void events_come_in_their_order(void **state)
{
	int fd = watch("WATCH\n"), client;
	const char *line;
	char target[64];
	uint8_t rep;

	(void)state;
	snprintf(target, sizeof(target), "user:alice command:CONNECT target:here.test:%u",
		echo_port);
	client = net_socks_connect_as(d.port, "alice", "secret", "here.test", echo_port, &rep);
	assert_int_equal(rep, 0);
	assert_begins(next_event(fd), "event:begin ");
	line = next_event(fd);
	assert_begins(line, "event:request ");
	assert_contains(line, target);
	net_send(client, "hello", 5);
	net_expect(client, "hello", 5);
	close(client);
	line = next_event(fd);
	assert_begins(line, "event:end ");
	assert_contains(line, target);
	assert_contains(line, " sent:5 received:5 ms:");
	assert_int_not_equal(ask_for("alice", "secret", "nowhere.test", 80), 0);
	assert_begins(next_event(fd), "event:begin ");
	assert_begins(next_event(fd), "event:request ");
	line = next_event(fd);
	assert_begins(line, "event:refused ");
	assert_contains(line, " reason:name_not_found ");
	assert_begins(next_event(fd), "event:end ");
	/* The line that ends it is not executed; the next one is. */
	monitor_send(fd, "KILL_USER alice\n");
	monitor_expect_text(fd, "\n");
	monitor_expect(fd, "USERS", "OK No active users\n");
	close(fd);
}

static void filters_let_through_what_is_asked_for(void **state)
{
	int fd = watch("WATCH user=alice to=.test\n");

	(void)state;
	assert_int_equal(ask_for(NULL, NULL, "here.test", echo_port), 0);
	assert_int_equal(ask_for("alice", "secret", "127.0.0.1", echo_port), 0);
	assert_int_equal(ask_for("alice", "secret", "HERE.test", echo_port), 0);
	assert_contains(next_event(fd), "user:alice command:CONNECT target:HERE.test:");
	assert_begins(next_event(fd), "event:end ");
	monitor_send(fd, "\n");
	monitor_expect_text(fd, "\n");
	close(fd);
}

/* So many sessions that neither the buffers of the sockets nor the ring hold what there is to tell
 * of them; the sessions wait for nobody. */
#define MANY_SESSIONS 15000

static void a_slow_watcher_is_told_how_many_it_lost(void **state)
{
	int fd = watch("WATCH\n");
	const char *line;

	(void)state;
	for (int i = 0; i < MANY_SESSIONS; i++)
		assert_int_not_equal(ask_for(NULL, NULL, "127.0.0.1", d.port), 0);
	do
		line = next_event(fd);
	while (strncmp(line, "event:lost count:", 17) != 0);
	assert_true(atol(line + 17) > 0);
	close(fd);
}

/* ---- names ---- */

static void a_client_is_called_by_its_name_in_every_view(void **state)
{
	char path[sizeof(d.folder) + 16], config[sizeof(path) + 64];
	int64_t deadline = clock_deadline(NET_PATIENCE_S * 1000);

	(void)state;
	snprintf(path, sizeof(path), "%s/leases", d.folder);
	daemon_write_file(path, "1764201600 aa:bb:cc:dd:ee:ff 127.0.0.1 tv *\n");
	snprintf(config, sizeof(config), "auth = optional\nclient_names = %s\n", path);
	daemon_write_file(d.config, config);
	assert_contains(monitor_ask(monitor, "RELOAD"), "client_names set to");
	assert_int_not_equal(ask_for("alice", "secret", "nowhere.test", 80), 0);
	while (strstr(monitor_ask(monitor, "CLIENTS"), " user:alice name:tv\n") == NULL)
		assert_true(clock_ms() < deadline);
	assert_contains(await_why("WHY alice", 1), " name:tv advice:");
	/* It is read again when it has changed. */
	daemon_write_file(path, "1764201600 aa:bb:cc:dd:ee:ff 127.0.0.1 radio *\n");
	while (strstr(monitor_ask(monitor, "CLIENTS"), " name:radio\n") == NULL)
		assert_true(clock_ms() < deadline);
	assert_begins(monitor_ask(monitor, "ACCESS_LOG 127.0.0.1"),
		"OK Access log for client 127.0.0.1 (radio):\n");
}

/* ---- the doctor ---- */

static void the_doctor_looks_at_a_server_that_runs(void **state)
{
	char output[16384], port[16], monitor_port[16], line[128];

	(void)state;
	snprintf(port, sizeof(port), "%u", d.port);
	snprintf(monitor_port, sizeof(monitor_port), "%u", d.monitor_port);
	assert_int_equal(daemon_run((const char *const[]){"--doctor", "-c", d.config, "-U", d.users,
					    "-l", "127.0.0.1", "-p", port, "-P", monitor_port,
					    "--dns-servers", dns_server(dns), NULL},
				 output, sizeof(output)),
		0);
	snprintf(line, sizeof(line), "ok    port           127.0.0.1:%s: the server that runs",
		port);
	assert_contains(output, line);
	snprintf(line, sizeof(line), "name server %s answers after ", dns_server(dns));
	assert_contains(output, line);
	assert_contains(output, "\n0 wrong, ");
	/* The server did not mind. */
	assert_int_equal(ask_for("alice", "secret", "here.test", echo_port), 0);
}

static void the_doctor_says_what_is_wrong(void **state)
{
	char output[16384], taken[16], line[128];
	uint16_t port;
	int holder = net_refusing_port(&port);

	(void)state;
	snprintf(taken, sizeof(taken), "%u", port);
	assert_int_equal(daemon_run((const char *const[]){"--doctor", "-l", "127.0.0.1", "-p",
					    taken, "-P", "0", "--auth", "required", "--log-file",
					    "/nowhere/log", "--dns-servers", "127.0.0.1:1", NULL},
				 output, sizeof(output)),
		1);
	snprintf(line, sizeof(line), "bad   port           127.0.0.1:%s: another program has it - ",
		taken);
	assert_contains(output, line);
	assert_contains(output, "name server 127.0.0.1:1: Connection refused - set dns_servers");
	assert_contains(output, "log_file /nowhere/log: No such file or directory - make it");
	assert_contains(output, "nobody gets in - monitor_client ADD_USER NAME");
	/* Who cannot be read is a finding, too, and no reason to look at nothing else. */
	assert_int_equal(daemon_run((const char *const[]){"--doctor", "-l", "127.0.0.1", "-p",
					    taken, "-P", "0", "-U", "/nowhere/users",
					    "--dns-servers", "127.0.0.1:1", NULL},
				 output, sizeof(output)),
		1);
	assert_contains(output, line);
	assert_contains(
		output, "bad   users          /nowhere/users: cannot be read: No such file");
	assert_int_equal(daemon_run((const char *const[]){"--doctor", "--port", "x", NULL}, output,
				 sizeof(output)),
		2);
	close(holder);
}

#define insight_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		insight_test(a_wrong_password_is_told_by_name_with_advice),
		insight_test(what_fails_before_a_login_is_the_client_s),
		insight_test(targets_that_cannot_be_had_are_told_with_the_cause),
		insight_test(a_denied_target_is_told_with_its_rule),
		insight_test(who_was_turned_away_is_told),
		insight_test(who_is_banned_is_told),
		insight_test(a_session_that_was_served_well_is_no_failure),
		insight_test(events_come_in_their_order),
		insight_test(filters_let_through_what_is_asked_for),
		insight_test(a_slow_watcher_is_told_how_many_it_lost),
		insight_test(a_client_is_called_by_its_name_in_every_view),
		insight_test(the_doctor_looks_at_a_server_that_runs),
		insight_test(the_doctor_says_what_is_wrong),
	};

	return cmocka_run_group_tests_name("daemon/insight", tests, NULL, NULL);
}
