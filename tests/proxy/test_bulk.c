/* bulk: what comes of sequences of wake-ups. */
#include "proxy/bulk.h"

#include "../base/check.h"

#define KIB 1024
#define FULL (64 * KIB)
#define NEVER 0

static struct bulk b;

static int set_up(void **state)
{
	(void)state;
	bulk_init(&b, FULL);
	return 0;
}

#define PERIOD 8

/* Wake-ups in turn, over and over, KiB each up to a 0. */
struct sequence {
	const char *what;
	unsigned kib[PERIOD + 1];
	unsigned least, most; /* wake-ups after which the decision falls; NEVER: it does not */
};

#define LONG 1000

/* Notes the sequence until it is decided; after how many wake-ups. */
static unsigned note_until(const struct sequence *s, bool (*decided)(const struct bulk *b))
{
	size_t at = 0;

	for (unsigned n = 1; n <= LONG; n++) {
		bulk_note(&b, (size_t)s->kib[at++] * KIB);
		if (s->kib[at] == 0)
			at = 0;
		if (decided(&b))
			return n;
	}
	return NEVER;
}

static void check(const struct sequence *s, bool (*decided)(const struct bulk *b))
{
	unsigned n = note_until(s, decided);

	if (n < s->least || n > s->most)
		fail_msg("%s: after %u wake-ups", s->what, n);
}

static void bulk_is_known_by_the_average(void **state)
{
	static const struct sequence rows[] = {
		{"full buffers", {64}, 4, 4},
		{"as a slow receiver makes them", {64, 29}, 5, 12},
		{"the same the other way", {29, 64}, 5, 12},
		{"a large one and two middling ones", {64, 24, 24}, 6, 40},
		{"half buffers and a little", {33}, 10, 60},
		{"more than a buffer holds", {1024}, 4, 4},
		{"less than half a buffer", {31}, NEVER, NEVER},
		{"one large one in four", {64, 16, 16, 16}, NEVER, NEVER},
		{"more than a buffer, seldom", {1024, 1, 1, 1, 1, 1, 1, 1}, NEVER, NEVER},
		{"small ones", {1}, NEVER, NEVER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bulk_init(&b, FULL);
		assert_false(bulk_is_large(&b));
		check(&rows[i], bulk_is_large);
	}
}

static void spliced_bulk_stays_so_until_it_is_small(void **state)
{
	static const struct sequence rows[] = {
		{"nothing but full buffers", {64}, NEVER, NEVER},
		{"a quarter of a buffer", {17}, NEVER, NEVER},
		{"large ones among small ones", {64, 1, 1, 64, 1, 1}, NEVER, NEVER},
		{"small ones", {1}, 6, 16},
		{"a little less than a quarter", {15}, 8, 40},
		{"large ones, seldom", {64, 1, 1, 1, 1, 1, 1, 1}, 6, 30},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bulk_init(&b, FULL);
		for (int n = 0; n < LONG; n++)
			bulk_note(&b, FULL);
		assert_false(bulk_is_small(&b));
		check(&rows[i], bulk_is_small);
	}
}

/* Whoever is neither stays as he is: nothing that makes one large makes him small. */
static void nobody_is_large_and_small_at_once(void **state)
{
	(void)state;
	for (unsigned n = 0; n < LONG; n++) {
		bulk_note(&b, (n / 40 % 2 == 0 ? FULL : KIB) + n);
		assert_false(bulk_is_large(&b) && bulk_is_small(&b));
	}
}

static void who_got_no_pipe_asks_again_later(void **state)
{
	unsigned n = 0;

	(void)state;
	while (!bulk_is_large(&b))
		bulk_note(&b, FULL);
	bulk_has_no_pipe(&b);
	for (; !bulk_is_large(&b) && n < LONG; n++)
		bulk_note(&b, FULL);
	assert_int_equal(n, 128);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bulk_is_known_by_the_average),
		TEST(spliced_bulk_stays_so_until_it_is_small),
		TEST(nobody_is_large_and_small_at_once),
		TEST(who_got_no_pipe_asks_again_later),
	};

	return cmocka_run_group_tests_name("proxy/bulk", tests, NULL, NULL);
}
