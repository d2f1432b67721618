/* reply: text, sources, and how they are sent. */
#include "monitor/reply.h"

#include "../base/check.h"

/* Sends the whole reply in steps of `step` bytes. */
static const char *send_all(struct reply *r, size_t step)
{
	static char sent[65536];
	const char *bytes;
	size_t n, len = 0;

	while ((n = reply_pending(r, &bytes)) > 0) {
		n = n < step ? n : step;
		memcpy(sent + len, bytes, n);
		len += n;
		reply_consume(r, n);
	}
	sent[len] = '\0';
	return sent;
}

struct counter {
	int next, last;
	bool *freed;
};

static bool count(void *state, struct reply *r)
{
	struct counter *c = state;

	reply_add(r, "%d\n", c->next);
	return c->next++ < c->last;
}

static void note_free(void *state)
{
	struct counter *c = state;

	*c->freed = true;
}

static void a_reply_ends_with_an_empty_line(void **state)
{
	struct reply r = {.text = NULL};

	(void)state;
	reply_add(&r, "OK\nname:%s\n", "value");
	reply_finish(&r);
	assert_string_equal(send_all(&r, 3), "OK\nname:value\n\n");
	reply_reset(&r);
	reply_error(&r, "no %s", "way");
	reply_finish(&r);
	assert_string_equal(send_all(&r, 100), "ERR no way\n\n");
	reply_free(&r);
}

static void a_farewell_has_none(void **state)
{
	struct reply r = {.text = NULL};

	(void)state;
	reply_add(&r, "OK Goodbye\n");
	r.closes = true;
	reply_finish(&r);
	assert_string_equal(send_all(&r, 1), "OK Goodbye\n");
	reply_free(&r);
}

static void a_source_is_asked_when_all_before_it_went_out(void **state)
{
	bool freed = false;
	struct counter c = {.next = 1, .last = 3, .freed = &freed};
	struct reply r = {.text = NULL};
	const char *bytes;

	(void)state;
	reply_add(&r, "OK\n");
	reply_continue(&r, count, note_free, &c);
	reply_finish(&r);
	assert_int_equal(reply_pending(&r, &bytes), 3);
	assert_int_equal(c.next, 1);
	assert_string_equal(send_all(&r, 2), "OK\n1\n2\n3\n\n");
	assert_true(freed);
	reply_free(&r);
}

static void a_source_that_is_not_asked_to_the_end_is_freed(void **state)
{
	bool freed = false;
	struct counter c = {.next = 1, .last = 3, .freed = &freed};
	struct reply r = {.text = NULL};

	(void)state;
	reply_continue(&r, count, note_free, &c);
	reply_reset(&r);
	assert_true(freed);
	freed = false;
	reply_continue(&r, count, note_free, &c);
	reply_free(&r);
	assert_true(freed);
}

/* What happened and was not told yet. */
struct news {
	int count;
	bool freed;
};

static bool tell_news(void *state, struct reply *r)
{
	struct news *n = state;

	if (n->count > 0)
		reply_add(r, "news:%d\n", n->count);
	n->count = 0;
	return true;
}

static void forget_news(void *state)
{
	((struct news *)state)->freed = true;
}

static void one_that_lasts_waits_for_more_until_it_is_stopped(void **state)
{
	struct reply r = {.text = NULL};
	struct news n = {.count = 1};

	(void)state;
	reply_last(&r, tell_news, forget_news, &n);
	reply_finish(&r);
	assert_true(r.is_lasting);
	assert_string_equal(send_all(&r, 100), "news:1\n");
	assert_true(r.is_waiting);
	assert_string_equal(send_all(&r, 100), "");
	n.count = 2;
	assert_string_equal(send_all(&r, 3), "news:2\n");
	reply_stop(&r);
	assert_true(n.freed);
	assert_false(r.is_lasting);
	assert_string_equal(send_all(&r, 100), "\n");
	reply_free(&r);
}

static void long_texts_grow(void **state)
{
	struct reply r = {.text = NULL};

	(void)state;
	for (int i = 0; i < 5000; i++)
		reply_add(&r, "%09d\n", i);
	assert_int_equal(r.len, 50000);
	assert_memory_equal(r.text + 49990, "000004999\n", 10);
	reply_reset(&r);
	assert_int_equal(r.len, 0);
	reply_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_ends_with_an_empty_line),
		cmocka_unit_test(a_farewell_has_none),
		cmocka_unit_test(a_source_is_asked_when_all_before_it_went_out),
		cmocka_unit_test(a_source_that_is_not_asked_to_the_end_is_freed),
		cmocka_unit_test(one_that_lasts_waits_for_more_until_it_is_stopped),
		cmocka_unit_test(long_texts_grow),
	};

	return cmocka_run_group_tests_name("monitor/reply", tests, NULL, NULL);
}
