/* registry: ids, stopping every session, and leaving the descriptors of ended ones alone. */
#include "state/registry.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"

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
	return registry_enter(r, slot, client, &somewhere);
}

static void set_target(struct registry *r, size_t slot, int target)
{
	registry_set_target(r, slot, target, &somewhere);
}

static bool was_told(struct registry *r, size_t slot)
{
	bool told = atomic_load(registry_told(r, slot));

	assert_int_equal(told, registry_told_why(r, slot) != END_REASONS);
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
	registry_leave(r, 2);
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
	registry_leave(r, 0);
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
	(void)registry_told_why(w->registry, w->slot);
	registry_leave(w->registry, w->slot);
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
		cmocka_unit_test(workers_and_a_stop_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests_name("state/registry", tests, NULL, NULL);
}
