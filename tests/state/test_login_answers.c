/* login_answers: what is remembered of logins, for how long, how many, and what is forgotten. */
#include "state/login_answers.h"

#include "../base/check.h"
#include "../base/faults.h"

static char name[USERS_NAME_MAX + 1];

static const unsigned char *key_of(uint32_t number)
{
	static unsigned char key[HASHING_KEY_SIZE];

	memcpy(key, &number, sizeof(number));
	return key;
}

static enum login_memory get(struct login_answers *a, uint32_t number, int64_t now)
{
	return login_answers_get(a, key_of(number), now, name);
}

static void put(struct login_answers *a, uint32_t number, const char *whose, int64_t until)
{
	login_answers_put(a, key_of(number), whose, until, login_answers_age(a));
}

static void remembers_until_its_time_is_over(void **state)
{
	struct login_answers *a = login_answers_new();

	(void)state;
	assert_int_equal(get(a, 1, 0), LOGIN_UNKNOWN);
	put(a, 1, "alice", 100);
	put(a, 2, NULL, 50);
	assert_int_equal(get(a, 1, 99), LOGIN_KNOWN_RIGHT);
	assert_string_equal(name, "alice");
	assert_int_equal(get(a, 2, 49), LOGIN_KNOWN_WRONG);
	assert_int_equal(get(a, 2, 50), LOGIN_UNKNOWN);
	assert_int_equal(get(a, 1, 100), LOGIN_UNKNOWN);
	login_answers_free(a);
}

static void the_newest_answer_counts(void **state)
{
	struct login_answers *a = login_answers_new();

	(void)state;
	put(a, 1, NULL, 50);
	put(a, 1, "alice", 100);
	assert_int_equal(get(a, 1, 0), LOGIN_KNOWN_RIGHT);
	put(a, 1, NULL, 50);
	assert_int_equal(get(a, 1, 0), LOGIN_KNOWN_WRONG);
	assert_int_equal(login_answers_count(a), 1);
	login_answers_free(a);
}

/* Anybody can have wrong ones remembered: they push out none that were right. */
static void keeps_each_kind_within_its_bound(void **state)
{
	struct login_answers *a = login_answers_new();

	(void)state;
	put(a, 0, "alice", 100);
	for (uint32_t i = 1; i <= LOGIN_ANSWERS_WRONG + 10; i++)
		put(a, i, NULL, 50);
	assert_int_equal(login_answers_count(a), LOGIN_ANSWERS_WRONG + 1);
	assert_int_equal(get(a, 0, 0), LOGIN_KNOWN_RIGHT);
	assert_int_equal(get(a, 10, 0), LOGIN_UNKNOWN);
	assert_int_equal(get(a, 11, 0), LOGIN_KNOWN_WRONG);
	for (uint32_t i = 0; i < LOGIN_ANSWERS_RIGHT; i++)
		put(a, 100000 + i, "bob", 100);
	assert_int_equal(login_answers_count(a), LOGIN_ANSWERS_WRONG + LOGIN_ANSWERS_RIGHT);
	assert_int_equal(get(a, 0, 0), LOGIN_UNKNOWN);
	assert_int_equal(get(a, 100000, 0), LOGIN_KNOWN_RIGHT);
	login_answers_free(a);
}

static void forgets_whom_it_is_told_to(void **state)
{
	struct login_answers *a = login_answers_new();

	(void)state;
	put(a, 1, "alice", 100);
	put(a, 2, "alice", 100);
	put(a, 3, "bob", 100);
	put(a, 4, NULL, 100);
	login_answers_forget(a, "alice");
	assert_int_equal(get(a, 1, 0), LOGIN_UNKNOWN);
	assert_int_equal(get(a, 2, 0), LOGIN_UNKNOWN);
	assert_int_equal(get(a, 3, 0), LOGIN_KNOWN_RIGHT);
	assert_int_equal(get(a, 4, 0), LOGIN_KNOWN_WRONG);
	login_answers_forget(a, NULL);
	assert_int_equal(login_answers_count(a), 0);
	login_answers_free(a);
}

/* It was asked before, and so may be what is to be forgotten. */
static void keeps_nothing_of_an_age_that_has_passed(void **state)
{
	struct login_answers *a = login_answers_new();
	uint64_t age = login_answers_age(a);

	(void)state;
	login_answers_forget(a, "alice");
	login_answers_put(a, key_of(1), "alice", 100, age);
	assert_int_equal(get(a, 1, 0), LOGIN_UNKNOWN);
	put(a, 1, "alice", 100);
	assert_int_equal(get(a, 1, 0), LOGIN_KNOWN_RIGHT);
	login_answers_free(a);
}

static void without_memory_it_asks_again(void **state)
{
	(void)state;
	for (int n = 1; faults_struck(); n++) {
		struct login_answers *a;

		faults_fail(n);
		a = login_answers_new();
		if (a == NULL)
			continue;
		put(a, 1, "alice", 100);
		if (faults_countdown == 0)
			assert_int_equal(get(a, 1, 0), LOGIN_UNKNOWN);
		login_answers_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers_until_its_time_is_over),
		cmocka_unit_test(the_newest_answer_counts),
		cmocka_unit_test(keeps_each_kind_within_its_bound),
		cmocka_unit_test(forgets_whom_it_is_told_to),
		cmocka_unit_test(keeps_nothing_of_an_age_that_has_passed),
		cmocka_unit_test(without_memory_it_asks_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
