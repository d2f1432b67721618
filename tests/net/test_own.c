/* own: what getifaddrs(3) says, which here the test says. */
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "net/own.h"
#include "suite.h"

int __wrap_getifaddrs(struct ifaddrs **out);
void __wrap_freeifaddrs(struct ifaddrs *all);

/* An interface's address, and its netmask; none: NULL. */
struct interface {
	const char *address;
	const char *mask;
	unsigned scope;
};

#define MAX_INTERFACES 8

static const struct interface *interfaces; /* up to one without an address; NULL: it fails */
static struct ifaddrs entries[MAX_INTERFACES];
static struct addr addrs[MAX_INTERFACES], masks[MAX_INTERFACES];
static size_t freed;

static struct sockaddr *put_sockaddr(struct addr *place, const char *text, unsigned scope)
{
	if (text == NULL)
		return NULL;
	*place = net_addr(text, 0);
	if (place->sa.sa_family == AF_INET6)
		place->in6.sin6_scope_id = scope;
	return &place->sa;
}

int __wrap_getifaddrs(struct ifaddrs **out)
{
	size_t count = 0;

	if (interfaces == NULL) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	memset(entries, 0, sizeof(entries));
	for (; interfaces[count].address != NULL; count++) {
		const struct interface *i = &interfaces[count];

		entries[count].ifa_addr = put_sockaddr(&addrs[count], i->address, i->scope);
		entries[count].ifa_netmask = put_sockaddr(&masks[count], i->mask, 0);
		if (count > 0)
			entries[count - 1].ifa_next = &entries[count];
	}
	*out = count == 0 ? NULL : entries;
	return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *all)
{
	(void)all;
	freed++;
}

static const struct interface usual[] = {
	{"127.0.0.1", "255.0.0.0", 0},
	{"192.168.1.10", "255.255.255.0", 0},
	{"10.1.2.3", "255.255.240.0", 0},
	{"2001:db8:1::10", "ffff:ffff:ffff:ffff::", 0},
	{"fe80::10", "ffff:ffff:ffff:ffff::", 2},
	{"203.0.113.7", NULL, 0}, /* a tunnel's */
	{NULL, NULL, 0},
};

static struct own *o;

static int setup(void **state)
{
	(void)state;
	o = own_new();
	assert_non_null(o);
	freed = 0;
	interfaces = usual;
	assert_int_equal(own_refresh(o), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	own_free(o);
	return 0;
}

static void expect(const char *text, bool is_address, bool in_network)
{
	struct addr a = net_addr(text, 443);

	assert_int_equal(own_has_address(o, &a), is_address);
	assert_int_equal(own_has_network_of(o, &a), in_network);
}

static void knows_addresses_and_networks(void **state)
{
	(void)state;
	expect("192.168.1.10", true, true);
	expect("192.168.1.11", false, true);
	expect("192.168.2.10", false, false);
	expect("10.1.15.255", false, true);
	expect("10.1.16.0", false, false);
	expect("203.0.113.7", true, true);
	expect("203.0.113.8", false, false);
	expect("2001:db8:1::10", true, true);
	expect("2001:db8:1::11", false, true);
	expect("2001:db8:2::10", false, false);
	assert_int_equal(freed, 1);
}

static void loopback_is_always_ours(void **state)
{
	(void)state;
	expect("127.0.0.1", true, true);
	expect("127.9.8.7", true, true);
	expect("::1", true, true);
}

static void mapped_addresses_are_ipv4(void **state)
{
	(void)state;
	expect("::ffff:192.168.1.10", true, true);
}

static void tells_which_addresses_are_one_client(void **state)
{
	static const struct {
		const char *address, *client;
		unsigned prefix, alone; /* where no network is ours */
	} rows[] = {
		{"192.168.1.11", "192.168.1.11", 32, 32},
		{"203.0.113.8", "203.0.113.8", 32, 32},
		{"127.9.8.7", "127.9.8.7", 32, 32},
		{"::1", "::1", 128, 128},
		{"fe80::11", "fe80::11", 128, 128},
		{"2001:db8:1::11", "2001:db8:1::11", 128, 64}, /* a neighbour */
		{"2001:db8:2::1:2:3", "2001:db8:2::", 64, 64},
		{"2001:db8:2:0:ffff::", "2001:db8:2::", 64, 64},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = net_addr(rows[i].address, 443),
			    expected = net_addr(rows[i].client, 0);
		struct network client = own_client_of(o, &a);

		assert_true(addr_equal(&client.base, &expected));
		assert_int_equal(client.prefix, rows[i].prefix);
		assert_int_equal(own_client_of(NULL, &a).prefix, rows[i].alone);
	}
}

static void a_client_on_a_link_has_its_scope_and_no_other_has(void **state)
{
	struct addr a = net_addr("fe80::11", 0), b = net_addr("2001:db8:1::11", 0);

	(void)state;
	a.in6.sin6_scope_id = b.in6.sin6_scope_id = 3;
	assert_int_equal(own_client_of(o, &a).base.in6.sin6_scope_id, 3);
	assert_int_equal(own_client_of(o, &b).base.in6.sin6_scope_id, 0);
}

static void minds_the_scope_where_it_is_told(void **state)
{
	struct addr a = net_addr("fe80::10", 0);

	(void)state;
	assert_true(own_has_address(o, &a));
	a.in6.sin6_scope_id = 2;
	assert_true(own_has_address(o, &a));
	a.in6.sin6_scope_id = 3;
	assert_false(own_has_address(o, &a));
	assert_true(own_has_network_of(o, &a));
}

static void a_refresh_replaces_the_list(void **state)
{
	static const struct interface moved[] = {
		{"192.168.7.1", "255.255.255.0", 0}, {NULL, NULL, 0}};

	(void)state;
	interfaces = moved;
	assert_int_equal(own_refresh(o), 0);
	expect("192.168.7.1", true, true);
	expect("192.168.1.10", false, false);
}

static void what_cannot_be_read_changes_nothing(void **state)
{
	(void)state;
	interfaces = NULL;
	assert_int_equal(own_refresh(o), -1);
	assert_int_equal(errno, EAFNOSUPPORT);
	expect("192.168.1.10", true, true);
}

static void a_host_without_interfaces_has_loopback(void **state)
{
	static const struct interface none[] = {{NULL, NULL, 0}};

	(void)state;
	interfaces = none;
	assert_int_equal(own_refresh(o), 0);
	expect("192.168.1.10", false, false);
	expect("127.0.0.1", true, true);
}

static void knows_only_loopback_before_the_first_refresh(void **state)
{
	struct addr a = net_addr("192.168.1.10", 0), loopback = net_addr("127.0.0.1", 0);
	struct own *fresh = own_new();

	(void)state;
	assert_non_null(fresh);
	assert_false(own_has_address(fresh, &a));
	assert_true(own_has_address(fresh, &loopback));
	own_free(fresh);
	own_free(NULL);
}

static void lists_the_addresses_as_far_as_they_fit(void **state)
{
	char all[128], some[30];

	(void)state;
	assert_string_equal(own_format(o, all, sizeof(all)),
		"127.0.0.1 192.168.1.10 10.1.2.3 2001:db8:1::10 fe80::10%2 203.0.113.7");
	assert_string_equal(own_format(o, some, sizeof(some)), "127.0.0.1 192.168.1.10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(knows_addresses_and_networks, setup, teardown),
		cmocka_unit_test_setup_teardown(loopback_is_always_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(mapped_addresses_are_ipv4, setup, teardown),
		cmocka_unit_test_setup_teardown(minds_the_scope_where_it_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			lists_the_addresses_as_far_as_they_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			tells_which_addresses_are_one_client, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_client_on_a_link_has_its_scope_and_no_other_has, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refresh_replaces_the_list, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_read_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_host_without_interfaces_has_loopback, setup, teardown),
		cmocka_unit_test_setup_teardown(
			knows_only_loopback_before_the_first_refresh, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
