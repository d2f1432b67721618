/* login: what ends it while what is to be read does not come: no line on standard input, nobody who
 * writes to a password file that is a FIFO. */
#include "client/login.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "client/new_password.h"
#include "net.h"
#include "wire/monitor.h"

static struct {
	struct flags flags;
	struct client client;
	int peer;
	int stdin_before;
	int input; /* what is written here is standard input's */
} run;

static void connect_to_server(void)
{
	char error[LINK_ERROR_MAX], port[8];
	struct link_target target = {"127.0.0.1", port, LINK_PATIENCE_MS, LINK_REPLY_MAX, NULL};
	uint16_t number;
	int listener = net_listen("127.0.0.1", &number);

	snprintf(port, sizeof(port), "%u", number);
	run.client.link = link_open(&target, error);
	assert_non_null(run.client.link);
	run.peer = net_accept(listener);
	close(listener);
	net_send(run.peer, MONITOR_PROMPT "\n", strlen(MONITOR_PROMPT "\n"));
}

/* With a signal that has come if `is_interrupted`. */
static int begin(void **state, bool is_interrupted)
{
	int ends[2];

	assert_int_equal(scratch_enter(state), 0);
	run.flags = (struct flags){.action = FLAGS_ASK};
	run.client = (struct client){.flags = &run.flags,
		.signals = {.ending = eventfd(is_interrupted, EFD_CLOEXEC), .screen = -1}};
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	run.stdin_before = dup(STDIN_FILENO);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	run.input = ends[1];
	connect_to_server();
	return 0;
}

static int begin_interrupted(void **state)
{
	return begin(state, true);
}

static int begin_calm(void **state)
{
	return begin(state, false);
}

static int end(void **state)
{
	assert_int_equal(dup2(run.stdin_before, STDIN_FILENO), STDIN_FILENO);
	close(run.stdin_before);
	close(run.input);
	close(run.client.signals.ending);
	client_close(&run.client);
	close(run.peer);
	return scratch_leave(state);
}

static void ctrl_c_ends_the_waiting_for_a_login_on_standard_input(void **state)
{
	(void)state;
	assert_int_equal(login_run(&run.client), CLIENT_INTERRUPTED);
}

static void ctrl_c_ends_the_waiting_for_who_writes_the_password_file(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("password", 0600), 0);
	run.flags.user = "alice";
	run.flags.password_file = "password";
	assert_int_equal(login_run(&run.client), CLIENT_INTERRUPTED);
}

static void ctrl_c_ends_the_waiting_for_a_new_password_on_standard_input(void **state)
{
	char *filled;

	(void)state;
	assert_int_equal(
		new_password_ask(&run.client, "ADD_USER bob -", &filled), CLIENT_INTERRUPTED);
	assert_null(filled);
}

static void a_new_password_is_one_line_of_standard_input(void **state)
{
	static const char lines[] = "hid den\r\nnot mine\n";
	char *filled, rest[20] = "";

	(void)state;
	assert_int_equal(write(run.input, lines, strlen(lines)), strlen(lines));
	assert_int_equal(new_password_ask(&run.client, "SET_PASSWORD bob -", &filled), CLIENT_OK);
	assert_string_equal(filled, "SET_PASSWORD bob hid den");
	free(filled);
	assert_int_equal(read(STDIN_FILENO, rest, sizeof(rest) - 1), strlen("not mine\n"));
	assert_string_equal(rest, "not mine\n");
}

static void a_new_password_that_is_none_is_wrong_usage(void **state)
{
	char *filled, many[SECRET_MAX];

	(void)state;
	memset(many, 'x', sizeof(many));
	assert_int_equal(write(run.input, "\n", 1), 1);
	assert_int_equal(new_password_ask(&run.client, "ADD_USER bob -", &filled), CLIENT_USAGE);
	assert_int_equal(write(run.input, many, sizeof(many)), sizeof(many));
	assert_int_equal(new_password_ask(&run.client, "ADD_USER bob -", &filled), CLIENT_USAGE);
}

static void the_end_of_standard_input_is_no_new_password(void **state)
{
	char *filled;

	(void)state;
	close(run.input);
	run.input = -1;
	assert_int_equal(new_password_ask(&run.client, "ADD_USER bob -", &filled), CLIENT_USAGE);
}

#define interrupted_test(f) cmocka_unit_test_setup_teardown(f, begin_interrupted, end)
#define calm_test(f) cmocka_unit_test_setup_teardown(f, begin_calm, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		calm_test(a_new_password_is_one_line_of_standard_input),
		calm_test(a_new_password_that_is_none_is_wrong_usage),
		calm_test(the_end_of_standard_input_is_no_new_password),
		interrupted_test(ctrl_c_ends_the_waiting_for_a_login_on_standard_input),
		interrupted_test(ctrl_c_ends_the_waiting_for_who_writes_the_password_file),
		interrupted_test(ctrl_c_ends_the_waiting_for_a_new_password_on_standard_input),
	};

	return cmocka_run_group_tests_name("client/login", tests, NULL, NULL);
}
