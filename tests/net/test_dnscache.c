/* dnscache: what is kept, for how long, how much of it, and by many threads. */
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "net/dnscache.h"
#include "suite.h"

static struct lookup_answer answer_of(unsigned n)
{
	const uint8_t bytes[4] = {192, 0, 2, (uint8_t)n};
	struct lookup_answer a = {.state = LOOKUP_FOUND, .count = 1};

	a.addrs[0] = addr_from_ipv4(bytes, 0);
	return a;
}

static void store(struct dnscache *c, const char *name, unsigned n, int64_t expires)
{
	struct lookup_answer a = answer_of(n);

	dnscache_store(c, name, LOOKUP_IPV4, &a, 0, expires);
}

static bool has(struct dnscache *c, const char *name, unsigned n)
{
	struct lookup_answer expected = answer_of(n), found;

	return dnscache_find(c, name, LOOKUP_IPV4, &found) && found.count == 1 &&
		addr_equal(&found.addrs[0], &expected.addrs[0]);
}

static void a_record_is_found_under_its_name_and_family_only(void **state)
{
	struct dnscache *c = dnscache_new(16);
	struct lookup_answer found;

	(void)state;
	store(c, "a.example", 1, CLOCK_NEVER);
	assert_true(has(c, "a.example", 1));
	assert_false(dnscache_find(c, "a.example", LOOKUP_IPV6, &found));
	assert_false(dnscache_find(c, "a.exampl", LOOKUP_IPV4, &found));
	assert_false(dnscache_find(c, "b.example", LOOKUP_IPV4, &found));
	store(c, "a.example", 2, CLOCK_NEVER);
	assert_true(has(c, "a.example", 2));
	dnscache_free(c);
}

static void an_expired_record_is_not_found(void **state)
{
	struct dnscache *c = dnscache_new(16);

	(void)state;
	store(c, "old", 1, clock_ms());
	assert_false(has(c, "old", 1));
	dnscache_free(c);
}

static void an_absent_name_is_a_record_too(void **state)
{
	struct dnscache *c = dnscache_new(16);
	struct lookup_answer a = {.state = LOOKUP_NOT_FOUND}, found = answer_of(1);

	(void)state;
	dnscache_store(c, "absent", LOOKUP_IPV6, &a, 0, CLOCK_NEVER);
	assert_true(dnscache_find(c, "absent", LOOKUP_IPV6, &found));
	assert_int_equal(found.state, LOOKUP_NOT_FOUND);
	assert_int_equal(found.count, 0);
	dnscache_free(c);
}

/* So that the sessions to a name are spread over its addresses. */
static void addresses_take_turns(void **state)
{
	struct dnscache *c = dnscache_new(16);
	struct lookup_answer a = answer_of(0), found;
	unsigned first[3] = {0};

	(void)state;
	a.count = 3;
	for (unsigned i = 0; i < a.count; i++)
		a.addrs[i] = answer_of(i).addrs[0];
	dnscache_store(c, "three", LOOKUP_IPV4, &a, 1, CLOCK_NEVER);
	for (unsigned n = 1; n <= 9; n++) {
		assert_true(dnscache_find(c, "three", LOOKUP_IPV4, &found));
		assert_int_equal(found.count, 3);
		for (unsigned i = 0; i < 3; i++)
			assert_true(addr_equal(&found.addrs[i], &a.addrs[(n + i) % 3]));
		first[n % 3]++;
	}
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(first[i], 3);
	dnscache_free(c);
}

static size_t count_kept(struct dnscache *c, unsigned names)
{
	char name[32];
	size_t kept = 0;

	for (unsigned i = 0; i < names; i++) {
		snprintf(name, sizeof(name), "host%u.example", i);
		kept += has(c, name, i);
	}
	return kept;
}

static void no_more_than_its_size_is_kept(void **state)
{
	struct dnscache *c = dnscache_new(64);
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "host%u.example", i);
		store(c, name, i, CLOCK_NEVER - 250 + i);
	}
	assert_true(count_kept(c, 250) <= 64);
	assert_true(count_kept(c, 250) >= 8);
	/* What expires first made room. */
	assert_true(has(c, "host249.example", 249));
	dnscache_free(c);
}

static void a_size_of_0_keeps_nothing(void **state)
{
	struct dnscache *c = dnscache_new(0);

	(void)state;
	store(c, "a", 1, CLOCK_NEVER);
	assert_false(has(c, "a", 1));
	dnscache_free(c);
}

static void a_reset_forgets_and_resizes(void **state)
{
	struct dnscache *c = dnscache_new(0);

	(void)state;
	assert_int_equal(dnscache_reset(c, 8), 0);
	store(c, "a", 1, CLOCK_NEVER);
	assert_true(has(c, "a", 1));
	assert_int_equal(dnscache_reset(c, 8), 0);
	assert_false(has(c, "a", 1));
	dnscache_free(c);
}

static void hits_and_misses_are_counted(void **state)
{
	struct dnscache *c = dnscache_new(8);
	uint64_t hits, misses;

	(void)state;
	store(c, "a", 1, CLOCK_NEVER);
	has(c, "a", 1);
	has(c, "a", 1);
	has(c, "b", 1);
	dnscache_counts(c, &hits, &misses);
	assert_int_equal(hits, 2);
	assert_int_equal(misses, 1);
	dnscache_free(c);
}

static void store_address(struct dnscache *c, const char *name)
{
	struct lookup_answer answer = {.state = LOOKUP_FOUND, .count = 1};

	dnscache_store(c, name, LOOKUP_IPV4, &answer, 0, clock_ms() + 1000);
}

static void records_are_counted_as_they_take_places(void **state)
{
	struct dnscache *c = dnscache_new(8);
	char name[16];

	(void)state;
	assert_int_equal(dnscache_count(c), 0);
	store_address(c, "a");
	store_address(c, "a");
	assert_int_equal(dnscache_count(c), 1);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "host%u", i);
		store_address(c, name);
	}
	assert_int_equal(dnscache_count(c), 8);
	assert_int_equal(dnscache_reset(c, 16), 0);
	assert_int_equal(dnscache_count(c), 0);
	assert_int_equal(dnscache_reset(c, 0), 0);
	store_address(c, "a");
	assert_int_equal(dnscache_count(c), 0);
	dnscache_free(c);
}

static void *use(void *arg)
{
	char name[32];

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "host%u", i % 97);
		if (i % 3 == 0)
			store(arg, name, i % 97, CLOCK_NEVER);
		else
			has(arg, name, i % 97);
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	struct dnscache *c = dnscache_new(64);
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, c), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(dnscache_reset(c, 64), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	dnscache_free(c);
}

static int setup(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_found_under_its_name_and_family_only),
		cmocka_unit_test(an_expired_record_is_not_found),
		cmocka_unit_test(an_absent_name_is_a_record_too),
		cmocka_unit_test(addresses_take_turns),
		cmocka_unit_test(no_more_than_its_size_is_kept),
		cmocka_unit_test(a_size_of_0_keeps_nothing),
		cmocka_unit_test(a_reset_forgets_and_resizes),
		cmocka_unit_test(hits_and_misses_are_counted),
		cmocka_unit_test(records_are_counted_as_they_take_places),
		cmocka_unit_test(threads_share_it),
	};

	return cmocka_run_group_tests_name("net/dnscache", tests, setup, NULL);
}
