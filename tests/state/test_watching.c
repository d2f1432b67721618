/* watching: who is told, who is not, who was too slow, and when the bell rings. */
#include "state/watching.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/check.h"

static struct watching w;
/* Whoever rings is not ordered with whoever rang before. */
static atomic_uint rings;
static struct event_copy copy;

static void ring(void *context)
{
	atomic_fetch_add((atomic_uint *)context, 1);
}

static int make_it(void **state)
{
	(void)state;
	rings = 0;
	w = (struct watching){.watchers = 0};
	if (watching_init(&w) < 0)
		return -1;
	watching_set_bell(&w, ring, &rings);
	return 0;
}

static int free_it(void **state)
{
	(void)state;
	watching_free(&w);
	return 0;
}

static void tell(uint64_t id)
{
	watching_tell(&w, &(struct event){.kind = EVENT_BEGIN, .id = id});
}

/* The id of the next event, behind so many that were lost; 0: there is none. */
static uint64_t next_id(uint64_t *next, uint64_t expected_lost)
{
	uint64_t lost;

	if (!watching_next(&w, next, &copy, &lost))
		return 0;
	assert_int_equal(lost, expected_lost);
	return copy.event.id;
}

static void it_is_on_while_somebody_watches(void **state)
{
	uint64_t a, b;

	(void)state;
	assert_false(watching_is_on(&w));
	watching_begin(&w, &a);
	watching_begin(&w, &b);
	watching_end(&w);
	assert_true(watching_is_on(&w));
	watching_end(&w);
	assert_false(watching_is_on(&w));
}

static void each_watcher_gets_all_from_its_beginning_on_in_order(void **state)
{
	uint64_t a, b;

	(void)state;
	watching_begin(&w, &a);
	tell(1);
	watching_begin(&w, &b);
	tell(2);
	assert_int_equal(next_id(&a, 0), 1);
	assert_int_equal(next_id(&a, 0), 2);
	assert_int_equal(next_id(&a, 0), 0);
	assert_int_equal(next_id(&b, 0), 2);
	assert_int_equal(next_id(&b, 0), 0);
	watching_end(&w);
	watching_end(&w);
}

static void a_slow_one_is_told_how_many_it_lost(void **state)
{
	uint64_t next;

	(void)state;
	watching_begin(&w, &next);
	for (uint64_t id = 1; id <= WATCHING_MOST + 10; id++)
		tell(id);
	assert_int_equal(next_id(&next, 10), 11);
	assert_int_equal(next_id(&next, 0), 12);
	watching_end(&w);
}

static void the_bell_rings_once_until_it_is_answered(void **state)
{
	uint64_t next;

	(void)state;
	watching_begin(&w, &next);
	tell(1);
	tell(2);
	assert_int_equal(rings, 1);
	watching_answer_bell(&w);
	assert_int_equal(rings, 1);
	tell(3);
	assert_int_equal(rings, 2);
	watching_end(&w);
}

static void what_nobody_saw_is_forgotten_with_the_last(void **state)
{
	uint64_t next, begin, end;

	(void)state;
	watching_begin(&w, &next);
	tell(1);
	watching_end(&w);
	events_range(w.events, &begin, &end);
	assert_int_equal(begin, end);
	watching_begin(&w, &next);
	assert_int_equal(next_id(&next, 0), 0);
	watching_end(&w);
}

#define WORKERS 4
#define EACH 2000

static void *tell_many(void *arg)
{
	for (uint64_t i = 0; i < EACH; i++)
		tell(*(uint64_t *)arg * EACH + i + 1);
	return NULL;
}

/* While workers tell, one reads, and another comes and goes: nothing is counted twice or missed. */
static void many_may_tell_at_once(void **state)
{
	uint64_t numbers[WORKERS], next, other, seen = 0, lost;
	pthread_t threads[WORKERS];

	(void)state;
	watching_begin(&w, &next);
	for (size_t i = 0; i < WORKERS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, tell_many, &numbers[i]), 0);
	}
	while (seen < WORKERS * EACH) {
		watching_begin(&w, &other);
		watching_answer_bell(&w);
		while (watching_next(&w, &next, &copy, &lost))
			seen += lost + 1;
		watching_end(&w);
	}
	for (size_t i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(seen, WORKERS * EACH);
	watching_end(&w);
}

#define watching_test(name) cmocka_unit_test_setup_teardown(name, make_it, free_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		watching_test(it_is_on_while_somebody_watches),
		watching_test(each_watcher_gets_all_from_its_beginning_on_in_order),
		watching_test(a_slow_one_is_told_how_many_it_lost),
		watching_test(the_bell_rings_once_until_it_is_answered),
		watching_test(what_nobody_saw_is_forgotten_with_the_last),
		watching_test(many_may_tell_at_once),
	};

	return cmocka_run_group_tests_name("state/watching", tests, NULL, NULL);
}
