/* The real server's users: the file, -u, and who must log in. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static struct daemon d;

/* "secret" by bcrypt at its lowest cost. */
#define BOB_HASH "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

/* The status of a login (RFC 1929). */
static uint8_t login(const char *name, const char *password)
{
	int fd = net_connect("127.0.0.1", d.port);
	uint8_t status = net_socks_log_in(fd, name, password);

	close(fd);
	return status;
}

static void a_user_given_by_flag_is_saved_and_outlives_the_process(void **state)
{
	struct stat before, after;

	(void)state;
	daemon_prepare(&d);
	daemon_launch(&d, (const char *const[]){"-u", "alice:pass word", "-U", d.users, NULL});
	assert_int_equal(login("alice", "pass word"), 0);
	assert_int_equal(login("alice", "pass"), 1);
	assert_int_equal(stat(d.users, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0600);
	daemon_signal(&d, SIGTERM);
	assert_int_equal(daemon_wait_exit(&d), 0);
	daemon_launch(&d, (const char *const[]){"-U", d.users, NULL});
	assert_int_equal(login("alice", "pass word"), 0);
	assert_int_equal(login("alice", "wrong"), 1);
	daemon_signal(&d, SIGTERM);
	assert_int_equal(daemon_wait_exit(&d), 0);
	/* The same -u again finds nothing to write. */
	daemon_launch(&d, (const char *const[]){"-u", "alice:pass word", "-U", d.users, NULL});
	assert_int_equal(stat(d.users, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	daemon_stop(&d);
}

static void ten_users_fit_on_the_command_line(void **state)
{
	const char *flags[21] = {NULL};
	char texts[10][16];

	(void)state;
	for (int i = 0; i < 10; i++) {
		snprintf(texts[i], sizeof(texts[i]), "user%d:pass%d", i, i);
		flags[2 * i] = "-u";
		flags[2 * i + 1] = texts[i];
	}
	daemon_start(&d, flags);
	assert_int_equal(login("user0", "pass0"), 0);
	assert_int_equal(login("user9", "pass9"), 0);
	assert_int_equal(login("user9", "pass0"), 1);
	daemon_stop(&d);
}

static void the_file_is_read_again_on_reload(void **state)
{

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.users, "bob:" BOB_HASH "\n");
	daemon_launch(&d, (const char *const[]){"-U", d.users, NULL});
	assert_int_equal(login("carol", "secret"), 1);
	daemon_write_file(d.users, "bob:not a hash\n");
	daemon_reload(&d, "/users:1: the second field is no password hash");
	daemon_write_file(d.users, "# nobody but carol\ncarol:" BOB_HASH ":user\n");
	daemon_reload(&d, "msg=reloaded");
	assert_int_equal(login("bob", "anything"), 1);
	daemon_stop(&d);
}

/* Does the proxy ask for a login? A client that offers none is refused then. */
static void assert_login_is_required(void)
{
	int fd = net_connect("127.0.0.1", d.port);

	net_send_hex(fd, "05 01 00");
	net_expect_hex(fd, "05 ff");
	close(fd);
}

static void a_file_that_was_emptied_does_not_open_the_door(void **state)
{

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.users, "bob:" BOB_HASH "\n");
	daemon_launch(&d, (const char *const[]){"-U", d.users, NULL});
	daemon_write_file(d.users, "# to be filled in\n");
	daemon_reload(&d, "no users are left in it, but the server has 1 from it");
	assert_login_is_required();
	assert_int_equal(login("bob", "secret"), 0);
	/* And neither does it at the next start. */
	daemon_signal(&d, SIGTERM);
	assert_int_equal(daemon_wait_exit(&d), 0);
	daemon_launch(&d, (const char *const[]){"-U", d.users, NULL});
	assert_login_is_required();
	assert_int_equal(login("bob", "secret"), 1);
	daemon_stop(&d);
}

/* A file that is named means that a login is wanted, whatever is in it. */
static void nobody_in_the_file_is_no_reason_to_let_everybody_in(void **state)
{
	static const char *const contents[] = {NULL, "", "# nobody yet\n\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		daemon_prepare(&d);
		if (contents[i] != NULL)
			daemon_write_file(d.users, contents[i]);
		daemon_launch(&d, (const char *const[]){"-U", d.users, NULL});
		assert_true(daemon_log_has(&d, "nobody gets in. -u NAME:PASS"));
		assert_login_is_required();
		daemon_reload(&d, "msg=reloaded");
		assert_login_is_required();
		daemon_write_file(d.users, "bob:" BOB_HASH "\n");
		daemon_reload(&d, "msg=reloaded what=\"1 user added; ");
		assert_int_equal(login("bob", "secret"), 0);
		daemon_stop(&d);
	}
}

#define CROWD 120
#define CONNECTIONS 4 /* of each, as browsers have several */

/* All that there are, with nobody known yet: the bound on those who wait used to refuse most. */
static void all_users_may_log_in_at_once_after_a_start(void **state)
{
	static int fds[CROWD * CONNECTIONS];
	static char lines[CROWD * 80];
	size_t len = 0;
	char hex[64];

	(void)state;
	daemon_prepare(&d);
	for (int i = 0; i < CROWD; i++)
		len += (size_t)snprintf(
			lines + len, sizeof(lines) - len, "u%03d:" BOB_HASH "\n", i);
	daemon_write_file(d.users, lines);
	daemon_launch(&d,
		(const char *const[]){"-U", d.users, "--max-sessions", "1000",
			"--max-password-checks", "1", "--handshake-timeout", "60s", NULL});
	for (int i = 0; i < CROWD * CONNECTIONS; i++) {
		fds[i] = net_connect("127.0.0.1", d.port);
		snprintf(hex, sizeof(hex), "05 01 02 01 04 75 %02x %02x %02x 06 73 65 63 72 65 74",
			'0' + i % CROWD / 100, '0' + i % CROWD / 10 % 10, '0' + i % 10);
		net_send_hex(fds[i], hex);
	}
	for (int i = 0; i < CROWD * CONNECTIONS; i++) {
		net_expect_hex(fds[i], "05 02 01 00");
		close(fds[i]);
	}
	assert_int_equal(daemon_stat(&d, "ended_login_busy"), 0);
	daemon_stop(&d);
}

static void the_log_warns_once_of_hashes_of_several_kinds(void **state)
{
	static const char sha512[] =
		"alice:$6$rounds=1000$abcdefgh$"
		"yRYDp0gcpuIUJ1pJ8AIl1wOzP3k4xSDQ3tcbVQuS0wMxmf1MfrvhYlSTJrAx3P"
		"SQyQTJj6bkuGpyhu4mZHHGD/:user\n";
	char both[512];

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.users, "bob:" BOB_HASH "\n");
	daemon_launch(&d, (const char *const[]){"-U", d.users, NULL});
	snprintf(both, sizeof(both), "bob:" BOB_HASH "\n%s", sha512);
	daemon_write_file(d.users, both);
	daemon_reload(&d, "the users' passwords are hashed in several ways");
	assert_int_equal(login("bob", "secret"), 0);
	assert_int_equal(login("alice", "secret"), 1);
	daemon_stop(&d);
}

static void wrong_passwords_do_not_hold_up_who_is_known(void **state)
{
	char guess[] = "guess 000";
	int fds[200];

	(void)state;
	daemon_start(&d,
		(const char *const[]){"-u", "alice:secret", "--max-sessions", "64",
			"--max-password-checks", "1", NULL});
	/* Each takes a slow hash of its own, one at a time, and holds a worker meanwhile. */
	for (int i = 0; i < 200; i++) {
		snprintf(guess, sizeof(guess), "guess %03d", i);
		fds[i] = net_connect("127.0.0.1", d.port);
		net_socks_send_login(fds[i], "alice", guess);
	}
	assert_int_equal(login("alice", "secret"), 0);
	assert_true(daemon_stat(&d, "ended_login_busy") > 0);
	for (int i = 0; i < 200; i++)
		close(fds[i]);
	daemon_stop(&d);
}

static void a_file_that_is_wrong_or_without_a_folder_is_bad_input(void **state)
{
	char output[2048];

	(void)state;
	daemon_prepare(&d);
	assert_int_equal(daemon_run((const char *const[]){"-U", "/nonexistent/users", NULL}, output,
				 sizeof(output)),
		2);
	assert_non_null(strstr(output, "/nonexistent/users: cannot be read: No such file"));
	daemon_write_file(d.users, "bob:" BOB_HASH "\n\nbob:" BOB_HASH "\n");
	assert_int_equal(
		daemon_run((const char *const[]){"-U", d.users, NULL}, output, sizeof(output)), 2);
	assert_non_null(strstr(output, "/users:3: this name was there already"));
	daemon_clean_up(&d);
}

/* A limit that is not kept is not to be believed kept. */
static void a_line_with_unknown_limits_is_refused_wherever_it_is_read(void **state)
{
	char output[2048];

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.users, "# ours\nbob:" BOB_HASH ":user:sesions=5\n");
	assert_int_equal(
		daemon_run((const char *const[]){"-U", d.users, NULL}, output, sizeof(output)), 2);
	assert_non_null(strstr(output, "/users:2: sesions: there is no such key"));
	assert_int_equal(daemon_run((const char *const[]){"-n", "-U", d.users, NULL}, output,
				 sizeof(output)),
		2);
	assert_non_null(strstr(output, "/users:2: sesions: there is no such key"));
	daemon_write_file(d.users, "bob:" BOB_HASH ":user:\n");
	daemon_launch(&d, (const char *const[]){"-U", d.users, NULL});
	daemon_write_file(d.users, "bob:" BOB_HASH ":user:room=7\n");
	daemon_reload(&d, "/users:1: room: there is no such key");
	assert_int_equal(login("bob", "secret"), 0);
	daemon_stop(&d);
}

static void passwords_are_not_to_be_seen_from_outside(void **state)
{
	char path[64], bytes[4096];
	size_t len;
	FILE *f;

	(void)state;
	daemon_start(&d, (const char *const[]){"-u", "alice:verysecret", NULL});
	snprintf(path, sizeof(path), "/proc/%d/cmdline", d.pid);
	f = fopen(path, "re");
	assert_non_null(f);
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	assert_non_null(memmem(bytes, len, "alice:", 6));
	assert_null(memmem(bytes, len, "verysecret", 10));
	assert_false(daemon_log_has(&d, "verysecret"));
	daemon_stop(&d);
}

static void required_login_without_users_lets_nobody_in(void **state)
{
	(void)state;
	daemon_start(&d, (const char *const[]){"--auth", "required", NULL});
	assert_int_equal(login("alice", "x"), 1);
	assert_true(daemon_log_has(&d, "nobody gets in"));
	daemon_stop(&d);
}

static void clients_outside_the_list_are_refused_before_a_byte(void **state)
{
	int fd;

	(void)state;
	daemon_start(&d, (const char *const[]){"--clients", "127.0.0.9, 192.0.2.0/24", NULL});
	for (int i = 0; i < 3; i++) {
		fd = net_connect("127.0.0.1", d.port);
		net_expect_gone(fd);
		close(fd);
	}
	fd = net_connect_from("127.0.0.9", "127.0.0.1", d.port);
	net_socks_greet(fd);
	close(fd);
	assert_int_equal(daemon_stat(&d, "clients_refused"), 3);
	daemon_wait_log(
		&d, NULL, "msg=\"client refused by the setting clients\" client=127.0.0.1:");
	daemon_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_given_by_flag_is_saved_and_outlives_the_process),
		cmocka_unit_test(ten_users_fit_on_the_command_line),
		cmocka_unit_test(the_file_is_read_again_on_reload),
		cmocka_unit_test(a_file_that_was_emptied_does_not_open_the_door),
		cmocka_unit_test(nobody_in_the_file_is_no_reason_to_let_everybody_in),
		cmocka_unit_test(all_users_may_log_in_at_once_after_a_start),
		cmocka_unit_test(the_log_warns_once_of_hashes_of_several_kinds),
		cmocka_unit_test(wrong_passwords_do_not_hold_up_who_is_known),
		cmocka_unit_test(a_file_that_is_wrong_or_without_a_folder_is_bad_input),
		cmocka_unit_test(a_line_with_unknown_limits_is_refused_wherever_it_is_read),
		cmocka_unit_test(passwords_are_not_to_be_seen_from_outside),
		cmocka_unit_test(required_login_without_users_lets_nobody_in),
		cmocka_unit_test(clients_outside_the_list_are_refused_before_a_byte),
	};

	return cmocka_run_group_tests_name("daemon/users", tests, NULL, NULL);
}
