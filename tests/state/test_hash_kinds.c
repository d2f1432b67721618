/* hash_kinds: which hashes are of one kind, and which kind is the dearest. */
#include "state/hash_kinds.h"

#include <sodium.h>

#include "cheap.h"

static int checks; /* that were made to measure */

int __real_password_check(const char *password, const char *hash, bool *matches);
int __wrap_password_check(const char *password, const char *hash, bool *matches);

int __wrap_password_check(const char *password, const char *hash, bool *matches)
{
	checks++;
	return __real_password_check(password, hash, matches);
}

static struct hash_kinds kinds;

static int set_up(void **state)
{
	(void)state;
	checks = 0;
	kinds = (struct hash_kinds){.count = 0};
	return sodium_init() < 0 ? -1 : 0;
}

static size_t find(const char *prefix, unsigned long cost)
{
	char hash[PASSWORD_HASH_SIZE];

	cheap_hash_by(prefix, cost, "secret", hash);
	return hash_kinds_find(&kinds, hash);
}

static void kinds_differ_by_method_and_parameters(void **state)
{
	static const struct {
		const char *prefix;
		unsigned long cost;
		size_t kind;
	} rows[] = {{"$2b$", 4, 0}, {"$2b$", 5, 1}, {"$2y$", 4, 2}, {"$6$", 5000, 3},
		{"$6$", 1000, 4}, {"$5$", 5000, 5}, {"$y$", 1, 6}, {"$y$", 2, 7}, {"$1$", 0, 8}};

	(void)state;
	for (int round = 0; round < 2; round++) { /* with other salts */
		for (size_t i = 0; i < COUNT(rows); i++)
			assert_int_equal(find(rows[i].prefix, rows[i].cost), rows[i].kind);
	}
	assert_int_equal(kinds.count, 9);
	assert_int_equal(checks, 0);
}

static void one_kind_is_not_measured(void **state)
{
	size_t users[HASH_KINDS_MAX] = {0};

	(void)state;
	find("$2b$", 4);
	users[find("$2b$", 5)] = 1000;
	assert_int_equal(hash_kinds_in_use(users), 1);
	assert_int_equal(hash_kinds_dearest(&kinds, users), 1);
	assert_int_equal(checks, 0);
}

/* bcrypt's cost is a logarithm: each is a multiple of the one before. */
static void the_dearest_of_those_in_use_is_found_by_measuring_each_once(void **state)
{
	size_t users[HASH_KINDS_MAX] = {0};
	size_t middle = find("$2b$", 6), dear = find("$2b$", 8), cheap = find("$1$", 0);

	(void)state;
	users[middle] = users[cheap] = 1;
	assert_int_equal(hash_kinds_dearest(&kinds, users), middle);
	assert_int_equal(checks, 2);
	users[dear] = 1;
	assert_int_equal(hash_kinds_dearest(&kinds, users), dear);
	assert_int_equal(checks, 3);
	users[dear] = 0;
	assert_int_equal(hash_kinds_dearest(&kinds, users), middle);
	assert_int_equal(checks, 3);
}

static void all_that_are_too_many_are_the_last_kind(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HASH_KINDS_MAX + 4; i++) {
		size_t expected = i < HASH_KINDS_MAX ? i : HASH_KINDS_MAX - 1;

		assert_int_equal(find("$6$", 1000 + i), expected);
	}
	assert_int_equal(find("$6$", 1000), 0);
	assert_int_equal(kinds.count, HASH_KINDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(kinds_differ_by_method_and_parameters, set_up),
		cmocka_unit_test_setup(one_kind_is_not_measured, set_up),
		cmocka_unit_test_setup(
			the_dearest_of_those_in_use_is_found_by_measuring_each_once, set_up),
		cmocka_unit_test_setup(all_that_are_too_many_are_the_last_kind, set_up),
	};

	return cmocka_run_group_tests_name("state/hash_kinds", tests, NULL, NULL);
}
