/* hashmap: checked against a plain array, with colliding keys and chains around the array's end. */
#include "base/hashmap.h"

#include <stdio.h>

#include "check.h"
#include "faults.h"

struct item {
	char key[16];
	size_t len;
	bool present;
	int value;
};

static struct hashmap *new_map(size_t expected)
{
	struct hashmap *map = hashmap_new(expected);

	assert_non_null(map);
	return map;
}

static void put_new(struct hashmap *map, struct item *item)
{
	void *old = item;

	assert_int_equal(hashmap_put(map, item->key, item->len, item, &old), 0);
	assert_null(old);
}

static void *get(const struct hashmap *map, const char *key)
{
	return hashmap_get(map, key, strlen(key));
}

/* ---- the hash ---- */

static void djb2_has_known_values(void **state)
{
	(void)state;
	assert_true(hashmap_djb2("", 0) == 5381);
	assert_true(hashmap_djb2("a", 1) == 177670);
	assert_true(hashmap_djb2("ab", 2) == 5863208);
	assert_true(hashmap_djb2("hello", 5) == UINT64_C(210714636441));
	assert_true(hashmap_djb2("\0", 1) == 177573);
	assert_true(hashmap_djb2("\xff", 1) == 177828);
}

static void djb2_wraps_at_64_bits(void **state)
{
	char text[64];
	uint64_t expected = 5381;

	(void)state;
	memset(text, 'z', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		expected = (expected << 5) + expected + 'z';
	assert_true(hashmap_djb2(text, sizeof(text)) == expected);
}

/* ---- single operations ---- */

static void an_empty_map_has_nothing(void **state)
{
	struct hashmap *map = new_map(0);
	size_t position = 0;

	(void)state;
	assert_int_equal(hashmap_count(map), 0);
	assert_null(get(map, "a"));
	assert_null(hashmap_remove(map, "a", 1));
	assert_null(hashmap_next(map, &position));
	hashmap_free(map, NULL);
	hashmap_free(NULL, free);
}

static void putting_again_replaces(void **state)
{
	struct hashmap *map = new_map(0);
	int first, second;
	void *old;

	(void)state;
	assert_int_equal(hashmap_put(map, "key", 3, &first, &old), 0);
	assert_null(old);
	assert_int_equal(hashmap_put(map, "key", 3, &second, &old), 0);
	assert_ptr_equal(old, &first);
	assert_ptr_equal(get(map, "key"), &second);
	assert_int_equal(hashmap_count(map), 1);
	hashmap_free(map, NULL);
}

/* The old value is freed after it was replaced, and its key lies within it. */
static void replacing_takes_the_new_key_too(void **state)
{
	struct hashmap *map = new_map(0);
	char before[] = "key", after[] = "key";
	void *old;

	(void)state;
	assert_int_equal(hashmap_put(map, before, 3, before, &old), 0);
	assert_int_equal(hashmap_put(map, after, 3, after, &old), 0);
	memset(before, 'x', 3);
	assert_ptr_equal(get(map, "key"), after);
	hashmap_free(map, NULL);
}

static void keys_may_hold_any_byte(void **state)
{
	static struct item items[] = {{"", 0, 0, 0}, {"\0", 1, 0, 0}, {"\0\0", 2, 0, 0},
		{"a", 1, 0, 0}, {"a\0", 2, 0, 0}, {"a\0b", 3, 0, 0}, {"a\0c", 3, 0, 0},
		{"\xff\x80", 2, 0, 0}};
	struct hashmap *map = new_map(0);

	(void)state;
	for (size_t i = 0; i < COUNT(items); i++)
		put_new(map, &items[i]);
	assert_int_equal(hashmap_count(map), COUNT(items));
	for (size_t i = 0; i < COUNT(items); i++)
		assert_ptr_equal(hashmap_get(map, items[i].key, items[i].len), &items[i]);
	hashmap_free(map, NULL);
}

static void removing_gives_the_value_back(void **state)
{
	struct hashmap *map = new_map(0);
	struct item item = {.key = "key", .len = 3};

	(void)state;
	put_new(map, &item);
	assert_null(hashmap_remove(map, "ke", 2));
	assert_ptr_equal(hashmap_remove(map, "key", 3), &item);
	assert_null(hashmap_remove(map, "key", 3));
	assert_null(get(map, "key"));
	assert_int_equal(hashmap_count(map), 0);
	hashmap_free(map, NULL);
}

static int freed;

static void count_freed(void *value)
{
	(void)value;
	freed++;
}

static void freeing_frees_each_value_once(void **state)
{
	struct hashmap *map = new_map(0);
	struct item items[20];

	(void)state;
	for (size_t i = 0; i < COUNT(items); i++) {
		items[i].len = (size_t)sprintf(items[i].key, "%u", (unsigned)i);
		put_new(map, &items[i]);
	}
	assert_ptr_equal(hashmap_remove(map, "7", 1), &items[7]);
	freed = 0;
	hashmap_free(map, count_freed);
	assert_int_equal(freed, COUNT(items) - 1);
}

/* ---- collisions and chains ---- */

/* "Ez" and "FY" have the same hash, and so have all strings made of them. */
static void colliding_key(size_t number, char out[16])
{
	for (size_t i = 0; i < 5; i++)
		memcpy(out + 2 * i, number >> i & 1 ? "Ez" : "FY", 2);
	out[10] = '\0';
}

static void keys_with_the_same_hash_stay_apart(void **state)
{
	struct hashmap *map = new_map(0);
	struct item items[32] = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(items); i++) {
		colliding_key(i, items[i].key);
		items[i].len = 10;
		assert_true(hashmap_djb2(items[i].key, 10) == hashmap_djb2(items[0].key, 10));
		put_new(map, &items[i]);
	}
	for (size_t i = 0; i < COUNT(items); i += 2)
		assert_ptr_equal(hashmap_remove(map, items[i].key, 10), &items[i]);
	for (size_t i = 0; i < COUNT(items); i++)
		assert_ptr_equal(get(map, items[i].key), i % 2 == 0 ? NULL : &items[i]);
	hashmap_free(map, NULL);
}

/* A key whose home is `home` modulo 1024, and so modulo every smaller power of two. */
static void key_with_home(struct item *item, size_t home, unsigned *seed)
{
	do
		item->len = (size_t)sprintf(item->key, "%x", (unsigned)rand_r(seed));
	while ((hashmap_djb2(item->key, item->len) & 1023) != (home & 1023));
}

/* The `number`-th permutation of `count` indices. */
static void permute(size_t number, size_t *order, size_t count)
{
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (size_t i = count; i > 1; i--) {
		size_t j = number % i, swapped = order[i - 1];

		number /= i;
		order[i - 1] = order[j];
		order[j] = swapped;
	}
}

#define CHAIN 5
#define CHAIN_ORDERS 120

static void check_chain(struct item *items, const size_t *in, const size_t *out)
{
	struct hashmap *map = new_map(0);

	for (size_t i = 0; i < CHAIN; i++)
		put_new(map, &items[in[i]]);
	for (size_t i = 0; i < CHAIN; i++) {
		struct item *gone = &items[out[i]];

		assert_ptr_equal(hashmap_remove(map, gone->key, gone->len), gone);
		for (size_t j = 0; j <= i; j++)
			assert_null(get(map, items[out[j]].key));
		for (size_t j = i + 1; j < CHAIN; j++)
			assert_ptr_equal(get(map, items[out[j]].key), &items[out[j]]);
	}
	hashmap_free(map, NULL);
}

/* The chain begins at the last places of the array and goes on at its first ones. */
static void chains_survive_removal_in_every_order(void **state)
{
	static const size_t homes[][CHAIN] = {{1022, 1023, 1023, 1024, 1025},
		{1023, 1023, 1023, 1023, 1023}, {1022, 1022, 1024, 1024, 1023},
		{1020, 1023, 1021, 1023, 1024}};
	struct item items[CHAIN];
	size_t in[CHAIN], out[CHAIN];
	unsigned seed = 1;

	(void)state;
	for (size_t row = 0; row < COUNT(homes); row++) {
		for (size_t i = 0; i < CHAIN; i++)
			key_with_home(&items[i], homes[row][i], &seed);
		for (size_t i = 0; i < CHAIN_ORDERS * CHAIN_ORDERS; i++) {
			permute(i / CHAIN_ORDERS, in, CHAIN);
			permute(i % CHAIN_ORDERS, out, CHAIN);
			check_chain(items, in, out);
		}
	}
}

/* ---- against a model ---- */

static void make_pool(struct item *pool, size_t count)
{
	unsigned seed = 2;

	memset(pool, 0, count * sizeof(*pool));
	for (size_t i = 0; i < count; i++) {
		if (i < 32)
			colliding_key(i, pool[i].key);
		else if (i < 64)
			key_with_home(&pool[i], 1020 + i % 6, &seed);
		else
			sprintf(pool[i].key, "key-%u", (unsigned)i);
		pool[i].len = strlen(pool[i].key);
	}
}

static void random_operation(struct hashmap *map, struct item *item, size_t which)
{
	void *expected = item->present ? item : NULL;
	void *old;

	if (which < 3) {
		assert_int_equal(hashmap_put(map, item->key, item->len, item, &old), 0);
		assert_ptr_equal(old, expected);
		item->present = true;
	} else if (which < 5) {
		assert_ptr_equal(hashmap_remove(map, item->key, item->len), expected);
		item->present = false;
	} else {
		assert_ptr_equal(get(map, item->key), expected);
	}
}

static void check_all(const struct hashmap *map, struct item *pool, size_t count)
{
	size_t present = 0;

	for (size_t i = 0; i < count; i++) {
		present += pool[i].present;
		assert_ptr_equal(get(map, pool[i].key), pool[i].present ? &pool[i] : NULL);
	}
	assert_int_equal(hashmap_count(map), present);
}

/* Small pools keep the array at its smallest and full, large ones make it grow. */
static void behaves_as_a_plain_array_does(void **state)
{
	static const size_t sizes[] = {8, 12, 40, 100, 600};
	static struct item pool[600];
	unsigned seed = 3;

	(void)state;
	for (size_t s = 0; s < COUNT(sizes); s++) {
		struct hashmap *map = new_map(0);

		make_pool(pool, sizes[s]);
		for (int i = 0; i < 20000; i++) {
			random_operation(
				map, &pool[check_random(&seed, sizes[s])], check_random(&seed, 6));
			if (i % 100 == 0)
				check_all(map, pool, sizes[s]);
		}
		check_all(map, pool, sizes[s]);
		hashmap_free(map, NULL);
	}
}

static void walking_visits_each_entry_once(void **state)
{
	static struct item pool[600];
	struct hashmap *map = new_map(0);
	size_t position = 0, visited = 0;
	struct item *item;

	(void)state;
	make_pool(pool, COUNT(pool));
	for (size_t i = 0; i < COUNT(pool); i++)
		put_new(map, &pool[i]);
	while ((item = hashmap_next(map, &position)) != NULL) {
		assert_false(item->present);
		item->present = true;
		visited++;
	}
	assert_int_equal(visited, COUNT(pool));
	hashmap_free(map, NULL);
}

static void fill(struct hashmap *map, struct item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		items[i].len = (size_t)sprintf(items[i].key, "user%u", (unsigned)i);
		put_new(map, &items[i]);
	}
	assert_int_equal(hashmap_count(map), count);
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(get(map, items[i].key), &items[i]);
}

static void grows_from_any_expectation(void **state)
{
	static const size_t expected[] = {0, 1, 12, 13, 100, 50000, 100000};
	static struct item items[50000];

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct hashmap *map = new_map(expected[i]);

		fill(map, items, COUNT(items));
		hashmap_free(map, NULL);
	}
}

static void what_does_not_fit_is_not_put(void **state)
{
	static struct item items[13];
	struct hashmap *map = new_map(0);
	void *old;

	(void)state;
	fill(map, items, 12);
	faults_fail(1);
	assert_int_equal(hashmap_put(map, "more", 4, &items[12], &old), -1);
	faults_fail(1);
	assert_int_equal(hashmap_reserve(map, 1), -1);
	assert_int_equal(hashmap_count(map), 12);
	assert_null(get(map, "more"));
	hashmap_free(map, NULL);
}

static void what_was_reserved_needs_no_memory(void **state)
{
	static struct item items[50];
	struct hashmap *map = new_map(0);

	(void)state;
	fill(map, items, 10);
	assert_int_equal(hashmap_reserve(map, 40), 0);
	faults_fail(1);
	for (size_t i = 10; i < 50; i++) {
		sprintf(items[i].key, "more-%zu", i);
		items[i].len = strlen(items[i].key);
		put_new(map, &items[i]);
	}
	assert_false(faults_struck());
	assert_int_equal(hashmap_count(map), 50);
	hashmap_free(map, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(djb2_has_known_values),
		cmocka_unit_test(djb2_wraps_at_64_bits),
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(putting_again_replaces),
		cmocka_unit_test(replacing_takes_the_new_key_too),
		cmocka_unit_test(keys_may_hold_any_byte),
		cmocka_unit_test(removing_gives_the_value_back),
		cmocka_unit_test(freeing_frees_each_value_once),
		cmocka_unit_test(keys_with_the_same_hash_stay_apart),
		cmocka_unit_test(chains_survive_removal_in_every_order),
		cmocka_unit_test(behaves_as_a_plain_array_does),
		cmocka_unit_test(walking_visits_each_entry_once),
		cmocka_unit_test(grows_from_any_expectation),
		cmocka_unit_test(what_does_not_fit_is_not_put),
		cmocka_unit_test(what_was_reserved_needs_no_memory),
	};

	return cmocka_run_group_tests_name("base/hashmap", tests, NULL, NULL);
}
