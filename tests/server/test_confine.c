/* confine: what can and cannot be done from inside, by attempts in processes that are confined as
 * the server is; and what is said and refused where a kernel has only parts of it. */
#include "server/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "../base/scratch.h"
#include "base/log.h"
#include "inside.h"
#include "lacking.h"
#include "server/call_filter.h"
#include "server/landlock.h"

/* ---- a kernel that lacks what a test says ---- */

static int no_landlock, no_filter; /* errno; 0: as it really is */
static int no_rules, no_enforcing; /* the same of steps that fail though there is Landlock */

int __real_landlock_version(void);
int __wrap_landlock_version(void);
int __real_landlock_begin(int version);
int __wrap_landlock_begin(int version);
int __real_landlock_enforce(int rules);
int __wrap_landlock_enforce(int rules);
bool __real_call_filter_is_possible(void);
bool __wrap_call_filter_is_possible(void);
int __real_call_filter_install(bool makes_local);
int __wrap_call_filter_install(bool makes_local);

int __wrap_landlock_version(void)
{
	errno = no_landlock;
	return no_landlock != 0 ? 0 : __real_landlock_version();
}

int __wrap_landlock_begin(int version)
{
	errno = no_rules;
	return no_rules != 0 ? -1 : __real_landlock_begin(version);
}

int __wrap_landlock_enforce(int rules)
{
	errno = no_enforcing;
	return no_enforcing != 0 ? -1 : __real_landlock_enforce(rules);
}

bool __wrap_call_filter_is_possible(void)
{
	errno = no_filter;
	return no_filter == 0 && __real_call_filter_is_possible();
}

int __wrap_call_filter_install(bool makes_local)
{
	errno = no_filter;
	return no_filter != 0 ? -1 : __real_call_filter_install(makes_local);
}

/* ---- a server's folders ---- */

static struct settings settings;
static char error[CONFIG_ERROR_MAX];

static void set(const char *name, const char *value)
{
	const struct setting_input in = {.text = value};
	char why[SETTING_ERROR_MAX];

	assert_true(setting_set(settings_find(name), &settings, &in, why));
}

static int set_up(void **state)
{
	no_landlock = no_filter = no_rules = no_enforcing = 0;
	log_set_level(LOG_WARN);
	if (scratch_enter(state) < 0 || settings_init(&settings) < 0)
		return -1;
	assert_int_equal(mkdir("logs", 0700), 0);
	assert_int_equal(mkdir("own", 0700), 0);
	assert_int_equal(mkdir("state", 0700), 0);
	assert_int_equal(mkdir("run", 0700), 0);
	assert_int_equal(mkdir("other", 0700), 0);
	scratch_write("logs/log", "a line\n");
	scratch_write("own/users", "");
	scratch_write("other/file", "");
	set("log_file", "logs/log");
	set("users_file", "own/users");
	set("state_dir", "state");
	return 0;
}

static int tear_down(void **state)
{
	settings_free(&settings);
	log_set_level(LOG_INFO);
	return scratch_leave(state);
}

static void skip_unless_all_is_there(void)
{
	struct confinement c = confine_possible();
	char lacks[CONFIG_ERROR_MAX];

	if (*confine_lacks(&c, lacks) != '\0')
		skip_for_want_of("a kernel with Landlock and seccomp");
}

/* ---- attempts: 0, or errno ---- */

static int result_of(long result)
{
	return result < 0 ? errno : 0;
}

static int open_and_close(const char *path, int how)
{
	int fd = open(path, how | O_CLOEXEC, 0600);

	return fd < 0 ? errno : result_of(close(fd));
}

static int open_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : result_of(close(fd));
}

static int write_to_etc(void)
{
	return open_and_close("/etc/socks5d-was-here", O_WRONLY | O_CREAT);
}

static int change_hosts(void)
{
	return open_and_close("/etc/hosts", O_WRONLY | O_APPEND);
}

static int write_elsewhere(void)
{
	return open_and_close("other/new", O_WRONLY | O_CREAT);
}

static int change_elsewhere(void)
{
	return open_and_close("other/file", O_WRONLY);
}

static int truncate_elsewhere(void)
{
	return landlock_version() < 3 ? EACCES : result_of(truncate("other/file", 0));
}

static int remove_elsewhere(void)
{
	return result_of(unlink("other/file"));
}

static int remove_log(void)
{
	return result_of(unlink("logs/log"));
}

static int move_out(void)
{
	return result_of(rename("own/users", "other/users")) == 0 ? 0 : EACCES; /* or EXDEV */
}

static int make_link(void)
{
	return result_of(symlink("/etc/shadow", "logs/link"));
}

static int make_folder(void)
{
	return result_of(mkdir("own/folder", 0700));
}

static int execute(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return errno;
}

static int make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return result_of(pid);
}

static int make_unix_socket(void)
{
	return open_socket(AF_UNIX, SOCK_STREAM);
}

static int make_packet_socket(void)
{
	return open_socket(AF_PACKET, SOCK_RAW);
}

static int trace(void)
{
	return result_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int mount_something(void)
{
	return result_of(mount("none", "other", "tmpfs", 0, NULL));
}

/* Of this thread alone: setuid(3) asks all, and a sanitizer's own is not confined. */
static int become_root(void)
{
	return result_of(syscall(SYS_setuid, 0));
}

static int append_to_log(void)
{
	return open_and_close("logs/log", O_WRONLY | O_APPEND | O_CREAT);
}

static int rotate(void)
{
	return open_and_close("logs/new", O_WRONLY | O_APPEND | O_CREAT);
}

static int replace_users(void)
{
	int failed = open_and_close("own/users.new", O_WRONLY | O_CREAT | O_EXCL);

	if (failed == 0)
		failed = result_of(rename("own/users.new", "own/users"));
	return failed != 0 ? failed : result_of(chmod("own/users", 0600));
}

static int keep_state(void)
{
	int failed = open_and_close("state/db", O_RDWR | O_CREAT | O_TRUNC);

	return failed != 0 ? failed : result_of(unlink("state/db"));
}

static int read_anywhere(void)
{
	return open_and_close("/etc/hosts", O_RDONLY);
}

static int write_to_nowhere(void)
{
	return open_and_close("/dev/null", O_WRONLY);
}

static int read_device(void)
{
	char bytes[8];
	int failed = open_and_close("/dev/urandom", O_RDONLY);

	return failed != 0 ? failed : result_of(getrandom(bytes, sizeof(bytes), 0));
}

static int open_tcp(void)
{
	return open_socket(AF_INET, SOCK_STREAM);
}

static int ask_for_addresses(void)
{
	return open_socket(AF_NETLINK, SOCK_RAW);
}

static int wait_for_sockets(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	return fd < 0 ? errno : result_of(close(fd));
}

static int move_bytes(void)
{
	int a[2], b[2];

	if (pipe2(a, O_CLOEXEC) < 0 || pipe2(b, O_CLOEXEC) < 0 || write(a[1], "x", 1) != 1)
		return errno;
	return result_of(splice(a[0], NULL, b[1], NULL, 1, 0));
}

static int signal_itself(void)
{
	return result_of(kill(getpid(), SIGURG)); /* which is ignored */
}

static int signal_parent(void)
{
	return landlock_version() < 6 ? EPERM : result_of(kill(getppid(), SIGURG));
}

static void *return_nothing(void *ignored)
{
	(void)ignored;
	return NULL;
}

static int make_thread(void)
{
	pthread_t thread;
	int failed = pthread_create(&thread, NULL, return_nothing, NULL);

	return failed != 0 ? failed : pthread_join(thread, NULL);
}

#define ATTEMPT(f, e)                                                                              \
	{                                                                                          \
#f, f, e                                                                           \
	}

static const struct attempt {
	const char *name;
	int (*make)(void);
	int error; /* 0: it works */
} attempts[] = {
	ATTEMPT(write_to_etc, EACCES),
	ATTEMPT(change_hosts, EACCES),
	ATTEMPT(write_elsewhere, EACCES),
	ATTEMPT(change_elsewhere, EACCES),
	ATTEMPT(truncate_elsewhere, EACCES),
	ATTEMPT(remove_elsewhere, EACCES),
	ATTEMPT(remove_log, EACCES),
	ATTEMPT(move_out, EACCES),
	ATTEMPT(make_link, EACCES),
	ATTEMPT(make_folder, EACCES),
	ATTEMPT(execute, EPERM),
	ATTEMPT(make_process, EPERM),
	ATTEMPT(make_unix_socket, EPERM),
	ATTEMPT(make_packet_socket, EPERM),
	ATTEMPT(trace, EPERM),
	ATTEMPT(mount_something, EPERM),
	ATTEMPT(become_root, EPERM),
	ATTEMPT(signal_parent, EPERM),
	ATTEMPT(append_to_log, 0),
	ATTEMPT(rotate, 0),
	ATTEMPT(replace_users, 0),
	ATTEMPT(keep_state, 0),
	ATTEMPT(read_anywhere, 0),
	ATTEMPT(write_to_nowhere, 0),
	ATTEMPT(read_device, 0),
	ATTEMPT(open_tcp, 0),
	ATTEMPT(ask_for_addresses, 0),
	ATTEMPT(wait_for_sockets, 0),
	ATTEMPT(move_bytes, 0),
	ATTEMPT(signal_itself, 0),
	ATTEMPT(make_thread, 0),
};

static const char *say_errno(const char *what, int value)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s: errno %d", what, value);
	return text;
}

static const char *make_attempts(const void *context)
{
	(void)context;
	if (confine_enter(&settings, error) < 0)
		return error;
	for (size_t i = 0; i < COUNT(attempts); i++) {
		int failed = attempts[i].make();

		if (failed != attempts[i].error)
			return say_errno(attempts[i].name, failed);
	}
	return NULL;
}

static void from_inside_only_what_a_proxy_does_can_be_done(void **state)
{
	(void)state;
	skip_unless_all_is_there();
	inside(make_attempts, NULL);
}

/* What the filter denies anyway: the other wall has to hold by itself. */
static const char *execute_without_filter(const void *context)
{
	int failed;

	(void)context;
	no_filter = ENOSYS;
	if (confine_enter(&settings, error) < 0)
		return error;
	failed = execute();
	return failed == EACCES ? NULL : say_errno("execute", failed);
}

static void nothing_is_executed_without_the_filter_either(void **state)
{
	(void)state;
	skip_unless_all_is_there();
	inside(execute_without_filter, NULL);
}

static const char *listen_again(const void *context)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "run/socket"};
	int fd, failed;

	(void)context;
	if (confine_enter(&settings, error) < 0)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	failed = result_of(bind(fd, (const struct sockaddr *)&a, sizeof(a)));
	if (failed == 0)
		failed = result_of(unlink("run/socket"));
	if (failed != 0)
		return say_errno("a socket", failed);
	failed = open_and_close("run/file", O_WRONLY | O_CREAT);
	return failed == EACCES ? NULL : say_errno("a file beside it", failed);
}

static void with_a_monitor_socket_it_can_be_made_again(void **state)
{
	(void)state;
	skip_unless_all_is_there();
	set("monitor_socket", "run/socket");
	inside(listen_again, NULL);
}

/* Rotation moves what the link leads to. */
static const char *reopen_behind_link(const void *context)
{
	int failed;

	(void)context;
	if (confine_enter(&settings, error) < 0)
		return error;
	failed = open_and_close("other/new", O_WRONLY | O_CREAT);
	return failed == 0 ? NULL : say_errno("behind the link", failed);
}

static void the_folder_behind_a_link_is_a_log_s_too(void **state)
{
	(void)state;
	skip_unless_all_is_there();
	assert_int_equal(symlink("../other/file", "logs/link"), 0);
	set("access_log_file", "logs/link");
	inside(reopen_behind_link, NULL);
}

static const char *log_where_the_unit_says(const void *context)
{
	int failed;

	(void)context;
	if (confine_enter(&settings, error) < 0)
		return error;
	failed = open_and_close("run/log", O_WRONLY | O_CREAT);
	if (failed == 0)
		failed = open_and_close("other/log", O_WRONLY | O_CREAT);
	return failed == 0 ? NULL : say_errno("in the unit's folder", failed);
}

static void logs_may_be_where_the_unit_has_a_folder_for_them(void **state)
{
	char folders[2 * PATH_MAX], *here = getcwd(NULL, 0);

	(void)state;
	skip_unless_all_is_there();
	snprintf(folders, sizeof(folders), "%s/run:%s/other", here, here);
	free(here);
	assert_int_equal(setenv("LOGS_DIRECTORY", folders, 1), 0);
	inside(log_where_the_unit_says, NULL);
	assert_int_equal(unsetenv("LOGS_DIRECTORY"), 0);
}

/* As the user may, who runs it. */
static const char *write_anywhere(const void *context)
{
	(void)context;
	if (confine_enter(&settings, error) < 0)
		return error;
	if (write_elsewhere() != 0 || make_process() != 0)
		return "it is confined";
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? NULL : "new privileges can be had";
}

static void off_leaves_it_all_but_new_privileges(void **state)
{
	(void)state;
	set("sandbox", "off");
	inside(write_anywhere, NULL);
}

/* ---- what is missing ---- */

struct missing {
	int landlock, rules, enforcing, filter;
	const char *lacks; /* part of it */
	const char *holds;
	bool is_meant; /* by who has built it */
};

static const struct missing missing[] = {
	{.landlock = ENOSYS,
		.lacks = "Landlock: this kernel has none (Linux has it from 5.13 on)",
		.holds = "no_new_privs,call_filter"},
	{.landlock = EOPNOTSUPP,
		.lacks = "Landlock: it is switched off",
		.holds = "no_new_privs,call_filter"},
	{.landlock = EPERM,
		.lacks = "Landlock: what the server runs in forbids it",
		.holds = "no_new_privs,call_filter"},
	{.rules = EMFILE,
		.lacks = "Landlock: Too many open files",
		.holds = "no_new_privs,call_filter"},
	{.enforcing = E2BIG,
		.lacks = "Landlock: Argument list too long",
		.holds = "no_new_privs,call_filter"},
	{.filter = EINVAL,
		.lacks = "the filter of system calls: this kernel has no seccomp",
		.holds = "no_new_privs"},
	{.filter = ENOTSUP,
		.lacks = "the filter of system calls: this socks5d was built without it",
		.holds = "no_new_privs",
		.is_meant = true},
	{.landlock = ENOSYS, .filter = ENOSYS, .lacks = "; the filter", .holds = "=no_new_privs "},
};

static void lack(const struct missing *m)
{
	no_landlock = m->landlock;
	no_rules = m->rules;
	no_enforcing = m->enforcing;
	no_filter = m->filter;
}

/* Into the log that it may write to. */
static const char *enter_in_part(const void *context)
{
	const struct missing *m = context;
	char *text, begins[64];

	lack(m);
	log_set_level(LOG_INFO);
	snprintf(begins, sizeof(begins), "level=%s msg=\"confined in part\"",
		m->is_meant ? "info" : "warn");
	if (log_open("logs/log") < 0 || confine_enter(&settings, error) < 0)
		return error;
	text = scratch_read("logs/log");
	if (strstr(text, begins) == NULL || strstr(text, m->lacks) == NULL ||
		strstr(text, m->holds) == NULL)
		return text;
	return NULL;
}

static const char *fail_to_enter(const void *context)
{
	const struct missing *m = context;

	lack(m);
	set("sandbox", "required");
	if (confine_enter(&settings, error) == 0)
		return "nothing is missing";
	return strstr(error, "sandbox: \"required\": missing is ") == error &&
			strstr(error, m->lacks) != NULL
		? NULL
		: error;
}

static void what_is_missing_is_said_or_refused_where_it_is_required(void **state)
{
	(void)state;
	skip_unless_all_is_there();
	for (size_t i = 0; i < COUNT(missing); i++) {
		inside(enter_in_part, &missing[i]);
		inside(fail_to_enter, &missing[i]);
	}
}

static void what_is_required_is_asked_before_anything_is_opened(void **state)
{
	(void)state;
	no_landlock = ENOSYS;
	assert_int_equal(confine_check(&settings, error), 0);
	set("sandbox", "required");
	assert_int_equal(confine_check(&settings, error), -1);
	assert_contains(error, "sandbox: \"required\": missing is Landlock: this kernel has none");
}

static void what_holds_has_words(void **state)
{
	static const struct {
		struct confinement c;
		const char *words;
	} rows[] = {{{.landlock = 0}, "none"},
		{{.landlock = 3, .no_new_privs = true, .filters_calls = true},
			"landlock:3,no_new_privs,call_filter"},
		{{.no_new_privs = true}, "no_new_privs"}};
	char words[CONFINE_WORDS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(confine_words(&rows[i].c, words), rows[i].words);
}

/* ---- why something cannot be opened ---- */

static const char *ask_why(const void *context)
{
	static const struct {
		const char *path;
		bool is_outside;
	} rows[] = {{"logs/log", false}, {"logs/../own/x", false}, {"other/log", true},
		{"/etc/log", true}, {"missing/log", false}, {"run/log", true}, {"", false}};

	(void)context;
	set("monitor_socket", "run/socket");
	if (confine_enter(&settings, error) < 0)
		return error;
	for (size_t i = 0; i < COUNT(rows); i++) {
		strcpy(error, "why");
		confine_explain(rows[i].path, error);
		if ((strstr(error, "why: sandbox: the server may write beneath /") == error) !=
			rows[i].is_outside)
			return say_errno(rows[i].path, rows[i].is_outside);
	}
	return NULL;
}

static void a_folder_outside_is_the_reason(void **state)
{
	(void)state;
	skip_unless_all_is_there();
	inside(ask_why, NULL);
}

/* Rules are about what was there, and not about its name: it was made anew, by its owner. */
static const char *ask_why_of_replaced(const void *moved)
{
	char byte;

	if (confine_enter(&settings, error) < 0)
		return error;
	if (write(((const int *)moved)[3], "x", 1) != 1 ||
		read(((const int *)moved)[0], &byte, 1) != 1)
		return "it is not moved";
	strcpy(error, "why");
	confine_explain("logs/log", error);
	return strstr(error, "as that was at its start") != NULL ? NULL : error;
}

static void *replace_logs(void *moved)
{
	char byte;

	assert_int_equal(read(((int *)moved)[2], &byte, 1), 1);
	assert_int_equal(rename("logs", "former"), 0);
	assert_int_equal(mkdir("logs", 0700), 0);
	assert_int_equal(write(((int *)moved)[1], "x", 1), 1);
	return NULL;
}

static void a_folder_that_was_replaced_is_another_one(void **state)
{
	int moved[4]; /* two pipes: that it is, that it is to be */
	pthread_t thread;

	(void)state;
	skip_unless_all_is_there();
	assert_int_equal(pipe(moved), 0);
	assert_int_equal(pipe(moved + 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, replace_logs, moved), 0);
	inside(ask_why_of_replaced, moved);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < COUNT(moved); i++)
		close(moved[i]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(from_inside_only_what_a_proxy_does_can_be_done),
		TEST(nothing_is_executed_without_the_filter_either),
		TEST(with_a_monitor_socket_it_can_be_made_again),
		TEST(the_folder_behind_a_link_is_a_log_s_too),
		TEST(logs_may_be_where_the_unit_has_a_folder_for_them),
		TEST(off_leaves_it_all_but_new_privileges),
		TEST(what_is_missing_is_said_or_refused_where_it_is_required),
		TEST(what_is_required_is_asked_before_anything_is_opened),
		TEST(what_holds_has_words),
		TEST(a_folder_outside_is_the_reason),
		TEST(a_folder_that_was_replaced_is_another_one),
	};

	return cmocka_run_group_tests_name("server/confine", tests, NULL, NULL);
}
