/* hold-off: which logins count, who is checked meanwhile and who is let in, at the monitor's door
 * and at the proxy's, on a clock that the test moves. */
#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdatomic.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "cheap.h"
#include "state/users.h"
#include "state/users_file.h"

static _Atomic(int64_t) now = 1000000;

int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return now;
}

static _Atomic(int) waits; /* for a turn that have begun; called under the lock */

int __real_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
	const struct timespec *until);

int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
	const struct timespec *until);

int __wrap_pthread_cond_clockwait(
	pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	atomic_fetch_add(&waits, 1);
	return __real_pthread_cond_clockwait(cond, mutex, clock, until);
}

static _Atomic(unsigned) hashes; /* that were compared */

int __real_password_check(const char *password, const char *hash, bool *matches);
int __wrap_password_check(const char *password, const char *hash, bool *matches);

int __wrap_password_check(const char *password, const char *hash, bool *matches)
{
	hashes++;
	return __real_password_check(password, hash, matches);
}

static struct hashing *hashing;
static struct ledger *ledger;
static struct holdoff *held;
static struct users *users;

static void put_user(FILE *file, const char *name, const char *role)
{
	char hash[PASSWORD_HASH_SIZE];

	cheap_hash("secret", hash);
	fprintf(file, "%s:%s:%s\n", name, hash, role);
}

/* root and boss are admins, alice is not; all have the password "secret", and none is known yet. */
static int setup(void **state)
{
	struct users_backend kept = users_file_backend("users");
	char error[USERS_ERROR_MAX];
	FILE *file;

	if (scratch_enter(state) != 0 || sodium_init() < 0)
		return -1;
	file = fopen("users", "w");
	assert_non_null(file);
	put_user(file, "root", "admin");
	put_user(file, "boss", "admin");
	put_user(file, "alice", "user");
	fclose(file);
	waits = 0;
	hashing = hashing_new(2);
	held = holdoff_new(NULL);
	ledger = ledger_new(1, NULL);
	users = users_new(hashing, ledger, &kept);
	if (held == NULL || users == NULL)
		return -1;
	return users_load(users, error);
}

static int teardown(void **state)
{
	users_free(users);
	ledger_free(ledger);
	holdoff_free(held);
	hashing_free(hashing);
	return scratch_leave(state);
}

static struct addr from; /* of the next logins */

static struct login login_of(const char *name, const char *password)
{
	return (struct login){.name = name,
		.name_len = strlen(name),
		.password = password,
		.password_len = strlen(password),
		.holdoff = held,
		.from = &from};
}

static void come_from(const char *text)
{
	assert_true(addr_parse(text, strlen(text), &from));
}

/* A login at the proxy, and one at the monitor. */
static enum login_result proxy(const char *name, const char *password)
{
	struct login login = login_of(name, password);

	struct ledger_entry *entry = NULL;
	enum login_result result = users_login(users, &login, CLOCK_NEVER, NULL, &entry);

	ledger_leave(entry, 0);
	return result;
}

static enum login_result monitor(const char *name, const char *password)
{
	struct login login = login_of(name, password);

	return users_login_admin(users, &login);
}

static bool is_known(const char *name, const char *password)
{
	struct login login = login_of(name, password);

	return users_knows_admin(users, &login);
}

/* Three wrong ones make a hold-off of 5 s, and each further one doubles it. */
static void fail_often(unsigned times)
{
	come_from("192.0.2.1");
	for (unsigned i = 0; i < times; i++) {
		now += i < HOLDOFF_FREE_TRIES ? 0 : HOLDOFF_LONGEST_MS;
		assert_int_equal(proxy("root", "wrong"), LOGIN_REFUSED);
	}
}

static void at_the_proxy_administrators_names_count(void **state)
{
	(void)state;
	fail_often(3);
	assert_int_equal(proxy("root", "secret"), LOGIN_HELD_OFF);
	assert_int_equal(proxy("boss", "wrong"), LOGIN_HELD_OFF);
	come_from("192.0.2.2");
	assert_int_equal(proxy("root", "wrong"), LOGIN_REFUSED);
}

/* At a page that is the door for everybody. */
static enum login_result page(const char *name, const char *password)
{
	struct login login = login_of(name, password);

	return users_knows_person(users, &login) ? LOGIN_OK : users_login_person(users, &login);
}

static void at_a_page_users_of_any_role_log_in_and_every_name_counts(void **state)
{
	(void)state;
	come_from("192.0.2.1");
	assert_int_equal(page("alice", "secret"), LOGIN_OK);
	assert_int_equal(page("root", "secret"), LOGIN_OK);
	assert_int_equal(page("alice", "wrong"), LOGIN_REFUSED);
	assert_int_equal(page("nobody", "secret"), LOGIN_REFUSED);
	assert_int_equal(page("alice", ""), LOGIN_REFUSED);
	assert_int_equal(holdoff_failures(held, &from), 3);
	assert_int_equal(page("nobody", "secret"), LOGIN_HELD_OFF);
	assert_int_equal(page("boss", "secret"), LOGIN_HELD_OFF);
	assert_int_equal(page("alice", "secret"), LOGIN_OK); /* which is known */
	come_from("192.0.2.2");
	assert_int_equal(page("boss", "secret"), LOGIN_OK);
}

static void who_is_held_off_costs_what_a_wrong_login_costs(void **state)
{
	(void)state;
	fail_often(3);
	hashes = 0;
	assert_int_equal(proxy("nobody", "wrong"), LOGIN_REFUSED);
	assert_int_equal(hashes, 1);
	assert_int_equal(proxy("root", "secret"), LOGIN_HELD_OFF);
	assert_int_equal(hashes, 2);
}

static void at_the_proxy_other_names_are_not_touched(void **state)
{
	(void)state;
	come_from("192.0.2.1");
	for (int i = 0; i < 10; i++) {
		assert_int_equal(proxy("alice", "wrong"), LOGIN_REFUSED);
		assert_int_equal(proxy("nobody", "wrong"), LOGIN_REFUSED);
	}
	assert_int_equal(holdoff_failures(held, &from), 0);
	fail_often(3);
	for (int i = 0; i < 10; i++)
		assert_int_equal(proxy("alice", "wrong"), LOGIN_REFUSED);
	assert_int_equal(proxy("nobody", "wrong"), LOGIN_REFUSED);
	assert_int_equal(proxy("alice", "secret"), LOGIN_OK);
	assert_int_equal(holdoff_failures(held, &from), 3);
}

static void at_the_monitor_all_names_count(void **state)
{
	static const char *const names[] = {"root", "alice", "nobody"};

	(void)state;
	come_from("192.0.2.1");
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(monitor(names[i], "wrong"), LOGIN_REFUSED);
	assert_int_equal(monitor("root", "secret"), LOGIN_HELD_OFF);
	assert_int_equal(monitor("nobody", "wrong"), LOGIN_HELD_OFF);
	come_from("192.0.2.2");
	assert_int_equal(monitor("alice", "secret"), LOGIN_REFUSED); /* right, but no admin's */
	assert_int_equal(holdoff_failures(held, &from), 1);
}

static void a_password_that_none_can_have_counts_too(void **state)
{
	char longest[USERS_PASSWORD_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	come_from("192.0.2.1");
	assert_int_equal(monitor("root", longest), LOGIN_REFUSED);
	assert_int_equal(holdoff_failures(held, &from), 1);
}

static void both_doors_count_together_and_loopback_is_one_address(void **state)
{
	(void)state;
	come_from("127.0.0.1");
	assert_int_equal(monitor("root", "wrong"), LOGIN_REFUSED);
	come_from("127.0.0.2");
	assert_int_equal(proxy("root", "wrong"), LOGIN_REFUSED);
	come_from("::1");
	assert_int_equal(proxy("boss", "wrong"), LOGIN_REFUSED);
	come_from("127.9.9.9");
	assert_int_equal(monitor("root", "secret"), LOGIN_HELD_OFF);
	assert_int_equal(proxy("root", "secret"), LOGIN_HELD_OFF);
}

static void who_is_known_is_let_in_and_changes_nothing(void **state)
{
	(void)state;
	come_from("192.0.2.9");
	assert_int_equal(proxy("root", "secret"), LOGIN_OK); /* and known from here on */
	fail_often(3);
	assert_true(is_known("root", "secret"));
	assert_int_equal(proxy("root", "secret"), LOGIN_OK);
	assert_int_equal(monitor("root", "secret"), LOGIN_OK);
	/* Somebody else who guesses from there gets no new tries by that. */
	assert_int_equal(holdoff_failures(held, &from), 3);
	assert_int_equal(proxy("root", "wrong"), LOGIN_HELD_OFF);
	assert_int_equal(monitor("boss", "secret"), LOGIN_HELD_OFF);
}

/* 8,400 passwords a second could be tried against the keyed hash. */
static void who_is_held_off_tries_ten_a_second_against_what_is_known(void **state)
{
	(void)state;
	come_from("192.0.2.9");
	assert_int_equal(proxy("root", "secret"), LOGIN_OK); /* and known from here on */
	fail_often(8); /* so that it lasts for a minute */
	for (int i = 0; i < 100; i++)
		assert_int_equal(proxy("root", "secret"), LOGIN_OK);
	for (int i = 0; i < HOLDOFF_COMPARED_A_SECOND; i++)
		assert_int_equal(proxy("root", "wrong"), LOGIN_HELD_OFF);
	assert_int_equal(proxy("root", "secret"), LOGIN_HELD_OFF);
	assert_int_equal(monitor("root", "secret"), LOGIN_HELD_OFF);
	assert_false(is_known("root", "secret"));
	/* Neither other names nor other addresses. */
	assert_int_equal(proxy("alice", "secret"), LOGIN_OK);
	come_from("192.0.2.9");
	assert_int_equal(proxy("root", "secret"), LOGIN_OK);
	come_from("192.0.2.1");
	now += 1000;
	assert_int_equal(proxy("root", "secret"), LOGIN_OK);
	assert_true(is_known("root", "secret"));
}

static void one_in_5_s_is_checked(void **state)
{
	(void)state;
	fail_often(8); /* so that it lasts for a minute */
	assert_int_equal(proxy("root", "wrong"), LOGIN_HELD_OFF);
	now += HOLDOFF_CHECK_MS;
	assert_int_equal(proxy("root", "wrong"), LOGIN_REFUSED);
	assert_int_equal(monitor("root", "secret"), LOGIN_HELD_OFF);
	now += HOLDOFF_CHECK_MS - 1;
	assert_int_equal(monitor("root", "secret"), LOGIN_HELD_OFF);
	now += 1;
	assert_int_equal(monitor("root", "secret"), LOGIN_OK);
	assert_int_equal(holdoff_failures(held, &from), 0);
	assert_int_equal(proxy("root", "wrong"), LOGIN_REFUSED);
}

static void a_right_one_makes_it_good(void **state)
{
	(void)state;
	fail_often(2);
	assert_int_equal(proxy("root", "secret"), LOGIN_OK);
	assert_int_equal(holdoff_failures(held, &from), 0);
	fail_often(2);
	assert_int_equal(monitor("boss", "secret"), LOGIN_OK);
	assert_int_equal(holdoff_failures(held, &from), 0);
}

static void known_are_administrators_whose_password_was_right(void **state)
{
	(void)state;
	come_from("192.0.2.1");
	assert_false(is_known("root", "secret"));
	assert_int_equal(monitor("root", "secret"), LOGIN_OK);
	assert_true(is_known("root", "secret"));
	assert_false(is_known("root", "wrong"));
	assert_false(is_known("boss", "secret"));
	assert_int_equal(proxy("alice", "secret"), LOGIN_OK);
	assert_false(is_known("alice", "secret"));
	assert_false(is_known("nobody", "secret"));
	assert_int_equal(holdoff_failures(held, &from), 0);
}

#define CROWD 10

struct guesser {
	pthread_t thread;
	char password[16];
	enum login_result result;
};

static void *guess(void *context)
{
	struct guesser *g = context;

	g->result = proxy("root", g->password);
	return NULL;
}

/* Sends them in and returns when all wait for a turn. */
static void send_crowd(struct guesser crowd[CROWD], const char *password, bool numbered)
{
	for (int i = 0; i < CROWD; i++) {
		snprintf(crowd[i].password, sizeof(crowd[i].password), numbered ? "%s%d" : "%s",
			password, i);
		assert_int_equal(pthread_create(&crowd[i].thread, NULL, guess, &crowd[i]), 0);
	}
	while (atomic_load(&waits) < CROWD)
		sched_yield();
}

/* The same program with an old password. */
static void a_crowd_with_the_same_wrong_password_is_one_failure(void **state)
{
	struct guesser crowd[CROWD];

	(void)state;
	come_from("192.0.2.1");
	hashing_set_most(hashing, 0);
	send_crowd(crowd, "wrong", false);
	hashing_set_most(hashing, 1);
	for (size_t i = 0; i < CROWD; i++) {
		assert_int_equal(pthread_join(crowd[i].thread, NULL), 0);
		assert_int_equal(crowd[i].result, LOGIN_REFUSED);
	}
	assert_int_equal(holdoff_failures(held, &from), 1);
}

/* What one of them is refused for, another one may have good luck with. */
static void another_address_is_not_held_off_with_the_first(void **state)
{
	static char first, second;
	struct login login = login_of("root", "secret");
	struct ledger_entry *entry = NULL;

	(void)state;
	fail_often(3);
	login.client = &first;
	assert_int_equal(users_login(users, &login, CLOCK_NEVER, NULL, &entry), LOGIN_HELD_OFF);
	come_from("192.0.2.2");
	login.client = &second;
	assert_int_equal(users_login(users, &login, CLOCK_NEVER, NULL, &entry), LOGIN_OK);
	ledger_leave(entry, 0);
}

/* All ask before anybody has failed, and then wait for a turn. */
static void a_crowd_that_waits_for_its_turn_gets_no_more_tries(void **state)
{
	struct guesser crowd[CROWD];
	size_t checked = 0, held_off = 0;

	(void)state;
	come_from("192.0.2.1");
	hashing_set_most(hashing, 0);
	send_crowd(crowd, "wrong", true);
	hashing_set_most(hashing, 1);
	for (size_t i = 0; i < CROWD; i++) {
		assert_int_equal(pthread_join(crowd[i].thread, NULL), 0);
		checked += crowd[i].result == LOGIN_REFUSED;
		held_off += crowd[i].result == LOGIN_HELD_OFF;
	}
	assert_int_equal(checked, HOLDOFF_FREE_TRIES);
	assert_int_equal(held_off, CROWD - HOLDOFF_FREE_TRIES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(at_the_proxy_administrators_names_count),
		TEST(at_a_page_users_of_any_role_log_in_and_every_name_counts),
		TEST(who_is_held_off_costs_what_a_wrong_login_costs),
		TEST(at_the_proxy_other_names_are_not_touched),
		TEST(at_the_monitor_all_names_count),
		TEST(a_password_that_none_can_have_counts_too),
		TEST(both_doors_count_together_and_loopback_is_one_address),
		TEST(who_is_known_is_let_in_and_changes_nothing),
		TEST(who_is_held_off_tries_ten_a_second_against_what_is_known),
		TEST(one_in_5_s_is_checked),
		TEST(a_right_one_makes_it_good),
		TEST(known_are_administrators_whose_password_was_right),
		TEST(a_crowd_with_the_same_wrong_password_is_one_failure),
		TEST(another_address_is_not_held_off_with_the_first),
		TEST(a_crowd_that_waits_for_its_turn_gets_no_more_tries),
	};

	return cmocka_run_group_tests_name("state/holdoff", tests, NULL, NULL);
}
