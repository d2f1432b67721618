/* sharing_users: what nodes tell and hear of the users whom they share, by an engine in the test's
 * memory; or by a real one, at the unix socket that SOCKS5D_TEST_ENGINE names, whose database is
 * emptied. */
#include "sharing_nodes.h"

#define HASH "$5$saltsalt$qJ1eRsvKQPTdyRO13tZMUvaPFqS0XWCZ0r0m3jTWQS3"

static void add(size_t node, const char *name)
{
	char error[USERS_ERROR_MAX];

	if (users_add(nodes[node].services.users, name, HASH, USER_ROLE_USER, error) < 0)
		fail_msg("%s", error);
}

static void limit(size_t node, const char *name, const char *attributes)
{
	char error[USERS_ERROR_MAX];

	if (users_set_attributes(nodes[node].services.users, name, attributes, error) < 0)
		fail_msg("%s", error);
}

static void delete_user(size_t node, const char *name)
{
	char error[USERS_ERROR_MAX];

	if (users_remove(nodes[node].services.users, name, error) < 0)
		fail_msg("%s", error);
}

static bool knows(size_t node, const char *name)
{
	return users_have(nodes[node].services.users, name, strlen(name));
}

static void assert_all_know(const char *name, bool is_known)
{
	for (size_t i = 0; i < NODES; i++) {
		if (nodes[i].sharing != NULL && knows(i, name) != is_known)
			fail_msg("n%zu %s %s", i, is_known ? "does not know" : "knows", name);
	}
}

static void assert_all_limit(const char *name, uint32_t sessions)
{
	for (size_t i = 0; i < NODES; i++) {
		struct limits own;

		assert_true(users_own_limits(nodes[i].services.users, name, &own));
		assert_int_equal(own.sessions, sessions);
	}
}

static void put(const char *name, const char *value)
{
	freeReplyObject(FAKE_ASK("HSET", "p:users", name, value));
}

static bool engine_has(const char *name, const char *part)
{
	redisReply *r = FAKE_ASK("HGET", "p:users", name);
	bool has = r->type == REDIS_REPLY_STRING && strstr(r->str, part) != NULL;

	freeReplyObject(r);
	return has;
}

/* ---- changes ---- */

static void who_is_added_changed_and_deleted_is_so_on_all(void **state)
{
	(void)state;
	go_on(0);
	add(0, "alice");
	go_on(SHARING_PERIOD_MS);
	assert_all_know("alice", true);
	assert_true(nodes[1].user_rings > 0);
	limit(1, "alice", "sessions=3");
	go_on(SHARING_PERIOD_MS);
	assert_all_limit("alice", 3);
	delete_user(2, "alice");
	go_on(SHARING_PERIOD_MS);
	assert_all_know("alice", false);
	assert_true(engine_has("alice", "n2 -"));
	add(0, "alice");
	go_on(SHARING_PERIOD_MS);
	assert_all_know("alice", true);
}

/* Each tells the other. */
static void who_joins_hears_and_tells_all(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 2 * SHARING_BATCH; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		add((size_t)i % 2, name);
	}
	for (int i = 0; i < 10; i++)
		go_on(SHARING_PERIOD_MS);
	assert_all_know("u0", true);
	assert_all_know("u1", true);
	assert_all_know(name, true);
	assert_true(is_logged("the users are those of the other nodes"));
}

/* Whoever reads the line may log in. */
static void a_node_says_that_it_has_joined_once_that_is_in_effect(void **state)
{
	struct shared_users *users = nodes[1].services.shared_users;
	char *name;

	(void)state;
	add(0, "alice");
	free_node(2);
	for (int i = 0; i < 10; i++) {
		step(0);
		now_ms += SHARING_PERIOD_MS;
	}
	scratch_write("log", "");
	for (int i = 0; i < 10; i++) {
		sharing_step(nodes[1].sharing);
		now_ms += SHARING_PERIOD_MS;
	}
	name = shared_users_next_arrived(users);
	assert_string_equal(name, "alice");
	sharing_step(nodes[1].sharing);
	assert_false(is_logged("the users are those of the other nodes"));
	shared_users_arrived_again(users, name);
	free(name);
	take_arrivals(1);
	sharing_step(nodes[1].sharing);
	assert_true(is_logged("the users are those of the other nodes"));
}

/* It goes on where it was, and then looks once more. */
static void who_is_cut_off_while_he_joins_comes_to_the_end(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 2 * SHARING_BATCH; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		add(0, name);
	}
	for (int i = 0; i < 20; i++) {
		fake_is_down = i % 2 == 1;
		now_ms += SHARING_BEAT_MS;
		step(0);
		step(1);
	}
	fake_is_down = false;
	for (int i = 0; i < 3; i++)
		go_on(SHARING_BEAT_MS);
	assert_all_know("u0", true);
	assert_all_know(name, true);
	assert_true(is_logged("the users are those of the other nodes"));
}

static void a_change_while_the_engine_is_away_is_told_afterwards(void **state)
{
	(void)state;
	add(0, "alice");
	add(0, "bob");
	go_on(0);
	fake_is_down = true;
	go_on(SHARING_BEAT_MS);
	limit(1, "alice", "sessions=3");
	delete_user(2, "bob");
	fake_is_down = false;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_all_limit("alice", 3);
	assert_all_know("bob", false);
}

static void two_who_change_one_user_end_alike(void **state)
{
	(void)state;
	add(0, "alice");
	go_on(0);
	limit(1, "alice", "sessions=3");
	limit(0, "alice", "sessions=4");
	go_on(SHARING_PERIOD_MS);
	go_on(SHARING_PERIOD_MS);
	for (size_t i = 1; i < NODES; i++) {
		struct limits first, own;

		assert_true(users_own_limits(nodes[0].services.users, "alice", &first));
		assert_true(users_own_limits(nodes[i].services.users, "alice", &own));
		assert_int_equal(own.sessions, first.sessions);
	}
}

/* ---- what the engine has ---- */

static void the_newer_of_two_stays(void **state)
{
	(void)state;
	put("low", "5 n9 " HASH ":sessions=9");
	put("high", "4503599627370000 n9 " HASH ":sessions=9");
	add(0, "low");
	go_on(0);
	go_on(SHARING_PERIOD_MS);
	assert_true(engine_has("low", " n0 "));
	assert_all_limit("low", 0);
	assert_all_limit("high", 9);
	limit(1, "high", "sessions=2");
	go_on(SHARING_PERIOD_MS);
	assert_true(engine_has("high", "4503599627370001 n1 "));
	assert_all_limit("high", 2);
}

/* By the bytes of the name, whatever language the engine speaks. */
static void of_two_of_one_version_the_later_name_stays(void **state)
{
	(void)state;
	add(0, "alice");
	go_on(0);
	put("alice", "4503599627370000 B " HASH ":sessions=1");
	go_on(SHARING_BEAT_MS);
	assert_all_limit("alice", 1);
	put("alice", "4503599627370000 a " HASH ":sessions=2");
	go_on(SHARING_BEAT_MS);
	assert_all_limit("alice", 2);
	put("alice", "4503599627370000 Z " HASH ":sessions=3");
	go_on(SHARING_BEAT_MS);
	assert_all_limit("alice", 2);
	assert_true(engine_has("alice", " a "));
	put("alice", "4503599627370000 ab " HASH ":sessions=4");
	go_on(SHARING_BEAT_MS);
	assert_all_limit("alice", 4);
}

static void an_engine_that_was_emptied_is_told_all_again(void **state)
{
	(void)state;
	add(0, "alice");
	add(0, "bob");
	go_on(0);
	delete_user(1, "bob");
	go_on(SHARING_PERIOD_MS);
	free_node(0);
	fake_empty();
	if (fake_real != NULL)
		freeReplyObject(FAKE_ASK("FLUSHALL"));
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_true(engine_has("alice", " n0 " HASH ":"));
	assert_true(engine_has("bob", " n1 -"));
	start_node(0, true);
	go_on(SHARING_PERIOD_MS);
	assert_all_know("alice", true);
	assert_all_know("bob", false);
}

static void what_can_be_nobodys_is_passed_over_and_gives_way(void **state)
{
	(void)state;
	add(0, "alice");
	go_on(0);
	put("alice", "4503599627370000 z nothing:");
	put("bob", "1 2 3");
	put("a:b", "1 z " HASH ":");
	put("carol", "1 z " HASH ":role=admin");
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_up(0);
	assert_true(is_logged("can be nobody's and is passed over"));
	assert_all_know("alice", true);
	assert_true(engine_has("alice", " n0 " HASH ":"));
	assert_all_know("bob", false);
	assert_all_know("carol", false);
	/* Somebody is called so by now, and what is told finds it in its way. */
	put("dave", "4503599627370000 z nothing:");
	add(1, "dave");
	go_on(SHARING_PERIOD_MS);
	assert_all_know("dave", true);
	assert_true(engine_has("dave", " n1 "));
}

static void who_was_deleted_long_ago_is_swept(void **state)
{
	(void)state;
	put("alice", "1000 z -");
	go_on(0);
	go_on(SHARING_PERIOD_MS);
	assert_false(engine_has("alice", ""));
	put("bob", "1000 z -");
	go_on(SHARING_BEAT_MS);
	assert_false(engine_has("bob", ""));
}

static void a_script_that_was_forgotten_is_loaded_again(void **state)
{
	(void)state;
	go_on(0);
	add(0, "alice");
	go_on(SHARING_PERIOD_MS);
	if (fake_real != NULL)
		freeReplyObject(FAKE_ASK("SCRIPT", "FLUSH"));
	fake_has_script = false;
	add(0, "bob");
	go_on(SHARING_PERIOD_MS);
	assert_up(0);
	assert_all_know("bob", true);
}

/* In the engine's memory only: a real one is refused by the script of tests/cluster. */
static void an_engine_that_refuses_to_write_is_told_of(void **state)
{
	struct cluster_status s;

	(void)state;
	if (fake_real != NULL)
		skip();
	go_on(0);
	add(0, "alice");
	fake_error = "NOPERM this user has no permissions to run the 'evalsha' command";
	go_on(SHARING_PERIOD_MS);
	cluster_look(nodes[0].services.cluster, now_ms, &s);
	assert_false(s.is_up);
	assert_string_equal(s.problem, fake_error);
	assert_true(knows(0, "alice"));
	fake_error = NULL;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_all_know("alice", true);
}

/* Who cannot ask what the engine has does not take it for nothing. */
static void an_engine_that_refuses_to_be_read_is_told_of(void **state)
{
	struct cluster_status s;

	(void)state;
	if (fake_real != NULL)
		skip();
	add(0, "alice");
	put("alice", "4503599627370000 z " HASH ":sessions=9");
	fake_error = "NOPERM this user has no permissions to run the 'hget' command";
	fake_refused = "HGET";
	go_on(0);
	go_on(SHARING_BEAT_MS);
	cluster_look(nodes[0].services.cluster, now_ms, &s);
	assert_false(s.is_up);
	assert_string_equal(s.problem, fake_error);
	fake_error = fake_refused = NULL;
	go_on(SHARING_BEAT_MS);
	go_on(SHARING_BEAT_MS);
	assert_all_limit("alice", 9);
}

/* ---- events ---- */

static void an_event_of_nobodys_is_passed_over(void **state)
{
	const char *const value = "5 z " HASH ":";

	(void)state;
	go_on(0);
	freeReplyObject(FAKE_ASK("XADD", "p:events", "MAXLEN", "~", "1000", "*", "i", "x", "k",
		"user", "n", "z", "a", "alice", "v", "soon"));
	freeReplyObject(FAKE_ASK("XADD", "p:events", "MAXLEN", "~", "1000", "*", "i", "x", "k",
		"user", "n", "z", "a", "bob", "v", value));
	go_on(SHARING_PERIOD_MS);
	assert_all_know("alice", false);
	assert_all_know("bob", true);
	assert_true(is_logged("user=alice"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sharing_test(who_is_added_changed_and_deleted_is_so_on_all),
		sharing_test(who_joins_hears_and_tells_all),
		sharing_test(a_node_says_that_it_has_joined_once_that_is_in_effect),
		sharing_test(who_is_cut_off_while_he_joins_comes_to_the_end),
		sharing_test(a_change_while_the_engine_is_away_is_told_afterwards),
		sharing_test(two_who_change_one_user_end_alike),
		sharing_test(the_newer_of_two_stays),
		sharing_test(of_two_of_one_version_the_later_name_stays),
		sharing_test(an_engine_that_was_emptied_is_told_all_again),
		sharing_test(what_can_be_nobodys_is_passed_over_and_gives_way),
		sharing_test(who_was_deleted_long_ago_is_swept),
		sharing_test(a_script_that_was_forgotten_is_loaded_again),
		sharing_test(an_engine_that_refuses_to_write_is_told_of),
		sharing_test(an_engine_that_refuses_to_be_read_is_told_of),
		sharing_test(an_event_of_nobodys_is_passed_over),
	};
	const char *engine = getenv("SOCKS5D_TEST_ENGINE");
	int failed;

	nodes_share_users = true;
	if (engine != NULL)
		fake_open_real(engine);
	failed = cmocka_run_group_tests_name("server/sharing_users", tests, NULL, NULL);
	fake_close_real();
	return failed;
}
