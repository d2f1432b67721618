/* rules: the verdict on every kind of subject, before and after its address is known, and the rule
 * that decided. */
#include "state/rules.h"

#include "../base/check.h"
#include "net.h"

static struct addr addr_of(const char *text)
{
	struct addr a;
	bool has_port;

	if (!addr_parse_port(text, strlen(text), &a, &has_port))
		fail_msg("\"%s\" is no address", text);
	return a;
}

static struct config config; /* of a proxy with the listeners that are in it */
static struct addr client;

static int set_up(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	client = net_addr("192.0.2.7", 1234);
	return 0;
}

static void listen_on(const char *text)
{
	config.own[config.own_count++] = addr_of(text);
}

static struct subject subject_of(enum request_command command)
{
	return (struct subject){.user = "", .client = &client, .command = command};
}

/* The rule that denies this; NULL: it is allowed. */
static const char *denied_by(const struct subject *s)
{
	static struct verdict v;

	v = rules_judge(&config, s);
	if (v.allowed)
		assert_string_equal(v.rule, "otherwise");
	return v.allowed ? NULL : v.rule;
}

/* The same for a literal address that was asked for, with all that is known in the end. */
static const char *address_denied_by(enum request_command command, const char *text, bool is_here)
{
	struct addr addr = addr_of(text);
	struct destination dst = destination_of_addr(&addr);
	struct subject s = subject_of(command);

	s.dst = &dst;
	s.addr = &addr;
	s.is_here = is_here;
	return denied_by(&s);
}

/* The same for what is asked for, before it is known which address it is. */
static const char *destination_denied_by(
	enum request_command command, const char *name, uint16_t port)
{
	struct destination dst = destination_of_name(name, strlen(name), port);
	struct subject s = subject_of(command);

	s.dst = &dst;
	return denied_by(&s);
}

/* NULL: that it is allowed. */
static void expect_rule(const char *what, const char *rule, const char *expected)
{
	const char *is = rule == NULL ? "allowed" : rule;
	const char *should = expected == NULL ? "allowed" : expected;

	if (strcmp(is, should) != 0)
		fail_msg("%s: %s instead of %s", what, is, should);
}

static void what_is_nowhere_is_no_target(void **state)
{
	static const struct {
		const char *addr, *rule;
	} rows[] = {{"198.51.100.7:0", "no_port"}, {"[2001:db8::7]:0", "no_port"},
		{"0.0.0.0:0", "no_port"}, {"0.0.0.0:80", "unspecified"}, {"[::]:80", "unspecified"},
		{"[::ffff:0.0.0.0]:80", "unspecified"}, {"198.51.100.7:1", NULL},
		{"127.0.0.1:65535", NULL}, {"[::1]:1080", NULL}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect_rule(rows[i].addr, address_denied_by(REQUEST_CONNECT, rows[i].addr, false),
			rows[i].rule);
		expect_rule(rows[i].addr,
			address_denied_by(REQUEST_UDP_ASSOCIATE, rows[i].addr, false),
			rows[i].rule);
	}
}

static void no_address_at_all_is_no_target(void **state)
{
	struct addr nowhere = {.sa = {.sa_family = AF_UNSPEC}};
	struct destination dst = destination_of_name("a", 1, 80);
	struct subject s = subject_of(REQUEST_CONNECT);

	(void)state;
	s.dst = &dst;
	s.addr = &nowhere;
	assert_string_equal(denied_by(&s), "no_port");
}

/* Whom BIND waits for may be anybody, from any port. */
static void bind_may_name_anybody(void **state)
{
	static const char *const addrs[] = {
		"0.0.0.0:0", "[::]:0", "0.0.0.0:80", "198.51.100.7:0", "198.51.100.7:80"};

	(void)state;
	for (size_t i = 0; i < COUNT(addrs); i++)
		expect_rule(addrs[i], address_denied_by(REQUEST_BIND, addrs[i], false), NULL);
	assert_null(destination_denied_by(REQUEST_BIND, "example.org", 0));
}

static void what_no_address_can_change_is_denied_before_any(void **state)
{
	(void)state;
	listen_on("0.0.0.0:1080");
	assert_string_equal(destination_denied_by(REQUEST_CONNECT, "example.org", 0), "no_port");
	assert_string_equal(destination_denied_by(REQUEST_CONNECT, "192.0.2.1", 0), "no_port");
	assert_string_equal(
		destination_denied_by(REQUEST_UDP_ASSOCIATE, "example.org", 0), "no_port");
	/* Of these the addresses decide. */
	assert_null(destination_denied_by(REQUEST_CONNECT, "example.org", 80));
	assert_null(destination_denied_by(REQUEST_CONNECT, "example.org", 1080));
	assert_null(destination_denied_by(REQUEST_CONNECT, "0.0.0.0", 80));
	assert_null(destination_denied_by(REQUEST_CONNECT, "127.0.0.1", 1080));
}

/* An association's own request names nothing that counts. */
static void a_command_alone_is_allowed(void **state)
{
	struct subject s = subject_of(REQUEST_UDP_ASSOCIATE);

	(void)state;
	listen_on("0.0.0.0:1080");
	assert_null(denied_by(&s));
}

static void the_proxy_itself_is_no_target(void **state)
{
	/* What is known of where the target is. */
	enum { THERE, HERE };
	static const struct {
		const char *listener, *target;
		int where;
		bool denied;
	} rows[] = {
		{"127.0.0.1:1080", "127.0.0.1:1080", THERE, true},
		{"127.0.0.1:1080", "[::ffff:127.0.0.1]:1080", THERE, true},
		{"127.0.0.1:1080", "127.0.0.1:1081", HERE, false},
		{"127.0.0.1:1080", "127.0.0.2:1080", HERE, false},
		{"127.0.0.1:1080", "[::1]:1080", HERE, false},
		{"[::1]:1080", "[::1]:1080", THERE, true},
		{"[::1]:1080", "127.0.0.1:1080", HERE, false},
		{"198.51.100.7:1080", "198.51.100.7:1080", THERE, true},
		{"198.51.100.7:1080", "198.51.100.8:1080", HERE, false},
		{"0.0.0.0:1080", "127.0.0.1:1080", HERE, true},
		{"0.0.0.0:1080", "198.51.100.7:1080", HERE, true},
		{"0.0.0.0:1080", "198.51.100.7:1080", THERE, false},
		{"0.0.0.0:1080", "127.0.0.1:1081", HERE, false},
		{"0.0.0.0:1080", "[::1]:1080", HERE, false},
		{"[::]:1080", "[::1]:1080", HERE, true},
		{"[::]:1080", "[::1]:80", HERE, false},
		{"[::]:1080", "127.0.0.1:1080", HERE, false},
		{"[::]:1080", "[2001:db8::7]:1080", THERE, false},
		{"[fe80::1%1]:1080", "[fe80::1]:1080", THERE, true},
	};
	static const enum request_command commands[] = {
		REQUEST_CONNECT, REQUEST_BIND, REQUEST_UDP_ASSOCIATE};

	for (size_t i = 0; i < COUNT(rows); i++) {
		set_up(state);
		listen_on(rows[i].listener);
		for (size_t k = 0; k < COUNT(commands); k++)
			expect_rule(rows[i].target,
				address_denied_by(
					commands[k], rows[i].target, rows[i].where == HERE),
				rows[i].denied ? "own" : NULL);
	}
}

static void every_listener_and_the_monitor_count(void **state)
{
	(void)state;
	listen_on("198.51.100.7:1080");
	listen_on("[2001:db8::7]:1081");
	listen_on("127.0.0.1:8080");
	assert_string_equal(address_denied_by(REQUEST_CONNECT, "198.51.100.7:1080", false), "own");
	assert_string_equal(address_denied_by(REQUEST_CONNECT, "[2001:db8::7]:1081", false), "own");
	assert_string_equal(address_denied_by(REQUEST_CONNECT, "127.0.0.1:8080", false), "own");
	assert_null(address_denied_by(REQUEST_CONNECT, "127.0.0.1:1081", true));
}

/* BIND's peer is judged as it is, whomever the request has named. */
static void the_peer_of_bind_is_not_the_proxy_itself(void **state)
{
	struct destination anybody = destination_of_name("0.0.0.0", 7, 0);
	struct addr peer = addr_of("198.51.100.9:1080");
	struct subject s = subject_of(REQUEST_BIND);

	(void)state;
	listen_on("198.51.100.9:1080");
	s.dst = &anybody;
	s.addr = &peer;
	assert_string_equal(denied_by(&s), "own");
	addr_set_port(&peer, 20);
	assert_null(denied_by(&s));
}

static void asks_where_only_at_ports_of_listeners_that_are_everywhere(void **state)
{
	static const struct {
		const char *addr;
		bool asks;
	} rows[] = {{"198.51.100.7:1080", true}, {"127.0.0.1:1080", true},
		{"198.51.100.7:80", false}, {"[2001:db8::7]:1080", false},
		{"[2001:db8::7]:1081", true}, {"198.51.100.7:8080", false},
		{"127.0.0.1:8080", false}};

	(void)state;
	listen_on("0.0.0.0:1080");
	listen_on("[::]:1081");
	listen_on("127.0.0.1:8080");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr addr = addr_of(rows[i].addr);

		if (rules_ask_where(&config, &addr) != rows[i].asks)
			fail_msg("%s", rows[i].addr);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_nowhere_is_no_target),
		TEST(no_address_at_all_is_no_target),
		TEST(bind_may_name_anybody),
		TEST(what_no_address_can_change_is_denied_before_any),
		TEST(a_command_alone_is_allowed),
		TEST(the_proxy_itself_is_no_target),
		TEST(every_listener_and_the_monitor_count),
		TEST(the_peer_of_bind_is_not_the_proxy_itself),
		TEST(asks_where_only_at_ports_of_listeners_that_are_everywhere),
	};

	return cmocka_run_group_tests_name("state/rules", tests, NULL, NULL);
}
