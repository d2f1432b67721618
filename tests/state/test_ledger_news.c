/* ledger: what is new of accounts, told once, also of those that go in between. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/faults.h"
#include "state/ledger.h"

int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return 1;
}

/* What the heir was told, "NAME:sessions/sent ..." */
static char left[512];

static void note(char *text, size_t size, const struct ledger_share *share)
{
	char name[NETWORK_TEXT_MAX];
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s:%lld/%lld/%lld", len > 0 ? " " : "",
		share->is_user ? share->name : network_format(&share->client, name),
		(long long)share->counts.of[LEDGER_SESSIONS],
		(long long)share->counts.of[LEDGER_REFUSED],
		(long long)share->counts.of[LEDGER_SENT]);
}

static void inherit(void *context, const struct ledger_share *share)
{
	note(context, sizeof(left), share);
}

static struct ledger *l;

static int setup(void **state)
{
	(void)state;
	left[0] = '\0';
	l = ledger_new(2, NULL);
	if (l == NULL)
		return -1;
	ledger_set_heir(l, inherit, left);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_free(l);
	return 0;
}

static struct ledger_entry *join(const char *text, int64_t now)
{
	struct addr a;
	size_t running;
	struct ledger_entry *e;

	assert_true(addr_parse(text, strlen(text), &a));
	e = ledger_join_client(l, &a, now, &running);
	assert_non_null(e);
	return e;
}

static void send_bytes(struct ledger_entry *e, uint64_t n)
{
	atomic_fetch_add(&ledger_tally(e)->sent, n);
}

static struct ledger_share *take(size_t count)
{
	size_t n;
	struct ledger_share *shares = ledger_take_news(l, &n);

	assert_non_null(shares);
	assert_int_equal(n, count);
	return shares;
}

static void assert_news(const char *expected)
{
	char text[512] = "";
	size_t count;
	struct ledger_share *shares = ledger_take_news(l, &count);

	assert_non_null(shares);
	for (size_t i = 0; i < count; i++) {
		shares[i].counts.of[LEDGER_MS] = 0;
		note(text, sizeof(text), &shares[i]);
	}
	free(shares);
	assert_string_equal(text, expected);
}

static void what_is_new_is_told_once(void **state)
{
	struct ledger_entry *user = ledger_add_user(l, "alice", 5), *client = join("192.0.2.1", 1);

	(void)state;
	assert_news("192.0.2.1:1/0/0");
	send_bytes(client, 100);
	ledger_join_user(user);
	send_bytes(user, 7);
	ledger_count_refusal(user);
	assert_news("192.0.2.1:0/0/100 alice:1/1/7");
	ledger_leave(user, 1);
	ledger_leave(client, 1);
	free(take(0));
	ledger_retire_user(user);
	assert_string_equal(left, "");
}

/* Whoever took the news before sees less than nothing then. */
static void who_is_turned_away_takes_his_session_back(void **state)
{
	struct ledger_entry *client = join("192.0.2.1", 1);

	(void)state;
	assert_news("192.0.2.1:1/0/0");
	ledger_turn_away(client, 1);
	assert_news("192.0.2.1:-1/1/0");
}

static void who_has_to_go_leaves_what_is_new(void **state)
{
	struct ledger_entry *a = join("192.0.2.1", 1), *b = join("192.0.2.2", 2);

	(void)state;
	assert_news("192.0.2.1:1/0/0 192.0.2.2:1/0/0");
	send_bytes(a, 5);
	ledger_leave(a, 3);
	ledger_leave(b, 4);
	ledger_leave(join("192.0.2.3", 5), 6); /* in the place of the first */
	assert_string_equal(left, "192.0.2.1:0/0/5");
	assert_news("192.0.2.2:0/0/0 192.0.2.3:1/0/0"); /* the time that they took is new */
}

static void a_user_who_goes_leaves_what_is_new(void **state)
{
	struct ledger_entry *old = ledger_add_user(l, "alice", 5), *new;
	uint64_t last;

	(void)state;
	ledger_join_user(old);
	send_bytes(old, 5);
	ledger_retire_user(old);
	last = ledger_last_serial(l);
	new = ledger_add_user(l, "alice", 5);
	assert_true(ledger_serial(old) <= last);
	assert_true(ledger_serial(new) > last);
	assert_news("alice:1/0/5");
	send_bytes(old, 6);
	ledger_leave(old, 9);
	assert_string_equal(left, "alice:0/0/6");
	ledger_retire_user(new);
}

static void sessions_with_a_login_count_by_themselves_too(void **state)
{
	struct ledger_entry *client = join("192.0.2.1", 1);
	struct tally *known = ledger_join_known(client, 1);
	struct ledger_share *share;

	(void)state;
	assert_non_null(known);
	atomic_fetch_add(&known->sent, 3);
	atomic_fetch_add(&known->received, 4);
	ledger_leave_known(client, 51);
	ledger_leave(client, 51);
	share = take(1);
	assert_int_equal(share->counts.of[LEDGER_KNOWN_SESSIONS], 1);
	assert_int_equal(share->counts.of[LEDGER_KNOWN_SENT], 3);
	assert_int_equal(share->counts.of[LEDGER_KNOWN_RECEIVED], 4);
	assert_int_equal(share->counts.of[LEDGER_KNOWN_MS], 50);
	assert_int_equal(share->counts.of[LEDGER_MS], 50);
	free(share);
}

static void where_nobody_keeps_a_history_none_is_made(void **state)
{
	struct ledger_entry *client = join("192.0.2.1", 1);

	(void)state;
	ledger_set_heir(l, NULL, NULL);
	assert_null(ledger_join_known(client, 1));
	ledger_leave_known(client, 2);
	ledger_leave(client, 2);
	assert_null(ledger_join_known(NULL, 1));
}

static void without_memory_it_is_told_the_next_time(void **state)
{
	size_t count;

	(void)state;
	ledger_leave(join("192.0.2.1", 1), 1);
	faults_fail(1);
	assert_null(ledger_take_news(l, &count));
	assert_true(faults_struck());
	assert_news("192.0.2.1:1/0/0");
}

#define news_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		news_test(what_is_new_is_told_once),
		news_test(who_is_turned_away_takes_his_session_back),
		news_test(who_has_to_go_leaves_what_is_new),
		news_test(a_user_who_goes_leaves_what_is_new),
		news_test(sessions_with_a_login_count_by_themselves_too),
		news_test(where_nobody_keeps_a_history_none_is_made),
		news_test(without_memory_it_is_told_the_next_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
