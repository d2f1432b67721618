/* session: whether a refused client is lingered for, over a socketpair. What else becomes of
 * sessions is in test_session.c. */
#include "proxy/session.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"
#include "net.h"
#include "net/socket.h"

static struct services services;
static _Alignas(SESSION_PAGE) struct session session;
static int client;
static unsigned lingered;

void __wrap_socket_end_stream(int fd);

/* The session begins to wait for the refused client's end, which comes now. */
void __wrap_socket_end_stream(int fd)
{
	(void)fd;
	lingered++;
	net_expect_hex(client, "05 FF");
	close(client);
	client = -1;
}

static int set_up(void **state)
{
	struct config_source source = {.path = NULL};
	char error[CONFIG_ERROR_MAX];

	(void)state;
	log_set_level(LOG_ERROR);
	stats_init(&services.stats);
	services.hashing = hashing_new(1);
	services.ledger = ledger_new(1, NULL);
	services.users = users_new(services.hashing, services.ledger, NULL);
	services.registry = registry_new(1);
	services.config = config_store_new(config_read(&source, error));
	return services.users == NULL || services.registry == NULL || services.config == NULL ? -1
											      : 0;
}

static int tear_down(void **state)
{
	(void)state;
	config_store_free(services.config);
	registry_free(services.registry);
	users_free(services.users);
	ledger_free(services.ledger);
	hashing_free(services.hashing);
	return 0;
}

/* A session of a client that offers a method only which nobody could log in by; `idle` of 20 places
 * are left while it lasts. */
static void refuse_while_idle_are(size_t idle)
{
	struct guest guest = {.addr = net_addr("192.0.2.7", 1234),
		.since = clock_ms(),
		.config = config_get(services.config)};
	size_t running;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	client = pair[0];
	net_send_hex(client, "05 01 02");
	guest.fd = pair[1];
	guest.entry = ledger_join_client(services.ledger, &guest.addr, guest.since, &running);
	assert_int_equal(running, 1);
	places_init(&services.places, 20);
	while (services.places.total - atomic_load(&services.places.taken) > idle)
		places_take(&services.places);
	lingered = 0;
	session_run(&session, &services, registry_slot_at(services.registry, 0), &guest);
}

static void a_refused_client_is_waited_for_while_places_are_left(void **state)
{
	(void)state;
	refuse_while_idle_are(2);
	assert_int_equal(lingered, 1);
	assert_int_equal(client, -1);
}

static void a_refused_client_is_not_waited_for_when_places_are_scarce(void **state)
{
	(void)state;
	for (size_t idle = 0; idle < 2; idle++) {
		refuse_while_idle_are(idle);
		assert_int_equal(lingered, 0);
		net_expect_hex(client, "05 FF");
		net_expect_gone(client);
		close(client);
	}
}

static void a_session_leaves_the_ledger(void **state)
{
	struct addr addr = net_addr("192.0.2.7", 1234);
	struct ledger_entry *entry;
	size_t running;

	(void)state;
	refuse_while_idle_are(5);
	entry = ledger_join_client(services.ledger, &addr, clock_ms(), &running);
	assert_int_equal(running, 1);
	ledger_leave(entry, clock_ms());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_client_is_waited_for_while_places_are_left),
		cmocka_unit_test(a_refused_client_is_not_waited_for_when_places_are_scarce),
		cmocka_unit_test(a_session_leaves_the_ledger),
	};

	return cmocka_run_group_tests_name("proxy/linger", tests, set_up, tear_down);
}
