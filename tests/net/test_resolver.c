/* resolver: one lookup in the caller's own poll(2), against a name server that can misbehave. */
#include "looker.h"

static const struct dns_record records[] = {
	{"one", DNS_ANSWER, 60, "192.0.2.1"},
	{"both", DNS_ANSWER, 60, "192.0.2.1 192.0.2.2 2001:db8::1"},
	{"three", DNS_ANSWER, 60, "192.0.2.1 192.0.2.2 192.0.2.3"},
	{"volatile", DNS_ANSWER, 0, "192.0.2.1"},
	{"missing", DNS_NXDOMAIN, 0, NULL},
	{"broken", DNS_SERVFAIL, 0, NULL},
	{"noisy", DNS_GARBAGE, 60, "192.0.2.3"},
	{"large", DNS_TRUNCATED, 60, "192.0.2.4 2001:db8::4"},
	{"short.lan", DNS_ANSWER, 60, "192.0.2.5"},
	{"mute", DNS_SILENT, 0, NULL},
	{"no.aaaa", DNS_SILENT_AAAA, 60, "192.0.2.6"},
	{"many", DNS_ANSWER, 60,
		"192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8 "
		"192.0.2.9 192.0.2.10 192.0.2.11 192.0.2.12 192.0.2.13 192.0.2.14 192.0.2.15 "
		"192.0.2.16 192.0.2.17 192.0.2.18"},
	{"localhost", DNS_ANSWER, 60, "192.0.2.66"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct resolver *resolver;
static struct fdbudget budget;
static struct looker l;

static struct resolver_options options(void)
{
	return (struct resolver_options){.servers = dns_server(dns),
		.search = "lan, example.test",
		.cache_records = 100,
		.negative_ttl_ms = 60000};
}

static int setup(void **state)
{
	struct resolver_options o;

	(void)state;
	dns = dns_start(records);
	o = options();
	fdbudget_plan(&budget, 100, 10, 10);
	resolver = resolver_new(&o, &budget);
	assert_non_null(resolver);
	assert_int_equal(resolver_start(resolver), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(l.lease.held, 0);
	resolver_free(resolver);
	dns_stop(dns);
	return 0;
}

static void begin_lookup(const char *name)
{
	looker_begin(&l, resolver, &budget, name);
}

/* Looks `name` up to the end. */
static void look_up(const char *name)
{
	looker_look_up(&l, resolver, &budget, name);
}

static void expect_answer(enum lookup_family family, enum lookup_state state, const char *addrs)
{
	looker_expect(&l, family, state, addrs);
}

static void finds_both_families(void **state)
{
	(void)state;
	look_up("both");
	expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1 192.0.2.2");
	expect_answer(LOOKUP_IPV6, LOOKUP_FOUND, "2001:db8::1");
}

static void one_family_may_be_missing(void **state)
{
	(void)state;
	look_up("one");
	expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1");
	expect_answer(LOOKUP_IPV6, LOOKUP_NOT_FOUND, "");
}

static void a_name_that_does_not_exist_is_not_found(void **state)
{
	(void)state;
	look_up("missing");
	expect_answer(LOOKUP_IPV4, LOOKUP_NOT_FOUND, "");
	expect_answer(LOOKUP_IPV6, LOOKUP_NOT_FOUND, "");
}

static void names_that_cannot_exist_are_not_found(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'x', 255);
	name[255] = '\0';
	look_up(name);
	expect_answer(LOOKUP_IPV4, LOOKUP_NOT_FOUND, "");
	look_up("a..b");
	expect_answer(LOOKUP_IPV4, LOOKUP_NOT_FOUND, "");
}

static void a_failing_server_is_told_from_a_missing_name(void **state)
{
	(void)state;
	look_up("broken");
	expect_answer(LOOKUP_IPV4, LOOKUP_FAILED, "");
	expect_answer(LOOKUP_IPV6, LOOKUP_FAILED, "");
}

static void answers_are_cached_for_both_families(void **state)
{
	unsigned asked;

	(void)state;
	look_up("both");
	asked = dns_questions(dns, "both");
	look_up("BOTH");
	expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.2 192.0.2.1");
	expect_answer(LOOKUP_IPV6, LOOKUP_FOUND, "2001:db8::1");
	assert_int_equal(dns_questions(dns, "both"), asked);
}

static void nine_sessions_go_three_to_each_of_three_addresses(void **state)
{
	static const char *const turns[] = {"192.0.2.1 192.0.2.2 192.0.2.3",
		"192.0.2.2 192.0.2.3 192.0.2.1", "192.0.2.3 192.0.2.1 192.0.2.2"};

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		look_up("three");
		expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, turns[i % 3]);
	}
	assert_int_equal(dns_questions(dns, "three"), 2);
}

static void a_name_that_does_not_exist_is_cached_too(void **state)
{
	unsigned asked;

	(void)state;
	look_up("missing");
	asked = dns_questions(dns, "missing");
	look_up("missing");
	assert_int_equal(dns_questions(dns, "missing"), asked);
}

static void a_ttl_of_0_and_failures_are_not_cached(void **state)
{
	unsigned asked;

	(void)state;
	look_up("volatile");
	asked = dns_questions(dns, "volatile");
	look_up("volatile");
	assert_true(dns_questions(dns, "volatile") > asked);
	look_up("broken");
	asked = dns_questions(dns, "broken");
	look_up("broken");
	assert_true(dns_questions(dns, "broken") > asked);
}

static void configuring_empties_the_cache(void **state)
{
	struct resolver_options o = options();
	unsigned asked;

	(void)state;
	look_up("one");
	asked = dns_questions(dns, "one");
	assert_int_equal(resolver_configure(resolver, &o), 0);
	look_up("one");
	assert_int_equal(dns_questions(dns, "one"), asked + 2);
}

static void noise_is_not_taken_for_an_answer(void **state)
{
	(void)state;
	look_up("noisy");
	expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.3");
}

static void a_truncated_answer_is_fetched_over_tcp(void **state)
{
	(void)state;
	look_up("large");
	expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.4");
	expect_answer(LOOKUP_IPV6, LOOKUP_FOUND, "2001:db8::4");
}

static void search_domains_are_tried(void **state)
{
	(void)state;
	look_up("short");
	expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.5");
}

static void hosts_file_wins_over_the_servers(void **state)
{
	(void)state;
	look_up("localhost");
	expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "127.0.0.1");
	assert_int_equal(dns_questions(dns, "localhost"), 0);
}

static void at_most_16_addresses_are_kept(void **state)
{
	(void)state;
	look_up("many");
	assert_int_equal(l.lookup.answers[LOOKUP_IPV4].count, RESOLVER_MAX_ADDRS);
}

static void a_lookup_can_be_given_up(void **state)
{
	(void)state;
	begin_lookup("mute");
	assert_true(lookup_pending(&l.lookup));
	assert_true(lookup_deadline(&l.lookup) < CLOCK_NEVER);
	assert_true(l.lease.held > 0);
	lookup_end(&l.lookup, false);
	assert_false(lookup_pending(&l.lookup));
	assert_int_equal(l.lease.held, 0);
	lookup_end(&l.lookup, false);
}

static void a_silent_family_is_taken_as_absent_for_a_while(void **state)
{
	unsigned asked;

	(void)state;
	begin_lookup("no.aaaa");
	while (l.lookup.answers[LOOKUP_IPV4].state == LOOKUP_PENDING)
		looker_wait_once(&l);
	lookup_end(&l.lookup, true);
	asked = dns_questions(dns, "no.aaaa");
	begin_lookup("no.aaaa");
	assert_false(lookup_pending(&l.lookup));
	expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.6");
	expect_answer(LOOKUP_IPV6, LOOKUP_NOT_FOUND, "");
	assert_int_equal(dns_questions(dns, "no.aaaa"), asked);
}

static void a_silent_family_is_asked_again_when_nobody_was_served(void **state)
{
	unsigned asked;

	(void)state;
	begin_lookup("no.aaaa");
	while (l.lookup.answers[LOOKUP_IPV4].state == LOOKUP_PENDING)
		looker_wait_once(&l);
	lookup_end(&l.lookup, false);
	asked = dns_questions(dns, "no.aaaa");
	begin_lookup("no.aaaa");
	assert_true(lookup_pending(&l.lookup));
	dns_wait_questions(dns, "no.aaaa", asked + 1);
	lookup_end(&l.lookup, false);
}

static void names_of_localhost_are_loopback(void **state)
{
	static const char *const names[] = {"a.localhost", "B.LocalHost", "c.localhost."};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		look_up(names[i]);
		expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "127.0.0.1");
		expect_answer(LOOKUP_IPV6, LOOKUP_FOUND, "::1");
	}
	look_up("localhost."); /* hosts(5) may know it in one family only */
	expect_answer(LOOKUP_IPV4, LOOKUP_FOUND, "127.0.0.1");
	look_up("notlocalhost");
	expect_answer(LOOKUP_IPV4, LOOKUP_NOT_FOUND, "");
}

static void search_lists_are_checked(void **state)
{
	(void)state;
	assert_true(resolver_search_valid(""));
	assert_true(resolver_search_valid("1 2 3 4 5 6 7 8"));
	assert_false(resolver_search_valid("1 2 3 4 5 6 7 8 9"));
}

static void without_a_descriptor_it_fails_and_opens_none(void **state)
{
	size_t spare = budget.spare;

	(void)state;
	budget.spare = 0;
	l.lease = (struct fd_lease){.budget = &budget};
	assert_true(fd_lease_take(&l.lease));
	lookup_begin(&l.lookup, resolver, "one", 3, &l.lease);
	while (lookup_pending(&l.lookup))
		looker_wait_once(&l);
	expect_answer(LOOKUP_IPV4, LOOKUP_FAILED, "");
	assert_int_equal(l.lease.held, 1);
	fd_lease_give(&l.lease);
	budget.spare = spare;
}

static void server_lists_are_checked(void **state)
{
	(void)state;
	assert_true(resolver_servers_valid(""));
	assert_true(resolver_servers_valid("192.0.2.1, [2001:db8::1]:5353 2001:db8::2"));
	assert_false(resolver_servers_valid("dns.example.org"));
	assert_false(resolver_servers_valid("192.0.2.1:70000"));
	assert_false(resolver_servers_valid("fe80::1%1"));
}

/* Every test begins with an empty cache. */
static int forget(void **state)
{
	struct resolver_options o = options();

	(void)state;
	return resolver_configure(resolver, &o);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, forget)
	const struct CMUnitTest tests[] = {
		TEST(finds_both_families),
		TEST(one_family_may_be_missing),
		TEST(a_name_that_does_not_exist_is_not_found),
		TEST(names_that_cannot_exist_are_not_found),
		TEST(a_failing_server_is_told_from_a_missing_name),
		TEST(answers_are_cached_for_both_families),
		TEST(nine_sessions_go_three_to_each_of_three_addresses),
		TEST(a_name_that_does_not_exist_is_cached_too),
		TEST(a_ttl_of_0_and_failures_are_not_cached),
		TEST(configuring_empties_the_cache),
		TEST(noise_is_not_taken_for_an_answer),
		TEST(a_truncated_answer_is_fetched_over_tcp),
		TEST(search_domains_are_tried),
		TEST(hosts_file_wins_over_the_servers),
		TEST(at_most_16_addresses_are_kept),
		TEST(a_lookup_can_be_given_up),
		TEST(a_silent_family_is_taken_as_absent_for_a_while),
		TEST(a_silent_family_is_asked_again_when_nobody_was_served),
		TEST(names_of_localhost_are_loopback),
		TEST(search_lists_are_checked),
		TEST(without_a_descriptor_it_fails_and_opens_none),
		TEST(server_lists_are_checked),
	};

	return cmocka_run_group_tests_name("net/resolver", tests, setup, teardown);
}
