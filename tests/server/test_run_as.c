/* run_as: what is given to the user and what stays root's, what is opened as he may, and that
 * nothing of root is left; each part in a process of its own. */
#include "server/run_as.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "../base/scratch.h"
#include "base/identity.h"
#include "base/log.h"
#include "inside.h"
#include "lacking.h"

#define USER "nobody"

static struct config *config;
static char error[CONFIG_ERROR_MAX];
static uid_t uid;

static int set_up(void **state)
{
	const struct passwd *entry = getpwnam(USER);

	log_set_level(LOG_ERROR);
	uid = entry == NULL ? 0 : entry->pw_uid;
	if (scratch_enter(state) < 0)
		return -1;
	return chmod(".", 0755);
}

static int tear_down(void **state)
{
	config_release(config);
	config = NULL;
	log_set_level(LOG_INFO);
	return scratch_leave(state);
}

static void configure(const char *text)
{
	static struct config_source source = {.path = "conf"};

	scratch_write("conf", text);
	config = config_read(&source, error);
	if (config == NULL)
		fail_msg("%s", error);
}

static void skip_unless_root(void)
{
	if (geteuid() != 0 || uid == 0)
		skip_for_want_of("root, and a user " USER);
}

/* ---- who ---- */

static void who_cannot_be_become_is_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {{"user = no-such-user\n", "user: \"no-such-user\": this host has no such user"},
		{"user = root\n", "user: \"root\": that is root, whom this is to get away from"}};

	(void)state;
	skip_unless_root();
	for (size_t i = 0; i < COUNT(rows); i++) {
		configure(rows[i].text);
		assert_int_equal(run_as_check(&config->settings, error), -1);
		assert_string_equal(error, rows[i].error);
		assert_int_equal(run_as_begin(config, error), -1);
		assert_string_equal(error, rows[i].error);
		config_release(config);
	}
	config = NULL;
}

/* As whoever started it, who may be the very user. */
static const char *begin_as_other(const void *context)
{
	uid_t other = *(const uid_t *)context;

	if (setresuid(other, other, other) < 0)
		return strerror(errno);
	if (other == uid)
		return run_as_begin(config, error) == 0 && run_as_end(error) == 0 ? NULL : error;
	if (run_as_begin(config, error) == 0)
		return "it was let through";
	return strcmp(error, "user: \"" USER "\": only root can become another user") == 0 ? NULL
											   : error;
}

static void only_root_becomes_another(void **state)
{
	const uid_t stranger = 12345;

	(void)state;
	skip_unless_root();
	configure("user = " USER "\n");
	inside(begin_as_other, &uid);
	inside(begin_as_other, &stranger);
}

static const char *change_nothing(const void *context)
{
	(void)context;
	if (run_as_begin(config, error) < 0 || run_as_end(error) < 0)
		return error;
	return identity_became() == NULL && geteuid() == getuid() ? NULL : "it is another user";
}

static void without_a_user_nothing_changes(void **state)
{
	(void)state;
	configure("timeout = 5m\n");
	inside(change_nothing, NULL);
}

/* ---- what is given ---- */

#define ALL                                                                                        \
	"user = " USER "\nlog_file = logs/log\naccess_log_file = access/log\n"                     \
	"users_file = users/users\nstate_dir = state\nmonitor_socket = run/socket\n"

static const char *begin(const void *context)
{
	(void)context;
	return run_as_begin(config, error) < 0 ? error : NULL;
}

static bool is_his(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return st.st_uid == uid;
}

static void make_folders(void)
{
	static const char *const folders[] = {"logs", "access", "users", "state", "run"};

	for (size_t i = 0; i < COUNT(folders); i++)
		assert_int_equal(mkdir(folders[i], 0755), 0);
}

static void what_is_for_the_server_only_is_given(void **state)
{
	static const char *const given[] = {"logs", "logs/log", "access", "users", "users/users",
		"state", "state/socks5d.db", "run"};

	(void)state;
	skip_unless_root();
	make_folders();
	scratch_write("logs/log", "");
	scratch_write("logs/log.1", "");
	scratch_write("users/users", "");
	scratch_write("state/socks5d.db", "");
	configure(ALL);
	inside(begin, NULL);
	for (size_t i = 0; i < COUNT(given); i++) {
		if (!is_his(given[i]))
			fail_msg("%s is not given", given[i]);
	}
	assert_false(is_his("logs/log.1"));
	assert_false(is_his("conf"));
	assert_false(is_his("."));
}

/* Each makes the folder `logs` one that is for others too. */
static void with_a_folder_in_it(void)
{
	assert_int_equal(mkdir("logs/apt", 0755), 0);
}

static void with_a_stranger_s_file(void)
{
	scratch_write("logs/other", "");
	assert_int_equal(chown("logs/other", 12345, 12345), 0);
}

static void with_the_configuration(void)
{
	assert_int_equal(link("conf", "logs/conf"), 0);
}

static void with_a_link(void)
{
	assert_int_equal(symlink("/etc/shadow", "logs/link"), 0);
}

static void writable_for_its_group(void)
{
	assert_int_equal(chmod("logs", 0775), 0);
}

static void writable_for_all(void)
{
	assert_int_equal(chmod("logs", 01777), 0);
}

static void a_stranger_s(void)
{
	assert_int_equal(chown("logs", 12345, 12345), 0);
}

static void a_folder_that_is_for_others_too_stays_as_it_is(void **state)
{
	static void (*const ways[])(void) = {with_a_folder_in_it, with_a_stranger_s_file,
		with_the_configuration, with_a_link, writable_for_its_group, writable_for_all,
		a_stranger_s};

	(void)state;
	skip_unless_root();
	configure("user = " USER "\nlog_file = logs/log\n");
	for (size_t i = 0; i < COUNT(ways); i++) {
		assert_int_equal(mkdir("logs", 0755), 0);
		ways[i]();
		inside(begin, NULL);
		if (is_his("logs"))
			fail_msg("given, way %zu", i);
		assert_int_equal(nftw("logs", scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	}
}

/* However empty it may be, as in a container. */
static void a_folder_at_the_top_is_the_system_s(void **state)
{
	char path[] = "/socks5d-test-XXXXXX", text[128];
	struct stat st;

	(void)state;
	skip_unless_root();
	assert_non_null(mkdtemp(path));
	snprintf(text, sizeof(text), "user = " USER "\nlog_file = %s/log\n", path);
	configure(text);
	inside(begin, NULL);
	assert_int_equal(stat(path, &st), 0);
	snprintf(text, sizeof(text), "%s/log", path);
	assert_int_equal(unlink(text), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(st.st_uid, 0);
}

/* In /var/log it is the log alone. */
static void a_log_is_made_and_given_where_its_folder_is_not(void **state)
{
	(void)state;
	skip_unless_root();
	assert_int_equal(mkdir("logs", 0755), 0);
	with_a_folder_in_it();
	configure("user = " USER "\nlog_file = logs/log\n");
	inside(begin, NULL);
	assert_false(is_his("logs"));
	assert_true(is_his("logs/log"));
}

/* Who has the folder could have put there what is somebody else's. */
static void neither_links_nor_second_names_are_given(void **state)
{
	(void)state;
	skip_unless_root();
	make_folders();
	scratch_write("secret", "");
	scratch_write("other", "");
	assert_int_equal(chown("logs", uid, (gid_t)-1), 0);
	assert_int_equal(symlink("../secret", "logs/log"), 0);
	assert_int_equal(chown("state", uid, (gid_t)-1), 0);
	assert_int_equal(link("other", "state/socks5d.db"), 0);
	assert_int_equal(symlink("../secret", "state/lock"), 0);
	configure(ALL);
	inside(begin, NULL);
	assert_false(is_his("secret"));
	assert_false(is_his("other"));
}

/* ---- as he may ---- */

static int open_and_close(const char *path, int how)
{
	int fd = open(path, how | O_CLOEXEC, 0600);

	return fd < 0 ? errno : close(fd);
}

static const char *open_files(const void *context)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)context;
	if (run_as_begin(config, error) < 0)
		return error;
	if (open_and_close("secret", O_RDONLY) != EACCES)
		return "he may read what is root's";
	if (open_and_close("logs/new", O_WRONLY | O_CREAT) != 0)
		return "he may not make a log";
	strcpy(error, "log_file: \"x\": cannot be opened: Permission denied");
	run_as_explain(error);
	if (strstr(error, "Permission denied (for the user " USER ")") == NULL)
		return error;
	for (int port = 1; port < IPPORT_RESERVED; port++) { /* one that is free */
		a.sin_port = htons((uint16_t)port);
		if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
			return NULL;
		if (errno != EADDRINUSE)
			return strerror(errno);
	}
	return "no port is free";
}

static void files_are_opened_as_he_may_and_ports_as_root_may(void **state)
{
	(void)state;
	skip_unless_root();
	make_folders();
	scratch_write("secret", "");
	assert_int_equal(chmod("secret", 0600), 0);
	configure(ALL);
	inside(open_files, NULL);
	assert_true(is_his("logs/new"));
}

/* ---- for good ---- */

static const char *const nothing[] = {"CapInh:\t0000000000000000\n", "CapPrm:\t0000000000000000\n",
	"CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n",
	"CapAmb:\t0000000000000000\n"};

static const char *look_at_capabilities(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	size_t found = 0;

	if (file == NULL)
		return strerror(errno);
	while (fgets(line, sizeof(line), file) != NULL) {
		for (size_t i = 0; i < COUNT(nothing); i++)
			found += strcmp(line, nothing[i]) == 0;
	}
	fclose(file);
	return found == COUNT(nothing) ? NULL : "a capability is kept";
}

static const char *look_at_identity(void)
{
	gid_t groups[64], gid = getpwuid(uid)->pw_gid;
	int count = getgroups(64, groups);

	if (getuid() != uid || geteuid() != uid || (uid_t)setfsuid((uid_t)-1) != uid)
		return "the user is another one";
	if (getgid() != gid || getegid() != gid || (gid_t)setfsgid((gid_t)-1) != gid)
		return "the group is another one";
	for (int i = 0; i < count; i++) {
		if (groups[i] == 0)
			return "root's group is kept";
	}
	return strcmp(identity_became(), USER) == 0 ? NULL : "nobody knows";
}

static const char *become(const void *context)
{
	const char *wrong;

	(void)context;
	if (setgroups(1, (const gid_t[]){0}) < 0)
		return strerror(errno);
	if (run_as_begin(config, error) < 0 || run_as_end(error) < 0)
		return error;
	wrong = look_at_identity();
	if (wrong == NULL)
		wrong = look_at_capabilities();
	if (wrong == NULL &&
		(setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0))
		wrong = "there is a way back";
	return wrong;
}

static void nothing_of_root_is_kept(void **state)
{
	(void)state;
	skip_unless_root();
	configure("user = " USER "\n");
	inside(become, NULL);
}

/* ---- faults ---- */

static const char *failing; /* a function */

int __real_identity_use_for_files(const struct identity *who);
int __wrap_identity_use_for_files(const struct identity *who);
int __real_identity_become(const struct identity *who);
int __wrap_identity_become(const struct identity *who);

static bool fails(const char *function)
{
	errno = EAGAIN;
	return failing != NULL && strcmp(failing, function) == 0;
}

int __wrap_identity_use_for_files(const struct identity *who)
{
	return fails("files") ? -1 : __real_identity_use_for_files(who);
}

int __wrap_identity_become(const struct identity *who)
{
	return fails("become") ? -1 : __real_identity_become(who);
}

static const char *fail_at(const void *function)
{
	failing = function;
	if (run_as_begin(config, error) == 0 && run_as_end(error) == 0)
		return "it did not fail";
	return strcmp(error, "user: \"" USER "\": Resource temporarily unavailable") == 0 ? NULL
											  : error;
}

static void what_fails_is_a_reason_not_to_serve(void **state)
{
	(void)state;
	skip_unless_root();
	configure("user = " USER "\n");
	inside(fail_at, "files");
	inside(fail_at, "become");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(who_cannot_be_become_is_refused),
		TEST(only_root_becomes_another),
		TEST(without_a_user_nothing_changes),
		TEST(what_is_for_the_server_only_is_given),
		TEST(a_folder_that_is_for_others_too_stays_as_it_is),
		TEST(a_folder_at_the_top_is_the_system_s),
		TEST(a_log_is_made_and_given_where_its_folder_is_not),
		TEST(neither_links_nor_second_names_are_given),
		TEST(files_are_opened_as_he_may_and_ports_as_root_may),
		TEST(nothing_of_root_is_kept),
		TEST(what_fails_is_a_reason_not_to_serve),
	};

	return cmocka_run_group_tests_name("server/run_as", tests, NULL, NULL);
}
