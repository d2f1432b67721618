/* registry: ids, stopping every session, and leaving the descriptors of ended ones alone. */
#include "state/registry.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "../base/litmus.h"
#include "base/clock.h"
#include "state/config.h"

/* A connection: `own` is given to the registry, `peer` tells what became of it. */
struct pair {
	int own, peer;
};

static struct pair new_pair(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){.own = fds[0], .peer = fds[1]};
}

static void close_pair(const struct pair *p)
{
	close(p->own);
	close(p->peer);
}

/* Shutting down is felt by the other side at once, so nobody has to wait. */
static bool was_shut_down(const struct pair *p)
{
	char byte;
	ssize_t n = recv(p->peer, &byte, 1, MSG_DONTWAIT);

	assert_true(n == 0 || (n < 0 && errno == EAGAIN));
	return n == 0;
}

static const struct addr somewhere = {.in = {.sin_family = AF_INET, .sin_port = 0x1700}};

static uint64_t enter(struct registry *r, size_t slot, int client)
{
	return registry_enter(registry_slot_at(r, slot), client, &somewhere);
}

static void set_target(struct registry *r, size_t slot, int target)
{
	registry_set_target(registry_slot_at(r, slot), target, &somewhere);
}

static void sessions_are_counted_by_what_they_were_asked_for(void **state)
{
	static const char *const commands[] = {
		"CONNECT", "UDP_ASSOCIATE", "CONNECT", NULL, "CMD-9", "BIND"};
	struct registry *r = registry_new(COUNT(commands) + 1);
	size_t counts[REQUEST_COMMANDS];

	(void)state;
	assert_non_null(r);
	for (size_t i = 0; i < COUNT(commands); i++) {
		enter(r, i, -1);
		registry_set_request(registry_slot_at(r, i), commands[i], "-");
	}
	registry_leave(registry_slot_at(r, 2));
	registry_count_commands(r, counts);
	assert_int_equal(counts[REQUEST_NONE], 1);
	assert_int_equal(counts[REQUEST_CONNECT], 1);
	assert_int_equal(counts[REQUEST_BIND], 1);
	assert_int_equal(counts[REQUEST_UDP_ASSOCIATE], 1);
	assert_int_equal(counts[REQUEST_UNKNOWN], 1);
	registry_free(r);
}

static bool was_told(struct registry *r, size_t slot)
{
	bool told = atomic_load(registry_told(registry_slot_at(r, slot)));

	assert_int_equal(told, registry_told_why(registry_slot_at(r, slot)) != END_REASONS);
	return told;
}

static struct registry *new_registry(size_t slots)
{
	struct registry *r = registry_new(slots);

	assert_non_null(r);
	return r;
}

static void ids_begin_at_1_and_rise(void **state)
{
	struct registry *r = new_registry(3);

	(void)state;
	assert_int_equal(enter(r, 2, -1), 1);
	assert_int_equal(enter(r, 0, -1), 2);
	registry_leave(registry_slot_at(r, 2));
	assert_int_equal(enter(r, 2, -1), 3);
	assert_int_equal(enter(r, 1, -1), 4);
	registry_free(r);
	registry_free(NULL);
}

static void stopping_shuts_both_sockets_down(void **state)
{
	struct registry *r = new_registry(2);
	struct pair client = new_pair(), target = new_pair();

	(void)state;
	enter(r, 1, client.own);
	set_target(r, 1, target.own);
	assert_false(was_told(r, 1));
	assert_false(was_shut_down(&client));
	registry_stop_all(r);
	assert_true(was_told(r, 1));
	assert_true(was_shut_down(&client));
	assert_true(was_shut_down(&target));
	close_pair(&client);
	close_pair(&target);
	registry_free(r);
}

static void stopping_reaches_every_slot(void **state)
{
	struct registry *r = new_registry(5);
	struct pair clients[5];

	(void)state;
	for (size_t i = 0; i < COUNT(clients); i++) {
		clients[i] = new_pair();
		enter(r, i, clients[i].own);
	}
	registry_stop_all(r);
	for (size_t i = 0; i < COUNT(clients); i++) {
		assert_true(was_shut_down(&clients[i]));
		close_pair(&clients[i]);
	}
	registry_free(r);
}

static void sessions_that_come_later_are_stopped_too(void **state)
{
	struct registry *r = new_registry(1);
	struct pair client = new_pair();

	(void)state;
	registry_stop_all(r);
	enter(r, 0, client.own);
	assert_true(was_told(r, 0));
	assert_true(was_shut_down(&client));
	close_pair(&client);
	registry_free(r);
}

static void targets_that_come_later_are_shut_down_too(void **state)
{
	struct registry *r = new_registry(1);
	struct pair client = new_pair(), target = new_pair();

	(void)state;
	enter(r, 0, client.own);
	registry_stop_all(r);
	set_target(r, 0, target.own);
	assert_true(was_shut_down(&target));
	close_pair(&client);
	close_pair(&target);
	registry_free(r);
}

static void ended_sessions_are_left_alone(void **state)
{
	struct registry *r = new_registry(2);
	struct pair client = new_pair(), target = new_pair();

	(void)state;
	enter(r, 0, client.own);
	set_target(r, 0, target.own);
	registry_leave(registry_slot_at(r, 0));
	registry_stop_all(r);
	assert_false(was_shut_down(&client));
	assert_false(was_shut_down(&target));
	close_pair(&client);
	close_pair(&target);
	registry_free(r);
}

/* The slot's last session had a target; the next has none yet. */
static void a_new_session_has_no_target_of_the_last_one(void **state)
{
	struct registry *r = new_registry(1);
	struct pair target = new_pair(), client = new_pair();

	(void)state;
	enter(r, 0, -1);
	set_target(r, 0, target.own);
	enter(r, 0, client.own);
	registry_stop_all(r);
	assert_true(was_shut_down(&client));
	assert_false(was_shut_down(&target));
	close_pair(&client);
	close_pair(&target);
	registry_free(r);
}

/* ---- looking ---- */

static void a_session_is_seen_as_far_as_it_has_come(void **state)
{
	struct registry *r = new_registry(2);
	struct session_ref *refs;
	struct session_info info;
	size_t count;

	(void)state;
	enter(r, 1, -1);
	refs = registry_list(r, &count);
	assert_int_equal(count, 1);
	assert_true(registry_get(r, &refs[0], &info));
	assert_int_equal(info.id, 1);
	assert_int_equal(info.phase, PHASE_GREETING);
	assert_true(addr_equal(&info.client, &somewhere));
	assert_int_equal(info.user_len, 0);
	assert_null(info.command);
	assert_string_equal(info.target, "");
	assert_int_equal(info.address.sa.sa_family, AF_UNSPEC);
	registry_set_user(registry_slot_at(r, 1), "alice", 5);
	registry_set_request(registry_slot_at(r, 1), "CONNECT", "www.example.org:443");
	set_target(r, 1, -1);
	registry_set_phase(registry_slot_at(r, 1), PHASE_RELAY);
	traffic_count(registry_traffic(registry_slot_at(r, 1)), TRAFFIC_SENT, 7);
	assert_true(registry_get(r, &refs[0], &info));
	assert_memory_equal(info.user, "alice", info.user_len);
	assert_string_equal(info.command, "CONNECT");
	assert_string_equal(info.target, "www.example.org:443");
	assert_true(addr_equal(&info.address, &somewhere));
	assert_int_equal(info.phase, PHASE_RELAY);
	assert_int_equal(info.traffic.sent, 7);
	registry_leave(registry_slot_at(r, 1));
	assert_false(registry_get(r, &refs[0], &info));
	/* The next one in the same slot is another. */
	enter(r, 1, -1);
	assert_false(registry_get(r, &refs[0], &info));
	free(refs);
	registry_free(r);
}

static void sessions_are_listed_by_id(void **state)
{
	struct registry *r = new_registry(4);
	struct session_ref *refs;
	size_t count;

	(void)state;
	enter(r, 3, -1);
	enter(r, 0, -1);
	enter(r, 2, -1);
	registry_leave(registry_slot_at(r, 0));
	enter(r, 1, -1);
	refs = registry_list(r, &count);
	assert_int_equal(count, 3);
	assert_int_equal(refs[0].id, 1);
	assert_int_equal(refs[1].id, 3);
	assert_int_equal(refs[2].id, 4);
	assert_int_equal(registry_last_id(r), 4);
	free(refs);
	registry_free(r);
}

static void totals_never_fall(void **state)
{
	struct registry *r = new_registry(2);
	uint64_t sent, received;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		enter(r, i, -1);
		traffic_count(registry_traffic(registry_slot_at(r, i)), TRAFFIC_SENT, 10);
		traffic_count(registry_traffic(registry_slot_at(r, i)), TRAFFIC_RECEIVED, 1);
	}
	registry_leave(registry_slot_at(r, 0));
	enter(r, 0, -1);
	registry_totals(r, &sent, &received);
	assert_int_equal(sent, 20);
	assert_int_equal(received, 2);
	registry_free(r);
}

/* ---- ending ---- */

static void one_session_is_ended_by_its_id(void **state)
{
	struct registry *r = new_registry(2);
	struct pair a = new_pair(), b = new_pair();

	(void)state;
	enter(r, 0, a.own);
	enter(r, 1, b.own);
	assert_true(registry_end(r, 2, END_KILLED));
	assert_false(was_told(r, 0));
	assert_int_equal(registry_told_why(registry_slot_at(r, 1)), END_KILLED);
	assert_true(was_told(r, 1));
	assert_false(was_shut_down(&a));
	assert_true(was_shut_down(&b));
	registry_leave(registry_slot_at(r, 1));
	assert_false(registry_end(r, 2, END_KILLED));
	assert_false(registry_end(r, 0, END_KILLED));
	assert_false(registry_end(r, 3, END_KILLED));
	close_pair(&a);
	close_pair(&b);
	registry_free(r);
}

static void a_users_sessions_are_ended_and_no_others(void **state)
{
	static const char *const users[] = {"alice", "alice2", NULL, "alice"};
	struct registry *r = new_registry(4);

	(void)state;
	for (size_t i = 0; i < COUNT(users); i++) {
		enter(r, i, -1);
		if (users[i] != NULL)
			registry_set_user(registry_slot_at(r, i), users[i], strlen(users[i]));
	}
	assert_int_equal(registry_end_user(r, "alice", 5, END_KILLED), 2);
	assert_true(was_told(r, 0) && was_told(r, 3));
	assert_false(was_told(r, 1) || was_told(r, 2));
	assert_int_equal(registry_end_user(r, "bob", 3, END_KILLED), 0);
	assert_int_equal(registry_end_user(r, NULL, 0, END_KILLED), 1);
	assert_true(was_told(r, 2));
	registry_free(r);
}

/* A reset would overtake what it was told. */
static void who_is_on_the_way_out_is_not_ended_with_the_others(void **state)
{
	struct registry *r = new_registry(2);
	size_t count;
	struct session_ref *refs;
	struct network n;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		enter(r, i, -1);
		registry_set_user(registry_slot_at(r, i), "alice", 5);
	}
	registry_set_phase(registry_slot_at(r, 1), PHASE_CLOSING);
	refs = registry_list(r, &count);
	assert_int_equal(count, 2);
	assert_true(network_parse("0.0.0.0/0", 9, &n));
	assert_int_equal(registry_end_user(r, "alice", 5, END_DISABLED), 1);
	assert_int_equal(registry_end_client(r, &n, END_BANNED), 1);
	assert_false(registry_end_by_rule(r, &refs[1], "1"));
	assert_true(was_told(r, 0));
	assert_false(was_told(r, 1));
	/* By its id it is meant itself, and a stop is for all. */
	assert_true(registry_end(r, refs[1].id, END_KILLED));
	assert_true(was_told(r, 1));
	free(refs);
	registry_free(r);
}

static struct closer {
	struct registry *r; /* NULL: nobody is to close while a socket is broken off */
	pthread_t thread;
	sem_t is_as_far_as_it_gets;
	enum session_phase seen;
} closer;
static _Thread_local bool is_closer;

int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __real_pthread_mutex_lock(pthread_mutex_t *m);
void __wrap_socket_abort(int fd);
void __real_socket_abort(int fd);

int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
	if (is_closer)
		sem_post(&closer.is_as_far_as_it_gets);
	return __real_pthread_mutex_lock(m);
}

static void *begin_to_close(void *arg)
{
	(void)arg;
	is_closer = true;
	registry_set_phase(registry_slot_at(closer.r, 0), PHASE_CLOSING);
	sem_post(&closer.is_as_far_as_it_gets);
	return NULL;
}

void __wrap_socket_abort(int fd)
{
	if (closer.r != NULL) {
		assert_int_equal(pthread_create(&closer.thread, NULL, begin_to_close, NULL), 0);
		sem_wait(&closer.is_as_far_as_it_gets);
		closer.seen = registry_pulse(closer.r, 0).phase;
	}
	__real_socket_abort(fd);
}

/* What a worker tells its client once it closes is not overtaken by a reset that was decided on
 * before. */
static void nobody_begins_to_close_while_it_is_being_ended(void **state)
{
	struct pair p = new_pair();

	(void)state;
	closer.r = new_registry(1);
	assert_int_equal(sem_init(&closer.is_as_far_as_it_gets, 0, 0), 0);
	enter(closer.r, 0, p.own);
	registry_set_user(registry_slot_at(closer.r, 0), "alice", 5);
	assert_int_equal(registry_end_user(closer.r, "alice", 5, END_KILLED), 1);
	pthread_join(closer.thread, NULL);
	assert_int_equal(closer.seen, PHASE_GREETING);
	assert_int_equal(registry_pulse(closer.r, 0).phase, PHASE_CLOSING);
	sem_destroy(&closer.is_as_far_as_it_gets);
	registry_free(closer.r);
	closer.r = NULL;
	close_pair(&p);
}

static void a_clients_sessions_are_ended_whoever_logged_in(void **state)
{
	static const char *const clients[] = {
		"192.0.2.7", "192.0.2.8", "192.0.2.7", "2001:db8::7", "2001:db8::8", "fe80::7%1"};
	static const struct {
		const char *who;
		size_t ended;
	} rows[] = {
		{"192.0.2.7", 2},
		{"192.0.2.9", 0},
		{"2001:db8::7", 1},
		{"[2001:db8::]/64", 2},
		{"fe80::7%2", 0},
		{"fe80::7%1", 1},
		{"192.0.2.0/24", 3},
	};
	struct registry *r = new_registry(COUNT(clients) + 1);
	struct network n;
	struct addr a;

	(void)state;
	for (size_t i = 0; i < COUNT(clients); i++) {
		assert_true(addr_parse(clients[i], strlen(clients[i]), &a));
		registry_enter(registry_slot_at(r, i), -1, &a);
	}
	registry_set_user(registry_slot_at(r, 0), "alice", 5);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(network_parse(rows[i].who, strlen(rows[i].who), &n));
		assert_int_equal(registry_end_client(r, &n, END_KILLED), rows[i].ended);
		if (i == 0)
			assert_false(was_told(r, 1) || was_told(r, 3));
	}
	assert_true(was_told(r, 0) && was_told(r, 1) && was_told(r, 2));
	registry_free(r);
}

static void idle_relays_are_ended_up_to_an_id(void **state)
{
	struct registry *r = new_registry(5);
	int64_t now = clock_ms(), next;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		enter(r, i, -1);
		registry_set_phase(registry_slot_at(r, i), PHASE_RELAY);
		traffic_active(registry_traffic(registry_slot_at(r, i)), now - 5000);
	}
	traffic_active(registry_traffic(registry_slot_at(r, 1)), now); /* was active just now */
	atomic_store(&registry_traffic(registry_slot_at(r, 2))->half_closed, true);
	registry_set_phase(registry_slot_at(r, 3), PHASE_CONNECT);
	next = registry_end_idle(r, 4, 4000, 600000, now);
	assert_int_equal(registry_told_why(registry_slot_at(r, 0)), END_IDLE);
	assert_false(was_told(r, 1) || was_told(r, 2) || was_told(r, 3));
	assert_false(was_told(r, 4)); /* began later */
	assert_int_equal(next, now + 4000);
	registry_end_idle(r, 4, 600000, 4000, now);
	assert_int_equal(registry_told_why(registry_slot_at(r, 2)), END_HALF_CLOSED_IDLE);
	for (size_t i = 0; i < 4; i++)
		registry_leave(registry_slot_at(r, i));
	assert_int_equal(registry_end_idle(r, 4, 0, 0, now), CLOCK_NEVER);
	registry_free(r);
}

/* ---- threads ---- */

#define WORKERS 4
#define ROUNDS 500

struct worker {
	struct registry *registry;
	size_t slot;
	uint64_t ids[ROUNDS];
	pthread_t thread;
};

static void serve_one(struct worker *w, int round)
{
	int client[2], target[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, client) < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM, 0, target) < 0)
		abort();
	w->ids[round] = enter(w->registry, w->slot, client[0]);
	set_target(w->registry, w->slot, target[0]);
	(void)registry_told_why(registry_slot_at(w->registry, w->slot));
	registry_leave(registry_slot_at(w->registry, w->slot));
	for (int i = 0; i < 2; i++) {
		close(client[i]);
		close(target[i]);
	}
}

static void *work(void *context)
{
	struct worker *w = context;

	for (int i = 0; i < ROUNDS; i++)
		serve_one(w, i);
	return NULL;
}

static void assert_ids_are_unique(const struct worker *workers)
{
	static bool seen[WORKERS * ROUNDS + 1];

	for (size_t i = 0; i < WORKERS; i++) {
		for (size_t j = 0; j < ROUNDS; j++) {
			uint64_t id = workers[i].ids[j];

			assert_in_range(id, 1, WORKERS * ROUNDS);
			assert_false(seen[id]);
			assert_true(j == 0 || workers[i].ids[j - 1] < id);
			seen[id] = true;
		}
	}
}

static void workers_and_a_stop_do_not_disturb_each_other(void **state)
{
	static struct worker workers[WORKERS];
	struct registry *r = new_registry(WORKERS);

	(void)state;
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i].registry = r;
		workers[i].slot = i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 50; i++)
		registry_stop_all(r);
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	assert_ids_are_unique(workers);
	registry_free(r);
}

/* ---- what the janitor meets while the worker writes ---- */

#define LONG_MS 1000000
#define SHORT_MS 1000

static struct registry *litmus_registry;
static struct registry_slot *litmus_slot;
static struct idle_limits limits;
static int64_t begun, seen_limit, next_due;

static void enter_anew(void)
{
	enter(litmus_registry, 0, -1);
	begun = traffic_read(registry_traffic(litmus_slot), clock_ms()).last_active;
	atomic_store(&limits.timeout, LONG_MS);
	atomic_store(&limits.half_close_timeout, LONG_MS);
	seen_limit = next_due = 0;
}

/* As if the request had taken long. */
static void begin_relay_late(void)
{
	traffic_active(registry_traffic(litmus_slot), begun + LONG_MS);
	registry_set_phase(litmus_slot, PHASE_RELAY);
}

static int64_t end_idle_at(int64_t now)
{
	return registry_end_idle(litmus_registry, registry_last_id(litmus_registry),
		atomic_load(&limits.timeout), atomic_load(&limits.half_close_timeout), now);
}

static void end_idle_until_it_relays(void)
{
	int looks = 0;

	atomic_store(&limits.timeout, SHORT_MS);
	while (end_idle_at(begun + LONG_MS) == CLOCK_NEVER && ++looks < 100)
		;
}

static bool nobody_was_told(void)
{
	return registry_told_why(litmus_slot) == END_REASONS;
}

static void expect_right(const struct litmus *litmus)
{
	litmus_registry = registry_new(1);
	litmus_slot = registry_slot_at(litmus_registry, 0);
	assert_int_equal(litmus_wrong(litmus, LITMUS_ROUNDS), 0);
	registry_free(litmus_registry);
}

static void a_relay_that_begins_is_as_fresh_as_it_says(void **state)
{
	static const struct litmus litmus = {.prepare = enter_anew,
		.write = begin_relay_late,
		.read = end_idle_until_it_relays,
		.is_right = nobody_was_told};

	(void)state;
	expect_right(&litmus);
}

static void begin_relay(void)
{
	registry_set_phase(litmus_slot, PHASE_RELAY);
	seen_limit = atomic_load(&limits.timeout);
}

static void lower_timeout(void)
{
	atomic_store(&limits.timeout, SHORT_MS);
	next_due = end_idle_at(begun);
}

/* The worker knows the limit, or the janitor knows the relay. */
static bool one_has_seen_the_other(void)
{
	return seen_limit == SHORT_MS || next_due == begun + SHORT_MS;
}

static void no_relay_sleeps_for_a_time_that_is_over(void **state)
{
	static const struct litmus litmus = {.prepare = enter_anew,
		.write = begin_relay,
		.read = lower_timeout,
		.is_right = one_has_seen_the_other};

	(void)state;
	expect_right(&litmus);
}

static void enter_relay_anew(void)
{
	enter_anew();
	registry_set_phase(litmus_slot, PHASE_RELAY);
}

static void finish_a_side(void)
{
	traffic_half_close(registry_traffic(litmus_slot), true);
	seen_limit = atomic_load(&limits.half_close_timeout);
}

static void lower_half_close_timeout(void)
{
	atomic_store(&limits.half_close_timeout, SHORT_MS);
	next_due = end_idle_at(begun);
}

static void no_half_closed_relay_sleeps_for_a_time_that_is_over(void **state)
{
	static const struct litmus litmus = {.prepare = enter_relay_anew,
		.write = finish_a_side,
		.read = lower_half_close_timeout,
		.is_right = one_has_seen_the_other};

	(void)state;
	expect_right(&litmus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_begin_at_1_and_rise),
		cmocka_unit_test(stopping_shuts_both_sockets_down),
		cmocka_unit_test(stopping_reaches_every_slot),
		cmocka_unit_test(sessions_that_come_later_are_stopped_too),
		cmocka_unit_test(targets_that_come_later_are_shut_down_too),
		cmocka_unit_test(ended_sessions_are_left_alone),
		cmocka_unit_test(a_new_session_has_no_target_of_the_last_one),
		cmocka_unit_test(a_session_is_seen_as_far_as_it_has_come),
		cmocka_unit_test(sessions_are_listed_by_id),
		cmocka_unit_test(totals_never_fall),
		cmocka_unit_test(one_session_is_ended_by_its_id),
		cmocka_unit_test(a_users_sessions_are_ended_and_no_others),
		cmocka_unit_test(who_is_on_the_way_out_is_not_ended_with_the_others),
		cmocka_unit_test(nobody_begins_to_close_while_it_is_being_ended),
		cmocka_unit_test(a_clients_sessions_are_ended_whoever_logged_in),
		cmocka_unit_test(sessions_are_counted_by_what_they_were_asked_for),
		cmocka_unit_test(idle_relays_are_ended_up_to_an_id),
		cmocka_unit_test(workers_and_a_stop_do_not_disturb_each_other),
		cmocka_unit_test(a_relay_that_begins_is_as_fresh_as_it_says),
		cmocka_unit_test(no_relay_sleeps_for_a_time_that_is_over),
		cmocka_unit_test(no_half_closed_relay_sleeps_for_a_time_that_is_over),
	};

	return cmocka_run_group_tests_name("state/registry", tests, NULL, NULL);
}
