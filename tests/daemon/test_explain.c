/* The real server's rules as administrators see and change them: EXPLAIN, RULES, ALLOW and DENY,
 * what is expected, and sessions that end when rules change. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/check.h"
#include "dns.h"
#include "monitor.h"
#include "suite.h"

static struct daemon d;
static int monitor;
static struct net_echo *echo;
static uint16_t echo_port;

static void begin(void)
{
	daemon_prepare(&d);
	monitor_write_users(&d);
	echo = net_echo_start("127.0.0.1", &echo_port);
}

static void launch(const char *const flags[])
{
	const char *all[DAEMON_MAX_FLAGS] = {"-U", d.users};
	size_t n = 2;

	for (size_t i = 0; flags[i] != NULL; i++)
		all[n++] = flags[i];
	all[n] = NULL;
	daemon_launch(&d, all);
	monitor = monitor_login(&d, "root:secret");
}

static void launch_with_file(const char *text)
{
	daemon_write_file(d.config, text);
	launch((const char *const[]){"-c", d.config, NULL});
}

static void stop(void)
{
	close(monitor);
	net_echo_stop(echo);
	daemon_stop(&d);
}

static int connect_as(const char *user, uint8_t *rep)
{
	return net_socks_connect_as(d.port, user, "secret", "127.0.0.1", echo_port, rep);
}

static int connect_well(const char *user)
{
	uint8_t rep = 0xff;
	int fd = connect_as(user, &rep);

	assert_int_equal(rep, 0);
	return fd;
}

static void assert_refused(const char *user)
{
	uint8_t rep = 0xff;
	int fd = connect_as(user, &rep);

	assert_int_equal(rep, 2);
	close(fd);
}

static void assert_echoes(int fd)
{
	net_send(fd, "ping", 4);
	net_expect(fd, "ping", 4);
}

static void assert_answer_has(const char *request, const char *text)
{
	const char *answer = monitor_ask(monitor, request);

	if (strstr(answer, text) == NULL)
		fail_msg("%s: \"%s\" lacks \"%s\"", request, answer, text);
}

/* ---- EXPLAIN ---- */

static const struct dns_record records[] = {{"www.example.test", DNS_ANSWER, 60, "192.0.2.9"},
	{"inside.test", DNS_ANSWER, 60, "127.0.0.1"},
	{"www.blocked.test", DNS_ANSWER, 60, "192.0.2.9"},
	{"mixed.test", DNS_ANSWER, 60, "198.51.100.9 192.0.2.9"},
	{"slow.test", DNS_SILENT, 0, NULL}, {NULL, DNS_ANSWER, 0, NULL}};

static const char *const mixed_rules = "auth = optional\n"
				       "rule = deny to .blocked.test\n"
				       "rule = deny user bob\n"
				       "rule = deny to 198.51.100.0/24\n"
				       "rule = allow user known\n"
				       "otherwise = deny\n"
				       "prefer = ipv4-only\n";

static void each_gate_is_explained(void **state)
{
	struct dns *dns = dns_start(records);

	(void)state;
	begin();
	daemon_write_file(d.config, mixed_rules);
	launch((const char *const[]){"-c", d.config, "--dns-servers", dns_server(dns), NULL});
	monitor_expect(monitor, "EXPLAIN from=127.0.0.7 user=alice to=www.blocked.test:443",
		"OK\n"
		"gate:ban result:pass\n"
		"gate:clients result:pass\n"
		"gate:login result:pass text:with the right password\n"
		"gate:limits result:pass\n"
		"gate:rules about:www.blocked.test:443 rule:1 result:decides by:- text:deny to "
		".blocked.test\n"
		"gate:rules about:www.blocked.test:443 result:deny rule:1 text:deny to "
		".blocked.test\n"
		"verdict:deny rule:1 reason:target_denied changes:-\n");
	assert_int_equal(dns_questions(dns, "www.blocked.test"), 0);
	monitor_expect(monitor, "EXPLAIN from=127.0.0.7 user=alice to=mixed.test:443",
		"OK\n"
		"gate:ban result:pass\n"
		"gate:clients result:pass\n"
		"gate:login result:pass text:with the right password\n"
		"gate:limits result:pass\n"
		"gate:rules about:mixed.test:443 rule:1 result:misses by:to text:deny to "
		".blocked.test\n"
		"gate:rules about:mixed.test:443 rule:2 result:misses by:user text:deny user bob\n"
		"gate:rules about:mixed.test:443 rule:3 result:depends by:to text:deny to "
		"198.51.100.0/24\n"
		"gate:rules about:mixed.test:443 rule:4 result:decides by:- text:allow user known\n"
		"gate:rules about:mixed.test:443 result:depends rule:4 text:allow user known\n"
		"gate:names about:mixed.test result:found addresses:198.51.100.9,192.0.2.9\n"
		"gate:rules about:198.51.100.9:443 rule:3 result:decides by:- text:deny to "
		"198.51.100.0/24\n"
		"gate:rules about:198.51.100.9:443 result:deny rule:3 text:deny to "
		"198.51.100.0/24\n"
		"gate:rules about:192.0.2.9:443 rule:3 result:misses by:to text:deny to "
		"198.51.100.0/24\n"
		"gate:rules about:192.0.2.9:443 rule:4 result:decides by:- text:allow user known\n"
		"gate:rules about:192.0.2.9:443 result:allow rule:4 text:allow user known\n"
		"verdict:allow rule:4 changes:-\n");
	assert_answer_has("EXPLAIN from=10.0.0.7 user=alice to=inside.test:443",
		"verdict:deny rule:protect:loopback reason:target_denied changes:-");
	assert_answer_has("EXPLAIN from=127.0.0.7 user=nobody to=192.0.2.9:443",
		"gate:login result:anonymous text:");
	assert_answer_has("EXPLAIN from=127.0.0.7 to=192.0.2.9:443",
		"verdict:deny rule:otherwise reason:target_denied changes:-");
	assert_answer_has("EXPLAIN from=127.0.0.7 user=alice to=absent.test:443",
		"verdict:deny rule:- reason:name_not_found changes:-");
	assert_answer_has("EXPLAIN from=8.8.8.8 user=alice to=192.0.2.9:443",
		"gate:clients result:deny text:");
	assert_answer_has("EXPLAIN from=127.0.0.7 to=192.0.2.9", "ERR \"to=192.0.2.9\": a port ");
	stop();
	dns_stop(dns);
}

static void a_ban_is_explained(void **state)
{
	(void)state;
	begin();
	launch((const char *const[]){NULL});
	monitor_ask(monitor, "BAN 10.1.2.3 1h");
	assert_answer_has("EXPLAIN from=10.1.2.3 user=alice to=192.0.2.9:443",
		"gate:ban result:deny reason:banned until:");
	assert_answer_has("EXPLAIN from=10.1.2.3 user=alice to=192.0.2.9:443",
		"verdict:deny rule:- reason:banned changes:2");
	assert_answer_has("EXPLAIN from=10.1.2.4 user=alice to=192.0.2.9:443", "verdict:allow");
	assert_answer_has("EXPLAIN from=10.1.2.4 to=192.0.2.9:443",
		"verdict:deny rule:- reason:no_method changes:-");
	stop();
}

/* Neither who is at the monitor, nor who changes something. */
static void a_name_server_that_keeps_silent_holds_up_nobody(void **state)
{
	struct dns *dns = dns_start(records);
	int other;

	(void)state;
	begin();
	launch((const char *const[]){
		"--dns-servers", dns_server(dns), "--connect-timeout", "3s", NULL});
	other = monitor_login(&d, "boss:secret");
	monitor_send(other, "EXPLAIN from=127.0.0.7 user=alice to=slow.test:443\n");
	dns_wait_questions(dns, "slow.test", 1);
	assert_answer_has("STATS", "OK\n");
	assert_answer_has("CONFIG timeout 77", "OK timeout set to 77");
	assert_true(net_is_silent(other));
	monitor_expect_text(other, "OK\ngate:ban result:pass\n");
	close(other);
	stop();
	dns_stop(dns);
}

static void the_file_alone_is_explained(void **state)
{
	static const struct {
		const char *question, *line;
		int status;
	} rows[] = {
		{"from=127.0.0.7 user=alice to=192.0.2.9:443", "\nverdict:allow rule:4", 0},
		{"from=127.0.0.7 user=bob to=192.0.2.9:443", "\nverdict:deny rule:2", 1},
		{"from=127.0.0.7 user=alice to=www.example.test:443", "\nverdict:unknown ", 2},
		{"from=127.0.0.7 user=alice to=a.blocked.test:443", "\nverdict:deny rule:1", 1},
		{"from=127.0.0.7 to", "socks5d: --explain: \"to\": legal is ", 2},
	};
	char output[8192];

	(void)state;
	begin();
	daemon_write_file(d.config, mixed_rules);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const flags[] = {
			"-c", d.config, "-U", d.users, "--explain", rows[i].question, NULL};

		assert_int_equal(daemon_run(flags, output, sizeof(output)), rows[i].status);
		if (strstr(output, rows[i].line) == NULL)
			fail_msg("%s: %s", rows[i].question, output);
	}
	net_echo_stop(echo);
	daemon_clean_up(&d);
}

/* As they will be there when the server has started. */
static void users_of_the_command_line_are_users(void **state)
{
	static const char *const question = "from=127.0.0.7 user=carol to=192.0.2.9:443";
	const char *const known[] = {
		"-c", d.config, "-u", "carol:secret", "--explain", question, NULL};
	const char *const unknown[] = {"-c", d.config, "--explain", question, NULL};
	const char *const checked[] = {"-c", d.config, "-u", "carol:secret", "-n", NULL};
	char output[8192];

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.config, "rule = allow user carol\notherwise = deny\n");
	assert_int_equal(daemon_run(known, output, sizeof(output)), 0);
	assert_contains(output, "\nverdict:allow rule:1");
	assert_int_equal(daemon_run(unknown, output, sizeof(output)), 1);
	assert_contains(output, "\nverdict:deny rule:otherwise");
	assert_int_equal(daemon_run(checked, output, sizeof(output)), 0);
	assert_null(strstr(output, "there is no user carol"));
	daemon_clean_up(&d);
}

static void the_file_alone_asks_name_servers_if_it_is_told_to(void **state)
{
	struct dns *dns = dns_start(records);
	char output[8192];

	(void)state;
	begin();
	daemon_write_file(d.config, mixed_rules);
	{
		const char *const flags[] = {"-c", d.config, "-U", d.users, "--dns-servers",
			dns_server(dns), "--resolve", "--explain",
			"from=127.0.0.7 user=alice to=www.example.test:443", NULL};

		assert_int_equal(daemon_run(flags, output, sizeof(output)), 0);
	}
	assert_non_null(strstr(output,
		"gate:names about:www.example.test result:found "
		"addresses:192.0.2.9\n"));
	dns_stop(dns);
	net_echo_stop(echo);
	daemon_clean_up(&d);
}

/* ---- temporary rules ---- */

static void deny_ends_what_it_hits_until_it_is_dropped(void **state)
{
	int alice, bob;

	(void)state;
	begin();
	launch((const char *const[]){NULL});
	alice = connect_well("alice");
	bob = connect_well("bob");
	assert_answer_has("DENY alice 127.0.0.1 1h",
		"OK Rule t1 for 1h: deny user alice to 127.0.0.1; 1 session ended (until the next "
		"start)");
	net_expect_gone(alice);
	close(alice);
	assert_contains(daemon_wait_log(&d, NULL, "session ended"),
		"rule=t1 outcome=success reason=rule_changed");
	assert_answer_has("WHY alice",
		"reason:rule_changed rule:t1 error:- advice:a rule that an "
		"administrator gave for a time");
	assert_refused("alice");
	assert_echoes(bob);
	assert_answer_has("RULES", "rule:t1 hits:1 left:3");
	assert_answer_has("RULES", " from:temporary last:");
	assert_answer_has("RULES", " text:deny user alice to 127.0.0.1\n");
	assert_answer_has("DROP_RULE t1", "OK 1 temporary rule dropped");
	assert_answer_has("DROP_RULE t1", "ERR There is no temporary rule t1");
	alice = connect_well("alice");
	assert_answer_has("RULES", "OK\nrule:otherwise hits:");
	close(alice);
	close(bob);
	stop();
}

/* Also with `recheck = no`, and then nothing else. */
static void deny_ends_only_what_it_hits_where_nothing_is_rechecked(void **state)
{
	int alice, bob;

	(void)state;
	begin();
	launch_with_file("recheck = no\n");
	alice = connect_well("alice");
	bob = connect_well("bob");
	daemon_write_file(d.config, "recheck = no\nrule = deny user bob\n");
	assert_answer_has("RELOAD", "1 live session would be refused now (RELOAD CUT ends it)");
	assert_answer_has("DENY alice * 1h", "; 1 session ended");
	net_expect_gone(alice);
	assert_echoes(bob);
	close(alice);
	close(bob);
	stop();
}

static void what_allow_has_let_in_ends_with_it(void **state)
{
	int alice;

	(void)state;
	begin();
	launch_with_file("otherwise = deny\n");
	assert_refused("alice");
	assert_answer_has("ALLOW alice 127.0.0.1 3s", "OK Rule t1 for 3s: allow user alice to ");
	alice = connect_well("alice");
	assert_echoes(alice);
	net_expect_gone(alice);
	close(alice);
	assert_refused("alice");
	assert_answer_has("RULES", "OK\nrule:otherwise hits:");
	stop();
}

static void temporary_rules_outlive_the_server(void **state)
{
	char folder[TMP_MAX_PATH + 8];
	const char *const flags[] = {"--state-dir", folder, NULL};
	const char *answer;

	(void)state;
	begin();
	snprintf(folder, sizeof(folder), "%s/state", d.folder);
	mkdir(folder, 0700);
	launch(flags);
	monitor_expect(monitor, "DENY alice * 2h", "OK Rule t1 for 2h: deny user alice\n");
	monitor_expect(monitor, "ALLOW alice 127.0.0.1 1h",
		"OK Rule t2 for 1h: allow user alice to 127.0.0.1\n");
	close(monitor);
	daemon_signal(&d, SIGKILL);
	daemon_wait_death(&d);
	launch(flags);
	answer = monitor_ask(monitor, "RULES");
	assert_non_null(strstr(answer, "OK\nrule:t2 hits:0 left:3"));
	assert_non_null(strstr(answer, "\nrule:t1 hits:0 left:7"));
	assert_non_null(strstr(answer, " text:deny user alice\n"));
	assert_answer_has("DENY bob * 1h", "OK Rule t3 for 1h");
	close(connect_well("alice"));
	assert_refused("bob");
	stop();
}

/* ---- reloads ---- */

static void a_reload_says_whom_it_would_refuse_and_cut_ends_them(void **state)
{
	int alice;

	(void)state;
	begin();
	launch_with_file("");
	alice = connect_well("alice");
	daemon_write_file(d.config, "rule = deny user alice\n");
	assert_answer_has("RELOAD", "; 1 live session would be refused now (RELOAD CUT ends it)");
	assert_echoes(alice);
	assert_answer_has("RELOAD CUT", "; 1 session ended that the rules refuse now");
	net_expect_gone(alice);
	close(alice);
	stop();
}

static void a_reload_ends_them_where_all_is_rechecked(void **state)
{
	int alice, bob;

	(void)state;
	begin();
	launch_with_file("recheck = all\n");
	alice = connect_well("alice");
	bob = connect_well("bob");
	daemon_write_file(d.config, "recheck = all\nrule = deny user alice to 127.0.0.1\n");
	assert_answer_has("RELOAD", "; 1 session ended that the rules refuse now");
	net_expect_gone(alice);
	assert_echoes(bob);
	assert_answer_has("CONFIG otherwise deny", "OK otherwise set to deny");
	net_expect_gone(bob);
	close(alice);
	close(bob);
	stop();
}

static void what_is_expected_refuses_a_reload(void **state)
{
	char expected[2 * TMP_MAX_PATH + 256];

	(void)state;
	begin();
	launch_with_file("expect = allow from=192.0.2.7 user=alice to=192.0.2.9:80\n");
	daemon_write_file(d.config,
		"expect = allow from=192.0.2.7 user=alice to=192.0.2.9:80\n"
		"rule = deny user alice\n");
	snprintf(expected, sizeof(expected),
		"ERR %s:1: expect: \"allow from=192.0.2.7 user=alice to=192.0.2.9:80\": on ",
		d.config);
	assert_answer_has("RELOAD", expected);
	snprintf(expected, sizeof(expected), " it is denied by %s:2: rule 1: \"deny user alice\"",
		d.config);
	assert_answer_has("RELOAD", expected);
	assert_answer_has("RULES", "OK\nrule:otherwise hits:");
	stop();
}

/* An address is an account's, as for bans; and no byte of a name is lost. */
static void temporary_rules_are_about_accounts(void **state)
{
	(void)state;
	begin();
	daemon_write_file(d.users, "root:" MONITOR_HASH ":admin\n\\x20:" MONITOR_HASH ":user\n");
	launch((const char *const[]){NULL});
	assert_answer_has("DENY 2001:db8:1:2::9 * 1h", "deny from [2001:db8:1:2::]/64 (until");
	assert_answer_has("EXPLAIN from=2001:db8:1:2::5 user=root to=127.0.0.1:80",
		"verdict:deny rule:t1 reason:target_denied");
	assert_answer_has("DENY 192.0.2.9 * 1h", "deny from 192.0.2.9 (until");
	assert_answer_has("DENY ::1 * 1h", "deny from [::1] (until");
	assert_answer_has("DENY 192.0.2.9/24 * 1h",
		"ERR \"192.0.2.9/24\": bits are set behind the prefix; did you mean 192.0.2.0/24?");
	assert_answer_has("DENY \\x20 * 1h", "deny user \\x5cx20 (until");
	assert_answer_has("EXPLAIN from=127.0.0.1 user=\\x20 to=127.0.0.1:80",
		"verdict:deny rule:t4 reason:target_denied");
	stop();
}

#define ALICE_OF_PUPILS "root:" MONITOR_HASH ":admin\nalice:" MONITOR_HASH ":user:groups=pupils\n"

/* Those of the users that are read with the configuration. */
static void groups_count_in_rules_expectations_and_commands(void **state)
{
	static const char *const text = "expect = deny from=127.0.0.1 user=alice to=127.0.0.1:80\n"
					"rule = deny user @pupils port 80\n";
	char expected[TMP_MAX_PATH + 128];
	int alice;

	(void)state;
	begin();
	launch_with_file("");
	alice = connect_well("alice");
	daemon_write_file(d.config, text);
	snprintf(expected, sizeof(expected), "ERR %s:1: expect: ", d.config);
	assert_answer_has("RELOAD", expected);
	assert_answer_has("DENY @pupils * 1h", "ERR There is no user or group @pupils");
	daemon_write_file(d.users, ALICE_OF_PUPILS);
	assert_answer_has("RELOAD", "OK ");
	assert_answer_has("EXPLAIN from=127.0.0.1 user=alice to=127.0.0.1:80",
		"verdict:deny rule:1 reason:target_denied");
	assert_answer_has(
		"DENY @pupils * 1h", "OK Rule t1 for 1h: deny user @pupils; 1 session ended");
	net_expect_gone(alice);
	assert_refused("alice");
	daemon_write_file(d.config, "client_group = @pupils 192.0.2.0/24\n");
	assert_answer_has("RELOAD", "client_group: \"@pupils\": users are in a group of that name");
	close(alice);
	stop();
}

static void what_is_expected_keeps_nobody_from_starting(void **state)
{
	int alice;

	(void)state;
	begin();
	launch_with_file("expect = deny from=192.0.2.7 user=alice to=192.0.2.9:80\n");
	daemon_wait_log(&d, NULL, "it is allowed by default: rule otherwise");
	alice = connect_well("alice");
	close(alice);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gate_is_explained),
		cmocka_unit_test(a_ban_is_explained),
		cmocka_unit_test(a_name_server_that_keeps_silent_holds_up_nobody),
		cmocka_unit_test(the_file_alone_is_explained),
		cmocka_unit_test(users_of_the_command_line_are_users),
		cmocka_unit_test(the_file_alone_asks_name_servers_if_it_is_told_to),
		cmocka_unit_test(deny_ends_what_it_hits_until_it_is_dropped),
		cmocka_unit_test(deny_ends_only_what_it_hits_where_nothing_is_rechecked),
		cmocka_unit_test(what_allow_has_let_in_ends_with_it),
		cmocka_unit_test(temporary_rules_outlive_the_server),
		cmocka_unit_test(a_reload_says_whom_it_would_refuse_and_cut_ends_them),
		cmocka_unit_test(a_reload_ends_them_where_all_is_rechecked),
		cmocka_unit_test(what_is_expected_refuses_a_reload),
		cmocka_unit_test(what_is_expected_keeps_nobody_from_starting),
		cmocka_unit_test(temporary_rules_are_about_accounts),
		cmocka_unit_test(groups_count_in_rules_expectations_and_commands),
	};

	return cmocka_run_group_tests_name("daemon/explain", tests, NULL, NULL);
}
