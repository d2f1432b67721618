/* Commands about users where nodes share some, over a console: whose each user is, what answers say
 * of that, and how a user of the file goes over to those of the nodes. */
#include "converse.h"

#include "monitor/user_term.h"
#include "state/ledger_limits.h"
#include "state/users_file.h"

/* With "users" behind them, or (NULL) nothing. */
static void share_users(const char *path)
{
	struct users_backend file, both;
	char error[USERS_ERROR_MAX];

	users_free(parts.users);
	shared_users_free(parts.shared_users);
	parts.shared_users = shared_users_new(parts.standing, "n1");
	assert_non_null(parts.shared_users);
	if (path != NULL)
		file = users_file_backend(path);
	both = shared_users_backend(parts.shared_users, path == NULL ? NULL : &file);
	parts.users = users_new(parts.hashing, parts.ledger, &both);
	assert_non_null(parts.users);
	assert_int_equal(users_load(parts.users, error), 0);
	assert_int_equal(users_follow(parts.users, parts.limits), 0);
}

static int make_desk(void **state)
{
	if (setup(state) != 0)
		return -1;
	parts_time = PARTS_TIME;
	parts.limits = limit_book_new();
	parts.cluster = cluster_new();
	assert_non_null(parts.limits);
	assert_non_null(parts.cluster);
	ledger_follow(parts.ledger, parts.limits, parts.standing);
	scratch_write(
		"users", "root:" MONITOR_HASH ":admin\ndora:" MONITOR_HASH ":user:sessions=3\n");
	share_users("users");
	standing_set_kept(parts.standing, true);
	(void)cluster_note_up(parts.cluster, parts_now, 1);
	assert_int_equal(__wrap_server_apply_limits(NULL), 0);
	enter_as_root();
	return 0;
}

static int free_desk(void **state)
{
	int result = teardown(state);

	shared_users_free(parts.shared_users);
	limit_book_free(parts.limits);
	cluster_free(parts.cluster);
	parts.shared_users = NULL;
	parts.limits = NULL;
	parts.cluster = NULL;
	return result;
}

#define CONVERSE(rows) converse(rows, COUNT(rows))

static void assert_file(const char *part, bool is_there)
{
	char text[4096] = "";
	FILE *f = fopen("users", "r");

	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_int_equal(strstr(text, part) != NULL, is_there);
}

static void what_is_changed_of_users_is_all_nodes(void **state)
{
	static const struct exchange rows[] = {
		{"ADD_USER ann secret", "OK User ann added (on all nodes)"},
		{"SET_PASSWORD ann other", "OK Password of ann changed (on all nodes)"},
		{"LIMITS ann sessions=5", "OK Limits of ann changed (on all nodes)"},
		{"DISABLE ann", "OK ann disabled, 0 sessions ended (on all nodes)"},
		{"ENABLE ann", "OK ann enabled (on all nodes)"},
		{"ACCOUNTS",
			"OK\nname:ann role:user sessions:0 total:0 sent:0 received:0 "
			"last_seen:never limits:sessions=5 shared:yes\n"
			"name:dora role:user sessions:0 total:0 sent:0 received:0 "
			"last_seen:never limits:sessions=3 shared:no\n"
			"name:root role:admin sessions:0 total:0 sent:0 received:0 "
			"last_seen:never limits:none shared:no"},
		{"DEL_USER ann", "OK User ann deleted, 0 sessions ended (on all nodes)"},
		{"DEL_USER ann", "ERR ann does not exist"},
	};

	(void)state;
	CONVERSE(rows);
	assert_file("ann", false);
	say("GUEST 1\n");
	hear();
	assert_contains(heard, " (on all nodes)\n");
}

static void what_is_changed_of_its_own_is_this_nodes(void **state)
{
	static const struct exchange rows[] = {
		{"ADD_USER boss secret admin", "OK User boss added (on this node alone)"},
		{"LIMITS dora sessions=4", "OK Limits of dora changed (on this node alone)"},
		{"ADD_USER ann secret", "OK User ann added (on all nodes)"},
		{"SET_ROLE ann admin", "OK Role of ann set to admin (on this node alone)"},
		{"SET_ROLE ann user", "OK Role of ann set to user (on this node alone)"},
		{"DEL_USER dora", "OK User dora deleted, 0 sessions ended (on this node alone)"},
	};

	(void)state;
	CONVERSE(rows);
	assert_file("boss:", true);
	assert_file("ann:", true);
	assert_file("dora:", false);
}

static void answers_say_when_the_others_hear_and_what_keeps_it(void **state)
{
	static const struct exchange away[] = {
		{"ADD_USER ann secret",
			"OK User ann added (here now, and on the other nodes when the engine is "
			"there again)"},
	};
	static const struct exchange unkept[] = {
		{"ADD_USER bob secret",
			"OK User bob added (here now, and on the other nodes when the engine is "
			"there again; state_dir is not set, so it is lost if this server ends "
			"before)"},
	};
	static const struct exchange unkept_but_told[] = {
		{"ADD_USER carl secret",
			"OK User carl added (on all nodes; state_dir is not set, so only the "
			"engine keeps it)"},
	};
	static const struct exchange without_a_file[] = {
		{"ADD_USER boss secret admin",
			"OK User boss added (on this node alone, until the server ends: "
			"users_file is not set; who must log in stays as it was)"},
		{"LIMITS boss sessions=1",
			"OK Limits of boss changed (on this node alone, until the server ends: "
			"users_file is not set)"},
		{"ADD_USER emil secret",
			"OK User emil added (on all nodes; state_dir is not set, so only the "
			"engine keeps it)"},
	};

	(void)state;
	(void)cluster_note_down(parts.cluster, parts_now, "it is away");
	CONVERSE(away);
	standing_set_kept(parts.standing, false);
	CONVERSE(unkept);
	(void)cluster_note_up(parts.cluster, parts_now, 1);
	CONVERSE(unkept_but_told);
	share_users(NULL);
	CONVERSE(without_a_file);
}

static void whom_the_command_line_gives_is_this_nodes(void **state)
{
	static const struct exchange rows[] = {
		{"SET_PASSWORD root other",
			"OK Password of root changed (until the next start: -u gives root a "
			"password)"},
	};

	(void)state;
	assert_int_equal(users_note_given(parts.users, "root"), 0);
	CONVERSE(rows);
}

static void a_user_of_the_file_goes_over(void **state)
{
	static const struct exchange rows[] = {
		{"SHARE_USER nobody", "ERR nobody does not exist"},
		{"SHARE_USER root",
			"ERR root: is an administrator, and stays this node's alone: SET_ROLE "
			"makes a user of one"},
		{"SHARE_USER dora", "OK User dora is shared from now on (on all nodes)"},
		{"SHARE_USER dora", "ERR dora is shared already"},
		{"LIMITS dora sessions=5", "OK Limits of dora changed (on all nodes)"},
	};

	(void)state;
	CONVERSE(rows);
	assert_file("dora", false);
	assert_file("root", true);
}

static void it_takes_something_that_keeps_the_user(void **state)
{
	static const struct exchange unkept[] = {
		{"SHARE_USER dora",
			"ERR dora stays in users_file: state_dir is not set, and then only the "
			"engine would keep the user"},
	};
	static const struct exchange unshared[] = {
		{"SHARE_USER dora", "ERR No users are shared: shared_users is not set"},
	};
	struct shared_users *shared = parts.shared_users;

	(void)state;
	standing_set_kept(parts.standing, false);
	CONVERSE(unkept);
	parts.shared_users = NULL;
	CONVERSE(unshared);
	parts.shared_users = shared;
	assert_file("dora", true);
}

/* He is in both then, and the file holds; the next time does the rest. */
static void a_file_that_cannot_be_written_keeps_the_user(void **state)
{
	static const struct exchange again[] = {
		{"SHARE_USER dora", "OK User dora is shared from now on (on all nodes)"},
	};
	static const struct exchange invalid[] = {
		{"SHARE_USER dora",
			"ERR dora cannot be kept: the nodes have not heard of each other for "
			"longer than shared_grace"},
	};
	char error[USERS_ERROR_MAX];

	(void)state;
	shared_users_set_valid(parts.shared_users, false);
	CONVERSE(invalid);
	shared_users_set_valid(parts.shared_users, true);
	scratch_write("users",
		"root:" MONITOR_HASH ":admin\ndora:" MONITOR_HASH ":user:sessions=3\n# by hand\n");
	say("SHARE_USER dora\n");
	hear();
	assert_begins(heard,
		"ERR dora is shared from now on, but is still in users_file, which holds on this "
		"node: users was changed: RELOAD first\n");
	assert_false(user_is_shared(&parts, "dora"));
	assert_int_equal(users_load(parts.users, error), 0);
	CONVERSE(again);
	assert_true(user_is_shared(&parts, "dora"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_desk, free_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_changed_of_users_is_all_nodes),
		TEST(what_is_changed_of_its_own_is_this_nodes),
		TEST(answers_say_when_the_others_hear_and_what_keeps_it),
		TEST(whom_the_command_line_gives_is_this_nodes),
		TEST(a_user_of_the_file_goes_over),
		TEST(it_takes_something_that_keeps_the_user),
		TEST(a_file_that_cannot_be_written_keeps_the_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
