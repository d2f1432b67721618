/* flows: what is remembered of them, how long, and whom the filter lets through. */
#include <stdio.h>
#include <string.h>

#include "proxy/flows.h"
#include "suite.h"

static struct flows flows;

static int setup(void **state)
{
	(void)state;
	memset(&flows, 0, sizeof(flows));
	return 0;
}

static struct flow *add(uint64_t name, const struct addr *addr, bool allowed)
{
	const struct verdict verdict = {.allowed = allowed};

	return flows_add(&flows, name, addr, &verdict);
}

static void remembers_verdicts_by_address_and_port(void **state)
{
	struct addr a = net_addr("192.0.2.1", 53), b = net_addr("192.0.2.1", 54),
		    c = net_addr("2001:db8::1", 53);

	(void)state;
	assert_null(flows_find(&flows, 0, &a));
	assert_true(add(0, &a, true)->allowed);
	assert_false(add(0, &b, false)->allowed);
	assert_true(add(0, &c, true)->allowed);
	assert_true(flows_find(&flows, 0, &a)->allowed);
	assert_false(flows_find(&flows, 0, &b)->allowed);
	assert_true(flows_find(&flows, 0, &c)->allowed);
}

/* The rules may say one thing of a name and another of the address that it led to. */
static void a_verdict_by_name_is_of_that_name_only(void **state)
{
	struct addr a = net_addr("192.0.2.1", 53), other_port = net_addr("192.0.2.1", 54);

	(void)state;
	add(7, &a, true);
	assert_null(flows_find(&flows, 0, &a));
	assert_null(flows_find(&flows, 8, &a));
	assert_null(flows_find(&flows, 7, &other_port));
	add(0, &a, false);
	add(8, &a, false);
	assert_true(flows_find(&flows, 7, &a)->allowed);
	assert_false(flows_find(&flows, 0, &a)->allowed);
	assert_false(flows_find(&flows, 8, &a)->allowed);
	/* Whoever was sent to in one way may answer. */
	assert_true(flows_expect(&flows, &a, UDP_FILTER_ADDRESS_PORT));
}

static void the_one_used_longest_ago_makes_room(void **state)
{
	struct addr first = net_addr("192.0.2.1", 1);

	(void)state;
	add(0, &first, true);
	for (uint16_t port = 2; port <= FLOWS_WAYS; port++) {
		struct addr a = net_addr("192.0.2.1", port);

		add(0, &a, true);
		assert_non_null(flows_find(&flows, 0, &first));
	}
	for (uint16_t port = 100; port < 110; port++) {
		struct addr a = net_addr("192.0.2.1", port), second = net_addr("192.0.2.1", 2);

		add(0, &a, true);
		assert_null(flows_find(&flows, 0, &second));
		assert_non_null(flows_find(&flows, 0, &first));
	}
}

static void a_thousand_flows_do_no_harm(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char text[32];
		struct addr a;

		snprintf(text, sizeof(text), "10.0.%u.%u", i / 250, i % 250 + 1);
		a = net_addr(text, (uint16_t)(i + 1));
		add(0, &a, true);
		assert_ptr_equal(flows_find(&flows, 0, &a), flows.last);
	}
}

static void only_who_was_sent_to_is_expected(void **state)
{
	struct addr sent = net_addr("192.0.2.1", 53), same_host = net_addr("192.0.2.1", 99),
		    other = net_addr("192.0.2.2", 53), denied = net_addr("192.0.2.3", 53),
		    v6 = net_addr("2001:db8::1", 53);

	(void)state;
	add(0, &sent, true);
	add(0, &denied, false);
	assert_true(flows_expect(&flows, &sent, UDP_FILTER_ADDRESS));
	assert_true(flows_expect(&flows, &same_host, UDP_FILTER_ADDRESS));
	assert_false(flows_expect(&flows, &other, UDP_FILTER_ADDRESS));
	assert_false(flows_expect(&flows, &denied, UDP_FILTER_ADDRESS));
	assert_false(flows_expect(&flows, &v6, UDP_FILTER_ADDRESS));
	assert_true(flows_expect(&flows, &sent, UDP_FILTER_ADDRESS_PORT));
	assert_false(flows_expect(&flows, &same_host, UDP_FILTER_ADDRESS_PORT));
	assert_true(flows_expect(&flows, &other, UDP_FILTER_NONE));
}

static void all_can_be_gone_through_and_forgotten(void **state)
{
	struct addr addrs[] = {net_addr("192.0.2.1", 53), net_addr("192.0.2.1", 54),
		net_addr("2001:db8::1", 53), net_addr("198.51.100.7", 1)};
	size_t count = 0;

	(void)state;
	assert_null(flows_next(&flows, NULL));
	for (size_t i = 0; i < 4; i++)
		add(i, &addrs[i], true);
	for (struct flow *f = flows_next(&flows, NULL); f != NULL; f = flows_next(&flows, f)) {
		assert_true(addr_equal(&f->addr, &addrs[f->name]));
		count++;
	}
	assert_int_equal(count, 4);
	flows_forget(&flows, flows_find(&flows, 3, &addrs[3]));
	assert_null(flows_find(&flows, 3, &addrs[3]));
	assert_false(flows_expect(&flows, &addrs[3], UDP_FILTER_ADDRESS));
	assert_true(flows_expect(&flows, &addrs[2], UDP_FILTER_ADDRESS));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(remembers_verdicts_by_address_and_port),
		TEST(a_verdict_by_name_is_of_that_name_only),
		TEST(the_one_used_longest_ago_makes_room),
		TEST(a_thousand_flows_do_no_harm),
		TEST(only_who_was_sent_to_is_expected),
		TEST(all_can_be_gone_through_and_forgotten),
	};

	return cmocka_run_group_tests_name("proxy/flows", tests, NULL, NULL);
}
