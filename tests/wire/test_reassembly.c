/* reassembly: RFC 1928 section 7, rule by rule, with time in the test's hand. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire/reassembly.h"
#include "suite.h"

static struct reassembly *r;
static uint64_t dropped;
static struct addr target;

static int setup(void **state)
{
	(void)state;
	r = calloc(1, sizeof(*r));
	dropped = 0;
	target = net_addr("192.0.2.1", 53);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(r);
	return 0;
}

static bool add_bytes(
	uint8_t frag, const void *bytes, size_t len, int64_t now, struct socks5_datagram *d)
{
	*d = (struct socks5_datagram){
		.frag = frag, .dst = destination_of_addr(&target), .data = bytes, .len = len};
	return reassembly_add(r, d, now, &dropped);
}

static bool add(uint8_t frag, const char *text, int64_t now, struct socks5_datagram *d)
{
	return add_bytes(frag, text, strlen(text), now, d);
}

static void expect(const struct socks5_datagram *d, const char *text)
{
	assert_int_equal(d->frag, 0);
	assert_int_equal(d->len, strlen(text));
	assert_memory_equal(d->data, text, d->len);
	assert_true(d->dst.kind == DESTINATION_ADDR && addr_equal(&d->dst.addr, &target));
	assert_int_equal(reassembly_deadline(r), CLOCK_NEVER);
}

/* conforms: RFC1928/fragments */
static void puts_fragments_together(void **state)
{
	struct socks5_datagram d;

	(void)state;
	assert_false(add(1, "one ", 0, &d));
	assert_false(add(2, "", 0, &d));
	assert_true(add(3 | SOCKS5_LAST_FRAGMENT, "three", 0, &d));
	expect(&d, "one three");
	assert_int_equal(dropped, 0);
}

static void a_single_fragment_is_a_datagram(void **state)
{
	struct socks5_datagram d;

	(void)state;
	assert_true(add(1 | SOCKS5_LAST_FRAGMENT, "all", 0, &d));
	expect(&d, "all");
}

/* conforms: RFC1928/fragments */
static void takes_127_fragments(void **state)
{
	struct socks5_datagram d;

	(void)state;
	for (uint8_t i = 1; i < 127; i++)
		assert_false(add(i, "x", 0, &d));
	assert_true(add(0xff, "x", 0, &d));
	assert_int_equal(d.len, 127);
}

/* conforms: RFC1928/fragments-abandoned */
static void any_other_than_the_next_abandons_the_sequence(void **state)
{
	static const struct {
		uint8_t frags[4];
		unsigned lost;
	} rows[] = {{{1, 3}, 2}, {{1, 2, 2}, 3}, {{2}, 1}, {{1, 2, 4}, 3}, {{0x80}, 1},
		{{1, 0x80}, 2}, {{1, 2, 0x81}, 2}, {{1, 1}, 1}, {{0xff}, 1}};
	struct socks5_datagram d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(r, 0, sizeof(*r));
		dropped = 0;
		for (size_t k = 0; k < 4 && rows[i].frags[k] != 0; k++)
			(void)add(rows[i].frags[k], "x", 0, &d);
		if (dropped != rows[i].lost)
			fail_msg("row %zu: %llu lost", i, (unsigned long long)dropped);
		/* Whatever was, the next sequence is whole. */
		assert_false(add(1, "new ", 0, &d));
		assert_true(add(2 | SOCKS5_LAST_FRAGMENT, "one", 0, &d));
		expect(&d, "new one");
	}
}

/* conforms: RFC1928/fragments-abandoned */
static void a_lower_one_restarts(void **state)
{
	struct socks5_datagram d;

	(void)state;
	assert_false(add(1, "old", 0, &d));
	assert_false(add(2, "old", 0, &d));
	assert_false(add(1, "new ", 0, &d));
	assert_int_equal(dropped, 2);
	assert_true(add(2 | SOCKS5_LAST_FRAGMENT, "one", 0, &d));
	expect(&d, "new one");
}

static void a_whole_datagram_between_abandons_it(void **state)
{
	struct socks5_datagram d;

	(void)state;
	assert_false(add(1, "x", 0, &d));
	assert_false(add(2, "x", 0, &d));
	reassembly_abandon(r, &dropped);
	assert_int_equal(dropped, 2);
	assert_false(add(3 | SOCKS5_LAST_FRAGMENT, "x", 0, &d));
	assert_int_equal(dropped, 3);
	reassembly_abandon(r, &dropped);
	assert_int_equal(dropped, 3);
}

/* conforms: RFC1928/fragments-timer RFC1928/fragments-abandoned */
static void the_timer_is_five_seconds_from_the_first(void **state)
{
	struct socks5_datagram d;

	(void)state;
	assert_int_equal(reassembly_deadline(r), CLOCK_NEVER);
	assert_false(add(1, "a", 1000, &d));
	assert_int_equal(reassembly_deadline(r), 6000);
	assert_false(add(2, "b", 5999, &d));
	assert_int_equal(reassembly_deadline(r), 6000);
	reassembly_expire(r, 5999, &dropped);
	assert_int_equal(dropped, 0);
	assert_false(add(3 | SOCKS5_LAST_FRAGMENT, "c", 6000, &d));
	assert_int_equal(dropped, 3);
	assert_false(add(1, "a", 7000, &d));
	reassembly_expire(r, 12000, &dropped);
	assert_int_equal(dropped, 4);
	assert_int_equal(reassembly_deadline(r), CLOCK_NEVER);
}

static void fragments_for_different_targets_are_not_mixed(void **state)
{
	struct socks5_datagram d;
	struct addr first = target;

	(void)state;
	assert_false(add(1, "x", 0, &d));
	target = net_addr("192.0.2.1", 54);
	assert_false(add(2 | SOCKS5_LAST_FRAGMENT, "x", 0, &d));
	assert_int_equal(dropped, 2);
	target = first;
	assert_false(add(1, "x", 0, &d));
	target = net_addr("192.0.2.2", 53);
	assert_false(add(2 | SOCKS5_LAST_FRAGMENT, "x", 0, &d));
	assert_int_equal(dropped, 4);
}

static void names_are_targets_too(void **state)
{
	struct socks5_datagram d,
		first = {.frag = 1,
			.dst = destination_of_name("name", 4, 53),
			.data = (const uint8_t *)"ab",
			.len = 2};

	(void)state;
	d = first;
	assert_false(reassembly_add(r, &d, 0, &dropped));
	d = first;
	d.frag = 2 | SOCKS5_LAST_FRAGMENT;
	assert_true(reassembly_add(r, &d, 0, &dropped));
	assert_int_equal(d.dst.name_len, 4);
	assert_memory_equal(d.dst.name, "name", 4);
	assert_memory_equal(d.data, "abab", 4);
	d = first;
	assert_false(reassembly_add(r, &d, 0, &dropped));
	d = first;
	d.frag = 2 | SOCKS5_LAST_FRAGMENT;
	d.dst.name = "NAME";
	assert_false(reassembly_add(r, &d, 0, &dropped));
	assert_int_equal(dropped, 2);
}

static void more_than_a_datagram_holds_is_abandoned(void **state)
{
	static uint8_t bytes[REASSEMBLY_MAX];
	struct socks5_datagram d;

	(void)state;
	assert_false(add_bytes(1, bytes, REASSEMBLY_MAX - 1, 0, &d));
	assert_true(add_bytes(2 | SOCKS5_LAST_FRAGMENT, bytes, 1, 0, &d));
	assert_int_equal(d.len, REASSEMBLY_MAX);
	assert_false(add_bytes(1, bytes, REASSEMBLY_MAX, 0, &d));
	assert_false(add_bytes(2 | SOCKS5_LAST_FRAGMENT, bytes, 1, 0, &d));
	assert_int_equal(dropped, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(puts_fragments_together),
		TEST(a_single_fragment_is_a_datagram),
		TEST(takes_127_fragments),
		TEST(any_other_than_the_next_abandons_the_sequence),
		TEST(a_lower_one_restarts),
		TEST(a_whole_datagram_between_abandons_it),
		TEST(the_timer_is_five_seconds_from_the_first),
		TEST(fragments_for_different_targets_are_not_mixed),
		TEST(names_are_targets_too),
		TEST(more_than_a_datagram_holds_is_abandoned),
	};

	return cmocka_run_group_tests_name("wire/reassembly", tests, NULL, NULL);
}
