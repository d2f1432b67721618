/* sharing: what was used and what runs on other nodes, by an engine in the test's memory. */
#include "sharing_nodes.h"

/* ---- what is used ---- */

static void what_is_used_is_summed_on_all_nodes(void **state)
{
	(void)state;
	go_on(0);
	use(0, "alice", 1000);
	use(1, "alice", 20);
	use(1, "10.0.0.7", 3);
	nodes[2].rings = 0;
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(0, "alice"), 20);
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
	assert_int_equal(used_elsewhere(2, "10.0.0.7"), 3);
	assert_true(nodes[2].rings > 0);
	use(0, "alice", 1500);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1520);
}

static const char *numbered(size_t n, char out[16])
{
	snprintf(out, 16, "u%zu", n);
	return out;
}

static void many_accounts_go_by_few_commands(void **state)
{
	enum { MANY = 250 };
	char name[16];
	size_t before;

	(void)state;
	go_on(0);
	for (size_t i = 0; i < MANY; i++)
		use(0, numbered(i, name), i + 1);
	now_ms += SHARING_BEAT_MS;
	before = fake_writes;
	sharing_step(nodes[0].sharing);
	/* a hash and an event for a hundred, and the four of each beat with the epoch's */
	assert_int_equal(fake_writes - before, 2 * 3 + 5);
	go_on(0);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(used_elsewhere(1, numbered(i, name)), i + 1);
	for (size_t i = 0; i < MANY; i++)
		kept_use_drop(nodes[0].services.standing, numbered(i, name));
	go_on(SHARING_BEAT_MS);
	assert_null(fake_get("p:use:n0", "u0"));
	assert_int_equal(used_elsewhere(1, numbered(MANY - 1, name)), 0);
}

/* Names as long as they come. */
static void long_names_are_told(void **state)
{
	char name[256];

	(void)state;
	go_on(0);
	for (size_t i = 0; i < 100; i++) {
		memset(name, 'x', 255);
		name[255] = '\0';
		name[0] = (char)('A' + i % 26);
		name[1] = (char)('A' + i / 26);
		use(0, name, 7);
	}
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(1, name), 7);
	name[0] = 'A';
	assert_int_equal(used_elsewhere(1, name), 7);
}

static bool stands_in_an_event(const char *text)
{
	for (size_t i = 0; i < fake_event_count; i++) {
		for (size_t k = 0; k < 10 && fake_events[i].words[k] != NULL; k++) {
			if (strstr(fake_events[i].words[k], text) != NULL)
				return true;
		}
	}
	return false;
}

static void fill_with(char *out, size_t len, char with)
{
	memset(out, with, len);
	out[len] = '\0';
}

/* Whoever can write to the engine can write fields as long as he likes. */
static void names_that_can_be_nobodys_are_taken_away_and_not_told(void **state)
{
	static const size_t lengths[] = {256, 5000, 16384, 17000, 1000000};
	static const char *const hashes[] = {"p:use:n0", "p:live:n0"};
	static char name[1000001], value[1000001];

	(void)state;
	fill_with(value, sizeof(value) - 1, '7');
	for (size_t h = 0; h < COUNT(hashes); h++) {
		for (size_t i = 0; i < COUNT(lengths); i++) {
			fill_with(name, lengths[i], 'x');
			fake_put(hashes[h], name, "1");
		}
		fake_put(hashes[h], "", "1");
		fake_put(hashes[h], "alice", value);
	}
	go_on(0);
	assert_up(0);
	for (size_t h = 0; h < COUNT(hashes); h++) {
		for (size_t i = 0; i < COUNT(lengths); i++) {
			fill_with(name, lengths[i], 'x');
			assert_null(fake_get(hashes[h], name));
		}
		assert_null(fake_get(hashes[h], ""));
		assert_null(fake_get(hashes[h], "alice"));
	}
	assert_false(stands_in_an_event("xxxx"));
	assert_int_equal(told_count(nodes[0].sharing->uses), 0);
	assert_int_equal(told_count(nodes[0].sharing->running), 0);
}

static void a_batch_has_no_room_for_them(void **state)
{
	static char name[17001], error[SHARING_ERROR_MAX];
	struct sharing *s = nodes[0].sharing;

	(void)state;
	go_on(0);
	fill_with(name, sizeof(name) - 1, 'x');
	sharing_batch_begin(s, "HSET", "use", "p:use:n0");
	assert_int_equal(sharing_batch_add(s, name, "1", error), 0);
	assert_int_equal(sharing_batch_add(s, "alice", name, error), 0);
	assert_int_equal(sharing_batch_add(s, "bob", "1", error), 0);
	assert_int_equal(sharing_batch_end(s, error), 0);
	assert_int_equal(sharing_settle(s, error), 0);
	assert_null(fake_get("p:use:n0", name));
	assert_null(fake_get("p:use:n0", "alice"));
	assert_string_equal(fake_get("p:use:n0", "bob"), "1");
}

/* Nor do they grow what is known of other nodes. */
static void names_that_can_be_nobodys_are_passed_over(void **state)
{
	static char name[257], part[CLUSTER_NODE_MAX + 1];

	(void)state;
	fill_with(name, 256, 'x');
	fill_with(part, CLUSTER_NODE_MAX, 'p');
	fake_put("p:parts", "other", "");
	fake_put("p:parts", part, "");
	fake_put("p:use:other", name, "1795651200 5 0 0");
	fake_put("p:live:other", name, "3");
	fake_put("p:resets", name, "2");
	go_on(0);
	fake_add_event((const char *const[]){
		"i", "x", "k", "use", "n", "other", "a", name, "v", "1795651200 5 0 2", NULL});
	fake_add_event((const char *const[]){
		"i", "x", "k", "reset", "n", "other", "a", name, "v", "3", NULL});
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_int_equal(cluster_resets(nodes[0].services.cluster, name), 0);
	assert_int_equal(used_elsewhere(0, name), 0);
	assert_false(cluster_knows(nodes[0].services.cluster, "other", name));
	assert_false(standing_read(nodes[0].services.standing, STANDING_SHARED,
		"node ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp", NULL,
		NULL));
}

static void what_has_stayed_is_not_told_when_the_engine_is_back(void **state)
{
	size_t events;

	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	fake_is_down = true;
	go_on(SHARING_BEAT_MS);
	fake_is_down = false;
	events = fake_event_count;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_int_equal(fake_event_count, events);
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
}

/* As by kill -9, in the middle of a session. */
static void a_quota_that_began_anew_stays_so_when_the_engine_is_back(void **state)
{
	(void)state;
	go_on(0);
	assert_int_equal(cluster_begin_anew(nodes[0].services.cluster, "alice"), 0);
	go_on(SHARING_BEAT_MS);
	use(1, "alice", 7);
	go_on(SHARING_BEAT_MS);
	fake_is_down = true;
	go_on(SHARING_BEAT_MS);
	fake_is_down = false;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	for (size_t i = 0; i < NODES; i++)
		assert_int_equal(cluster_resets(nodes[i].services.cluster, "alice"), 1);
	assert_string_equal(fake_get("p:use:n1", "alice"), "1795651200 7 0 1");
	assert_int_equal(used_elsewhere(0, "alice"), 7);
}

static void what_stands_no_more_is_taken_away_by_the_next_process(void **state)
{
	(void)state;
	fake_put("p:parts", "n0", "");
	fake_put("p:use:n0", "alice", "1795651200 5 0 0");
	fake_put("p:live:n0", "bob", "2");
	sharing_step(nodes[1].sharing);
	assert_int_equal(used_elsewhere(1, "alice"), 5);
	go_on(0);
	assert_null(fake_get("p:use:n0", "alice"));
	assert_null(fake_get("p:live:n0", "bob"));
	assert_int_equal(used_elsewhere(1, "alice"), 0);
	assert_int_equal(cluster_sum(nodes[1].services.cluster, "bob", 0).sessions, 0);
}

/* More than the engine keeps, while a node did not look. */
static void events_that_were_missed_are_made_up_for(void **state)
{
	(void)state;
	go_on(0);
	for (uint64_t i = 1; i <= 300; i++) {
		use(0, "alice", i);
		now_ms += SHARING_BEAT_MS;
		sharing_step(nodes[0].sharing);
		nodes[1].sharing->heard = nodes[2].sharing->heard = now_ms;
	}
	use(0, "bob", 9);
	fake_put("p:use:n0", "bob", "1795651200 9 0 0"); /* which no event says any more */
	fake_trimmed = 50;
	sharing_step(nodes[1].sharing);
	assert_up(1);
	assert_int_equal(used_elsewhere(1, "bob"), 9);
	assert_int_equal(used_elsewhere(1, "alice"), 300);
	sharing_step(nodes[1].sharing);
	assert_int_equal(used_elsewhere(1, "alice"), 300);
}

static void many_events_are_read_where_none_is_missed(void **state)
{
	(void)state;
	use(0, "carol", 1);
	sharing_step(nodes[0].sharing);
	go_on(0);
	for (uint64_t i = 1; i <= 450; i++) {
		use(0, "alice", i);
		now_ms += SHARING_BEAT_MS;
		sharing_step(nodes[0].sharing);
		nodes[1].sharing->heard = now_ms;
	}
	fake_put("p:use:n0", "bob", "1795651200 9 0 0");
	sharing_step(nodes[1].sharing);
	assert_int_equal(used_elsewhere(1, "alice"), 450);
	assert_int_equal(used_elsewhere(1, "bob"), 0);
}

static void what_has_not_changed_is_not_told_again(void **state)
{
	size_t events;

	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	events = fake_event_count;
	go_on(SHARING_BEAT_MS);
	assert_int_equal(fake_event_count, events);
}

/* What was used before an outage, in it, and behind it: the sum is right to the byte, whatever the
 * engine has kept. */
static void after_an_outage_the_sums_are_right(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	fake_is_down = true;
	go_on(SHARING_BEAT_MS);
	assert_false(status_of(0).is_up);
	assert_true(is_logged("redis://10.0.0.1:6379/0 does not work"));
	use(0, "alice", 1001);
	assert_int_equal(used_elsewhere(1, "alice"), 1000); /* what is known serves */
	fake_empty();
	fake_is_down = false;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_int_equal(used_elsewhere(0, "alice"), 20);
	assert_int_equal(used_elsewhere(1, "alice"), 1001);
	assert_int_equal(used_elsewhere(2, "alice"), 1021);
}

/* With the connection as it was. */
static void an_engine_that_was_emptied_is_told_everything_again(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	fake_empty();
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_string_equal(fake_get("p:use:n0", "alice"), "1795651200 1000 0 0");
	assert_int_equal(used_elsewhere(1, "alice"), 1000);
}

/* Another instance counts from nothing, and what the last one has told stays used. */
static void a_node_that_keeps_nothing_is_another_part_of_the_sum(void **state)
{
	(void)state;
	free_node(2);
	start_node(2, false);
	use(2, "alice", 500);
	go_on(0);
	assert_int_equal(used_elsewhere(0, "alice"), 500);
	free_node(2);
	start_node(2, false);
	use(2, "alice", 30);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(0, "alice"), 530);
	assert_int_equal(used_elsewhere(2, "alice"), 500);
}

static void a_quota_that_begins_anew_does_so_everywhere(void **state)
{
	struct quota_use left;

	(void)state;
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(cluster_begin_anew(nodes[1].services.cluster, "alice"), 0);
	kept_use_drop(nodes[1].services.standing, "alice");
	go_on(SHARING_PERIOD_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 0);
	assert_false(kept_use_get(nodes[0].services.standing, "alice", &left));
	use(0, "alice", 7);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(1, "alice"), 7);
	/* Who comes later hears of it, too. */
	free_node(2);
	start_node(2, true);
	use(2, "alice", 100);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 7);
	assert_int_equal(cluster_resets(nodes[2].services.cluster, "alice"), 1);
}

static void a_node_that_starts_while_the_engine_is_away_knows_what_was_used(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	fake_is_down = true;
	restart_node(2);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
}

/* What a node has used since is no part of what was used before. */
static void a_quota_that_has_begun_anew_does_not_do_so_at_the_next_start(void **state)
{
	(void)state;
	go_on(0);
	assert_int_equal(cluster_begin_anew(nodes[1].services.cluster, "alice"), 0);
	go_on(SHARING_PERIOD_MS);
	use(0, "alice", 1000);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1000);
	restart_node(0);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1000);
	assert_string_equal(fake_get("p:use:n0", "alice"), "1795651200 1000 0 1");
}

/* One node alone joins anew, and the others have not. */
static void who_joins_anew_knows_how_often_a_quota_has_begun_anew(void **state)
{
	(void)state;
	go_on(0);
	assert_int_equal(cluster_begin_anew(nodes[1].services.cluster, "alice"), 0);
	go_on(SHARING_PERIOD_MS);
	use(0, "alice", 1000);
	go_on(SHARING_BEAT_MS);
	nodes[0].sharing->is_joined = false;
	go_on(SHARING_BEAT_MS);
	use(0, "alice", 1001);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1001);
}

/* While a node is away. */
static void what_an_emptied_engine_is_not_told_again_stays_known(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	free_node(0);
	fake_empty();
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(2);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
	restart_node(2);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(2, "alice"), 1020);
}

/* Of which only events were heard: it has joined since all was read. */
static void so_does_what_a_node_has_told_that_came_later(void **state)
{
	(void)state;
	step(0);
	step(1);
	use(2, "alice", 5000);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_elsewhere(0, "alice"), 5000);
	free_node(2);
	fake_empty();
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_int_equal(used_elsewhere(0, "alice"), 5000);
	restart_node(0);
	fake_empty();
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_int_equal(used_elsewhere(0, "alice"), 5000);
}

static void what_is_kept_is_looked_through_once_a_day(void **state)
{
	(void)state;
	use(0, "alice", 1000);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	assert_true(standing_read(
		nodes[2].services.standing, STANDING_ELSEWHERE, "n0 alice", NULL, NULL));
	now_s += 40 * 86400;
	go_on(SHARING_BEAT_MS);
	assert_true(standing_read(
		nodes[2].services.standing, STANDING_ELSEWHERE, "n0 alice", NULL, NULL));
	for (int ms = 0; ms <= 24 * 60 * 60 * 1000; ms += 4000)
		go_on(4000);
	assert_false(standing_read(
		nodes[2].services.standing, STANDING_ELSEWHERE, "n0 alice", NULL, NULL));
}

static void begin_anew(size_t node, const char *account)
{
	assert_int_equal(cluster_begin_anew(nodes[node].services.cluster, account), 0);
	kept_use_drop(nodes[node].services.standing, account);
	go_on(SHARING_PERIOD_MS);
}

static void assert_used_on_each(const char *account, uint64_t used)
{
	struct quota_use own;

	for (size_t i = 0; i < NODES; i++) {
		if (!kept_use_get(nodes[i].services.standing, account, &own))
			own.used = 0;
		assert_int_equal(own.used + used_elsewhere(i, account), used);
	}
}

/* However often the nodes lose their engine and find it again. */
static void a_quota_begins_anew_only_once(void **state)
{
	(void)state;
	go_on(0);
	begin_anew(2, "alice");
	use(0, "alice", 1000);
	use(1, "alice", 20);
	go_on(SHARING_BEAT_MS);
	for (size_t i = 0; i < 3; i++) {
		go_apart();
		go_on(SHARING_BEAT_MS);
		assert_used_on_each("alice", 1020);
		assert_int_equal(cluster_resets(nodes[0].services.cluster, "alice"), 1);
	}
}

/* One that was away meanwhile hears of the next time all the same. */
static void an_emptied_engine_hears_how_often_quotas_began_anew(void **state)
{
	struct sharing *away = nodes[2].sharing;

	(void)state;
	go_on(0);
	begin_anew(1, "alice");
	use(0, "alice", 1000);
	use(2, "alice", 500);
	go_on(SHARING_BEAT_MS);
	nodes[2].sharing = NULL;
	fake_empty();
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_string_equal(fake_get("p:resets", "alice"), "1");
	begin_anew(1, "alice");
	nodes[2].sharing = away;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_used_on_each("alice", 0);
}

static uint64_t used_here(size_t node, const char *account)
{
	struct quota_use own = {.used = 0};

	return kept_use_get(nodes[node].services.standing, account, &own) ? own.used : 0;
}

/* Long ago, as all but the last node have heard. */
static void begin_anew_before_the_last_node_is_there(void)
{
	free_node(2);
	go_on(0);
	begin_anew(0, "alice");
	use(0, "alice", 1000);
	go_on(SHARING_BEAT_MS);
}

static void a_node_that_is_new_keeps_what_was_used_on_it(bool keeps)
{
	begin_anew_before_the_last_node_is_there();
	start_node(2, keeps);
	use(2, "alice", 500);
	go_apart();
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(2);
	assert_int_equal(cluster_resets(nodes[2].services.cluster, "alice"), 1);
	assert_used_on_each("alice", 1500);
	begin_anew(0, "alice"); /* and from then on hears of it as all do */
	go_on(SHARING_BEAT_MS);
	assert_used_on_each("alice", 0);
}

static void an_old_reset_is_none_of_a_node_that_keeps_nothing(void **state)
{
	(void)state;
	a_node_that_is_new_keeps_what_was_used_on_it(false);
}

static void nor_of_one_that_was_alone(void **state)
{
	(void)state;
	a_node_that_is_new_keeps_what_was_used_on_it(true);
}

/* It has joined once it has read all. */
static void nor_of_one_that_was_ended_as_it_joined(void **state)
{
	(void)state;
	begin_anew_before_the_last_node_is_there();
	start_node(2, true);
	use(2, "alice", 500);
	fake_error = "NOPERM no permissions";
	fake_refused = "SMEMBERS";
	step(2);
	assert_false(status_of(2).is_up);
	assert_non_null(fake_get("p:owners", "n2"));
	restart_node(2);
	fake_error = fake_refused = NULL;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_used_on_each("alice", 1500);
}

static void a_node_that_comes_back_hears_of_resets_since(void **state)
{
	struct sharing *away = nodes[2].sharing;

	(void)state;
	use(2, "alice", 500);
	go_on(0);
	go_on(SHARING_BEAT_MS);
	nodes[2].sharing = NULL;
	begin_anew(0, "alice");
	nodes[2].sharing = away;
	restart_node(2);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(used_here(2, "alice"), 0);
}

/* By a command there, before it has joined. */
static void a_reset_on_a_node_that_is_new_is_one_more(void **state)
{
	(void)state;
	begin_anew_before_the_last_node_is_there();
	start_node(2, true);
	fake_is_down = true;
	begin_anew(2, "alice");
	fake_is_down = false;
	use(2, "alice", 500);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	for (size_t i = 0; i < NODES; i++)
		assert_int_equal(cluster_resets(nodes[i].services.cluster, "alice"), 2);
	assert_string_equal(fake_get("p:resets", "alice"), "2");
	assert_used_on_each("alice", 500);
	restart_node(2);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_used_on_each("alice", 500);
}

/* ---- sessions ---- */

static struct ledger_entry *hold_alice_to(size_t node, const char *limits)
{
	struct ledger_entry *alice = ledger_add_user(nodes[node].services.ledger, "alice", 5);
	struct limits_in_force f = {.is_kept_out = false};
	char why[LIMITS_ERROR_MAX];

	assert_non_null(alice);
	assert_true(limits_parse(limits, LIMITS_OF_USER, &f.limits, why));
	assert_int_equal(ledger_limit_user(alice, &f), 0);
	return alice;
}

static void bound_together(void)
{
	struct ledger_entry *here = hold_alice_to(0, "sessions=3");
	struct ledger_entry *there = hold_alice_to(1, "sessions=3");
	size_t count;

	go_on(0);
	assert_int_equal(ledger_admit(NULL, here), END_REASONS);
	assert_int_equal(ledger_admit(NULL, here), END_REASONS);
	go_on(SHARING_BEAT_MS);
	free(ledger_look_at_limits(nodes[1].services.ledger, now_s, &count));
	assert_int_equal(ledger_admit(NULL, there), END_REASONS);
	assert_int_equal(ledger_admit(NULL, there), END_TOO_MANY_SESSIONS);
	ledger_dismiss(NULL, here);
	ledger_dismiss(NULL, here);
	go_on(SHARING_BEAT_MS);
	free(ledger_look_at_limits(nodes[1].services.ledger, now_s, &count));
	assert_int_equal(ledger_admit(NULL, there), END_REASONS);
	assert_int_equal(ledger_admit(NULL, there), END_REASONS);
	assert_int_equal(ledger_admit(NULL, there), END_TOO_MANY_SESSIONS);
	for (int i = 0; i < 3; i++)
		ledger_dismiss(NULL, there);
	ledger_retire_user(here);
	ledger_retire_user(there);
}

static void sessions_of_all_nodes_are_bounded_together(void **state)
{
	(void)state;
	bound_together();
}

static void they_are_also_where_nothing_is_kept(void **state)
{
	(void)state;
	free_node(0);
	start_node(0, false);
	bound_together();
}

/* Killed and started again it has the name that it had, and what ran there runs no more. */
static void what_ran_before_a_start_is_taken_back(void **state)
{
	(void)state;
	fake_put("p:live:n0", "alice", "7");
	go_on(0);
	assert_null(fake_get("p:live:n0", "alice"));
	assert_int_equal(cluster_sum(nodes[1].services.cluster, "alice", MIDNIGHT).sessions, 0);
}

static uint32_t sessions_elsewhere(size_t node, const char *account)
{
	return cluster_sum(nodes[node].services.cluster, account, MIDNIGHT).sessions;
}

/* Its sessions begin before the engine can hear of it. */
static struct ledger_entry *start_again_with_two_sessions(size_t node)
{
	struct ledger_entry *alice;

	fake_is_down = true;
	restart_node(node);
	alice = hold_alice_to(node, "sessions=3");
	assert_int_equal(ledger_admit(NULL, alice), END_REASONS);
	assert_int_equal(ledger_admit(NULL, alice), END_REASONS);
	go_on(SHARING_PERIOD_MS);
	fake_is_down = false;
	return alice;
}

static void end_two_sessions(struct ledger_entry *alice)
{
	ledger_dismiss(NULL, alice);
	ledger_dismiss(NULL, alice);
	ledger_retire_user(alice);
}

/* Killed before what it had told was on its disk. */
static void what_was_told_before_a_kill_stays_used(void **state)
{
	struct ledger_entry *alice;

	(void)state;
	go_on(0);
	use(0, "alice", 10000);
	use(0, "bob", 700);
	go_on(SHARING_BEAT_MS);
	use(0, "alice", 8000);
	use(0, "bob", 600);
	restart_node(0);
	use(0, "bob", 650);
	alice = hold_alice_to(0, "quota=9kB/day");
	assert_int_equal(ledger_admit(NULL, alice), END_REASONS);
	ledger_dismiss(NULL, alice);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_int_equal(ledger_admit(NULL, alice), END_QUOTA_REACHED);
	assert_used_on_each("alice", 10000);
	assert_used_on_each("bob", 700);
	ledger_retire_user(alice);
}

/* Of a period before this one, or before a reset. */
static void what_was_told_of_another_use_does_not(void **state)
{
	(void)state;
	go_on(0);
	restart_node(0);
	use(0, "alice", 9000);
	use(0, "bob", 600);
	fake_put("p:use:n0", "alice", "1795564800 10000 0 0");
	fake_put("p:use:n0", "bob", "1795651200 700 0 1");
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_used_on_each("alice", 9000);
	assert_used_on_each("bob", 600);
}

static void what_runs_on_a_node_that_comes_again_counts(void **state)
{
	struct ledger_entry *alice;

	(void)state;
	fake_tells_beats = true;
	go_on(0);
	go_on(SHARING_BEAT_MS);
	alice = start_again_with_two_sessions(1);
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	fake_tells_beats = false;
	assert_up(1);
	assert_int_equal(sessions_elsewhere(0, "alice"), 2);
	assert_int_equal(sessions_elsewhere(2, "alice"), 2);
	end_two_sessions(alice);
}

/* Who reads that anew, and has known the node's last process. */
static void it_does_where_all_is_read(void **state)
{
	struct ledger_entry *alice;

	(void)state;
	fake_tells_beats = true;
	go_on(0);
	go_on(SHARING_BEAT_MS);
	alice = start_again_with_two_sessions(1);
	now_ms += SHARING_BEAT_MS;
	step(1);
	assert_up(1);
	nodes[0].sharing->is_joined = false;
	step(0);
	assert_up(0);
	assert_int_equal(sessions_elsewhere(0, "alice"), 2);
	now_ms += SHARING_BEAT_MS;
	step(0);
	fake_tells_beats = false;
	assert_int_equal(sessions_elsewhere(0, "alice"), 2);
	end_two_sessions(alice);
}

/* What was on its way as the engine failed was perhaps not heard. */
static void what_has_ended_is_told_until_that_has_arrived(void **state)
{
	struct ledger_entry *alice = hold_alice_to(0, "sessions=3");

	(void)state;
	go_on(0);
	assert_int_equal(ledger_admit(NULL, alice), END_REASONS);
	go_on(SHARING_BEAT_MS);
	assert_string_equal(fake_get("p:live:n0", "alice"), "1");
	assert_int_equal(cluster_sum(nodes[1].services.cluster, "alice", MIDNIGHT).sessions, 1);
	ledger_dismiss(NULL, alice);
	fake_error = "MISCONF the disk is full";
	fake_refused = "HDEL";
	go_on(SHARING_BEAT_MS);
	assert_false(status_of(0).is_up);
	fake_error = fake_refused = NULL;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_null(fake_get("p:live:n0", "alice"));
	assert_int_equal(cluster_sum(nodes[1].services.cluster, "alice", MIDNIGHT).sessions, 0);
	ledger_retire_user(alice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sharing_test(what_is_used_is_summed_on_all_nodes),
		sharing_test(many_accounts_go_by_few_commands),
		sharing_test(long_names_are_told),
		sharing_test(names_that_can_be_nobodys_are_taken_away_and_not_told),
		sharing_test(a_batch_has_no_room_for_them),
		sharing_test(names_that_can_be_nobodys_are_passed_over),
		sharing_test(what_has_stayed_is_not_told_when_the_engine_is_back),
		sharing_test(a_quota_that_began_anew_stays_so_when_the_engine_is_back),
		sharing_test(what_stands_no_more_is_taken_away_by_the_next_process),
		sharing_test(events_that_were_missed_are_made_up_for),
		sharing_test(many_events_are_read_where_none_is_missed),
		sharing_test(what_has_not_changed_is_not_told_again),
		sharing_test(after_an_outage_the_sums_are_right),
		sharing_test(an_engine_that_was_emptied_is_told_everything_again),
		sharing_test(a_node_that_keeps_nothing_is_another_part_of_the_sum),
		sharing_test(a_quota_that_begins_anew_does_so_everywhere),
		sharing_test(a_node_that_starts_while_the_engine_is_away_knows_what_was_used),
		sharing_test(a_quota_that_has_begun_anew_does_not_do_so_at_the_next_start),
		sharing_test(who_joins_anew_knows_how_often_a_quota_has_begun_anew),
		sharing_test(what_an_emptied_engine_is_not_told_again_stays_known),
		sharing_test(so_does_what_a_node_has_told_that_came_later),
		sharing_test(what_is_kept_is_looked_through_once_a_day),
		sharing_test(a_quota_begins_anew_only_once),
		sharing_test(an_emptied_engine_hears_how_often_quotas_began_anew),
		sharing_test(an_old_reset_is_none_of_a_node_that_keeps_nothing),
		sharing_test(nor_of_one_that_was_alone),
		sharing_test(nor_of_one_that_was_ended_as_it_joined),
		sharing_test(a_node_that_comes_back_hears_of_resets_since),
		sharing_test(a_reset_on_a_node_that_is_new_is_one_more),
		sharing_test(sessions_of_all_nodes_are_bounded_together),
		sharing_test(they_are_also_where_nothing_is_kept),
		sharing_test(what_ran_before_a_start_is_taken_back),
		sharing_test(what_was_told_before_a_kill_stays_used),
		sharing_test(what_was_told_of_another_use_does_not),
		sharing_test(what_runs_on_a_node_that_comes_again_counts),
		sharing_test(it_does_where_all_is_read),
		sharing_test(what_has_ended_is_told_until_that_has_arrived),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests_name("server/sharing_use", tests, NULL, NULL);
}
