/* proxy/queue: datagrams that wait for their time. */
#include "proxy/queue.h"

#include "base/clock.h"

#include "../base/check.h"

static void gives_each_when_its_time_has_come(void **state)
{
	struct queue q = {.first = NULL};
	struct addr peer = {.sa.sa_family = AF_INET};
	struct queued_datagram *d;

	(void)state;
	assert_int_equal(queue_due(&q), CLOCK_NEVER);
	assert_null(queue_take(&q, 100));
	assert_true(queue_put(&q, &peer, (const uint8_t *)"one", 3, 10));
	assert_true(queue_put(&q, &peer, (const uint8_t *)"", 0, 20));
	assert_true(queue_put(&q, &peer, (const uint8_t *)"three", 5, 30));
	assert_int_equal(q.bytes, 8);
	assert_int_equal(queue_due(&q), 10);
	assert_null(queue_take(&q, 9));
	d = queue_take(&q, 10);
	assert_non_null(d);
	assert_int_equal(d->len, 3);
	assert_memory_equal(d->data, "one", 3);
	free(d);
	assert_null(queue_take(&q, 19));
	d = queue_take(&q, 25);
	assert_int_equal(d->len, 0);
	free(d);
	assert_int_equal(q.bytes, 5);
	queue_end(&q);
	assert_int_equal(q.bytes, 0);
	assert_int_equal(queue_due(&q), CLOCK_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_each_when_its_time_has_come),
	};

	return cmocka_run_group_tests_name("proxy/queue", tests, NULL, NULL);
}
