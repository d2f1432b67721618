/* callers: what is asked on behalf of who is connected, and when they are looked at. The helpers
 * are shells' scripts that really run. */
#include "helper/callers.h"

#include <signal.h>
#include <sys/wait.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "net/local.h"
#include "net/socket.h"

#define CALLERS_MOST 4
#define LONG_MS 60000

enum { LOGINS, GROUPS, CREWS };

static struct crew *crews[CREWS];
static struct callers *callers;
static struct polls polls;
static struct local_file file;
static int listener;
static char line[256]; /* that was answered last */

static int setup(void **state)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return scratch_enter(state);
}

static struct crew *start_crew(char *script, unsigned concurrency)
{
	static char shell[] = "/bin/sh", takes_command[] = "-c", *argv[CREWS][4];
	static int next;
	char **own = argv[next++ % CREWS];
	struct crew *c;

	own[0] = shell;
	own[1] = takes_command;
	own[2] = script;
	c = crew_new(&(struct crew_plan){.argv = own,
		.name = "script",
		.children = 1,
		.concurrency = concurrency,
		.timeout_ms = LONG_MS});
	assert_non_null(c);
	assert_int_equal(crew_start(c), 0);
	return c;
}

static void serve(char *logins, unsigned concurrency, char *groups)
{
	crews[LOGINS] = start_crew(logins, concurrency);
	crews[GROUPS] = start_crew(groups, 0);
	assert_int_equal(
		polls_open(&polls, CREWS * CREW_POLLS(1) + CALLERS_POLLS(CALLERS_MOST)), 0);
	listener = local_listen("socket", CALLERS_MOST, &file);
	assert_true(listener >= 0);
	callers = callers_new(listener, CALLERS_MOST, crews[LOGINS], crews[GROUPS]);
	assert_non_null(callers);
}

static void bury_all(void)
{
	siginfo_t dead = {.si_pid = 0};

	while (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 && dead.si_pid != 0) {
		assert_true(crew_bury(crews[LOGINS], dead.si_pid) ||
			crew_bury(crews[GROUPS], dead.si_pid));
		dead.si_pid = 0;
	}
}

/* Up to where the callers are looked at. A death is told by no signal here, so it is looked for
 * soon. */
static void begin_round(void)
{
	polls_clear(&polls);
	if (callers != NULL)
		callers_add_polls(callers, &polls);
	for (int i = 0; i < CREWS; i++)
		crew_add_polls(crews[i], &polls);
	assert_true(socket_wait(polls.fds, polls.count, clock_deadline(10)) >= 0);
	bury_all();
	for (int i = 0; i < CREWS; i++)
		crew_go_on(crews[i], &polls);
}

static void go_round(void)
{
	begin_round();
	callers_go_on(callers, &polls);
}

static int teardown(void **state)
{
	callers_free(callers);
	callers = NULL;
	for (int i = 0; i < CREWS; i++)
		crew_stop(crews[i], true);
	while (!crew_has_ended(crews[LOGINS]) || !crew_has_ended(crews[GROUPS]))
		begin_round();
	for (int i = 0; i < CREWS; i++)
		crew_free(crews[i]);
	polls_close(&polls);
	local_remove(&file);
	socket_close(listener);
	return scratch_leave(state);
}

/* Returns once he is let in. */
static int connect_one(void)
{
	int fd = local_connect("socket", LONG_MS);

	assert_true(fd >= 0);
	go_round();
	return fd;
}

static void send_question(int fd, const char *question)
{
	assert_int_equal(socket_write(fd, question, strlen(question)), (ssize_t)strlen(question));
}

/* Without its LF. */
static const char *await_answer(int fd)
{
	size_t len = 0;

	while (len == 0 || line[len - 1] != '\n') {
		ssize_t n = socket_read(fd, line + len, sizeof(line) - len);

		assert_int_not_equal(n, 0);
		if (n > 0)
			len += (size_t)n;
		else
			go_round();
	}
	line[len - 1] = '\0';
	return line;
}

static const char *ask(const char *question)
{
	int fd = connect_one();

	send_question(fd, question);
	await_answer(fd);
	socket_close(fd);
	return line;
}

/* An account has its groups however its name is typed; the helper's word for it is taken as it is.
 */
static void groups_are_asked_by_the_name_of_the_account(void **state)
{
	static char logins[] =
		"while read -r name word; do case $name in nick) echo OK user=Carl ;; "
		"*) echo OK ;; esac; done",
		    groups[] = "while read -r name group; do case $name in carol|Carl|%c3%84nne) "
			       "echo OK ;; *) echo ERR ;; esac; done";

	(void)state;
	serve(logins, 0, groups);
	assert_string_equal(ask("AUTH carol pw groups=pupils\n"), "OK groups=pupils");
	assert_string_equal(ask("AUTH CAROL pw groups=pupils\n"), "OK groups=pupils");
	assert_string_equal(ask("AUTH Carol pw groups=a,b\n"), "OK groups=a,b");
	assert_string_equal(ask("AUTH %C3%84NNE pw groups=a\n"), "OK groups=a");
	assert_string_equal(ask("AUTH nick pw groups=pupils\n"), "OK user=Carl groups=pupils");
	assert_string_equal(ask("AUTH carl pw groups=pupils\n"), "OK");
}

/* It comes while somebody is looked at behind him whose it is. */
static void an_answer_that_came_late_in_a_round_is_seen_in_the_next(void **state)
{
	static char logins[] = "read -r c1 name word; while [ ! -e go ]; do sleep 0.01; done; "
			       "echo \"$c1 ERR\"; : >spoken; exec sleep 1000",
		    groups[] = "exec sleep 1000";
	int second, first;

	(void)state;
	serve(logins, 2, groups);
	second = connect_one();
	first = connect_one(); /* the newest is looked at first */
	send_question(first, "AUTH first pw\n");
	go_round();
	send_question(second, "AUTH second pw\n");
	begin_round();
	scratch_write("go", "");
	while (access("spoken", F_OK) != 0)
		usleep(1000); /* without a look at what it has said */
	callers_go_on(callers, &polls);
	assert_true(callers_deadline(callers) <= clock_ms());
	assert_string_equal(await_answer(first), "ERR");
	assert_true(callers_deadline(callers) > clock_ms());
	socket_close(first);
	socket_close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			groups_are_asked_by_the_name_of_the_account, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_answer_that_came_late_in_a_round_is_seen_in_the_next, setup, teardown),
	};

	return cmocka_run_group_tests_name("helper/callers", tests, NULL, NULL);
}
