/* names: what they lead to, what waits for them and for how long, and what is denied before. Time
 * is the test's. */
#include "proxy/names.h"

#include "../base/check.h"
#include "base/clock.h"
#include "dns.h"
#include "net.h"
#include "net/socket.h"

static const struct dns_record records[] = {
	{"local", DNS_ANSWER, 60, "127.0.0.1"},
	{"several", DNS_ANSWER, 60, "0.0.0.0 127.0.0.3 127.0.0.4"},
	{"nowhere", DNS_ANSWER, 60, "0.0.0.0"},
	{"missing", DNS_NXDOMAIN, 60, NULL},
	{"broken", DNS_SERVFAIL, 60, NULL},
	{"mute", DNS_SILENT, 60, NULL},
	{"unasked", DNS_ANSWER, 60, "127.0.0.1"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct resolver *resolver;
static struct config config;
static char no_interface[] = "";
static struct fdbudget budget;
static struct fd_lease lease;
static struct addr client;
static struct asker asker;
static struct names *names;
static int64_t now;

static int start_servers(void **state)
{
	struct resolver_options options = {.search = "", .cache_records = 0};

	(void)state;
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
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	config.settings.connect_timeout = 30000;
	config.settings.prefer = PREFER_IPV4;
	config.settings.external_interface = no_interface;
	fdbudget_plan(&budget, 100, 10, 10);
	lease = (struct fd_lease){.budget = &budget, .held = 1};
	client = net_addr("192.0.2.7", 1234);
	asker = (struct asker){.config = &config,
		.resolver = resolver,
		.own = own_new(),
		.lease = &lease,
		.client = &client,
		.user = "",
		.command = REQUEST_UDP_ASSOCIATE};
	names = calloc(1, sizeof(*names));
	assert_non_null(names);
	names->asker = &asker;
	now = clock_ms();
	return asker.own == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	names_end(names);
	free(names);
	own_free(asker.own);
	assert_int_equal(lease.held, 1);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	return 0;
}

static const struct name *found;

/* Sends `text` to port `port` of the name. */
static enum names_outcome send_text(const char *name, uint16_t port, const char *text)
{
	struct destination dst = destination_of_name(name, strlen(name), port);

	return names_find(names, &dst, text, strlen(text), now, &found);
}

static void wait_once(void)
{
	struct pollfd fds[NAMES_MAX_FDS];
	size_t count = names_fds(names, fds);

	socket_wait(fds, count, clock_earlier(names_deadline(names), clock_deadline(100)));
	names_process(names, fds, now);
}

/* Waits for a datagram that need not wait any longer. To be freed. */
static struct name_datagram *await(void)
{
	int64_t deadline = clock_deadline(NET_PATIENCE_S * 1000);
	struct name_datagram *d;

	while ((d = names_take(names)) == NULL) {
		assert_true(clock_ms() < deadline);
		wait_once();
	}
	return d;
}

/* The next one is this text for this address. */
static void expect_next(const char *text, const char *address, uint16_t port)
{
	struct name_datagram *d = await();
	struct addr to = names_address(d->name, d->port);
	char formatted[ADDR_TEXT_MAX];

	assert_int_equal(d->len, strlen(text));
	assert_memory_equal(d->data, text, d->len);
	assert_string_equal(addr_format_host(&to, formatted), address);
	if (to.sa.sa_family != AF_UNSPEC)
		assert_int_equal(addr_port(&to), port);
	free(d);
}

static void datagrams_wait_in_their_order_for_the_address(void **state)
{
	struct addr to;

	(void)state;
	assert_int_equal(send_text("local", 53, "one"), NAMES_WAITS);
	assert_int_equal(send_text("local", 54, "two"), NAMES_WAITS);
	expect_next("one", "127.0.0.1", 53);
	expect_next("two", "127.0.0.1", 54);
	assert_null(names_take(names));
	assert_int_equal(send_text("local", 55, "three"), NAMES_KNOWN);
	to = names_address(found, 55);
	assert_int_equal(addr_port(&to), 55);
	assert_null(names_take(names));
}

static void a_name_has_a_number_and_what_the_client_wrote(void **state)
{
	struct destination dst;
	uint64_t number;

	(void)state;
	send_text("local", 53, "one");
	expect_next("one", "127.0.0.1", 53);
	assert_int_equal(send_text("local", 53, "two"), NAMES_KNOWN);
	number = found->number;
	assert_int_not_equal(number, 0);
	dst = names_destination(found, 53);
	assert_int_equal(dst.kind, DESTINATION_NAME);
	assert_int_equal(dst.port, 53);
	assert_int_equal(dst.name_len, 5);
	assert_memory_equal(dst.name, "local", 5);
	send_text("LOCAL", 53, "three");
	expect_next("three", "127.0.0.1", 53);
	assert_int_equal(send_text("LOCAL", 53, "four"), NAMES_KNOWN);
	assert_int_not_equal(found->number, number);
}

static void takes_the_first_address_that_is_allowed(void **state)
{
	(void)state;
	send_text("several", 53, "one");
	expect_next("one", "127.0.0.3", 53);
	/* Where none is, one that is denied tells why. */
	send_text("nowhere", 53, "two");
	expect_next("two", "0.0.0.0", 53);
}

static void what_leads_nowhere_is_known_too(void **state)
{
	(void)state;
	send_text("missing", 53, "one");
	expect_next("one", "-", 53);
	send_text("broken", 53, "two");
	expect_next("two", "-", 53);
	assert_int_equal(send_text("missing", 53, "three"), NAMES_KNOWN);
	assert_int_equal(names_address(found, 53).sa.sa_family, AF_UNSPEC);
}

static void an_address_is_kept_while_lookups_go_on_to_give_it(void **state)
{
	unsigned asked;

	(void)state;
	send_text("several", 53, "one");
	expect_next("one", "127.0.0.3", 53);
	asked = dns_questions(dns, "several");
	now += 59999;
	assert_int_equal(send_text("several", 53, "two"), NAMES_KNOWN);
	assert_int_equal(dns_questions(dns, "several"), asked);
	now++;
	assert_int_equal(send_text("several", 53, "three"), NAMES_WAITS);
	expect_next("three", "127.0.0.3", 53);
	assert_true(dns_questions(dns, "several") > asked);
}

static void in_doubt_an_address_stays_only_if_it_is_allowed(void **state)
{
	uint64_t number;

	(void)state;
	send_text("several", 53, "one");
	expect_next("one", "127.0.0.3", 53);
	assert_int_equal(send_text("several", 53, "two"), NAMES_KNOWN);
	number = found->number;
	names_doubt(names);
	assert_int_equal(send_text("several", 53, "three"), NAMES_WAITS);
	expect_next("three", "127.0.0.3", 53);
	config.own[0] = net_addr("127.0.0.3", 53);
	config.own_count = 1;
	assert_int_equal(send_text("several", 53, "four"), NAMES_KNOWN);
	names_doubt(names);
	send_text("several", 53, "five");
	expect_next("five", "127.0.0.4", 53);
	assert_string_equal(names_numbered(names, number)->text, "several");
	assert_null(names_numbered(names, number + 1));
	config.own_count = 0;
}

static void a_name_that_is_never_answered_is_given_up(void **state)
{
	(void)state;
	assert_int_equal(send_text("mute", 53, "one"), NAMES_WAITS);
	wait_once();
	assert_null(names_take(names));
	now += config.settings.connect_timeout;
	expect_next("one", "-", 53);
}

static void what_no_address_can_change_is_denied_before_a_lookup(void **state)
{
	(void)state;
	assert_int_equal(send_text("unasked", 0, "one"), NAMES_DENIED);
	assert_null(found);
	assert_int_equal(dns_questions(dns, "unasked"), 0);
	assert_int_equal(names_deadline(names), CLOCK_NEVER);
	/* Of a name that is known, or being looked up, nothing changes. */
	send_text("unasked", 53, "two");
	assert_int_equal(send_text("unasked", 0, "three"), NAMES_DENIED);
	expect_next("two", "127.0.0.1", 53);
	assert_int_equal(send_text("unasked", 53, "four"), NAMES_KNOWN);
}

static void too_much_that_waits_is_refused(void **state)
{
	char name[] = "mute";
	static char large[65000];

	(void)state;
	for (int i = 0; i < NAMES_WAITING_MAX; i++)
		assert_int_equal(send_text(name, 53, "x"), NAMES_WAITS);
	assert_int_equal(send_text(name, 53, "x"), NAMES_FULL);
	names_end(names);
	memset(names, 0, sizeof(*names));
	names->asker = &asker;
	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(send_text(name, 53, large), NAMES_WAITS);
	assert_int_equal(send_text(name, 53, large), NAMES_WAITS);
	assert_int_equal(send_text(name, 53, large), NAMES_FULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(datagrams_wait_in_their_order_for_the_address),
		TEST(a_name_has_a_number_and_what_the_client_wrote),
		TEST(takes_the_first_address_that_is_allowed),
		TEST(what_leads_nowhere_is_known_too),
		TEST(an_address_is_kept_while_lookups_go_on_to_give_it),
		TEST(in_doubt_an_address_stays_only_if_it_is_allowed),
		TEST(a_name_that_is_never_answered_is_given_up),
		TEST(what_no_address_can_change_is_denied_before_a_lookup),
		TEST(too_much_that_waits_is_refused),
	};

	return cmocka_run_group_tests_name("proxy/names", tests, start_servers, stop_servers);
}
