/* login_helper: one question and what may come back, which is another program's word; how long it
 * is waited for; and what is told of it. */
#include "state/login_helper.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../base/check.h"
#include "../base/scratch.h"
#include "../lib/helper.h"
#include "base/clock.h"

static const char *_Atomic said; /* by the helper, to whatever it is asked */
static struct helper_person person;

static const char *say(const char *question)
{
	(void)question;
	return said;
}

static enum helper_verdict ask_while(
	struct login_helper *h, const char *name, const struct hashing_wait *wait)
{
	const struct helper_question q = {.name = name, .password = "p w%", .wait = wait};

	memset(&person, 0, sizeof(person));
	return login_helper_ask(h, &q, &person);
}

static enum helper_verdict ask(struct login_helper *h, const char *name)
{
	return ask_while(h, name, &(struct hashing_wait){.deadline = clock_deadline(60000)});
}

static const char *problem_of(struct login_helper *h)
{
	static struct login_helper_trouble t;

	return login_helper_problem(h, &t) ? t.text : "none";
}

static void takes_what_it_is_told(void **state)
{
	static const struct {
		const char *said;
		enum helper_verdict verdict;
		const char *name, *groups;
	} rows[] = {
		{"OK\n", HELPER_RIGHT, "alice", ""},
		{"O\0K\n", HELPER_RIGHT, "alice", ""},
		{"OK user=Carl\n", HELPER_RIGHT, "carl", ""},
		{"OK user=CORP%5Ccarl groups=a,b\n", HELPER_RIGHT, "corp\\carl", "a,b"},
		{"OK tag=new groups=a,a,b\n", HELPER_RIGHT, "alice", "a,b"},
		{"ERR\n", HELPER_WRONG, "", ""},
		{"ERR message=no\n", HELPER_WRONG, "", ""},
		/* Names that no account here can have. */
		{"OK user=a%20b\n", HELPER_RIGHT, "", ""},
		{"OK user=a:b\n", HELPER_RIGHT, "", ""},
		{"OK user=Anonymous\n", HELPER_RIGHT, "", ""},
		{"OK user=192.0.2.1\n", HELPER_RIGHT, "", ""},
		{"OK user=%40staff\n", HELPER_RIGHT, "", ""},
		{"OK user=%23x\n", HELPER_RIGHT, "", ""},
		/* Groups that none can be are none. */
		{"OK groups=a,%40b,c%20d,e\n", HELPER_RIGHT, "alice", "a,e"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct login_helper *h = login_helper_new("socket");
		struct helper *other;

		said = rows[i].said;
		other = helper_start("socket", say);
		assert_int_equal(ask(h, "Alice"), rows[i].verdict);
		assert_string_equal(person.name, rows[i].name);
		assert_string_equal(person.groups, rows[i].groups);
		assert_string_equal(helper_newest(other), "AUTH Alice p%20w%25");
		assert_string_equal(problem_of(h), "none");
		helper_stop(other);
		login_helper_free(h);
	}
}

static void says_why_nobody_can_say(void **state)
{
	static const struct {
		const char *said, *why;
	} rows[] = {
		{"BH message=no%20directory\n", "it cannot say: no directory"},
		{"BH\n", "it cannot say"},
		{NULL, "it closes without an answer"},
		{"HELLO\n", "its answer is none"},
		{"OKAY\n", "its answer is none"},
		{"OK user=%0a\n", "its answer is none"},
		{"OK user=a user=b\n", "its answer is none"},
		{"\n", "its answer is none"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct login_helper *h = login_helper_new("socket");
		struct login_helper_figures f;
		struct helper *other;

		said = rows[i].said;
		other = helper_start("socket", say);
		assert_int_equal(ask(h, "alice"), HELPER_SILENT);
		assert_string_equal(problem_of(h), rows[i].why);
		f = login_helper_read(h);
		assert_int_equal(f.failed, 1);
		assert_int_equal(f.right + f.wrong, 0);
		said = "ERR\n";
		assert_int_equal(ask(h, "alice"), HELPER_WRONG);
		assert_string_equal(problem_of(h), "none");
		helper_stop(other);
		login_helper_free(h);
	}
}

/* So many bytes of groups, beside what is none or is there already. */
static const char *groups_of(size_t bytes)
{
	static char lines[2][1024];
	char *line = lines[bytes % 2];
	size_t start = (size_t)sprintf(line, "OK groups=%%40b,"), end = start + bytes;
	size_t at = start;

	for (int i = 0; at + 8 <= end; i++)
		at += (size_t)sprintf(line + at, "g%02d,", i);
	memset(line + at, 'z', end - at);
	strcpy(line + end, ",g00\n");
	return line;
}

/* To leave one out would let in whom a rule keeps out. */
static void more_groups_than_can_be_kept_are_no_answer(void **state)
{
	struct login_helper *h = login_helper_new("socket");
	struct helper *other;

	(void)state;
	said = groups_of(LIMITS_GROUPS_MAX - 1);
	other = helper_start("socket", say);
	assert_int_equal(ask(h, "Alice"), HELPER_RIGHT);
	assert_int_equal(strlen(person.groups), LIMITS_GROUPS_MAX - 1);
	said = groups_of(LIMITS_GROUPS_MAX);
	assert_int_equal(ask(h, "Alice"), HELPER_TOO_MANY_GROUPS);
	assert_string_equal(problem_of(h), "none"); /* the helper is well */
	assert_int_equal(login_helper_read(h).failed, 1);
	assert_int_equal(login_helper_read(h).right, 1);
	helper_stop(other);
	login_helper_free(h);
}

/* Longer than any answer. */
static void endless_answers_are_none(void **state)
{
	static char endless[20000];
	struct login_helper *h = login_helper_new("socket");
	struct helper *other;

	(void)state;
	memset(endless, 'O', sizeof(endless) - 2);
	said = endless;
	other = helper_start("socket", say);
	assert_int_equal(ask(h, "alice"), HELPER_SILENT);
	assert_string_equal(problem_of(h), "its answer is none");
	helper_stop(other);
	login_helper_free(h);
}

static void tells_when_it_cannot_be_reached(void **state)
{
	struct login_helper *h = login_helper_new("socket");
	struct helper *other;
	int64_t uid;

	(void)state;
	assert_int_equal(ask(h, "alice"), HELPER_SILENT);
	assert_non_null(strstr(problem_of(h), "there is no such socket"));
	assert_int_equal(login_helper_try("socket", &uid), ENOENT);
	other = helper_start("socket", say);
	assert_int_equal(login_helper_try("socket", &uid), 0);
	assert_int_equal(uid, getuid());
	helper_stop(other);
	assert_int_equal(ask(h, "alice"), HELPER_SILENT);
	assert_non_null(strstr(problem_of(h), "nobody serves there"));
	assert_int_equal(login_helper_try("socket", &uid), ECONNREFUSED);
	login_helper_free(h);
}

static void waits_until_the_deadline_and_no_longer(void **state)
{
	struct login_helper *h = login_helper_new("socket");
	struct helper *other;

	(void)state;
	said = HELPER_HOLDS;
	other = helper_start("socket", say);
	login_helper_set_longest(h, 0);
	assert_int_equal(
		ask_while(h, "alice", &(struct hashing_wait){.deadline = clock_deadline(20)}),
		HELPER_SILENT);
	assert_string_equal(problem_of(h), "it has not answered in time");
	helper_wait_given_up(other, 1);
	helper_stop(other);
	login_helper_free(h);
}

static void assert_says_nothing_of_the_helper(struct login_helper *h)
{
	assert_int_equal(
		ask_while(h, "alice", &(struct hashing_wait){.deadline = clock_deadline(20)}),
		HELPER_TOO_LATE);
	assert_string_equal(problem_of(h), "none");
	assert_int_equal(login_helper_read(h).failed, 0);
	assert_int_equal(hashing_cost(login_helper_queue(h)), 0);
}

/* Anybody may come with his login when his time is nearly over. */
static void who_asks_late_says_nothing_of_the_helper(void **state)
{
	struct login_helper *h = login_helper_new("socket");
	struct helper *other;

	(void)state;
	said = HELPER_HOLDS;
	other = helper_start("socket", say);
	assert_says_nothing_of_the_helper(h);
	helper_wait_given_up(other, 1);
	helper_stop(other);
	login_helper_free(h);
}

/* As many as the backlog holds, and nobody lets them in. */
static void nor_does_who_has_no_time_to_be_let_in(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fds[8];
	struct login_helper *h = login_helper_new("socket");
	size_t count = 0;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 0), 0);
	for (bool is_full = false; !is_full; count++) {
		assert_true(count < COUNT(fds));
		fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		is_full = connect(fds[count], (struct sockaddr *)&a, sizeof(a)) < 0;
	}
	assert_says_nothing_of_the_helper(h);
	login_helper_set_longest(h, 0);
	assert_int_equal(
		ask_while(h, "alice", &(struct hashing_wait){.deadline = clock_deadline(20)}),
		HELPER_SILENT);
	assert_non_null(strstr(problem_of(h), "too many wait to connect"));
	while (count > 0)
		close(fds[--count]);
	close(listener);
	login_helper_free(h);
}

static int64_t no_patience(void *waiter)
{
	(void)waiter;
	return 0;
}

/* That is nobody's fault, and not counted. */
static void gives_up_who_does_not_wait_any_more(void **state)
{
	struct login_helper *h = login_helper_new("socket");
	_Atomic(bool) told = true;
	struct helper *other;

	(void)state;
	said = HELPER_HOLDS;
	other = helper_start("socket", say);
	assert_int_equal(ask_while(h, "alice",
				 &(struct hashing_wait){.deadline = CLOCK_NEVER, .told = &told}),
		HELPER_NOT_AWAITED);
	assert_int_equal(
		ask_while(h, "alice",
			&(struct hashing_wait){.deadline = CLOCK_NEVER, .patience = no_patience}),
		HELPER_NOT_AWAITED);
	assert_int_equal(login_helper_read(h).failed, 0);
	assert_string_equal(problem_of(h), "none");
	helper_stop(other);
	login_helper_free(h);
}

static void *stop_when_held(void *arg)
{
	struct login_helper *h = ((void **)arg)[0];

	helper_wait_held(((void **)arg)[1], 1);
	login_helper_stop(h);
	return NULL;
}

static void gives_up_when_it_is_stopped(void **state)
{
	struct login_helper *h = login_helper_new("socket");
	void *both[2] = {h};
	pthread_t stopper;

	(void)state;
	said = HELPER_HOLDS;
	both[1] = helper_start("socket", say);
	assert_int_equal(pthread_create(&stopper, NULL, stop_when_held, both), 0);
	assert_int_equal(ask_while(h, "alice", &(struct hashing_wait){.deadline = CLOCK_NEVER}),
		HELPER_NOT_AWAITED);
	pthread_join(stopper, NULL);
	helper_stop(both[1]);
	login_helper_free(h);
}

static void asks_about_the_groups_that_matter(void **state)
{
	struct login_helper *h = login_helper_new("socket");
	struct helper *other;

	(void)state;
	said = "OK\n";
	other = helper_start("socket", say);
	assert_int_equal(login_helper_set_groups(h, "staff,pupils", true), 0);
	assert_int_equal(ask(h, "alice"), HELPER_RIGHT);
	assert_string_equal(helper_newest(other), "AUTH alice p%20w%25 groups=staff,pupils");
	assert_true(login_helper_asks_about(h, "pupils"));
	assert_false(login_helper_asks_about(h, "pupil"));
	helper_stop(other);
	login_helper_free(h);
}

static void what_has_control_bytes_is_not_asked(void **state)
{
	(void)state;
	assert_true(login_helper_can_ask("alice", 5, "p w%", 4));
	assert_false(login_helper_can_ask("ali\nce", 6, "pw", 2));
	assert_false(login_helper_can_ask("alice", 5, "p\0w", 3));
	assert_false(login_helper_can_ask("alice", 5, "p\x7f", 2));
	assert_false(login_helper_can_ask("alice", 5, "", 0));
	assert_false(login_helper_can_ask("", 0, "pw", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(takes_what_it_is_told),
		scratch_test(says_why_nobody_can_say),
		scratch_test(more_groups_than_can_be_kept_are_no_answer),
		scratch_test(endless_answers_are_none),
		scratch_test(tells_when_it_cannot_be_reached),
		scratch_test(waits_until_the_deadline_and_no_longer),
		scratch_test(who_asks_late_says_nothing_of_the_helper),
		scratch_test(nor_does_who_has_no_time_to_be_let_in),
		scratch_test(gives_up_who_does_not_wait_any_more),
		scratch_test(gives_up_when_it_is_stopped),
		scratch_test(asks_about_the_groups_that_matter),
		cmocka_unit_test(what_has_control_bytes_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
