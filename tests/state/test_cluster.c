/* cluster: what is summed over the other nodes, and who of them is there, on a clock that the test
 * moves. */
#include "state/cluster.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/check.h"
#include "../base/faults.h"

#define MAY INT64_C(1777000000)
#define JUNE INT64_C(1779000000)

static struct cluster *c;

static int make_it(void **state)
{
	(void)state;
	c = cluster_new();
	return c == NULL ? -1 : 0;
}

static int free_it(void **state)
{
	(void)state;
	cluster_free(c);
	return 0;
}

static void beat(const char *node, const char *instance, uint64_t number, int64_t now)
{
	struct cluster_beat b = {.started = MAY, .sessions = 3, .max_sessions = 10, .beat = number};

	snprintf(b.node, sizeof(b.node), "%s", node);
	snprintf(b.instance, sizeof(b.instance), "%s", instance);
	snprintf(b.version, sizeof(b.version), "1.0");
	assert_int_equal(cluster_note_beat(c, &b, now), 0);
}

static void uses(
	const char *node, const char *account, int64_t begun, uint64_t used, uint64_t extra)
{
	struct quota_use use = {.begun = begun, .used = used, .extra = extra};

	assert_int_equal(cluster_note_use(c, node, account, &use, cluster_resets(c, account)), 0);
}

static void runs(const char *node, const char *account, uint32_t sessions)
{
	assert_int_equal(cluster_note_sessions(c, node, account, sessions), 0);
}

static void assert_sum(
	const char *account, int64_t begun, uint64_t used, uint64_t extra, uint32_t sessions)
{
	struct elsewhere sum = cluster_sum(c, account, begun);

	assert_int_equal(sum.used, used);
	assert_int_equal(sum.extra, extra);
	assert_int_equal(sum.sessions, sessions);
}

static void nothing_is_known_of_anybody_at_first(void **state)
{
	(void)state;
	assert_sum("alice", MAY, 0, 0, 0);
	assert_int_equal(cluster_sum(NULL, "alice", MAY).used, 0);
	assert_int_equal(cluster_resets(c, "alice"), 0);
}

/* Each number takes the place of the node's last one, however often it comes. */
static void what_nodes_say_is_summed(void **state)
{
	(void)state;
	uses("b", "alice", MAY, 1000, 0);
	uses("c", "alice", MAY, 20, 500);
	uses("b", "alice", MAY, 3000, 0);
	uses("b", "alice", MAY, 3000, 0);
	uses("b", "10.0.0.7", MAY, 7, 0);
	beat("b", "y", 1, 1000);
	beat("c", "x", 1, 1000);
	runs("b", "alice", 2);
	runs("c", "alice", 5);
	assert_sum("alice", MAY, 3020, 500, 7);
	assert_sum("10.0.0.7", MAY, 7, 0, 0);
	runs("c", "alice", 0);
	assert_sum("alice", MAY, 3020, 500, 2);
}

static void another_period_is_no_part_of_the_sum(void **state)
{
	(void)state;
	uses("b", "alice", MAY, 1000, 0);
	uses("c", "alice", JUNE, 20, 0);
	assert_sum("alice", MAY, 1000, 0, 0);
	assert_sum("alice", JUNE, 20, 0, 0);
}

static void a_sum_ends_where_its_number_does(void **state)
{
	(void)state;
	uses("b", "alice", MAY, UINT64_MAX - 5, 0);
	uses("c", "alice", MAY, 6, 0);
	assert_sum("alice", MAY, UINT64_MAX, 0, 0);
}

/* Until a node has heard of it, what it says is of before. */
static void what_begins_anew_is_no_more_counted(void **state)
{
	(void)state;
	uses("b", "alice", MAY, 1000, 100);
	assert_int_equal(cluster_note_resets(c, "alice", 1), 0);
	assert_int_equal(cluster_note_resets(c, "alice", 0), 0);
	assert_int_equal(cluster_resets(c, "alice"), 1);
	assert_sum("alice", MAY, 0, 0, 0);
	uses("b", "alice", MAY, 5, 0);
	assert_sum("alice", MAY, 5, 0, 0);
}

static void what_is_read_anew_takes_the_place_when_it_is_whole(void **state)
{
	(void)state;
	uses("b", "alice", MAY, 1000, 0);
	assert_int_equal(cluster_begin_reading(c, "e1"), 0);
	uses("b", "alice", MAY, 2000, 0);
	assert_sum("alice", MAY, 1000, 0, 0);
	cluster_end_reading(c, false);
	assert_sum("alice", MAY, 1000, 0, 0);
	assert_int_equal(cluster_begin_reading(c, "e1"), 0);
	assert_int_equal(cluster_begin_reading(c, "e1"), 0);
	uses("c", "bob", MAY, 1, 0);
	cluster_end_reading(c, true);
	assert_sum("alice", MAY, 0, 0, 0);
	assert_sum("bob", MAY, 1, 0, 0);
}

static void assert_nodes(int64_t now, const char *expected)
{
	char text[256] = "";
	size_t count, len = 0;
	struct cluster_node *nodes = cluster_nodes(c, now, &count);

	assert_non_null(nodes);
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s/%s:%s:%lld ",
			nodes[i].beat.node, nodes[i].beat.instance,
			nodes[i].is_online ? "on" : "off", (long long)nodes[i].silent_ms);
	free(nodes);
	assert_string_equal(text, expected);
}

/* By our clock: a beat that stands still is none, whenever it is read. */
static void a_node_is_there_as_long_as_its_beat_goes_on(void **state)
{
	(void)state;
	beat("c", "x", 1, 1000);
	beat("b", "y", 7, 2000);
	assert_nodes(3000, "b/y:on:1000 c/x:on:2000 ");
	beat("c", "x", 1, 9000);
	beat("b", "y", 8, 9000);
	assert_nodes(1000 + CLUSTER_SILENT_MS, "b/y:on:6000 c/x:off:14000 ");
	/* It was started anew, and counts from the beginning. */
	beat("c", "z", 1, 20000);
	assert_nodes(20000, "b/y:on:11000 c/z:on:0 ");
}

static void who_could_not_be_heard_is_not_silent(void **state)
{
	(void)state;
	beat("b", "y", 1, 1000);
	beat("c", "x", 1, 1000);
	runs("b", "alice", 2);
	cluster_note_end(c, "c");
	cluster_begin_listening(c, 60000);
	assert_false(cluster_note_silence(c, 60001));
	assert_sum("alice", MAY, 0, 0, 2);
	assert_nodes(60001, "b/y:on:1 c/x:off:59001 ");
	assert_true(cluster_note_silence(c, 60000 + CLUSTER_SILENT_MS));
	assert_sum("alice", MAY, 0, 0, 0);
}

/* Another who was only spoken of, has no beat and so no line. */
static void sessions_go_with_their_node_and_what_was_used_stays(void **state)
{
	(void)state;
	beat("b", "y", 1, 1000);
	beat("c", "x", 1, 9000);
	uses("b", "alice", MAY, 1000, 0);
	uses("gone", "alice", MAY, 1, 0);
	runs("b", "alice", 2);
	runs("c", "alice", 3);
	assert_false(cluster_note_silence(c, CLUSTER_SILENT_MS));
	assert_true(cluster_note_silence(c, 1000 + CLUSTER_SILENT_MS));
	assert_false(cluster_note_silence(c, 1001 + CLUSTER_SILENT_MS));
	assert_sum("alice", MAY, 1001, 0, 3);
	/* It was only held up; the one that is started anew has none. */
	beat("b", "y", 2, 20000);
	assert_sum("alice", MAY, 1001, 0, 5);
	beat("b", "z", 2, 20000);
	assert_sum("alice", MAY, 1001, 0, 3);
	assert_int_equal(cluster_begin_reading(c, "e1"), 0);
	runs("c", "alice", 4);
	cluster_note_end(c, "c");
	cluster_note_end(c, "unheard-of");
	cluster_end_reading(c, true);
	assert_sum("alice", MAY, 0, 0, 0);
	assert_nodes(20000, "b/z:on:0 c/x:off:11000 ");
}

/* By its part, whatever it is called. */
static void a_node_is_listed_once_under_its_name(void **state)
{
	struct cluster_beat b = {.part = "n/1", .node = "n", .instance = "x", .started = MAY};

	(void)state;
	cluster_introduce(c, "self", "redis://h:1/0");
	assert_int_equal(cluster_note_beat(c, &b, 1000), 0);
	strcpy(b.part, "n/2");
	b.started++;
	assert_int_equal(cluster_note_beat(c, &b, 17000), 0);
	assert_false(cluster_is_online(c, "n/1", 17000));
	assert_true(cluster_is_online(c, "n/2", 17000));
	assert_false(cluster_is_online(c, "n", 17000));
	assert_nodes(17000, "n/x:on:0 ");
	assert_nodes(40000, "n/x:off:23000 ");
	/* What is gone under this node's own name is of before it was started. */
	strcpy(b.part, "self/1");
	strcpy(b.node, "self");
	assert_int_equal(cluster_note_beat(c, &b, 20000), 0);
	assert_nodes(21000, "n/x:on:4000 self/x:on:1000 ");
	assert_nodes(40000, "n/x:off:23000 ");
}

static void quotas_that_begin_anew_here_wait_to_be_told(void **state)
{
	uint64_t resets;
	char *account;

	(void)state;
	assert_int_equal(cluster_begin_anew(NULL, "alice"), 0);
	assert_null(cluster_next_anew(c, &resets));
	uses("b", "alice", MAY, 1000, 0);
	assert_int_equal(cluster_begin_anew(c, "alice"), 0);
	assert_int_equal(cluster_begin_anew(c, "alice"), 0);
	assert_sum("alice", MAY, 0, 0, 0);
	/* Whatever is read meanwhile was said before. */
	assert_int_equal(cluster_begin_reading(c, "e1"), 0);
	uses("b", "alice", MAY, 1000, 0);
	cluster_end_reading(c, true);
	assert_int_equal(cluster_resets(c, "alice"), 2);
	account = cluster_next_anew(c, &resets);
	assert_string_equal(account, "alice");
	assert_int_equal(resets, 2);
	cluster_told_anew(c, account, resets);
	free(account);
	assert_null(cluster_next_anew(c, &resets));
	/* What others say needs not be told. */
	assert_int_equal(cluster_note_resets(c, "bob", 3), 0);
	assert_null(cluster_next_anew(c, &resets));
}

static void how_it_goes_is_told_with_when_it_began(void **state)
{
	struct cluster_status s;

	(void)state;
	cluster_introduce(c, "a", "redis://h:1/0");
	cluster_look(c, 1000, &s);
	assert_string_equal(s.node, "a");
	assert_string_equal(s.engine, "redis://h:1/0");
	assert_false(s.is_up);
	assert_int_equal(s.since_ms, -1);
	assert_int_equal(s.lag_ms, -1);
	assert_true(cluster_note_down(c, 1000, "refused"));
	assert_false(cluster_note_down(c, 2000, "no\nanswer"));
	cluster_look(c, 3000, &s);
	assert_int_equal(s.since_ms, 2000);
	assert_string_equal(s.problem, "no\\x0aanswer");
	assert_true(cluster_note_up(c, 4000, 7));
	assert_false(cluster_note_up(c, 5000, 10));
	beat("b", "y", 1, 5000);
	cluster_look(c, 5500, &s);
	assert_true(s.is_up);
	assert_int_equal(s.since_ms, 1500);
	assert_int_equal(s.lag_ms, 500);
	assert_int_equal(s.commands, 10);
	assert_int_equal(s.failures, 2);
	assert_int_equal(s.nodes, 2);
	assert_string_equal(s.problem, "");
	cluster_look(c, 5000 + CLUSTER_SILENT_MS, &s);
	assert_int_equal(s.nodes, 1);
}

static bool make_another(void)
{
	struct cluster *other = cluster_new();

	cluster_free(other);
	return other != NULL;
}

static bool note_use_of_new_node(void)
{
	struct quota_use use = {.begun = MAY, .used = 5};

	return cluster_note_use(c, "new", "bob", &use, 0) == 0;
}

static bool note_sessions_of_new_account(void)
{
	return cluster_note_sessions(c, "b", "carol", 1) == 0;
}

static bool note_resets_of_new_account(void)
{
	return cluster_note_resets(c, "dan", 1) == 0;
}

static bool read_anew(void)
{
	bool is_begun = cluster_begin_reading(c, "e1") == 0;

	cluster_end_reading(c, false);
	return is_begun;
}

static bool list_nodes(void)
{
	size_t count;
	struct cluster_node *nodes = cluster_nodes(c, 0, &count);

	free(nodes);
	return nodes != NULL;
}

/* Whichever allocation fails. */
static void without_memory_nothing_changes(void **state)
{
	static bool (*const deeds[])(void) = {make_another, note_use_of_new_node,
		note_sessions_of_new_account, note_resets_of_new_account, read_anew, list_nodes};

	(void)state;
	beat("b", "y", 1, 1000);
	uses("b", "alice", MAY, 1000, 0);
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		int n = 1;

		for (faults_fail(n); !deeds[i](); faults_fail(++n))
			assert_sum("alice", MAY, 1000, 0, 0);
		assert_true(n > 1);
	}
	faults_fail(0);
	assert_sum("alice", MAY, 1000, 0, 0);
	assert_sum("bob", MAY, 5, 0, 0);
	assert_sum("carol", MAY, 0, 0, 1);
}

#define cluster_test(name) cmocka_unit_test_setup_teardown(name, make_it, free_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cluster_test(nothing_is_known_of_anybody_at_first),
		cluster_test(what_nodes_say_is_summed),
		cluster_test(another_period_is_no_part_of_the_sum),
		cluster_test(a_sum_ends_where_its_number_does),
		cluster_test(what_begins_anew_is_no_more_counted),
		cluster_test(what_is_read_anew_takes_the_place_when_it_is_whole),
		cluster_test(a_node_is_there_as_long_as_its_beat_goes_on),
		cluster_test(who_could_not_be_heard_is_not_silent),
		cluster_test(sessions_go_with_their_node_and_what_was_used_stays),
		cluster_test(a_node_is_listed_once_under_its_name),
		cluster_test(quotas_that_begin_anew_here_wait_to_be_told),
		cluster_test(how_it_goes_is_told_with_when_it_began),
		cluster_test(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests_name("state/cluster", tests, NULL, NULL);
}
