/* server_open: with each allocation failing in turn it opens nothing, says why, and leaves nothing
 * behind; and who is to blame for what is not opened. */
#include "server/server_parts.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>

#include "../base/faults_all.h"
#include "../base/scratch.h"
#include "base/log.h"
#include "monitor.h"

#define CONFIGURATION                                                                                    \
	"listen = 127.0.0.1\nport = 0\nmonitor_port = 0\nmonitor_listen = 127.0.0.1\nmax_sessions = 4\n" \
	"users_file = users\naccess_log_file = access\nmonitor_socket = socket\n"                        \
	"client_group = @room 192.0.2.0/29\ngroup_defaults = @pupils sessions=3\n"                       \
	"client_limits = @room rate=2Mbit\nupstream = a socks5://192.0.2.9:1080\n"                       \
	"rule = via a to .example.org\n"

static struct config_override level = {.value = "error"};
static struct options options;
static struct handover handover;
static struct notify notify = {.fd = -1};
static char error[CONFIG_ERROR_MAX];
static bool bad_input;

static bool old_log_fails;

int __real_access_log_fill(struct access_log *log, const char *path);
int __wrap_access_log_fill(struct access_log *log, const char *path);

int __wrap_access_log_fill(struct access_log *log, const char *path)
{
	errno = EIO;
	return old_log_fails ? -1 : __real_access_log_fill(log, path);
}

static int set_up(void **state)
{
	if (sodium_init() < 0 || scratch_enter(state) < 0)
		return -1;
	scratch_write("conf", CONFIGURATION);
	scratch_write(
		"users", "root:" MONITOR_HASH ":admin\nann:" MONITOR_HASH ":user:groups=pupils\n");
	assert_int_equal(chmod("users", 0600), 0);
	scratch_write("access", "");
	handover = (struct handover){.notify = &notify};
	options = (struct options){.source = {.path = "conf", .overrides = &level, .count = 1}};
	level.setting = settings_find("log_level");
	old_log_fails = false;
	*error = '\0';
	return 0;
}

static int tear_down(void **state)
{
	log_set_level(LOG_INFO);
	return scratch_leave(state);
}

static size_t count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

static struct server *try_to_open(void)
{
	bad_input = false;
	*error = '\0';
	return server_open(&options, &handover, &bad_input, error);
}

static void add_setting(const char *line)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s%s", CONFIGURATION, line);
	scratch_write("conf", text);
}

/* As many sessions as the configuration wants need so many steps. */
static void without_memory_nothing_is_opened(void **state)
{
	size_t before = count_descriptors();
	bool struck = true;

	(void)state;
	for (int n = 1; struck; n++) {
		struct server *s;

		faults_fail(n);
		s = try_to_open();
		struck = faults_struck();
		if (s == NULL && (!struck || *error == '\0'))
			fail_msg("allocation %d: %s", n, error);
		server_close(s);
		if (count_descriptors() != before)
			fail_msg("allocation %d: a descriptor is left", n);
		assert_int_equal(access("socket", F_OK), -1);
	}
}

static void what_is_written_wrong_is_bad_input(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{"timeout = x\n", "conf:14: timeout: \"x\""},
		{"state_dir = nowhere\n", "state_dir: "},
		{"user = no-such-user-here\n", "user: \"no-such-user-here\""},
		{"log_file = nowhere/log\n", "log_file: \"nowhere/log\""},
		{"access_log_entries = 0\n", "conf:14: access_log_entries: "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		add_setting(rows[i].line);
		assert_null(try_to_open());
		assert_true(bad_input);
		assert_contains(error, rows[i].says);
	}
}

/* Another server may end and leave its place: to try again helps. */
static void what_another_server_has_is_not(void **state)
{
	struct options mine;
	struct server *first = try_to_open();

	(void)state;
	if (first == NULL)
		fail_msg("%s", error);
	mine = options;
	options = (struct options){.source = mine.source};
	assert_null(try_to_open());
	assert_false(bad_input);
	assert_string_equal(error, "cannot listen at socket: another server is listening there");
	options = mine;
	server_close(first);
	first = try_to_open();
	assert_non_null(first);
	server_close(first);
}

/* What ACCESS_LOG would begin with is a convenience. */
static void an_old_log_that_cannot_be_read_is_no_reason_not_to_serve(void **state)
{
	struct server *s;
	char *log;

	(void)state;
	add_setting("log_file = log\n");
	options.source.count = 0;
	old_log_fails = true;
	s = try_to_open();
	if (s == NULL)
		fail_msg("%s", error);
	server_close(s);
	log_close();
	log = scratch_read("log");
	assert_contains(
		log, "access cannot be read, so ACCESS_LOG begins anew: Input/output error");
	free(log);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_memory_nothing_is_opened),
		TEST(what_is_written_wrong_is_bad_input),
		TEST(what_another_server_has_is_not),
		TEST(an_old_log_that_cannot_be_read_is_no_reason_not_to_serve),
	};

	return cmocka_run_group_tests_name("server/server_open", tests, NULL, NULL);
}
