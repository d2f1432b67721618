/* acl: who must log in, who may come, and which targets are the proxy itself. */
#include "state/acl.h"

#include <ifaddrs.h>

#include "../base/check.h"

static struct addr addr_of(const char *text)
{
	struct addr a;
	bool has_port;

	if (!addr_parse_port(text, strlen(text), &a, &has_port))
		fail_msg("\"%s\" is no address", text);
	return a;
}

/* A configuration with one setting that is not the default. */
static struct config *config_with(const char *name, const char *value)
{
	struct config_override override = {.setting = settings_find(name), .value = value};
	struct config_source source = {.count = 1, .overrides = &override};
	char error[CONFIG_ERROR_MAX];
	struct config *c = config_read(&source, error);

	if (c == NULL)
		fail_msg("%s", error);
	return c;
}

/* A configuration of a proxy that answers on `own`. */
static struct config *config_on(const char *own)
{
	struct config *c = config_with("port", "1080");

	c->own[c->own_count++] = addr_of(own);
	return c;
}

/* ---- login ---- */

static void login_is_required_as_auth_says(void **state)
{
	static const struct {
		const char *auth;
		size_t users;
		bool required;
	} rows[] = {{"auto", 0, false}, {"auto", 1, true}, {"auto", 10000, true},
		{"required", 0, true}, {"required", 1, true}, {"optional", 0, false},
		{"optional", 1, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c = config_with("auth", rows[i].auth);

		if (acl_login_required(c, rows[i].users) != rows[i].required)
			fail_msg("auth %s with %zu users", rows[i].auth, rows[i].users);
		config_release(c);
	}
}

/* ---- clients ---- */

static void clients_are_served_as_the_rule_says(void **state)
{
	static const struct {
		const char *rule, *client;
		bool without_login, with_login;
	} rows[] = {
		{"auto", "127.0.0.1", true, true},
		{"auto", "192.168.1.7", true, true},
		{"auto", "fd00::7", true, true},
		{"auto", "198.51.100.7", false, true},
		{"auto", "2001:db8::7", false, true},
		{"any", "198.51.100.7", true, true},
		{"any", "::1", true, true},
		{"private", "10.1.2.3", true, true},
		{"private", "fe80::7", true, true},
		{"private", "198.51.100.7", false, false},
		{"private", "2001:db8::7", false, false},
		{"198.51.100.0/24", "198.51.100.7", true, true},
		{"198.51.100.0/24", "198.51.101.7", false, false},
		{"198.51.100.0/24", "127.0.0.1", false, false},
		{"198.51.100.7, 2001:db8::/32", "2001:db8:1::7", true, true},
		{"198.51.100.7, 2001:db8::/32", "198.51.100.7", true, true},
		{"198.51.100.7, 2001:db8::/32", "198.51.100.8", false, false},
		{"private, 198.51.100.0/24", "198.51.100.7", true, true},
		{"private, 198.51.100.0/24", "10.0.0.1", true, true},
		{"private, 198.51.100.0/24", "203.0.113.7", false, false},
		{"auto, 198.51.100.0/24", "198.51.100.7", true, true},
		{"auto, 198.51.100.0/24", "203.0.113.7", false, true},
		{"0.0.0.0/0", "203.0.113.7", true, true},
		{"0.0.0.0/0", "2001:db8::7", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c = config_with("clients", rows[i].rule);
		struct addr client = addr_of(rows[i].client);

		if (acl_client_allowed(c, false, &client) != rows[i].without_login ||
			acl_client_allowed(c, true, &client) != rows[i].with_login)
			fail_msg("clients %s: %s", rows[i].rule, rows[i].client);
		config_release(c);
	}
}

/* ---- targets ---- */

static void targets_that_are_nowhere_are_refused(void **state)
{
	static const struct {
		const char *target;
		bool allowed;
	} rows[] = {{"198.51.100.7:0", false}, {"[2001:db8::7]:0", false}, {"0.0.0.0:80", false},
		{"[::]:80", false}, {"[::ffff:0.0.0.0]:80", false}, {"0.0.0.0:0", false},
		{"198.51.100.7:1", true}, {"127.0.0.1:65535", true}, {"[::1]:1080", true}};
	struct config *c = config_with("port", "1080");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr target = addr_of(rows[i].target);

		if (acl_target_allowed(c, &target) != rows[i].allowed)
			fail_msg("%s", rows[i].target);
	}
	config_release(c);
}

static void targets_without_an_address_are_refused(void **state)
{
	struct config *c = config_with("port", "1080");
	struct addr nowhere = {.sa = {.sa_family = AF_UNSPEC}};

	(void)state;
	assert_false(acl_target_allowed(c, &nowhere));
	config_release(c);
}

static void the_proxy_itself_is_no_target(void **state)
{
	static const struct {
		const char *own, *target;
		bool allowed;
	} rows[] = {
		{"127.0.0.1:1080", "127.0.0.1:1080", false},
		{"127.0.0.1:1080", "[::ffff:127.0.0.1]:1080", false},
		{"127.0.0.1:1080", "127.0.0.1:1081", true},
		{"127.0.0.1:1080", "127.0.0.2:1080", true},
		{"127.0.0.1:1080", "[::1]:1080", true},
		{"[::1]:1080", "[::1]:1080", false},
		{"[::1]:1080", "127.0.0.1:1080", true},
		{"198.51.100.7:1080", "198.51.100.7:1080", false},
		{"198.51.100.7:1080", "198.51.100.8:1080", true},
		{"0.0.0.0:1080", "127.0.0.1:1080", false},
		{"0.0.0.0:1080", "127.99.0.1:1080", false},
		{"0.0.0.0:1080", "[::ffff:127.0.0.1]:1080", false},
		{"0.0.0.0:1080", "127.0.0.1:1081", true},
		{"0.0.0.0:1080", "198.51.100.7:1080", true},
		{"0.0.0.0:1080", "[::1]:1080", true},
		{"[::]:1080", "[::1]:1080", false},
		{"[::]:1080", "[::1]:80", true},
		{"[::]:1080", "127.0.0.1:1080", true},
		{"[::]:1080", "[2001:db8::7]:1080", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *c = config_on(rows[i].own);
		struct addr target = addr_of(rows[i].target);

		if (acl_target_allowed(c, &target) != rows[i].allowed)
			fail_msg("on %s: %s", rows[i].own, rows[i].target);
		config_release(c);
	}
}

static void every_listener_and_the_monitor_count(void **state)
{
	struct config *c = config_on("198.51.100.7:1080");
	struct addr first = addr_of("198.51.100.7:1080"), second = addr_of("[2001:db8::7]:1081"),
		    monitor = addr_of("127.0.0.1:8080"), other = addr_of("127.0.0.1:1081");

	(void)state;
	c->own[c->own_count++] = second;
	c->own[c->own_count++] = monitor;
	assert_false(acl_target_allowed(c, &first));
	assert_false(acl_target_allowed(c, &second));
	assert_false(acl_target_allowed(c, &monitor));
	assert_true(acl_target_allowed(c, &other));
	config_release(c);
}

static void check_interface(const struct config *c, const struct ifaddrs *interface)
{
	struct addr a;
	char text[ADDR_TEXT_MAX];

	if (interface->ifa_addr == NULL)
		return;
	a = addr_from_sockaddr(interface->ifa_addr);
	if (a.sa.sa_family == AF_UNSPEC)
		return;
	addr_set_port(&a, 1080);
	if (acl_target_allowed(c, &a))
		fail_msg("%s is this host", addr_format(&a, text));
	addr_set_port(&a, 1081);
	assert_true(acl_target_allowed(c, &a));
}

static void a_wildcard_listener_is_on_every_address_of_the_host(void **state)
{
	struct config *c = config_on("0.0.0.0:1080");
	struct ifaddrs *interfaces;

	(void)state;
	c->own[c->own_count++] = addr_of("[::]:1080");
	assert_int_equal(getifaddrs(&interfaces), 0);
	for (const struct ifaddrs *i = interfaces; i != NULL; i = i->ifa_next)
		check_interface(c, i);
	freeifaddrs(interfaces);
	config_release(c);
}

static void only_a_port_of_its_own_takes_a_descriptor(void **state)
{
	struct fdbudget budget;
	struct fd_lease lease = {.budget = &budget, .held = 1};
	struct config *c = config_on("0.0.0.0:1080");
	struct addr other = addr_of("127.0.0.1:80"), own = addr_of("127.0.0.1:1080"),
		    foreign = addr_of("192.0.2.200:1080");

	(void)state;
	fdbudget_plan(&budget, 100, 10, 10);
	assert_true(acl_target_allowed_by_lease(c, &other, &lease));
	assert_false(acl_target_allowed_by_lease(c, &own, &lease));
	assert_true(acl_target_allowed_by_lease(c, &foreign, &lease));
	assert_int_equal(lease.held, 1);
	/* Without one to spare the answer is the safe one. */
	budget.spare = 0;
	assert_true(acl_target_allowed_by_lease(c, &other, &lease));
	assert_false(acl_target_allowed_by_lease(c, &foreign, &lease));
	assert_int_equal(lease.held, 1);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	config_release(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(login_is_required_as_auth_says),
		cmocka_unit_test(clients_are_served_as_the_rule_says),
		cmocka_unit_test(targets_that_are_nowhere_are_refused),
		cmocka_unit_test(targets_without_an_address_are_refused),
		cmocka_unit_test(the_proxy_itself_is_no_target),
		cmocka_unit_test(every_listener_and_the_monitor_count),
		cmocka_unit_test(a_wildcard_listener_is_on_every_address_of_the_host),
		cmocka_unit_test(only_a_port_of_its_own_takes_a_descriptor),
	};

	return cmocka_run_group_tests_name("state/acl", tests, NULL, NULL);
}
