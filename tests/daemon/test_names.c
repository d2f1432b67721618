/* The real server's name lookups, against a name server that answers late, wrongly, or never. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/check.h"
#include "dns.h"
#include "monitor.h"
#include "suite.h"

static const struct dns_record records[] = {
	{"echo.test", DNS_ANSWER, 600, "127.0.0.1"},
	{"echo6.test", DNS_ANSWER, 600, "::1"},
	{"both.test", DNS_ANSWER, 600, "127.0.0.1 ::1"},
	{"late.test", DNS_LATE_A, 600, "127.0.0.1"},
	{"noisy.test", DNS_GARBAGE, 600, "127.0.0.1"},
	{"mute.test", DNS_SILENT, 600, NULL},
	{"broken.test", DNS_SERVFAIL, 600, NULL},
	{"inside.test", DNS_ANSWER, 600, "0.0.0.0 127.0.0.1"},
	{"three.test", DNS_ANSWER, 600, "127.0.0.1 127.0.0.2 127.0.0.3"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port;

static int setup(void **state)
{
	(void)state;
	dns = dns_start(records);
	echo = net_echo_start("127.0.0.1", &echo_port);
	daemon_start(&d,
		(const char *const[]){
			"--dns-servers", dns_server(dns), "--dns-search", "test", NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&d);
	net_echo_stop(echo);
	dns_stop(dns);
	return 0;
}

static void expect_echo(int fd)
{
	net_send(fd, "hello", 5);
	net_expect(fd, "hello", 5);
	close(fd);
}

static void expect_reply(const char *name, uint16_t port, uint8_t expected)
{
	uint8_t rep;
	int fd = net_socks_connect(d.port, name, port, &rep);

	assert_int_equal(rep, expected);
	if (rep == 0)
		expect_echo(fd);
	else
		close(fd);
}

static void names_lead_to_their_addresses(void **state)
{
	(void)state;
	expect_reply("echo.test", echo_port, 0);
	expect_reply("ECHO.Test", echo_port, 0);
	expect_reply("echo", echo_port, 0); /* by the search list */
	expect_reply("noisy.test", echo_port, 0);
	/* Nobody listens on ::1 at that port: the other family is tried. */
	expect_reply("both.test", echo_port, 0);
	expect_reply("echo6.test", echo_port, 5);
	expect_reply("broken.test", echo_port, 4);
	expect_reply("absent.test", echo_port, 4);
}

static void a_second_session_asks_no_server(void **state)
{
	unsigned asked;

	(void)state;
	expect_reply("echo.test", echo_port, 0);
	asked = dns_questions(dns, "echo.test");
	expect_reply("echo.test", echo_port, 0);
	assert_int_equal(dns_questions(dns, "echo.test"), asked);
	assert_true(daemon_stat(&d, "name_cache_hits") > 0);
}

static void nine_sessions_go_three_to_each_of_three_addresses(void **state)
{
	uint16_t port;
	struct net_echo *everywhere = net_echo_start("0.0.0.0", &port);
	size_t from = daemon_log_end(&d);
	char line[64];

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		expect_reply("three.test", port, 0);
		snprintf(line, sizeof(line), " address=127.0.0.%u:", 1 + i % 3);
		daemon_wait_log(&d, &from, line);
	}
	net_echo_stop(everywhere);
}

static void a_name_server_that_does_not_answer_is_asked_last(void **state)
{
	struct dns *dead = dns_start(records);
	struct daemon patient;
	char servers[80];
	uint8_t rep;
	unsigned asked;

	(void)state;
	dns_keep_silent(dead, true);
	snprintf(servers, sizeof(servers), "%s, %s", dns_server(dead), dns_server(dns));
	daemon_start(&patient, (const char *const[]){"--dns-servers", servers, NULL});
	expect_echo(net_socks_connect(patient.port, "echo.test", echo_port, &rep));
	asked = dns_all_questions(dead);
	assert_true(asked > 0);
	expect_echo(net_socks_connect(patient.port, "noisy.test", echo_port, &rep));
	assert_int_equal(dns_all_questions(dead), asked);
	daemon_stop(&patient);
	dns_stop(dead);
}

/* The name cache was emptied, and idle channels were thrown away, whatever setting changed. */
static void a_change_of_another_setting_keeps_the_names(void **state)
{
	struct daemon other;
	unsigned asked;
	uint8_t rep;
	int monitor;

	(void)state;
	monitor_start_daemon(&other,
		(const char *const[]){
			"--dns-servers", dns_server(dns), "--auth", "optional", NULL});
	monitor = monitor_login(&other, "root:secret");
	expect_echo(net_socks_connect(other.port, "echo.test", echo_port, &rep));
	asked = dns_questions(dns, "echo.test");
	monitor_expect(monitor, "CONFIG timeout 30m", "OK timeout set to 30m\n");
	monitor_expect(monitor, "LOG_LEVEL debug", "OK log_level set to debug\n");
	assert_begins(monitor_ask(monitor, "RELOAD"), "OK Nothing changed; ");
	expect_echo(net_socks_connect(other.port, "echo.test", echo_port, &rep));
	assert_int_equal(dns_questions(dns, "echo.test"), asked);
	assert_true(monitor_stat(monitor, "name cache hits") > 0);
	monitor_expect(monitor, "CONFIG dns_cache 5000", "OK dns_cache set to 5000\n");
	expect_echo(net_socks_connect(other.port, "echo.test", echo_port, &rep));
	assert_true(dns_questions(dns, "echo.test") > asked);
	close(monitor);
	daemon_stop(&other);
}

static void every_resolved_address_is_put_to_the_rules(void **state)
{
	size_t from = daemon_log_end(&d);

	(void)state;
	/* 0.0.0.0 is skipped, the one behind it serves. */
	expect_reply("inside.test", echo_port, 0);
	daemon_wait_log(&d, &from, " address=127.0.0.1:");
	/* All of them are forbidden: the proxy's own listener. */
	expect_reply("inside.test", d.port, 2);
}

static void a_late_answer_is_waited_for(void **state)
{
	int fd = net_connect("127.0.0.1", d.port);
	struct addr bound;

	(void)state;
	net_socks_greet(fd);
	net_socks_send_connect(fd, "late.test", echo_port);
	dns_wait_questions(dns, "late.test", 2);
	assert_true(net_is_silent(fd));
	/* Meanwhile others are served. */
	expect_reply("echo.test", echo_port, 0);
	dns_release(dns);
	assert_int_equal(net_socks_read_reply(fd, &bound), 0);
	expect_echo(fd);
}

static void a_client_that_breaks_off_during_the_lookup_frees_its_worker(void **state)
{
	long left = daemon_stat(&d, "ended_client_left");
	unsigned asked = dns_questions(dns, "mute.test");
	int fd = net_connect("127.0.0.1", d.port);

	(void)state;
	net_socks_greet(fd);
	net_socks_send_connect(fd, "mute.test", 80);
	dns_wait_questions(dns, "mute.test", asked + 1);
	net_reset(fd);
	daemon_wait_stat(&d, "ended_client_left", left + 1);
	daemon_wait_none(&d, "spare_descriptors_used");
}

static void a_server_that_never_answers_costs_connect_timeout(void **state)
{
	struct daemon hasty;
	uint8_t rep;
	int waiting, fd;
	struct addr bound;

	(void)state;
	daemon_start(&hasty,
		(const char *const[]){
			"--dns-servers", dns_server(dns), "--connect-timeout", "1s", NULL});
	waiting = net_connect("127.0.0.1", hasty.port);
	net_socks_greet(waiting);
	net_socks_send_connect(waiting, "mute.test", 80);
	/* Nobody else pays for it. */
	fd = net_socks_connect(hasty.port, "echo.test", echo_port, &rep);
	assert_int_equal(rep, 0);
	expect_echo(fd);
	assert_int_equal(net_socks_read_reply(waiting, &bound), 4);
	daemon_wait_log(&hasty, NULL, " reason=name_failed ");
	close(waiting);
	daemon_stop(&hasty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lead_to_their_addresses),
		cmocka_unit_test(a_second_session_asks_no_server),
		cmocka_unit_test(nine_sessions_go_three_to_each_of_three_addresses),
		cmocka_unit_test(a_name_server_that_does_not_answer_is_asked_last),
		cmocka_unit_test(a_change_of_another_setting_keeps_the_names),
		cmocka_unit_test(every_resolved_address_is_put_to_the_rules),
		cmocka_unit_test(a_late_answer_is_waited_for),
		cmocka_unit_test(a_client_that_breaks_off_during_the_lookup_frees_its_worker),
		cmocka_unit_test(a_server_that_never_answers_costs_connect_timeout),
	};

	return cmocka_run_group_tests_name("daemon/names", tests, setup, teardown);
}
