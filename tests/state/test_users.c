/* users: logins, what needs a turn for a slow hash, reloading, changes and what they ask of the
 * backend; all of it under threads. */
#include "state/users.h"
#include "state/users_parts.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "../base/faults.h"
#include "../base/scratch.h"
#include "backend.h"
#include "base/clock.h"
#include "cheap.h"
#include "state/users_file.h"

static char error[USERS_ERROR_MAX];

/* What happens when a password was just checked, and is wiped. */
static void (*meanwhile)(void);

void __real_sodium_memzero(void *memory, size_t size);
void __wrap_sodium_memzero(void *memory, size_t size);

void __wrap_sodium_memzero(void *memory, size_t size)
{
	__real_sodium_memzero(memory, size);
	if (meanwhile != NULL)
		meanwhile();
}

/* The methods of the hashes that a password was compared with, " $2b$ $y$". */
static char compared[256];
static int lacking; /* the comparison that there is no memory for; 0: none */

int __real_password_check(const char *password, const char *hash, bool *matches);
int __wrap_password_check(const char *password, const char *hash, bool *matches);

static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;

/* False when there is no memory for it. */
static bool note_comparison(const char *hash)
{
	size_t len;
	bool lacks;

	pthread_mutex_lock(&noting);
	len = strlen(compared);
	if (len < sizeof(compared) / 2)
		snprintf(compared + len, sizeof(compared) - len, " %.*s",
			(int)(strchr(hash + 1, '$') - hash + 1), hash);
	lacks = lacking > 0 && --lacking == 0;
	pthread_mutex_unlock(&noting);
	return !lacks;
}

int __wrap_password_check(const char *password, const char *hash, bool *matches)
{
	return note_comparison(hash) ? __real_password_check(password, hash, matches) : -1;
}

static struct hashing *hashing; /* of all tests */
static struct ledger *ledger;

static int set_up(void **state)
{
	(void)state;
	hashing = hashing_new(2);
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

/* Nobody yet, with the file at `path` behind them; NULL: with nothing. */
static struct users *nobody_at(const char *path)
{
	struct users_backend file;
	struct users *u;

	if (path != NULL)
		file = users_file_backend(path);
	u = users_new(hashing, ledger, path == NULL ? NULL : &file);
	assert_non_null(u);
	hashing_set_most(hashing, 2);
	return u;
}

static struct users *nobody(void)
{
	return nobody_at("users");
}

static void load(struct users *u)
{
	if (users_load(u, error) < 0)
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

	struct ledger_entry *entry = NULL;
	enum login_result result = users_login(u, &login, deadline, NULL, &entry);

	ledger_leave(entry, 0);
	return result;
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

static void tells_which_names_are_users(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_true(users_have(u, "alice", 5));
	assert_false(users_have(u, "alice", 4));
	assert_false(users_have(u, "alice\0", 6));
	assert_false(users_have(u, "", 0));
	assert_int_equal(users_remove(u, "alice", error), 0);
	assert_false(users_have(u, "alice", 5));
	users_free(u);
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

static void an_empty_password_is_wrong_without_a_turn(void **state)
{
	struct users *u = alice_and_bob();
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	cheap_hash("", hash); /* as an editor could have put it there */
	put_line("carol", hash, "admin");
	load(u);
	give_no_turns();
	assert_int_equal(log_in_until(u, "alice", "", 0), LOGIN_REFUSED);
	assert_int_equal(log_in_until(u, "carol", "", 0), LOGIN_REFUSED);
	assert_int_equal(log_in_until(u, "mallory", "", 0), LOGIN_REFUSED);
	assert_int_equal(log_in_until(u, "alice", "secret", 0), LOGIN_TOO_BUSY);
	users_free(u);
}

#define CROWD 6

struct comer {
	struct users *users;
	const char *name, *password;
	enum login_result result;
	pthread_t thread;
};

static void *come(void *context)
{
	struct comer *c = context;

	c->result = log_in(c->users, c->name, c->password);
	return NULL;
}

/* In what order they come does not matter: all want the same, and whoever comes late finds it
 * remembered, if it is right. */
static void the_same_login_of_many_is_one_hash(void **state)
{
	struct users *u = alice_and_bob();
	struct comer crowd[CROWD];

	(void)state;
	give_no_turns();
	*compared = '\0';
	for (size_t i = 0; i < CROWD; i++) {
		crowd[i] = (struct comer){.users = u, .name = "alice", .password = "secret"};
		assert_int_equal(pthread_create(&crowd[i].thread, NULL, come, &crowd[i]), 0);
	}
	hashing_set_most(hashing, 2);
	for (size_t i = 0; i < CROWD; i++) {
		assert_int_equal(pthread_join(crowd[i].thread, NULL), 0);
		assert_int_equal(crowd[i].result, LOGIN_OK);
	}
	assert_string_equal(compared, " $2b$");
	users_free(u);
}

static void want_of_memory_is_no_wrong_password(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	lacking = 1;
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_NO_MEMORY);
	lacking = 1;
	assert_int_equal(log_in(u, "mallory", "secret"), LOGIN_NO_MEMORY);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	users_free(u);
}

/* ---- hashes of several kinds ---- */

static void put_user_by(const char *method, unsigned long cost, const char *name, const char *role)
{
	char hash[PASSWORD_HASH_SIZE];

	cheap_hash_by(method, cost, "secret", hash);
	put_line(name, hash, role);
}

static void expect_compared(
	struct users *u, const char *name, const char *password, const char *with)
{
	*compared = '\0';
	(void)log_in(u, name, password);
	if (strcmp(compared, with) != 0)
		fail_msg("%s:%s was compared with%s", name, password, compared);
}

static void expect_admin_compared(
	struct users *u, const char *name, const char *password, const char *with)
{
	struct login login = {.name = name,
		.name_len = strlen(name),
		.password = password,
		.password_len = strlen(password)};

	*compared = '\0';
	(void)users_login_admin(u, &login);
	if (strcmp(compared, with) != 0)
		fail_msg("%s:%s was compared with%s", name, password, compared);
}

/* $6$ of the fewest rounds is the cheaper one by far. */
static void who_fails_pays_for_the_dearest_kind_whoever_he_says_he_is(void **state)
{
	struct users *u = nobody();

	(void)state;
	put_user_by("$6$", 1000, "cheap", "admin");
	put_user_by("$2b$", 8, "dear", "user");
	load(u);
	assert_true(users_have_mixed_hashes(u));
	expect_compared(u, "cheap", "wrong", " $6$ $2b$");
	expect_compared(u, "dear", "wrong", " $2b$");
	expect_compared(u, "mallory", "wrong", " $2b$");
	expect_admin_compared(u, "cheap", "wrong", " $6$ $2b$");
	expect_admin_compared(u, "dear", "secret", " $2b$");
	expect_admin_compared(u, "mallory", "wrong", " $2b$");
	/* Who is right pays his own. */
	expect_compared(u, "cheap", "secret", " $6$");
	expect_compared(u, "dear", "secret", " $2b$");
	users_free(u);
}

static void kinds_come_and_go_with_the_users(void **state)
{
	struct users *u = nobody();
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	put_user_by("$6$", 1000, "cheap", "admin");
	load(u);
	assert_false(users_have_mixed_hashes(u));
	expect_compared(u, "cheap", "wrong", " $6$");
	expect_compared(u, "mallory", "wrong", " $6$");
	cheap_hash_by("$2b$", 8, "secret", hash);
	assert_int_equal(users_add(u, "dear", hash, USER_ROLE_ADMIN, error), 0);
	assert_true(users_have_mixed_hashes(u));
	expect_compared(u, "cheap", "wrong", " $6$ $2b$");
	expect_compared(u, "mallory", "wrong", " $2b$");
	assert_int_equal(users_set_password(u, "cheap", hash, error), 0);
	assert_false(users_have_mixed_hashes(u));
	expect_compared(u, "cheap", "wrong", " $2b$");
	cheap_hash_by("$6$", 1000, "secret", hash);
	assert_int_equal(users_set_password(u, "cheap", hash, error), 0);
	assert_int_equal(users_remove(u, "dear", error), 0);
	assert_false(users_have_mixed_hashes(u));
	expect_compared(u, "cheap", "wrong", " $6$");
	expect_compared(u, "mallory", "wrong", " $6$");
	load(u);
	expect_compared(u, "mallory", "wrong", " $6$");
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
		assert_int_equal(users_load(u, error), -1);
		assert_begins(error, rows[i].start);
	}
	assert_int_equal(unlink("users"), 0);
	assert_int_equal(mkdir("users", 0700), 0);
	assert_int_equal(users_load(u, error), -1);
	assert_string_equal(error, "users: cannot be read: Is a directory");
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

/* ---- rules ---- */

static void names_have_rules(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {{"a", true}, {"alice", true}, {"al.ice@example.org", true}, {"a#", true},
		{"\xc3\xa4", true}, {"\xff", true}, {"", false}, {"#a", false}, {"a:b", false},
		{":", false}, {"a b", false}, {" a", false}, {"a ", false}, {"a\t", false},
		{"a\n", false}, {"\r", false}, {"a\x01", false}, {"a\x7f", false}, {"a@", true},
		{"@a", false}, {"a,b", false}, {"a\"", false}, {"o'brien", true}, {"*", false},
		{"**", true}, {"-", false}, {"-a", true}, {"anonymous", false},
		{"Anonymous", false}, {"ANONYMOUS", false}, {"anonymous2", true}, {"known", false},
		{"Known", false}, {"unknown", true}, {"192.0.2.1", false}, {"192.0.2.0/24", false},
		{"10", true}, {"::1", false}, {"fe80", true}, {"\xef\xbb\xbf@", false},
		{"a\xef\xbb\xbf", true}, {"\xff\xfe@", false}, {"\xfe\xff", false}};

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
		assert_int_equal(unlink("users"), 0);
		assert_int_equal(link(i % 2 == 0 ? "alice-only" : "with-bob", "users"), 0);
		load(u);
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

/* ---- changes ---- */

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
	char hash[PASSWORD_HASH_SIZE];

	cheap_hash(password, hash);
	if (users_add(u, name, hash, role, error) < 0)
		fail_msg("%s", error);
	users_remember(u, &c, hash);
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
	assert_contains(text, "\ncarol:$2b$");
	assert_contains(text, ":user\n");
	free(text);
	users_free(u);
}

static void a_password_is_not_remembered_under_another_hash(void **state)
{
	struct users *u = alice_and_bob();
	struct user_credentials c = {.name = "alice", .password = "other"};
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	cheap_hash("other", hash);
	users_remember(u, &c, hash);
	give_no_turns();
	assert_int_equal(log_in_until(u, "alice", "other", 0), LOGIN_TOO_BUSY);
	users_free(u);
}

static void nobody_is_added_twice(void **state)
{
	struct users *u = alice_and_bob();
	char *before = scratch_read("users");

	(void)state;
	assert_int_equal(users_add(u, "alice", "h", USER_ROLE_ADMIN, error), -1);
	assert_string_equal(error, "alice exists already");
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	scratch_assert("users", before);
	free(before);
	users_free(u);
}

static void what_the_file_says_already_is_not_overwritten(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	put_user("carol", "by hand");
	assert_int_equal(users_add(u, "carol", "h", USER_ROLE_ADMIN, error), -1);
	assert_string_equal(error, "users was changed: RELOAD first");
	load(u);
	assert_int_equal(log_in(u, "carol", "by hand"), LOGIN_OK);
	users_free(u);
}

static void a_new_password_replaces_the_old_one_and_keeps_the_role(void **state)
{
	struct users *u = nobody();
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	add(u, "alice", "old", USER_ROLE_ADMIN);
	cheap_hash("new one", hash);
	assert_int_equal(users_set_password(u, "alice", hash, error), 0);
	assert_int_equal(log_in(u, "alice", "old"), LOGIN_REFUSED);
	assert_int_equal(log_in(u, "alice", "new one"), LOGIN_OK);
	assert_true(is_admin(u, "alice", "new one"));
	assert_int_equal(users_set_password(u, "bob", hash, error), -1);
	assert_string_equal(error, "bob does not exist");
	load(u);
	assert_int_equal(log_in(u, "alice", "new one"), LOGIN_OK);
	users_free(u);
}

static void whoever_is_made_an_admin_is_one_known_or_not(void **state)
{
	struct users *u = alice_and_bob();
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	cheap_hash("new", hash);
	assert_int_equal(users_set_admin(u, "alice", hash, error), 0);
	assert_int_equal(users_set_admin(u, "carol", hash, error), 0);
	assert_int_equal(users_count(u), 3);
	load(u);
	assert_true(is_admin(u, "alice", "new"));
	assert_true(is_admin(u, "carol", "new"));
	assert_false(is_admin(u, "alice", "secret"));
	users_free(u);
}

static void a_removed_user_is_gone_from_the_file_too(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	assert_int_equal(users_remove(u, "alice", error), 0);
	assert_int_equal(users_count(u), 1);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_REFUSED);
	assert_int_equal(users_remove(u, "alice", error), -1);
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
	assert_int_equal(users_remove(u, "root", error), -1);
	assert_string_equal(error, "root is the last admin and stays");
	add(u, "boss", "y", USER_ROLE_ADMIN);
	assert_int_equal(users_remove(u, "root", error), 0);
	assert_int_equal(users_remove(u, "boss", error), -1);
	users_free(u);
}

static void the_last_admin_keeps_the_role(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_int_equal(users_set_role(u, "root", USER_ROLE_ADMIN, error), -1);
	assert_string_equal(error, "root does not exist");
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	assert_int_equal(users_set_role(u, "alice", USER_ROLE_ADMIN, error), 0);
	assert_int_equal(users_set_role(u, "alice", USER_ROLE_USER, error), -1);
	assert_string_equal(error, "alice is the last admin and stays one");
	assert_int_equal(users_set_role(u, "bob", USER_ROLE_ADMIN, error), 0);
	assert_int_equal(users_set_role(u, "alice", USER_ROLE_USER, error), 0);
	assert_int_equal(users_count_admins(u), 1);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	users_free(u);
}

static void without_a_backend_users_are_in_memory_only(void **state)
{
	struct users *u = nobody_at(NULL), *kept = nobody();

	(void)state;
	assert_false(users_are_kept(u));
	assert_true(users_are_kept(kept));
	add(u, "carol", "x", USER_ROLE_USER);
	assert_int_equal(users_load(u, error), 0);
	assert_int_equal(users_count(u), 1);
	assert_int_equal(log_in(u, "carol", "x"), LOGIN_OK);
	assert_int_equal(users_remove(u, "carol", error), 0);
	assert_int_equal(users_count(u), 0);
	users_free(u);
	users_free(kept);
}

/* ---- what is asked of the backend, and what happens when that or memory fails ---- */

static const struct user_record known[] = {
	{"alice", 5, "A", USER_ROLE_USER, "sessions=5 rate=1MB", false},
	{"root", 4, "R", USER_ROLE_ADMIN, "", false}, {"boss", 4, "B", USER_ROLE_ADMIN, "", false}};

static struct users *users_of(struct fake_backend *f)
{
	struct users_backend backend = fake_backend(f);
	struct users *u = users_new(hashing, ledger, &backend);

	assert_non_null(u);
	f->users = known;
	f->count = COUNT(known);
	load(u);
	return u;
}

static void the_backend_gets_whole_users(void **state)
{
	struct fake_backend f = {.fails = false};
	struct users *u = users_of(&f);

	(void)state;
	assert_int_equal(users_set_password(u, "alice", "A2", error), 0);
	assert_int_equal(users_set_admin(u, "alice", "A3", error), 0);
	assert_int_equal(users_set_password(u, "alice", "A4", error), 0);
	assert_int_equal(users_set_role(u, "alice", USER_ROLE_USER, error), 0);
	assert_int_equal(users_add(u, "carol", "C", USER_ROLE_USER, error), 0);
	assert_int_equal(users_remove(u, "root", error), 0);
	assert_string_equal(f.asked,
		"save alice A2 user sessions=5 rate=1MB; save alice A3 admin sessions=5 rate=1MB; "
		"save alice A4 admin sessions=5 rate=1MB; save alice A4 user sessions=5 rate=1MB; "
		"save carol C user; remove root; ");
	users_free(u);
}

static void groups_are_whose_line_says_them(void **state)
{
	static const struct user_record members[] = {
		{"alice", 5, "A", USER_ROLE_USER, "groups=staff,night", false},
		{"bob", 3, "B", USER_ROLE_USER, "groups=nightly", false},
		{"carol", 5, "C", USER_ROLE_USER, "", false}};
	struct fake_backend f = {.fails = false};
	struct users *u = users_of(&f);

	(void)state;
	f.users = members;
	f.count = COUNT(members);
	load(u);
	assert_true(users_is_in_group(u, "alice", "night"));
	assert_false(users_is_in_group(u, "bob", "night"));
	assert_false(users_is_in_group(u, "carol", "night"));
	assert_false(users_is_in_group(u, "dave", "night"));
	assert_true(users_have_group(u, "nightly"));
	assert_false(users_have_group(u, "day"));
	users_free(u);
}

static void each_user_is_counted_by_how_he_is(void **state)
{
	struct users *u = users_new(hashing, ledger, NULL);
	struct limit_book *book = limit_book_new();
	size_t counts[USER_STATES];

	(void)state;
	assert_non_null(u);
	assert_non_null(book);
	assert_int_equal(users_follow(u, book), 0);
	add(u, "alice", "secret", USER_ROLE_USER);
	add(u, "bob", "secret", USER_ROLE_ADMIN);
	assert_int_equal(users_add_limited(u, "carol", "*", "disabled=yes", error), 0);
	assert_int_equal(users_add_limited(u, "dave", "*", "expires=2001-02-03", error), 0);
	assert_int_equal(users_add_limited(u, "erin", "*", "expires=2101-02-03", error), 0);
	ledger_join_user(users_find(u, "alice", 5)->entry);
	users_count_states(u, 1752576039, counts);
	assert_int_equal(counts[USER_ACTIVE], 1);
	assert_int_equal(counts[USER_IDLE], 2);
	assert_int_equal(counts[USER_DISABLED], 1);
	assert_int_equal(counts[USER_EXPIRED], 1);
	ledger_leave(users_find(u, "alice", 5)->entry, 0);
	users_free(u);
	limit_book_free(book);
}

/* The users there are, as "alice user, root admin". */
static const char *all_users(struct users *u)
{
	static char text[256];
	struct user_info info;
	const char **names;
	size_t count;

	text[0] = '\0';
	names = users_names(u, &count);
	assert_non_null(names);
	assert_int_equal(count, users_count(u));
	for (size_t i = 0; i < count; i++) {
		assert_true(users_get(u, names[i], &info));
		strcat(strcat(text, i == 0 ? "" : ", "), names[i]);
		strcat(text, info.role == USER_ROLE_ADMIN ? " admin" : " user");
	}
	free(names);
	return text;
}

#define ALL_KNOWN "alice user, boss admin, root admin"

typedef int change_function(struct users *u);

static int change_by_adding(struct users *u)
{
	return users_add(u, "carol", "C", USER_ROLE_USER, error);
}

static int change_a_password(struct users *u)
{
	return users_set_password(u, "alice", "A2", error);
}

static int change_a_role(struct users *u)
{
	return users_set_role(u, "alice", USER_ROLE_ADMIN, error);
}

static int change_by_making_an_admin(struct users *u)
{
	return users_set_admin(u, "alice", "A2", error);
}

static int change_by_removing(struct users *u)
{
	return users_remove(u, "root", error);
}

static int change_by_loading(struct users *u)
{
	return users_load(u, error);
}

static change_function *const changes[] = {change_by_adding, change_a_password, change_a_role,
	change_by_making_an_admin, change_by_removing, change_by_loading};

static void what_the_backend_refuses_does_not_happen(void **state)
{
	struct fake_backend f = {.fails = false};
	struct users *u = users_of(&f);

	(void)state;
	f.count = 0;
	f.fails = true;
	for (size_t i = 0; i < COUNT(changes); i++) {
		assert_int_equal(changes[i](u), -1);
		assert_string_equal(error, "it fails");
		assert_string_equal(all_users(u), ALL_KNOWN);
	}
	users_free(u);
}

/* Whichever allocation fails: the backend was asked for nothing by then, or all is done. */
static void without_memory_nothing_happens(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		int result = -1;

		for (int n = 1; result < 0; n++) {
			struct fake_backend f = {.fails = false};
			struct users *u = users_of(&f);

			faults_fail(n);
			result = changes[i](u);
			assert_int_equal(result < 0, faults_struck());
			if (result < 0) {
				assert_contains(error, "out of memory");
				assert_string_equal(all_users(u), ALL_KNOWN);
				assert_string_equal(f.asked, "");
			}
			users_free(u);
		}
	}
}

static void users_need_memory_to_begin_with(void **state)
{
	struct users *u = NULL;

	(void)state;
	for (int n = 1; u == NULL; n++) {
		faults_fail(n);
		u = users_new(hashing, ledger, NULL);
		assert_int_equal(u == NULL, faults_struck());
	}
	users_free(u);
}

static void what_was_read_has_no_effect_until_it_is_put_there(void **state)
{
	struct users *u = alice_and_bob();
	struct users_draft *draft;

	(void)state;
	put_user("carol", "x");
	draft = users_read(u, error);
	assert_non_null(draft);
	assert_int_equal(users_draft_count(draft), 3);
	assert_int_equal(users_count(u), 2);
	users_draft_free(draft);
	users_draft_free(NULL);
	assert_int_equal(users_count(u), 2);
	draft = users_read(u, error);
	assert_non_null(draft);
	(void)users_put_into_effect(u, draft, NULL, NULL);
	assert_int_equal(users_count(u), 3);
	assert_int_equal(log_in(u, "carol", "x"), LOGIN_OK);
	users_free(u);
}

static void note_farewell(void *context, const char *name, size_t len, bool has_sessions)
{
	char *names = context;

	assert_int_equal(strlen(name), len);
	strcat(strcat(names, name), has_sessions ? " with sessions, " : ", ");
}

static void whoever_is_gone_is_told_of(void **state)
{
	struct users *u = alice_and_bob();
	struct ledger_entry *bob = NULL;
	struct login login = {
		.name = "bob", .name_len = 3, .password = "hunter2", .password_len = 7};
	struct users_draft *draft;
	struct users_difference d;
	char names[64] = "";

	(void)state;
	assert_int_equal(users_login(u, &login, CLOCK_NEVER, NULL, &bob), LOGIN_OK);
	assert_int_equal(unlink("users"), 0);
	put_user("bob", "another password");
	draft = users_read(u, error);
	d = users_put_into_effect(u, draft, note_farewell, names);
	assert_int_equal(d.added, 0);
	assert_int_equal(d.changed, 1);
	assert_int_equal(d.gone, 1);
	assert_string_equal(names, "alice, ");
	assert_false(ledger_has_retired(bob));
	assert_int_equal(unlink("users"), 0);
	put_user("carol", "x");
	draft = users_read(u, error);
	d = users_put_into_effect(u, draft, note_farewell, names);
	assert_int_equal(d.added, 1);
	assert_int_equal(d.changed, 0);
	assert_int_equal(d.gone, 1);
	assert_string_equal(names, "alice, bob with sessions, ");
	assert_true(ledger_has_retired(bob));
	ledger_leave(bob, 0);
	users_free(u);
}

static void who_is_given_is_known_whatever_becomes_of_him(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	assert_false(users_are_given(u, NULL));
	assert_false(users_are_given(u, "bob"));
	assert_int_equal(users_note_given(u, "bob"), 0);
	assert_int_equal(users_note_given(u, "bob"), 0);
	assert_int_equal(users_note_given(u, "carol"), 0);
	assert_int_equal(users_remove(u, "bob", error), 0);
	assert_true(users_are_given(u, NULL));
	assert_true(users_are_given(u, "bob"));
	assert_true(users_are_given(u, "carol"));
	assert_false(users_are_given(u, "alice"));
	users_free(u);
}

/* ---- admins ---- */

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

	struct ledger_entry *entry;

	return (void *)(uintptr_t)users_login(t->users, &login, CLOCK_NEVER, &t->told, &entry);
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

/* ---- what lives ---- */

static struct ledger_figures figures_of(struct users *u, const char *name)
{
	struct user_info info;

	assert_true(users_get(u, name, &info));
	return info.figures;
}

/* A session of hers begins. */
static struct ledger_entry *enter(struct users *u, const char *name, const char *password)
{
	struct login login = {.name = name,
		.name_len = strlen(name),
		.password = password,
		.password_len = strlen(password)};
	struct ledger_entry *entry;

	assert_int_equal(users_login(u, &login, CLOCK_NEVER, NULL, &entry), LOGIN_OK);
	return entry;
}

static void change_password(struct users *u, const char *name, const char *password)
{
	char hash[PASSWORD_HASH_SIZE];

	cheap_hash(password, hash);
	assert_int_equal(users_set_password(u, name, hash, error), 0);
}

static void sessions_live_through_reloads_and_new_passwords(void **state)
{
	struct users *u = alice_and_bob();
	struct ledger_entry *session;

	(void)state;
	assert_int_equal(figures_of(u, "alice").last_login, 0);
	assert_int_equal(log_in(u, "alice", "wrong"), LOGIN_REFUSED);
	assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	session = enter(u, "alice", "secret");
	atomic_fetch_add(&ledger_tally(session)->sent, 10);
	load(u);
	change_password(u, "alice", "new");
	load(u);
	atomic_fetch_add(&ledger_tally(session)->received, 200);
	assert_false(ledger_has_retired(session));
	assert_int_equal(figures_of(u, "alice").sessions, 1);
	assert_int_equal(figures_of(u, "alice").total, 2);
	assert_int_equal(figures_of(u, "alice").sent, 10);
	assert_int_equal(figures_of(u, "alice").received, 200);
	assert_true(figures_of(u, "alice").last_login > 0);
	ledger_leave(session, 0);
	assert_int_equal(figures_of(u, "alice").sessions, 0);
	assert_int_equal(figures_of(u, "bob").total, 0);
	users_free(u);
}

static void who_is_added_after_being_removed_begins_anew(void **state)
{
	struct users *u = alice_and_bob();
	struct ledger_entry *old = enter(u, "alice", "secret"), *new;

	(void)state;
	atomic_fetch_add(&ledger_tally(old)->sent, 10);
	assert_int_equal(users_remove(u, "alice", error), 0);
	assert_true(ledger_has_retired(old));
	add(u, "alice", "secret", USER_ROLE_USER);
	assert_int_equal(figures_of(u, "alice").sessions, 0);
	assert_int_equal(figures_of(u, "alice").sent, 0);
	new = enter(u, "alice", "secret");
	assert_ptr_not_equal(new, old);
	assert_int_equal(figures_of(u, "alice").sessions, 1);
	ledger_leave(old, 0);
	ledger_leave(new, 0);
	users_free(u);
}

static struct users *changing;

static void replace_alice(void)
{
	char hash[PASSWORD_HASH_SIZE];

	meanwhile = NULL;
	cheap_hash("secret", hash);
	assert_int_equal(users_remove(changing, "alice", error), 0);
	assert_int_equal(users_add(changing, "alice", hash, USER_ROLE_USER, error), 0);
}

/* Her password was right, of the one who is gone. */
static void who_is_replaced_between_check_and_session_is_refused(void **state)
{
	struct users *u = alice_and_bob();

	(void)state;
	for (int round = 0; round < 2; round++) { /* then she is known */
		changing = u;
		meanwhile = replace_alice;
		assert_int_equal(log_in(u, "alice", "secret"), LOGIN_REFUSED);
		assert_int_equal(figures_of(u, "alice").total, 0);
		assert_int_equal(log_in(u, "alice", "secret"), LOGIN_OK);
	}
	users_free(u);
}

static void a_reload_without_a_user_ends_what_lives_of_him(void **state)
{
	struct users *u = alice_and_bob();
	struct ledger_entry *session = enter(u, "bob", "hunter2");
	char *both = scratch_read("users");

	(void)state;
	scratch_write("users", "");
	put_user("alice", "secret");
	load(u);
	assert_true(ledger_has_retired(session));
	scratch_write("users", both);
	load(u);
	assert_true(ledger_has_retired(session));
	assert_int_equal(figures_of(u, "bob").total, 0);
	ledger_leave(session, 0);
	free(both);
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
		scratch_test(tells_which_names_are_users),
		scratch_test(right_passwords_log_in_and_no_others),
		scratch_test(nul_bytes_are_part_of_names_and_passwords),
		scratch_test(fields_may_have_255_bytes_and_no_more),
		scratch_test(takes_hashes_of_each_method),
		scratch_test(a_password_that_was_right_needs_no_turn),
		scratch_test(a_wrong_password_is_not_remembered),
		scratch_test(a_past_deadline_does_not_wait_for_a_turn),
		scratch_test(an_empty_password_is_wrong_without_a_turn),
		scratch_test(the_same_login_of_many_is_one_hash),
		scratch_test(want_of_memory_is_no_wrong_password),
		scratch_test(who_fails_pays_for_the_dearest_kind_whoever_he_says_he_is),
		scratch_test(kinds_come_and_go_with_the_users),
		scratch_test(a_reload_keeps_what_was_right_under_the_same_hash),
		scratch_test(a_reload_forgets_what_was_right_under_another_hash),
		scratch_test(a_reload_forgets_under_a_new_salt),
		scratch_test(removed_users_cannot_log_in_any_more),
		scratch_test(a_bad_file_changes_nothing),
		scratch_test(loads_10000_users),
		cmocka_unit_test(names_have_rules),
		cmocka_unit_test(passwords_have_rules),
		cmocka_unit_test(names_and_passwords_have_at_most_255_bytes),
		scratch_test(logins_and_reloads_do_not_disturb_each_other),
		scratch_test(an_added_user_is_in_the_file_and_logs_in_without_a_turn),
		scratch_test(a_password_is_not_remembered_under_another_hash),
		scratch_test(nobody_is_added_twice),
		scratch_test(what_the_file_says_already_is_not_overwritten),
		scratch_test(a_new_password_replaces_the_old_one_and_keeps_the_role),
		scratch_test(whoever_is_made_an_admin_is_one_known_or_not),
		scratch_test(a_removed_user_is_gone_from_the_file_too),
		scratch_test(the_last_admin_stays),
		scratch_test(the_last_admin_keeps_the_role),
		scratch_test(without_a_backend_users_are_in_memory_only),
		cmocka_unit_test(the_backend_gets_whole_users),
		cmocka_unit_test(groups_are_whose_line_says_them),
		cmocka_unit_test(each_user_is_counted_by_how_he_is),
		cmocka_unit_test(what_the_backend_refuses_does_not_happen),
		cmocka_unit_test(without_memory_nothing_happens),
		cmocka_unit_test(users_need_memory_to_begin_with),
		scratch_test(what_was_read_has_no_effect_until_it_is_put_there),
		scratch_test(whoever_is_gone_is_told_of),
		scratch_test(who_is_given_is_known_whatever_becomes_of_him),
		scratch_test(only_admins_are_admins),
		scratch_test(an_admin_who_is_known_needs_no_turn),
		scratch_test(whoever_is_told_waits_no_longer),
		scratch_test(sessions_live_through_reloads_and_new_passwords),
		scratch_test(who_is_added_after_being_removed_begins_anew),
		scratch_test(who_is_replaced_between_check_and_session_is_refused),
		scratch_test(a_reload_without_a_user_ends_what_lives_of_him),
		scratch_test(names_come_by_the_alphabet),
	};

	return cmocka_run_group_tests_name("state/users", tests, set_up, tear_down);
}
