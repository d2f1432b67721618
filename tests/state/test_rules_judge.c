/* rules: what is written decides, line by line: rules, a request, the verdict and the line that has
 * made it. Monday in these tests is 2026-11-23, in a zone without summer time. */
#include "../base/check.h"
#include "judge.h"
#include "tmp.h"

#include <time.h>
#include <unistd.h>

#define MONDAY INT64_C(1795392000) /* 00:00 */
#define MON_0930 "1795426200"
#define MON_1300 "1795438800"
#define MON_2300 "1795474800"
#define TUE_0500 "1795496400"
#define SUN_0930 "1795339800"

static struct judge j;

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return judge_begin(&j);
}

static int tear_down(void **state)
{
	(void)state;
	judge_end(&j);
	return 0;
}

static void give(const char *name, const char *value)
{
	if (!judge_set(&j, name, value, false))
		fail_msg("%s = %s: %s", name, value, j.error);
}

static void compile(void)
{
	if (!judge_compile(&j))
		fail_msg("%s", j.error);
}

struct row {
	const char *rules, *request, *verdict;
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct verdict v;
		const char *verdict;

		give("rule", rows[i].rules);
		compile();
		verdict = judge_ask(&j, rows[i].request, &v);
		if (strcmp(verdict, rows[i].verdict) != 0)
			fail_msg("%s | %s: %s instead of %s", rows[i].rules, rows[i].request,
				verdict, rows[i].verdict);
	}
}

#define CLIENT "192.168.1.5 - - connect "
#define TO_WEB CLIENT "www.example.org 93.184.216.34 443 0"

static void the_first_rule_that_matches_decides(void **state)
{
	static const struct row rows[] = {
		{"", TO_WEB, "allow otherwise"},
		{"deny", TO_WEB, "deny 1"},
		{"allow; deny", TO_WEB, "allow 1"},
		{"deny to .example.com; deny to .example.org; allow", TO_WEB, "deny 2"},
		{"allow to www.example.org; deny to .example.org", TO_WEB, "allow 1"},
		{"deny from 10.0.0.0/8; allow from 192.168.0.0/16 port 443", TO_WEB, "allow 2"},
		{"deny from 192.168.1.5 port 80", TO_WEB, "allow otherwise"},
		{"deny from 10.0.0.1, 192.168.1.5 port 1-442, 444, 443", TO_WEB, "deny 1"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
	give("otherwise", "deny");
	check_rows((const struct row[]){{"allow to .org port 80", TO_WEB, "deny otherwise"}}, 1);
}

static void names_match_at_borders_of_labels(void **state)
{
	static const struct row rows[] = {
		{"deny to example.org", TO_WEB, "allow otherwise"},
		{"deny to www.example.org", TO_WEB, "deny 1"},
		{"deny to WWW.Example.ORG.", TO_WEB, "deny 1"},
		{"deny to .www.example.org", TO_WEB, "deny 1"},
		{"deny to .org", TO_WEB, "deny 1"},
		{"deny to .ample.org", TO_WEB, "allow otherwise"},
		{"deny to .example.org", CLIENT "EXAMPLE.org. 93.184.216.34 80 0", "deny 1"},
		{"deny to .example.org", CLIENT "notexample.org 93.184.216.34 80 0",
			"allow otherwise"},
		{"deny to .example.org", CLIENT "example.org.evil 93.184.216.34 80 0",
			"allow otherwise"},
		{"deny to .example.org, www.example.org", TO_WEB, "deny 1"},
		/* Who sends the address does not send the name. */
		{"deny to .example.org", CLIENT "= 93.184.216.34 443 0", "allow otherwise"},
		{"deny to .example.org, literal", CLIENT "= 93.184.216.34 443 0", "deny 1"},
		{"deny to literal", TO_WEB, "allow otherwise"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void users_are_known_by_name_group_or_not_at_all(void **state)
{
	static const struct row rows[] = {
		{"deny user alice", "10.0.0.1 alice - connect a.b 1.2.3.4 80 0", "deny 1"},
		{"deny user alice", "10.0.0.1 Alice - connect a.b 1.2.3.4 80 0", "allow otherwise"},
		{"deny user alice", "10.0.0.1 - - connect a.b 1.2.3.4 80 0", "allow otherwise"},
		{"deny user anonymous", "10.0.0.1 - - connect a.b 1.2.3.4 80 0", "deny 1"},
		{"deny user anonymous", "10.0.0.1 alice - connect a.b 1.2.3.4 80 0",
			"allow otherwise"},
		{"deny user known", "10.0.0.1 alice - connect a.b 1.2.3.4 80 0", "deny 1"},
		{"deny user known", "10.0.0.1 - - connect a.b 1.2.3.4 80 0", "allow otherwise"},
		{"deny user @b", "10.0.0.1 alice a,b,c connect a.b 1.2.3.4 80 0", "deny 1"},
		{"deny user @b", "10.0.0.1 alice a,bc,ab connect a.b 1.2.3.4 80 0",
			"allow otherwise"},
		{"deny user @c, bob", "10.0.0.1 alice a,b,c connect a.b 1.2.3.4 80 0", "deny 1"},
		{"deny user @a", "10.0.0.1 - - connect a.b 1.2.3.4 80 0", "allow otherwise"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void clients_are_known_by_network_group_and_word(void **state)
{
	static const struct row rows[] = {
		{"deny from @room12", "192.168.12.7 - - connect a.b 1.2.3.4 80 0", "deny 1"},
		{"deny from @room12", "192.168.13.5 - - connect a.b 1.2.3.4 80 0", "deny 1"},
		{"deny from @room12", "192.168.13.6 - - connect a.b 1.2.3.4 80 0",
			"allow otherwise"},
		{"deny from private", "fe80::1 - - connect a.b 1.2.3.4 80 0", "deny 1"},
		{"deny from private", "192.0.2.1 - - connect a.b 1.2.3.4 80 0", "allow otherwise"},
		{"deny from loopback", "127.3.2.1 - - connect a.b 1.2.3.4 80 0", "deny 1"},
		{"deny from loopback", "10.0.0.1 - - connect a.b 1.2.3.4 80 0", "allow otherwise"},
		{"deny from 2001:db8::/32", "2001:db8::7 - - connect a.b 1.2.3.4 80 0", "deny 1"},
	};

	(void)state;
	give("client_group", "@room12 192.168.12.0/24, 192.168.13.5");
	check_rows(rows, COUNT(rows));
}

static void commands_are_judged_before_there_is_a_target(void **state)
{
	static const struct row rows[] = {
		{"deny command udp, bind", "10.0.0.1 - - udp - - 0 0", "deny 1"},
		{"deny command bind", "10.0.0.1 - - bind = 0.0.0.0 0 0", "deny 1"},
		{"deny command connect", "10.0.0.1 - - udp - - 0 0", "allow otherwise !"},
		/* What a datagram's target will decide is left open. */
		{"deny to 1.2.3.4", "10.0.0.1 - - udp - - 0 0", "allow otherwise !"},
		{"deny port 53", "10.0.0.1 - - udp - - 0 0", "allow otherwise !"},
		{"allow port 53; deny command udp", "10.0.0.1 - - udp - - 0 0", "allow 2 !"},
		{"allow port 53; deny command udp", "10.0.0.1 - - udp = 1.2.3.4 53 0", "allow 1"},
		{"allow port 53; deny command udp", "10.0.0.1 - - udp = 1.2.3.4 54 0", "deny 2"},
		{"deny command bind port 20", "10.0.0.1 - - bind = 1.2.3.4 0 0",
			"allow otherwise !"},
		{"deny command bind port 20", "10.0.0.1 - - bind = 1.2.3.4 20 0", "deny 1"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void what_no_address_can_change_is_denied_at_once(void **state)
{
	static const struct row rows[] = {
		{"deny to .example.org", CLIENT "www.example.org - 80 0", "deny 1"},
		{"deny to 10.0.0.0/8", CLIENT "www.example.org - 80 0", "allow otherwise !"},
		{"deny to 10.0.0.0/8; deny port 80", CLIENT "a.b - 80 0", "deny 2"},
		{"allow to 10.0.0.0/8; deny port 80", CLIENT "a.b - 80 0", "allow 2 !"},
		{"allow to .c; deny", CLIENT "a.b - 80 0", "deny 2"},
		{"allow to private; deny", CLIENT "a.b - 80 0", "allow 2 !"},
		{"allow to literal; deny", CLIENT "a.b - 80 0", "deny 2"},
		{"allow to 10.0.0.0/8; deny port 80", CLIENT "a.b 10.1.1.1 80 0", "allow 1"},
		{"allow to 10.0.0.0/8; deny port 80", CLIENT "a.b 11.1.1.1 80 0", "deny 2"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void times_are_those_of_clocks(void **state)
{
	static const struct row rows[] = {
		{"deny time mon-fri 08:00-13:00", CLIENT "a.b 1.2.3.4 80 " MON_0930, "deny 1"},
		{"deny time mon-fri 08:00-13:00", CLIENT "a.b 1.2.3.4 80 " MON_1300,
			"allow otherwise"},
		{"deny time mon-fri 08:00-13:00", CLIENT "a.b 1.2.3.4 80 " SUN_0930,
			"allow otherwise"},
		{"deny time tue, sun", CLIENT "a.b 1.2.3.4 80 " SUN_0930, "deny 1"},
		{"deny time fri-mon", CLIENT "a.b 1.2.3.4 80 " SUN_0930, "deny 1"},
		{"deny time 13:00-24:00", CLIENT "a.b 1.2.3.4 80 " MON_1300, "deny 1"},
		/* The night belongs to the day on which it begins. */
		{"deny time mon 22:00-06:00", CLIENT "a.b 1.2.3.4 80 " MON_2300, "deny 1"},
		{"deny time mon 22:00-06:00", CLIENT "a.b 1.2.3.4 80 " TUE_0500, "deny 1"},
		{"deny time tue 22:00-06:00", CLIENT "a.b 1.2.3.4 80 " TUE_0500, "allow otherwise"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void what_is_protected_has_to_be_named(void **state)
{
	static const struct row rows[] = {
		{"", CLIENT "= 127.0.0.1 80 0", "deny protect:loopback"},
		{"", CLIENT "= 0.1.2.3 80 0", "deny protect:loopback"},
		{"", CLIENT "= ::1 80 0", "deny protect:loopback"},
		{"", "127.0.0.1 - - connect = 127.0.0.1 80 0", "allow otherwise"},
		{"", "127.0.0.1 - - connect = 169.254.1.1 80 0", "deny protect:link-local"},
		{"", CLIENT "= fe80::1 80 0", "deny protect:link-local"},
		{"", CLIENT "= 169.254.169.254 80 0", "deny protect:metadata"},
		{"", CLIENT "= 168.63.129.16 80 0", "deny protect:metadata"},
		{"", CLIENT "= 100.100.100.200 80 0", "deny protect:metadata"},
		{"", CLIENT "= fd00:ec2::254 80 0", "deny protect:metadata"},
		{"", CLIENT "= 224.0.0.251 80 0", "deny protect:multicast"},
		{"", CLIENT "= 255.255.255.255 80 0", "deny protect:multicast"},
		{"", CLIENT "= ff02::1 80 0", "deny protect:multicast"},
		{"", CLIENT "= 10.0.0.1 80 0", "allow otherwise"},
		/* Allowed in general is not allowed there. */
		{"allow", CLIENT "= 127.0.0.1 80 0", "deny protect:loopback"},
		{"allow to 0.0.0.0/0", CLIENT "= 127.0.0.1 80 0", "deny protect:loopback"},
		{"allow to 126.0.0.0/7", CLIENT "= 127.0.0.1 80 0", "deny protect:loopback"},
		{"allow to .b", CLIENT "a.b 127.0.0.1 80 0", "deny protect:loopback"},
		{"allow to private", CLIENT "= 127.0.0.1 80 0", "deny protect:loopback"},
		{"allow to 127.0.0.0/8", CLIENT "= 127.0.0.1 80 0", "allow 1"},
		{"allow to 0.0.0.0/0, 127.0.0.1", CLIENT "= 127.0.0.1 80 0", "allow 1"},
		{"allow to 127.0.0.2, 0.0.0.0/0", CLIENT "= 127.0.0.1 80 0",
			"deny protect:loopback"},
		{"allow to loopback port 80", CLIENT "= 127.0.0.1 80 0", "allow 1"},
		{"allow to loopback port 81", CLIENT "= 127.0.0.1 80 0", "deny protect:loopback"},
		/* Each of the places that it is in. */
		{"allow to link-local", CLIENT "= 169.254.169.254 80 0", "deny protect:metadata"},
		{"allow to metadata", CLIENT "= 169.254.169.254 80 0", "deny protect:link-local"},
		{"allow to 169.254.0.0/16", CLIENT "= 169.254.169.254 80 0",
			"deny protect:metadata"},
		{"allow to metadata, link-local", CLIENT "= 169.254.169.254 80 0", "allow 1"},
		{"allow to 169.254.169.254", CLIENT "= 169.254.169.254 80 0", "allow 1"},
		/* Who denies decides as always. */
		{"allow; deny port 80", CLIENT "= 127.0.0.1 80 0", "deny 2"},
		{"deny; allow to loopback", CLIENT "= 127.0.0.1 80 0", "deny 1"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
	give("otherwise", "deny");
	check_rows(
		(const struct row[]){{"", CLIENT "= 127.0.0.1 80 0", "deny protect:loopback"}}, 1);
	give("otherwise", "allow");
	give("protect", "none");
	check_rows((const struct row[]){{"", CLIENT "= 127.0.0.1 80 0", "allow otherwise"}}, 1);
}

static void more_can_be_protected(void **state)
{
	static const struct row rows[] = {
		{"", CLIENT "= 10.0.0.1 80 0", "deny protect:private"},
		{"", CLIENT "= fc00::1 80 0", "deny protect:private"},
		{"", CLIENT "= 127.0.0.1 80 0", "allow otherwise"},
		{"allow to private", CLIENT "= 10.0.0.1 80 0", "allow 1"},
		{"allow to 10.0.0.0/24", CLIENT "= 10.0.0.1 80 0", "allow 1"},
		{"", CLIENT "www.example.org 192.168.0.1 80 0", "deny protect:private"},
		{"allow to 192.168.0.0/16", CLIENT "www.example.org 192.168.0.1 80 0", "allow 1"},
	};
	static const struct row rebinding[] = {
		{"", CLIENT "www.example.org 192.168.0.1 80 0", "deny protect:rebinding"},
		{"", CLIENT "www.example.org 127.0.0.1 80 0", "deny protect:rebinding"},
		{"", CLIENT "www.example.org 64:ff9b::10.0.0.1 80 0", "deny protect:rebinding"},
		{"", CLIENT "www.example.org 93.184.216.34 80 0", "allow otherwise"},
		{"", CLIENT "printer 192.168.0.1 80 0", "allow otherwise"},
		{"", CLIENT "printer.lan 192.168.0.1 80 0", "allow otherwise"},
		{"", CLIENT "a.home.arpa 192.168.0.1 80 0", "allow otherwise"},
		{"", CLIENT "= 192.168.0.1 80 0", "allow otherwise"},
		{"allow to .example.org", CLIENT "www.example.org 192.168.0.1 80 0", "allow 1"},
		{"allow to 192.168.0.1", CLIENT "www.example.org 192.168.0.1 80 0", "allow 1"},
		{"allow", CLIENT "www.example.org 192.168.0.1 80 0", "deny protect:rebinding"},
	};

	(void)state;
	give("protect", "private");
	check_rows(rows, COUNT(rows));
	give("protect", "rebinding");
	check_rows(rebinding, COUNT(rebinding));
}

static void ipv4_within_ipv6_is_judged_as_both(void **state)
{
	static const char *const dresses[] = {"::ffff:127.0.0.1", "::7f00:1", "64:ff9b::7f00:1",
		"2002:7f00:1::", "2002:7f00:1:5::9"};
	static const struct row rows[] = {
		{"deny to 10.0.0.0/8", CLIENT "= 2002:a00:1:: 80 0", "deny 1"},
		{"deny to 10.0.0.0/8", CLIENT "= 64:ff9b::a00:1 80 0", "deny 1"},
		{"deny to 10.0.0.0/8", CLIENT "= ::a00:1 80 0", "deny 1"},
		{"deny to 10.0.0.0/8", CLIENT "= ::ffff:a00:1 80 0", "deny 1"},
		{"deny to 2002::/16", CLIENT "= 2002:a00:1:: 80 0", "deny 1"},
		/* Allowed as one of the two is not enough. */
		{"allow to 2002::/16; deny", CLIENT "= 2002:a00:1:: 80 0", "deny 2"},
		{"allow to 2002::/16, 10.0.0.0/8; deny", CLIENT "= 2002:a00:1:: 80 0", "allow 1"},
		{"deny to 10.0.0.0/8", CLIENT "= 2003:a00:1:: 80 0", "allow otherwise"},
		/* ::1 is no IPv4 address. */
		{"allow to ::1", CLIENT "= ::1 80 0", "allow 1"},
	};

	(void)state;
	check_rows(rows, COUNT(rows));
	for (size_t i = 0; i < COUNT(dresses); i++) {
		char request[128];

		snprintf(request, sizeof(request), CLIENT "= %s 80 0", dresses[i]);
		check_rows((const struct row[]){{"", request, "deny protect:loopback"}}, 1);
		check_rows((const struct row[]){{"allow to loopback", request,
				   i == 0 ? "allow 1" : "deny protect:loopback"}},
			i == 0);
	}
}

/* ---- hits ---- */

static void decide(const char *request)
{
	struct verdict v;

	judge_ask(&j, request, &v);
	rules_count_hit(&j.config, &v);
}

static void expect_hits(size_t index, const char *word, uint64_t hits)
{
	struct rule_info info = rules_get(j.config.rules, index);

	assert_string_equal(info.word, word);
	assert_int_equal(info.hits, hits);
}

static void hits_of_lines_that_stay_outlive_a_reload(void **state)
{
	(void)state;
	give("rule", "deny to .example.org; deny port 25");
	compile();
	decide(TO_WEB);
	decide(TO_WEB);
	decide(CLIENT "= 127.0.0.1 80 0");
	decide(CLIENT "= 1.2.3.4 80 0");
	expect_hits(0, "1", 2);
	expect_hits(1, "2", 0);
	assert_int_equal(rules_otherwise_hits(j.config.rules), 1);
	assert_int_equal(rules_protection_hits(j.config.rules, PLACE_LOOPBACK), 1);
	give("rule", "allow port 22; deny port 25; deny  to .EXAMPLE.org.");
	compile();
	expect_hits(0, "1", 0);
	expect_hits(2, "3", 2);
	give("rule", "deny to .example.org time mon");
	compile();
	expect_hits(0, "1", 0);
	assert_int_equal(rules_otherwise_hits(j.config.rules), 1);
}

static void the_newest_hit_is_known(void **state)
{
	int64_t before = time(NULL);
	struct rule_tally t;
	size_t at = 0;

	(void)state;
	give("rule", "deny to .example.org; deny port 25");
	compile();
	decide(TO_WEB);
	assert_true(rules_next_tally(&j.config, &at, 0, &t));
	assert_true(t.last >= before && t.last <= time(NULL));
	assert_true(rules_next_tally(&j.config, &at, 0, &t));
	assert_int_equal(t.last, 0);
}

static void expect_tally(size_t *at, int64_t now, const char *word, uint64_t hits)
{
	struct rule_tally t;

	assert_true(rules_next_tally(&j.config, at, now, &t));
	assert_string_equal(t.word, word);
	assert_int_equal(t.hits, hits);
}

static void all_that_may_decide_is_told_in_its_order(void **state)
{
	static const struct temporary_rule all[] = {
		{.text = "deny to .example.net", .number = 1, .until = MONDAY + 60},
		{.text = "deny to .example.com", .number = 2, .until = MONDAY + 10}};
	struct rule_tally t;
	struct rules *rules;
	size_t at = 0;

	(void)state;
	give("rule", "deny to .example.org");
	give("protect", "loopback, metadata");
	compile();
	rules = rules_with_temporary(j.config.rules, &j.config.settings, all, 2, j.error);
	assert_non_null(rules);
	config_set_rules(&j.config, rules);
	decide(TO_WEB);
	decide(CLIENT "= 127.0.0.1 80 0");
	expect_tally(&at, MONDAY + 10, "t1", 0);
	expect_tally(&at, MONDAY + 10, "1", 1);
	expect_tally(&at, MONDAY + 10, "otherwise", 0);
	expect_tally(&at, MONDAY + 10, "protect:loopback", 1);
	expect_tally(&at, MONDAY + 10, "protect:metadata", 0);
	assert_false(rules_next_tally(&j.config, &at, MONDAY + 10, &t));
	at = 1;
	assert_true(rules_next_tally(&j.config, &at, MONDAY + 9, &t));
	assert_string_equal(t.word, "t2");
	assert_int_equal(t.until, MONDAY + 10);
}

static void a_verdict_of_other_rules_counts_nowhere(void **state)
{
	struct verdict v;

	(void)state;
	give("rule", "deny to .example.org");
	compile();
	judge_ask(&j, TO_WEB, &v);
	give("rule", "deny port 1; deny to .example.org");
	compile();
	rules_count_hit(&j.config, &v);
	expect_hits(0, "1", 0);
	expect_hits(1, "2", 0);
}

/* ---- temporary rules, borders, traces ---- */

static void put_temporary(const struct temporary_rule *all, size_t count)
{
	struct rules *rules =
		rules_with_temporary(j.config.rules, &j.config.settings, all, count, j.error);

	if (rules == NULL)
		fail_msg("%s", j.error);
	config_set_rules(&j.config, rules);
}

static void temporary_rules_stand_above_and_end(void **state)
{
	static const struct temporary_rule all[] = {
		{.text = "deny to .example.org", .number = 7, .until = MONDAY + 60}};
	struct verdict v;

	(void)state;
	give("rule", "allow port 443; deny port 80");
	compile();
	decide(TO_WEB);
	put_temporary(all, 1);
	assert_int_equal(rules_count(j.config.rules), 3);
	assert_string_equal(judge_ask(&j, TO_WEB, &v), "deny t7");
	expect_hits(1, "1", 1);
	/* A reload keeps them. */
	compile();
	assert_string_equal(judge_ask(&j, TO_WEB, &v), "deny t7");
	expect_hits(0, "t7", 0);
	assert_int_equal(rules_next_border(j.config.rules, MONDAY), MONDAY + 60);
	assert_string_equal(
		judge_ask(&j, CLIENT "www.example.org 93.184.216.34 443 1795392060", &v),
		"allow 1");
	put_temporary(NULL, 0);
	assert_int_equal(rules_count(j.config.rules), 2);
	assert_int_equal(rules_next_border(j.config.rules, MONDAY), RULE_TIME_NEVER);
}

static char steps[256];

static void see_step(void *context, const struct rule_step *step)
{
	static const char *const outcomes[] = {"decides", "misses", "may", "names_not", "over"};
	struct rule_info info = rules_get(j.config.rules, step->index);
	size_t len = strlen(steps);

	(void)context;
	snprintf(steps + len, sizeof(steps) - len, "%s:%s%s%s ", info.word, outcomes[step->outcome],
		step->outcome == RULE_MISSES ? ":" : "",
		step->outcome == RULE_MISSES ? rule_keyword_word(step->keyword) : "");
}

static void a_trace_tells_why_each_rule_did_not_match(void **state)
{
	struct addr client, addr;
	struct destination dst;
	struct subject s = {.user = "", .command = REQUEST_CONNECT, .client = &client};

	(void)state;
	give("rule",
		"deny user alice; deny port 80; allow; deny to 127.0.0.1 from 10.0.0.0/8; "
		"deny to loopback; allow");
	compile();
	judge_addr("192.168.1.5", &client);
	judge_addr("127.0.0.1", &addr);
	addr_set_port(&addr, 443);
	dst = destination_of_addr(&addr);
	s.dst = &dst;
	s.addr = &addr;
	steps[0] = '\0';
	assert_false(rules_trace(&j.config, &s, see_step, NULL).allowed);
	assert_string_equal(
		steps, "1:misses:user 2:misses:port 3:names_not 4:misses:from 5:decides ");
}

/* ---- files ---- */

static void write_list(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void lists_hold_values_and_lines_of_hosts(void **state)
{
	static const char text[] = "# blocked\n"
				   "0.0.0.0 ads.example.com tracker.example.com # two\n"
				   "127.0.0.1 localhost\n"
				   "0.0.0.0 0.0.0.0\n"
				   ".doubleclick.net\r\n"
				   "Plain.Example.NET.\n"
				   "10.9.0.0/16\n"
				   "this is bad\n"
				   "worse!\n"
				   "2001:db8::7\n";
	static const struct {
		const char *request;
		bool is_denied;
	} rows[] = {
		{CLIENT "ads.example.com 1.2.3.4 80 0", true},
		{CLIENT "tracker.example.com 1.2.3.4 80 0", true},
		{CLIENT "x.ads.example.com 1.2.3.4 80 0", false},
		{CLIENT "localhost 1.2.3.4 80 0", false},
		{CLIENT "a.b.doubleclick.net 1.2.3.4 80 0", true},
		{CLIENT "doubleclick.net 1.2.3.4 80 0", true},
		{CLIENT "plain.example.net 1.2.3.4 80 0", true},
		{CLIENT "a.b 10.9.8.7 80 0", true},
		{CLIENT "a.b 10.8.8.7 80 0", false},
		{CLIENT "= 2001:db8::7 80 0", true},
	};
	char path[TMP_MAX_PATH], rule[TMP_MAX_PATH + 32], expected[TMP_MAX_PATH + 32];
	struct verdict v;

	(void)state;
	close(mkstemp(tmp_template(path, "socks5d-list")));
	write_list(path, text);
	snprintf(rule, sizeof(rule), "deny to .x.y, file:%s", path);
	give("rule", rule);
	compile();
	for (size_t i = 0; i < COUNT(rows); i++) {
		judge_ask(&j, rows[i].request, &v);
		if (v.allowed == rows[i].is_denied)
			fail_msg("%s", rows[i].request);
	}
	snprintf(expected, sizeof(expected), "%s:8: \"this is bad\"", path);
	assert_begins(rules_warning(j.config.rules, 0), expected);
	assert_contains(rules_warning(j.config.rules, 0), "; 2 lines of the file are skipped");
	assert_null(rules_warning(j.config.rules, 1));
	unlink(path);
}

static void a_list_that_cannot_be_read_is_on_the_safe_side(void **state)
{
	struct rules *rules;
	struct verdict v;

	(void)state;
	give("rule", "allow to .allowed, file:/nonexistent/a; deny to file:/nonexistent/b port 80");
	assert_false(judge_compile(&j));
	assert_contains(j.error, "/nonexistent/a");
	rules = rules_compile(&j.config.settings, NULL, true, j.error);
	assert_non_null(rules);
	config_set_rules(&j.config, rules);
	assert_contains(rules_warning(rules, 0), "allows nothing");
	assert_contains(rules_warning(rules, 1), "denies as if all were in it");
	assert_string_equal(judge_ask(&j, CLIENT "x.allowed 1.2.3.4 80 0", &v), "deny 2");
	assert_string_equal(judge_ask(&j, CLIENT "x.allowed 1.2.3.4 81 0", &v), "allow otherwise");
}

/* Only what has a name is sent on by it: whatever addresses it has, they are not asked for. */
static void a_name_that_is_sent_on_is_decided_at_once(void **state)
{
	static const struct row rows[] = {
		{"via a", CLIENT "www.example.org - 443 0", "name 1"},
		{"via a", CLIENT "= 93.184.216.34 443 0", "via 1"},
		{"via a", CLIENT "localhost - 443 0", "via 1 !"},
		{"via a", CLIENT "x.LocalHost. - 443 0", "via 1 !"},
		{"via a", CLIENT "notlocalhost - 443 0", "name 1"},
		{"via a", CLIENT "localhost.. - 443 0", "via 1 !"},
		{"via a", CLIENT "_a-1.example.org. - 443 0", "name 1"},
		{"via a", CLIENT "[::1] - 443 0", "via 1 !"},
		{"via a", CLIENT "::1%lo - 443 0", "via 1 !"},
		{"via a", CLIENT "127.0.0.%31 - 443 0", "via 1 !"},
		{"via a", CLIENT "127.0.0.\xef\xbc\x91 - 443 0", "via 1 !"},
		{"via a", CLIENT "u@127.0.0.1/x - 443 0", "via 1 !"},
		{"via a resolve=here", CLIENT "www.example.org - 443 0", "via 1 !"},
		{"via a resolve=here", TO_WEB, "via 1"},
		{"via a to .example.com", CLIENT "www.example.org - 443 0", "allow otherwise !"},
		{"deny to 10.0.0.0/8; via a", CLIENT "www.example.org - 443 0", "name 2"},
		{"deny to .example.org; via a", CLIENT "www.example.org - 443 0", "deny 1"},
		{"allow to 10.0.0.0/8; via a", CLIENT "www.example.org - 443 0", "name 2"},
		{"via a to 10.0.0.0/8; deny", CLIENT "www.example.org - 443 0", "allow 2 !"},
		{"via a to 10.0.0.0/8; deny", CLIENT "www.example.org 10.0.0.1 443 0", "via 1"},
		{"via a to 10.0.0.0/8; via b", CLIENT "www.example.org - 443 0", "name 2"},
		{"via a user alice; deny", CLIENT "www.example.org - 443 0", "deny 2"},
		{"via a", "10.0.0.1 - - bind x.y - 0 0", "name 1"},
		{"via a", "10.0.0.1 - - udp - - 0 0", "via 1 !"},
		{"via a command udp", "10.0.0.1 - - udp x.y - 53 0", "name 1"},
	};

	(void)state;
	give("upstream", "a socks5://192.0.2.1; b http://192.0.2.2:3128");
	check_rows(rows, COUNT(rows));
}

static void upstreams_open_what_is_protected_only_where_it_is_named(void **state)
{
	static const struct row rows[] = {
		{"via a", CLIENT "= 127.0.0.1 80 0", "deny protect:loopback"},
		{"via a", CLIENT "localhost 127.0.0.1 80 0", "deny protect:loopback"},
		{"via a to 127.0.0.1", CLIENT "= 127.0.0.1 80 0", "via 1"},
		{"via a to 0.0.0.0/0", CLIENT "= 169.254.169.254 80 0", "deny protect:metadata"},
		{"via a resolve=here", CLIENT "www.example.org 127.0.0.1 80 0",
			"deny protect:loopback"},
		{"via a", CLIENT "= ::7f00:1 80 0", "deny protect:loopback"},
	};

	(void)state;
	give("upstream", "a socks5://192.0.2.1");
	check_rows(rows, COUNT(rows));
}

static void upstreams_that_are_not_there_are_an_error(void **state)
{
	(void)state;
	give("upstream", "office socks5://192.0.2.1");
	give("rule", "via ofice, direct");
	assert_false(judge_compile(&j));
	assert_string_equal(j.error,
		"rule: \"via ofice, direct\": \"ofice\": there is no upstream of that name; did you "
		"mean office?");
}

static void groups_that_are_not_there_are_an_error(void **state)
{
	(void)state;
	give("client_group", "@room12 192.168.12.0/24");
	give("rule", "deny from @room13");
	assert_false(judge_compile(&j));
	assert_string_equal(j.error,
		"rule: \"deny from @room13\": \"@room13\": there is no "
		"client_group of that name; did you mean @room12?");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_rule_that_matches_decides),
		TEST(names_match_at_borders_of_labels),
		TEST(users_are_known_by_name_group_or_not_at_all),
		TEST(clients_are_known_by_network_group_and_word),
		TEST(commands_are_judged_before_there_is_a_target),
		TEST(what_no_address_can_change_is_denied_at_once),
		TEST(times_are_those_of_clocks),
		TEST(what_is_protected_has_to_be_named),
		TEST(more_can_be_protected),
		TEST(ipv4_within_ipv6_is_judged_as_both),
		TEST(hits_of_lines_that_stay_outlive_a_reload),
		TEST(the_newest_hit_is_known),
		TEST(a_verdict_of_other_rules_counts_nowhere),
		TEST(all_that_may_decide_is_told_in_its_order),
		TEST(temporary_rules_stand_above_and_end),
		TEST(a_trace_tells_why_each_rule_did_not_match),
		TEST(lists_hold_values_and_lines_of_hosts),
		TEST(a_list_that_cannot_be_read_is_on_the_safe_side),
		TEST(a_name_that_is_sent_on_is_decided_at_once),
		TEST(upstreams_open_what_is_protected_only_where_it_is_named),
		TEST(upstreams_that_are_not_there_are_an_error),
		TEST(groups_that_are_not_there_are_an_error),
	};

	return cmocka_run_group_tests_name("state/rules_judge", tests, NULL, NULL);
}
