/* users whom a helper knows: who is asked about, whose account it is, what is remembered, and what
 * administrators can do about them. */
#include <pthread.h>
#include <sched.h>
#include <sodium.h>

#include "../base/check.h"
#include "../base/scratch.h"
#include "../lib/helper.h"
#include "base/clock.h"
#include "cheap.h"
#include "state/ledger_limits.h"
#include "state/login_helper.h"
#include "state/users_file.h"
#include "state/users_parts.h"

static struct hashing *hashing;
static struct ledger *ledger;
static struct limit_book *book;
static struct login_helper *asking;
static struct users *users;
static struct helper *helper;
static char error[USERS_ERROR_MAX];

static void load(void)
{
	if (users_load(users, error) < 0)
		fail_msg("%s", error);
}

static bool has_moved; /* to another group */
static unsigned holds; /* so many questions of those about the password "slow" */

/* As many groups as may be said of one: "g00,g01,..." with another letter, and a longer one. */
static const char *most_groups(char letter, const char *before, const char *after)
{
	static char texts[2][LIMITS_GROUPS_MAX + 64];
	char *text = texts[letter % 2];
	size_t start = (size_t)sprintf(text, "%s", before), end = start + LIMITS_GROUPS_MAX - 1;
	size_t at = start;

	for (int i = 0; at + 8 <= end; i++)
		at += (size_t)sprintf(text + at, "%c%02d,", letter, i);
	memset(text + at, letter, end - at);
	strcpy(text + end, after);
	return text;
}

/* What the directory knows: the password of all of its people is "right". */
static const char *directory(const char *question)
{
	if (strstr(question, " held") != NULL)
		return HELPER_HOLDS;
	if (strstr(question, " slow groups=b") != NULL)
		return "OK groups=b\n";
	if (strstr(question, " slow") != NULL)
		return holds > 0 && holds-- > 0 ? HELPER_HOLDS : "OK\n";
	if (strstr(question, " silent") != NULL)
		return "BH message=no%20directory\n";
	if (strstr(question, " right") == NULL)
		return "ERR\n";
	if (strstr(question, "AUTH nick ") != NULL)
		return "OK user=Alice\n";
	if (strstr(question, "AUTH liar ") != NULL)
		return "OK user=boss\n";
	if (strstr(question, "AUTH alias ") != NULL)
		return "OK user=Anna\n";
	if (strstr(question, "AUTH mover ") != NULL)
		return has_moved ? "OK groups=staff\n" : "OK groups=pupils\n";
	if (strstr(question, "AUTH accent ") != NULL)
		return "OK user=%C3%A1lice\n";
	if (strstr(question, "AUTH odd ") != NULL)
		return "OK user=a%3Ab\n";
	if (strstr(question, "AUTH pupil ") != NULL)
		return "OK groups=pupils\n";
	if (strstr(question, "AUTH member ") != NULL)
		return most_groups('h', "OK groups=", "\n");
	return "OK\n";
}

static int begin(void **state)
{
	struct users_backend file;
	char hash[PASSWORD_HASH_SIZE];
	FILE *out;

	assert_int_equal(scratch_enter(state), 0);
	out = fopen("users", "w");
	assert_non_null(out);
	cheap_hash("secret", hash);
	fprintf(out, "boss:%s:admin\n", hash);
	cheap_hash("hunter2", hash);
	fprintf(out, "local:%s:user\ndora:helper:user:disabled=yes\ncarl:helper::sessions=3\n",
		hash);
	assert_int_equal(fclose(out), 0);
	hashing = hashing_new(2);
	ledger = ledger_new(1, NULL);
	book = limit_book_new();
	asking = login_helper_new("socket");
	login_helper_set(asking, 600000, 2);
	file = users_file_backend("users");
	users = users_new(hashing, ledger, &file);
	assert_int_equal(users_set_helper(users, asking), 0);
	load();
	assert_int_equal(users_follow(users, book), 0);
	helper = helper_start("socket", directory);
	return 0;
}

static int end(void **state)
{
	helper_stop(helper);
	users_free(users);
	login_helper_free(asking);
	limit_book_free(book);
	ledger_free(ledger);
	hashing_free(hashing);
	return scratch_leave(state);
}

static char account[USERS_NAME_MAX + 1]; /* of who was let in last */

static enum login_result log_in_from(const char *from, const char *name, const char *password)
{
	struct addr a;
	struct login login = {.name = name,
		.name_len = strlen(name),
		.password = password,
		.password_len = strlen(password),
		.from = &a};
	struct ledger_entry *entry = NULL;
	enum login_result result;
	size_t len;

	assert_true(addr_parse(from, strlen(from), &a));
	result = users_login(users, &login, clock_deadline(60000), NULL, &entry);
	if (result == LOGIN_OK) {
		strcpy(account, ledger_user_name(entry, &len));
		ledger_leave(entry, clock_ms());
	}
	return result;
}

static enum login_result log_in(const char *name, const char *password)
{
	return log_in_from("192.0.2.1", name, password);
}

static void assert_in_as(const char *name, const char *password, const char *whose)
{
	assert_int_equal(log_in(name, password), LOGIN_OK);
	assert_string_equal(account, whose);
}

static void one_person_has_one_account(void **state)
{
	size_t count;
	const char **names;

	(void)state;
	assert_in_as("Alice", "right", "alice");
	assert_in_as("alice", "right", "alice");
	assert_in_as("ALICE", "right", "alice");
	assert_in_as("nick", "right", "alice");
	assert_true(users_have(users, "alice", 5));
	assert_false(users_have(users, "Alice", 5));
	names = users_names(users, &count);
	assert_int_equal(count, 5);
	assert_string_equal(names[0], "alice");
	free(names);
}

/* Neither in any case of its letters, nor does anybody become him by a helper's word. */
static void who_has_a_password_here_is_never_asked_about(void **state)
{
	(void)state;
	assert_int_equal(log_in("local", "right"), LOGIN_REFUSED);
	assert_int_equal(log_in("Local", "right"), LOGIN_REFUSED);
	assert_int_equal(log_in("Local", "hunter2"), LOGIN_REFUSED);
	assert_int_equal(log_in("BOSS", "right"), LOGIN_REFUSED);
	assert_in_as("local", "hunter2", "local");
	assert_int_equal(helper_asked(helper), 0);
	assert_int_equal(log_in("liar", "right"), LOGIN_REFUSED);
	assert_int_equal(helper_asked(helper), 1);
	assert_int_equal(users_count_admins(users), 1);
}

static void add_local(const char *name)
{
	char hash[PASSWORD_HASH_SIZE];

	cheap_hash("hunter2", hash);
	assert_int_equal(users_add(users, name, hash, USER_ROLE_USER, error), 0);
}

static void assert_is_not_asked_about_anna(unsigned asked)
{
	assert_int_equal(log_in("anna", "right"), LOGIN_REFUSED);
	assert_int_equal(log_in("ANNA", "right"), LOGIN_REFUSED);
	assert_int_equal(log_in("anna", "hunter2"), LOGIN_REFUSED);
	assert_false(users_ask_helper(users, "anna", 4));
	assert_in_as("Anna", "hunter2", "Anna");
	assert_int_equal(helper_asked(helper), asked);
	assert_int_equal(log_in("alias", "right"), LOGIN_REFUSED);
	assert_false(users_have(users, "anna", 4));
}

static void nor_is_who_is_written_with_capitals_here(void **state)
{
	(void)state;
	add_local("Anna");
	assert_is_not_asked_about_anna(0);
	load();
	assert_is_not_asked_about_anna(1);
	/* As long as there is any of that name. */
	add_local("AnnA");
	assert_int_equal(users_remove(users, "AnnA", error), 0);
	assert_is_not_asked_about_anna(2);
	assert_int_equal(users_remove(users, "Anna", error), 0);
	assert_in_as("ANNA", "right", "anna");
	load();
	assert_in_as("Anna", "right", "anna");
}

static void who_gets_a_password_here_is_no_visitor_any_more(void **state)
{
	(void)state;
	assert_in_as("nick", "right", "alice");
	assert_in_as("alice", "right", "alice");
	add_local("Alice");
	assert_int_equal(log_in("alice", "right"), LOGIN_REFUSED);
	assert_int_equal(log_in("nick", "right"), LOGIN_REFUSED);
	assert_false(users_are_of_helper(users, "alice", 5));
	assert_in_as("Alice", "hunter2", "Alice");
}

/* A line that says so in its own right. */
static void a_line_of_a_helper_beside_one_with_a_password_counts(void **state)
{
	(void)state;
	add_local("Carl");
	assert_in_as("carl", "right", "carl");
	assert_in_as("CARL", "right", "carl");
	assert_in_as("Carl", "hunter2", "Carl");
	assert_int_equal(log_in("Carl", "right"), LOGIN_REFUSED);
}

static void answers_are_remembered(void **state)
{
	(void)state;
	assert_in_as("alice", "right", "alice");
	assert_in_as("alice", "right", "alice");
	assert_int_equal(log_in("alice", "wrong"), LOGIN_REFUSED);
	assert_int_equal(log_in("alice", "wrong"), LOGIN_REFUSED);
	assert_int_equal(log_in("nobody", "wrong"), LOGIN_REFUSED);
	assert_int_equal(log_in("nobody", "wrong"), LOGIN_REFUSED);
	assert_int_equal(helper_asked(helper), 3);
	assert_int_equal(login_helper_read(asking).recalled, 3);
	/* That nobody can say is nothing to remember. */
	assert_int_equal(log_in("alice", "silent"), LOGIN_UNANSWERED);
	assert_int_equal(log_in("alice", "silent"), LOGIN_UNANSWERED);
	assert_int_equal(helper_asked(helper), 5);
}

static void without_a_cache_each_login_is_asked_about(void **state)
{
	(void)state;
	assert_in_as("alice", "right", "alice");
	login_helper_set(asking, 0, 2);
	assert_in_as("alice", "right", "alice");
	assert_in_as("alice", "right", "alice");
	assert_int_equal(helper_asked(helper), 3);
}

static void what_cannot_be_asked_is_wrong(void **state)
{
	char longest[USERS_PASSWORD_MAX + 1];

	(void)state;
	assert_int_equal(log_in("ali\nce", "right"), LOGIN_REFUSED);
	assert_int_equal(log_in("alice", "right\r"), LOGIN_REFUSED);
	assert_int_equal(log_in("alice", "\x7fright"), LOGIN_REFUSED);
	assert_int_equal(log_in("", "right"), LOGIN_REFUSED);
	assert_int_equal(log_in("alice", ""), LOGIN_REFUSED);
	assert_int_equal(helper_asked(helper), 0);
	memset(longest, '%', USERS_PASSWORD_MAX);
	longest[USERS_PASSWORD_MAX] = '\0';
	assert_int_equal(log_in("alice", longest), LOGIN_REFUSED);
	assert_int_equal(helper_asked(helper), 1);
}

static void a_line_of_the_file_gives_limits_or_keeps_out(void **state)
{
	struct limits limits;

	(void)state;
	assert_int_equal(log_in("dora", "right"), LOGIN_DISABLED);
	assert_int_equal(log_in("dora", "wrong"), LOGIN_REFUSED);
	assert_in_as("Carl", "right", "carl");
	assert_true(users_said_limits(users, "carl", &limits));
	assert_int_equal(limits.sessions, 3);
	/* The word is no password. */
	assert_int_equal(log_in("carl", "helper"), LOGIN_REFUSED);
}

static void groups_of_the_answer_count(void **state)
{
	struct limits own, said;

	(void)state;
	assert_in_as("pupil", "right", "pupil");
	assert_true(users_is_in_group(users, "pupil", "pupils"));
	assert_true(users_have_group(users, "pupils"));
	assert_true(users_own_limits(users, "pupil", &own));
	assert_string_equal(own.groups, "");
	assert_true(users_said_limits(users, "pupil", &said));
	assert_string_equal(said.groups, "pupils");
}

/* As many as may be said, of the file and of the helper. */
static void groups_of_both_count(void **state)
{
	char groups[LEDGER_GROUPS_MAX];
	FILE *out = fopen("users", "a");
	struct limits own, said;

	(void)state;
	assert_non_null(out);
	fputs(most_groups('f', "member:helper::groups=", "\n"), out);
	assert_int_equal(fclose(out), 0);
	load();
	assert_in_as("member", "right", "member");
	assert_true(users_own_limits(users, "member", &own));
	assert_int_equal(strlen(own.groups), LIMITS_GROUPS_MAX - 1);
	assert_true(users_said_limits(users, "member", &said));
	assert_int_equal(strlen(said.groups), 2 * LIMITS_GROUPS_MAX - 1);
	assert_true(users_is_in_group(users, "member", "f00"));
	assert_true(users_is_in_group(users, "member", strrchr(own.groups, ',') + 1));
	assert_true(users_is_in_group(users, "member", "h00"));
	assert_true(users_is_in_group(users, "member", strrchr(said.groups, ',') + 1));
	assert_int_equal(ledger_groups(users_find(users, "member", 6)->entry, groups),
		2 * LIMITS_GROUPS_MAX - 1);
	assert_string_equal(groups, said.groups);
}

/* What is said of somebody who came by himself makes a line of it. */
static void who_moves_to_another_group_is_in_that_one(void **state)
{
	(void)state;
	login_helper_set(asking, 0, 2);
	has_moved = false;
	assert_in_as("mover", "right", "mover");
	assert_true(users_is_in_group(users, "mover", "pupils"));
	has_moved = true;
	assert_in_as("mover", "right", "mover");
	assert_false(users_is_in_group(users, "mover", "pupils"));
	assert_true(users_is_in_group(users, "mover", "staff"));
}

static void a_name_that_no_user_can_have_is_let_in_by_nobody(void **state)
{
	(void)state;
	assert_int_equal(log_in("odd", "right"), LOGIN_REFUSED);
	assert_false(users_have(users, "odd", 3));
	assert_false(users_have(users, "a:b", 3));
}

/* A directory may find alice by all of her spellings: which she is called by is its to say, or an
 * administrator's. */
static void letters_beyond_ascii_make_no_account_of_their_own(void **state)
{
	(void)state;
	assert_in_as("alice", "right", "alice");
	assert_int_equal(log_in("\xc3\xa1lice", "right"), LOGIN_REFUSED);
	assert_int_equal(helper_asked(helper), 2);
	assert_false(users_have(users, "\xc3\xa1lice", 6));
	assert_in_as("accent", "right", "\xc3\xa1lice");
	login_helper_forget(asking, NULL);
	assert_int_equal(log_in("\xc3\xa1lice", "right"), LOGIN_REFUSED);
	assert_int_equal(users_add(users, "j\xc3\xb6rg", "helper", USER_ROLE_USER, error), 0);
	assert_in_as("J\xc3\xb6rg", "right", "j\xc3\xb6rg");
}

static void what_is_said_of_a_visitor_is_kept(void **state)
{
	char text[1024] = "";
	FILE *in;

	(void)state;
	assert_in_as("pupil", "right", "pupil");
	assert_int_equal(users_set_attributes(users, "pupil", "disabled=yes", error), 0);
	assert_int_equal(log_in("pupil", "right"), LOGIN_DISABLED);
	in = fopen("users", "r");
	assert_non_null(in);
	assert_true(fread(text, 1, sizeof(text) - 1, in) > 0);
	fclose(in);
	assert_non_null(strstr(text, "\npupil:helper:user:disabled=yes\n"));
	assert_true(users_is_in_group(users, "pupil", "pupils"));
	assert_int_equal(users_set_attributes(users, "nobody", "sessions=1", error), -1);
}

static void administrators_have_passwords_here(void **state)
{
	char hash[PASSWORD_HASH_SIZE];

	(void)state;
	cheap_hash("new", hash);
	assert_in_as("alice", "right", "alice");
	assert_int_equal(users_set_role(users, "alice", USER_ROLE_ADMIN, error), -1);
	assert_int_equal(users_set_role(users, "carl", USER_ROLE_ADMIN, error), -1);
	assert_int_equal(users_set_password(users, "alice", hash, error), -1);
	assert_int_equal(users_set_password(users, "carl", hash, error), -1);
	assert_int_equal(users_add(users, "eve", "helper", USER_ROLE_ADMIN, error), -1);
	assert_int_equal(users_add(users, "Eve", "helper", USER_ROLE_USER, error), -1);
	assert_int_equal(users_add(users, "eve", "helper", USER_ROLE_USER, error), 0);
	/* With a password here he is one of these, and has what lives of his account. */
	assert_int_equal(users_add(users, "alice", hash, USER_ROLE_USER, error), 0);
	assert_int_equal(log_in("alice", "right"), LOGIN_REFUSED);
	assert_in_as("alice", "new", "alice");
	load();
	assert_in_as("alice", "new", "alice");
}

static void who_is_deleted_is_asked_about_again(void **state)
{
	struct user_info info;

	(void)state;
	assert_in_as("alice", "right", "alice");
	assert_int_equal(users_remove(users, "alice", error), 0);
	assert_false(users_have(users, "alice", 5));
	assert_in_as("alice", "right", "alice");
	assert_int_equal(helper_asked(helper), 2);
	assert_true(users_get(users, "alice", &info));
	assert_int_equal(info.figures.total, 1);
	assert_int_equal(users_remove(users, "carl", error), 0);
	assert_in_as("carl", "right", "carl");
	assert_int_equal(users_remove(users, "nobody", error), -1);
}

static void a_reload_forgets_answers_and_keeps_accounts(void **state)
{
	struct user_info info;

	(void)state;
	assert_in_as("alice", "right", "alice");
	assert_in_as("carl", "right", "carl");
	load();
	assert_true(users_get(users, "alice", &info));
	assert_int_equal(info.figures.total, 1);
	assert_in_as("alice", "right", "alice");
	assert_in_as("carl", "right", "carl");
	assert_int_equal(helper_asked(helper), 4);
	login_helper_forget(asking, "alice");
	assert_in_as("alice", "right", "alice");
	assert_in_as("carl", "right", "carl");
	assert_int_equal(helper_asked(helper), 5);
}

static void without_a_helper_its_users_are_refused(void **state)
{
	struct users_backend file = users_file_backend("users");
	struct users *alone = users_new(hashing, ledger, &file), *all = users;

	(void)state;
	assert_int_equal(users_load(alone, error), 0);
	users = alone;
	assert_int_equal(log_in("carl", "helper"), LOGIN_NO_HELPER);
	assert_int_equal(log_in("carl", "right"), LOGIN_NO_HELPER);
	assert_int_equal(log_in("nobody", "right"), LOGIN_REFUSED);
	assert_false(users_ask_helper(users, "carl", 4));
	assert_true(users_are_of_helper(users, "carl", 4));
	assert_in_as("local", "hunter2", "local");
	users = all;
	users_free(alone);
}

static void the_file_says_what_a_helpers_user_may_be(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{"x:helper:admin\n", "users:1: whose password a helper knows is no admin"},
		{"Xa:helper:user\n", "users:1: whose password a helper knows is written in lower"},
		{"x:Helper:user\n", "users:1: the second field is no password hash"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		FILE *out = fopen("users", "w");

		assert_non_null(out);
		fputs(rows[i].line, out);
		assert_int_equal(fclose(out), 0);
		assert_int_equal(users_load(users, error), -1);
		assert_ptr_equal(strstr(error, rows[i].why), error);
	}
}

/* The monitor is for administrators, and a page for all. */
static void a_page_lets_them_in_and_the_monitor_does_not(void **state)
{
	char called[USERS_NAME_MAX + 1];
	struct login login = {.name = "Alice",
		.name_len = 5,
		.password = "right",
		.password_len = 5,
		.called = called};

	(void)state;
	assert_int_equal(users_login_admin(users, &login), LOGIN_REFUSED);
	assert_false(users_knows_person(users, &login));
	assert_int_equal(helper_asked(helper), 0);
	assert_int_equal(users_login_person(users, &login), LOGIN_OK);
	assert_string_equal(called, "alice");
	assert_true(users_knows_person(users, &login));
	assert_string_equal(called, "alice");
	assert_int_equal(helper_asked(helper), 1);
	login.name = "local";
	login.password = "hunter2";
	login.password_len = 7;
	assert_int_equal(users_login_person(users, &login), LOGIN_OK);
	assert_string_equal(called, "local");
}

static void only_so_many_are_kept_without_a_session(void **state)
{
	char name[16];
	size_t count;

	(void)state;
	users->visitors_most = 4;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		assert_in_as(name, "right", name);
	}
	free(users_names(users, &count));
	assert_int_equal(count, 4 + 4);
	/* Whoever had to go comes again. */
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		assert_in_as(name, "right", name);
	}
}

/* ---- at once ---- */

struct visitor {
	pthread_t thread;
	const char *name, *password;
	int64_t deadline;
	_Atomic(bool) is_waiting; /* for an answer, or to share it */
	enum login_result result;
};

static int64_t note_waiting(void *waiter)
{
	struct visitor *v = waiter;

	v->is_waiting = true;
	return CLOCK_NEVER;
}

static void *visit(void *arg)
{
	struct visitor *v = arg;
	struct login login = {.name = v->name,
		.name_len = strlen(v->name),
		.password = v->password,
		.password_len = strlen(v->password),
		.patience = note_waiting,
		.waiter = v,
		.client = v};
	struct ledger_entry *entry = NULL;

	v->result = users_login(users, &login, v->deadline, NULL, &entry);
	if (v->result == LOGIN_OK)
		ledger_leave(entry, clock_ms());
	return NULL;
}

static void begin_visit_until(
	struct visitor *v, const char *name, const char *password, int64_t deadline)
{
	*v = (struct visitor){.name = name, .password = password, .deadline = deadline};
	assert_int_equal(pthread_create(&v->thread, NULL, visit, v), 0);
}

static void begin_visit(struct visitor *v, const char *name, const char *password)
{
	begin_visit_until(v, name, password, clock_deadline(60000));
}

/* A directory that hangs holds up neither who is remembered nor who has a password here, and is
 * asked once about what several want to know. */
static void a_slow_directory_holds_up_nobody_else(void **state)
{
	struct visitor waiting[6];

	(void)state;
	assert_in_as("alice", "right", "alice");
	for (size_t i = 0; i < 4; i++)
		begin_visit(&waiting[i], "bob", "held");
	begin_visit(&waiting[4], "bob", "held2");
	begin_visit(&waiting[5], "bob", "held3");
	helper_wait_held(helper, 2); /* as many as may be at once */
	assert_in_as("alice", "right", "alice");
	assert_in_as("local", "hunter2", "local");
	assert_int_equal(log_in("local", "wrong"), LOGIN_REFUSED);
	assert_int_equal(helper_asked(helper), 3);
	helper_release(helper, "OK\n");
	helper_wait_held(helper, 1);
	helper_release(helper, "OK\n");
	for (size_t i = 0; i < COUNT(waiting); i++) {
		pthread_join(waiting[i].thread, NULL);
		assert_int_equal(waiting[i].result, LOGIN_OK);
	}
	assert_int_equal(helper_asked(helper), 4);
}

/* It is his time that is over, and not the helper that does not answer. */
static void who_comes_late_leaves_the_question_to_the_others(void **state)
{
	struct visitor late, other;

	(void)state;
	holds = 1;
	begin_visit_until(&late, "bob", "slow", clock_deadline(200));
	helper_wait_held(helper, 1);
	begin_visit(&other, "bob", "slow");
	pthread_join(late.thread, NULL);
	assert_int_equal(late.result, LOGIN_UNANSWERED);
	pthread_join(other.thread, NULL);
	assert_int_equal(other.result, LOGIN_OK);
	assert_int_equal(login_helper_read(asking).failed, 0);
}

/* Somebody else is disabled while a browser logs in, by several connections. */
static void what_is_forgotten_meanwhile_refuses_nobody(void **state)
{
	struct visitor browser[6];

	(void)state;
	holds = 1;
	for (size_t i = 0; i < COUNT(browser); i++)
		begin_visit(&browser[i], "bob", "slow");
	for (size_t i = 0; i < COUNT(browser); i++) {
		while (!browser[i].is_waiting)
			sched_yield();
	}
	helper_wait_held(helper, 1);
	login_helper_forget(asking, "carl");
	helper_release(helper, "OK\n");
	for (size_t i = 0; i < COUNT(browser); i++) {
		pthread_join(browser[i].thread, NULL);
		assert_int_equal(browser[i].result, LOGIN_OK);
	}
	assert_int_equal(helper_asked(helper), 2);
}

/* It was not asked about the group that a rule names by now. */
static void an_answer_about_other_groups_lets_nobody_in(void **state)
{
	struct visitor bob;

	(void)state;
	holds = 1;
	begin_visit(&bob, "bob", "slow");
	helper_wait_held(helper, 1);
	assert_int_equal(login_helper_set_groups(asking, "b", true), 0);
	helper_release(helper, "OK\n");
	pthread_join(bob.thread, NULL);
	assert_int_equal(bob.result, LOGIN_OK);
	assert_true(users_is_in_group(users, "bob", "b"));
	assert_int_equal(helper_asked(helper), 2);
	assert_int_equal(login_helper_read(asking).right, 1);
}

/* By now there is one that it cannot be asked about. */
static void an_answer_lets_nobody_in_once_not_all_groups_can_be_asked_about(void **state)
{
	struct visitor bob;

	(void)state;
	holds = 1;
	begin_visit(&bob, "bob", "slow");
	helper_wait_held(helper, 1);
	assert_int_equal(login_helper_set_groups(asking, "", false), 0);
	helper_release(helper, "OK\n");
	pthread_join(bob.thread, NULL);
	assert_int_equal(bob.result, LOGIN_UNANSWERED);
	assert_int_equal(helper_asked(helper), 1);
}

/* While workers put visitors in and push them out, and look at them. */
static void many_at_once_and_changes_beside(void **state)
{
	struct visitor crowd[16];
	static char names[16][16];

	(void)state;
	users->visitors_most = 3;
	login_helper_set(asking, 600000, 8);
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < COUNT(crowd); i++) {
			snprintf(names[i], sizeof(names[i]), "user%zu", (i + (size_t)round) % 9);
			begin_visit(&crowd[i], names[i], "right");
		}
		if (round == 5)
			(void)!users_set_attributes(users, "user1", "sessions=2", error);
		(void)!users_remove(users, "user2", error);
		load();
		assert_int_equal(users_follow(users, book), 0);
		for (size_t i = 0; i < COUNT(crowd); i++) {
			pthread_join(crowd[i].thread, NULL);
			assert_true(crowd[i].result == LOGIN_OK ||
				crowd[i].result == LOGIN_REFUSED ||
				crowd[i].result == LOGIN_TOO_BUSY);
		}
	}
}

static int set_up(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_person_has_one_account),
		TEST(who_has_a_password_here_is_never_asked_about),
		TEST(nor_is_who_is_written_with_capitals_here),
		TEST(who_gets_a_password_here_is_no_visitor_any_more),
		TEST(a_line_of_a_helper_beside_one_with_a_password_counts),
		TEST(answers_are_remembered),
		TEST(without_a_cache_each_login_is_asked_about),
		TEST(what_cannot_be_asked_is_wrong),
		TEST(a_line_of_the_file_gives_limits_or_keeps_out),
		TEST(groups_of_the_answer_count),
		TEST(groups_of_both_count),
		TEST(who_moves_to_another_group_is_in_that_one),
		TEST(a_name_that_no_user_can_have_is_let_in_by_nobody),
		TEST(letters_beyond_ascii_make_no_account_of_their_own),
		TEST(what_is_said_of_a_visitor_is_kept),
		TEST(administrators_have_passwords_here),
		TEST(who_is_deleted_is_asked_about_again),
		TEST(a_reload_forgets_answers_and_keeps_accounts),
		TEST(without_a_helper_its_users_are_refused),
		TEST(the_file_says_what_a_helpers_user_may_be),
		TEST(a_page_lets_them_in_and_the_monitor_does_not),
		TEST(only_so_many_are_kept_without_a_session),
		TEST(a_slow_directory_holds_up_nobody_else),
		TEST(who_comes_late_leaves_the_question_to_the_others),
		TEST(what_is_forgotten_meanwhile_refuses_nobody),
		TEST(an_answer_about_other_groups_lets_nobody_in),
		TEST(an_answer_lets_nobody_in_once_not_all_groups_can_be_asked_about),
		TEST(many_at_once_and_changes_beside),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
