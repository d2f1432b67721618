/* users: logins, what needs a turn for a slow hash, reloading, operators; all of it under threads.
 */
#include "state/users.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "cheap.h"

static char error[USERS_ERROR_MAX];

static struct hashing *hashing; /* of all tests */

static int set_up(void **state)
{
	(void)state;
	hashing = hashing_new(2);
	return hashing == NULL || sodium_init() < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	hashing_free(hashing);
	return 0;
}

/* Adds a line to the file "users". */
static void put_line(const char *name, const char *hash, const char *role)
{
	FILE *file = fopen("users", "a");

	assert_non_null(file);
	fprintf(file, "%s:%s:%s\n", name, hash, role);
	assert_int_equal(fclose(file), 0);
}

static void put_user(const char *name, const char *password)
{
	char hash[PASSWORD_HASH_SIZE];

	cheap_hash(password, hash);
	put_line(name, hash, "user");
}

static struct users *nobody(void)
{
	struct users *u = users_new(hashing);

	assert_non_null(u);
	hashing_set_most(hashing, 2);
	return u;
}

static void load(struct users *u)
{
	if (users_load(u, "users", error) < 0)
		fail_msg("%s", error);
}

/* alice with the password "secret" and bob with "hunter2". */
static struct users *alice_and_bob(void)
{
	struct users *u = nobody();

	put_user("alice", "secret");
	put_user("bob", "hunter2");
	load(u);
	return u;
}

static enum login_result log_in_bytes(struct users *u, const char *name, size_t name_len,
	const char *password, size_t password_len, int64_t deadline)
{
	struct login login = {.name = name,
		.name_len = name_len,
		.password = password,
		.password_len = password_len};

	return users_login(u, &login, deadline, NULL);
}

static enum login_result log_in_until(
	struct users *u, const char *name, const char *password, int64_t deadline)
{
	return log_in_bytes(u, name, strlen(name), password, strlen(password), deadline);
}

static enum login_result log_in(struct users *u, const char *name, const char *password)
{
	return log_in_until(u, name, password, CLOCK_NEVER);
}

/* From now on, only what is answered without computing a hash gets another answer than BUSY. */
static void give_no_turns(void)
{
	hashing_set_most(hashing, 0);
}

/* ---- logging in ---- */

static void knows_nobody_at_first(void **state)
{
	struct users *u = nobody();

	(void)state;
	assert_int_equal(users_count(u), 0);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_REFUSED);
	assert_int_equal(log_in(u, "", ""), LOGIN_REFUSED);
	users_free(u);
	users_free(NULL);
}

static void right_passwords_log_in_and_no_others(void **state)
{
	static const struct {
		const char *name, *password;
		enum login_result expected;
	} rows[] = {{"alice", "secret", LOGIN_OK}, {"bob", "hunter2", LOGIN_OK},
		{"alice", "hunter2", LOGIN_REFUSED}, {"alice", "Secret", LOGIN_REFUSED},
		{"alice", "secret ", LOGIN_REFUSED}, {"alice", "secre", LOGIN_REFUSED},
		{"alice", "", LOGIN_REFUSED}, {"", "secret", LOGIN_REFUSED},
		{"", "", LOGIN_REFUSED}, {"Alice", "secret", LOGIN_REFUSED},
		{"alic", "secret", LOGIN_REFUSED}, {"alice2", "secret", LOGIN_REFUSED},
		{"mallory", "secret", LOGIN_REFUSED}, {"mallory", "hunter2", LOGIN_REFUSED}};
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(users_count(u), 2);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			if (log_in(u, rows[i].name, rows[i].password) != rows[i].expected)
				fail_msg("%s:%s", rows[i].name, rows[i].password);
		}
	}
	users_free(u);
}

static void nul_bytes_are_part_of_names_and_passwords(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(
			log_in_bytes(u, "alice", 5, "secret\0", 7, CLOCK_NEVER), LOGIN_REFUSED);
		assert_int_equal(
			log_in_bytes(u, "alice", 5, "secret\0x", 8, CLOCK_NEVER), LOGIN_REFUSED);
		assert_int_equal(log_in_bytes(u, "alice", 5, "\0", 1, CLOCK_NEVER), LOGIN_REFUSED);
		assert_int_equal(
			log_in_bytes(u, "alice\0", 6, "secret", 6, CLOCK_NEVER), LOGIN_REFUSED);
		assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	}
	users_free(u);
}

static void fields_may_have_255_bytes_and_no_more(void **state)
{
	struct users *u = nobody();
	char name[256], password[257], hash[PASSWORD_HASH_SIZE];

	(void)state;
	memset(name, 'n', 255);
	memset(password, 'p', 256);
	name[255] = password[255] = password[256] = '\0';
	cheap_hash_by("$6$", 1000, password, hash);
	put_line(name, hash, "user");
	load(u);
	assert_int_equal(log_in(u, name, password), LOGIN_OK);
	password[255] = 'p';
	assert_int_equal(log_in(u, name, password), LOGIN_REFUSED);
	users_free(u);
}

static void takes_hashes_of_each_method(void **state)
{
	struct users *u = nobody();
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	cheap_hash_by("$2y$", 4, "secret", hash);
	put_line("bcrypt", hash, "user");
	cheap_hash_by("$6$", 1000, "secret", hash);
	put_line("sha512", hash, "admin");
	cheap_hash_by("$y$", 1, "secret", hash);
	put_line("yescrypt", hash, "");
	load(u);
	assert_int_equal(log_in(u, "bcrypt", "secret"), LOGIN_OK);
	assert_int_equal(log_in(u, "sha512", "secret"), LOGIN_OK);
	assert_int_equal(log_in(u, "yescrypt", "secret"), LOGIN_OK);
	assert_int_equal(log_in(u, "yescrypt", "public"), LOGIN_REFUSED);
	users_free(u);
}

/* ---- turns ---- */

static void a_password_that_was_right_needs_no_turn(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	give_no_turns();
	for (int i = 0; i < 3; i++)
		assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	assert_int_equal(log_in_until(u, "alice", "public", 0), LOGIN_TOO_BUSY);
	assert_int_equal(log_in_bytes(u, "alice", 5, "secret\0", 7, 0), LOGIN_TOO_BUSY);
	assert_int_equal(log_in_until(u, "bob", "hunter2", 0), LOGIN_TOO_BUSY);
	assert_int_equal(log_in_until(u, "mallory", "secret", 0), LOGIN_TOO_BUSY);
	users_free(u);
}

static void a_wrong_password_is_not_remembered(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(log_in(u, "alice", "public"), LOGIN_REFUSED);
	assert_int_equal(log_in_bytes(u, "alice", 5, "secret\0", 7, CLOCK_NEVER), LOGIN_REFUSED);
	give_no_turns();
	assert_int_equal(log_in_until(u, "alice", "public", 0), LOGIN_TOO_BUSY);
	assert_int_equal(log_in_bytes(u, "alice", 5, "secret\0", 7, 0), LOGIN_TOO_BUSY);
	assert_int_equal(log_in_until(u, "alice", "secret", 0), LOGIN_TOO_BUSY);
	users_free(u);
}

static void a_past_deadline_does_not_wait_for_a_turn(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	give_no_turns();
	assert_int_equal(log_in_until(u, "alice", "secret", clock_ms()), LOGIN_TOO_BUSY);
	assert_int_equal(log_in_until(u, "alice", "secret", clock_deadline(1)), LOGIN_TOO_BUSY);
	hashing_set_most(hashing, 1);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	users_free(u);
}

/* ---- reloading ---- */

static void a_reload_keeps_what_was_right_under_the_same_hash(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	put_user("carol", "x");
	load(u);
	give_no_turns();
	assert_int_equal(users_count(u), 3);
	assert_int_equal(log_in_until(u, "alice", "secret", 0), LOGIN_OK);
	assert_int_equal(log_in_until(u, "bob", "hunter2", 0), LOGIN_TOO_BUSY);
	users_free(u);
}

static void a_reload_forgets_what_was_right_under_another_hash(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	scratch_write("users", "");
	put_user("alice", "changed");
	load(u);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_REFUSED);
	assert_int_equal(log_in(u, "alice", "changed"), LOGIN_OK);
	give_no_turns();
	assert_int_equal(log_in_until(u, "alice", "secret", 0), LOGIN_TOO_BUSY);
	assert_int_equal(log_in_until(u, "alice", "changed", 0), LOGIN_OK);
	users_free(u);
}

/* The same password, but somebody has set it anew: it is to be checked again. */
static void a_reload_forgets_under_a_new_salt(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	scratch_write("users", "");
	put_user("alice", "secret");
	load(u);
	give_no_turns();
	assert_int_equal(log_in_until(u, "alice", "secret", 0), LOGIN_TOO_BUSY);
	users_free(u);
}

static void removed_users_cannot_log_in_any_more(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	scratch_write("users", "");
	put_user("bob", "hunter2");
	load(u);
	assert_int_equal(users_count(u), 1);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_REFUSED);
	scratch_write("users", "# nobody\n");
	load(u);
	assert_int_equal(users_count(u), 0);
	assert_int_equal(log_in(u, "bob", "hunter2"), LOGIN_REFUSED);
	users_free(u);
}

static void a_bad_file_changes_nothing(void **state)
{
	static const struct {
		const char *line, *start;
	} rows[] = {
		{"nonsense", "users:3: expected NAME:HASH"},
		{"#\n\ncarol:plain", "users:5: the second field is no password hash"},
		{"alice:$2b$04$KBCwKxOzLha2MUDgW0PjXeFHhJ0cdbkQkB1FMR1qxwWRAVuEzLBPu",
			"users:3: this name was there already"},
		{"carol:$2b$04$KBCwKxOzLha2MUDgW0PjXeFHhJ0cdbkQkB1FMR1qxwWRAVuEzLBPu:boss",
			"users:3: the third field, the role, is neither user nor admin"},
	};
	struct users *u = alice_and_bob();
	char *good = scratch_read("users"), text[1024];

	(void)state;
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "%s%s\n", good, rows[i].line);
		scratch_write("users", text);
		assert_int_equal(users_load(u, "users", error), -1);
		assert_begins(error, rows[i].start);
	}
	assert_int_equal(users_load(u, "missing", error), -1);
	assert_string_equal(error, "missing: cannot be read: No such file or directory");
	assert_int_equal(users_count(u), 2);
	assert_int_equal(log_in(u, "bob", "hunter2"), LOGIN_OK);
	give_no_turns();
	assert_int_equal(log_in_until(u, "alice", "secret", 0), LOGIN_OK);
	free(good);
	users_free(u);
}

static void loads_10000_users(void **state)
{
	struct users *u = nobody();
	char hash[PASSWORD_HASH_SIZE];
	FILE *file = fopen("users", "w");

	(void)state;
	assert_non_null(file);
	cheap_hash("secret", hash);
	for (int i = 0; i < 10000; i++)
		fprintf(file, "user%d:%s:user\n", i, hash);
	assert_int_equal(fclose(file), 0);
	load(u);
	assert_int_equal(users_count(u), 10000);
	assert_int_equal(log_in(u, "user0", "secret"), LOGIN_OK);
	assert_int_equal(log_in(u, "user9999", "secret"), LOGIN_OK);
	assert_int_equal(log_in(u, "user10000", "secret"), LOGIN_REFUSED);
	users_free(u);
}

/* ---- operators ---- */

static const struct user_credentials carol = {"carol", "c:secret"};

static void add_carol(struct users *u, const char *path)
{
	if (users_add_operators(u, &carol, 1, path, error) < 0)
		fail_msg("%s", error);
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void operators_need_no_file(void **state)
{
	static const struct user_credentials two[] = {{"carol", "c"}, {"dave", "d"}};
	struct users *u = nobody();

	(void)state;
	assert_int_equal(users_add_operators(u, two, COUNT(two), NULL, error), 0);
	assert_int_equal(users_count(u), 2);
	assert_int_equal(log_in(u, "carol", "c"), LOGIN_OK);
	assert_int_equal(log_in(u, "dave", "d"), LOGIN_OK);
	assert_int_equal(log_in(u, "dave", "c"), LOGIN_REFUSED);
	users_free(u);
}

static void no_operators_change_nothing(void **state)
{
	struct users *u = nobody();

	(void)state;
	assert_int_equal(users_add_operators(u, NULL, 0, "users", error), 0);
	assert_int_equal(users_count(u), 0);
	assert_int_equal(access("users", F_OK), -1);
	users_free(u);
}

static void operators_are_saved_as_admins(void **state)
{
	struct users *u = alice_and_bob(), *later = nobody();
	char *before = scratch_read("users"), *after;

	(void)state;
	add_carol(u, "users");
	after = scratch_read("users");
	assert_begins(after, before);
	assert_begins(after + strlen(before), "carol:$y$");
	assert_string_equal(after + strlen(after) - 7, ":admin\n");
	assert_null(strstr(after, "c:secret"));
	load(later);
	assert_int_equal(users_count(later), 3);
	assert_int_equal(log_in(later, "carol", "c:secret"), LOGIN_OK);
	free(before);
	free(after);
	users_free(u);
	users_free(later);
}

static void operators_make_a_missing_file(void **state)
{
	struct users *u = nobody();
	struct stat st;

	(void)state;
	add_carol(u, "users");
	assert_int_equal(stat("users", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	load(u);
	assert_int_equal(users_count(u), 1);
	users_free(u);
}

static void operators_who_are_right_already_are_not_written(void **state)
{
	struct users *u = nobody();
	char hash[PASSWORD_HASH_SIZE];
	ino_t before;

	(void)state;
	cheap_hash("c:secret", hash);
	put_line("carol", hash, "admin");
	load(u);
	before = inode_of("users");
	add_carol(u, "users");
	assert_true(inode_of("users") == before);
	assert_int_equal(users_count(u), 1);
	users_free(u);
}

static void check_carol_is_written_anew(const char *password, const char *role)
{
	struct users *u = nobody();
	char hash[PASSWORD_HASH_SIZE], *text;
	ino_t before;

	scratch_write("users", "# ours\n");
	cheap_hash(password, hash);
	put_line("carol", hash, role);
	load(u);
	before = inode_of("users");
	add_carol(u, "users");
	assert_true(inode_of("users") != before);
	text = scratch_read("users");
	assert_begins(text, "# ours\ncarol:$y$");
	assert_contains(text, ":admin\n");
	assert_int_equal(users_count(u), 1);
	assert_int_equal(log_in(u, "carol", "c:secret"), LOGIN_OK);
	free(text);
	users_free(u);
}

static void operators_need_no_turn_at_their_first_login(void **state)
{
	struct users *u = nobody();

	(void)state;
	add_carol(u, NULL);
	give_no_turns();
	assert_int_equal(log_in_until(u, "carol", "c:secret", 0), LOGIN_OK);
	assert_int_equal(log_in_until(u, "carol", "secret", 0), LOGIN_TOO_BUSY);
	users_free(u);
}

static void operators_with_another_password_are_written_anew(void **state)
{
	(void)state;
	check_carol_is_written_anew("old", "admin");
}

static void operators_who_were_plain_users_become_admins(void **state)
{
	(void)state;
	check_carol_is_written_anew("c:secret", "user");
}

static void an_operator_s_old_password_is_right_no_more(void **state)
{
	struct users *u = nobody();

	(void)state;
	put_user("carol", "old");
	load(u);
	assert_int_equal(log_in(u, "carol", "old"), LOGIN_OK);
	add_carol(u, NULL);
	assert_int_equal(log_in(u, "carol", "old"), LOGIN_REFUSED);
	give_no_turns();
	assert_int_equal(log_in_until(u, "carol", "old", 0), LOGIN_TOO_BUSY);
	users_free(u);
}

static void operators_that_cannot_be_saved_are_an_error(void **state)
{
	struct users *u = nobody();

	(void)state;
	assert_int_equal(users_add_operators(u, &carol, 1, "missing/users", error), -1);
	assert_begins(error, "missing/users: ");
	users_free(u);
}

/* ---- rules ---- */

static void names_have_rules(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {{"a", true}, {"alice", true}, {"al.ice@example.org", true}, {"a#", true},
		{"\xc3\xa4", true}, {"\xff", true}, {"", false}, {"#a", false}, {"a:b", false},
		{":", false}, {"a b", false}, {" a", false}, {"a ", false}, {"a\t", false},
		{"a\n", false}, {"\r", false}, {"a\x01", false}, {"a\x7f", false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if ((users_name_problem(rows[i].name, strlen(rows[i].name)) == NULL) !=
			rows[i].good)
			fail_msg("\"%s\" is judged wrongly", rows[i].name);
	}
	assert_non_null(users_name_problem("a\0b", 3));
	assert_non_null(users_name_problem("\0", 1));
}

static void passwords_have_rules(void **state)
{
	static const struct {
		const char *password;
		bool good;
	} rows[] = {{"a", true}, {" ", true}, {"a b:c#d", true}, {"\xc3\xa4\xff", true},
		{"", false}, {"a\n", false}, {"\t", false}, {"a\x1f", false}, {"\x7f", false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if ((users_password_problem(rows[i].password) == NULL) != rows[i].good)
			fail_msg("\"%s\" is judged wrongly", rows[i].password);
	}
}

static void names_and_passwords_have_at_most_255_bytes(void **state)
{
	char text[257];

	(void)state;
	memset(text, 'a', 256);
	text[256] = '\0';
	assert_non_null(users_password_problem(text));
	assert_non_null(users_name_problem(text, 256));
	assert_null(users_name_problem(text, 255));
	text[255] = '\0';
	assert_null(users_password_problem(text));
}

/* ---- threads ---- */

#define THREADS 4
#define LOGINS 100
#define RELOADS 60

struct visitor {
	struct users *users;
	int wrong; /* answers that must not be */
	pthread_t thread;
};

/* alice is in every file, bob in every other one. */
static void *visit(void *context)
{
	struct visitor *v = context;

	for (int i = 0; i < LOGINS; i++) {
		v->wrong += log_in(v->users, "alice", "secret") != LOGIN_OK;
		v->wrong += log_in(v->users, "bob", "hunter2") == LOGIN_TOO_BUSY;
		if (i % 10 == 0)
			v->wrong += log_in(v->users, "alice", "public") != LOGIN_REFUSED;
	}
	return NULL;
}

static void logins_and_reloads_do_not_disturb_each_other(void **state)
{
	struct users *u = alice_and_bob();
	struct visitor visitors[THREADS];
	char *with_bob = scratch_read("users"), *alice_only = scratch_read("users");

	(void)state;
	strchr(alice_only, '\n')[1] = '\0';
	scratch_write("alice-only", alice_only);
	scratch_write("with-bob", with_bob);
	for (size_t i = 0; i < THREADS; i++) {
		visitors[i] = (struct visitor){.users = u};
		assert_int_equal(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
	}
	for (int i = 0; i < RELOADS; i++) {
		assert_int_equal(users_load(u, i % 2 == 0 ? "alice-only" : "with-bob", error), 0);
		hashing_set_most(hashing, 1 + (unsigned)i % 3);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(visitors[i].thread, NULL), 0);
		assert_int_equal(visitors[i].wrong, 0);
	}
	assert_int_equal(users_count(u), 2);
	free(with_bob);
	free(alice_only);
	users_free(u);
}

/* ---- what administrators do ---- */

static bool is_admin(struct users *u, const char *name, const char *password)
{
	struct login login = {.name = name,
		.name_len = strlen(name),
		.password = password,
		.password_len = strlen(password)};

	return users_login_admin(u, &login) == LOGIN_OK;
}

static void add(struct users *u, const char *name, const char *password, enum user_role role)
{
	struct user_credentials c = {.name = name, .password = password};

	if (users_add(u, &c, role, "users", error) < 0)
		fail_msg("%s", error);
}

static void an_added_user_is_in_the_file_and_logs_in_without_a_turn(void **state)
{
	struct users *u = alice_and_bob();
	char *text;

	(void)state;
	add(u, "carol", "s3cret", USER_ROLE_USER);
	give_no_turns();
	assert_int_equal(log_in_until(u, "carol", "s3cret", 0), LOGIN_OK);
	assert_int_equal(users_count(u), 3);
	text = scratch_read("users");
	assert_contains(text, "\ncarol:$y$");
	assert_contains(text, ":user\n");
	assert_null(strstr(text, "s3cret"));
	free(text);
	users_free(u);
}

static void nobody_is_added_twice(void **state)
{
	struct users *u = alice_and_bob();
	struct user_credentials c = {.name = "alice", .password = "other"};
	char *before = scratch_read("users");

	(void)state;
	assert_int_equal(users_add(u, &c, USER_ROLE_ADMIN, "users", error), -1);
	assert_string_equal(error, "alice exists already");
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	scratch_assert("users", before);
	free(before);
	users_free(u);
}

static void what_the_file_says_already_is_not_overwritten(void **state)
{
	struct users *u = alice_and_bob();
	struct user_credentials c = {.name = "carol", .password = "other"};

	(void)state;
	put_user("carol", "by hand");
	assert_int_equal(users_add(u, &c, USER_ROLE_ADMIN, "users", error), -1);
	assert_string_equal(error, "carol stands in the users file already: RELOAD reads it");
	load(u);
	assert_int_equal(log_in(u, "carol", "by hand"), LOGIN_OK);
	users_free(u);
}

static void a_new_password_replaces_the_old_one_and_keeps_the_role(void **state)
{
	struct users *u = nobody();
	struct user_credentials c = {.name = "alice", .password = "new one"};

	(void)state;
	add(u, "alice", "old", USER_ROLE_ADMIN);
	assert_int_equal(users_set_password(u, &c, "users", error), 0);
	assert_int_equal(log_in(u, "alice", "old"), LOGIN_REFUSED);
	assert_int_equal(log_in(u, "alice", "new one"), LOGIN_OK);
	assert_true(is_admin(u, "alice", "new one"));
	c.name = "bob";
	assert_int_equal(users_set_password(u, &c, "users", error), -1);
	assert_string_equal(error, "bob does not exist");
	load(u);
	assert_int_equal(log_in(u, "alice", "new one"), LOGIN_OK);
	users_free(u);
}

static void a_removed_user_is_gone_from_the_file_too(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	assert_int_equal(users_remove(u, "alice", "users", error), 0);
	assert_false(users_has(u, "alice", 5));
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_REFUSED);
	assert_int_equal(users_remove(u, "alice", "users", error), -1);
	assert_string_equal(error, "alice does not exist");
	load(u);
	assert_int_equal(users_count(u), 1);
	users_free(u);
}

static void the_last_admin_stays(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	add(u, "root", "x", USER_ROLE_ADMIN);
	assert_int_equal(users_remove(u, "root", "users", error), -1);
	assert_string_equal(error, "root is the last admin and stays");
	add(u, "boss", "y", USER_ROLE_ADMIN);
	assert_int_equal(users_remove(u, "root", "users", error), 0);
	assert_int_equal(users_remove(u, "boss", "users", error), -1);
	users_free(u);
}

static void what_cannot_be_saved_does_not_happen(void **state)
{
	struct users *u = alice_and_bob();
	struct user_credentials new = {.name = "carol", .password = "x"};
	struct user_credentials alice = {.name = "alice", .password = "x"};

	(void)state;
	assert_int_equal(users_add(u, &new, USER_ROLE_USER, "/nonexistent/users", error), -1);
	assert_contains(error, "/nonexistent/users: ");
	assert_int_equal(users_set_password(u, &alice, "/nonexistent/users", error), -1);
	assert_int_equal(users_remove(u, "bob", "/nonexistent/users", error), -1);
	assert_false(users_has(u, "carol", 5));
	assert_true(users_has(u, "bob", 3));
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	users_free(u);
}

static void only_admins_are_admins(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	add(u, "root", "x", USER_ROLE_ADMIN);
	/* Whoever was right before, as a user, is still not one. */
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	assert_false(is_admin(u, "alice", "secret"));
	assert_false(is_admin(u, "root", "y"));
	assert_false(is_admin(u, "mallory", "x"));
	assert_true(is_admin(u, "root", "x"));
	users_free(u);
}

static void an_admin_who_is_known_needs_no_turn(void **state)
{
	struct users *u = nobody();

	(void)state;
	add(u, "root", "x", USER_ROLE_ADMIN);
	give_no_turns();
	assert_true(is_admin(u, "root", "x"));
	users_free(u);
}

struct told {
	struct users *users;
	_Atomic(bool) told;
};

static void *log_in_until_told(void *context)
{
	struct told *t = context;
	struct login login = {
		.name = "alice", .name_len = 5, .password = "secret", .password_len = 6};

	return (void *)(uintptr_t)users_login(t->users, &login, CLOCK_NEVER, &t->told);
}

static void whoever_is_told_waits_no_longer(void **state)
{
	struct told t = {.users = alice_and_bob()};
	pthread_t thread;
	void *result;

	(void)state;
	give_no_turns();
	assert_int_equal(pthread_create(&thread, NULL, log_in_until_told, &t), 0);
	atomic_store(&t.told, true);
	hashing_wake(hashing);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_int_equal((uintptr_t)result, LOGIN_TOO_BUSY);
	users_free(t.users);
}

static void logins_and_bytes_are_counted_and_survive_a_reload(void **state)
{
	struct users *u = alice_and_bob();
	struct user_info info;

	(void)state;
	assert_true(users_get(u, "alice", &info));
	assert_int_equal(info.last_login, 0);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	assert_int_equal(log_in(u, "alice", "wrong"), LOGIN_REFUSED);
	users_count_bytes(u, "alice", 5, 10, 200);
	users_count_bytes(u, "alice", 5, 1, 2);
	users_count_bytes(u, "nobody", 6, 1, 2);
	load(u);
	assert_true(users_get(u, "alice", &info));
	assert_int_equal(info.logins, 2);
	assert_int_equal(info.sent, 11);
	assert_int_equal(info.received, 202);
	assert_true(info.last_login > 0);
	assert_int_equal(info.role, USER_ROLE_USER);
	assert_true(users_get(u, "bob", &info));
	assert_int_equal(info.logins, 0);
	assert_false(users_get(u, "nobody", &info));
	users_free(u);
}

static void names_come_by_the_alphabet(void **state)
{
	static const char *const expected[] = {"Zoe", "alice", "bob", "carol"};
	struct users *u = alice_and_bob();
	const char **names;
	size_t count;

	(void)state;
	put_user("carol", "x");
	put_user("Zoe", "x");
	load(u);
	names = users_names(u, &count);
	assert_int_equal(count, COUNT(expected));
	for (size_t i = 0; i < count; i++)
		assert_string_equal(names[i], expected[i]);
	free(names);
	users_free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_nobody_at_first),
		scratch_test(right_passwords_log_in_and_no_others),
		scratch_test(nul_bytes_are_part_of_names_and_passwords),
		scratch_test(fields_may_have_255_bytes_and_no_more),
		scratch_test(takes_hashes_of_each_method),
		scratch_test(a_password_that_was_right_needs_no_turn),
		scratch_test(a_wrong_password_is_not_remembered),
		scratch_test(a_past_deadline_does_not_wait_for_a_turn),
		scratch_test(a_reload_keeps_what_was_right_under_the_same_hash),
		scratch_test(a_reload_forgets_what_was_right_under_another_hash),
		scratch_test(a_reload_forgets_under_a_new_salt),
		scratch_test(removed_users_cannot_log_in_any_more),
		scratch_test(a_bad_file_changes_nothing),
		scratch_test(loads_10000_users),
		cmocka_unit_test(operators_need_no_file),
		scratch_test(no_operators_change_nothing),
		scratch_test(operators_are_saved_as_admins),
		scratch_test(operators_make_a_missing_file),
		scratch_test(operators_who_are_right_already_are_not_written),
		cmocka_unit_test(operators_need_no_turn_at_their_first_login),
		scratch_test(operators_with_another_password_are_written_anew),
		scratch_test(operators_who_were_plain_users_become_admins),
		scratch_test(an_operator_s_old_password_is_right_no_more),
		scratch_test(operators_that_cannot_be_saved_are_an_error),
		cmocka_unit_test(names_have_rules),
		cmocka_unit_test(passwords_have_rules),
		cmocka_unit_test(names_and_passwords_have_at_most_255_bytes),
		scratch_test(logins_and_reloads_do_not_disturb_each_other),
		scratch_test(an_added_user_is_in_the_file_and_logs_in_without_a_turn),
		scratch_test(nobody_is_added_twice),
		scratch_test(what_the_file_says_already_is_not_overwritten),
		scratch_test(a_new_password_replaces_the_old_one_and_keeps_the_role),
		scratch_test(a_removed_user_is_gone_from_the_file_too),
		scratch_test(the_last_admin_stays),
		scratch_test(what_cannot_be_saved_does_not_happen),
		scratch_test(only_admins_are_admins),
		scratch_test(an_admin_who_is_known_needs_no_turn),
		scratch_test(whoever_is_told_waits_no_longer),
		scratch_test(logins_and_bytes_are_counted_and_survive_a_reload),
		scratch_test(names_come_by_the_alphabet),
	};

	return cmocka_run_group_tests_name("state/users", tests, set_up, tear_down);
}
