/* check: what `socks5d -n` finds wrong with logs and users, and that it leaves nothing behind. */
#include "server/check.h"

#include <sodium.h>

#include "../base/scratch.h"
#include "../state/cheap.h"
#include "base/log.h"
#include "lacking.h"
#include "state/admission.h"
#include "state/users_file.h"

/* "secret" by bcrypt at its lowest cost. */
#define HASH "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

static char error[CONFIG_ERROR_MAX];
static struct options options;

static int setup(void **state)
{
	options = (struct options){.user_count = 0};
	log_set_level(LOG_ERROR);
	return sodium_init() < 0 ? -1 : scratch_enter(state);
}

static int teardown(void **state)
{
	log_set_level(LOG_INFO);
	return scratch_leave(state);
}

/* With the settings in the text, a line each. What the kernel can do is asked where the text says
 * so only. */
static int check(const char *conf)
{
	char text[1024];
	struct config_source source = {.path = "conf"};
	struct services v = {.users = NULL};
	struct users_backend file;
	struct config *c;
	int result;

	snprintf(text, sizeof(text), "%s%s", conf,
		strstr(conf, "sandbox") != NULL ? "" : "sandbox = off\n");
	scratch_write("conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	admission_decide_auto(c, options.user_count > 0);
	v.hashing = hashing_new(1);
	v.ledger = ledger_new(1, NULL);
	if (c->settings.users_file[0] != '\0')
		file = users_file_backend(c->settings.users_file);
	v.users = users_new(v.hashing, v.ledger, c->settings.users_file[0] == '\0' ? NULL : &file);
	assert_non_null(v.users);
	result = check_opening(&v, &options, c, error);
	users_free(v.users);
	ledger_free(v.ledger);
	hashing_free(v.hashing);
	config_release(c);
	assert_int_equal(unlink("conf"), 0);
	return result;
}

static void assert_good(const char *conf)
{
	if (check(conf) < 0)
		fail_msg("%s", error);
}

static void assert_bad(const char *conf, const char *expected)
{
	assert_int_equal(check(conf), -1);
	assert_string_equal(error, expected);
}

static void what_could_be_opened_is_good_and_is_not_made(void **state)
{
	(void)state;
	assert_good("timeout = 5m\n");
	assert_good("log_file = log\naccess_log_file = access\nusers_file = users\n");
	assert_int_equal(scratch_count_files(), 1);
}

static void a_log_that_could_not_be_opened_is_bad(void **state)
{
	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_bad("log_file = missing/log\n",
		"log_file: \"missing/log\": cannot be opened: No such file or directory");
	assert_bad("access_log_file = folder\n",
		"access_log_file: \"folder\": cannot be opened: Is a directory");
	assert_bad("log_file = fifo\n",
		"log_file: \"fifo\": cannot be opened: No such device or address");
}

static void a_socket_that_could_not_be_is_bad(void **state)
{
	(void)state;
	assert_good("monitor_socket = socket\n");
	assert_int_equal(scratch_count_files(), 1);
	assert_bad("monitor_socket = missing/socket\n",
		"cannot listen at missing/socket: the folder is missing");
	scratch_write("log", "");
	assert_bad("monitor_socket = log\n",
		"cannot listen at log: there is something else of that name");
}

/* Nobody reads it before the server writes. */
static void what_is_in_a_log_stays(void **state)
{
	struct stat before, after;

	(void)state;
	scratch_write("log", "a line\n");
	assert_int_equal(stat("log", &before), 0);
	assert_good("log_file = log\n");
	assert_int_equal(stat("log", &after), 0);
	assert_memory_equal(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim));
	scratch_assert("log", "a line\n");
}

static void users_that_could_not_be_read_are_bad(void **state)
{
	(void)state;
	assert_bad("users_file = missing/users\n",
		"missing/users: cannot be read: No such file or directory");
	scratch_write("users", "nonsense\n");
	assert_bad("users_file = users\n",
		"users:1: expected NAME:HASH, NAME:HASH:ROLE or NAME:HASH:ROLE:LIMITS");
	scratch_write("users", "bob:" HASH "\n");
	assert_good("users_file = users\n");
}

static void give_alice(const char *password)
{
	options.users[0] = (struct user_credentials){"alice", password};
	options.user_count = 1;
}

/* Whoever is to be saved needs room for it; whoever is there already does not. */
static void users_of_the_command_line_need_a_file_that_can_be_written(void **state)
{
	(void)state;
	assert_int_equal(mkdir("folder", 0755), 0);
	scratch_write("folder/users", "alice:" HASH ":admin\n");
	assert_int_equal(chmod("folder", 0555), 0);
	assert_int_equal(chmod(".", 0777), 0);
	/* Root may everything. */
	if (getuid() == 0 && seteuid(65534) < 0)
		skip_for_want_of("another user");
	give_alice("secret");
	assert_good("users_file = folder/users\n");
	give_alice("another");
	assert_bad("users_file = folder/users\n",
		"folder/users: cannot be written in its folder: Permission denied");
	options.user_count = 0;
	assert_good("users_file = folder/users\n");
	assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(chmod("folder", 0755), 0);
	give_alice("another");
	assert_good("users_file = folder/users\n");
	scratch_assert("folder/users", "alice:" HASH ":admin\n");
}

static void who_is_locked_out_is_told(void **state)
{
	char *text;

	(void)state;
	log_set_level(LOG_INFO);
	assert_int_equal(log_open("notes"), 0);
	assert_good("users_file = users\n");
	log_close();
	text = scratch_read("notes");
	assert_contains(text, "there are no users in users yet: nobody gets in. -u NAME:PASS");
	free(text);
	assert_int_equal(truncate("notes", 0), 0);
	assert_int_equal(log_open("notes"), 0);
	assert_good("users_file = users\nmonitor_socket = socket\n");
	log_close();
	text = scratch_read("notes");
	assert_contains(text, "monitor_client --socket socket ADD_USER NAME -");
	free(text);
	assert_int_equal(truncate("notes", 0), 0);
	give_alice("secret");
	assert_int_equal(log_open("notes"), 0);
	assert_good("users_file = users\n");
	log_close();
	scratch_assert("notes", "");
}

static void what_cannot_be_listened_on_beside_each_other_is_bad(void **state)
{
	(void)state;
	assert_int_equal(check("port = 8080\n"), -1);
	assert_begins(error, "monitor_listen: \"127.0.0.1:8080\": listen has 0.0.0.0:8080 already");
}

static void a_file_has_one_purpose(void **state)
{
	(void)state;
	assert_bad("users_file = one\nlog_file = one\n",
		"log_file: \"one\": it is the users_file already");
	assert_bad("access_log_file = one\nlog_file = one\n",
		"access_log_file: \"one\": it is the log_file already");
	assert_good("access_log_file = /dev/null\nlog_file = /dev/null\n");
}

/* What a start lets pass, for it may come later. */
static void what_targets_are_reached_from_has_to_be_there(void **state)
{
	(void)state;
	assert_good("external_interface = lo\nexternal_address = 127.0.0.1\n");
	assert_int_equal(check("external_interface = eth99\n"), -1);
	assert_begins(error,
		"external_interface: \"eth99\": this host has no such network interface, it has ");
	assert_int_equal(check("external_interface = LO\n"), -1);
	assert_non_null(strstr(error, "; did you mean lo?"));
	assert_bad("external_address = 127.0.0.1, 2001:db8::1\n",
		"external_address: \"2001:db8::1\": this host has no such address");
}

/* What is logged meanwhile; to be freed. */
static char *notes_of_good(const char *conf)
{
	char *text;

	log_set_level(LOG_WARN);
	assert_int_equal(log_open("notes"), 0);
	assert_good(conf);
	log_close();
	text = scratch_read("notes");
	assert_int_equal(unlink("notes"), 0);
	return text;
}

static void a_users_file_that_is_open_to_all_is_told(void **state)
{
	static const struct {
		mode_t mode;
		const char *said; /* NULL: nothing */
	} rows[] = {{0600, NULL}, {0640, NULL}, {0644, "can read it (mode 0644)"},
		{0602, "can change it (mode 0602)"}};

	(void)state;
	scratch_write("users", "bob:" HASH "\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text;

		assert_int_equal(chmod("users", rows[i].mode), 0);
		text = notes_of_good("users_file = users\n");
		if (rows[i].said == NULL)
			assert_string_equal(text, "");
		else
			assert_contains(text, rows[i].said);
		free(text);
	}
}

static void a_user_who_is_given_twice_is_told(void **state)
{
	char *text;

	(void)state;
	give_alice("secret");
	options.users[1] = (struct user_credentials){"bob", "secret"};
	options.user_count = 2;
	text = notes_of_good("timeout = 5m\n");
	assert_string_equal(text, "");
	free(text);
	options.users[2] = (struct user_credentials){"alice", "other"};
	options.user_count = 3;
	text = notes_of_good("timeout = 5m\n");
	assert_contains(text, "-u gives alice more than once: the last password counts");
	assert_null(strstr(text, "other"));
	free(text);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_could_be_opened_is_good_and_is_not_made),
		TEST(a_log_that_could_not_be_opened_is_bad),
		TEST(a_socket_that_could_not_be_is_bad),
		TEST(what_is_in_a_log_stays),
		TEST(users_that_could_not_be_read_are_bad),
		TEST(users_of_the_command_line_need_a_file_that_can_be_written),
		TEST(who_is_locked_out_is_told),
		TEST(what_cannot_be_listened_on_beside_each_other_is_bad),
		TEST(a_file_has_one_purpose),
		TEST(what_targets_are_reached_from_has_to_be_there),
		TEST(a_users_file_that_is_open_to_all_is_told),
		TEST(a_user_who_is_given_twice_is_told),
	};

	return cmocka_run_group_tests_name("server/check", tests, NULL, NULL);
}
