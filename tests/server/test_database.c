/* database: who may open it, what is damaged or newer, what a full disk does, and facts. */
#include "server/database.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../base/scratch.h"
#include "server/history_tables.h"

static char error[DATABASE_ERROR_MAX];

static struct database *open_it(void)
{
	struct database *d = database_open(".", error);

	if (d == NULL)
		fail_msg("%s", error);
	return d;
}

static void put(struct database *d, const char *key, const char *value)
{
	assert_int_equal(database_begin(d), 0);
	assert_int_equal(database_put_fact(d, "ban", key, value), 0);
	assert_int_equal(database_commit(d), 0);
}

static void note_fact(void *context, const char *kind, const char *key, const char *value)
{
	char *text = context;

	sprintf(text + strlen(text), "%s %s=%s;", kind, key, value);
}

static void assert_facts(struct database *d, const char *expected)
{
	char text[512] = "";

	assert_int_equal(database_each_fact(d, note_fact, text), 0);
	assert_string_equal(text, expected);
}

static void run_sql(struct database *d, const char *sql)
{
	if (database_execute(d, sql) < 0)
		fail_msg("%s: %s", sql, database_error(d));
}

static void what_was_committed_is_there_again(void **state)
{
	struct database *d = open_it();

	(void)state;
	put(d, "a", "1");
	put(d, "b", "2");
	put(d, "a", "3");
	put(d, "b", NULL);
	assert_int_equal(database_begin(d), 0);
	assert_int_equal(database_put_fact(d, "ban", "c", "4"), 0);
	database_roll_back(d);
	database_close(d);
	d = open_it();
	assert_facts(d, "ban a=3;");
	assert_null(database_put_aside(d));
	database_close(d);
}

static void its_files_are_for_nobody_else(void **state)
{
	struct database *d;
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	d = open_it();
	put(d, "a", "1");
	umask(mask);
	assert_int_equal(stat(DATABASE_FILE, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(DATABASE_FILE "-wal", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("lock", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	database_close(d);
}

/* In a process of its own: locks are between processes. */
static void open_elsewhere(pid_t holder)
{
	char expected[128];
	bool is_as_expected;

	snprintf(expected, sizeof(expected), "state_dir: \".\": another server has it, process %d",
		(int)holder);
	is_as_expected = database_open(".", error) == NULL && strcmp(error, expected) == 0 &&
		database_check(".", error) == 0;
	_exit(is_as_expected ? 0 : 1);
}

static void a_folder_has_one_server(void **state)
{
	struct database *d = open_it();
	pid_t holder = getpid(), child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		open_elsewhere(holder);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	database_close(d);
	database_close(open_it());
}

static void a_folder_has_to_be_there(void **state)
{
	(void)state;
	assert_null(database_open("nowhere", error));
	assert_string_equal(error, "state_dir: \"nowhere\": No such file or directory");
	assert_int_equal(database_check("nowhere", error), -1);
	assert_string_equal(error, "state_dir: \"nowhere\": No such file or directory");
	scratch_write("file", "");
	assert_null(database_open("file", error));
	assert_string_equal(error, "state_dir: \"file\": Not a directory");
	assert_int_equal(database_check("file", error), -1);
}

static void checking_makes_nothing(void **state)
{
	int before = scratch_count_files();

	(void)state;
	assert_int_equal(database_check(".", error), 0);
	assert_int_equal(scratch_count_files(), before);
}

static void a_newer_one_is_left_alone(void **state)
{
	struct database *d = open_it();

	(void)state;
	put(d, "a", "1");
	run_sql(d, "PRAGMA user_version = 7");
	database_close(d);
	assert_null(database_open(".", error));
	assert_string_equal(error,
		"state_dir: \".\": socks5d.db is of version 7, made by a newer socks5d; this one "
		"knows 1");
	error[0] = '\0';
	assert_int_equal(database_check(".", error), -1);
	assert_string_equal(error,
		"state_dir: \".\": socks5d.db is of version 7, made by a newer socks5d; this one "
		"knows 1");
	assert_int_equal(scratch_count_files(), 3); /* the folder, the lock, it */
}

static void assert_begun_anew(struct database *d)
{
	const char *aside = database_put_aside(d);

	assert_non_null(aside);
	assert_non_null(strstr(aside, DATABASE_FILE ".damaged-"));
	assert_int_equal(access(aside, F_OK), 0);
	assert_null(database_put_aside(d));
	put(d, "new", "1");
	assert_facts(d, "ban new=1;");
}

static void what_is_no_database_is_put_aside(void **state)
{
	char garbage[5000];
	struct database *d;

	(void)state;
	memset(garbage, 'x', sizeof(garbage) - 1);
	garbage[sizeof(garbage) - 1] = '\0';
	scratch_write(DATABASE_FILE, garbage);
	assert_int_equal(database_check(".", error), 0);
	d = open_it();
	assert_begun_anew(d);
	database_close(d);
}

/* The first page of the file stays good. */
static void spoil_pages(void)
{
	FILE *f = fopen(DATABASE_FILE, "r+");
	struct stat st;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal(fseek(f, 4096, SEEK_SET), 0);
	for (long i = 4096; i < st.st_size; i++)
		fputc(0xa5, f);
	assert_int_equal(fclose(f), 0);
}

static void one_with_damaged_pages_is_put_aside(void **state)
{
	struct database *d = open_it();
	char key[32];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "key%d", i);
		put(d, key, "a value of some length, so that it takes more than a page");
	}
	database_close(d);
	spoil_pages();
	d = open_it();
	assert_begun_anew(d);
	database_close(d);
}

static void one_that_proves_damaged_is_begun_anew_while_it_is_open(void **state)
{
	struct database *d = open_it();

	(void)state;
	put(d, "a", "1");
	assert_int_equal(database_fail(d, 11), -1); /* SQLITE_CORRUPT */
	assert_true(database_is_damaged(d));
	assert_int_equal(database_renew(d), 0);
	assert_begun_anew(d);
	database_close(d);
}

static void take_no_sum(void *context, const struct history_sum *sum)
{
	(void)context;
	fail_msg("there is a sum of %s", sum->name);
}

/* Until one could be begun, it is tried again, and whoever asks is told that there is none. */
static void one_that_cannot_be_put_aside_is_lost_for_the_moment(void **state)
{
	static const struct history_who everybody = {.user = NULL};
	struct database *d;

	(void)state;
	assert_int_equal(mkdir("state", 0700), 0);
	d = database_open("state", error);
	assert_non_null(d);
	put(d, "a", "1");
	assert_int_equal(database_fail(d, 11), -1); /* SQLITE_CORRUPT */
	assert_int_equal(rename("state", "elsewhere"), 0);
	assert_int_equal(database_renew(d), -1);
	assert_true(database_is_damaged(d));
	assert_int_equal(history_tables_usage(d, &everybody, 0, 1, take_no_sum, NULL), -1);
	assert_true(database_is_damaged(d));
	assert_int_equal(rename("elsewhere", "state"), 0);
	assert_int_equal(database_renew(d), 0);
	assert_false(database_is_damaged(d));
	database_close(d);
}

/* The disk is full: no file may become longer. */
static void a_full_disk_is_an_error_and_passes(void **state)
{
	struct database *d = open_it();
	struct rlimit before, none;
	char *big = malloc(1 << 20);

	(void)state;
	assert_non_null(big);
	put(d, "a", "1");
	memset(big, 'x', (1 << 20) - 1);
	big[(1 << 20) - 1] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = (struct rlimit){.rlim_cur = 65536, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_true(database_begin(d) < 0 || database_put_fact(d, "ban", "b", big) < 0 ||
		database_commit(d) < 0);
	/* As of a disk with a quota, what the kernel says makes it clear. */
	assert_string_equal(database_error(d), "disk I/O error: File too large");
	assert_false(database_is_damaged(d));
	database_roll_back(d);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_facts(d, "ban a=1;");
	put(d, "b", "2");
	assert_facts(d, "ban a=1;ban b=2;");
	database_close(d);
	free(big);
}

/* ---- locks that stay ---- */

static int unlocks_that_fail;

/* fcntl(2) as SQLite calls it. */
static int fail_to_unlock(int fd, int command, ...)
{
	va_list ap;
	void *argument;

	va_start(ap, command);
	argument = va_arg(ap, void *);
	va_end(ap);
	if (command == F_SETLK && ((struct flock *)argument)->l_type == F_UNLCK &&
		unlocks_that_fail > 0) {
		unlocks_that_fail--;
		errno = EINVAL;
		return -1;
	}
	return fcntl(fd, command, argument);
}

/* SQLite counts how long it has waited by what it has asked for. */
static int sleep_for_nothing(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static void a_lock_that_could_not_be_given_back_is_forgotten(void **state)
{
	sqlite3_vfs *usual = sqlite3_vfs_find(NULL), quick = *usual;
	struct database *d;

	(void)state;
	quick.zName = "quick";
	quick.xSleep = sleep_for_nothing;
	assert_int_equal(sqlite3_vfs_register(&quick, 1), SQLITE_OK);
	usual->xSetSystemCall(usual, "fcntl", (sqlite3_syscall_ptr)fail_to_unlock);
	d = open_it();
	for (int n = 1; n < 8; n++) {
		unlocks_that_fail = n;
		(void)(database_begin(d) < 0 || database_put_fact(d, "ban", "a", "1") < 0 ||
			database_commit(d) < 0);
		database_roll_back(d);
		unlocks_that_fail = 0;
		put(d, "b", "2");
	}
	database_close(d);
	usual->xSetSystemCall(usual, "fcntl", NULL);
	sqlite3_vfs_unregister(&quick);
}

/* What the next question whether the database is sound gets. */
static int check_result;

int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);

int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
	int result = check_result;

	if (result == 0 || strstr(sqlite3_sql(statement), "quick_check") == NULL)
		return __real_sqlite3_step(statement);
	check_result = 0;
	return result;
}

/* Without memory, or from a disk that fails, nothing can be said of it. */
static void one_that_cannot_be_looked_through_is_not_damaged(void **state)
{
	static const int results[] = {SQLITE_NOMEM, SQLITE_IOERR, SQLITE_BUSY};
	struct database *d = open_it();

	(void)state;
	put(d, "a", "1");
	database_close(d);
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		check_result = results[i];
		assert_null(database_open(".", error));
		assert_non_null(strstr(error, sqlite3_errstr(results[i])));
	}
	d = open_it();
	assert_null(database_put_aside(d));
	assert_facts(d, "ban a=1;");
	database_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_was_committed_is_there_again),
		scratch_test(its_files_are_for_nobody_else),
		scratch_test(a_folder_has_one_server),
		scratch_test(a_folder_has_to_be_there),
		scratch_test(checking_makes_nothing),
		scratch_test(a_newer_one_is_left_alone),
		scratch_test(what_is_no_database_is_put_aside),
		scratch_test(one_with_damaged_pages_is_put_aside),
		scratch_test(one_that_proves_damaged_is_begun_anew_while_it_is_open),
		scratch_test(one_that_cannot_be_put_aside_is_lost_for_the_moment),
		scratch_test(a_full_disk_is_an_error_and_passes),
		scratch_test(a_lock_that_could_not_be_given_back_is_forgotten),
		scratch_test(one_that_cannot_be_looked_through_is_not_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
