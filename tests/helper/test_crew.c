/* crew: helpers as they are, and of every bad kind: each is a shell's script that really runs. */
#include "helper/crew.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "../base/said.h"
#include "../base/scratch.h"
#include "base/clock.h"
#include "helper/child.h"
#include "helper/sayings.h"
#include "net/socket.h"

#define LONG_MS 60000 /* for who answers, however busy the machine is */
#define SHORT_MS 150 /* for who does not */

static struct crew *crew;
static struct polls polls;
static char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, NULL, NULL};

#define GOOD                                                                                       \
	"while read -r name word; do case $word in right) echo OK ;; "                             \
	"trouble) echo 'BH message=\"no server\"' ;; *) echo ERR ;; esac; done"

static int setup(void **state)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return scratch_enter(state);
}

static void bury_all(void)
{
	siginfo_t dead = {.si_pid = 0};

	while (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 && dead.si_pid != 0) {
		assert_true(crew_bury(crew, dead.si_pid));
		dead.si_pid = 0;
	}
}

/* There is no signal here by which a death is told, so it looks again soon. */
static void go_round(void)
{
	polls_clear(&polls);
	crew_add_polls(crew, &polls);
	assert_true(socket_wait(polls.fds, polls.count,
			    clock_earlier(crew_deadline(crew), clock_deadline(10))) >= 0);
	bury_all();
	crew_go_on(crew, &polls);
}

static int teardown(void **state)
{
	crew_stop(crew, true);
	while (!crew_has_ended(crew))
		go_round();
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	crew_free(crew);
	polls_close(&polls);
	return scratch_leave(state);
}

#define crew_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void make_crew_of(
	const char *script, unsigned children, unsigned concurrency, int64_t timeout_ms)
{
	static char text[1024];

	assert_true(strlen(script) < sizeof(text));
	strcpy(text, script);
	argv[2] = text;
	crew = crew_new(&(struct crew_plan){.argv = argv,
		.name = "script",
		.children = children,
		.concurrency = concurrency,
		.timeout_ms = timeout_ms});
	assert_non_null(crew);
	assert_int_equal(polls_open(&polls, CREW_POLLS(children)), 0);
	assert_int_equal(crew_start(crew), 0);
}

static void await_done(struct job *j)
{
	while (!j->is_done)
		go_round();
}

static enum auth_verdict ask_about(struct job *j, const char *word)
{
	*j = (struct job){.name = "alice", .behind = word};
	crew_ask(crew, j);
	await_done(j);
	return j->answer.verdict;
}

static void await_file(const char *name)
{
	while (access(name, F_OK) != 0)
		go_round();
}

/* ---- as they should be ---- */

static void helpers_answer(void **state)
{
	struct job j;

	(void)state;
	make_crew_of(GOOD, 2, 0, LONG_MS);
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
	assert_int_equal(ask_about(&j, "wrong"), AUTH_ERR);
	assert_int_equal(ask_about(&j, "trouble"), AUTH_BH);
	assert_string_equal(j.answer.message, "no server");
}

static void who_finds_all_busy_waits(void **state)
{
	struct job jobs[20];

	(void)state;
	make_crew_of(GOOD, 2, 0, LONG_MS);
	for (size_t i = 0; i < COUNT(jobs); i++) {
		jobs[i] = (struct job){.name = "alice", .behind = i % 2 ? "right" : "wrong"};
		crew_ask(crew, &jobs[i]);
	}
	for (size_t i = 0; i < COUNT(jobs); i++) {
		await_done(&jobs[i]);
		assert_int_equal(jobs[i].answer.verdict, i % 2 ? AUTH_OK : AUTH_ERR);
	}
}

/* Both questions have come before either is answered, the last one first. */
static void channels_are_answered_in_any_order(void **state)
{
	struct job a = {.name = "a", .behind = "right"}, b = {.name = "b", .behind = "wrong"};

	(void)state;
	make_crew_of("while read -r c1 n1 w1 && read -r c2 n2 w2; do echo \"$c2 ERR\"; "
		     "echo \"$c1 OK user=$n1\"; done",
		1, 2, LONG_MS);
	crew_ask(crew, &a);
	crew_ask(crew, &b);
	await_done(&a);
	await_done(&b);
	assert_int_equal(a.answer.verdict, AUTH_OK);
	assert_string_equal(a.answer.user, "a");
	assert_int_equal(b.answer.verdict, AUTH_ERR);
}

static void a_slow_helper_is_waited_for(void **state)
{
	struct job j;

	(void)state;
	make_crew_of("while read -r name word; do sleep 0.4; echo OK; done", 1, 0, LONG_MS);
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
}

static void who_gives_up_takes_no_answer_of_another(void **state)
{
	struct job left = {.name = "left", .behind = "right"}, queued = left, j;

	(void)state;
	make_crew_of("while read -r name word; do while [ ! -e go ]; do sleep 0.01; done; "
		     "echo \"OK user=$name\"; done",
		1, 0, LONG_MS);
	crew_ask(crew, &left);
	crew_ask(crew, &queued);
	crew_give_up(crew, &queued);
	crew_give_up(crew, &left);
	scratch_write("go", "");
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
	assert_string_equal(j.answer.user, "alice");
	assert_false(left.is_done);
	assert_false(queued.is_done);
}

static void helpers_are_replaced_when_they_have_answered(void **state)
{
	struct job first = {.name = "alice", .behind = "right"}, j;

	(void)state;
	make_crew_of("while read -r name word; do : >asked; while [ ! -e go ]; do sleep 0.01; "
		     "done; echo \"OK user=$$\"; done",
		1, 0, LONG_MS);
	crew_ask(crew, &first);
	await_file("asked");
	crew_renew(crew);
	scratch_write("go", "");
	await_done(&first);
	assert_int_equal(first.answer.verdict, AUTH_OK);
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
	assert_string_not_equal(j.answer.user, first.answer.user);
}

/* Nobody has to wait for the end of a question that was given up. */
static void who_is_at_what_was_given_up_is_replaced_at_once(void **state)
{
	struct job left = {.name = "left", .behind = "right"}, j;

	(void)state;
	make_crew_of("[ -e first ] || { : >first; exec sleep 1000; }; " GOOD, 1, 0, LONG_MS);
	crew_ask(crew, &left);
	await_file("first");
	crew_renew(crew);
	go_round();
	assert_true(crew_deadline(crew) > clock_ms());
	crew_give_up(crew, &left);
	assert_true(crew_deadline(crew) <= clock_ms());
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
}

/* ---- those that die ---- */

static void who_dies_after_each_answer_is_replaced(void **state)
{
	struct job j;

	(void)state;
	make_crew_of("read -r name word; echo OK", 1, 0, LONG_MS);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask_about(&j, "right"), AUTH_OK);
}

static void a_question_that_a_helper_died_at_is_asked_once_more(void **state)
{
	struct job j;

	(void)state;
	make_crew_of("while read -r name word; do [ -e second ] || { : >second; exit 1; }; "
		     "echo OK; done",
		1, 0, LONG_MS);
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
}

/* What it has waited in the queue before does not count any more. */
static void a_question_that_a_helper_died_at_has_its_time_anew(void **state)
{
	struct job j = {.name = "alice", .behind = "right"};

	(void)state;
	make_crew_of("while read -r name word; do [ -e second ] || { : >second; "
		     "while [ ! -e go ]; do sleep 0.01; done; exit 1; }; echo OK; done",
		1, 0, LONG_MS);
	crew_ask(crew, &j);
	await_file("second");
	j.deadline = clock_ms();
	scratch_write("go", "");
	await_done(&j);
	assert_int_equal(j.answer.verdict, AUTH_OK);
}

static void a_question_that_kills_helpers_is_not_asked_a_third_time(void **state)
{
	struct job j;

	(void)state;
	make_crew_of("while read -r name word; do [ $word != poison ] || kill -9 $$; echo OK; done",
		1, 0, LONG_MS);
	assert_int_equal(ask_about(&j, "poison"), AUTH_BH);
	assert_string_equal(j.answer.message, "the helpers that were asked have ended");
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
}

static void nobody_waits_for_helpers_that_never_live(void **state)
{
	struct job j;

	(void)state;
	said_begin();
	make_crew_of("echo cannot open it >&2; exit 3", 2, 0, LONG_MS);
	assert_int_equal(ask_about(&j, "right"), AUTH_BH);
	while (strcmp(j.answer.message, "no helper runs") != 0)
		assert_int_equal(ask_about(&j, "right"), AUTH_BH);
	said_end();
	assert_contains(said, "msg=\"a helper says\" helper=script");
	assert_contains(said, "cannot open it");
	assert_contains(said, "msg=\"a helper has ended\" helper=script");
	assert_contains(said, "status=3");
}

static void who_does_not_read_or_write_any_more_is_replaced(void **state)
{
	static const char *const closings[] = {"exec <&-", "exec >&-"};

	(void)state;
	for (size_t i = 0; i < COUNT(closings); i++) {
		char script[256];
		struct job j;

		snprintf(script, sizeof(script),
			"if [ ! -e second ]; then : >second; %s; : >closed; exec sleep 1000; fi; " GOOD,
			closings[i]);
		make_crew_of(script, 1, 0, LONG_MS);
		await_file("closed");
		assert_int_equal(ask_about(&j, "right"), AUTH_OK);
		if (i + 1 == COUNT(closings))
			break;
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* ---- those that hang ---- */

static void who_hangs_is_killed(void **state)
{
	static const char *const scripts[] = {
		"trap '' TERM; while read -r name word; do sleep 1000; done",
		"read -r name word; printf OK; exec sleep 1000", "exec sleep 1000"};

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		struct job j;

		said_begin();
		make_crew_of(scripts[i], 1, 0, SHORT_MS);
		assert_int_equal(ask_about(&j, "right"), AUTH_BH);
		assert_string_equal(j.answer.message, "the helper does not answer");
		go_round();
		said_end();
		assert_contains(said, "msg=\"a helper is of no use\" helper=script");
		assert_contains(said, "why=\"it does not answer\"");
		if (i + 1 == COUNT(scripts))
			break;
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void who_waits_for_a_hanging_helper_gives_up_too(void **state)
{
	struct job a = {.name = "a", .behind = "right"}, b = a;

	(void)state;
	make_crew_of("exec sleep 1000", 1, 0, SHORT_MS);
	crew_ask(crew, &a);
	crew_ask(crew, &b);
	await_done(&a);
	await_done(&b);
	assert_int_equal(a.answer.verdict, AUTH_BH);
	assert_int_equal(b.answer.verdict, AUTH_BH);
}

/* One question is forgotten, the others are answered by the same process all the time. */
static void who_forgets_a_question_lives_while_he_answers_others(void **state)
{
	struct job forgotten = {.name = "a", .behind = "forget"}, j;
	char pid[16];

	(void)state;
	make_crew_of("while read -r c name word; do [ $word = forget ] || echo \"$c OK user=$$\"; "
		     "done",
		1, 3, SHORT_MS * 10);
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
	strcpy(pid, j.answer.user);
	crew_ask(crew, &forgotten);
	while (!forgotten.is_done) {
		enum auth_verdict verdict = ask_about(&j, "right");

		assert_int_equal(verdict, AUTH_OK);
		assert_string_equal(j.answer.user, pid);
	}
	assert_int_equal(forgotten.answer.verdict, AUTH_BH);
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
	assert_string_equal(j.answer.user, pid);
}

/* That it will never answer the one keeps nobody waiting for the new one. */
static void who_has_forgotten_a_question_is_replaced_all_the_same(void **state)
{
	struct job forgotten = {.name = "a", .behind = "forget"}, j;
	int64_t begun;
	char pid[16];

	(void)state;
	make_crew_of("while read -r c name word; do [ $word = forget ] || echo \"$c OK user=$$\"; "
		     "done",
		1, 3, LONG_MS);
	crew_ask(crew, &forgotten);
	do {
		begun = clock_ms();
		assert_int_equal(ask_about(&j, "right"), AUTH_OK);
	} while (begun <= forgotten.slot->asked);
	strcpy(pid, j.answer.user);
	forgotten.slot->deadline = clock_ms();
	await_done(&forgotten);
	assert_int_equal(forgotten.answer.verdict, AUTH_BH);
	crew_renew(crew);
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
	assert_string_not_equal(j.answer.user, pid);
}

/* ---- those that lie ---- */

struct liar {
	const char *script, *why;
	unsigned concurrency;
};

static void what_cannot_be_an_answer_is_none(void **state)
{
	static const struct liar liars[] = {
		{"while read -r name word; do echo YES; done", "it says what is no answer", 0},
		{"while read -r name word; do printf 'OK\\nOK\\n'; done",
			"it says more than an answer", 0},
		{"while read -r name word; do printf 'OK\\nO'; done", "it says more than an answer",
			0},
		{"read -r name word; head -c 20000 /dev/zero | tr '\\0' O; exec sleep 1000",
			"it says what is no answer", 0},
		{"while read -r c name word; do echo OK; done", "it says what is no answer", 2},
		{"while read -r c name word; do echo \"1$c OK\"; done",
			"it answers what it was not asked", 2},
		{"while read -r c name word; do echo \"$((c + 1)) OK\"; done",
			"it answers what it was not asked", 2},
		{"while read -r c name word; do echo '99999999999 OK'; done",
			"it says what is no answer", 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(liars); i++) {
		struct job j;

		said_begin();
		make_crew_of(liars[i].script, 1, liars[i].concurrency, LONG_MS);
		assert_int_equal(ask_about(&j, "right"), AUTH_BH);
		said_end();
		assert_contains(said, liars[i].why);
		if (i + 1 == COUNT(liars))
			break;
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* A line that is cut by the end of the process is no answer either. */
static void half_an_answer_is_none(void **state)
{
	struct job j;

	(void)state;
	make_crew_of("read -r name word; printf OK", 1, 0, LONG_MS);
	assert_int_equal(ask_about(&j, "right"), AUTH_BH);
}

/* What is said between two questions does not become the answer to the next one. */
static void who_speaks_unasked_is_replaced(void **state)
{
	struct job j;

	(void)state;
	make_crew_of("read -r name word; echo ERR; [ ! -e second ] || " GOOD
		     "; : >second; while [ ! -e go ]; do sleep 0.01; done; echo OK; : >spoken; "
		     "exec sleep 1000",
		1, 0, LONG_MS);
	assert_int_equal(ask_about(&j, "wrong"), AUTH_ERR);
	scratch_write("go", "");
	while (access("spoken", F_OK) != 0)
		usleep(1000); /* without a look at what it has said */
	assert_int_equal(ask_about(&j, "wrong"), AUTH_ERR);
	assert_int_equal(ask_about(&j, "wrong"), AUTH_ERR);
}

/* ---- those that talk ---- */

static void who_floods_the_log_is_cut_short(void **state)
{
	struct job j;
	size_t lines = 0;
	FILE *file;
	int c;

	(void)state;
	said_begin();
	make_crew_of("while read -r name word; do yes noise | head -n 50000 >&2; echo OK; done", 1,
		0, LONG_MS);
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
	assert_int_equal(ask_about(&j, "right"), AUTH_OK);
	file = fopen(said_path, "r");
	assert_non_null(file);
	while ((c = fgetc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	said_end();
	assert_true(lines <= SAYINGS_MOST + 2);
	assert_contains(said, "text=noise");
}

static void a_command_that_is_not_there_is_told(void **state)
{
	char *none[] = {(char[]){"/nonexistent/helper"}, NULL};

	(void)state;
	crew = crew_new(&(struct crew_plan){
		.argv = none, .name = "none", .children = 2, .timeout_ms = LONG_MS});
	assert_non_null(crew);
	assert_int_equal(polls_open(&polls, CREW_POLLS(2)), 0);
	assert_int_equal(crew_start(crew), -1);
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		crew_test(helpers_answer),
		crew_test(who_finds_all_busy_waits),
		crew_test(channels_are_answered_in_any_order),
		crew_test(a_slow_helper_is_waited_for),
		crew_test(who_gives_up_takes_no_answer_of_another),
		crew_test(helpers_are_replaced_when_they_have_answered),
		crew_test(who_is_at_what_was_given_up_is_replaced_at_once),
		crew_test(who_dies_after_each_answer_is_replaced),
		crew_test(a_question_that_a_helper_died_at_is_asked_once_more),
		crew_test(a_question_that_a_helper_died_at_has_its_time_anew),
		crew_test(a_question_that_kills_helpers_is_not_asked_a_third_time),
		crew_test(nobody_waits_for_helpers_that_never_live),
		crew_test(who_does_not_read_or_write_any_more_is_replaced),
		crew_test(who_hangs_is_killed),
		crew_test(who_waits_for_a_hanging_helper_gives_up_too),
		crew_test(who_forgets_a_question_lives_while_he_answers_others),
		crew_test(who_has_forgotten_a_question_is_replaced_all_the_same),
		crew_test(what_cannot_be_an_answer_is_none),
		crew_test(half_an_answer_is_none),
		crew_test(who_speaks_unasked_is_replaced),
		crew_test(who_floods_the_log_is_cut_short),
		crew_test(a_command_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests_name("helper/crew", tests, NULL, NULL);
}
