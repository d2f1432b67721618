/* dial: addresses tried in turn, what a failure is called, and when it gives up. The kernel's
 * answer to connect(2) is in the test's hand for 192.0.2.0/24 and 2001:db8::/32. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "dns.h"
#include "proxy/dial.h"
#include "suite.h"

int __real_connect(int fd, const struct sockaddr *sa, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len);

/* The addresses that were tried, in order, and what connect(2) says to each test address. */
static char tried[512];
static int test_error;
/* What it says to a datagram socket there; 0: there is a way. */
static int way_error;
/* Whose late answers are let go when an IPv6 address was tried. */
static struct dns *late;

static bool is_test_address(const struct addr *a)
{
	struct network v4, v6;

	assert_true(network_parse("192.0.2.0/24", 12, &v4));
	assert_true(network_parse("2001:db8::/32", 13, &v6));
	return network_contains(&v4, a) || network_contains(&v6, a);
}

/* 0: the attempt stays under way, like one whose packets are lost. */
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct addr a = addr_from_sockaddr(sa);
	char text[ADDR_TEXT_MAX];
	size_t at = strlen(tried);
	int type = 0;
	socklen_t type_len = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
	if (type == SOCK_STREAM)
		snprintf(tried + at, sizeof(tried) - at, "%s%s", at > 0 ? " " : "",
			addr_format_host(&a, text));
	if (late != NULL && type == SOCK_STREAM && a.sa.sa_family == AF_INET6)
		dns_release(late);
	if (!is_test_address(&a))
		return __real_connect(fd, sa, len);
	if (type != SOCK_STREAM) {
		errno = way_error;
		return way_error == 0 ? 0 : -1;
	}
	errno = test_error == 0 ? EINPROGRESS : test_error;
	if (test_error ==
		0) { /* a socket that is not connected polls as hung up: make it a mute one */
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		while (send(pair[0], text, sizeof(text), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
		assert_true(dup2(pair[0], fd) >= 0);
		close(pair[0]);
		errno = EINPROGRESS;
	}
	return -1;
}

static const struct dns_record records[] = {
	{"local", DNS_ANSWER, 60, "127.0.0.1"},
	{"both.bad", DNS_ANSWER, 60, "192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2"},
	{"second.good", DNS_ANSWER, 60, "192.0.2.1 127.0.0.1"},
	{"v6.bad", DNS_ANSWER, 60, "2001:db8::1 127.0.0.1"},
	{"none", DNS_ANSWER, 60, ""},
	{"missing", DNS_NXDOMAIN, 60, NULL},
	{"broken", DNS_SERVFAIL, 60, NULL},
	{"mute", DNS_SILENT, 60, NULL},
	{"no.aaaa", DNS_SILENT_AAAA, 60, "127.0.0.1"},
	{"slow.a", DNS_LATE_A, 60, "127.0.0.1 2001:db8::1"},
	{"zero", DNS_ANSWER, 60, "0.0.0.0"},
	{"unasked", DNS_ANSWER, 60, "127.0.0.1"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct resolver *resolver;
static struct config *config;
static struct fdbudget budget;
static struct fd_lease lease;
static struct addr client;
static struct asker asker;
static struct dial d;
static struct destination dst;
static int listener;
static uint16_t port;

static int setup(void **state)
{
	struct config_source source = {.path = NULL};
	char error[CONFIG_ERROR_MAX];
	struct resolver_options options = {.search = "", .cache_records = 0};

	(void)state;
	dns = dns_start(records);
	options.servers = dns_server(dns);
	resolver = resolver_new(&options, &budget);
	assert_non_null(resolver);
	assert_int_equal(resolver_start(resolver), 0);
	config = config_read(&source, error);
	assert_non_null(config);
	fdbudget_plan(&budget, 100, 10, 10);
	client = net_addr("192.0.2.7", 1234);
	asker = (struct asker){.config = config,
		.resolver = resolver,
		.own = own_new(),
		.lease = &lease,
		.client = &client,
		.user = "",
		.command = REQUEST_CONNECT};
	assert_non_null(asker.own);
	listener = net_listen("127.0.0.1", &port);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	own_free(asker.own);
	resolver_free(resolver);
	dns_stop(dns);
	config_release(config);
	close(listener);
	return 0;
}

static int dial_name(const char *name, uint16_t to_port)
{
	dst = destination_of_name(name, strlen(name), to_port);
	memset(&d, 0, sizeof(d));
	lease = (struct fd_lease){.budget = &budget};
	d.asker = &asker;
	d.dst = &dst;
	d.watch.client = -1;
	tried[0] = '\0';
	return dial_target(&d);
}

/* Nothing is kept of a dial that failed; of one that succeeded, the connection's own place. */
static void expect_nothing_held(size_t held)
{
	assert_int_equal(lease.held, held);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
}

static void expect_connected(int fd)
{
	struct addr peer;
	socklen_t len = sizeof(peer);

	assert_true(fd >= 0);
	assert_int_equal(getpeername(fd, &peer.sa, &len), 0);
	assert_true(addr_equal(&peer, &d.address));
	expect_nothing_held(1);
	close(fd);
	close(net_accept(listener));
}

static void families_alternate_with_ipv6_first(void **state)
{
	struct resolver_options options = {
		.servers = dns_server(dns), .search = "", .cache_records = 64};

	(void)state;
	/* From the cache, so that both families are there at once. */
	assert_int_equal(resolver_configure(resolver, &options), 0);
	test_error = ECONNREFUSED;
	assert_int_equal(dial_name("both.bad", 80), -1);
	assert_int_equal(dial_name("both.bad", 80), -1);
	options.cache_records = 0;
	assert_int_equal(resolver_configure(resolver, &options), 0);
	/* The one before it had the first of each family for its first. */
	assert_string_equal(tried, "2001:db8::2 192.0.2.2 2001:db8::1 192.0.2.1");
	assert_int_equal(d.failure, END_CONNECT_REFUSED);
	expect_nothing_held(0);
}

static void every_address_is_tried_until_one_answers(void **state)
{
	(void)state;
	test_error = ENETUNREACH;
	expect_connected(dial_name("second.good", port));
	assert_string_equal(tried, "192.0.2.1 127.0.0.1");
	expect_connected(dial_name("v6.bad", port));
	assert_string_equal(tried, "2001:db8::1 127.0.0.1");
}

static void a_mute_address_only_delays_the_next_one(void **state)
{
	(void)state;
	test_error = 0;
	expect_connected(dial_name("v6.bad", port));
	assert_string_equal(tried, "2001:db8::1 127.0.0.1");
}

struct error_case {
	int error;
	enum end_reason reason;
};

static void each_error_has_its_reason(void **state)
{
	static const struct error_case cases[] = {
		{ECONNREFUSED, END_CONNECT_REFUSED},
		{ETIMEDOUT, END_CONNECT_TIMEOUT},
		{EHOSTUNREACH, END_HOST_UNREACHABLE},
		{ENETUNREACH, END_NETWORK_UNREACHABLE},
		{ENODEV, END_NETWORK_UNREACHABLE}, /* external_interface is gone */
		{EACCES, END_CONNECT_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_error = cases[i].error;
		assert_int_equal(dial_name("192.0.2.1", 80), -1);
		assert_int_equal(d.failure, cases[i].reason);
		assert_int_equal(d.error, cases[i].error);
		expect_nothing_held(0);
	}
}

static void no_address_of_a_family_is_told_from_no_port_left(void **state)
{
	static const struct {
		int way_error;
		enum end_reason reason;
	} rows[] = {
		{0, END_NO_LOCAL_PORT},
		{EAGAIN, END_NO_LOCAL_PORT}, /* nor for the datagram */
		{EADDRNOTAVAIL, END_NETWORK_UNREACHABLE},
		{ENETUNREACH, END_NETWORK_UNREACHABLE},
	};

	(void)state;
	test_error = EADDRNOTAVAIL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		way_error = rows[i].way_error;
		assert_int_equal(dial_name("192.0.2.1", 80), -1);
		assert_int_equal(d.failure, rows[i].reason);
		assert_int_equal(d.error, EADDRNOTAVAIL);
		expect_nothing_held(0);
	}
	way_error = 0;
}

/* That address is not this host's any more, which has others. */
static void an_external_address_that_is_gone_is_no_lack_of_ports(void **state)
{
	(void)state;
	config->settings.external_address.v4 = net_addr("203.0.113.9", 0);
	assert_int_equal(dial_name("127.0.0.1", port), -1);
	assert_int_equal(d.failure, END_NETWORK_UNREACHABLE);
	assert_int_equal(d.error, EADDRNOTAVAIL);
	config->settings.external_address.v4 = (struct addr){.sa = {.sa_family = AF_UNSPEC}};
}

static void lookups_that_fail_have_their_reasons(void **state)
{
	static const struct {
		const char *name;
		enum end_reason reason;
	} cases[] = {
		{"missing", END_NAME_NOT_FOUND},
		{"unknown.to.the.server", END_NAME_NOT_FOUND},
		{"none", END_NAME_NOT_FOUND},
		{"broken", END_NAME_FAILED},
		{"zero", END_TARGET_DENIED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(dial_name(cases[i].name, 80), -1);
		assert_int_equal(d.failure, cases[i].reason);
		expect_nothing_held(0);
	}
}

static void gives_up_at_connect_timeout(void **state)
{
	(void)state;
	config->settings.connect_timeout = 400;
	test_error = 0;
	assert_int_equal(dial_name("192.0.2.1", 80), -1);
	assert_int_equal(d.failure, END_CONNECT_TIMEOUT);
	expect_nothing_held(0);
	assert_int_equal(dial_name("mute", 80), -1);
	assert_int_equal(d.failure, END_NAME_FAILED);
	expect_nothing_held(0);
	config->settings.connect_timeout = 30000;
}

static void a_server_that_sits_on_aaaa_does_not_stop_ipv4(void **state)
{
	(void)state;
	expect_connected(dial_name("no.aaaa", port));
	assert_string_equal(tried, "127.0.0.1");
}

static void an_answer_that_comes_late_is_still_used(void **state)
{
	(void)state;
	/* AAAA is there and refused before A is answered. */
	test_error = ECONNREFUSED;
	late = dns;
	expect_connected(dial_name("slow.a", port));
	assert_string_equal(tried, "2001:db8::1 127.0.0.1");
	late = NULL;
}

static void what_no_address_can_change_is_denied_at_once(void **state)
{
	(void)state;
	assert_int_equal(dial_name("unasked", 0), -1);
	assert_int_equal(d.failure, END_TARGET_DENIED);
	assert_int_equal(d.address.sa.sa_family, AF_UNSPEC);
	assert_int_equal(d.lookup_ms, -1);
	assert_int_equal(d.connect_ms, -1);
	assert_int_equal(dns_questions(dns, "unasked"), 0);
	expect_nothing_held(0);
}

/* Dials this for a client that `what` was done to its end of. */
static int dial_for(const char *name, uint16_t to_port, int what)
{
	uint16_t client_port;
	int from = net_listen("127.0.0.1", &client_port);
	int end = net_connect("127.0.0.1", client_port), inner = net_accept(from), fd;

	if (what == SHUT_RDWR)
		net_reset(end);
	else
		shutdown(end, what);
	dial_name(name, 0); /* fills `d` and `dst` in */
	dst.port = to_port;
	if (dst.kind == DESTINATION_ADDR)
		addr_set_port(&dst.addr, to_port);
	d.watch.client = inner;
	fd = dial_target(&d);
	if (what != SHUT_RDWR)
		close(end);
	close(inner);
	close(from);
	return fd;
}

static void a_client_that_breaks_off_ends_it(void **state)
{
	(void)state;
	test_error = 0;
	assert_int_equal(dial_for("192.0.2.1", 80, SHUT_RDWR), -1);
	assert_int_equal(d.failure, END_CLIENT_LEFT);
	expect_nothing_held(0);
	assert_int_equal(dial_for("mute", 80, SHUT_RDWR), -1);
	assert_int_equal(d.failure, END_CLIENT_LEFT);
	expect_nothing_held(0);
}

static void a_client_that_has_finished_is_served(void **state)
{
	(void)state;
	test_error = 0;
	expect_connected(dial_for("v6.bad", port, SHUT_WR));
	assert_true(d.watch.finished);
}

/* Dials for a client that finished before, and is waited with for so long from now on. */
static void expect_patience(const char *name, int64_t ms, enum end_reason failure)
{
	dial_name(name, 0);
	dst.port = 80;
	if (dst.kind == DESTINATION_ADDR)
		addr_set_port(&dst.addr, 80);
	d.watch = (struct watch){.client = -1, .finished = true, .until = clock_deadline(ms)};
	assert_int_equal(dial_target(&d), -1);
	assert_int_equal(d.failure, failure);
	expect_nothing_held(0);
}

static void a_client_that_has_finished_is_waited_with_for_a_while(void **state)
{
	(void)state;
	test_error = 0;
	expect_patience("192.0.2.1", 50, END_CLIENT_FINISHED);
	expect_patience("mute", 50, END_CLIENT_FINISHED);
	/* And never longer than anybody else. */
	config->settings.connect_timeout = 50;
	expect_patience("192.0.2.1", WATCH_FINISHED_MS, END_CONNECT_TIMEOUT);
	config->settings.connect_timeout = 30000;
}

static void goes_on_without_a_spare_descriptor(void **state)
{
	struct fdbudget whole = budget;

	(void)state;
	/* Nothing to spare: one descriptor at a time, first the lookup's, then the attempt's. */
	budget.spare = 0;
	test_error = ECONNREFUSED;
	expect_connected(dial_name("second.good", port));
	expect_connected(dial_name("no.aaaa", port));
	budget.spare = whole.spare;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_alternate_with_ipv6_first),
		cmocka_unit_test(every_address_is_tried_until_one_answers),
		cmocka_unit_test(a_mute_address_only_delays_the_next_one),
		cmocka_unit_test(each_error_has_its_reason),
		cmocka_unit_test(no_address_of_a_family_is_told_from_no_port_left),
		cmocka_unit_test(an_external_address_that_is_gone_is_no_lack_of_ports),
		cmocka_unit_test(lookups_that_fail_have_their_reasons),
		cmocka_unit_test(gives_up_at_connect_timeout),
		cmocka_unit_test(a_server_that_sits_on_aaaa_does_not_stop_ipv4),
		cmocka_unit_test(an_answer_that_comes_late_is_still_used),
		cmocka_unit_test(what_no_address_can_change_is_denied_at_once),
		cmocka_unit_test(a_client_that_breaks_off_ends_it),
		cmocka_unit_test(a_client_that_has_finished_is_served),
		cmocka_unit_test(a_client_that_has_finished_is_waited_with_for_a_while),
		cmocka_unit_test(goes_on_without_a_spare_descriptor),
	};

	return cmocka_run_group_tests_name("proxy/dial", tests, setup, teardown);
}
