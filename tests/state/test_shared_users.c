/* shared_users: what is merged and what wins, what is told and taken into effect, users of the file
 * and administrators, who was deleted, and what all that costs where there are many. */
#include "state/shared_users.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "../base/faults.h"
#include "backend.h"
#include "base/hashmap.h"
#include "cheap.h"
#include "state/login_helper.h"

#define DAY_MS INT64_C(86400000)

/* ---- memory, and how often anything goes through all of a map ---- */

static size_t steps; /* of walks through maps */

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
void *__real_hashmap_next(const struct hashmap *map, size_t *position);
void *__wrap_hashmap_next(const struct hashmap *map, size_t *position);

char *__wrap_strdup(const char *text)
{
	return faults_strikes() ? NULL : __real_strdup(text);
}

void *__wrap_hashmap_next(const struct hashmap *map, size_t *position)
{
	steps++;
	return __real_hashmap_next(map, position);
}

/* ---- a node ---- */

static struct node {
	struct standing *standing;
	struct ledger *ledger;
	struct shared_users *shared;
	struct users *users;
} node;

static struct hashing *hashing;
static char hash[PASSWORD_HASH_SIZE], other_hash[PASSWORD_HASH_SIZE];
static char error[USERS_ERROR_MAX], why[SHARED_USERS_WHY_MAX];
static struct fake_backend file;

/* With these in its users file; NULL: it has none. */
static void start_node(const struct user_record *own, size_t count)
{
	struct users_backend inner, both;

	file = (struct fake_backend){.users = own, .count = count};
	inner = fake_backend(&file);
	node.shared = shared_users_new(node.standing, "n1");
	assert_non_null(node.shared);
	both = shared_users_backend(node.shared, own == NULL ? NULL : &inner);
	node.users = users_new(hashing, node.ledger, &both);
	assert_non_null(node.users);
	assert_int_equal(users_load(node.users, error), 0);
}

static void stop_node(void)
{
	users_free(node.users);
	shared_users_free(node.shared);
	node.users = NULL;
	node.shared = NULL;
}

static int make_node(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	hashing = hashing_new(2);
	cheap_hash("secret", hash);
	cheap_hash("other", other_hash);
	node.standing = standing_new();
	node.ledger = ledger_new(1, NULL);
	start_node(NULL, 0);
	return 0;
}

static int free_node(void **state)
{
	(void)state;
	stop_node();
	ledger_free(node.ledger);
	standing_free(node.standing);
	hashing_free(hashing);
	return 0;
}

static int64_t now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

/* "VERSION NODE HASH:ATTRIBUTES" */
static const char *record(int64_t version, const char *from, const char *attributes)
{
	static char text[1024];

	snprintf(text, sizeof(text), "%lld %s %s:%s", (long long)version, from, hash, attributes);
	return text;
}

static const char *deletion(int64_t version, const char *from)
{
	static char text[128];

	snprintf(text, sizeof(text), "%lld %s -", (long long)version, from);
	return text;
}

static enum shared_users_merge merge(const char *name, const char *value)
{
	return shared_users_merge(node.shared, name, value, why);
}

static char farewells[256];

static void note_farewell(void *context, const char *name, size_t len, bool has_sessions)
{
	size_t used = strlen(farewells);

	(void)context;
	assert_int_equal(len, strlen(name));
	snprintf(farewells + used, sizeof(farewells) - used, "%s%s ", name,
		has_sessions ? "(sessions)" : "");
}

/* Puts all into effect that has arrived; returns "+added ~changed -gone". */
static const char *take_all(void)
{
	static char text[128];
	struct users_difference sum = {0}, d;
	char *name;

	farewells[0] = '\0';
	while ((name = shared_users_next_arrived(node.shared)) != NULL) {
		assert_int_equal(users_take(node.users, name, note_farewell, NULL, &d, error), 0);
		sum.added += d.added;
		sum.changed += d.changed;
		sum.gone += d.gone;
		free(name);
	}
	snprintf(text, sizeof(text), "+%zu ~%zu -%zu", sum.added, sum.changed, sum.gone);
	return text;
}

static void copy_value(void *context, const char *value)
{
	snprintf(context, 1024, "%s", value);
}

static const char *standing_of(const char *name)
{
	static char value[1024];

	return standing_read(node.standing, STANDING_USER, name, copy_value, value) ? value
										    : "(nothing)";
}

/* What stands of him, without the version. */
static const char *said_of(const char *name)
{
	const char *value = standing_of(name);

	return strchr(value, ' ') != NULL ? strchr(value, ' ') + 1 : value;
}

static const char *expected(const char *from, const char *password_hash, const char *attributes)
{
	static char text[1024];

	snprintf(text, sizeof(text), "%s %s:%s", from, password_hash, attributes);
	return text;
}

/* All that is to be told, by name, and it is told. */
static const char *tell_all(void)
{
	static char names[256];
	char *name, *value;

	names[0] = '\0';
	while ((name = shared_users_next_untold(node.shared, &value)) != NULL) {
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s ", name);
		assert_string_equal(value, standing_of(name));
		shared_users_told(node.shared, name, value);
		free(value);
		free(name);
	}
	return names;
}

static bool has_limits(const char *name, const char *text)
{
	struct limits own;
	char *said;
	bool is_same;

	assert_true(users_own_limits(node.users, name, &own));
	said = limits_format(&own);
	is_same = strcmp(said, text) == 0;
	free(said);
	return is_same;
}

/* ---- merging ---- */

static void the_higher_version_wins_and_then_the_later_name(void **state)
{
	static const struct {
		int64_t version;
		const char *from;
		enum shared_users_merge result;
	} rows[] = {
		{100, "n2", MERGED_NEW},
		{100, "n2", MERGED_OLD},
		{99, "n9", MERGED_OLD},
		{100, "n1", MERGED_OLD},
		{100, "n3", MERGED_NEW},
		{101, "a", MERGED_NEW},
		{101, "A", MERGED_OLD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
			merge("alice", record(rows[i].version, rows[i].from, "")), rows[i].result);
	assert_string_equal(standing_of("alice"), record(101, "a", ""));
}

/* Whatever comes first, all nodes have the same in the end. */
static void the_order_in_which_words_come_decides_nothing(void **state)
{
	char words[3][1024], last[1024] = "";
	static const int orders[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	int64_t now = now_ms();

	(void)state;
	snprintf(words[0], sizeof(words[0]), "%s", record(now, "n2", "sessions=1"));
	snprintf(words[1], sizeof(words[1]), "%s", deletion(now + 1, "n3"));
	snprintf(words[2], sizeof(words[2]), "%s", record(now + 1, "n4", "sessions=2"));
	for (size_t i = 0; i < COUNT(orders); i++) {
		for (size_t k = 0; k < 3; k++)
			(void)merge("alice", words[orders[i][k]]);
		(void)take_all();
		snprintf(last, sizeof(last), "%s", standing_of("alice"));
		assert_string_equal(last, words[2]);
		assert_true(has_limits("alice", "sessions=2"));
		assert_int_equal(standing_put(node.standing, STANDING_USER, "alice", NULL), 0);
	}
}

static void what_can_be_nobodys_record_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(merge("alice", "nonsense"), MERGED_BAD);
	assert_string_not_equal(why, "");
	assert_int_equal(merge("alice", record(1, "n2", "sessions=x")), MERGED_BAD);
	assert_contains(why, "sessions");
	assert_int_equal(merge("al ice", record(1, "n2", "")), MERGED_BAD);
	assert_string_equal(standing_of("alice"), "(nothing)");
	assert_false(shared_users_have_arrived(node.shared));
	/* What lies on the disk as nonsense is replaced by whatever comes. */
	assert_int_equal(standing_put(node.standing, STANDING_USER, "alice", "nonsense"), 0);
	assert_false(shared_users_have(node.shared, "alice"));
	assert_int_equal(merge("alice", record(1, "n2", "")), MERGED_NEW);
}

static void what_arrives_comes_into_effect_name_by_name(void **state)
{
	(void)state;
	assert_int_equal(merge("alice", record(1000, "n2", "sessions=5")), MERGED_NEW);
	assert_int_equal(merge("alice", record(1001, "n2", "sessions=6")), MERGED_NEW);
	assert_int_equal(merge("bob", record(1000, "n2", "")), MERGED_NEW);
	assert_true(shared_users_have_arrived(node.shared));
	assert_false(users_have(node.users, "alice", 5));
	assert_string_equal(take_all(), "+2 ~0 -0");
	assert_false(shared_users_have_arrived(node.shared));
	assert_true(has_limits("alice", "sessions=6"));
	/* Nothing is told of what others have said. */
	assert_string_equal(tell_all(), "");
	/* A higher version of the same is no change. */
	assert_int_equal(merge("alice", record(1002, "n2", "sessions=6")), MERGED_NEW);
	assert_string_equal(take_all(), "+0 ~0 -0");
	assert_int_equal(merge("alice", record(1003, "n2", "")), MERGED_NEW);
	assert_string_equal(take_all(), "+0 ~1 -0");
	assert_int_equal(merge("alice", deletion(1004, "n2")), MERGED_NEW);
	assert_string_equal(take_all(), "+0 ~0 -1");
	assert_string_equal(farewells, "alice ");
	assert_false(users_have(node.users, "alice", 5));
}

static struct ledger_entry *log_in(const char *name)
{
	struct login login = {
		.name = name, .name_len = strlen(name), .password = "secret", .password_len = 6};
	struct ledger_entry *entry = NULL;

	return users_login(node.users, &login, INT64_MAX, NULL, &entry) == LOGIN_OK ? entry : NULL;
}

static void who_is_changed_keeps_what_lives_and_who_goes_is_bidden_farewell(void **state)
{
	struct ledger_entry *entry;
	uint64_t epoch;

	(void)state;
	(void)merge("alice", record(1000, "n2", ""));
	(void)take_all();
	entry = log_in("alice");
	assert_non_null(entry);
	epoch = users_login_epoch(node.users, "alice");
	(void)merge("alice", record(1001, "n2", "sessions=6"));
	(void)take_all();
	assert_int_equal(users_login_epoch(node.users, "alice"), epoch);
	assert_int_equal(ledger_read(entry).sessions, 1);
	(void)merge("alice", deletion(1002, "n2"));
	(void)take_all();
	assert_string_equal(farewells, "alice(sessions) ");
	assert_null(log_in("alice"));
	ledger_leave(entry, 0);
}

static void who_is_disabled_elsewhere_is_kept_out_at_once(void **state)
{
	struct limit_book *book = limit_book_new();

	(void)state;
	assert_int_equal(users_follow(node.users, book), 0);
	(void)merge("alice", record(1000, "n2", ""));
	(void)take_all();
	assert_int_equal(users_bar(node.users, "alice", 5, NULL), LOGIN_OK);
	(void)merge("alice", record(1001, "n2", "disabled=yes"));
	(void)take_all();
	assert_int_equal(users_bar(node.users, "alice", 5, NULL), LOGIN_DISABLED);
	stop_node();
	limit_book_free(book);
	start_node(NULL, 0);
	assert_true(users_have(node.users, "alice", 5));
}

/* ---- from here ---- */

static void what_is_changed_here_stands_and_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(users_add(node.users, "alice", hash, USER_ROLE_USER, error), 0);
	assert_string_equal(said_of("alice"), expected("n1", hash, ""));
	assert_true(shared_users_have(node.shared, "alice"));
	assert_string_equal(tell_all(), "alice ");
	assert_string_equal(tell_all(), "");
	assert_int_equal(users_set_attributes(node.users, "alice", "sessions=5", error), 0);
	assert_int_equal(users_add_limited(node.users, "bob", hash, "rate=1Mbit", error), 0);
	assert_string_equal(said_of("bob"), expected("n1", hash, "rate=1Mbit"));
	assert_int_equal(users_set_password(node.users, "alice", other_hash, error), 0);
	assert_string_equal(said_of("alice"), expected("n1", other_hash, "sessions=5"));
	assert_string_equal(tell_all(), "alice bob ");
	assert_int_equal(users_remove(node.users, "alice", error), 0);
	assert_string_equal(said_of("alice"), "n1 -");
	assert_false(shared_users_have(node.shared, "alice"));
	assert_string_equal(tell_all(), "alice ");
	/* Neither has arrived from anywhere. */
	assert_false(shared_users_have_arrived(node.shared));
	/* He may come again, and without what he had. */
	assert_int_equal(users_add(node.users, "alice", hash, USER_ROLE_USER, error), 0);
	assert_string_equal(said_of("alice"), expected("n1", hash, ""));
}

/* One whose clock is an hour behind still changes what the others have said. */
static void what_is_changed_here_outranks_what_is_known(void **state)
{
	int64_t ahead = now_ms() + 3600000;

	(void)state;
	assert_int_equal(merge("alice", record(ahead, "n9", "")), MERGED_NEW);
	(void)take_all();
	assert_int_equal(users_remove(node.users, "alice", error), 0);
	assert_string_equal(standing_of("alice"), deletion(ahead + 1, "n1"));
	assert_int_equal(merge("alice", record(ahead, "n9", "")), MERGED_OLD);
}

static void what_changes_while_it_is_told_is_told_again(void **state)
{
	char *name, *value;

	(void)state;
	assert_int_equal(users_add(node.users, "alice", hash, USER_ROLE_USER, error), 0);
	name = shared_users_next_untold(node.shared, &value);
	assert_string_equal(name, "alice");
	assert_int_equal(users_set_password(node.users, "alice", other_hash, error), 0);
	shared_users_told(node.shared, name, value);
	free(name);
	free(value);
	assert_string_equal(tell_all(), "alice ");
	/* What was forgotten meanwhile is not told. */
	assert_int_equal(users_set_password(node.users, "alice", hash, error), 0);
	assert_int_equal(standing_put(node.standing, STANDING_USER, "alice", NULL), 0);
	assert_string_equal(tell_all(), "");
}

static void a_start_finds_what_stands(void **state)
{
	size_t count;
	struct standing_fact *facts;

	(void)state;
	assert_int_equal(users_add_limited(node.users, "alice", hash, "sessions=5", error), 0);
	assert_int_equal(users_add(node.users, "bob", hash, USER_ROLE_USER, error), 0);
	assert_int_equal(users_remove(node.users, "bob", error), 0);
	assert_int_equal(standing_put(node.standing, STANDING_USER, "carl", "bad"), 0);
	stop_node();
	start_node(NULL, 0);
	assert_int_equal(users_count(node.users), 1);
	assert_true(has_limits("alice", "sessions=5"));
	facts = shared_users_list(node.shared, &count);
	assert_int_equal(count, 3);
	assert_string_equal(facts[1].key, "bob");
	free(facts);
}

/* ---- this node's own ---- */

static const struct user_record *own_users(size_t *count)
{
	static struct user_record own[2];

	own[0] = (struct user_record){.name = "root",
		.name_len = 4,
		.hash = hash,
		.role = USER_ROLE_ADMIN,
		.attributes = ""};
	own[1] = (struct user_record){.name = "dora",
		.name_len = 4,
		.hash = hash,
		.role = USER_ROLE_USER,
		.attributes = "sessions=1"};
	*count = COUNT(own);
	return own;
}

static void start_with_file(void)
{
	size_t count;
	const struct user_record *own = own_users(&count);

	stop_node();
	start_node(own, count);
}

static void who_is_in_the_file_wins(void **state)
{
	struct user_info info;

	(void)state;
	start_with_file();
	assert_int_equal(merge("dora", record(now_ms(), "n2", "sessions=9")), MERGED_NEW);
	assert_int_equal(merge("root", record(now_ms(), "n2", "disabled=yes")), MERGED_NEW);
	assert_string_equal(take_all(), "+0 ~0 -0");
	assert_true(has_limits("dora", "sessions=1"));
	assert_false(shared_users_have(node.shared, "dora"));
	assert_int_equal(merge("dora", deletion(now_ms() + 1, "n2")), MERGED_NEW);
	assert_int_equal(merge("root", deletion(now_ms() + 1, "n2")), MERGED_NEW);
	assert_string_equal(take_all(), "+0 ~0 -0");
	assert_true(users_get(node.users, "root", &info));
	assert_int_equal(info.role, USER_ROLE_ADMIN);
	/* What is changed of them goes to the file. */
	assert_int_equal(users_set_attributes(node.users, "dora", "sessions=2", error), 0);
	assert_contains(file.asked, "save dora");
	assert_string_equal(tell_all(), "");
	/* Also behind a start. */
	(void)merge("dora", record(now_ms() + 2, "n2", "sessions=9"));
	start_with_file();
	assert_true(has_limits("dora", "sessions=1"));
	assert_int_equal(shared_users_count_own(node.shared), 2);
	assert_int_equal(shared_users_count_read(node.shared), 2);
}

static void the_role_admin_never_travels(void **state)
{
	struct user_info info;

	(void)state;
	start_with_file();
	assert_int_equal(users_add(node.users, "boss", hash, USER_ROLE_ADMIN, error), 0);
	assert_contains(file.asked, "save boss");
	assert_string_equal(standing_of("boss"), "(nothing)");
	(void)merge("alice", record(1000, "n2", "sessions=5"));
	(void)take_all();
	assert_true(users_get(node.users, "alice", &info));
	assert_int_equal(info.role, USER_ROLE_USER);
	/* Whoever becomes one is this node's, and elsewhere still what he was. */
	assert_int_equal(users_set_role(node.users, "alice", USER_ROLE_ADMIN, error), 0);
	assert_contains(file.asked, "admin sessions=5; ");
	assert_string_equal(standing_of("alice"), record(1000, "n2", "sessions=5"));
	assert_false(shared_users_have(node.shared, "alice"));
	assert_string_equal(tell_all(), "");
	(void)merge("alice", deletion(1001, "n2"));
	assert_string_equal(take_all(), "+0 ~0 -0");
	assert_true(users_have(node.users, "alice", 5));
	/* He stays its own when he is none any more. */
	assert_int_equal(users_set_role(node.users, "alice", USER_ROLE_USER, error), 0);
	assert_false(shared_users_have(node.shared, "alice"));
}

static void who_is_deleted_is_so_in_the_file_and_for_all(void **state)
{
	(void)state;
	start_with_file();
	(void)merge("dora", record(1000, "n2", ""));
	(void)take_all();
	file.fails = true;
	assert_int_equal(users_remove(node.users, "dora", error), -1);
	assert_true(users_have(node.users, "dora", 4));
	file.fails = false;
	assert_int_equal(users_remove(node.users, "dora", error), 0);
	assert_contains(file.asked, "remove dora; ");
	assert_string_equal(said_of("dora"), "n1 -");
	assert_string_equal(tell_all(), "dora ");
	/* And may come from elsewhere again. */
	assert_int_equal(merge("dora", record(now_ms() + 2000, "n2", "")), MERGED_NEW);
	assert_string_equal(take_all(), "+1 ~0 -0");
}

static const char *share(void *context, const struct user_record *user)
{
	(void)context;
	return shared_users_share(node.shared, user->name, user->hash, user->attributes, error) < 0
		? error
		: NULL;
}

static void a_user_of_the_file_goes_over_to_those_of_the_nodes(void **state)
{
	struct users_difference d;
	struct ledger_entry *entry;

	(void)state;
	start_with_file();
	entry = log_in("dora");
	assert_non_null(entry);
	assert_non_null(users_give(node.users, "nobody", share, NULL));
	assert_null(users_give(node.users, "dora", share, NULL));
	assert_string_equal(said_of("dora"), expected("n1", hash, "sessions=1"));
	assert_string_equal(tell_all(), "dora ");
	assert_false(shared_users_have(node.shared, "dora"));
	file.fails = true;
	assert_int_equal(shared_users_unhide(node.shared, "dora", error), -1);
	file.fails = false;
	assert_int_equal(shared_users_unhide(node.shared, "dora", error), 0);
	assert_int_equal(users_take(node.users, "dora", note_farewell, NULL, &d, error), 0);
	assert_int_equal(d.changed + d.added + d.gone, 0);
	assert_true(shared_users_have(node.shared, "dora"));
	assert_int_equal(ledger_read(entry).sessions, 1);
	ledger_leave(entry, 0);
	assert_int_equal(users_set_attributes(node.users, "dora", "", error), 0);
	assert_string_equal(said_of("dora"), expected("n1", hash, ""));
}

/* Without a users file an administrator lives as long as the server, also over a reload. */
static void without_a_file_its_own_are_in_memory(void **state)
{
	struct user_info info;

	(void)state;
	assert_false(shared_users_keep_own(node.shared));
	assert_int_equal(users_set_admin(node.users, "root", hash, error), 0);
	assert_int_equal(users_set_admin(node.users, "boss", hash, error), 0);
	assert_int_equal(users_add(node.users, "alice", hash, USER_ROLE_USER, error), 0);
	assert_int_equal(users_set_attributes(node.users, "root", "sessions=3", error), 0);
	assert_int_equal(users_set_password(node.users, "root", other_hash, error), 0);
	assert_int_equal(users_remove(node.users, "boss", error), 0);
	assert_false(users_are_outdated(node.users));
	assert_int_equal(users_load(node.users, error), 0);
	assert_int_equal(users_count(node.users), 2);
	assert_true(users_get(node.users, "root", &info));
	assert_int_equal(info.role, USER_ROLE_ADMIN);
	assert_true(has_limits("root", "sessions=3"));
	stop_node();
	start_node(NULL, 0);
	assert_int_equal(users_count(node.users), 1);
}

/* ---- who was deleted ---- */

static void who_was_deleted_is_forgotten_after_forty_days(void **state)
{
	int64_t now = now_ms();

	(void)state;
	(void)merge("alice", record(now - 41 * DAY_MS, "n2", ""));
	(void)merge("alice", deletion(now - 39 * DAY_MS, "n2"));
	(void)merge("bob", deletion(now - 30 * DAY_MS, "n2"));
	(void)merge("carl", deletion(now - 39 * DAY_MS, "n2"));
	(void)merge("carl", record(now - 38 * DAY_MS, "n2", ""));
	(void)merge("dora", deletion(now - 39 * DAY_MS, "n2"));
	assert_int_equal(standing_put(node.standing, STANDING_USER, "dora", NULL), 0);
	assert_int_equal(shared_users_sweep(node.shared, now), 0);
	assert_int_equal(shared_users_sweep(node.shared, now + 2 * DAY_MS), 1);
	assert_string_equal(standing_of("alice"), "(nothing)");
	assert_string_not_equal(standing_of("bob"), "(nothing)");
	/* Another start knows them, too. */
	stop_node();
	start_node(NULL, 0);
	assert_int_equal(shared_users_sweep(node.shared, now + 11 * DAY_MS), 1);
	assert_string_equal(standing_of("bob"), "(nothing)");
	assert_true(users_have(node.users, "carl", 4));
	assert_int_equal(shared_users_sweep(node.shared, now + 400 * DAY_MS), 0);
	/* What the others forget soon is not taken in any more. */
	assert_int_equal(merge("emil", deletion(now - 41 * DAY_MS, "n2")), MERGED_OLD);
	/* But for whoever is known here. */
	assert_int_equal(merge("carl", deletion(now - 37 * DAY_MS, "n2")), MERGED_NEW);
}

/* ---- when the engine was away for too long ---- */

static enum login_result try_login(const char *name, const char *password)
{
	const struct login login = {.name = name,
		.name_len = strlen(name),
		.password = password,
		.password_len = strlen(password)};
	struct ledger_entry *entry = NULL;
	enum login_result result = users_login(node.users, &login, INT64_MAX, NULL, &entry);

	if (result == LOGIN_OK)
		ledger_leave(entry, 0);
	return result;
}

/* They stay known, and who is no shared one logs in as before. */
static void who_cannot_be_relied_upon_is_refused(void **state)
{
	(void)state;
	start_with_file();
	users_set_gate(node.users, &(struct users_gate){shared_users_is_shut, node.shared});
	assert_int_equal(users_add(node.users, "alice", hash, USER_ROLE_USER, error), 0);
	assert_true(shared_users_are_valid(node.shared));
	assert_int_equal(try_login("alice", "secret"), LOGIN_OK);
	shared_users_set_valid(node.shared, false);
	assert_true(shared_users_have(node.shared, "alice"));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(try_login("alice", "secret"), LOGIN_UNANSWERED);
		assert_int_equal(try_login("alice", "wrong"), LOGIN_REFUSED);
		assert_int_equal(users_bar(node.users, "alice", 5, NULL), LOGIN_UNANSWERED);
		assert_int_equal(try_login("dora", "secret"), LOGIN_OK);
		assert_int_equal(try_login("nobody", "secret"), LOGIN_REFUSED);
		assert_int_equal(users_bar(node.users, "nobody", 6, NULL), LOGIN_OK);
		assert_int_equal(users_load(node.users, error), 0);
	}
	assert_int_equal(users_set_attributes(node.users, "alice", "sessions=1", error), -1);
	assert_contains(error, "shared_grace");
	assert_int_equal(users_set_role(node.users, "alice", USER_ROLE_ADMIN, error), -1);
	assert_contains(error, "shared_grace");
	assert_true(shared_users_have(node.shared, "alice")); /* and is no own one */
	assert_int_equal(users_remove(node.users, "alice", error), -1);
	assert_contains(error, "shared_grace");
	assert_true(shared_users_have(node.shared, "alice"));
	/* who is this node's own can be changed as ever */
	assert_int_equal(users_set_role(node.users, "dora", USER_ROLE_ADMIN, error), 0);
	assert_int_equal(users_remove(node.users, "dora", error), 0);
	shared_users_set_valid(node.shared, true);
	assert_int_equal(try_login("alice", "secret"), LOGIN_OK);
}

/* ---- without memory ---- */

static void without_memory_nothing_that_was_said_is_lost(void **state)
{
	enum shared_users_merge result = MERGED_NO_MEMORY;
	int n;

	(void)state;
	for (n = 1; result == MERGED_NO_MEMORY; n++) {
		faults_fail(n);
		result = merge("alice", record(1000, "n2", ""));
		(void)faults_struck();
		if (result == MERGED_NO_MEMORY) {
			assert_string_equal(standing_of("alice"), "(nothing)");
			assert_false(shared_users_have_arrived(node.shared));
		}
	}
	assert_true(n > 3);
	assert_int_equal(result, MERGED_NEW);
	faults_fail(1);
	assert_null(shared_users_next_arrived(node.shared));
	assert_true(shared_users_have_arrived(node.shared));
	(void)faults_struck();
	assert_string_equal(take_all(), "+1 ~0 -0");
}

static void without_memory_nobody_is_added_and_what_is_known_stays(void **state)
{
	int result = -1, n;
	bool struck = true;

	(void)state;
	for (n = 1; result < 0; n++) {
		faults_fail(n);
		result = users_add(node.users, "alice", hash, USER_ROLE_USER, error);
		struck = faults_struck();
		if (result < 0)
			assert_false(users_have(node.users, "alice", 5));
		assert_string_equal(
			said_of("alice"), result < 0 ? "(nothing)" : expected("n1", hash, ""));
	}
	assert_true(n > 3);
	for (n = 1; struck || n == 1; n++) {
		char *name, *value;

		faults_fail(n);
		name = shared_users_next_untold(node.shared, &value);
		struck = faults_struck();
		assert_int_equal(name == NULL, struck);
		free(name);
		free(value);
	}
	assert_string_equal(tell_all(), "alice ");
}

static void without_memory_a_user_who_has_arrived_comes_again(void **state)
{
	struct users_difference d;
	bool struck = true;

	(void)state;
	for (int n = 1; struck; n++) {
		char *name;
		int result;

		(void)merge("alice", record(1000 + n, "n2", n % 2 == 0 ? "sessions=5" : ""));
		name = shared_users_next_arrived(node.shared);
		faults_fail(n);
		result = users_take(node.users, name, NULL, NULL, &d, error);
		struck = faults_struck();
		if (result < 0) {
			shared_users_arrived_again(node.shared, name);
			assert_true(shared_users_have_arrived(node.shared));
			(void)take_all();
		}
		assert_true(users_have(node.users, "alice", 5));
		free(name);
	}
}

static void without_memory_its_own_stay_as_they_were(void **state)
{
	int result = -1, n;

	(void)state;
	assert_int_equal(users_set_admin(node.users, "root", hash, error), 0);
	for (n = 1; result < 0; n++) {
		faults_fail(n);
		result = users_set_attributes(node.users, "root", "sessions=5", error);
		(void)faults_struck();
		assert_true(has_limits("root", result < 0 ? "" : "sessions=5"));
		if (result < 0)
			assert_int_equal(users_load(node.users, error), 0);
		assert_true(has_limits("root", result < 0 ? "" : "sessions=5"));
	}
	assert_true(n > 3);
	for (result = -1, n = 1; result < 0; n++) {
		faults_fail(n);
		result = users_add(node.users, "boss", hash, USER_ROLE_ADMIN, error);
		(void)faults_struck();
		assert_int_equal(users_have(node.users, "boss", 4), result == 0);
	}
}

static void making_it_takes_memory(void **state)
{
	bool struck = true;

	(void)state;
	for (int n = 1; struck; n++) {
		struct shared_users *s;

		faults_fail(n);
		s = shared_users_new(node.standing, "n1");
		struck = faults_struck();
		assert_int_equal(s == NULL, struck);
		shared_users_free(s);
	}
	assert_int_equal(users_add(node.users, "alice", hash, USER_ROLE_USER, error), 0);
	assert_int_equal(users_set_admin(node.users, "root", hash, error), 0);
	struck = true;
	for (int n = 1; struck; n++) {
		int result;

		faults_fail(n);
		result = users_load(node.users, error);
		struck = faults_struck();
		assert_int_equal(users_count(node.users), 2);
		(void)result;
	}
}

/* ---- many ---- */

#define MANY 100000
#define CHANGES 2000

/* No change goes through all. */
static void a_change_costs_the_same_however_many_there_are(void **state)
{
	char name[32];
	size_t before;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		assert_int_equal(merge(name, record(1000, "n2", "")), MERGED_NEW);
	}
	assert_string_equal(take_all(), "+100000 ~0 -0");
	before = steps;
	for (int i = 0; i < CHANGES; i++) {
		snprintf(name, sizeof(name), "u%d", i * 7);
		assert_int_equal(merge(name,
					 i % 3 == 0 ? deletion(now_ms(), "n3")
						    : record(1001, "n3", "sessions=5")),
			MERGED_NEW);
		(void)take_all();
		assert_int_equal(merge(name, record(1000, "n2", "")), MERGED_OLD);
		snprintf(name, sizeof(name), "new%d", i);
		assert_int_equal(users_add(node.users, name, hash, USER_ROLE_USER, error), 0);
		assert_true(shared_users_have(node.shared, name));
	}
	assert_int_equal(shared_users_sweep(node.shared, now_ms()), 0);
	assert_int_equal(steps, before);
	before = steps;
	assert_int_equal(users_load(node.users, error), 0);
	assert_int_equal(users_count(node.users), MANY + CHANGES - (CHANGES + 2) / 3);
	assert_in_range(steps - before, MANY, 10 * MANY);
}

/* ---- threads ---- */

static void *hear(void *context)
{
	char value[1024], reason[SHARED_USERS_WHY_MAX];

	for (int i = 0; i < 2000; i++) {
		int64_t version = now_ms() + i % 3;
		char *name, *told;

		snprintf(value, sizeof(value), "%lld n2 %s:", (long long)version, hash);
		(void)shared_users_merge(node.shared, "alice", value, reason);
		name = shared_users_next_untold(node.shared, &told);
		if (name != NULL)
			shared_users_told(node.shared, name, told);
		free(name);
		free(told);
	}
	return context;
}

static void one_thread_hears_while_another_changes(void **state)
{
	pthread_t thread;
	struct user_info ignored;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, hear, NULL), 0);
	for (int i = 0; i < 500; i++) {
		(void)take_all();
		if (users_get(node.users, "alice", &ignored))
			(void)!users_remove(node.users, "alice", error);
		else
			(void)!users_add(node.users, "alice", hash, USER_ROLE_USER, error);
		(void)shared_users_sweep(node.shared, now_ms());
	}
	pthread_join(thread, NULL);
	(void)take_all();
	(void)tell_all();
	assert_int_equal(
		shared_users_have(node.shared, "alice"), users_have(node.users, "alice", 5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_node, free_node)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_higher_version_wins_and_then_the_later_name),
		TEST(the_order_in_which_words_come_decides_nothing),
		TEST(what_can_be_nobodys_record_changes_nothing),
		TEST(what_arrives_comes_into_effect_name_by_name),
		TEST(who_is_changed_keeps_what_lives_and_who_goes_is_bidden_farewell),
		TEST(who_is_disabled_elsewhere_is_kept_out_at_once),
		TEST(what_is_changed_here_stands_and_is_told_once),
		TEST(what_is_changed_here_outranks_what_is_known),
		TEST(what_changes_while_it_is_told_is_told_again),
		TEST(a_start_finds_what_stands),
		TEST(who_is_in_the_file_wins),
		TEST(the_role_admin_never_travels),
		TEST(who_is_deleted_is_so_in_the_file_and_for_all),
		TEST(a_user_of_the_file_goes_over_to_those_of_the_nodes),
		TEST(without_a_file_its_own_are_in_memory),
		TEST(who_was_deleted_is_forgotten_after_forty_days),
		TEST(who_cannot_be_relied_upon_is_refused),
		TEST(without_memory_nothing_that_was_said_is_lost),
		TEST(without_memory_nobody_is_added_and_what_is_known_stays),
		TEST(without_memory_a_user_who_has_arrived_comes_again),
		TEST(without_memory_its_own_stay_as_they_were),
		TEST(making_it_takes_memory),
		TEST(a_change_costs_the_same_however_many_there_are),
		TEST(one_thread_hears_while_another_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
