/* state/bucket: what streams move together on the test's own clock, and whose turn it is. */
#include "state/bucket.h"

#include "../base/check.h"

#define KBIT UINT64_C(125)
#define MBIT (1000 * KBIT)

static struct bucket bucket;
static int64_t now;

static int setup(void **state)
{
	(void)state;
	bucket = (struct bucket){.rate = 0};
	now = 1000000;
	return 0;
}

/* ---- streams that take turns ---- */

#define STREAMS_MAX 40

/* One that always has something to move, as a session's poll(2) would: it takes a chunk, waits for
 * its time, moves it, takes the next. */
struct taker {
	struct bucket_stream stream;
	size_t taken;
	uint64_t moved;
	int64_t last, gap;
};

static struct taker takers[STREAMS_MAX];
static int64_t moved_last, longest_gap; /* of all together */

static void begin_takers(size_t count)
{
	memset(takers, 0, sizeof(takers));
	moved_last = now;
	longest_gap = 0;
	for (size_t i = 0; i < count; i++) {
		bucket_begin(&bucket, &takers[i].stream, now);
		takers[i].last = now;
	}
}

/* It has a turn as long as one is now. */
static void clip_turn(struct taker *t)
{
	size_t chunk = bucket_chunk(&bucket);

	if (t->taken / 2 <= chunk)
		return;
	bucket_give_back(&bucket, &t->stream, t->taken - chunk, now);
	t->taken = chunk;
}

static void move_on(struct taker *t)
{
	for (;;) {
		if (t->taken == 0) {
			t->taken = bucket_chunk(&bucket);
			bucket_take(&bucket, &t->stream, t->taken, now);
		}
		if (bucket_when(&bucket, &t->stream, now) > now)
			return;
		clip_turn(t);
		longest_gap = now - moved_last > longest_gap ? now - moved_last : longest_gap;
		moved_last = now;
		t->moved += t->taken;
		t->taken = 0;
		t->gap = now - t->last > t->gap ? now - t->last : t->gap;
		t->last = now;
	}
}

static uint64_t moved_in(size_t count, int64_t ms)
{
	uint64_t before = 0, after = 0;

	for (size_t i = 0; i < count; i++)
		before += takers[i].moved;
	for (int64_t end = now + ms; now < end; now++) {
		for (size_t i = 0; i < count; i++)
			move_on(&takers[i]);
	}
	for (size_t i = 0; i < count; i++)
		after += takers[i].moved;
	return after - before;
}

/* Within `per_mille` of what `rate` gives in `ms`. */
static void assert_near(uint64_t moved, uint64_t rate, int64_t ms, uint64_t per_mille)
{
	uint64_t expected = rate * (uint64_t)ms / 1000;

	assert_in_range(moved, expected - expected * per_mille / 1000,
		expected + expected * per_mille / 1000);
}

static void holds_each_rate_for_each_number_of_streams(void **state)
{
	static const uint64_t rates[] = {512 * KBIT, 2 * MBIT, 16 * MBIT, 100 * MBIT, 1000 * MBIT};
	static const size_t counts[] = {1, 10, 40};

	for (size_t i = 0; i < COUNT(rates); i++) {
		for (size_t k = 0; k < COUNT(counts); k++) {
			setup(state);
			bucket_set_rate(&bucket, rates[i], now);
			begin_takers(counts[k]);
			assert_near(moved_in(counts[k], 10000), rates[i], 10000, 20);
		}
	}
}

static void takes_turns(void **state)
{
	(void)state;
	bucket_set_rate(&bucket, 2 * MBIT, now);
	begin_takers(10);
	moved_in(10, 5000);
	for (size_t i = 0; i < 10; i++) {
		/* The first has what was saved besides. */
		assert_near(takers[i].moved, 2 * MBIT / 10, 5000, 120);
		assert_in_range(takers[i].gap, 1, BUCKET_ROUND_MS + 10);
	}
	assert_in_range(longest_gap, 1, 50);
}

static void a_turn_is_as_long_as_nobody_minds(void **state)
{
	static const struct {
		uint64_t rate;
		size_t active, chunk;
	} turns[] = {
		{2 * MBIT, 0, 5000},
		{2 * MBIT, 1, 5000},
		{2 * MBIT, 2, 10000},
		{2 * MBIT, 10, 10000},
		{2 * MBIT, 40, 2500},
		{16 * MBIT, 10, 80000},
		{100 * MBIT, 2, 500000},
		{100 * MBIT, 10, 500000},
		{100 * MBIT, 40, 125000},
		{200 * MBIT, 10, 512 * 1024},
		{1000 * MBIT, 10, 2500000},
		{8 * KBIT, 40, 512},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(turns); i++) {
		bucket.rate = turns[i].rate;
		bucket.active = turns[i].active;
		assert_int_equal(bucket_chunk(&bucket), turns[i].chunk);
	}
}

static void lets_a_small_message_through_beside_many(void **state)
{
	struct bucket_stream small = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, 2 * MBIT, now);
	begin_takers(10);
	moved_in(10, 1000);
	bucket_begin(&bucket, &small, now);
	bucket_take(&bucket, &small, 64, now);
	assert_int_equal(bucket_when(&bucket, &small, now), now);
}

/* What a stream sends in so many milliseconds that has `bytes` to say each time that it may. */
static uint64_t said_in(struct bucket_stream *s, size_t bytes, size_t others, int64_t ms)
{
	uint64_t said = 0;
	bool waits = false;

	bucket_begin(&bucket, s, now);
	for (int64_t end = now + ms; now < end; now++) {
		for (;;) {
			if (!waits)
				bucket_take(&bucket, s, bytes, now);
			waits = bucket_when(&bucket, s, now) > now;
			if (waits)
				break;
			said += bytes;
		}
		for (size_t i = 0; i < others; i++)
			move_on(&takers[i]);
	}
	return said;
}

/* With small pieces it comes no further than with large ones. */
static void who_has_had_his_part_does_not_go_first(void **state)
{
	struct bucket_stream greedy = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, 2 * MBIT, now);
	begin_takers(9);
	moved_in(9, 1000);
	assert_in_range(said_in(&greedy, 500, 9, 5000), 0, 2 * MBIT / 10 * 5 * 11 / 10);
}

/* Nothing goes behind all that waits, so that one can ask whether anything is owed. */
static void nothing_does_not_go_first(void **state)
{
	struct bucket_stream s = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, 2 * MBIT, now);
	begin_takers(10);
	moved_in(10, 1000);
	bucket_begin(&bucket, &s, now);
	bucket_take(&bucket, &s, 0, now);
	assert_true(bucket_when(&bucket, &s, now) > now);
}

/* A chain of short sessions, each of which is new. */
static void what_goes_first_is_half_of_the_rate_at_most(void **state)
{
	uint64_t first = 0;

	(void)state;
	bucket_set_rate(&bucket, 2 * MBIT, now);
	begin_takers(4);
	moved_in(4, 1000);
	for (int64_t end = now + 5000; now < end;) {
		for (int i = 0; i < 10; i++) {
			struct bucket_stream s = {.position = 0};

			bucket_begin(&bucket, &s, now);
			bucket_take(&bucket, &s, 1000, now);
			if (bucket_when(&bucket, &s, now) == now)
				first += 1000;
			else
				bucket_give_back(&bucket, &s, 1000, now);
			bucket_end(&bucket, &s, now);
		}
		moved_in(4, 1);
	}
	assert_near(first, MBIT, 5000, 50);
	assert_near(moved_in(4, 5000), 2 * MBIT, 5000, 20);
}

static void one_alone_has_no_long_gaps(void **state)
{
	(void)state;
	bucket_set_rate(&bucket, 512 * KBIT, now);
	begin_takers(1);
	moved_in(1, 2000);
	assert_in_range(takers[0].gap, 1, 25);
}

static void idleness_saves_no_more_than_the_depth(void **state)
{
	struct bucket_stream s = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, MBIT, now);
	now += 3600 * 1000;
	bucket_take(&bucket, &s, MBIT * BUCKET_DEPTH_MS / 1000, now);
	assert_int_equal(bucket_when(&bucket, &s, now), now);
	bucket_take(&bucket, &s, MBIT / 100, now);
	assert_int_equal(bucket_when(&bucket, &s, now), now + 10);
}

static void clamps_what_is_saved_when_the_rate_falls(void **state)
{
	struct bucket_stream s = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, 1000 * MBIT, now);
	bucket_set_rate(&bucket, MBIT, now);
	bucket_take(&bucket, &s, MBIT, now);
	assert_int_equal(bucket_when(&bucket, &s, now), now + 1000 - BUCKET_DEPTH_MS);
}

static void a_higher_rate_shortens_the_wait(void **state)
{
	struct bucket_stream s = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, MBIT, now);
	bucket_take(&bucket, &s, 3 * MBIT, now);
	now += 500;
	bucket_set_rate(&bucket, 100 * MBIT, now);
	assert_in_range(bucket_when(&bucket, &s, now) - now, 20, 30);
	bucket_set_rate(&bucket, 0, now);
	assert_int_equal(bucket_when(&bucket, &s, now), now);
}

static void follows_changes_while_streams_wait(void **state)
{
	(void)state;
	bucket_set_rate(&bucket, 2 * MBIT, now);
	begin_takers(10);
	assert_near(moved_in(10, 3000), 2 * MBIT, 3000, 30);
	bucket_set_rate(&bucket, 16 * MBIT, now);
	assert_near(moved_in(10, 3000), 16 * MBIT, 3000, 30);
	bucket_set_rate(&bucket, 2 * MBIT, now);
	moved_in(10, 250); /* in which goes what was taken before */
	assert_near(moved_in(10, 3000), 2 * MBIT, 3000, 50);
}

/* What was taken at the higher rate goes at its time, and is not waited for at the lower one. */
static void a_rate_that_falls_far_silences_nobody(void **state)
{
	(void)state;
	bucket_set_rate(&bucket, 1000 * MBIT, now);
	begin_takers(10);
	moved_in(10, 1000);
	bucket_set_rate(&bucket, MBIT, now);
	moved_in(10, 250);
	assert_near(moved_in(10, 2000), MBIT, 2000, 50);
}

static void what_is_given_back_is_there_for_others(void **state)
{
	struct bucket_stream a = {.position = 0}, b = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, MBIT, now);
	now += 1000;
	bucket_take(&bucket, &a, MBIT, now);
	bucket_give_back(&bucket, &a, MBIT, now);
	bucket_take(&bucket, &b, 1000, now);
	assert_int_equal(bucket_when(&bucket, &b, now), now);
	assert_int_equal(bucket.moved, 1000);
}

/* What was taken at a rate that has fallen is not owed, and who gives it back does not get it
 * again.
 */
static void what_is_forgiven_is_not_given_back(void **state)
{
	struct bucket_stream a = {.position = 0}, b = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, 100 * MBIT, now);
	bucket_take(&bucket, &a, 20 * MBIT, now);
	bucket_set_rate(&bucket, MBIT, now);
	assert_int_equal(bucket_when(&bucket, &a, now), now + 150);
	now += 150;
	bucket_give_back(&bucket, &a, 10 * MBIT, now);
	bucket_take(&bucket, &b, MBIT / 10, now);
	assert_int_equal(bucket_when(&bucket, &b, now), now + 100);
}

static void without_a_rate_nothing_waits(void **state)
{
	struct bucket_stream s = {.position = 0};

	(void)state;
	bucket_take(&bucket, &s, SIZE_MAX / 4, now);
	assert_int_equal(bucket_when(&bucket, &s, now), now);
	assert_int_equal(bucket_settle(&bucket, &s, 1000, 10, now), UINT64_MAX);
	/* Nor is anything owed for that later. */
	bucket_set_rate(&bucket, MBIT, now);
	bucket_take(&bucket, &s, 1000, now);
	assert_int_equal(bucket_when(&bucket, &s, now), now);
}

/* ---- streams that are paced ---- */

/* One that the kernel paces: what it is given goes, `wish` a second at the most, in per cent of
 * what the kernel was told, and it settles now and then. */
struct drained {
	struct bucket_stream stream;
	uint64_t rate, wish;
	uint64_t moved, settled;
	unsigned per_cent;
	int64_t settled_at;
};

static struct drained drains[STREAMS_MAX];

static void begin_drains(size_t count, unsigned per_cent)
{
	memset(drains, 0, sizeof(drains));
	for (size_t i = 0; i < count; i++) {
		bucket_begin(&bucket, &drains[i].stream, now);
		drains[i].settled_at = now;
		drains[i].wish = UINT64_MAX;
		drains[i].per_cent = per_cent;
	}
}

static void go_on(struct drained *d, int64_t period)
{
	uint64_t speed = d->rate < d->wish ? d->rate : d->wish;

	d->moved += speed * d->per_cent / 100 / 1000;
	if (now - d->settled_at < period)
		return;
	d->rate =
		bucket_settle(&bucket, &d->stream, d->moved - d->settled, now - d->settled_at, now);
	d->settled = d->moved;
	d->settled_at = now;
	bucket_drain(&bucket, &d->stream, d->rate < d->wish ? d->rate : d->wish, now);
}

static uint64_t drained_in(size_t count, int64_t ms)
{
	uint64_t before = 0, after = 0;

	for (size_t i = 0; i < count; i++)
		before += drains[i].moved;
	for (int64_t end = now + ms; now < end; now++) {
		for (size_t i = 0; i < count; i++)
			go_on(&drains[i], 60 + (int64_t)i);
	}
	for (size_t i = 0; i < count; i++)
		after += drains[i].moved;
	return after - before;
}

/* Also when the kernel is faster or slower than it was told. */
static void holds_the_rate_of_paced_streams(void **state)
{
	static const unsigned exactness[] = {100, 90, 108};
	static const size_t counts[] = {1, 10, 40};

	for (size_t i = 0; i < COUNT(exactness); i++) {
		for (size_t k = 0; k < COUNT(counts); k++) {
			setup(state);
			bucket_set_rate(&bucket, 100 * MBIT, now);
			begin_drains(counts[k], exactness[i]);
			drained_in(counts[k], 1000);
			assert_near(drained_in(counts[k], 10000), 100 * MBIT, 10000, 20);
		}
	}
}

static void a_rate_that_falls_far_silences_no_paced_one_either(void **state)
{
	(void)state;
	bucket_set_rate(&bucket, 1000 * MBIT, now);
	begin_drains(4, 100);
	drained_in(4, 1000);
	bucket_set_rate(&bucket, 10 * MBIT, now);
	drained_in(4, 400);
	assert_near(drained_in(4, 3000), 10 * MBIT, 3000, 100);
}

static void gives_what_one_does_not_want_to_the_others(void **state)
{
	(void)state;
	bucket_set_rate(&bucket, 100 * MBIT, now);
	begin_drains(4, 100);
	drains[0].wish = 4 * MBIT;
	drained_in(4, 1000);
	assert_near(drained_in(4, 5000), 100 * MBIT, 5000, 20);
	for (size_t i = 1; i < 4; i++)
		assert_in_range(drains[i].rate, 31 * MBIT, 33 * MBIT);
}

static void leaves_something_for_small_messages(void **state)
{
	struct bucket_stream small = {.position = 0};
	int64_t longest = 0;

	(void)state;
	bucket_set_rate(&bucket, 16 * MBIT, now);
	begin_drains(4, 100);
	drained_in(4, 1000);
	for (int i = 0; i < 50; i++) {
		int64_t wait;

		bucket_take(&bucket, &small, 64, now);
		wait = bucket_when(&bucket, &small, now) - now;
		longest = wait > longest ? wait : longest;
		drained_in(4, 20);
	}
	assert_in_range(longest, 0, 5);
}

/* The chunks that others wait for in line are not owed. */
static void who_is_paced_has_his_part_beside_those_who_take_turns(void **state)
{
	uint64_t turns = 0, paced = 0;

	(void)state;
	bucket_set_rate(&bucket, 100 * MBIT, now);
	begin_takers(10);
	begin_drains(2, 100);
	for (int64_t end = now + 2000; now < end;) {
		drained_in(2, 1);
		now--;
		moved_in(10, 1);
	}
	for (int64_t end = now + 5000; now < end;) {
		paced += drained_in(2, 1);
		now--;
		turns += moved_in(10, 1);
	}
	assert_near(paced + turns, 100 * MBIT, 5000, 20);
	assert_near(paced, 100 * MBIT / 6, 5000, 250);
}

static void has_who_owes_much_pause(void **state)
{
	struct bucket_stream s = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, MBIT, now);
	bucket_begin(&bucket, &s, now);
	assert_int_equal(bucket_settle(&bucket, &s, MBIT, 0, now), 0);
	now += 1000;
	assert_true(bucket_settle(&bucket, &s, 0, 1000, now) > 0);
}

/* It has something to move as before, and wants its part of that. */
static void who_is_paced_no_longer_wants_as_much_as_others(void **state)
{
	struct bucket_stream a = {.position = 0}, b = {.position = 0};

	(void)state;
	bucket_set_rate(&bucket, MBIT, now);
	bucket_begin(&bucket, &a, now);
	bucket_begin(&bucket, &b, now);
	bucket_drain(&bucket, &a, bucket_settle(&bucket, &a, 0, 0, now), now);
	bucket_drain(&bucket, &a, 0, now);
	assert_in_range(bucket_settle(&bucket, &b, 0, 0, now), MBIT / 4, 3 * MBIT / 4);
	assert_int_equal(bucket.modest_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(holds_each_rate_for_each_number_of_streams, setup),
		cmocka_unit_test_setup(takes_turns, setup),
		cmocka_unit_test_setup(a_turn_is_as_long_as_nobody_minds, setup),
		cmocka_unit_test_setup(lets_a_small_message_through_beside_many, setup),
		cmocka_unit_test_setup(who_has_had_his_part_does_not_go_first, setup),
		cmocka_unit_test_setup(nothing_does_not_go_first, setup),
		cmocka_unit_test_setup(what_goes_first_is_half_of_the_rate_at_most, setup),
		cmocka_unit_test_setup(one_alone_has_no_long_gaps, setup),
		cmocka_unit_test_setup(idleness_saves_no_more_than_the_depth, setup),
		cmocka_unit_test_setup(clamps_what_is_saved_when_the_rate_falls, setup),
		cmocka_unit_test_setup(a_higher_rate_shortens_the_wait, setup),
		cmocka_unit_test_setup(follows_changes_while_streams_wait, setup),
		cmocka_unit_test_setup(a_rate_that_falls_far_silences_nobody, setup),
		cmocka_unit_test_setup(a_rate_that_falls_far_silences_no_paced_one_either, setup),
		cmocka_unit_test_setup(what_is_given_back_is_there_for_others, setup),
		cmocka_unit_test_setup(what_is_forgiven_is_not_given_back, setup),
		cmocka_unit_test_setup(without_a_rate_nothing_waits, setup),
		cmocka_unit_test_setup(holds_the_rate_of_paced_streams, setup),
		cmocka_unit_test_setup(gives_what_one_does_not_want_to_the_others, setup),
		cmocka_unit_test_setup(leaves_something_for_small_messages, setup),
		cmocka_unit_test_setup(
			who_is_paced_has_his_part_beside_those_who_take_turns, setup),
		cmocka_unit_test_setup(has_who_owes_much_pause, setup),
		cmocka_unit_test_setup(who_is_paced_no_longer_wants_as_much_as_others, setup),
	};

	return cmocka_run_group_tests_name("state/bucket", tests, NULL, NULL);
}
