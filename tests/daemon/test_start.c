/* The real server's start where something is missing: addresses, IPv6's interface, /dev/urandom. It
 * runs in a network of the test's own, which has nothing but loopback. */
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lacking.h"
#include "monitor.h"
#include "suite.h"

static struct daemon d;
static const char *lacking; /* why there are no namespaces; NULL: there are */

/* ---- a network and mounts of our own ---- */

static void write_line(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, text, strlen(text));
		close(fd);
	}
}

/* Whoever is not root is so in a namespace of users. */
static bool enter_namespaces(void)
{
	char map[64];

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) == 0)
		return true;
	snprintf(map, sizeof(map), "0 %u 1", getuid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
		return false;
	write_line("/proc/self/setgroups", "deny");
	write_line("/proc/self/uid_map", map);
	return true;
}

static void configure_interface(unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(ioctl(fd, what, request), 0);
	close(fd);
}

static void bring_loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	configure_interface(SIOCSIFFLAGS, &request);
}

static void give_address(const char *text)
{
	struct ifreq request = {.ifr_name = "lo:1"};
	struct addr a = net_addr(text, 0);

	memcpy(&request.ifr_addr, &a.in, sizeof(a.in));
	configure_interface(SIOCSIFADDR, &request);
}

static int setup(void **state)
{
	(void)state;
	if (!enter_namespaces() || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		lacking = "namespaces of its own";
		return 0;
	}
	bring_loopback_up();
	return 0;
}

static void need_namespaces(void)
{
	if (lacking != NULL)
		skip_for_want_of(lacking);
}

/* ---- addresses ---- */

static void expect_service(const char *host, uint16_t port)
{
	int fd = net_connect(host, port);

	net_socks_greet(fd);
	close(fd);
}

static void an_address_that_comes_after_the_start_is_served_from_then_on(void **state)
{
	const char *line;

	(void)state;
	need_namespaces();
	daemon_start(&d, (const char *const[]){"-l", "10.55.0.7", "-L", "10.55.0.7", NULL});
	line = daemon_wait_log(&d, NULL, "does not have this address");
	assert_non_null(strstr(line, "level=warn"));
	assert_non_null(strstr(line, "address=10.55.0.7:"));
	assert_non_null(strstr(line, "host_has=\"127.0.0.1"));
	give_address("10.55.0.7");
	expect_service("10.55.0.7", d.port);
	close(net_connect("10.55.0.7", d.monitor_port));
	daemon_stop(&d);
}

static void a_reload_to_an_address_that_is_not_there_is_refused(void **state)
{
	(void)state;
	need_namespaces();
	daemon_prepare(&d);
	daemon_write_file(d.config, "listen = 127.0.0.1\n");
	daemon_launch(&d, (const char *const[]){"-c", d.config, NULL});
	daemon_reload_with(&d, "listen = 127.0.0.1, 192.168.77.8\n",
		"reload refused, nothing changed: cannot listen on 192.168.77.8:0: Cannot assign");
	expect_service("127.0.0.1", d.port);
	daemon_stop(&d);
}

/* ---- randomness ---- */

static void without_a_source_of_randomness_it_does_not_start(void **state)
{
	char output[1024], taken[32];
	uint16_t port;
	int holder = net_listen("127.0.0.1", &port), status;

	(void)state;
	need_namespaces();
	/* So that it ends in any case. */
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", port);
	assert_int_equal(mount("/dev/null", "/dev/urandom", NULL, MS_BIND, NULL), 0);
	status = daemon_run(
		(const char *const[]){"-l", taken, "-P", "0", NULL}, output, sizeof(output));
	close(holder);
	assert_int_equal(umount("/dev/urandom"), 0);
	assert_int_equal(status, 1);
	assert_non_null(strstr(output, "/dev/urandom cannot be read"));
}

/* ---- signals ---- */

/* Starts the binary, stopped at its first instruction. */
static pid_t start_traced(void)
{
	const char *binary = getenv("SOCKS5D");
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			execl(binary != NULL ? binary : "bin/socks5d", "socks5d", "-v", NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSTOPPED(status))
		skip_for_want_of("ptrace");
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD), 0);
	return pid;
}

/* Is it about to open /dev/null? */
static bool opens_null(pid_t pid)
{
	struct __ptrace_syscall_info info;
	char path[] = "/dev/null", asked[sizeof(path)] = "";
	struct iovec here = {.iov_base = asked, .iov_len = sizeof(asked)}, there = here;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
		skip_for_want_of("ptrace's PTRACE_GET_SYSCALL_INFO");
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_openat)
		return false;
	there.iov_base = (void *)(uintptr_t)info.entry.args[1];
	(void)!process_vm_readv(pid, &here, 1, &there, 1, 0);
	return memcmp(asked, path, sizeof(path)) == 0;
}

static uint64_t blocked_signals(pid_t pid)
{
	char path[64], row[256];
	unsigned long long set = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(row, sizeof(row), file) != NULL)
		(void)sscanf(row, "SigBlk: %llx", &set);
	fclose(file);
	return set;
}

/* The first thing that the program does beside is to open /dev/null. */
static void signals_are_blocked_before_anything_else(void **state)
{
	static const int numbers[] = {SIGHUP, SIGUSR1, SIGPIPE};
	pid_t pid = start_traced();
	uint64_t blocked;
	int status;

	(void)state;
	do {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSTOPPED(status));
	} while (!opens_null(pid));
	blocked = blocked_signals(pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_true(blocked >> (numbers[i] - 1) & 1);
}

/* Nobody writes into it, so that the open(2) waits. */
static void what_hangs_while_it_opens_can_be_ended(void **state)
{
	char fifo[TMP_MAX_PATH + 8];
	const char *const argv[] = {getenv("SOCKS5D"), "-c", fifo, NULL};
	int status;
	pid_t pid;

	(void)state;
	daemon_prepare(&d);
	assert_non_null(argv[0]);
	snprintf(fifo, sizeof(fifo), "%s/fifo", d.folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(
		posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ), 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	daemon_clean_up(&d);
}

/* ---- names ---- */

/* The names of its threads, a line each, the main thread's first: "socks5d\n...". */
static void read_thread_names(pid_t pid, char *names, size_t size)
{
	char pattern[64];
	size_t len = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/comm", pid);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "re");

		if (file == NULL) /* which ended meanwhile */
			continue;
		len += fread(names + len, 1, size - 1 - len, file);
		fclose(file);
	}
	names[len] = '\0';
	globfree(&found);
}

/* A thread names itself when it first runs. */
static bool all_are_named(pid_t pid)
{
	static const char *const expected[] = {
		"stopping\n", "hasher\n", "janitor\n", "resolver\n", "admin\n", "keeper\n"};
	char names[4096];

	read_thread_names(pid, names, sizeof(names));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (strstr(names, expected[i]) == NULL)
			return false;
	}
	return true;
}

static void it_is_called_socks5d_whatever_it_was_started_by(void **state)
{
	char path[64], name[32], alias[TMP_MAX_PATH + 8], *binary;
	time_t end = time(NULL) + NET_PATIENCE_S;
	FILE *file;

	(void)state;
	daemon_prepare(&d);
	binary = realpath(getenv("SOCKS5D"), NULL);
	assert_non_null(binary);
	snprintf(alias, sizeof(alias), "%s/server", d.folder);
	assert_int_equal(symlink(binary, alias), 0);
	setenv("SOCKS5D", alias, 1);
	daemon_launch(&d, (const char *const[]){"--state-dir", d.folder, NULL});
	setenv("SOCKS5D", binary, 1);
	free(binary);
	snprintf(path, sizeof(path), "/proc/%d/comm", d.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(name, sizeof(name), file));
	fclose(file);
	assert_string_equal(name, "socks5d\n");
	while (!all_are_named(d.pid))
		assert_true(time(NULL) < end);
	daemon_stop(&d);
}

/* ---- memory ---- */

/* Sanitizers reserve terabytes for themselves. */
static void skip_if_address_space_is_not_ours(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip_for_want_of("address space that no sanitizer takes");
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	skip_for_want_of("address space that no sanitizer takes");
#endif
#endif
}

static void with_256_mib_of_address_space_it_serves_and_checks_passwords(void **state)
{
	struct rlimit before, limit;
	int fd;

	(void)state;
	skip_if_address_space_is_not_ours();
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	limit = (struct rlimit){.rlim_cur = 256 << 20, .rlim_max = before.rlim_max};
	daemon_prepare(&d);
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0); /* the daemon inherits it */
	daemon_launch(
		&d, (const char *const[]){"--max-sessions", "auto", "-u", "alice:secret", NULL});
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_non_null(strstr(daemon_wait_log(&d, NULL, " sessions fit\""),
		"limited_by=\"the limit on address space (ulimit -v)\""));
	fd = net_connect("127.0.0.1", d.port);
	net_send_hex(fd, "05 01 02  01 05 61 6C 69 63 65 06 73 65 63 72 65 74");
	net_expect_hex(fd, "05 02  01 00");
	close(fd);
	daemon_stop(&d);
}

/* Linux tells it of each process since 5.0. */
static void the_kernel_is_asked_for_no_huge_pages(void **state)
{
	char path[64], text[8192];
	const char *row;
	FILE *file;

	(void)state;
	daemon_start(&d, NULL);
	snprintf(path, sizeof(path), "/proc/%d/status", d.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	row = strstr(text, "\nTHP_enabled:");
	daemon_stop(&d);
	if (row == NULL)
		skip_for_want_of("a kernel that tells of huge pages");
	assert_int_equal(strncmp(row, "\nTHP_enabled:\t0\n", 16), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_comes_after_the_start_is_served_from_then_on),
		cmocka_unit_test(a_reload_to_an_address_that_is_not_there_is_refused),
		cmocka_unit_test(without_a_source_of_randomness_it_does_not_start),
		cmocka_unit_test(signals_are_blocked_before_anything_else),
		cmocka_unit_test(what_hangs_while_it_opens_can_be_ended),
		cmocka_unit_test(it_is_called_socks5d_whatever_it_was_started_by),
		cmocka_unit_test(with_256_mib_of_address_space_it_serves_and_checks_passwords),
		cmocka_unit_test(the_kernel_is_asked_for_no_huge_pages),
	};

	return cmocka_run_group_tests_name("daemon/start", tests, setup, NULL);
}
