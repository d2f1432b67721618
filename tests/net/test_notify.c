/* notify: what is sent to whom, and what of the environment is believed. */
#include "net/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../base/scratch.h"
#include "../server/manager.h"

static struct notify n;

static int setup(void **state)
{
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return scratch_enter(state);
}

static int teardown(void **state)
{
	notify_close(&n);
	if (manager_fd >= 0)
		manager_close();
	return scratch_leave(state);
}

#define notify_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Of the working directory's, which is the test's own. */
static const char *own_name(const char *prefix, const char *behind)
{
	static char name[128];
	char folder[80];

	assert_non_null(getcwd(folder, sizeof(folder)));
	snprintf(name, sizeof(name), "%s%s%s", prefix, folder, behind);
	return name;
}

static void it_speaks_to_a_path_and_to_an_abstract_name(void **state)
{
	const char *const prefixes[] = {"", "@"};

	(void)state;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		manager_open(own_name(prefixes[i], "/notify"));
		assert_int_equal(notify_open(&n), 0);
		notify_tell(&n, "READY=%d\nSTATUS=%s", 1, "well");
		manager_expect("READY=1\nSTATUS=well");
		notify_try(&n, "WATCHDOG=1");
		manager_expect("WATCHDOG=1");
		assert_int_equal(manager_passed, -1);
		notify_close(&n);
		manager_close();
	}
}

static void the_environment_is_taken_once(void **state)
{
	(void)state;
	manager_open(own_name("", "/notify"));
	setenv("WATCHDOG_USEC", "3000000", 1);
	assert_int_equal(notify_open(&n), 0);
	assert_int_equal(n.watchdog_ms, 3000);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_int_equal(fcntl(n.fd, F_GETFD), FD_CLOEXEC);
	notify_close(&n);
	assert_int_equal(notify_open(&n), 0);
	assert_int_equal(n.fd, -1);
	assert_int_equal(n.watchdog_ms, 0);
	notify_tell(&n, "READY=1");
	notify_try(&n, "READY=1");
	notify_store(&n, "name", 0);
	notify_drop(&n, "name");
	manager_expect_silence();
}

static void a_watchdog_is_for_the_process_that_it_names(void **state)
{
	static const struct {
		const char *usec;
		bool is_other;
		int64_t ms;
	} rows[] = {{"500000", false, 500}, {"500000", true, 0}, {"12x", false, 0}, {"", false, 0}};
	char pid[16];

	(void)state;
	manager_open(own_name("", "/notify"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		setenv("NOTIFY_SOCKET", own_name("", "/notify"), 1);
		setenv("WATCHDOG_USEC", rows[i].usec, 1);
		snprintf(pid, sizeof(pid), "%d", rows[i].is_other ? getppid() : getpid());
		setenv("WATCHDOG_PID", pid, 1);
		assert_int_equal(notify_open(&n), 0);
		assert_int_equal(n.watchdog_ms, rows[i].ms);
		notify_close(&n);
	}
}

static void a_descriptor_is_stored_by_name_and_dropped(void **state)
{
	struct stat ours, theirs;
	int fds[2];

	(void)state;
	manager_open(own_name("", "/notify"));
	assert_int_equal(notify_open(&n), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	notify_store(&n, "kept-this", fds[0]);
	manager_expect("FDSTORE=1\nFDNAME=kept-this");
	assert_int_equal(fstat(fds[0], &ours), 0);
	assert_int_equal(fstat(manager_passed, &theirs), 0);
	assert_int_equal(ours.st_ino, theirs.st_ino);
	close(manager_passed);
	close(fds[0]);
	close(fds[1]);
	notify_drop(&n, "kept-this");
	manager_expect("FDSTOREREMOVE=1\nFDNAME=kept-this");
}

static void a_name_that_cannot_be_is_an_error_and_nobody_is_told(void **state)
{
	char too_long[256];
	const char *const names[] = {"", "/", "relative", "vsock:2:1234", too_long};

	(void)state;
	memset(too_long, 'a', sizeof(too_long));
	too_long[0] = '/';
	too_long[sizeof(too_long) - 1] = '\0';
	for (size_t i = 0; i < COUNT(names); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		assert_int_equal(notify_open(&n), -1);
		assert_int_equal(errno, names[i] == too_long ? ENAMETOOLONG : EINVAL);
		assert_int_equal(n.fd, -1);
		assert_null(getenv("NOTIFY_SOCKET"));
	}
}

static void nobody_there_is_an_error(void **state)
{
	(void)state;
	setenv("NOTIFY_SOCKET", own_name("", "/notify"), 1);
	assert_int_equal(notify_open(&n), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(n.fd, -1);
	setenv("NOTIFY_SOCKET", own_name("@", "/notify"), 1);
	assert_int_equal(notify_open(&n), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(n.fd, -1);
}

/* Its queue takes some ten. */
static void a_manager_that_reads_nothing_holds_up_nobody(void **state)
{
	unsigned count = 0;

	(void)state;
	manager_open(own_name("", "/notify"));
	assert_int_equal(notify_open(&n), 0);
	for (int i = 0; i < 5000; i++)
		notify_try(&n, "WATCHDOG=1");
	while (manager_hears(MSG_DONTWAIT))
		count++;
	assert_true(count > 0);
	assert_true(count < 5000);
	manager_close();
	notify_tell(&n, "STOPPING=1"); /* to nobody */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		notify_test(it_speaks_to_a_path_and_to_an_abstract_name),
		notify_test(the_environment_is_taken_once),
		notify_test(a_watchdog_is_for_the_process_that_it_names),
		notify_test(a_descriptor_is_stored_by_name_and_dropped),
		notify_test(a_name_that_cannot_be_is_an_error_and_nobody_is_told),
		notify_test(nobody_there_is_an_error),
		notify_test(a_manager_that_reads_nothing_holds_up_nobody),
	};

	return cmocka_run_group_tests_name("net/notify", tests, NULL, NULL);
}
