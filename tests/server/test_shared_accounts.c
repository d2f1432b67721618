/* shared_accounts and accounts: users who come from other nodes and what becomes of their sessions,
 * how many at a time, who is forgotten, and how users are made as the settings want them. */
#include "server/shared_accounts.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "../base/faults.h"
#include "../base/scratch.h"
#include "../state/cheap.h"
#include "server/accounts.h"
#include "server/node_name.h"

static struct services services;
static struct config *config;
static char error[CONFIG_ERROR_MAX];
static char hash[PASSWORD_HASH_SIZE];

static void configure(const char *text)
{
	static const struct config_source source = {.path = "conf"};

	scratch_write("conf", text);
	config = config_read(&source, error);
	if (config == NULL)
		fail_msg("%s", error);
}

#define SHARED "shared = unix:/run/redis\nnode_name = n1\n"

static int make_accounts(void **state)
{
	struct options none = {.user_count = 0};

	if (scratch_enter(state) != 0 || sodium_init() < 0)
		return -1;
	cheap_hash("secret", hash);
	configure(SHARED "shared_users = yes\n");
	services = (struct services){.standing = standing_new(), .registry = registry_new(4)};
	return accounts_make(&services, &config->settings) < 0 ||
			accounts_load(&services, &none, error) < 0
		? -1
		: 0;
}

static int free_accounts(void **state)
{
	accounts_release(&services);
	registry_free(services.registry);
	standing_free(services.standing);
	config_release(config);
	return scratch_leave(state);
}

static void hear(const char *name, int64_t version, bool is_deleted)
{
	char value[512], why[SHARED_USERS_WHY_MAX];

	snprintf(value, sizeof(value), "%lld n2 %s%s", (long long)version, is_deleted ? "-" : hash,
		is_deleted ? "" : ":");
	assert_int_equal(shared_users_merge(services.shared_users, name, value, why), MERGED_NEW);
}

static bool has(const char *name)
{
	return users_have(services.users, name, strlen(name));
}

/* ---- what arrives ---- */

static void who_is_deleted_elsewhere_leaves_nothing_behind(void **state)
{
	struct addr from;
	bool is_more = true;

	(void)state;
	assert_false(shared_accounts_take(&services, &is_more));
	assert_false(is_more);
	hear("alice", 1000, false);
	hear("bob", 1000, false);
	assert_true(shared_accounts_take(&services, &is_more));
	assert_false(is_more);
	assert_true(has("alice"));
	assert_int_equal(standing_put(services.standing, STANDING_QUOTA, "alice", "1 2 0"), 0);
	assert_true(addr_parse("192.0.2.1", 9, &from));
	(void)registry_enter(registry_slot_at(services.registry, 0), -1, &from);
	registry_set_user(registry_slot_at(services.registry, 0), "alice", 5);
	hear("alice", (int64_t)time(NULL) * 1000, true);
	assert_true(shared_accounts_take(&services, &is_more));
	assert_false(has("alice"));
	assert_true(has("bob"));
	assert_false(standing_read(services.standing, STANDING_QUOTA, "alice", NULL, NULL));
	registry_leave(registry_slot_at(services.registry, 0));
}

/* So that the main thread has its turn at other things. */
static void many_come_in_parts(void **state)
{
	bool is_more;
	char name[32];

	(void)state;
	for (int i = 0; i <= 2 * SHARED_ACCOUNTS_AT_ONCE; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		hear(name, 1000, false);
	}
	assert_true(shared_accounts_take(&services, &is_more));
	assert_true(is_more);
	assert_int_equal(users_count(services.users), SHARED_ACCOUNTS_AT_ONCE);
	assert_true(shared_accounts_take(&services, &is_more));
	assert_true(is_more);
	assert_true(shared_accounts_take(&services, &is_more));
	assert_false(is_more);
	assert_int_equal(users_count(services.users), 2 * SHARED_ACCOUNTS_AT_ONCE + 1);
}

/* Nobody is to try again and again at once. */
static void without_memory_they_come_the_next_time(void **state)
{
	bool struck = true, is_more;

	(void)state;
	for (int n = 1; struck; n++) {
		hear("alice", 1000 + 2 * n, n % 2 == 0);
		faults_fail(n);
		(void)shared_accounts_take(&services, &is_more);
		struck = faults_struck();
		assert_false(is_more);
		(void)shared_accounts_take(&services, &is_more);
		assert_int_equal(has("alice"), n % 2 != 0);
	}
}

static void the_job_forgets_who_was_deleted_long_ago(void **state)
{
	struct shared_graves graves;
	bool is_more;
	int64_t now = (int64_t)time(NULL) * 1000;

	(void)state;
	hear("alice", now - SHARED_USERS_GRAVE_MS - 2000, false);
	hear("alice", now - SHARED_USERS_GRAVE_MS - 1000, true);
	hear("bob", now - 1000, true);
	(void)shared_accounts_take(&services, &is_more);
	shared_graves_init(&graves, services.shared_users, NULL);
	assert_int_equal(graves.job.run(graves.job.context, 5000), 5000 + 3600000);
	assert_false(standing_read(services.standing, STANDING_USER, "alice", NULL, NULL));
	assert_true(standing_read(services.standing, STANDING_USER, "bob", NULL, NULL));
}

/* ---- how they are made ---- */

static void nobody_shares_users_without_something_to_share_by(void **state)
{
	static const struct {
		const char *text;
		bool is_legal;
	} rows[] = {
		{"", true},
		{"shared_users = no\n", true},
		{SHARED, true},
		{SHARED "shared_users = yes\n", true},
		{"shared_users = yes\n", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		config_release(config);
		configure(rows[i].text);
		assert_int_equal(
			accounts_check(&config->settings, error), rows[i].is_legal ? 0 : -1);
		if (!rows[i].is_legal)
			assert_begins(error, "shared_users: \"yes\": ");
	}
}

/* Also where nothing stands, as for who only looks. */
static void they_are_made_only_where_that_is_said(void **state)
{
	struct services alone = {.standing = NULL};

	(void)state;
	assert_int_equal(accounts_make(&alone, &config->settings), 0);
	assert_null(alone.shared_users);
	assert_false(users_are_kept(alone.users));
	accounts_release(&alone);
	config_release(config);
	configure(SHARED "users_file = users\n");
	alone = (struct services){.standing = services.standing};
	assert_int_equal(accounts_make(&alone, &config->settings), 0);
	assert_null(alone.shared_users);
	assert_true(users_are_kept(alone.users));
	accounts_release(&alone);
}

/* Whom the command line gives is an administrator, and so this node's alone. */
static void whom_the_command_line_gives_is_this_nodes_alone(void **state)
{
	struct options o = {.users = {{.name = "root", .password = "secret"}}, .user_count = 1};

	(void)state;
	assert_int_equal(accounts_load(&services, &o, error), 0);
	assert_true(has("root"));
	assert_false(shared_users_have(services.shared_users, "root"));
	assert_false(standing_read(services.standing, STANDING_USER, "root", NULL, NULL));
	assert_int_equal(shared_users_count_own(services.shared_users), 1);
}

static void making_them_takes_memory(void **state)
{
	bool struck = true;
	int made = -1;

	(void)state;
	config_release(config);
	configure(SHARED "shared_users = yes\nusers_file = users\n");
	for (int n = 1; struck; n++) {
		struct services v = {.standing = services.standing};

		faults_fail(n);
		made = accounts_make(&v, &config->settings);
		struck = faults_struck();
		accounts_release(&v);
	}
	assert_int_equal(made, 0);
}

static void a_node_is_called_as_is_said_or_as_its_host(void **state)
{
	char name[CLUSTER_NODE_MAX];

	(void)state;
	assert_true(node_name_find(&config->settings, name));
	assert_string_equal(name, "n1");
	config_release(config);
	configure("");
	(void)node_name_find(&config->settings, name);
	assert_string_not_equal(name, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_accounts, free_accounts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_deleted_elsewhere_leaves_nothing_behind),
		TEST(many_come_in_parts),
		TEST(without_memory_they_come_the_next_time),
		TEST(the_job_forgets_who_was_deleted_long_ago),
		TEST(nobody_shares_users_without_something_to_share_by),
		TEST(they_are_made_only_where_that_is_said),
		TEST(whom_the_command_line_gives_is_this_nodes_alone),
		TEST(making_them_takes_memory),
		TEST(a_node_is_called_as_is_said_or_as_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
