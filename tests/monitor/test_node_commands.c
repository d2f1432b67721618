/* node_commands: NODES, the alarm that the engine does not work, and what KILL_USER says of other
 * nodes. */
#include "desk.h"

#include "base/version.h"

static int make_desk(void **state)
{
	if (setup(state) != 0)
		return -1;
	parts_time = PARTS_TIME;
	parts.stats.started_at = PARTS_TIME;
	places_init(&parts.places, 100);
	enter_as_root();
	return 0;
}

static int free_desk(void **state)
{
	cluster_free(parts.cluster);
	parts.cluster = NULL;
	kills_free(parts.kills);
	parts.kills = NULL;
	return teardown(state);
}

static const char *ask_for(const char *command)
{
	say(command);
	return hear();
}

static void join_cluster(void)
{
	parts.cluster = cluster_new();
	assert_non_null(parts.cluster);
	cluster_introduce(parts.cluster, "a", "redis://10.0.0.1:6379/0");
}

static void who_shares_nothing_says_so(void **state)
{
	(void)state;
	assert_string_equal(ask_for("NODES\n"),
		"ERR This server shares nothing with others: the setting shared is empty\n\n");
	assert_string_equal(ask_for("ALARMS\n"), "OK\n\n");
}

static void this_node_comes_first_and_the_others_by_name(void **state)
{
	const struct cluster_beat gone = {.node = "c",
		.instance = "x",
		.version = "0.9",
		.started = PARTS_TIME,
		.sessions = 5,
		.max_sessions = 50,
		.beat = 1,
		.monitor = "-"};
	struct cluster_beat there = gone;

	(void)state;
	join_cluster();
	parts_set("shared_nodes", "10.0.0.0/8");
	strcpy(there.node, "b");
	strcpy(there.monitor, "10.0.0.2:1081");
	assert_int_equal(cluster_note_beat(parts.cluster, &gone, parts_now - CLUSTER_SILENT_MS), 0);
	assert_int_equal(cluster_note_beat(parts.cluster, &there, parts_now - 2000), 0);
	(void)cluster_note_up(parts.cluster, parts_now, 1);
	cluster_note_monitor(parts.cluster, "10.0.0.1:1081");
	assert_string_equal(ask_for("NODES\n"),
		"OK\n"
		"node:a state:here version:" SOCKS5D_VERSION
		" sessions:0 max_sessions:100 started:2025-07-15T12:40:39 lag:0 "
		"monitor:10.0.0.1:1081\n"
		"node:b state:online version:0.9 sessions:5 max_sessions:50 "
		"started:2025-07-15T12:40:39 lag:2 monitor:10.0.0.2:1081\n"
		"node:c state:offline version:0.9 sessions:5 max_sessions:50 "
		"started:2025-07-15T12:40:39 lag:14 monitor:-\n\n");
}

static void assert_told(const char *monitor, const char *told)
{
	struct cluster_beat there = {.node = "b",
		.instance = "x",
		.version = "0.9",
		.started = PARTS_TIME,
		.monitor = "-"};
	static uint64_t beat;
	char text[ADDR_TEXT_MAX + 16];

	there.beat = ++beat;
	snprintf(there.monitor, sizeof(there.monitor), "%s", monitor);
	assert_int_equal(cluster_note_beat(parts.cluster, &there, parts_now), 0);
	snprintf(text, sizeof(text), " monitor:%s\n\n", told);
	ask_for("NODES\n");
	assert_contains(heard, text);
}

/* Whoever may write to the engine is not to have a login sent to him. */
static void no_monitor_is_told_that_is_not_where_nodes_are(void **state)
{
	(void)state;
	join_cluster();
	cluster_note_monitor(parts.cluster, "203.0.113.1:1081");
	assert_told("10.0.0.2:1081", "-");
	assert_told("127.0.0.2:1081", "127.0.0.2:1081");
	assert_told("[::1]:1081", "[::1]:1081");
	assert_told("-", "-");
	parts_set("shared_nodes", "10.0.0.0/24, 2001:db8::2");
	assert_told("10.0.0.2:1081", "10.0.0.2:1081");
	assert_told("10.0.1.2:1081", "-");
	assert_told("[2001:db8::2]:1081", "[2001:db8::2]:1081");
	assert_told("[2001:db8::3]:1081", "-");
	assert_non_null(strstr(heard, "state:apart"));
	assert_non_null(strstr(heard, "monitor:203.0.113.1:1081\nnode:b"));
	parts_set("shared_nodes", "");
	assert_told("10.0.0.2:1081", "-");
}

static void names_that_are_given_twice_are_told_of(void **state)
{
	struct cluster_beat b = {.part = "a/1",
		.node = "a",
		.instance = "x",
		.version = "0.9",
		.started = PARTS_TIME,
		.monitor = "-"};

	(void)state;
	join_cluster();
	(void)cluster_note_up(parts.cluster, parts_now, 1);
	for (b.beat = 1; b.beat <= 2; b.beat++)
		assert_int_equal(cluster_note_beat(parts.cluster, &b, parts_now), 0);
	assert_non_null(strstr(ask_for("NODES\n"), "lag:0 monitor:- namesakes:1\nnode:a "));
	assert_non_null(strstr(heard, "lag:0 monitor:- namesakes:1\n\n"));
	assert_string_equal(ask_for("ALARMS\n"),
		"OK\nalarm:node_name level:warning text:1 other node calls itself a, too: give "
		"each a node_name of its own\n\n");
	cluster_note_copied(parts.cluster, true);
	assert_non_null(strstr(ask_for("ALARMS\n"),
		"alarm:state_dir level:error text:Another node has the state_dir of this one"));
}

static void an_engine_that_does_not_work_is_an_alarm(void **state)
{
	(void)state;
	join_cluster();
	assert_string_equal(ask_for("ALARMS\n"), "OK\n\n"); /* nothing was tried yet */
	(void)cluster_note_down(parts.cluster, parts_now - 7000, "Connection refused");
	assert_string_equal(ask_for("ALARMS\n"),
		"OK\nalarm:shared level:error text:redis://10.0.0.1:6379/0 does not work for 7 s: "
		"Connection refused; limits and bans of this node go on\n\n");
	assert_non_null(strstr(ask_for("NODES\n"), "node:a state:apart "));
	cluster_note_grace(parts.cluster, parts_now + 1500);
	assert_non_null(strstr(ask_for("ALARMS\n"),
		"\nalarm:shared_grace level:warning text:Users whom nodes share may log in for "
		"another 2 s, and then not until redis://10.0.0.1:6379/0 answers\n"));
	cluster_note_grace(parts.cluster, parts_now - 1);
	assert_non_null(strstr(ask_for("ALARMS\n"),
		"\nalarm:shared_grace level:error text:Users whom nodes share are refused until "
		"redis://10.0.0.1:6379/0 answers, which it has not for longer than "
		"shared_grace\n"));
	cluster_note_grace(parts.cluster, CLOCK_NEVER);
	(void)cluster_note_up(parts.cluster, parts_now, 1);
	assert_string_equal(ask_for("ALARMS\n"), "OK\n\n");
}

static void count_ring(void *context)
{
	(*(unsigned *)context)++;
}

static void whose_sessions_end_is_told_to_the_other_nodes(void **state)
{
	struct cluster_beat there = {.node = "b", .instance = "x", .version = "0.9", .beat = 1};
	unsigned rings = 0;
	struct kill k;

	(void)state;
	join_cluster();
	parts.kills = kills_new(count_ring, &rings);
	assert_string_equal(ask_for("KILL_USER alice\n"),
		"ERR alice has no session here; the other nodes are not told: the engine does not "
		"work\n\n");
	(void)cluster_note_up(parts.cluster, parts_now, 1);
	(void)kills_set_open(parts.kills, true);
	assert_string_equal(ask_for("KILL_USER alice\n"), "ERR alice has no session\n\n");
	assert_int_equal(cluster_note_beat(parts.cluster, &there, parts_now), 0);
	assert_string_equal(ask_for("KILL_USER alice\n"),
		"OK 0 sessions of alice ended here, and 1 other node told\n\n");
	assert_string_equal(ask_for("KILL_USER 192.0.2.0/24\n"),
		"OK 0 sessions of 192.0.2.0/24 ended here, and 1 other node told\n\n");
	assert_int_equal(rings, 3);
	for (int i = 0; i < 3; i++)
		assert_true(kills_take(parts.kills, &k));
	assert_string_equal(k.who, "192.0.2.0/24");
	for (int i = 0; i < KILLS_MOST; i++)
		assert_true(kills_put(parts.kills, "bob", END_KILLED));
	assert_string_equal(ask_for("KILL_USER alice\n"),
		"ERR alice has no session here; the other nodes are not told: too many wait to be "
		"told\n\n");
}

static void without_memory_it_says_so(void **state)
{
	(void)state;
	join_cluster();
	for (int n = 1; strcmp(ask_for("NODES\n"), "ERR Out of memory\n\n") != 0; n++) {
		assert_true(n < 10);
		faults_fail(n);
	}
	assert_int_equal(strncmp(ask_for("NODES\n"), "OK\nnode:a ", 10), 0);
}

#define node_test(name) cmocka_unit_test_setup_teardown(name, make_desk, free_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		node_test(who_shares_nothing_says_so),
		node_test(this_node_comes_first_and_the_others_by_name),
		node_test(no_monitor_is_told_that_is_not_where_nodes_are),
		node_test(names_that_are_given_twice_are_told_of),
		node_test(an_engine_that_does_not_work_is_an_alarm),
		node_test(whose_sessions_end_is_told_to_the_other_nodes),
		node_test(without_memory_it_says_so),
	};

	return cmocka_run_group_tests_name("monitor/node_commands", tests, NULL, NULL);
}
