/* The real server confined: what each of its threads goes without, what can be opened afterwards
 * and what not, for what reason; as root, and as the user whom root starts it for. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lacking.h"
#include "monitor.h"
#include "net/local.h"
#include "server/confine.h"
#include "suite.h"

#define USER "nobody"

static struct daemon d;

static void skip_unless_all_is_there(void)
{
	struct confinement c = confine_possible();
	char lacks[CONFIG_ERROR_MAX];

	if (!daemon_is_confined() || *confine_lacks(&c, lacks) != '\0')
		skip_for_want_of("a kernel with Landlock and seccomp, and a build without ASan");
}

/* A path in the daemon's folder. */
static const char *inside(const char *name)
{
	static char paths[8][LOCAL_PATH_MAX];
	static unsigned at;
	char *path = paths[at++ % 8];

	snprintf(path, LOCAL_PATH_MAX, "%s/%s", d.folder, name);
	return path;
}

static void make_folder(const char *name)
{
	assert_int_equal(mkdir(inside(name), 0755), 0);
}

static void remove_folder(const char *name)
{
	char command[LOCAL_PATH_MAX + 16];

	snprintf(command, sizeof(command), "rm -r '%s'", inside(name));
	assert_int_equal(system(command), 0);
}

static void configure(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void configure(const char *format, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	daemon_write_file(d.config, text);
}

/* How many of the process's threads have this line in their status; `*all` of them. */
static size_t count_threads(const char *expected, size_t *all)
{
	char command[256], line[32];
	unsigned long with, total;
	FILE *out;

	snprintf(command, sizeof(command),
		"cat /proc/%d/task/*/status | awk '/^Name:/{n++} $0 == \"%s\"{w++} "
		"END{print w + 0, n}'",
		(int)d.pid, expected);
	out = popen(command, "re");
	assert_non_null(out);
	assert_non_null(fgets(line, sizeof(line), out));
	pclose(out);
	assert_int_equal(sscanf(line, "%lu %lu", &with, &total), 2);
	*all = total;
	return with;
}

static void assert_all_threads(const char *expected)
{
	size_t all, with = count_threads(expected, &all);

	if (with != all || all < 4)
		fail_msg("\"%s\": %zu of %zu threads", expected, with, all);
}

static void every_thread_goes_without(void **state)
{
	size_t all;
	int fd;

	(void)state;
	skip_unless_all_is_there();
	monitor_start_daemon(&d, NULL);
	assert_all_threads("NoNewPrivs:\\t1");
	assert_all_threads("Seccomp:\\t2");
	assert_true(daemon_log_has(&d, "msg=confined user="));
	fd = monitor_login(&d, "root:secret");
	assert_non_null(strstr(monitor_ask(fd, "STATS"), "\nconfined by:landlock:"));
	monitor_expect(fd, "CONFIG sandbox off", "ERR sandbox changes only at the next start\n");
	close(fd);
	daemon_stop(&d);
	monitor_start_daemon(&d, (const char *const[]){"--sandbox", "off", NULL});
	assert_int_equal(count_threads("Seccomp:\\t2", &all), 0);
	assert_all_threads("NoNewPrivs:\\t1");
	assert_true(daemon_log_has(&d, "msg=\"not confined (sandbox = off)\""));
	daemon_stop(&d);
}

#define SETTINGS "listen = 127.0.0.1\nusers_file = %s\naccess_log_file = %s\n"

/* Logs may go where logs, or other files of the server's, were at start. */
static void a_log_in_another_folder_is_refused_with_the_reason(void **state)
{
	const char *reply;
	int fd;

	(void)state;
	skip_unless_all_is_there();
	daemon_prepare(&d);
	make_folder("own");
	make_folder("logs");
	make_folder("other");
	daemon_write_file(inside("own/users"), "root:" MONITOR_HASH ":admin\n");
	configure(SETTINGS, inside("own/users"), inside("logs/access"));
	daemon_launch(&d, (const char *const[]){"-c", d.config, NULL});
	fd = monitor_login(&d, "root:secret");
	configure(SETTINGS "log_file = %s\n", inside("own/users"), inside("logs/access"),
		inside("other/log"));
	reply = monitor_ask(fd, "RELOAD");
	assert_non_null(strstr(reply, "ERR log_file: "));
	assert_non_null(strstr(reply, "Permission denied: sandbox: the server may write beneath "));
	configure(SETTINGS, inside("own/users"), inside("other/access"));
	reply = monitor_ask(fd, "RELOAD");
	assert_non_null(strstr(reply, "ERR access_log_file: "));
	assert_non_null(strstr(reply, "another folder takes a restart"));
	configure(SETTINGS, inside("own/users"), inside("logs/another"));
	assert_non_null(strstr(monitor_ask(fd, "RELOAD"), "OK access_log_file set to "));
	assert_int_equal(rename(inside("logs/another"), inside("logs/another.1")), 0);
	assert_non_null(strstr(monitor_ask(fd, "RELOAD"), "opened again: "));
	assert_int_equal(access(inside("logs/another"), F_OK), 0);
	monitor_expect(fd, "ADD_USER carol secret", "OK User carol added\n");
	close(fd);
	remove_folder("own");
	remove_folder("logs");
	remove_folder("other");
	daemon_stop(&d);
}

static void what_is_required_and_possible_is_no_hindrance(void **state)
{
	(void)state;
	skip_unless_all_is_there();
	daemon_start(&d, (const char *const[]){"--sandbox", "required", NULL});
	assert_all_threads("Seccomp:\\t2");
	daemon_stop(&d);
}

/* ---- as another user ---- */

static void skip_unless_root(void)
{
	if (geteuid() != 0 || getpwnam(USER) == NULL)
		skip_for_want_of("root, and a user " USER);
}

#define AS_USER                                                                                    \
	"listen = 127.0.0.1\nuser = " USER                                                         \
	"\nusers_file = %s\naccess_log_file = %s\nmonitor_socket = %s\n"

static void configure_as_user(const char *more)
{
	configure(AS_USER "%s", inside("own/users"), inside("logs/access"), inside("run/socket"),
		more);
}

static void start_as_user(void)
{
	daemon_prepare(&d);
	assert_int_equal(chmod(d.folder, 0755), 0);
	make_folder("own");
	make_folder("logs");
	make_folder("run");
	configure_as_user("");
	daemon_launch(&d, (const char *const[]){"-c", d.config, "-u", "root:secret", NULL});
}

static void stop_as_user(void)
{
	daemon_signal(&d, SIGTERM);
	assert_int_equal(daemon_wait_exit(&d), 0);
	assert_int_equal(access(inside("run/socket"), F_OK), -1);
	remove_folder("own");
	remove_folder("logs");
	remove_folder("run");
	daemon_clean_up(&d);
}

static void as_a_user_it_keeps_no_right_and_does_all_it_has_to(void **state)
{
	const struct passwd *entry;
	char ids[64];
	int fd;

	(void)state;
	skip_unless_root();
	start_as_user();
	entry = getpwnam(USER);
	snprintf(ids, sizeof(ids), "Uid:\\t%u\\t%u\\t%u\\t%u", entry->pw_uid, entry->pw_uid,
		entry->pw_uid, entry->pw_uid);
	assert_all_threads(ids);
	assert_all_threads("CapEff:\\t0000000000000000");
	assert_all_threads("CapPrm:\\t0000000000000000");
	assert_all_threads("CapBnd:\\t0000000000000000");
	fd = monitor_login(&d, "root:secret");
	monitor_expect(fd, "ADD_USER carol secret admin", "OK User carol added\n");
	/* Rotated by name, as logrotate does it. */
	assert_int_equal(rename(inside("logs/access"), inside("logs/access.1")), 0);
	assert_non_null(strstr(monitor_ask(fd, "RELOAD"), "opened again: "));
	assert_int_equal(access(inside("logs/access"), F_OK), 0);
	close(fd);
	stop_as_user();
}

static void as_a_user_what_only_root_may_is_refused_at_a_reload(void **state)
{
	const char *reply;
	int fd;

	(void)state;
	skip_unless_root();
	start_as_user();
	fd = monitor_login(&d, "root:secret");
	reply = monitor_ask(fd, "CONFIG listen 127.0.0.1:1");
	assert_non_null(strstr(reply,
		"ERR cannot listen on 127.0.0.1:1: Permission denied: the "
		"right to ports below 1024 was given up at the start"));
	assert_int_equal(chmod(d.config, 0600), 0);
	reply = monitor_ask(fd, "RELOAD");
	assert_non_null(strstr(reply, "Permission denied (for the user " USER ")"));
	close(fd);
	stop_as_user();
}

static void a_user_who_cannot_be_become_is_bad_input(void **state)
{
	char output[1024];

	(void)state;
	if (geteuid() != 0)
		skip_for_want_of("root");
	assert_int_equal(daemon_run((const char *const[]){"-n", "--run-as", "no-such-user", NULL},
				 output, sizeof(output)),
		2);
	assert_non_null(strstr(output, "user: \"no-such-user\": this host has no such user"));
	assert_int_equal(daemon_run((const char *const[]){"-l", "127.0.0.1", "-p", "0", "-P", "0",
					    "--run-as", "root", NULL},
				 output, sizeof(output)),
		2);
	assert_non_null(strstr(output, "user: \"root\": that is root"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thread_goes_without),
		cmocka_unit_test(a_log_in_another_folder_is_refused_with_the_reason),
		cmocka_unit_test(what_is_required_and_possible_is_no_hindrance),
		cmocka_unit_test(as_a_user_it_keeps_no_right_and_does_all_it_has_to),
		cmocka_unit_test(as_a_user_what_only_root_may_is_refused_at_a_reload),
		cmocka_unit_test(a_user_who_cannot_be_become_is_bad_input),
	};

	return cmocka_run_group_tests_name("daemon/confine", tests, NULL, NULL);
}
