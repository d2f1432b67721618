/* top_model: totals and throughput, the past, and the rows in every order, choice and view. */
#include "client/top_model.h"

#include "../wire/answers.h"

static struct top_model *model;

static int make_model(void **state)
{
	(void)state;
	model = top_model_new();
	return model == NULL ? -1 : 0;
}

static int free_model(void **state)
{
	(void)state;
	top_model_free(model);
	return 0;
}

static void take_stats(const char *text, int64_t now_ms)
{
	struct answer r = answer_of(text);

	top_model_take_stats(model, &r, now_ms);
	answer_free(&r);
}

static void take_bytes(long long sent, long long received, int64_t now_ms)
{
	char text[100];

	snprintf(
		text, sizeof(text), "OK\nbytes sent:%lld\nbytes received:%lld\n\n", sent, received);
	take_stats(text, now_ms);
}

static void take_connections(const char *text)
{
	struct answer r = answer_of(text);

	assert_int_equal(top_model_take_list(model, TOP_SESSION_LIST, &r), 0);
	answer_free(&r); /* the model has its own copy */
}

static const char three[] =
	"OK\ncurrent connections:3\nmax concurrent connections:9\n"
	"id:1 user:bob client:[::1]:5 command:CONNECT target:a.example:80 state:RELAY age:30 "
	"idle:4 sent:100 received:2000 address:192.0.2.1:80 sent_rate:10 received_rate:-\n"
	"id:2 user:alice client:10.0.0.1:6 command:CONNECT target:B.example:80 state:RELAY age:20 "
	"idle:9 sent:300 received:1000 address:192.0.2.2:80 sent_rate:5 received_rate:70 new:1\n"
	"id:3 user:bob client:10.0.0.1:7 command:CONNECT target:c.example:80 state:CONNECT age:10 "
	"idle:1 sent:200 received:3000 address:- sent_rate:- received_rate:50\n\n";

/* The rows' ids, as one number: 312. */
static long ids(void)
{
	long all = 0;

	for (size_t i = 0; i < top_model_count(model); i++)
		all = all * 10 + (long)top_model_row(model, i)->number[TOP_ID];
	return all;
}

static void sort_by(enum top_column column)
{
	bool descending;

	while (top_model_order(model, &descending) != column)
		top_model_sort_beside(model, 1);
}

/* ---- totals ---- */

static void reads_totals_and_tolerates_others(void **state)
{
	const struct top_totals *t = top_model_totals(model);

	(void)state;
	assert_int_equal(t->sessions, -1);
	take_stats("OK\nall time connections:20\nbytes transferred:74312\nactive users:2\n"
		   "current connections:3\nmax concurrent connections:9\nserver uptime:276s\n"
		   "bytes sent:10\nbytes received:20\nsessions failed:4\nworkers busy:3\n"
		   "workers total:200\naverage session time:12ms\nno colon\nnew thing:x:y\n\n",
		1000);
	assert_int_equal(t->sessions, 20);
	assert_int_equal(t->users, 2);
	assert_int_equal(t->current, 3);
	assert_int_equal(t->most, 9);
	assert_int_equal(t->uptime, 276);
	assert_int_equal(t->sent, 10);
	assert_int_equal(t->received, 20);
	assert_int_equal(t->failed, 4);
	assert_int_equal(t->workers_busy, 3);
	assert_int_equal(t->workers_total, 200);
	take_stats("OK\nserver uptime:soon\n\n", 2000);
	assert_int_equal(t->uptime, -1);
	assert_int_equal(t->sessions, -1);
}

static void throughput_is_the_difference_by_the_time(void **state)
{
	const struct top_totals *t = top_model_totals(model);

	(void)state;
	take_bytes(1000, 5000, 1000);
	assert_true(t->up == -1 && t->down == -1);
	take_bytes(2000, 5000, 1500);
	assert_true(t->up == 2000 && t->down == 0);
	take_bytes(2000, 9000, 3500);
	assert_true(t->up == 0 && t->down == 2000);
	take_bytes(0, 9000, 4500); /* a counter that went back */
	assert_true(t->up == -1 && t->down == 0);
	take_bytes(5, 9000, 4500); /* no time between them */
	assert_true(t->up == -1 && t->down == -1);
}

/* ---- the past ---- */

static void there_is_no_past_at_first(void **state)
{
	(void)state;
	assert_true(top_model_past(model, TOP_UPWARD, 0) == -1);
	take_bytes(0, 0, 1000);
	assert_true(top_model_past(model, TOP_UPWARD, 0) == -1);
}

static void buckets_hold_the_mean_of_their_seconds(void **state)
{
	(void)state;
	take_bytes(0, 0, 1000);
	take_bytes(300, 0, 2000);
	assert_true(top_model_past(model, TOP_UPWARD, 0) == 300);
	take_bytes(300, 30, 3000);
	take_bytes(300, 30, 4000);
	assert_true(top_model_past(model, TOP_UPWARD, 0) == 100);
	assert_true(top_model_past(model, TOP_DOWNWARD, 0) == 10);
	take_bytes(1000, 30, 5000);
	assert_true(top_model_past(model, TOP_UPWARD, 0) == 700);
	assert_true(top_model_past(model, TOP_UPWARD, 1) == 100);
	assert_true(top_model_past(model, TOP_UPWARD, 2) == -1);
}

static void a_late_reply_fills_all_its_seconds(void **state)
{
	(void)state;
	take_bytes(0, 0, 0);
	take_bytes(0, 0, 500);
	take_bytes(0, 0, 1000);
	take_bytes(5000, 0, 6000);
	assert_true(top_model_past(model, TOP_UPWARD, 1) > 0);
	assert_true(top_model_past(model, TOP_UPWARD, 0) == 1000);
}

/* Replies that come a little early or late leave as many columns as seconds passed. */
static void irregular_replies_keep_the_pace_of_the_clock(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i <= 60; i++)
		take_bytes(i, i, i * 1000 + (int)check_random(&seed, 300) + 1);
	assert_true(top_model_past(model, TOP_UPWARD, 19) >= 0);
	assert_true(top_model_past(model, TOP_UPWARD, 20) == -1);
}

static void the_past_has_an_end(void **state)
{
	int last = TOP_HISTORY_S / TOP_BUCKET_S;

	(void)state;
	for (int i = 0; i < 3 * TOP_HISTORY_S; i++)
		take_bytes(i * 7LL, i, i * 1000LL);
	assert_true(top_model_past(model, TOP_UPWARD, last - 1) == 7);
	assert_true(top_model_past(model, TOP_UPWARD, last + 1) == -1);
}

static void take_traffic(const char *text, int step)
{
	struct answer r = answer_of(text);

	top_model_take_traffic(model, &r, step);
	answer_free(&r);
}

static void the_past_begins_with_what_the_server_remembers(void **state)
{
	int minute = 60 / TOP_BUCKET_S;

	(void)state;
	take_traffic("OK\nago:0 sent:9 received:9 sessions:1\n"
		     "ago:60 sent:600 received:6000 sessions:1\n"
		     "ago:120 sent:1200 received:0 sessions:1\n\n",
		60);
	take_traffic("OK\nago:0 sent:9 received:9 sessions:1\nago:1 sent:30 received:3\n"
		     "ago:2 sent:30 received:3\nago:3 sent:30 received:6\nnonsense\n\n",
		1);
	assert_true(top_model_past(model, TOP_UPWARD, 0) == 30);
	assert_true(top_model_past(model, TOP_DOWNWARD, 0) == 4);
	assert_true(top_model_past(model, TOP_UPWARD, 1) == 10);
	assert_true(top_model_past(model, TOP_DOWNWARD, minute - 1) == 100);
	assert_true(top_model_past(model, TOP_UPWARD, minute) == 20);
	assert_true(top_model_past(model, TOP_UPWARD, 2 * minute - 1) == 20);
	assert_true(top_model_past(model, TOP_UPWARD, 2 * minute) == -1);
	take_bytes(0, 0, 1000);
	take_bytes(300, 0, 2000);
	assert_true(top_model_past(model, TOP_UPWARD, 0) == 300);
	assert_true(top_model_past(model, TOP_UPWARD, 1) == 30);
	take_traffic("OK\nago:1 sent:7 received:7\n\n", 1); /* too late */
	assert_true(top_model_past(model, TOP_UPWARD, 0) == 300);
}

/* ---- sessions ---- */

static void reads_sessions(void **state)
{
	const struct top_row *row;

	(void)state;
	take_connections(three);
	assert_int_equal(top_model_count(model), 3);
	sort_by(TOP_ID);
	row = top_model_row(model, 1);
	assert_int_equal(row->number[TOP_ID], 2);
	assert_string_equal(row->text[TOP_USER], "alice");
	assert_string_equal(row->text[TOP_CLIENT], "10.0.0.1:6");
	assert_string_equal(row->text[TOP_COMMAND], "CONNECT");
	assert_string_equal(row->text[TOP_TARGET], "B.example:80");
	assert_string_equal(row->text[TOP_ADDRESS], "192.0.2.2:80");
	assert_string_equal(row->text[TOP_STATE], "RELAY");
	assert_int_equal(row->number[TOP_AGE], 20);
	assert_int_equal(row->number[TOP_IDLE], 9);
	assert_int_equal(row->number[TOP_SENT], 300);
	assert_int_equal(row->number[TOP_RECEIVED], 1000);
	assert_int_equal(row->number[TOP_UP], 5);
	assert_int_equal(row->number[TOP_DOWN], 70);
	assert_int_equal(top_model_row(model, 2)->number[TOP_DOWN], -1);
}

static void what_a_line_lacks_is_unknown(void **state)
{
	(void)state;
	take_connections("OK\nid:1\nuser:bob\nid:x user:bob\n\n");
	assert_int_equal(top_model_count(model), 1);
	assert_string_equal(top_model_row(model, 0)->text[TOP_USER], "-");
	assert_int_equal(top_model_row(model, 0)->number[TOP_SENT], -1);
}

static void the_newest_reply_is_what_there_is(void **state)
{
	(void)state;
	take_connections(three);
	take_connections("OK\nid:9 user:x\n\n");
	assert_int_equal(ids(), 9);
	take_connections("OK\n\n");
	assert_int_equal(top_model_count(model), 0);
	assert_int_equal(top_model_selected(model), 0);
}

static void sorts_by_every_column(void **state)
{
	static const struct {
		enum top_column column;
		long ids, reversed;
	} rows[] = {{TOP_ID, 321, 123}, {TOP_USER, 213, 132}, {TOP_CLIENT, 231, 132},
		{TOP_TARGET, 123, 321}, {TOP_STATE, 312, 123}, {TOP_AGE, 123, 321},
		{TOP_IDLE, 213, 312}, {TOP_SENT, 231, 132}, {TOP_RECEIVED, 312, 213},
		{TOP_UP, 123, 321}, {TOP_DOWN, 231, 132}};
	bool descending;

	(void)state;
	take_connections(three);
	assert_int_equal(top_model_order(model, &descending), TOP_DOWN);
	assert_true(descending);
	for (size_t i = 0; i < COUNT(rows); i++) {
		sort_by(rows[i].column);
		top_model_sort_beside(model, 1);
		top_model_sort_beside(model, -1); /* a new column begins with its own direction */
		assert_int_equal(top_model_order(model, &descending), rows[i].column);
		assert_int_equal(ids(), rows[i].ids);
		top_model_reverse(model);
		assert_int_equal(ids(), rows[i].reversed);
	}
}

static void filters_by_any_text(void **state)
{
	(void)state;
	take_connections(three);
	sort_by(TOP_ID);
	top_model_filter(model, "b.EXAMPLE");
	assert_int_equal(ids(), 2);
	top_model_filter(model, "10.0.0.1");
	assert_int_equal(ids(), 32);
	top_model_filter(model, "bob");
	assert_int_equal(ids(), 31);
	take_connections(three); /* and so it stays */
	assert_int_equal(ids(), 31);
	top_model_filter(model, "nothing");
	assert_int_equal(top_model_count(model), 0);
	top_model_filter(model, "");
	assert_int_equal(ids(), 321);
}

/* ---- users ---- */

static void users_are_sums_of_their_sessions(void **state)
{
	const struct top_row *row;

	(void)state;
	take_connections(three);
	top_model_show(model, TOP_USER_VIEW);
	sort_by(TOP_USER);
	assert_int_equal(top_model_count(model), 2);
	row = top_model_row(model, 1);
	assert_string_equal(row->text[TOP_USER], "bob");
	assert_int_equal(row->number[TOP_SESSIONS], 2);
	assert_int_equal(row->number[TOP_SENT], 300);
	assert_int_equal(row->number[TOP_RECEIVED], 5000);
	assert_int_equal(row->number[TOP_UP], 10);
	assert_int_equal(row->number[TOP_DOWN], 50);
	assert_int_equal(row->number[TOP_AGE], 30);
	assert_int_equal(row->number[TOP_IDLE], 1);
	assert_string_equal(top_model_row(model, 0)->text[TOP_USER], "alice");
}

static void a_filter_chooses_the_sessions_that_are_summed_up(void **state)
{
	(void)state;
	take_connections(three);
	top_model_show(model, TOP_USER_VIEW);
	top_model_filter(model, "c.example");
	assert_int_equal(top_model_count(model), 1);
	assert_int_equal(top_model_row(model, 0)->number[TOP_SENT], 200);
}

static void each_view_has_an_order_of_its_own(void **state)
{
	bool descending;

	(void)state;
	take_connections(three);
	sort_by(TOP_TARGET);
	top_model_show(model, TOP_USER_VIEW);
	assert_int_equal(top_model_order(model, &descending), TOP_DOWN);
	for (int i = 0; i < TOP_COLUMNS; i++) {
		top_model_sort_beside(model, 1);
		assert_int_not_equal(top_model_order(model, &descending), TOP_TARGET);
	}
	top_model_show(model, TOP_SESSION_VIEW);
	assert_int_equal(top_model_order(model, &descending), TOP_TARGET);
}

/* ---- the selection ---- */

static void the_selection_stays_with_its_session(void **state)
{
	(void)state;
	take_connections(three);
	sort_by(TOP_ID);
	top_model_move(model, 2);
	assert_int_equal(top_model_selected(model), 2); /* session 1 */
	top_model_reverse(model);
	assert_int_equal(top_model_selected(model), 0);
	take_connections("OK\nid:0 user:x\nid:1 user:bob\nid:5 user:y\n\n");
	assert_int_equal(top_model_selected(model), 1);
}

static void the_selection_moves_on_when_its_session_ends(void **state)
{
	(void)state;
	take_connections(three);
	sort_by(TOP_ID);
	top_model_move(model, 1);
	take_connections("OK\nid:3 user:bob\nid:1 user:bob\n\n");
	assert_int_equal(top_model_selected(model), 1);
	take_connections("OK\nid:3 user:bob\n\n");
	assert_int_equal(top_model_selected(model), 0);
}

static void the_selection_stays_within_the_rows(void **state)
{
	(void)state;
	top_model_move(model, 1);
	assert_int_equal(top_model_selected(model), 0);
	take_connections(three);
	top_model_move(model, 100);
	assert_int_equal(top_model_selected(model), 2);
	top_model_move(model, -100);
	assert_int_equal(top_model_selected(model), 0);
}

static void a_selected_user_stays_selected(void **state)
{
	(void)state;
	take_connections(three);
	top_model_show(model, TOP_USER_VIEW);
	sort_by(TOP_USER);
	top_model_move(model, 1);
	top_model_reverse(model);
	assert_int_equal(top_model_selected(model), 0);
	take_connections("OK\nid:4 user:bob\nid:5 user:zoe\n\n");
	assert_int_equal(top_model_selected(model), 1);
}

#define model_test(f) cmocka_unit_test_setup_teardown(f, make_model, free_model)

/* ---- the other lists ---- */

static void take_list(enum top_list list, const char *text)
{
	struct answer r = answer_of(text);

	assert_int_equal(top_model_take_list(model, list, &r), 0);
	answer_free(&r);
}

static const char *text_at(size_t row, enum top_column column)
{
	return top_model_row(model, row)->text[column];
}

static void accounts_are_users_by_name(void **state)
{
	(void)state;
	take_list(TOP_ACCOUNT_LIST,
		"OK\nname:bob role:user sessions:2 total:9 sent:1 received:5 "
		"last_seen:2025-07-15T12:40:39 limits:rate=2Mbit\n"
		"name:alice role:admin sessions:0 total:1 sent:2 received:7 last_seen:never "
		"limits:none\nsomething else\n\n");
	top_model_show(model, TOP_ACCOUNT_VIEW);
	assert_int_equal(top_model_count(model), 2);
	assert_string_equal(text_at(0, TOP_USER), "alice"); /* has received most */
	assert_string_equal(text_at(1, TOP_LIMITS), "rate=2Mbit");
	assert_int_equal(top_model_row(model, 1)->number[TOP_SESSIONS], 2);
	assert_int_equal(top_model_row(model, 1)->number[TOP_TOTAL], 9);
	/* The sessions are still there, and have none of it. */
	take_connections(three);
	top_model_show(model, TOP_SESSION_VIEW);
	assert_int_equal(top_model_count(model), 3);
}

static void sites_are_by_bytes(void **state)
{
	(void)state;
	top_model_show(model, TOP_SITE_VIEW);
	assert_int_equal(top_model_count(model), 0);
	take_list(TOP_SITE_LIST,
		"OK 2025-07-01 to 2025-07-15\nsite:a.example sessions:1 refused:0 sent:1 received:5 "
		"seconds:60\nsite:(other) sessions:9 refused:2 sent:1 received:50 seconds:7200\n\n");
	assert_string_equal(text_at(0, TOP_SITE), "(other)");
	assert_int_equal(top_model_row(model, 0)->number[TOP_LASTED], 7200);
	top_model_drop_list(model, TOP_SITE_LIST);
	assert_int_equal(top_model_count(model), 0);
}

/* By name, and the selection stays with a server, of which a name has several. */
static void upstreams_are_servers_by_name(void **state)
{
	static const char lines[] =
		"OK\n"
		"upstream:b url:socks5://h:1080 state:up rest:0 sessions:3 total:7 failures:0 fault:-\n"
		"upstream:a url:http://h:1 state:resting rest:12 sessions:0 total:9 failures:2 "
		"fault:silent\n"
		"upstream:a url:http://i:1 state:up rest:0 sessions:1 total:1 failures:0 fault:-\n\n";

	(void)state;
	top_model_show(model, TOP_UPSTREAM_VIEW);
	take_list(TOP_UPSTREAM_LIST, lines);
	assert_int_equal(top_model_count(model), 3);
	assert_string_equal(text_at(0, TOP_UPSTREAM), "a");
	assert_string_equal(text_at(0, TOP_FAULT), "silent");
	assert_int_equal(top_model_row(model, 0)->number[TOP_REST], 12);
	assert_string_equal(text_at(2, TOP_UPSTREAM), "b");
	assert_int_equal(top_model_row(model, 2)->number[TOP_SESSIONS], 3);
	top_model_move(model, 1);
	top_model_reverse(model);
	take_list(TOP_UPSTREAM_LIST, lines);
	assert_string_equal(text_at(top_model_selected(model), TOP_URL), "http://i:1");
}

#define NEW_FAILURE                                                                                \
	"time:2025-07-15T12:42:11 user:bob client:10.0.0.1 command:CONNECT target:a:80 "           \
	"reason:target_denied rule:3 error:- name:tv advice:take that rule away\n"
#define OLD_FAILURES                                                                               \
	"time:2025-07-15T12:42:10 user:- client:10.0.0.2 command:- target:- reason:no_method "     \
	"rule:- error:- advice:give it a: name and password\n"                                     \
	"time:2025-07-15T12:42:10 user:- client:10.0.0.2 command:- target:- reason:malformed "     \
	"rule:- error:- advice:update it\n"

/* They stay in the server's order, and the selection stays with one, also of two that are alike. */
static void failures_are_newest_first(void **state)
{
	(void)state;
	top_model_show(model, TOP_FAILURE_VIEW);
	take_list(TOP_FAILURE_LIST, "OK The newest failures:\n" OLD_FAILURES "\n");
	assert_string_equal(text_at(0, TOP_REASON), "no_method");
	assert_string_equal(text_at(0, TOP_TIME), "2025-07-15 12:42:10");
	assert_string_equal(text_at(0, TOP_ADVICE), "give it a: name and password");
	top_model_move(model, 1);
	take_list(TOP_FAILURE_LIST, "OK The newest failures:\n" OLD_FAILURES "\n");
	assert_int_equal(top_model_selected(model), 1);
	top_model_move(model, -1);
	take_list(TOP_FAILURE_LIST, "OK The newest failures:\n" NEW_FAILURE OLD_FAILURES "\n");
	assert_string_equal(text_at(0, TOP_USER), "bob");
	assert_int_equal(top_model_selected(model), 1);
	top_model_filter(model, "DENIED");
	assert_int_equal(top_model_count(model), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		model_test(reads_totals_and_tolerates_others),
		model_test(throughput_is_the_difference_by_the_time),
		model_test(there_is_no_past_at_first),
		model_test(buckets_hold_the_mean_of_their_seconds),
		model_test(a_late_reply_fills_all_its_seconds),
		model_test(irregular_replies_keep_the_pace_of_the_clock),
		model_test(the_past_has_an_end),
		model_test(the_past_begins_with_what_the_server_remembers),
		model_test(reads_sessions),
		model_test(what_a_line_lacks_is_unknown),
		model_test(the_newest_reply_is_what_there_is),
		model_test(sorts_by_every_column),
		model_test(filters_by_any_text),
		model_test(users_are_sums_of_their_sessions),
		model_test(a_filter_chooses_the_sessions_that_are_summed_up),
		model_test(each_view_has_an_order_of_its_own),
		model_test(the_selection_stays_with_its_session),
		model_test(the_selection_moves_on_when_its_session_ends),
		model_test(the_selection_stays_within_the_rows),
		model_test(a_selected_user_stays_selected),
		model_test(accounts_are_users_by_name),
		model_test(sites_are_by_bytes),
		model_test(upstreams_are_servers_by_name),
		model_test(failures_are_newest_first),
	};

	return cmocka_run_group_tests_name("client/top_model", tests, NULL, NULL);
}
