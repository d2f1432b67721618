/* resolver: which of several servers is asked, when, and whose answer counts. Time stands still but
 * for what the test lets pass. */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "looker.h"

static _Atomic(int64_t) now_ms = 1000000;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (clock != CLOCK_MONOTONIC)
		return __real_clock_gettime(clock, ts);
	*ts = clock_timespec(atomic_load(&now_ms));
	return 0;
}

/* Notices when the test has moved the time on. */
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	int ready;

	do
		ready = poll(fds, count, 2);
	while (ready == 0 && clock_ms() < deadline);
	return ready;
}

static void pass_time(int64_t ms)
{
	atomic_fetch_add(&now_ms, ms);
}

static const struct dns_record first_records[] = {
	{"formerr.test", DNS_FORMERR, 0, NULL},
	{"servfail.test", DNS_SERVFAIL, 0, NULL},
	{"notimp.test", DNS_NOTIMP, 0, NULL},
	{"refused.test", DNS_REFUSED, 0, NULL},
	{"echo.test", DNS_ECHO, 0, NULL},
	{"lame.test", DNS_LAME, 0, NULL},
	{"twice.test", DNS_TRUNCATED_TWICE, 0, NULL},
	{"absent.test", DNS_NXDOMAIN, 0, NULL},
	{"slow.test", DNS_LATE_A, 0, "192.0.2.1 2001:db8::1"},
	{"mute.test", DNS_SILENT, 0, NULL},
	{"bad.test", DNS_FORMERR, 0, NULL},
	{"*.test", DNS_ANSWER, 0, "192.0.2.1 2001:db8::1"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static const struct dns_record second_records[] = {
	{"slow.test", DNS_SILENT, 0, NULL},
	{"mute.test", DNS_SILENT, 0, NULL},
	{"bad.test", DNS_SERVFAIL, 0, NULL},
	{"*.test", DNS_ANSWER, 0, "192.0.2.2 2001:db8::2"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *first, *second;
static struct resolver *resolver;
static struct fdbudget budget;
static struct looker l;
static char servers[128];

static struct resolver_options options(void)
{
	return (struct resolver_options){
		.servers = servers, .search = "search.test", .negative_ttl_ms = 60000};
}

/* Both servers, or the first one only; each test has new ones. */
static int start(bool both)
{
	struct resolver_options o = options();

	first = dns_start(first_records);
	second = dns_start(second_records);
	snprintf(servers, sizeof(servers), "%s %s", dns_server(first),
		both ? dns_server(second) : "");
	fdbudget_plan(&budget, 1000, 10, 10);
	resolver = resolver_new(&o, &budget);
	assert_non_null(resolver);
	return resolver_start(resolver);
}

static int start_with_both(void **state)
{
	(void)state;
	return start(true);
}

static int start_with_one(void **state)
{
	(void)state;
	return start(false);
}

static int stop(void **state)
{
	(void)state;
	resolver_free(resolver);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	dns_stop(first);
	dns_stop(second);
	return 0;
}

static void look_up(const char *name)
{
	looker_look_up(&l, resolver, &budget, name);
}

static void expect_ipv4(const char *addrs)
{
	looker_expect(&l, LOOKUP_IPV4, LOOKUP_FOUND, addrs);
}

/* Has the first server, which keeps silent from now on, asked for a.test. */
static void ask_silent_first(void)
{
	dns_keep_silent(first, true);
	looker_begin(&l, resolver, &budget, "a.test");
	looker_wait_questions(&l, first, "*.test", 2);
}

static void a_server_that_cannot_say_is_passed_over(void **state)
{
	static const char *const names[] = {
		"formerr.test", "servfail.test", "notimp.test", "refused.test"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		look_up(names[i]);
		expect_ipv4("192.0.2.2");
		looker_expect(&l, LOOKUP_IPV6, LOOKUP_FOUND, "2001:db8::2");
		assert_int_equal(dns_questions(first, names[i]), 2);
		assert_int_equal(dns_questions(second, "*.test"), 2 * (i + 1));
	}
}

/* That there is no address is said in other words. */
static void what_only_looks_like_no_address_is_passed_over(void **state)
{
	static const char *const names[] = {"echo.test", "lame.test", "twice.test"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		look_up(names[i]);
		expect_ipv4("192.0.2.2");
		looker_expect(&l, LOOKUP_IPV6, LOOKUP_FOUND, "2001:db8::2");
	}
}

static void a_lookup_fails_when_every_server_has(void **state)
{
	(void)state;
	look_up("bad.test");
	looker_expect(&l, LOOKUP_IPV4, LOOKUP_FAILED, "");
	assert_int_equal(dns_questions(first, "bad.test"), 2);
	assert_int_equal(dns_questions(second, "bad.test"), 2);
}

static void the_first_that_knows_decides_what_does_not_exist(void **state)
{
	(void)state;
	look_up("absent.test.");
	looker_expect(&l, LOOKUP_IPV4, LOOKUP_NOT_FOUND, "");
	assert_int_equal(dns_all_questions(second), 0);
}

static void the_second_is_asked_after_400_ms_and_not_before(void **state)
{
	struct looker other;

	(void)state;
	looker_begin(&l, resolver, &budget, "mute.test");
	looker_wait_questions(&l, first, "mute.test", 2);
	pass_time(399);
	looker_look_up(&other, resolver, &budget, "a.test");
	assert_int_equal(dns_all_questions(second), 0);
	pass_time(1);
	looker_wait_questions(&l, second, "mute.test", 2);
	looker_end(&l);
}

static void the_second_answers_for_one_that_is_dead(void **state)
{
	(void)state;
	ask_silent_first();
	pass_time(400);
	looker_finish(&l);
	expect_ipv4("192.0.2.2");
	looker_expect(&l, LOOKUP_IPV6, LOOKUP_FOUND, "2001:db8::2");
}

static void the_first_is_not_given_up_for_the_second(void **state)
{
	(void)state;
	looker_begin(&l, resolver, &budget, "slow.test");
	looker_wait_questions(&l, first, "slow.test", 2);
	pass_time(400);
	looker_wait_questions(&l, second, "slow.test", 1);
	pass_time(1000);
	dns_release(first);
	looker_finish(&l);
	expect_ipv4("192.0.2.1");
}

static void a_server_that_does_not_answer_is_asked_last_for_30_s(void **state)
{
	unsigned asked;

	(void)state;
	ask_silent_first();
	pass_time(400);
	looker_finish(&l);
	asked = dns_all_questions(first);
	dns_keep_silent(first, false);
	look_up("b.test");
	expect_ipv4("192.0.2.2");
	pass_time(29999);
	look_up("c.test");
	expect_ipv4("192.0.2.2");
	assert_int_equal(dns_all_questions(first), asked);
	pass_time(1);
	look_up("d.test");
	expect_ipv4("192.0.2.1");
}

static void one_that_answers_others_is_not_called_silent(void **state)
{
	struct looker other;
	unsigned asked;

	(void)state;
	looker_begin(&l, resolver, &budget, "mute.test");
	looker_wait_questions(&l, first, "mute.test", 2);
	pass_time(1000);
	looker_wait_questions(&l, second, "mute.test", 2);
	looker_look_up(&other, resolver, &budget, "a.test");
	pass_time(2000);
	looker_wait_questions(&l, first, "mute.test", 4);
	asked = dns_questions(second, "*.test");
	looker_look_up(&other, resolver, &budget, "b.test");
	looker_expect(&other, LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1");
	assert_int_equal(dns_questions(second, "*.test"), asked);
	looker_end(&l);
}

static void when_all_are_silent_they_are_asked_in_their_order(void **state)
{
	(void)state;
	dns_keep_silent(second, true);
	ask_silent_first();
	pass_time(400);
	looker_wait_questions(&l, second, "*.test", 2);
	pass_time(2000);
	looker_wait_questions(&l, first, "*.test", 4);
	looker_end(&l);
	dns_keep_silent(first, false);
	look_up("b.test");
	expect_ipv4("192.0.2.1");
}

static void a_single_server_is_asked_four_times_in_30_s(void **state)
{
	static const int64_t waits[] = {2000, 4000, 8000};

	(void)state;
	ask_silent_first();
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		pass_time(waits[i]);
		looker_wait_questions(&l, first, "*.test", 2 * ((unsigned)i + 2));
	}
	pass_time(15999);
	lookup_process(&l.lookup, NULL, 0);
	assert_true(lookup_pending(&l.lookup));
	assert_int_equal(dns_all_questions(first), 8);
	pass_time(1);
	looker_finish(&l);
	looker_expect(&l, LOOKUP_IPV4, LOOKUP_FAILED, "");
}

static void an_answer_that_comes_late_counts(void **state)
{
	(void)state;
	looker_begin(&l, resolver, &budget, "slow.test");
	looker_wait_questions(&l, first, "slow.test", 2);
	pass_time(2000);
	looker_wait_questions(&l, first, "slow.test", 3);
	pass_time(3000);
	dns_release(first);
	looker_finish(&l);
	expect_ipv4("192.0.2.1");
}

static void who_joins_late_has_it_asked_again(void **state)
{
	struct looker late;

	(void)state;
	ask_silent_first();
	pass_time(2000);
	looker_wait_questions(&l, first, "*.test", 4);
	pass_time(2500);
	dns_keep_silent(first, false);
	looker_look_up(&late, resolver, &budget, "a.test");
	looker_expect(&late, LOOKUP_IPV4, LOOKUP_FOUND, "192.0.2.1");
	looker_finish(&l);
	expect_ipv4("192.0.2.1");
	assert_int_equal(dns_all_questions(first), 6);
}

static void other_servers_are_asked_for_those_who_wait(void **state)
{
	struct resolver_options o = options();

	(void)state;
	ask_silent_first();
	o.servers = dns_server(second);
	assert_int_equal(resolver_configure(resolver, &o), 0);
	looker_finish(&l);
	expect_ipv4("192.0.2.2");
}

static void a_server_that_is_not_there_is_passed_over(void **state)
{
	struct resolver_options o = options();
	uint16_t port;
	int bound = net_refusing_port(&port);

	(void)state;
	snprintf(servers, sizeof(servers), "127.0.0.1:%u %s", port, dns_server(second));
	assert_int_equal(resolver_configure(resolver, &o), 0);
	look_up("a.test");
	expect_ipv4("192.0.2.2");
	close(bound);
}

int main(void)
{
#define BOTH(f) cmocka_unit_test_setup_teardown(f, start_with_both, stop)
#define ONE(f) cmocka_unit_test_setup_teardown(f, start_with_one, stop)
	const struct CMUnitTest tests[] = {
		BOTH(a_server_that_cannot_say_is_passed_over),
		BOTH(what_only_looks_like_no_address_is_passed_over),
		BOTH(a_lookup_fails_when_every_server_has),
		BOTH(the_first_that_knows_decides_what_does_not_exist),
		BOTH(the_second_is_asked_after_400_ms_and_not_before),
		BOTH(the_second_answers_for_one_that_is_dead),
		BOTH(the_first_is_not_given_up_for_the_second),
		BOTH(a_server_that_does_not_answer_is_asked_last_for_30_s),
		BOTH(one_that_answers_others_is_not_called_silent),
		BOTH(when_all_are_silent_they_are_asked_in_their_order),
		ONE(a_single_server_is_asked_four_times_in_30_s),
		ONE(an_answer_that_comes_late_counts),
		ONE(who_joins_late_has_it_asked_again),
		BOTH(other_servers_are_asked_for_those_who_wait),
		BOTH(a_server_that_is_not_there_is_passed_over),
	};

	return cmocka_run_group_tests_name("net/resolver_servers", tests, NULL, NULL);
}
