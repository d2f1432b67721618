/* target: who is asked about an address, and with which descriptor; and what a destination comes
 * to, in which order and when. */
#include "proxy/target.h"

#include <ifaddrs.h>
#include <stdio.h>
#include <unistd.h>

#include "../base/check.h"
#include "../state/judge.h"
#include "state/ledger_limits.h"
#include "base/clock.h"
#include "dns.h"
#include "net.h"
#include "net/hosts.h"
#include "net/socket.h"
#include "daemon.h"
#include "tmp.h"

static const struct dns_record records[] = {
	{"both", DNS_ANSWER, 60, "192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2 2001:db8::3"},
	{"v4", DNS_ANSWER, 60, "192.0.2.1 192.0.2.2"},
	{"v6", DNS_ANSWER, 60, "2001:db8::1"},
	{"slow.a", DNS_LATE_A, 60, "192.0.2.1 2001:db8::1"},
	{"no.aaaa", DNS_SILENT_AAAA, 60, "192.0.2.1"},
	{"mixed", DNS_ANSWER, 60, "0.0.0.0 192.0.2.1 127.0.0.1"},
	{"none", DNS_ANSWER, 60, ""},
	{"missing", DNS_NXDOMAIN, 60, NULL},
	{"broken", DNS_SERVFAIL, 60, NULL},
	{"unasked", DNS_ANSWER, 60, "192.0.2.1"},
	{NULL, DNS_ANSWER, 0, NULL},
};

/* In the place of /etc/hosts. */
static char hosts_path[TMP_MAX_PATH];
struct hosts *__real_hosts_new(const char *path, followed_say *say);
struct hosts *__wrap_hosts_new(const char *path, followed_say *say);

struct hosts *__wrap_hosts_new(const char *path, followed_say *say)
{
	(void)path;
	return __real_hosts_new(hosts_path, say);
}

static struct dns *dns;
static struct resolver *resolver;
static struct config config; /* of a proxy with the listeners that are in it */
static struct fdbudget budget;
static struct fd_lease lease;
static struct addr client;
static struct asker asker;

static int start_servers(void **state)
{
	struct resolver_options options = {.search = "", .cache_records = 0};

	(void)state;
	if (mkstemp(tmp_template(hosts_path, "socks5d-hosts")) < 0)
		return -1;
	daemon_write_file(hosts_path, "127.0.1.1 me me.example\n::1 ip6-localhost\n192.0.2.1 tv\n");
	dns = dns_start(records);
	options.servers = dns_server(dns);
	resolver = resolver_new(&options, &budget);
	return resolver == NULL ? -1 : resolver_start(resolver);
}

static int stop_servers(void **state)
{
	(void)state;
	resolver_free(resolver);
	dns_stop(dns);
	unlink(hosts_path);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	fdbudget_plan(&budget, 100, 10, 10);
	lease = (struct fd_lease){.budget = &budget, .held = 1};
	client = net_addr("192.0.2.7", 1234);
	asker = (struct asker){.config = &config,
		.resolver = resolver,
		.own = own_new(),
		.lease = &lease,
		.client = &client,
		.user = "",
		.command = REQUEST_CONNECT};
	assert_non_null(asker.own);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	own_free(asker.own);
	assert_int_equal(lease.held, 1);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	return 0;
}

static void listen_on(const char *host, uint16_t port)
{
	config.own[config.own_count++] = net_addr(host, port);
}

static bool is_allowed(const char *host, uint16_t port, bool has_place)
{
	struct addr a = net_addr(host, port);
	struct destination dst = destination_of_addr(&a);

	return target_judge(&asker, &dst, &a, has_place).allowed;
}

static bool is_guess(const char *host, uint16_t port, bool has_place)
{
	struct addr a = net_addr(host, port);
	struct destination dst = destination_of_addr(&a);

	return target_judge(&asker, &dst, &a, has_place).is_guess;
}

/* ---- the gate ---- */

/* A snapshot in which the proxy answers at `host` and `port`. */
static struct config *listening_on(const char *host, uint16_t port)
{
	struct config *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	atomic_init(&c->references, 1);
	c->own[c->own_count++] = net_addr(host, port);
	return c;
}

static void the_rules_are_those_in_force_not_those_of_the_beginning(void **state)
{
	struct config *first = listening_on("192.0.2.1", 8080);
	struct addr before = net_addr("192.0.2.1", 8080), since = net_addr("192.0.2.1", 9090);

	(void)state;
	asker.configs = config_store_new(first);
	assert_non_null(asker.configs);
	asker.config = config_get(asker.configs);
	assert_false(is_allowed("192.0.2.1", 8080, false));
	assert_true(is_allowed("192.0.2.1", 9090, false));
	assert_false(target_has_become_own(&asker, &before));
	config_publish(asker.configs, listening_on("192.0.2.1", 9090));
	assert_true(is_allowed("192.0.2.1", 8080, false));
	assert_false(is_allowed("192.0.2.1", 9090, false));
	/* Of what was allowed before. */
	assert_false(target_has_become_own(&asker, &before));
	assert_true(target_has_become_own(&asker, &since));
	config_release(first);
	config_store_free(asker.configs);
}

static void the_whole_question_is_put_to_the_rules(void **state)
{
	struct destination no_port = destination_of_name("example.org", 11, 0),
			   good = destination_of_name("example.org", 11, 80);
	struct addr nowhere = net_addr("0.0.0.0", 80), somewhere = net_addr("192.0.2.1", 80);

	(void)state;
	assert_string_equal(target_judge(&asker, &no_port, NULL, false).rule, "no_port");
	assert_string_equal(target_judge(&asker, &good, &nowhere, false).rule, "unspecified");
	assert_string_equal(target_judge(&asker, &good, &somewhere, false).rule, "otherwise");
	assert_true(target_judge(&asker, &good, NULL, false).allowed);
	assert_true(target_judge(&asker, NULL, NULL, false).allowed);
	asker.command = REQUEST_BIND;
	assert_true(target_judge(&asker, &no_port, NULL, false).allowed);
	assert_true(target_judge(&asker, &good, &nowhere, false).allowed);
}

/* As they are now: a user may be put into a group while a session of his is being served. */
static void a_users_groups_are_asked_for_where_rules_name_some(void **state)
{
	struct judge j;
	struct ledger *ledger = ledger_new(1, NULL);
	struct destination dst = destination_of_name("example.org", 11, 80);

	(void)state;
	assert_non_null(ledger);
	assert_int_equal(judge_begin(&j), 0);
	asker.config = &j.config;
	asker.user = "alice";
	asker.user_len = 5;
	asker.user_entry = ledger_add_user(ledger, "alice", 5);
	assert_int_equal(ledger_set_groups((struct ledger_entry *)(uintptr_t)asker.user_entry,
				 "staff,pupils"),
		0);
	assert_true(judge_set(&j, "rule", "deny user alice port 81; deny user @staff", false));
	assert_true(judge_compile(&j));
	assert_string_equal(target_judge(&asker, &dst, NULL, false).rule, "2");
	assert_int_equal(
		ledger_set_groups((struct ledger_entry *)(uintptr_t)asker.user_entry, "pupils"), 0);
	assert_string_equal(target_judge(&asker, &dst, NULL, false).rule, "otherwise");
	ledger_leave((struct ledger_entry *)(uintptr_t)asker.user_entry, 0);
	ledger_free(ledger);
	judge_end(&j);
}

static void check_interface(const struct ifaddrs *interface)
{
	struct addr a;
	char text[ADDR_TEXT_MAX];

	if (interface->ifa_addr == NULL)
		return;
	a = addr_from_sockaddr(interface->ifa_addr);
	if (a.sa.sa_family == AF_UNSPEC)
		return;
	if (is_allowed(addr_format_host(&a, text), 1080, false))
		fail_msg("%s is this host", text);
	assert_true(is_allowed(text, 1081, false));
}

static void check_interfaces(void)
{
	struct ifaddrs *all;

	assert_int_equal(getifaddrs(&all), 0);
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		check_interface(i);
	freeifaddrs(all);
}

static void a_listener_everywhere_is_on_every_address_of_the_host(void **state)
{
	(void)state;
	listen_on("0.0.0.0", 1080);
	listen_on("::", 1080);
	/* As the kernel says, and as it was read. */
	check_interfaces();
	assert_int_equal(own_refresh(asker.own), 0);
	check_interfaces();
}

/* All of 127.0.0.0/8 is, which no interface has as its address; so is what is routed here. */
static void local_routes_are_the_kernels_to_know(void **state)
{
	(void)state;
	listen_on("0.0.0.0", 1080);
	assert_int_equal(own_refresh(asker.own), 0);
	assert_false(is_allowed("127.99.0.1", 1080, false));
	assert_true(is_allowed("192.0.2.200", 1080, false));
}

static void only_what_the_kernel_alone_knows_takes_a_descriptor(void **state)
{
	(void)state;
	listen_on("0.0.0.0", 1080);
	listen_on("127.0.0.1", 8080);
	budget.spare = 0;
	assert_true(is_allowed("127.0.0.1", 80, false));
	assert_true(is_allowed("192.0.2.200", 80, false));
	assert_true(is_allowed("192.0.2.200", 8080, false));
	assert_false(is_allowed("127.0.0.1", 1080, false));
	assert_false(is_allowed("127.0.0.1", 8080, false));
	/* Without one the answer is the safe one; with a place in hand none is missed. */
	assert_false(is_allowed("192.0.2.200", 1080, false));
	assert_true(is_guess("192.0.2.200", 1080, false));
	assert_true(is_allowed("192.0.2.200", 1080, true));
	assert_false(is_guess("192.0.2.200", 1080, true));
	/* What is known, or denied for what is known, is no guess. */
	assert_false(is_guess("127.0.0.1", 1080, false));
	assert_false(is_guess("192.0.2.200", 0, false));
	assert_false(is_guess("192.0.2.200", 80, false));
	/* A session's first is its own. */
	lease.held = 0;
	assert_true(is_allowed("192.0.2.200", 1080, false));
	assert_int_equal(lease.held, 0);
	lease.held = 1;
}

/* Whom an upstream would take it for is another: it is judged by its addresses as localhost is. */
static void names_of_this_host_are_not_sent_on(void **state)
{
	static const struct {
		const char *name;
		bool is_sent_on;
	} rows[] = {{"www.example.org", true}, {"tv", true}, {"me", false}, {"ME.example.", false},
		{"ip6-localhost", false}, {"not.me", true}};
	struct judge judge;

	(void)state;
	assert_int_equal(judge_begin(&judge), 0);
	assert_true(judge_set(&judge, "upstream", "a socks5://192.0.2.1", true));
	assert_true(judge_set(&judge, "rule", "via a", true));
	assert_true(judge_compile(&judge));
	asker.config = &judge.config;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *name = rows[i].name;
		struct destination dst = destination_of_name(name, strlen(name), 80);
		struct verdict v = target_judge(&asker, &dst, NULL, false);

		assert_true(v.allowed);
		if (v.is_by_name != rows[i].is_sent_on)
			fail_msg("%s", name);
	}
	judge_end(&judge);
}

/* ---- candidates ---- */

static struct target target;

static bool begin(const char *name, uint16_t port)
{
	struct destination dst = destination_of_name(name, strlen(name), port);

	return target_begin(&target, &asker, &dst);
}

static void wait_once(void)
{
	struct pollfd fds[RESOLVER_MAX_FDS];
	size_t count = target_fds(&target, fds);

	socket_wait(fds, count, clock_earlier(target_deadline(&target), clock_deadline(1000)));
	target_process(&target, fds, count);
}

static void await(void)
{
	int64_t deadline = clock_deadline(NET_PATIENCE_S * 1000);

	while (target_pending(&target)) {
		assert_true(clock_ms() < deadline);
		wait_once();
	}
}

static void begin_and_await(const char *name, uint16_t port)
{
	assert_true(begin(name, port));
	await();
}

/* All that is left to take, the denied ones in parentheses. Ends the target. */
static const char *rest(void)
{
	static char all[1024];
	char text[ADDR_TEXT_MAX];

	all[0] = '\0';
	while (target_has_next(&target)) {
		struct candidate c = target_next(&target, false);
		size_t at = strlen(all);

		assert_int_equal(addr_port(&c.addr), target.dst.port);
		addr_format_host(&c.addr, text);
		snprintf(all + at, sizeof(all) - at, c.verdict.allowed ? "%s%s" : "%s(%s)",
			at > 0 ? " " : "", text);
	}
	assert_int_equal(target_due(&target), CLOCK_NEVER);
	target_end(&target, true);
	return all;
}

static void families_take_turns_the_preferred_one_first(void **state)
{
	static const struct {
		enum prefer prefer;
		const char *name, *order;
	} rows[] = {
		{PREFER_IPV6, "both", "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3"},
		{PREFER_IPV4, "both", "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2 2001:db8::3"},
		{PREFER_IPV6_ONLY, "both", "2001:db8::1 2001:db8::2 2001:db8::3"},
		{PREFER_IPV4_ONLY, "both", "192.0.2.1 192.0.2.2"},
		{PREFER_IPV6, "v4", "192.0.2.1 192.0.2.2"},
		{PREFER_IPV4, "v6", "2001:db8::1"},
		{PREFER_IPV4_ONLY, "v6", ""},
		{PREFER_IPV6, "192.0.2.9", "192.0.2.9"},
		{PREFER_IPV4, "2001:db8::9", "2001:db8::9"},
		{PREFER_IPV6_ONLY, "192.0.2.9", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		config.settings.prefer = rows[i].prefer;
		begin_and_await(rows[i].name, 80);
		assert_string_equal(rest(), rows[i].order);
	}
}

static void each_candidate_is_judged(void **state)
{
	struct candidate c;

	(void)state;
	listen_on("127.0.0.1", 1080);
	begin_and_await("mixed", 80);
	assert_string_equal(rest(), "(0.0.0.0) 192.0.2.1 127.0.0.1");
	begin_and_await("mixed", 1080);
	assert_string_equal(rest(), "(0.0.0.0) 192.0.2.1 (127.0.0.1)");
	begin_and_await("127.0.0.1", 1080);
	c = target_next(&target, false);
	assert_string_equal(c.verdict.rule, "own");
	target_end(&target, false);
}

static void what_no_address_can_change_is_not_looked_up(void **state)
{
	(void)state;
	assert_false(begin("unasked", 0));
	assert_int_equal(dns_questions(dns, "unasked"), 0);
	/* But for BIND, whose peer may have any port. */
	asker.command = REQUEST_BIND;
	begin_and_await("unasked", 0);
	assert_string_equal(rest(), "192.0.2.1");
}

static void the_preferred_family_is_waited_for_a_moment(void **state)
{
	int64_t begun, due;

	(void)state;
	config.settings.prefer = PREFER_IPV4;
	assert_true(begin("slow.a", 80));
	assert_int_equal(target_due(&target), CLOCK_NEVER);
	while (!target_has_next(&target))
		wait_once();
	begun = clock_ms();
	due = target_due(&target);
	assert_in_range(due, begun, begun + 60);
	assert_int_equal(target_due(&target), due);
	/* What was taken meanwhile does not hold the other family up when it comes. */
	target_next(&target, false);
	assert_int_equal(target_due(&target), CLOCK_NEVER);
	dns_release(dns);
	await();
	assert_int_equal(target_due(&target), 0);
	assert_string_equal(rest(), "192.0.2.1");
}

static void the_other_family_is_not_waited_for(void **state)
{
	(void)state;
	config.settings.prefer = PREFER_IPV4;
	assert_true(begin("no.aaaa", 80));
	while (!target_has_next(&target))
		wait_once();
	assert_true(target_pending(&target));
	assert_int_equal(target_due(&target), 0);
	assert_string_equal(rest(), "192.0.2.1");
	assert_false(target_pending(&target));
}

static void tells_why_there_is_nothing_to_try(void **state)
{
	static const struct {
		enum prefer prefer;
		const char *name;
		enum end_reason failure;
	} rows[] = {
		{PREFER_IPV6, "missing", END_NAME_NOT_FOUND},
		{PREFER_IPV6, "none", END_NAME_NOT_FOUND},
		{PREFER_IPV6, "broken", END_NAME_FAILED},
		{PREFER_IPV4_ONLY, "v6", END_NETWORK_UNREACHABLE},
		{PREFER_IPV6_ONLY, "192.0.2.9", END_NETWORK_UNREACHABLE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		config.settings.prefer = rows[i].prefer;
		begin_and_await(rows[i].name, 80);
		assert_false(target_has_next(&target));
		assert_int_equal(target_failure(&target), rows[i].failure);
		target_end(&target, false);
	}
}

static void includes_all_its_addresses_whatever_the_port(void **state)
{
	struct addr in = net_addr("192.0.2.2", 9), in6 = net_addr("2001:db8::3", 0),
		    out = net_addr("192.0.2.3", 80), none = {.sa = {.sa_family = AF_UNSPEC}};

	(void)state;
	config.settings.prefer = PREFER_IPV4_ONLY;
	begin_and_await("both", 80);
	rest();
	assert_true(target_includes(&target, &in));
	assert_true(target_includes(&target, &in6));
	assert_false(target_includes(&target, &out));
	assert_false(target_includes(&target, &none));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_rules_are_those_in_force_not_those_of_the_beginning),
		TEST(the_whole_question_is_put_to_the_rules),
		TEST(a_users_groups_are_asked_for_where_rules_name_some),
		TEST(a_listener_everywhere_is_on_every_address_of_the_host),
		TEST(local_routes_are_the_kernels_to_know),
		TEST(only_what_the_kernel_alone_knows_takes_a_descriptor),
		TEST(names_of_this_host_are_not_sent_on),
		TEST(families_take_turns_the_preferred_one_first),
		TEST(each_candidate_is_judged),
		TEST(what_no_address_can_change_is_not_looked_up),
		TEST(the_preferred_family_is_waited_for_a_moment),
		TEST(the_other_family_is_not_waited_for),
		TEST(tells_why_there_is_nothing_to_try),
		TEST(includes_all_its_addresses_whatever_the_port),
	};

	return cmocka_run_group_tests_name("proxy/target", tests, start_servers, stop_servers);
}
