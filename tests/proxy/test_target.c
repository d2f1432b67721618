/* target: who is asked about an address, and with which descriptor. */
#include "proxy/target.h"

#include <ifaddrs.h>

#include "../base/check.h"
#include "net.h"

static struct config config; /* of a proxy with the listeners that are in it */
static struct fdbudget budget;
static struct fd_lease lease;
static struct addr client;
static struct asker asker;

static int set_up(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	fdbudget_plan(&budget, 100, 10, 10);
	lease = (struct fd_lease){.budget = &budget, .held = 1};
	client = net_addr("192.0.2.7", 1234);
	asker = (struct asker){.config = &config,
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

/* ---- the gate ---- */

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
	assert_true(is_allowed("192.0.2.200", 1080, true));
	/* A session's first is its own. */
	lease.held = 0;
	assert_true(is_allowed("192.0.2.200", 1080, false));
	assert_int_equal(lease.held, 0);
	lease.held = 1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_whole_question_is_put_to_the_rules),
		TEST(a_listener_everywhere_is_on_every_address_of_the_host),
		TEST(local_routes_are_the_kernels_to_know),
		TEST(only_what_the_kernel_alone_knows_takes_a_descriptor),
	};

	return cmocka_run_group_tests_name("proxy/target", tests, NULL, NULL);
}
