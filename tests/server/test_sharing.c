/* sharing: how nodes find and miss each other, and what they make of what is none of theirs, by an
 * engine in the test's memory. */
#include "sharing_nodes.h"

/* ---- nodes ---- */

static void nodes_see_each_other_until_one_is_silent_or_stops(void **state)
{
	(void)state;
	go_on(0);
	for (size_t i = 0; i < NODES; i++)
		assert_up(i);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(status_of(0).nodes, 3);
	assert_true(status_of(0).commands > 0);
	assert_true(is_logged("joined the other nodes as n1"));
	free_node(2); /* as by kill -9 */
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(status_of(0).nodes, 3);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(status_of(0).nodes, 2);
	start_node(2, true);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(status_of(0).nodes, 3);
}

static void call_node(size_t i, const char *name)
{
	snprintf(nodes[i].sharing->node, sizeof(nodes[i].sharing->node), "%s", name);
	sharing_recall_part(nodes[i].sharing, nodes[i].sharing->keeps_part);
	cluster_introduce(nodes[i].services.cluster, name, "redis://10.0.0.1:6379/0");
}

/* Each has a part of its own, so the sum is right whatever they are called. */
static void nodes_of_one_name_count_each_for_itself_and_say_so(void **state)
{
	struct cluster_node *others;
	size_t count;

	(void)state;
	call_node(1, "n0");
	go_on(0);
	assert_string_equal(nodes[0].sharing->part, "n0");
	assert_string_not_equal(nodes[1].sharing->part, "n0");
	assert_int_equal(strncmp(nodes[1].sharing->part, "n0/", 3), 0);
	assert_int_equal(status_of(0).namesakes, 0); /* what has said so once may be long gone */
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_true(is_logged("node_name: another node calls itself n0, too"));
	assert_int_equal(status_of(0).namesakes, 1);
	assert_int_equal(status_of(1).namesakes, 1);
	assert_int_equal(status_of(2).namesakes, 0);
	assert_int_equal(status_of(2).nodes, 3);
	assert_int_equal(used_elsewhere(0, "alice"), 20);
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
	others = cluster_nodes(nodes[2].services.cluster, now_ms, &count);
	assert_int_equal(count, 2);
	assert_int_equal(others[0].namesakes, 1);
	assert_int_equal(others[1].namesakes, 1);
	free(others);
}

/* Numbers in a state_dir go on under the part that they began under. */
static void a_node_that_is_renamed_counts_once(void **state)
{
	struct services *v = &nodes[0].services;

	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	call_node(0, "renamed");
	nodes[0].sharing->is_joined = false;
	go_on(SHARING_BEAT_MS);
	assert_string_equal(nodes[0].sharing->part, "n0");
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
	assert_int_equal(status_of(1).nodes, 3);
	/* A word that is none is no part. */
	assert_int_equal(standing_put(v->standing, STANDING_SHARED, "part", "garbage"), 0);
	sharing_recall_part(nodes[0].sharing, true);
	assert_string_equal(nodes[0].sharing->part, "renamed");
}

static void a_copied_state_dir_is_told_of(void **state)
{
	(void)state;
	fake_put("p:nodes", "n0", "before 1.0 5 1 10 7");
	go_on(0);
	assert_false(status_of(0).is_copied);
	fake_put("p:nodes", "n0", "another 1.0 5 1 10 7");
	go_on(SHARING_BEAT_MS);
	assert_true(is_logged("state_dir: another node has this one's, or a copy of it"));
	assert_true(status_of(0).is_copied);
	go_on(SHARING_BEAT_MS);
	assert_false(status_of(0).is_copied);
}

/* As by kill -9: nobody but the next one takes it away. */
static void what_a_node_without_a_state_dir_leaves_behind_goes(void **state)
{
	char before[CLUSTER_NODE_MAX];
	struct cluster_node *others;
	size_t count;

	(void)state;
	free_node(2);
	start_node(2, false);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	snprintf(before, sizeof(before), "%s", nodes[2].sharing->part);
	assert_non_null(fake_get("p:nodes", before));
	free_node(2);
	start_node(2, false);
	for (int i = 0; i < 4; i++)
		go_on(SHARING_BEAT_MS);
	assert_null(fake_get("p:nodes", before));
	assert_int_equal(status_of(2).namesakes, 0);
	others = cluster_nodes(nodes[0].services.cluster, now_ms, &count);
	assert_int_equal(count, 2);
	assert_string_equal(others[1].beat.node, "n2");
	assert_true(others[1].is_online);
	assert_int_equal(others[1].namesakes, 0);
	free(others);
}

/* ---- what is left behind ---- */

static void let_pass_days(int64_t days)
{
	now_s += days * 86400;
	nodes[0].sharing->engine_sweep_due = now_ms;
	go_on(SHARING_BEAT_MS);
}

/* Until all know who is silent. */
static void let_silence_show(void)
{
	for (int i = 0; i < 5; i++)
		go_on(SHARING_BEAT_MS);
}

static void parts_of_nothing_are_swept_once_it_is_known_who_is_silent(void **state)
{
	char before[CLUSTER_NODE_MAX];

	(void)state;
	fake_put("p:parts", "gone", "");
	fake_put("p:parts", "gone/12", "");
	fake_put("p:owners", "gone", "1");
	fake_put("p:owners", "gone/12", "1");
	fake_put("p:parts", "used", "");
	fake_put("p:use:used", "alice", "1795651200 5 0 0");
	fake_put("p:parts", "later", "");
	fake_put("p:use:later", "alice", "words of a later version");
	fake_put("p:parts", "running", "");
	fake_put("p:live:running", "alice", "1");
	free_node(2);
	start_node(2, false);
	go_on(0);
	snprintf(before, sizeof(before), "%s", nodes[2].sharing->part);
	sharing_stop(nodes[2].sharing);
	free_node(2);
	start_node(2, false);
	go_on(SHARING_BEAT_MS);
	assert_non_null(fake_get("p:parts", "gone"));
	assert_non_null(fake_get("p:parts", before));
	let_silence_show();
	let_pass_days(0);
	assert_up(0);
	assert_null(fake_get("p:parts", "gone"));
	assert_null(fake_get("p:parts", "gone/12"));
	assert_null(fake_get("p:owners", "gone/12"));
	assert_non_null(fake_get("p:owners", "gone")); /* its name is anybody's */
	assert_null(fake_get("p:parts", before));
	assert_non_null(fake_get("p:parts", nodes[2].sharing->part));
	assert_non_null(fake_get("p:parts", "n0"));
	assert_non_null(fake_get("p:parts", "n1"));
	assert_non_null(fake_get("p:parts", "used"));
	assert_non_null(fake_get("p:parts", "later"));
	assert_non_null(fake_get("p:parts", "running"));
}

/* It was taken out while it started. */
static void a_part_is_there_again_with_the_next_beat(void **state)
{
	(void)state;
	go_on(0);
	fake_drop("p:parts", "n1");
	fake_drop("p:nodes", "n1");
	go_on(SHARING_BEAT_MS);
	assert_non_null(fake_get("p:parts", "n1"));
	assert_non_null(fake_get("p:nodes", "n1"));
}

static void nodes_that_are_silent_for_days_are_swept(void **state)
{
	(void)state;
	use(2, "alice", 7);
	fake_put("p:nodes", "odd", "half a line");
	fake_put("p:nodes", "endless", "x 1.0 5 1 10 9223372036854775807");
	go_on(0);
	free_node(2); /* as by kill -9 */
	let_silence_show();
	let_pass_days(2);
	assert_non_null(fake_get("p:nodes", "n2"));
	let_pass_days(2);
	assert_null(fake_get("p:nodes", "n2"));
	assert_non_null(fake_get("p:nodes", "n1"));
	assert_non_null(fake_get("p:nodes", "odd"));
	assert_non_null(fake_get("p:nodes", "endless"));
	assert_non_null(fake_get("p:parts", "n2")); /* of which something is used still */
}

static void what_was_used_by_who_has_gone_goes_when_its_period_is_over(void **state)
{
	(void)state;
	use(1, "bob", 9);
	use(2, "alice", 7);
	go_on(0);
	free_node(2);
	let_silence_show();
	let_pass_days(39);
	assert_non_null(fake_get("p:use:n2", "alice"));
	let_pass_days(2);
	assert_null(fake_get("p:use:n2", "alice"));
	assert_non_null(fake_get("p:use:n1", "bob")); /* which it takes away itself */
	assert_null(fake_get("p:parts", "n2"));
	assert_up(0);
}

static void an_engine_that_lets_nobody_sweep_is_told_of(void **state)
{
	static const char *const commands[] = {"HDEL", "SREM"};

	(void)state;
	go_on(0);
	for (size_t i = 0; i < COUNT(commands); i++) {
		let_silence_show();
		assert_up(0);
		fake_put("p:parts", "gone", "");
		fake_put("p:use:gone", "alice", "1700000000 5 0 0");
		fake_refused = commands[i];
		fake_error = "NOPERM";
		now_ms += SHARING_BEAT_MS;
		nodes[0].sharing->engine_sweep_due = now_ms;
		step(0);
		assert_false(status_of(0).is_up);
		assert_non_null(fake_get("p:parts", "gone"));
		fake_error = fake_refused = NULL;
		let_silence_show();
		let_pass_days(0);
		assert_null(fake_get("p:parts", "gone"));
	}
}

static void hear_monitor_at(const char *listens, const char *here)
{
	struct config *c = config_get(nodes[0].services.config);
	bool has_port;

	memset(&fake_here, 0, sizeof(fake_here));
	memset(&c->monitor_at, 0, sizeof(c->monitor_at));
	addr_parse(here, strlen(here), &fake_here);
	addr_parse_port(listens, strlen(listens), &c->monitor_at, &has_port);
	config_release(c);
	go_on(SHARING_BEAT_MS);
}

static void a_node_says_where_its_monitor_is(void **state)
{
	static const char *const rows[][3] = {
		/* where it listens, by which address it reaches the engine, what is told */
		{"", "10.0.0.2", "-"},
		{"127.0.0.1:1081", "10.0.0.2", "127.0.0.1:1081"},
		{"192.0.2.1:1081", "10.0.0.2", "192.0.2.1:1081"},
		{"0.0.0.0:1081", "10.0.0.2", "10.0.0.2:1081"},
		{"0.0.0.0:1081", "2001:db8::2", "127.0.0.1:1081"},
		{"[::]:1081", "2001:db8::2", "[2001:db8::2]:1081"},
		{"[::]:1081", "10.0.0.2", "10.0.0.2:1081"},
		{"0.0.0.0:1081", "", "127.0.0.1:1081"},
	};
	struct cluster_node *others;
	size_t count;

	(void)state;
	go_on(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hear_monitor_at(rows[i][0], rows[i][1]);
		assert_string_equal(status_of(0).monitor, rows[i][2]);
		others = cluster_nodes(nodes[1].services.cluster, now_ms, &count);
		assert_string_equal(others[0].beat.monitor, rows[i][2]);
		free(others);
	}
}

/* ---- a node that is killed ---- */

/* Half a second behind its silence all know, whenever they tell their own beats. */
static void a_killed_node_is_missed_by_its_last_beat(void **state)
{
	(void)state;
	fake_tells_beats = true;
	step(0);
	now_ms += 4000;
	step(1);
	now_ms += SHARING_PERIOD_MS;
	step(0);
	assert_int_equal(status_of(0).nodes, 2);
	for (int64_t ms = 0; ms < CLUSTER_SILENT_MS; ms += SHARING_PERIOD_MS) {
		nodes[0].sharing->beat_due = CLOCK_NEVER; /* and its own is far away */
		now_ms += SHARING_PERIOD_MS;
		step(0);
	}
	fake_tells_beats = false;
	assert_int_equal(status_of(0).nodes, 1);
	assert_false(cluster_note_silence(nodes[0].services.cluster, now_ms));
}

/* ---- what is none of ours ---- */

static void what_cannot_be_read_is_passed_over(void **state)
{
	static const char *const events[][11] = {
		{"i", "x", "k", "use", "n", "b", "a", "alice", "v", "1 2"},
		{"i", "x", "k", "use", "n", "b", "a", "alice", "v", "a b c d"},
		{"i", "x", "k", "live", "n", "b", "a", "alice", "v", "-1"},
		{"i", "x", "k", "ban", "n", "b", "a", "nobody", "v", "0 0 command"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "soon"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "0 1 failures 2 1 300000 0"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "0 1 whim"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "0 1"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "1 1 command"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v",
			"0 9223372036854775807 command"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v", "0 -1 command"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v",
			"1895694400 1 failures 2 1 -3 0"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.1", "v",
			"1895694400 1 failures 2 1 300000"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.2", "v",
			"lifted 9223372036854775807"},
		{"i", "x", "k", "ban", "n", "b", "a", "10.0.0.2", "v",
			"lifted -9223372036854775807"},
		{"i", "x", "k", "later", "n", "b", "a", "alice", "v", "1"},
		{"i", "x", "k", "reset", "n", "b", "a", "alice", "v", "many"},
		{"i", "x", "k", "kill", "n", "b", "a", "", "v", "killed"},
		{"i", "x", "k", "kill", "n", "b", "a", "alice", "v", "later"},
		{NULL},
	};

	(void)state;
	go_on(0);
	fake_put("p:nodes", "other", "half a line");
	ban(0, "10.0.0.2", 60000);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		fake_add_event(events[i]);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_int_equal(used_elsewhere(0, "alice"), 0);
	assert_false(is_banned(0, "10.0.0.1"));
	assert_true(is_banned(0, "10.0.0.2"));
	assert_int_equal(status_of(0).nodes, 3);
}

/* To read what many nodes have told may take long. */
static void who_is_to_stop_reads_no_more(void **state)
{
	(void)state;
	go_on(0);
	nodes[1].sharing->stopping = true;
	go_on(SHARING_PERIOD_MS);
	nodes[1].sharing->is_joined = false;
	go_on(SHARING_PERIOD_MS);
	assert_false(nodes[1].sharing->is_joined);
	assert_false(is_logged("does not work"));
}

static void an_engine_that_refuses_to_write_is_told_of(void **state)
{
	(void)state;
	go_on(0);
	fake_error = "MISCONF the disk is full";
	go_on(SHARING_BEAT_MS);
	assert_false(status_of(0).is_up);
	assert_string_equal(status_of(0).problem, "MISCONF the disk is full");
	fake_error = NULL;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
}

static void an_engine_that_refuses_to_be_read_is_told_of(void **state)
{
	static const char *const commands[] = {"XREAD", "TIME", "GET"};

	(void)state;
	fake_error = "NOPERM no permissions";
	for (size_t i = 0; i < COUNT(commands); i++) {
		go_on(SHARING_BEAT_MS);
		fake_refused = commands[i];
		go_on(SHARING_BEAT_MS);
		assert_false(status_of(0).is_up);
		assert_string_equal(status_of(0).problem, "NOPERM no permissions");
		fake_refused = "none";
		go_on(SHARING_BEAT_MS);
		go_on(SHARING_BEAT_MS);
		assert_up(0);
	}
	fake_refused = "HSCAN";
	go_apart();
	go_on(SHARING_BEAT_MS);
	assert_string_equal(status_of(0).problem, "NOPERM no permissions");
	fake_error = fake_refused = NULL;
}

/* Nor is what it cannot say taken for another owner's. */
static void who_cannot_ask_whose_its_part_is_keeps_it(void **state)
{
	(void)state;
	go_on(0);
	restart_node(0);
	fake_error = "NOPERM no permissions";
	fake_refused = "HGET";
	go_on(SHARING_BEAT_MS);
	assert_string_equal(status_of(0).problem, "NOPERM no permissions");
	assert_string_equal(nodes[0].sharing->part, "n0");
	fake_error = fake_refused = NULL;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
}

static void an_answer_that_is_none_is_told_of(void **state)
{
	static const struct {
		const char *command, *problem;
	} rows[] = {
		{"XREAD", "an answer that is none"},
		{"TIME", "it has no clock"},
		{"GET", "the engine forgets what it is told"},
		{"HSCAN", "an answer that is none"},
		{"HGET", "an answer that is none"},
		{"SMEMBERS", "an answer that is none"},
	};

	(void)state;
	fake_error = FAKE_NONSENSE;
	for (size_t i = 0; i < COUNT(rows); i++) {
		fake_refused = "none";
		go_on(SHARING_BEAT_MS);
		go_on(SHARING_BEAT_MS);
		assert_up(0);
		go_apart();
		fake_refused = rows[i].command;
		go_on(SHARING_BEAT_MS);
		assert_false(status_of(0).is_up);
		assert_string_equal(status_of(0).problem, rows[i].problem);
	}
	fake_error = fake_refused = NULL;
}

static void what_is_missing_is_said_by_its_setting(void **state)
{
	char error[SHARING_ERROR_MAX];
	struct services v = {.ledger = NULL};
	struct settings settings = {.shared = {.host = "10.0.0.1"},
		.shared_password_file = (char[]){"missing"},
		.shared_prefix = (char[]){"p"},
		.state_dir = (char[]){""},
		.node_name = (char[]){"a"}};
	const struct sharing_bell bell = {.ring = count_ring};

	(void)state;
	assert_null(sharing_new(&settings, &v, &bell, error));
	assert_string_equal(
		error, "shared_password_file: missing cannot be read: No such file or directory");
	assert_int_equal(sharing_check(&settings, error), -1);
	assert_string_equal(
		error, "shared_password_file: missing cannot be read: No such file or directory");
	settings.shared_password_file[0] = '\0';
	assert_int_equal(sharing_check(&settings, error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sharing_test(nodes_see_each_other_until_one_is_silent_or_stops),
		sharing_test(nodes_of_one_name_count_each_for_itself_and_say_so),
		sharing_test(a_node_that_is_renamed_counts_once),
		sharing_test(a_copied_state_dir_is_told_of),
		sharing_test(what_a_node_without_a_state_dir_leaves_behind_goes),
		sharing_test(parts_of_nothing_are_swept_once_it_is_known_who_is_silent),
		sharing_test(a_part_is_there_again_with_the_next_beat),
		sharing_test(nodes_that_are_silent_for_days_are_swept),
		sharing_test(what_was_used_by_who_has_gone_goes_when_its_period_is_over),
		sharing_test(an_engine_that_lets_nobody_sweep_is_told_of),
		sharing_test(a_node_says_where_its_monitor_is),
		sharing_test(a_killed_node_is_missed_by_its_last_beat),
		sharing_test(what_cannot_be_read_is_passed_over),
		sharing_test(who_is_to_stop_reads_no_more),
		sharing_test(an_engine_that_refuses_to_write_is_told_of),
		sharing_test(an_engine_that_refuses_to_be_read_is_told_of),
		sharing_test(who_cannot_ask_whose_its_part_is_keeps_it),
		sharing_test(an_answer_that_is_none_is_told_of),
		sharing_test(what_is_missing_is_said_by_its_setting),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests_name("server/sharing", tests, NULL, NULL);
}
