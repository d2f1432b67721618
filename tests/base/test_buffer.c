/* buffer: the window between head and tail, and that bytes keep their order. */
#include "base/buffer.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

static uint8_t memory[16];

static struct buffer empty_buffer(void)
{
	struct buffer b;

	memset(memory, 0xee, sizeof(memory));
	buffer_init(&b, memory, sizeof(memory));
	return b;
}

static void write_bytes(struct buffer *b, const char *bytes)
{
	size_t len = strlen(bytes);

	assert_true(len <= buffer_writable(b));
	memcpy(buffer_tail(b), bytes, len);
	buffer_commit(b, len);
}

static void assert_holds(const struct buffer *b, const char *bytes)
{
	assert_int_equal(buffer_readable(b), strlen(bytes));
	assert_memory_equal(buffer_head(b), bytes, strlen(bytes));
}

static void is_empty_at_first(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	assert_int_equal(buffer_readable(&b), 0);
	assert_int_equal(buffer_writable(&b), sizeof(memory));
	assert_ptr_equal(buffer_tail(&b), memory);
	assert_int_equal(b.high_water, 0);
}

static void gives_back_what_was_committed(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	write_bytes(&b, "abc");
	write_bytes(&b, "de");
	assert_holds(&b, "abcde");
	assert_int_equal(buffer_writable(&b), sizeof(memory) - 5);
}

static void consuming_takes_from_the_front(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	write_bytes(&b, "abcde");
	buffer_consume(&b, 2);
	assert_holds(&b, "cde");
	assert_int_equal(buffer_writable(&b), sizeof(memory) - 5);
	buffer_consume(&b, 0);
	assert_holds(&b, "cde");
}

static void what_is_secret_is_wiped_when_it_is_consumed(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	write_bytes(&b, "abcdef");
	buffer_consume(&b, 1);
	buffer_consume_secret(&b, 3);
	assert_holds(&b, "ef");
	assert_memory_equal(memory, "a\0\0\0ef", 6);
	buffer_consume_secret(&b, 2);
	assert_memory_equal(memory, "a\0\0\0\0", 6);
	assert_ptr_equal(buffer_head(&b), memory);
}

static void an_emptied_buffer_starts_at_the_front_again(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	write_bytes(&b, "0123456789abcdef");
	assert_int_equal(buffer_writable(&b), 0);
	buffer_consume(&b, 10);
	assert_int_equal(buffer_writable(&b), 0);
	buffer_consume(&b, 6);
	assert_int_equal(buffer_writable(&b), sizeof(memory));
	assert_ptr_equal(buffer_tail(&b), memory);
}

static void compacting_frees_all_that_was_consumed(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	write_bytes(&b, "0123456789abcdef");
	buffer_consume(&b, 5);
	buffer_compact(&b);
	assert_holds(&b, "56789abcdef");
	assert_ptr_equal(buffer_head(&b), memory);
	assert_int_equal(buffer_writable(&b), 5);
}

static void compacting_at_the_front_changes_nothing(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	buffer_compact(&b);
	assert_int_equal(buffer_readable(&b), 0);
	write_bytes(&b, "abc");
	buffer_compact(&b);
	assert_holds(&b, "abc");
	assert_int_equal(buffer_writable(&b), sizeof(memory) - 3);
}

static void the_high_water_mark_only_rises(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	write_bytes(&b, "abcdef");
	assert_int_equal(b.high_water, 6);
	buffer_consume(&b, 4);
	buffer_compact(&b);
	write_bytes(&b, "gh");
	assert_int_equal(b.high_water, 6);
	write_bytes(&b, "ijk");
	assert_int_equal(b.high_water, 7);
}

static void a_random_step(struct buffer *b, unsigned *seed, uint8_t *sent, uint8_t *seen)
{
	size_t n = check_random(seed, 8);

	switch (check_random(seed, 3)) {
	case 0:
		for (; n > 0 && buffer_writable(b) > 0; n--) {
			*buffer_tail(b) = (*sent)++;
			buffer_commit(b, 1);
		}
		break;
	case 1:
		for (; n > 0 && buffer_readable(b) > 0; n--) {
			assert_int_equal(*buffer_head(b), (*seen)++);
			buffer_consume(b, 1);
		}
		break;
	default:
		buffer_compact(b);
		break;
	}
}

static void bytes_keep_their_order(void **state)
{
	struct buffer b = empty_buffer();
	uint8_t sent = 0, seen = 0;
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		a_random_step(&b, &seed, &sent, &seen);
		assert_int_equal(buffer_readable(&b), (uint8_t)(sent - seen));
		assert_true(b.head <= b.tail && b.tail <= b.size);
	}
}

#define PAGES 8

static void released_memory_is_no_longer_resident(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = PAGES * page;
	uint8_t *pages =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char resident[PAGES];
	struct buffer b;

	(void)state;
	assert_ptr_not_equal(pages, MAP_FAILED);
	buffer_init(&b, pages, size);
	buffer_commit(&b, page);
	assert_false(buffer_is_swollen(&b));
	memset(pages, 'x', size);
	buffer_commit(&b, size - page);
	assert_true(buffer_is_swollen(&b));
	buffer_release(&b);
	assert_false(buffer_is_swollen(&b));
	assert_int_equal(buffer_writable(&b), size);
	assert_int_equal(mincore(pages, size, resident), 0);
	assert_int_equal(resident[0] & 1, 1);
	for (size_t i = 1; i < PAGES; i++)
		assert_int_equal(resident[i] & 1, 0);
	munmap(pages, size);
}

/* At every offset in a page. */
static void a_release_leaves_the_neighbours_alone(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 3 * page;
	uint8_t *pages = malloc(PAGES * page);
	struct buffer b;

	(void)state;
	assert_non_null(pages);
	for (size_t offset = 0; offset < page; offset += 64) {
		memset(pages, 'x', PAGES * page);
		buffer_init(&b, pages + page + offset, size);
		buffer_commit(&b, size);
		buffer_release(&b);
		for (size_t i = 0; i < page + offset; i++)
			assert_int_equal(pages[i], 'x');
		for (size_t i = page + offset + size; i < PAGES * page; i++)
			assert_int_equal(pages[i], 'x');
	}
	free(pages);
}

static void the_last_bytes_are_taken_back(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	write_bytes(&b, "abcdef");
	buffer_consume(&b, 1);
	buffer_retract(&b, 2);
	assert_holds(&b, "bcd");
	write_bytes(&b, "x");
	assert_holds(&b, "bcdx");
	buffer_retract(&b, 4);
	assert_int_equal(buffer_writable(&b), sizeof(memory));
}

/* In front, where there is room, else behind, and with what was consumed where it has to be. */
static void bytes_are_put_in_between(void **state)
{
	static const struct {
		size_t consumed, at, n;
		bool fits;
	} rows[] = {
		{0, 2, 3, true},
		{3, 2, 3, true},
		{4, 0, 4, true},
		{2, 6, 5, true},
		{6, 4, 10, true},
		{0, 4, 10, false},
		{6, 4, 11, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer b = empty_buffer();
		size_t left = 12 - rows[i].consumed, at = rows[i].at, n = rows[i].n;

		write_bytes(&b, "abcdefghijkl");
		buffer_consume(&b, rows[i].consumed);
		assert_int_equal(buffer_insert(&b, at, n), rows[i].fits);
		if (!rows[i].fits) {
			assert_holds(&b, &"abcdefghijkl"[rows[i].consumed]);
			continue;
		}
		assert_int_equal(buffer_readable(&b), left + n);
		buffer_cut(&b, at, n);
		assert_holds(&b, &"abcdefghijkl"[rows[i].consumed]);
	}
}

static void bytes_are_cut_out(void **state)
{
	struct buffer b = empty_buffer();

	(void)state;
	write_bytes(&b, "abcdef");
	buffer_cut(&b, 2, 3);
	assert_holds(&b, "abf");
	buffer_cut(&b, 0, 1);
	assert_holds(&b, "bf");
	buffer_cut(&b, 1, 1);
	assert_holds(&b, "b");
	buffer_cut(&b, 0, 1);
	assert_holds(&b, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_empty_at_first),
		cmocka_unit_test(gives_back_what_was_committed),
		cmocka_unit_test(consuming_takes_from_the_front),
		cmocka_unit_test(what_is_secret_is_wiped_when_it_is_consumed),
		cmocka_unit_test(an_emptied_buffer_starts_at_the_front_again),
		cmocka_unit_test(compacting_frees_all_that_was_consumed),
		cmocka_unit_test(compacting_at_the_front_changes_nothing),
		cmocka_unit_test(the_high_water_mark_only_rises),
		cmocka_unit_test(bytes_keep_their_order),
		cmocka_unit_test(the_last_bytes_are_taken_back),
		cmocka_unit_test(bytes_are_put_in_between),
		cmocka_unit_test(bytes_are_cut_out),
		cmocka_unit_test(released_memory_is_no_longer_resident),
		cmocka_unit_test(a_release_leaves_the_neighbours_alone),
	};

	return cmocka_run_group_tests_name("base/buffer", tests, NULL, NULL);
}
