/* hashing: the bound, the two lines, giving up, and that no turn gets lost. */
#include "state/hashing.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "../base/check.h"
#include "base/clock.h"

/* ---- who waits: the condition's wait is wrapped, and called under the lock ---- */

static _Atomic(int) waits; /* that have begun */

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

static void wait_for_waits(int count)
{
	while (atomic_load(&waits) < count)
		sched_yield();
}

/* ---- somebody who waits in a thread of his own ---- */

struct person {
	struct hashing *hashing;
	struct hashing_wait wait;
	bool entered;
	int place; /* that he came in at */
	pthread_t thread;
};

static _Atomic(int) places;

static void *go_in(void *context)
{
	struct person *p = context;

	p->entered = hashing_enter(p->hashing, &p->wait);
	p->place = atomic_fetch_add(&places, 1);
	if (p->entered)
		hashing_leave(p->hashing);
	return NULL;
}

/* Returns when he waits, the `waits`th to do so. */
static void send_in(struct person *p, struct hashing *h, enum hashing_line line)
{
	int before = atomic_load(&waits);

	p->hashing = h;
	p->wait.line = line;
	if (p->wait.deadline == 0)
		p->wait.deadline = CLOCK_NEVER;
	assert_int_equal(pthread_create(&p->thread, NULL, go_in, p), 0);
	wait_for_waits(before + 1);
}

static bool came_in(struct person *p)
{
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	return p->entered;
}

static struct hashing *some(unsigned most)
{
	struct hashing *h = hashing_new(most);

	assert_non_null(h);
	atomic_store(&waits, 0);
	atomic_store(&places, 0);
	return h;
}

static bool enter_at_once(struct hashing *h, enum hashing_line line)
{
	struct hashing_wait wait = {.line = line, .deadline = clock_ms()};

	return hashing_enter(h, &wait);
}

/* ---- the bound ---- */

static void so_many_are_in_at_once_and_no_more(void **state)
{
	struct hashing *h = some(2);

	(void)state;
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	assert_true(enter_at_once(h, HASHING_ADMINS));
	assert_false(enter_at_once(h, HASHING_CLIENTS));
	assert_false(enter_at_once(h, HASHING_ADMINS));
	hashing_leave(h);
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	hashing_leave(h);
	hashing_leave(h);
	hashing_free(h);
	hashing_free(NULL);
}

static void a_lower_bound_holds_once_enough_have_left(void **state)
{
	struct hashing *h = some(3);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(enter_at_once(h, HASHING_CLIENTS));
	hashing_set_most(h, 1);
	hashing_leave(h);
	hashing_leave(h);
	assert_false(enter_at_once(h, HASHING_CLIENTS));
	hashing_leave(h);
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	hashing_leave(h);
	hashing_free(h);
}

static void whoever_waits_comes_in_when_one_leaves(void **state)
{
	struct hashing *h = some(1);
	struct person p = {.place = -1};

	(void)state;
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	send_in(&p, h, HASHING_CLIENTS);
	hashing_leave(h);
	assert_true(came_in(&p));
	hashing_free(h);
}

static void a_higher_bound_lets_all_in_who_fit(void **state)
{
	struct hashing *h = some(0);
	struct person people[5] = {{.place = -1}};

	(void)state;
	for (size_t i = 0; i < COUNT(people); i++)
		send_in(&people[i], h, i % 2 == 0 ? HASHING_CLIENTS : HASHING_ADMINS);
	hashing_set_most(h, 4);
	for (size_t i = 0; i < COUNT(people); i++)
		assert_true(came_in(&people[i]));
	hashing_free(h);
}

/* ---- the lines ---- */

static void administrators_go_before_clients_who_came_first(void **state)
{
	struct hashing *h = some(1);
	struct person clients[3] = {{.place = -1}}, admin = {.place = -1};

	(void)state;
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	for (size_t i = 0; i < COUNT(clients); i++)
		send_in(&clients[i], h, HASHING_CLIENTS);
	send_in(&admin, h, HASHING_ADMINS);
	hashing_leave(h);
	assert_true(came_in(&admin));
	assert_int_equal(admin.place, 0);
	for (size_t i = 0; i < COUNT(clients); i++)
		assert_true(came_in(&clients[i]));
	hashing_free(h);
}

static void a_client_who_comes_later_does_not_overtake_an_administrator(void **state)
{
	struct hashing *h = some(0);
	struct person admin = {.place = -1};

	(void)state;
	send_in(&admin, h, HASHING_ADMINS);
	assert_false(enter_at_once(h, HASHING_CLIENTS));
	hashing_set_most(h, 1);
	assert_true(came_in(&admin));
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	hashing_leave(h);
	hashing_free(h);
}

static void too_many_clients_are_turned_away_and_administrators_are_not(void **state)
{
	enum { MOST_WAITING = 32 }; /* with one that may run */
	struct hashing *h = some(1);
	struct person clients[MOST_WAITING] = {{.place = -1}}, admin = {.place = -1};
	struct hashing_wait forever = {.line = HASHING_CLIENTS, .deadline = CLOCK_NEVER};

	(void)state;
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	for (size_t i = 0; i < MOST_WAITING; i++)
		send_in(&clients[i], h, HASHING_CLIENTS);
	assert_false(hashing_enter(h, &forever));
	send_in(&admin, h, HASHING_ADMINS);
	hashing_leave(h);
	assert_true(came_in(&admin));
	for (size_t i = 0; i < MOST_WAITING; i++)
		assert_true(came_in(&clients[i]));
	hashing_free(h);
}

/* ---- giving up ---- */

static void nobody_waits_beyond_the_deadline(void **state)
{
	struct hashing *h = some(0);
	struct hashing_wait wait = {.line = HASHING_CLIENTS, .deadline = clock_deadline(1)};

	(void)state;
	assert_false(enter_at_once(h, HASHING_CLIENTS));
	assert_false(hashing_enter(h, &wait));
	assert_true(clock_ms() >= wait.deadline);
	hashing_free(h);
}

static _Atomic(int64_t) patience = CLOCK_NEVER;

static int64_t ask_patience(void *waiter)
{
	assert_ptr_equal(waiter, &patience);
	return atomic_load(&patience);
}

static void whoever_is_not_worth_waiting_for_any_more_gives_up(void **state)
{
	struct hashing *h = some(0);
	struct person p = {.wait = {.patience = ask_patience, .waiter = &patience}};

	(void)state;
	send_in(&p, h, HASHING_CLIENTS);
	wait_for_waits(2); /* it is asked again though nothing happens */
	atomic_store(&patience, 0);
	assert_false(came_in(&p));
	atomic_store(&patience, CLOCK_NEVER);
	hashing_free(h);
}

static void patience_stretches_no_deadline_and_costs_no_turn(void **state)
{
	struct hashing *h = some(0);
	struct hashing_wait wait = {.line = HASHING_CLIENTS,
		.deadline = clock_deadline(1),
		.patience = ask_patience,
		.waiter = &patience};
	struct person p = {.wait = {.patience = ask_patience, .waiter = &patience}};

	(void)state;
	assert_false(hashing_enter(h, &wait));
	assert_true(clock_ms() >= wait.deadline);
	atomic_store(&waits, 0);
	send_in(&p, h, HASHING_CLIENTS);
	wait_for_waits(3);
	hashing_set_most(h, 1);
	assert_true(came_in(&p));
	hashing_free(h);
}

static void whoever_is_told_waits_no_longer(void **state)
{
	struct hashing *h = some(0);
	_Atomic(bool) told = false;
	struct person first = {.wait.told = &told}, second = {.place = -1};

	(void)state;
	send_in(&first, h, HASHING_CLIENTS);
	send_in(&second, h, HASHING_CLIENTS);
	atomic_store(&told, true);
	hashing_wake(h);
	assert_false(came_in(&first));
	hashing_set_most(h, 1);
	assert_true(came_in(&second));
	/* Nor does he begin. */
	assert_false(hashing_enter(h, &first.wait));
	hashing_free(h);
}

/* It is the administrator who is woken, who has been told meanwhile and does not want the turn. */
static void a_turn_that_is_not_wanted_goes_to_the_next_line(void **state)
{
	struct hashing *h = some(0);
	_Atomic(bool) told = false;
	struct person admin = {.wait.told = &told}, client = {.place = -1};

	(void)state;
	send_in(&admin, h, HASHING_ADMINS);
	send_in(&client, h, HASHING_CLIENTS);
	atomic_store(&told, true);
	hashing_set_most(h, 1);
	assert_false(came_in(&admin));
	assert_true(came_in(&client));
	hashing_free(h);
}

static void stopping_ends_all_waiting_now_and_later(void **state)
{
	struct hashing *h = some(0);
	struct person client = {.place = -1}, admin = {.place = -1};

	(void)state;
	send_in(&client, h, HASHING_CLIENTS);
	send_in(&admin, h, HASHING_ADMINS);
	hashing_stop(h);
	assert_false(came_in(&client));
	assert_false(came_in(&admin));
	hashing_set_most(h, 2);
	assert_false(hashing_enter(h, &client.wait));
	assert_false(hashing_enter(h, &admin.wait));
	hashing_free(h);
}

/* ---- hashes ---- */

static void a_hash_is_made_in_a_turn_and_gives_it_back(void **state)
{
	struct hashing *h = some(1);
	struct hashing_wait wait = {.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	assert_int_equal(hashing_make(h, &wait, "secret", hash), 0);
	assert_true(password_matches("secret", hash));
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	wait.deadline = clock_ms();
	assert_int_equal(hashing_make(h, &wait, "secret", hash), -1);
	assert_int_equal(errno, EBUSY);
	hashing_leave(h);
	hashing_free(h);
}

/* ---- threads ---- */

#define THREADS 8
#define ROUNDS 2000
#define BOUND 3

struct crowd {
	struct hashing *hashing;
	_Atomic(unsigned) inside;
	_Atomic(unsigned) too_many;
	_Atomic(unsigned) entered;
};

/* Some give up at once and some wait; a turn that got lost would leave the latter waiting for ever.
 */
static void *come_and_go(void *context)
{
	struct crowd *c = context;
	struct hashing_wait wait = {.line = HASHING_CLIENTS};

	for (int i = 0; i < ROUNDS; i++) {
		wait.line = i % 5 == 0 ? HASHING_ADMINS : HASHING_CLIENTS;
		wait.deadline = i % 3 == 0 ? clock_ms() : CLOCK_NEVER;
		if (!hashing_enter(c->hashing, &wait))
			continue;
		if (atomic_fetch_add(&c->inside, 1) >= BOUND)
			atomic_fetch_add(&c->too_many, 1);
		atomic_fetch_add(&c->entered, 1);
		atomic_fetch_sub(&c->inside, 1);
		hashing_leave(c->hashing);
	}
	return NULL;
}

static void a_crowd_keeps_the_bound_and_loses_no_turn(void **state)
{
	struct crowd c = {.hashing = some(BOUND)};
	pthread_t threads[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &c), 0);
	for (unsigned i = 0; i < ROUNDS; i++)
		hashing_set_most(c.hashing, 1 + i % BOUND);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&c.too_many), 0);
	assert_true(atomic_load(&c.entered) >= THREADS * ROUNDS / 3);
	hashing_free(c.hashing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_are_in_at_once_and_no_more),
		cmocka_unit_test(a_lower_bound_holds_once_enough_have_left),
		cmocka_unit_test(whoever_waits_comes_in_when_one_leaves),
		cmocka_unit_test(a_higher_bound_lets_all_in_who_fit),
		cmocka_unit_test(administrators_go_before_clients_who_came_first),
		cmocka_unit_test(a_client_who_comes_later_does_not_overtake_an_administrator),
		cmocka_unit_test(too_many_clients_are_turned_away_and_administrators_are_not),
		cmocka_unit_test(nobody_waits_beyond_the_deadline),
		cmocka_unit_test(whoever_is_not_worth_waiting_for_any_more_gives_up),
		cmocka_unit_test(patience_stretches_no_deadline_and_costs_no_turn),
		cmocka_unit_test(whoever_is_told_waits_no_longer),
		cmocka_unit_test(a_turn_that_is_not_wanted_goes_to_the_next_line),
		cmocka_unit_test(stopping_ends_all_waiting_now_and_later),
		cmocka_unit_test(a_hash_is_made_in_a_turn_and_gives_it_back),
		cmocka_unit_test(a_crowd_keeps_the_bound_and_loses_no_turn),
	};

	return cmocka_run_group_tests_name("state/hashing", tests, NULL, NULL);
}
