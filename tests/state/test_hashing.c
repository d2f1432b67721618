/* hashing: the bound, whose turn it is, who shares one, who is refused, and that no turn gets lost.
 */
#include "state/hashing.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "../base/faults.h"
#include "base/clock.h"
#include "cheap.h"

/* ---- somebody who waits in a thread of his own ---- */

enum stage { CAME, WAITS, KNOWS };

struct person {
	struct hashing *hashing;
	struct hashing_wait wait;
	enum hashing_outcome outcome;
	struct hashing_turn turn;
	int place; /* at which it was decided */
	_Atomic(enum stage) stage;
	_Atomic(int) waits; /* that have begun */
	pthread_t thread;
};

#define ANSWER 7 /* of everybody here who has a turn */

static _Atomic(int) places;
static _Thread_local struct person *myself;

/* The condition's wait is called under the lock: nobody sees him before he waits. */
int __real_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
	const struct timespec *until);

int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
	const struct timespec *until);

int __wrap_pthread_cond_clockwait(
	pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	if (myself != NULL) {
		atomic_fetch_add(&myself->waits, 1);
		atomic_store(&myself->stage, WAITS);
	}
	return __real_pthread_cond_clockwait(cond, mutex, clock, until);
}

static void *go_in(void *context)
{
	struct person *p = myself = context;

	p->outcome = hashing_enter(p->hashing, &p->wait, &p->turn);
	p->place = atomic_fetch_add(&places, 1);
	atomic_store(&p->stage, KNOWS);
	if (p->outcome == HASHING_TURN)
		hashing_leave(p->hashing, &p->turn, ANSWER);
	return NULL;
}

/* Returns when he waits, or knows that he does not have to. */
static void send_in(struct person *p, struct hashing *h, enum hashing_line line)
{
	p->hashing = h;
	p->wait.line = line;
	if (p->wait.deadline == 0)
		p->wait.deadline = CLOCK_NEVER;
	assert_int_equal(pthread_create(&p->thread, NULL, go_in, p), 0);
	while (atomic_load(&p->stage) == CAME)
		sched_yield();
}

static void await_waits(struct person *p, int count)
{
	while (atomic_load(&p->waits) < count)
		sched_yield();
}

static enum hashing_outcome outcome_of(struct person *p)
{
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	return p->outcome;
}

static bool came_in(struct person *p)
{
	return outcome_of(p) == HASHING_TURN;
}

static struct hashing *some(unsigned most)
{
	struct hashing *h = hashing_new(most);

	assert_non_null(h);
	atomic_store(&places, 0);
	return h;
}

static struct hashing_turn turns[8]; /* of the test itself */
static size_t turn_count;

static bool enter_at_once(struct hashing *h, enum hashing_line line)
{
	struct hashing_wait wait = {.line = line, .deadline = clock_ms()};

	if (hashing_enter(h, &wait, &turns[turn_count]) != HASHING_TURN)
		return false;
	turn_count++;
	return true;
}

/* Any of them. */
static void leave(struct hashing *h)
{
	hashing_leave(h, &turns[--turn_count], ANSWER);
}

static enum hashing_outcome enter_as(struct hashing *h, const struct hashing_wait *wait)
{
	struct hashing_turn turn;

	return hashing_enter(h, wait, &turn);
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
	leave(h);
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	leave(h);
	leave(h);
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
	leave(h);
	leave(h);
	assert_false(enter_at_once(h, HASHING_CLIENTS));
	leave(h);
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	leave(h);
	hashing_free(h);
}

static void whoever_waits_comes_in_when_one_leaves(void **state)
{
	struct hashing *h = some(1);
	struct person p = {.place = -1};

	(void)state;
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	send_in(&p, h, HASHING_CLIENTS);
	leave(h);
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
	leave(h);
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
	leave(h);
	hashing_free(h);
}

/* ---- clients ---- */

static const char alice[] = "alice", bob[] = "bob", carol[] = "carol"; /* who they are */

/* Who stands in the line of `client` waits, with that key. */
static void send_client(
	struct person *p, struct hashing *h, const char *client, const unsigned char *key)
{
	p->wait.client = client;
	p->wait.key = key;
	send_in(p, h, HASHING_CLIENTS);
}

static void clients_take_turns_however_much_each_wants(void **state)
{
	struct hashing *h = some(1);
	struct person many[5] = {{.place = -1}}, two[2] = {{.place = -1}}, one = {.place = -1};

	(void)state;
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	for (size_t i = 0; i < COUNT(many); i++)
		send_client(&many[i], h, alice, NULL);
	for (size_t i = 0; i < COUNT(two); i++)
		send_client(&two[i], h, bob, NULL);
	send_client(&one, h, carol, NULL);
	leave(h);
	for (size_t i = 0; i < COUNT(many); i++)
		assert_true(came_in(&many[i]));
	for (size_t i = 0; i < COUNT(two); i++)
		assert_true(came_in(&two[i]));
	assert_true(came_in(&one));
	assert_int_equal(many[0].place, 0);
	assert_int_equal(two[0].place, 1);
	assert_int_equal(one.place, 2);
	assert_int_equal(many[1].place, 3);
	assert_int_equal(two[1].place, 4);
	assert_int_equal(many[2].place, 5);
	assert_int_equal(many[4].place, 7);
	hashing_free(h);
}

static const unsigned char key_a[HASHING_KEY_SIZE] = "a", key_b[HASHING_KEY_SIZE] = "b";

static void one_hash_answers_all_who_want_the_same(void **state)
{
	struct hashing *h = some(1);
	struct hashing_wait wait = {.line = HASHING_CLIENTS, .deadline = CLOCK_NEVER, .key = key_a};
	struct person same[4] = {{.place = -1}}, other = {.place = -1};
	struct hashing_turn turn;

	(void)state;
	assert_int_equal(hashing_enter(h, &wait, &turn), HASHING_TURN);
	send_client(&same[0], h, alice, key_a);
	send_client(&same[1], h, alice, key_a);
	send_client(&other, h, alice, key_b);
	send_client(&same[2], h, bob, key_a);
	send_client(&same[3], h, carol, key_a);
	hashing_leave(h, &turn, 41);
	for (size_t i = 0; i < COUNT(same); i++) {
		assert_int_equal(outcome_of(&same[i]), HASHING_ANSWERED);
		assert_int_equal(same[i].turn.answer, 41);
	}
	assert_true(came_in(&other));
	/* What comes later is another matter. */
	assert_int_equal(hashing_enter(h, &wait, &turn), HASHING_TURN);
	hashing_leave(h, &turn, 42);
	hashing_free(h);
}

static void the_first_of_those_who_wait_computes_for_the_others(void **state)
{
	struct hashing *h = some(0);
	struct person same[3] = {{.place = -1}};

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++)
		send_client(&same[i], h, alice, key_a);
	hashing_set_most(h, 2);
	assert_true(came_in(&same[0]));
	for (size_t i = 1; i < COUNT(same); i++) {
		assert_int_equal(outcome_of(&same[i]), HASHING_ANSWERED);
		assert_int_equal(same[i].turn.answer, ANSWER);
	}
	hashing_free(h);
}

static void who_gives_up_leaves_it_to_those_who_want_the_same(void **state)
{
	struct hashing *h = some(0);
	_Atomic(bool) told = false;
	struct person first = {.wait.told = &told}, second = {.place = -1}, third = {.place = -1};

	(void)state;
	send_client(&first, h, alice, key_a);
	send_client(&second, h, bob, key_a);
	send_client(&third, h, bob, key_a);
	atomic_store(&told, true);
	hashing_set_most(h, 1); /* he is woken with a turn that he does not want any more */
	assert_int_equal(outcome_of(&first), HASHING_REFUSED);
	assert_true(came_in(&second));
	assert_int_equal(outcome_of(&third), HASHING_ANSWERED);
	hashing_free(h);
}

static void what_two_clients_want_comes_when_the_first_of_them_has_a_turn(void **state)
{
	struct hashing *h = some(1);
	struct person guesses[3] = {{.place = -1}}, hers = {.place = -1}, his = {.place = -1};

	(void)state;
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	for (size_t i = 0; i < COUNT(guesses); i++)
		send_client(&guesses[i], h, alice, NULL);
	send_client(&hers, h, alice, key_a);
	send_client(&his, h, bob, key_a);
	leave(h);
	for (size_t i = 0; i < COUNT(guesses); i++)
		assert_true(came_in(&guesses[i]));
	assert_true(came_in(&hers));
	assert_int_equal(outcome_of(&his), HASHING_ANSWERED);
	assert_true(hers.place < guesses[1].place);
	hashing_free(h);
}

/* ---- who is refused ---- */

static void where_there_is_no_room_the_newest_of_who_has_most_has_to_go(void **state)
{
	struct hashing *h = some(0);
	struct person many[3] = {{.place = -1}}, two[2] = {{.place = -1}};
	struct person one = {.place = -1}, admin = {.place = -1};
	struct hashing_wait more = {
		.line = HASHING_CLIENTS, .deadline = CLOCK_NEVER, .client = alice};

	(void)state;
	hashing_set_room(h, 4);
	for (size_t i = 0; i < COUNT(many); i++)
		send_client(&many[i], h, alice, NULL);
	send_in(&admin, h, HASHING_ADMINS);
	send_client(&two[0], h, bob, NULL);
	assert_int_equal(enter_as(h, &more), HASHING_REFUSED); /* he has most himself */
	send_client(&one, h, carol, NULL);
	assert_int_equal(outcome_of(&many[2]), HASHING_REFUSED);
	send_client(&two[1], h, bob, NULL);
	assert_int_equal(outcome_of(&two[1]), HASHING_REFUSED); /* he came last of those with two */
	hashing_set_most(h, 1);
	assert_true(came_in(&many[0]));
	assert_true(came_in(&many[1]));
	assert_true(came_in(&two[0]));
	assert_true(came_in(&one));
	assert_true(came_in(&admin));
	hashing_free(h);
}

/* Would somebody of this client, who has so much time, wait? */
static bool begins_to_wait(struct hashing *h, const char *client, int64_t ms)
{
	_Atomic(bool) told = false;
	struct person p = {.wait.told = &told, .wait.deadline = clock_deadline(ms)};
	bool began;

	send_client(&p, h, client, NULL);
	began = atomic_load(&p.stage) == WAITS;
	atomic_store(&told, true);
	hashing_wake(h);
	assert_int_equal(outcome_of(&p), HASHING_REFUSED);
	return began;
}

#define MINUTE 60000

static void who_could_not_have_a_turn_in_time_is_refused_at_once(void **state)
{
	struct hashing *h = some(2);
	struct person many[6] = {{.place = -1}};

	(void)state;
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	for (size_t i = 0; i < COUNT(many); i++)
		send_client(&many[i], h, alice, NULL);
	assert_true(begins_to_wait(h, alice, 1 * MINUTE)); /* who knows what it costs? */
	hashing_note_cost(h, 10 * MINUTE);
	assert_int_equal(hashing_cost(h), 10 * MINUTE);
	/* Two at once: three times ten minutes until the seventh begins. */
	assert_false(begins_to_wait(h, alice, 29 * MINUTE));
	assert_true(begins_to_wait(h, alice, 31 * MINUTE));
	/* Another client has the next turn but one. */
	assert_true(begins_to_wait(h, bob, 1 * MINUTE));
	leave(h);
	leave(h);
	for (size_t i = 0; i < COUNT(many); i++)
		assert_true(came_in(&many[i]));
	hashing_free(h);
}

static void who_wants_what_comes_soon_is_not_refused(void **state)
{
	struct hashing *h = some(0);
	struct person first = {.place = -1}, many[4] = {{.place = -1}}, same = {.place = -1};

	(void)state;
	send_client(&first, h, alice, key_a);
	for (size_t i = 0; i < COUNT(many); i++)
		send_client(&many[i], h, alice, NULL);
	hashing_note_cost(h, 10 * MINUTE);
	hashing_set_most(h, 0);
	same.wait.deadline = clock_deadline(5 * MINUTE);
	send_client(&same, h, alice, key_a);
	hashing_set_most(h, 1);
	assert_true(came_in(&first));
	assert_int_equal(outcome_of(&same), HASHING_ANSWERED);
	for (size_t i = 0; i < COUNT(many); i++)
		assert_true(came_in(&many[i]));
	hashing_free(h);
}

static void one_slow_check_does_not_count_for_all(void **state)
{
	struct hashing *h = some(1);

	(void)state;
	assert_int_equal(hashing_cost(h), 0);
	for (int i = 0; i < 20; i++)
		hashing_note_cost(h, 100);
	assert_int_equal(hashing_cost(h), 100);
	hashing_note_cost(h, 300);
	assert_int_equal(hashing_cost(h), 150);
	hashing_free(h);
}

static void without_memory_nobody_waits(void **state)
{
	struct hashing *h = some(0);
	struct hashing_wait wait = {
		.line = HASHING_CLIENTS, .deadline = CLOCK_NEVER, .client = alice, .key = key_a};
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	for (int fault = 1; fault <= 2; fault++) {
		faults_fail(fault);
		assert_int_equal(enter_as(h, &wait), HASHING_NO_MEMORY);
		assert_true(faults_struck());
	}
	wait = (struct hashing_wait){.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	faults_fail(1);
	assert_int_equal(hashing_make(h, &wait, "secret", hash), -1);
	assert_int_equal(errno, ENOMEM);
	assert_true(faults_struck());
	hashing_free(h);
}

/* ---- giving up ---- */

static void nobody_waits_beyond_the_deadline(void **state)
{
	struct hashing *h = some(0);
	struct hashing_wait wait = {.line = HASHING_CLIENTS, .deadline = clock_deadline(1)};

	(void)state;
	assert_false(enter_at_once(h, HASHING_CLIENTS));
	assert_int_equal(enter_as(h, &wait), HASHING_REFUSED);
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
	await_waits(&p, 2); /* it is asked again though nothing happens */
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
	assert_int_equal(enter_as(h, &wait), HASHING_REFUSED);
	assert_true(clock_ms() >= wait.deadline);
	send_in(&p, h, HASHING_CLIENTS);
	await_waits(&p, 3);
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
	assert_int_equal(enter_as(h, &first.wait), HASHING_REFUSED);
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
	assert_int_equal(enter_as(h, &client.wait), HASHING_REFUSED);
	assert_int_equal(enter_as(h, &admin.wait), HASHING_REFUSED);
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
	assert_true(is_password("secret", hash));
	assert_true(enter_at_once(h, HASHING_CLIENTS));
	wait.deadline = clock_ms();
	assert_int_equal(hashing_make(h, &wait, "secret", hash), -1);
	assert_int_equal(errno, EBUSY);
	leave(h);
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
	static const char *const clients[] = {alice, bob, carol};
	struct crowd *c = context;
	struct hashing_wait wait = {.line = HASHING_CLIENTS};
	struct hashing_turn turn;

	for (int i = 0; i < ROUNDS; i++) {
		wait.line = i % 5 == 0 ? HASHING_ADMINS : HASHING_CLIENTS;
		wait.deadline = i % 3 == 0 ? clock_ms() : CLOCK_NEVER;
		wait.client = clients[(size_t)i % COUNT(clients)];
		wait.key = i % 7 == 0 ? key_a : i % 7 == 1 ? key_b : NULL;
		if (hashing_enter(c->hashing, &wait, &turn) != HASHING_TURN)
			continue;
		if (atomic_fetch_add(&c->inside, 1) >= BOUND)
			atomic_fetch_add(&c->too_many, 1);
		atomic_fetch_add(&c->entered, 1);
		atomic_fetch_sub(&c->inside, 1);
		hashing_leave(c->hashing, &turn, ANSWER);
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
	assert_true(atomic_load(&c.entered) >= THREADS * ROUNDS / 4);
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
		cmocka_unit_test(clients_take_turns_however_much_each_wants),
		cmocka_unit_test(one_hash_answers_all_who_want_the_same),
		cmocka_unit_test(the_first_of_those_who_wait_computes_for_the_others),
		cmocka_unit_test(who_gives_up_leaves_it_to_those_who_want_the_same),
		cmocka_unit_test(what_two_clients_want_comes_when_the_first_of_them_has_a_turn),
		cmocka_unit_test(where_there_is_no_room_the_newest_of_who_has_most_has_to_go),
		cmocka_unit_test(who_could_not_have_a_turn_in_time_is_refused_at_once),
		cmocka_unit_test(who_wants_what_comes_soon_is_not_refused),
		cmocka_unit_test(one_slow_check_does_not_count_for_all),
		cmocka_unit_test(without_memory_nobody_waits),
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
