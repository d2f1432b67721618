/* The real server's unix socket: who is an administrator there, who is asked, and what becomes of
 * the file. */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lacking.h"
#include "monitor.h"
#include "net.h"
#include "net/local.h"
#include "server/fronts.h"
#include "suite.h"

#define PROMPT "Please enter Username:password (in that format)\n"
#define STRANGER 12345 /* a user whom the system does not know */

static struct daemon d;
static char path[LOCAL_PATH_MAX];

/* In the daemon's folder, which others may enter. */
static void start_with_socket(const char *const more[])
{
	const char *flags[DAEMON_MAX_FLAGS] = {"-U", d.users, "--monitor-socket", path};

	daemon_prepare(&d);
	assert_int_equal(chmod(d.folder, 0755), 0);
	monitor_write_users(&d);
	snprintf(path, sizeof(path), "%s/monitor.sock", d.folder);
	for (size_t i = 0; more != NULL && more[i] != NULL; i++)
		flags[4 + i] = more[i];
	daemon_launch(&d, flags);
}

static int enter(void)
{
	int fd = net_connect_local(path);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

/* A connection that was greeted as an administrator's. */
static int enter_as_operator(void)
{
	int fd = enter();
	char byte;

	monitor_expect_text(fd, "OK Welcome ");
	do
		net_receive(fd, &byte, 1);
	while (byte != '\n');
	return fd;
}

static void who_runs_the_server_needs_no_login(void **state)
{
	int fd;

	(void)state;
	start_with_socket(NULL);
	fd = enter_as_operator();
	monitor_expect(fd, "ADD_USER carol secret admin", "OK User carol added\n");
	monitor_expect(fd, "CONFIG timeout 15s", "OK timeout set to 15s\n");
	monitor_expect(
		fd, "CONNECTIONS", "OK\ncurrent connections:0\nmax concurrent connections:0\n");
	close(fd);
	close(monitor_login(&d, "carol:secret"));
	daemon_wait_log(&d, NULL, "@socket client=uid:");
	daemon_stop(&d);
}

/* What a process of another user with the socket's group gets to read first; "" when it may not
 * connect. */
static void greet_stranger(bool is_of_group, char out[64])
{
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd;

		if (setgroups(0, NULL) < 0 || setgid(is_of_group ? getegid() : STRANGER) < 0 ||
			setuid(STRANGER) < 0)
			_exit(2);
		fd = net_connect_local(path);
		if (fd < 0)
			_exit(errno == EACCES ? 0 : 3);
		n = read(fd, out, 63);
		_exit(n > 0 && write(ends[1], out, (size_t)n) == n ? 0 : 4);
	}
	close(ends[1]);
	n = read(ends[0], out, 63);
	out[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void others_are_asked_or_may_not_even_connect(void **state)
{
	char greeting[64];
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip_for_want_of("root, to become another user");
	start_with_socket(NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	greet_stranger(true, greeting);
	assert_string_equal(greeting, PROMPT);
	greet_stranger(false, greeting);
	assert_string_equal(greeting, "");
	daemon_stop(&d);
}

static void the_file_goes_with_the_server_and_a_dead_one_s_is_replaced(void **state)
{
	(void)state;
	start_with_socket(NULL);
	kill(d.pid, SIGKILL);
	assert_int_equal(WTERMSIG(daemon_wait_death(&d)), SIGKILL);
	assert_int_equal(access(path, F_OK), 0);
	daemon_launch(&d, (const char *const[]){"--monitor-socket", path, NULL});
	close(enter_as_operator());
	daemon_signal(&d, SIGTERM);
	assert_int_equal(daemon_wait_exit(&d), 0);
	assert_int_equal(access(path, F_OK), -1);
	daemon_clean_up(&d);
}

static void a_second_server_is_refused_and_the_first_one_stays(void **state)
{
	char output[1024], expected[256];

	(void)state;
	start_with_socket(NULL);
	snprintf(expected, sizeof(expected),
		"cannot listen at %s: another server is listening there\n", path);
	assert_int_equal(daemon_run((const char *const[]){"-l", "127.0.0.1", "-p", "0", "-P", "0",
					    "--max-sessions", "4", "--log-level", "error",
					    "--monitor-socket", path, NULL},
				 output, sizeof(output)),
		1);
	assert_non_null(strstr(output, expected));
	close(enter_as_operator());
	daemon_stop(&d);
}

static void the_check_of_a_configuration_looks_at_the_path(void **state)
{
	char output[1024];

	(void)state;
	start_with_socket(NULL);
	/* While the server runs that it is for. */
	assert_int_equal(daemon_run((const char *const[]){"-n", "--monitor-socket", path, NULL},
				 output, sizeof(output)),
		0);
	assert_int_equal(
		daemon_run((const char *const[]){"-n", "--monitor-socket", "/nowhere/s", NULL},
			output, sizeof(output)),
		2);
	assert_non_null(strstr(output, "cannot listen at /nowhere/s: the folder is missing\n"));
	daemon_stop(&d);
}

/* The places at the address and those at the socket are not the same. */
static void neither_door_is_shut_by_a_crowd_at_the_other(void **state)
{
	int crowd[FRONTS_SOCKET_CLIENTS], fd;

	(void)state;
	start_with_socket((const char *const[]){"--max-monitor-clients", "1", NULL});
	for (size_t i = 0; i < FRONTS_SOCKET_CLIENTS; i++)
		crowd[i] = enter_as_operator();
	fd = enter();
	assert_string_equal(monitor_read_to_end(fd), "ERR Too many clients\n");
	close(fd);
	fd = monitor_login(&d, "root:secret");
	monitor_expect(crowd[0], "USERS", "OK No active users\n");
	monitor_expect(fd, "USERS", "OK No active users\n");
	close(fd);
	for (size_t i = 0; i < FRONTS_SOCKET_CLIENTS; i++)
		close(crowd[i]);
	daemon_stop(&d);
}

static void write_config(const char *file, const char *socket, const char *more)
{
	char text[512];

	snprintf(text, sizeof(text), "monitor_socket = %s\n%s", socket, more);
	daemon_write_file(file, text);
}

/* Another folder could not be written to, and without a socket none could be made. */
static void another_path_waits_for_the_next_start(void **state)
{
	char first[LOCAL_PATH_MAX], second[LOCAL_PATH_MAX];
	const char *reply;
	int fd;

	(void)state;
	daemon_prepare(&d);
	monitor_write_users(&d);
	snprintf(first, sizeof(first), "%s/1", d.folder);
	snprintf(second, sizeof(second), "%s/2", d.folder);
	write_config(d.config, first, "");
	daemon_launch(&d, (const char *const[]){"-c", d.config, "-U", d.users, NULL});
	strcpy(path, first);
	fd = enter_as_operator();
	write_config(d.config, second, "max_monitor_clients = 9\n");
	monitor_expect(fd, "CONFIG monitor_socket /tmp/x",
		"ERR monitor_socket changes only at the next start\n");
	reply = monitor_ask(fd, "RELOAD");
	assert_non_null(strstr(reply, "monitor_socket changes only at the next start"));
	assert_non_null(strstr(reply, "max_monitor_clients changes only at the next start"));
	assert_int_equal(access(second, F_OK), -1);
	close(enter_as_operator());
	close(fd);
	daemon_stop(&d);
	assert_int_equal(access(first, F_OK), -1);
}

static void a_file_that_was_removed_is_made_again_by_a_reload(void **state)
{
	int fd;

	(void)state;
	start_with_socket(NULL);
	fd = enter_as_operator();
	assert_int_equal(unlink(path), 0);
	assert_non_null(strstr(monitor_ask(fd, "RELOAD"), "OK"));
	close(enter_as_operator());
	/* Who is there stays. */
	monitor_expect(fd, "USERS", "OK No active users\n");
	close(fd);
	daemon_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_runs_the_server_needs_no_login),
		cmocka_unit_test(others_are_asked_or_may_not_even_connect),
		cmocka_unit_test(the_file_goes_with_the_server_and_a_dead_one_s_is_replaced),
		cmocka_unit_test(a_second_server_is_refused_and_the_first_one_stays),
		cmocka_unit_test(the_check_of_a_configuration_looks_at_the_path),
		cmocka_unit_test(neither_door_is_shut_by_a_crowd_at_the_other),
		cmocka_unit_test(another_path_waits_for_the_next_start),
		cmocka_unit_test(a_file_that_was_removed_is_made_again_by_a_reload),
	};

	return cmocka_run_group_tests_name("daemon/monitor_socket", tests, NULL, NULL);
}
