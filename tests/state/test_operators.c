/* operators: the users of the command line become admins, and are written only when that is news.
 */
#include "state/operators.h"

#include <sodium.h>
#include <sys/stat.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "cheap.h"
#include "state/users_file.h"

static char error[USERS_ERROR_MAX];

static struct hashing *hashing; /* of all tests */
static struct ledger *ledger;

static int set_up(void **state)
{
	(void)state;
	hashing = hashing_new(1);
	ledger = ledger_new(1, NULL);
	return hashing == NULL || ledger == NULL || sodium_init() < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	ledger_free(ledger);
	hashing_free(hashing);
	return 0;
}

static const struct user_credentials carol = {"carol", "c:secret"};

static struct users *users_at(const char *path)
{
	struct users_backend file;
	struct users *u;

	if (path != NULL)
		file = users_file_backend(path);
	u = users_new(hashing, ledger, path == NULL ? NULL : &file);
	assert_non_null(u);
	hashing_set_most(hashing, 1);
	return u;
}

static struct users *users_without_a_file(void)
{
	return users_at(NULL);
}

static void load(struct users *u)
{
	if (users_load(u, error) < 0)
		fail_msg("%s", error);
}

/* Those of the file "users", with that line behind what it has. */
static struct users *users_with(const char *name, const char *password, const char *role)
{
	struct users *u = users_at("users");
	char hash[PASSWORD_HASH_SIZE];
	FILE *file = fopen("users", "a");

	assert_non_null(file);
	cheap_hash(password, hash);
	fprintf(file, "%s:%s:%s\n", name, hash, role);
	assert_int_equal(fclose(file), 0);
	load(u);
	return u;
}

static enum login_result log_in(
	struct users *u, const char *name, const char *password, int64_t deadline)
{
	struct login login = {.name = name,
		.name_len = strlen(name),
		.password = password,
		.password_len = strlen(password)};

	struct ledger_entry *entry = NULL;
	enum login_result result = users_login(u, &login, deadline, NULL, &entry);

	ledger_leave(entry, 0);
	return result;
}

static void assert_password(struct users *u, const char *name, const char *password)
{
	assert_int_equal(log_in(u, name, password, CLOCK_NEVER), LOGIN_OK);
}

static void put_carol(struct users *u)
{
	if (operators_put(u, hashing, &carol, 1, error) < 0)
		fail_msg("%s", error);
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void they_need_no_file(void **state)
{
	static const struct user_credentials two[] = {{"carol", "c"}, {"dave", "d"}};
	struct users *u = users_without_a_file();

	(void)state;
	assert_int_equal(operators_put(u, hashing, two, COUNT(two), error), 0);
	assert_int_equal(users_count(u), 2);
	assert_int_equal(users_count_admins(u), 2);
	assert_password(u, "carol", "c");
	assert_password(u, "dave", "d");
	assert_int_equal(log_in(u, "dave", "c", CLOCK_NEVER), LOGIN_REFUSED);
	users_free(u);
}

static void none_change_nothing(void **state)
{
	struct users *u = users_at("users");

	(void)state;
	assert_int_equal(operators_put(u, hashing, NULL, 0, error), 0);
	assert_int_equal(users_count(u), 0);
	assert_int_equal(access("users", F_OK), -1);
	users_free(u);
}

static void they_are_saved_as_admins(void **state)
{
	struct users *u = users_with("alice", "secret", "user"), *later = users_at("users");
	char *before = scratch_read("users"), *after;

	(void)state;
	put_carol(u);
	after = scratch_read("users");
	assert_begins(after, before);
	assert_begins(after + strlen(before), "carol:$y$");
	assert_string_equal(after + strlen(after) - 7, ":admin\n");
	assert_null(strstr(after, "c:secret"));
	load(later);
	assert_int_equal(users_count(later), 2);
	assert_password(later, "carol", "c:secret");
	free(before);
	free(after);
	users_free(u);
	users_free(later);
}

static void they_make_a_missing_file(void **state)
{
	struct users *u = users_at("users");
	struct stat st;

	(void)state;
	put_carol(u);
	assert_int_equal(stat("users", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	load(u);
	assert_int_equal(users_count(u), 1);
	users_free(u);
}

static void who_is_right_already_is_not_written(void **state)
{
	struct users *u = users_with("carol", "c:secret", "admin");
	ino_t before = inode_of("users");

	(void)state;
	put_carol(u);
	assert_true(inode_of("users") == before);
	assert_int_equal(users_count(u), 1);
	assert_true(operators_are_kept(u, &carol, 1));
	assert_false(
		operators_are_kept(u, (const struct user_credentials[]){carol, {"dave", "d"}}, 2));
	assert_true(users_are_given(u, "carol"));
	users_free(u);
}

static void check_carol_is_written_anew(const char *password, const char *role)
{
	struct users *u;
	ino_t before;
	char *text;

	scratch_write("users", "# ours\n");
	u = users_with("carol", password, role);
	before = inode_of("users");
	put_carol(u);
	assert_true(inode_of("users") != before);
	text = scratch_read("users");
	assert_begins(text, "# ours\ncarol:$y$");
	assert_contains(text, ":admin\n");
	assert_int_equal(users_count(u), 1);
	assert_password(u, "carol", "c:secret");
	free(text);
	users_free(u);
}

static void who_has_another_password_is_written_anew(void **state)
{
	(void)state;
	check_carol_is_written_anew("old", "admin");
}

static void who_was_a_plain_user_becomes_an_admin(void **state)
{
	(void)state;
	check_carol_is_written_anew("c:secret", "user");
}

static void they_need_no_turn_at_their_first_login(void **state)
{
	struct users *new = users_without_a_file();
	struct users *known = users_with("carol", "c:secret", "admin");

	(void)state;
	put_carol(new);
	put_carol(known);
	hashing_set_most(hashing, 0);
	assert_int_equal(log_in(new, "carol", "c:secret", 0), LOGIN_OK);
	assert_int_equal(log_in(new, "carol", "secret", 0), LOGIN_TOO_BUSY);
	assert_int_equal(log_in(known, "carol", "c:secret", 0), LOGIN_OK);
	users_free(new);
	users_free(known);
}

static void the_old_password_is_right_no_more(void **state)
{
	struct users *u = users_with("carol", "old", "user");

	(void)state;
	assert_password(u, "carol", "old");
	put_carol(u);
	assert_int_equal(log_in(u, "carol", "old", CLOCK_NEVER), LOGIN_REFUSED);
	hashing_set_most(hashing, 0);
	assert_int_equal(log_in(u, "carol", "old", 0), LOGIN_TOO_BUSY);
	users_free(u);
}

static void who_cannot_be_saved_is_an_error(void **state)
{
	struct users *u = users_at("missing/users");

	(void)state;
	assert_int_equal(operators_put(u, hashing, &carol, 1, error), -1);
	assert_begins(error, "missing/users: ");
	assert_int_equal(users_count(u), 0);
	users_free(u);
}

/* Last: it stops the bound on hashing of all tests. */
static void without_a_hash_there_is_none(void **state)
{
	struct users *u = users_without_a_file();

	(void)state;
	hashing_stop(hashing);
	assert_int_equal(operators_put(u, hashing, &carol, 1, error), -1);
	assert_begins(error, "carol: the password cannot be hashed: ");
	assert_int_equal(users_count(u), 0);
	users_free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_need_no_file),
		scratch_test(none_change_nothing),
		scratch_test(they_are_saved_as_admins),
		scratch_test(they_make_a_missing_file),
		scratch_test(who_is_right_already_is_not_written),
		scratch_test(who_has_another_password_is_written_anew),
		scratch_test(who_was_a_plain_user_becomes_an_admin),
		scratch_test(they_need_no_turn_at_their_first_login),
		scratch_test(the_old_password_is_right_no_more),
		scratch_test(who_cannot_be_saved_is_an_error),
		cmocka_unit_test(without_a_hash_there_is_none),
	};

	return cmocka_run_group_tests_name("state/operators", tests, set_up, tear_down);
}
