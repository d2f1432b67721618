/* The real server's rules: names and the addresses they come to, commands, datagrams, reloads, and
 * what is said of it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/check.h"
#include "dns.h"
#include "monitor.h"
#include "suite.h"
#include "udp.h"

static struct dns_record records[] = {
	{"www.allowed.test", DNS_ANSWER, 0, "127.0.0.1"},
	{"www.blocked.test", DNS_ANSWER, 600, "127.0.0.1"},
	{"two.test", DNS_ANSWER, 600, "127.0.0.2 127.0.0.1"},
	{"turns.test", DNS_ANSWER, 0, "127.0.0.3"},
	{NULL, DNS_ANSWER, 0, NULL},
};
enum { TURNS = 3 };

static struct dns *dns;
static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port;

static void write_config(const char *rules)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s\n", rules);
	daemon_write_file(d.config, text);
}

static int setup(void **state)
{
	(void)state;
	dns = dns_start(records);
	echo = net_echo_start("127.0.0.1", &echo_port);
	daemon_prepare(&d);
	write_config("");
	daemon_launch(&d,
		(const char *const[]){"-c", d.config, "--dns-servers", dns_server(dns),
			"--dns-cache", "0", NULL});
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

/* These lines are the configuration from here on. */
static void use_rules(const char *rules)
{
	write_config(rules);
	daemon_reload(&d, "msg=reloaded");
}

/* What the client gets, and which rule the log says has decided. */
static void expect_decision(const char *host, uint8_t reply, const char *rule)
{
	size_t from = daemon_log_end(&d);
	char expected[64];
	uint8_t rep;
	int fd = net_socks_connect(d.port, host, echo_port, &rep);

	if (rep == 0) {
		net_send(fd, "hello", 5);
		net_expect(fd, "hello", 5);
	}
	close(fd);
	assert_int_equal(rep, reply);
	snprintf(expected, sizeof(expected), " rule=%s ", rule);
	assert_contains(daemon_wait_log(&d, &from, "session ended"), expected);
}

/* conforms: RFC1928/evaluate */
static void the_first_rule_decides_and_is_told(void **state)
{
	(void)state;
	use_rules("rule = allow to .allowed.test\nrule = deny to .test # all others\n"
		  "rule = deny to 127.0.0.9\n");
	expect_decision("www.allowed.test", 0, "1");
	expect_decision("www.blocked.test", 2, "2");
	expect_decision("WWW.BLOCKED.test.", 2, "2");
	expect_decision("127.0.0.1", 0, "otherwise");
	expect_decision("127.0.0.9", 2, "3");
}

static void what_no_address_could_change_is_not_looked_up(void **state)
{
	unsigned before = dns_questions(dns, "www.blocked.test");

	(void)state;
	use_rules("rule = deny to .blocked.test\n");
	expect_decision("www.blocked.test", 2, "1");
	assert_int_equal(dns_questions(dns, "www.blocked.test"), before);
}

static void of_two_addresses_the_allowed_one_is_connected_to(void **state)
{
	size_t from;

	(void)state;
	use_rules("rule = deny to 127.0.0.2\n");
	from = daemon_log_end(&d);
	expect_decision("two.test", 0, "otherwise");
	assert_contains(daemon_wait_log(&d, &from, "session ended"), " address=127.0.0.1:");
	use_rules("rule = deny to 127.0.0.0/8\n");
	expect_decision("two.test", 2, "1");
}

/* The name comes to another address from one time to the next: what was judged is what is connected
 * to, with one question, and the next request is judged by the next answer. */
static void a_name_that_comes_to_another_address_is_judged_anew(void **state)
{
	unsigned before, asked;

	(void)state;
	use_rules("rule = allow to 127.0.0.3\nprotect = rebinding\nrule = deny to 127.0.0.4\n");
	records[TURNS].addrs = "127.0.0.3";
	before = dns_questions(dns, "turns.test");
	expect_decision("turns.test", 5, "1"); /* nobody listens there; it was allowed */
	asked = dns_questions(dns, "turns.test") - before;
	assert_in_range(asked, 1, 2); /* one for each family */
	records[TURNS].addrs = "127.0.0.1";
	expect_decision("turns.test", 2, "protect:rebinding");
	records[TURNS].addrs = "127.0.0.4";
	expect_decision("turns.test", 2, "2");
}

static void ipv4_is_found_in_every_dress(void **state)
{
	static const char *const dresses[] = {"::ffff:127.0.0.1", "::127.0.0.1",
		"64:ff9b::127.0.0.1", "2002:7f00:1::", "2002:7f00:1:2:3:4:5:6"};

	(void)state;
	use_rules("rule = deny to 127.0.0.1\n");
	for (size_t i = 0; i < COUNT(dresses); i++)
		expect_decision(dresses[i], 2, "1");
	/* As a name, too, which many clients make of an address. */
	expect_decision("127.0.0.1", 2, "1");
}

/* conforms: RFC1928/evaluate */
static void commands_and_datagrams_are_judged(void **state)
{
	struct addr target, other;
	struct udp_echo *one = udp_echo_start("127.0.0.1", &target),
			*two = udp_echo_start("127.0.0.1", &other);
	struct association a;
	char rules[128];
	long before;

	(void)state;
	use_rules("rule = deny command udp\n");
	association_open(&a, "127.0.0.1", d.port, NULL);
	assert_int_equal(a.rep, 2);
	close(a.tcp);
	snprintf(rules, sizeof(rules), "rule = deny command udp port %u\n", addr_port(&other));
	use_rules(rules);
	association_open(&a, "127.0.0.1", d.port, NULL);
	assert_int_equal(a.rep, 0);
	before = daemon_stat(&d, "datagrams_dropped_denied");
	association_send(&a, 0, &other, "x", 1);
	association_expect_echo(&a, &target, "allowed");
	assert_int_equal(daemon_stat(&d, "datagrams_dropped_denied"), before + 1);
	/* What was said of a target is asked again when the rules are others. */
	snprintf(rules, sizeof(rules), "rule = deny port %u\n", addr_port(&target));
	use_rules(rules);
	association_send(&a, 0, &target, "x", 1);
	association_expect_echo(&a, &other, "allowed now");
	assert_int_equal(daemon_stat(&d, "datagrams_dropped_denied"), before + 2);
	association_close(&a);
	udp_echo_stop(one);
	udp_echo_stop(two);
}

/* A request for BIND to whom this names; REP of the first reply. */
static uint8_t ask_for_bind(int *fd, const char *address, struct addr *bound)
{
	char hex[64];

	*fd = net_connect("127.0.0.1", d.port);
	net_socks_greet(*fd);
	snprintf(hex, sizeof(hex), "05 02 00 01 %s 00 00", address);
	net_send_hex(*fd, hex);
	return net_socks_read_reply(*fd, bound);
}

/* conforms: RFC1928/bind-evaluate */
static void bind_is_judged_by_whom_it_names_and_by_who_comes(void **state)
{
	long before = daemon_stat(&d, "bind_peers_refused");
	struct addr bound;
	int fd, peer;

	(void)state;
	use_rules("rule = deny command bind\n");
	assert_int_equal(ask_for_bind(&fd, "00 00 00 00", &bound), 2);
	close(fd);
	use_rules("rule = deny to 127.0.0.2\n");
	assert_int_equal(ask_for_bind(&fd, "7f 00 00 02", &bound), 2);
	close(fd);
	assert_int_equal(ask_for_bind(&fd, "00 00 00 00", &bound), 0);
	peer = net_connect_from("127.0.0.2", "127.0.0.1", addr_port(&bound));
	net_expect_gone(peer);
	close(peer);
	daemon_wait_stat(&d, "bind_peers_refused", before + 1);
	peer = net_connect_from("127.0.0.3", "127.0.0.1", addr_port(&bound));
	assert_int_equal(net_socks_read_reply(fd, &bound), 0);
	close(peer);
	close(fd);
}

static void a_reload_with_a_rule_that_is_wrong_changes_nothing(void **state)
{

	(void)state;
	use_rules("rule = deny to .blocked.test\n");
	write_config("\nrule = deny to .blocked.test prot 80\n");
	assert_contains(daemon_reload(&d, "reload refused"),
		":2: rule: \\\"deny to .blocked.test prot 80\\\": \\\"prot\\\": ");
	expect_decision("www.blocked.test", 2, "1");
	write_config("rule = deny to file:/nonexistent/list\n");
	assert_contains(daemon_reload(&d, "reload refused"), ":1: rule: /nonexistent/list");
	expect_decision("www.blocked.test", 2, "1");
}

static void lists_are_read_again_by_a_reload(void **state)
{
	char rules[TMP_MAX_PATH + 64];

	(void)state;
	daemon_write_file(d.users, "0.0.0.0 www.blocked.test\n");
	snprintf(rules, sizeof(rules), "rule = deny to file:%s\n", d.users);
	use_rules(rules);
	expect_decision("www.blocked.test", 2, "1");
	daemon_write_file(d.users, "# nothing\n");
	use_rules(rules);
	expect_decision("www.blocked.test", 0, "otherwise");
}

/* Clients on loopback have loopback for themselves; what is protected is told by its word. */
static void what_is_protected_is_denied_and_told(void **state)
{
	(void)state;
	use_rules("");
	expect_decision("169.254.169.254", 2, "protect:metadata");
	expect_decision("fe80::1", 2, "protect:link-local");
	expect_decision("127.0.0.1", 0, "otherwise");
	use_rules("protect = own\n");
	expect_decision("127.0.0.1", 2, "protect:own");
	use_rules("protect = own\nrule = allow\nrule = allow to own\n");
	expect_decision("127.0.0.1", 0, "2");
}

static void a_list_that_is_missing_at_start_is_on_the_safe_side(void **state)
{
	struct daemon other;
	uint8_t rep;

	(void)state;
	daemon_start(&other, (const char *const[]){"--rule", "deny to file:/nonexistent/x", NULL});
	daemon_wait_log(&other, NULL, "denies as if all were in it");
	close(net_socks_connect(other.port, "127.0.0.1", echo_port, &rep));
	assert_int_equal(rep, 2);
	daemon_stop(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_decides_and_is_told),
		cmocka_unit_test(what_no_address_could_change_is_not_looked_up),
		cmocka_unit_test(of_two_addresses_the_allowed_one_is_connected_to),
		cmocka_unit_test(a_name_that_comes_to_another_address_is_judged_anew),
		cmocka_unit_test(ipv4_is_found_in_every_dress),
		cmocka_unit_test(commands_and_datagrams_are_judged),
		cmocka_unit_test(bind_is_judged_by_whom_it_names_and_by_who_comes),
		cmocka_unit_test(a_reload_with_a_rule_that_is_wrong_changes_nothing),
		cmocka_unit_test(lists_are_read_again_by_a_reload),
		cmocka_unit_test(what_is_protected_is_denied_and_told),
		cmocka_unit_test(a_list_that_is_missing_at_start_is_on_the_safe_side),
	};

	return cmocka_run_group_tests_name("daemon/rules", tests, setup, teardown);
}
