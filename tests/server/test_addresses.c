/* addresses: read at once and each minute, and what happens when they cannot be. */
#include "server/addresses.h"

#include <errno.h>
#include <ifaddrs.h>

#include "../base/check.h"
#include "base/clock.h"
#include "net.h"

int __wrap_getifaddrs(struct ifaddrs **out);
void __wrap_freeifaddrs(struct ifaddrs *all);

/* The only address there is; NULL: it cannot be read. */
static const char *address;
static struct addr addr;
static struct ifaddrs interface;

int __wrap_getifaddrs(struct ifaddrs **out)
{
	if (address == NULL) {
		errno = EMFILE;
		return -1;
	}
	addr = net_addr(address, 0);
	interface = (struct ifaddrs){.ifa_addr = &addr.sa};
	*out = &interface;
	return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *all)
{
	(void)all;
}

static struct own *own;
static struct addresses a;

static bool is_own(const char *host)
{
	struct addr asked = net_addr(host, 80);

	return own_has_address(own, &asked);
}

static int64_t run_at(int64_t now)
{
	return a.job.run(a.job.context, now);
}

static void addresses_are_known_from_the_start_and_followed(void **state)
{
	(void)state;
	own = own_new();
	address = "192.0.2.1";
	addresses_init(&a, own);
	assert_true(is_own("192.0.2.1"));
	address = "192.0.2.2";
	assert_int_equal(run_at(5000), 5000 + ADDRESSES_PERIOD_MS);
	assert_false(is_own("192.0.2.1"));
	assert_true(is_own("192.0.2.2"));
	own_free(own);
}

static void what_cannot_be_read_stays_as_it_was(void **state)
{
	(void)state;
	own = own_new();
	address = "192.0.2.1";
	addresses_init(&a, own);
	address = NULL;
	assert_int_equal(run_at(5000), 5000 + ADDRESSES_PERIOD_MS);
	assert_true(a.failed);
	assert_true(is_own("192.0.2.1"));
	run_at(65000);
	address = "192.0.2.2";
	run_at(125000);
	assert_false(a.failed);
	assert_true(is_own("192.0.2.2"));
	own_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_known_from_the_start_and_followed),
		cmocka_unit_test(what_cannot_be_read_stays_as_it_was),
	};

	return cmocka_run_group_tests_name("server/addresses", tests, NULL, NULL);
}
