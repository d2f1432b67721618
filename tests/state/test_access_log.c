/* access_log: the ring in memory, its readers, the file, and the memory filled from the file. */
#include "state/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>

#include "../base/scratch.h"

static struct addr client = {.in = {.sin_family = AF_INET}};

static bool line_fails; /* the next one, for want of memory, which is no error of the file's */

ssize_t __real_getdelim(char **line, size_t *size, int delimiter, FILE *file);
ssize_t __wrap_getdelim(char **line, size_t *size, int delimiter, FILE *file);
ssize_t __wrap_getdelim(char **line, size_t *size, int delimiter, FILE *file)
{
	if (!line_fails)
		return __real_getdelim(line, size, delimiter, file);
	line_fails = false;
	errno = ENOMEM;
	return -1;
}

static struct access_log *new_log(size_t entries)
{
	struct access_log *log = access_log_new(entries);

	assert_non_null(log);
	return log;
}

/* A session that moved 10 bytes to its target, 200 back, in 3000 ms. */
static void add_as(struct access_log *log, const char *user, const char *target, int code)
{
	enum end_reason failure = code == 0 ? END_REASONS : END_CONNECT_REFUSED;
	struct access_record record = {.user = user,
		.user_len = strlen(user),
		.client = &client,
		.target = target,
		.failure = failure};
	struct access_end end = {.command = "CONNECT",
		.code = code,
		.reason = code == 0 ? END_IDLE : failure,
		.rule = ACCESS_NONE,
		.sent = 10,
		.received = 200,
		.total_ms = 3000};

	access_log_add(log, &record);
	(void)access_log_write(log, &record, &end);
}

/* Entries "from:80" to "to:80" of alice. */
static void add_range(struct access_log *log, int from, int to)
{
	char target[32];

	for (int i = from; i <= to; i++) {
		snprintf(target, sizeof(target), "%d:80", i);
		add_as(log, "alice", target, 0);
	}
}

/* All that a reader gets, as "user target,user target". */
static const char *read_all(struct access_log *log, struct access_cursor *cursor)
{
	static char text[1 << 17];
	struct access_entry entries[3];
	size_t len = 0;

	text[0] = '\0';
	while (cursor->next < cursor->end) {
		size_t n = access_log_read(log, cursor, entries, COUNT(entries));

		for (size_t i = 0; i < n; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s%s%s",
				len > 0 ? "," : "", entries[i].user, entries[i].target,
				entries[i].success ? "" : " fail ", entries[i].reason);
		assert_true(len < sizeof(text));
	}
	return text;
}

static const char *contents(struct access_log *log, const char *user, uint64_t count)
{
	struct access_cursor cursor;

	access_log_begin(log, &cursor, user, user == NULL ? 0 : strlen(user), count);
	return read_all(log, &cursor);
}

static const char *contents_of_client(struct access_log *log, const char *text, uint64_t count)
{
	struct access_cursor cursor;
	struct network n;

	assert_true(network_parse(text, strlen(text), &n));
	access_log_begin_client(log, &cursor, &n, count);
	return read_all(log, &cursor);
}

#define ALL UINT64_MAX

static void tells_what_was_logged_oldest_first(void **state)
{
	struct access_log *log = new_log(10);
	struct access_cursor cursor;
	struct access_entry e;
	int64_t before = time(NULL);

	(void)state;
	assert_string_equal(contents(log, NULL, ALL), "");
	add_as(log, "alice", "a:1", 0);
	add_as(log, "bob", "b:2", 5);
	assert_string_equal(contents(log, NULL, ALL), "alice a:1,bob b:2 fail connect_refused");
	access_log_begin(log, &cursor, NULL, 0, ALL);
	assert_int_equal(access_log_read(log, &cursor, &e, 1), 1);
	assert_in_range(e.time, before, time(NULL));
	access_log_free(log);
	access_log_free(NULL);
}

static void the_newest_push_out_the_oldest(void **state)
{
	struct access_log *log = new_log(3);

	(void)state;
	add_range(log, 1, 3);
	assert_string_equal(contents(log, NULL, ALL), "alice 1:80,alice 2:80,alice 3:80");
	add_range(log, 4, 5);
	assert_string_equal(contents(log, NULL, ALL), "alice 3:80,alice 4:80,alice 5:80");
	add_range(log, 6, 1000);
	assert_string_equal(contents(log, NULL, ALL), "alice 998:80,alice 999:80,alice 1000:80");
	access_log_free(log);
}

static void reads_one_user_or_the_newest_only(void **state)
{
	struct access_log *log = new_log(1000);

	(void)state;
	add_as(log, "bob", "first:1", 0);
	add_range(log, 1, 600); /* more than a reader looks at under one lock */
	add_as(log, "bob", "second:2", 0);
	add_as(log, "bobby", "other:3", 0);
	add_as(log, "bob", "third:4", 2);
	assert_string_equal(contents(log, "bob", ALL),
		"bob first:1,bob second:2,bob third:4 fail connect_refused");
	assert_string_equal(
		contents(log, "bob", 2), "bob second:2,bob third:4 fail connect_refused");
	for (uint64_t count = 3; count < 100; count += 48)
		assert_string_equal(contents(log, "bob", count),
			"bob first:1,bob second:2,bob third:4 fail connect_refused");
	assert_string_equal(
		contents(log, NULL, 2), "bobby other:3,bob third:4 fail connect_refused");
	assert_string_equal(contents(log, "nobody", ALL), "");
	access_log_free(log);
}

static void resizing_keeps_the_newest(void **state)
{
	struct access_log *log = new_log(4);

	(void)state;
	add_range(log, 1, 6);
	assert_int_equal(access_log_resize(log, 2), 0);
	assert_string_equal(contents(log, NULL, ALL), "alice 5:80,alice 6:80");
	assert_int_equal(access_log_resize(log, 2), 0);
	assert_int_equal(access_log_resize(log, 5), 0);
	add_range(log, 7, 9);
	assert_string_equal(
		contents(log, NULL, ALL), "alice 5:80,alice 6:80,alice 7:80,alice 8:80,alice 9:80");
	access_log_free(log);
}

static void a_reader_that_was_overtaken_goes_on_behind_the_gap(void **state)
{
	struct access_log *log = new_log(4);
	struct access_cursor cursor;
	struct access_entry e;

	(void)state;
	add_range(log, 1, 4);
	access_log_begin(log, &cursor, NULL, 0, ALL);
	assert_int_equal(access_log_read(log, &cursor, &e, 1), 1);
	assert_string_equal(e.target, "1:80");
	add_range(log, 5, 6);
	assert_int_equal(access_log_read(log, &cursor, &e, 1), 1);
	assert_string_equal(e.target, "3:80");
	add_range(log, 7, 50);
	assert_int_equal(access_log_read(log, &cursor, &e, 1), 0);
	assert_true(cursor.next == cursor.end);
	access_log_free(log);
}

/* ---- the file ---- */

static struct access_log *open_log(size_t entries, const char *path)
{
	struct access_log *log = new_log(entries);

	assert_int_equal(access_log_open(log, path), 0);
	assert_int_equal(access_log_fill(log, path), 0);
	return log;
}

/* From memory, and from the file at the next start. */
static void reads_one_client_or_network(void **state)
{
	static const char *const clients[] = {"192.0.2.7", "192.0.2.8", "2001:db8::7", "192.0.2.7"};
	struct access_log *log = open_log(10, "file");
	char target[16];

	(void)state;
	for (size_t i = 0; i < COUNT(clients); i++) {
		assert_true(addr_parse(clients[i], strlen(clients[i]), &client));
		addr_set_port(&client, (uint16_t)(1000 + i));
		snprintf(target, sizeof(target), "a:%zu", i);
		add_as(log, i == 3 ? "bob" : "alice", target, 0);
	}
	client = (struct addr){.in = {.sin_family = AF_INET}};
	for (int i = 0; i < 2; i++) {
		assert_string_equal(contents_of_client(log, "192.0.2.7", ALL), "alice a:0,bob a:3");
		assert_string_equal(contents_of_client(log, "192.0.2.7", 1), "bob a:3");
		assert_string_equal(contents_of_client(log, "192.0.2.8", ALL), "alice a:1");
		assert_string_equal(contents_of_client(log, "192.0.2.9", ALL), "");
		assert_string_equal(contents_of_client(log, "2001:db8::/64", ALL), "alice a:2");
		access_log_free(log);
		log = open_log(10, "file");
	}
	access_log_free(log);
}

/* The file's last line without its time, which is looked at. */
static const char *last_line(void)
{
	static char line[1024];
	char *text = scratch_read("file"), *last;
	size_t time_len = strlen("2025-07-15T12:40:39+0200");

	assert_true(strlen(text) > time_len && text[strlen(text) - 1] == '\n');
	text[strlen(text) - 1] = '\0';
	last = strrchr(text, '\n') != NULL ? strrchr(text, '\n') + 1 : text;
	assert_int_equal(strcspn(last, " "), time_len);
	snprintf(line, sizeof(line), "%s", last + time_len + 1);
	free(text);
	return line;
}

static void a_line_tells_what_was_asked_and_how_it_ended(void **state)
{
	struct access_log *log = open_log(10, "file");

	(void)state;
	add_as(log, "back\\slash", "www.example.org:443", 5);
	assert_string_equal(last_line(),
		"back\\x5cslash 0.0.0.0:0 CONNECT www.example.org:443 FAIL 5 connect_refused - "
		"10 200 3000");
	add_as(log, "alice", "www.example.org:443", 0);
	assert_string_equal(last_line(),
		"alice 0.0.0.0:0 CONNECT www.example.org:443 SUCCESS 0 idle - 10 200 3000");
	access_log_free(log);
}

/* Other protocols than SOCKS5 have other numbers for it, and a login has none. */
static void what_was_granted_is_a_success_whatever_its_number(void **state)
{
	struct access_log *log = open_log(10, "file");
	struct access_record record = {.user = "a",
		.user_len = 1,
		.client = &client,
		.target = "t:1",
		.failure = END_REASONS};
	struct access_end end = {.command = "CONNECT",
		.code = 200,
		.reason = END_CLOSED,
		.rule = "protect:link-local"};

	(void)state;
	access_log_add(log, &record);
	assert_true(access_log_write(log, &record, &end));
	assert_string_equal(
		last_line(), "a 0.0.0.0:0 CONNECT t:1 SUCCESS 200 closed protect:link-local 0 0 0");
	record.failure = end.reason = END_TARGET_DENIED;
	end.code = 0;
	access_log_add(log, &record);
	assert_true(access_log_write(log, &record, &end));
	assert_string_equal(last_line(),
		"a 0.0.0.0:0 CONNECT t:1 FAIL 0 target_denied protect:link-local 0 0 0");
	record.target = end.command = ACCESS_NONE;
	record.failure = end.reason = END_WRONG_PASSWORD;
	end.code = -1;
	end.rule = ACCESS_NONE;
	access_log_add(log, &record);
	assert_true(access_log_write(log, &record, &end));
	assert_string_equal(last_line(), "a 0.0.0.0:0 - - FAIL - wrong_password - 0 0 0");
	for (int i = 0; i < 2; i++) {
		assert_string_equal(contents(log, NULL, ALL),
			"a t:1,a t:1 fail target_denied,a - fail wrong_password");
		access_log_free(log);
		log = open_log(10, "file");
	}
	access_log_free(log);
}

/* Files of older versions are there at the first start of this one. */
static void lines_without_a_reason_are_read_too(void **state)
{
	struct access_log *log;

	(void)state;
	scratch_write("file",
		"2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:1 SUCCESS 0\n"
		"2025-07-15T12:40:39+0000 a [::1]:5 CONNECT t:2 FAIL 4\n"
		"2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:3 FAIL 4 of_later rule=3 1 2 3\n");
	log = open_log(10, "file");
	assert_string_equal(contents(log, NULL, ALL), "a t:1,a t:2 fail -,a t:3 fail of_later");
	access_log_free(log);
}

static void the_memory_is_filled_from_the_end_of_the_file(void **state)
{
	struct access_log *log = open_log(1000, "file");

	(void)state;
	add_as(log, "back\\slash", "x:1", 1);
	add_range(log, 1, 900);
	access_log_free(log);
	log = open_log(1000, "file");
	assert_string_equal(
		contents(log, "back\\slash", ALL), "back\\slash x:1 fail connect_refused");
	assert_string_equal(contents(log, NULL, 2), "alice 899:80,alice 900:80");
	access_log_free(log);
	log = open_log(3, "file");
	assert_string_equal(contents(log, NULL, ALL), "alice 898:80,alice 899:80,alice 900:80");
	add_range(log, 901, 901);
	assert_string_equal(contents(log, NULL, ALL), "alice 899:80,alice 900:80,alice 901:80");
	access_log_free(log);
}

/* Lines are counted from the end over many blocks of the file. */
static void a_long_file_is_read_from_its_end(void **state)
{
	struct access_log *log = open_log(1, "file");

	(void)state;
	add_range(log, 1, 5000);
	access_log_free(log);
	log = open_log(4000, "file");
	assert_string_equal(contents(log, NULL, 1), "alice 5000:80");
	assert_int_equal(strncmp(contents(log, NULL, ALL), "alice 1001:80,", 14), 0);
	access_log_free(log);
}

static void the_time_in_the_file_is_that_of_any_zone(void **state)
{
	struct access_log *log;
	struct access_cursor cursor;
	struct access_entry entries[3];

	(void)state;
	scratch_write("file",
		"2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:1 SUCCESS 0\n"
		"2025-07-15T14:40:39+0200 a 1.2.3.4:5 CONNECT t:1 SUCCESS 0\n"
		"2025-07-15T07:10:39-0530 a 1.2.3.4:5 CONNECT t:1 FAIL 4\n");
	log = open_log(10, "file");
	access_log_begin(log, &cursor, NULL, 0, ALL);
	assert_int_equal(access_log_read(log, &cursor, entries, 3), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(entries[i].time, 1752583239);
	assert_true(entries[1].success);
	assert_false(entries[2].success);
	access_log_free(log);
}

static void lines_of_others_are_passed_over(void **state)
{
	static const char good[] = "2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:1 SUCCESS 0\n";
	static const char *const bad[] = {"", "\n", "# a comment\n", "a b c d e f g\n",
		"2025-07-15 a 1.2.3.4:5 CONNECT t:1 SUCCESS 0\n",
		"2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:1 PERHAPS 0\n",
		"2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:1 SUCCESS 0 more\n",
		"2025-07-15T12:40:39+0000  1.2.3.4:5 CONNECT t:1 SUCCESS 0\n",
		"2025-07-15T12:40:39+0000 a nobody CONNECT t:1 SUCCESS 0\n",
		"2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:1 FAIL 5 connect_refused - 0 0\n",
		"2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:1 FAIL 5 \x1b[2J - 0 0 0\n",
		("2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:1 FAIL 5 "
		 "a_word_that_is_longer_than_reasons_are - 0 0 0\n"),
		"2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONNECT t:1 SUCCESS 0 closed - 0 0 0 more\n"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct access_log *log;

		snprintf(text, sizeof(text), "%s%s%s", good, bad[i], good);
		scratch_write("file", text);
		log = open_log(10, "file");
		assert_string_equal(contents(log, NULL, ALL), "a t:1,a t:1");
		access_log_free(log);
	}
}

static void what_has_no_line_ends_is_not_read_for_ever(void **state)
{
	size_t size = 1 << 20;
	char *text = malloc(size + 1);
	struct access_log *log;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	text[size] = '\0';
	scratch_write("file", text);
	free(text);
	log = open_log(2, "file");
	assert_string_equal(contents(log, NULL, ALL), "");
	add_range(log, 1, 1);
	access_log_free(log);
	log = open_log(2, "file");
	assert_string_equal(contents(log, NULL, ALL), "alice 1:80");
	access_log_free(log);
}

static void a_line_without_memory_is_not_the_end(void **state)
{
	struct access_log *log = open_log(10, "file");

	(void)state;
	add_range(log, 1, 3);
	access_log_free(log);
	log = new_log(10);
	line_fails = true;
	assert_int_equal(access_log_fill(log, "file"), -1);
	assert_int_equal(errno, ENOMEM);
	access_log_free(log);
}

static void a_line_that_a_crash_cut_off_is_closed(void **state)
{
	struct access_log *log;

	(void)state;
	scratch_write("file", "2025-07-15T12:40:39+0000 a 1.2.3.4:5 CONN");
	log = open_log(10, "file");
	add_range(log, 1, 1);
	access_log_free(log);
	log = open_log(10, "file");
	assert_string_equal(contents(log, NULL, ALL), "alice 1:80");
	access_log_free(log);
}

static void rotation_and_none(void **state)
{
	struct access_log *log = open_log(10, "file");
	struct stat st;

	(void)state;
	add_range(log, 1, 1);
	assert_int_equal(rename("file", "file.1"), 0);
	add_range(log, 2, 2);
	assert_int_equal(access_log_open(log, "file"), 0);
	add_range(log, 3, 3);
	assert_int_equal(access_log_open(log, ""), 0);
	add_range(log, 4, 4);
	assert_int_equal(access_log_open(log, "missing/file"), -1);
	assert_int_equal(errno, ENOENT);
	access_log_free(log);
	log = open_log(10, "file");
	assert_string_equal(contents(log, NULL, ALL), "alice 3:80");
	access_log_free(log);
	assert_int_equal(stat("file.1", &st), 0);
	assert_true(st.st_size > 0);
}

static void lines_that_the_file_does_not_take_are_counted(void **state)
{
	struct access_log *log = new_log(10);

	(void)state;
	assert_int_equal(access_log_open(log, "/dev/full"), 0);
	add_range(log, 1, 3);
	assert_int_equal(access_log_lost(log), 3);
	assert_string_equal(contents(log, NULL, 1), "alice 3:80");
	access_log_free(log);
}

static void the_longest_words_fit(void **state)
{
	struct access_log *log = open_log(10, "file");
	char user[USERS_NAME_MAX + 1], target[ACCESS_TARGET_MAX], expected[2048];

	(void)state;
	memset(user, '\\', USERS_NAME_MAX);
	user[USERS_NAME_MAX] = '\0';
	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	add_as(log, user, target, 0);
	access_log_free(log);
	log = open_log(10, "file");
	snprintf(expected, sizeof(expected), "%s %s", user, target);
	assert_string_equal(contents(log, NULL, ALL), expected);
	access_log_free(log);
}

/* ---- threads ---- */

#define WRITERS 4
#define LINES 2000

static void *write_lines(void *context)
{
	add_range(context, 1, LINES);
	return NULL;
}

static void readers_writers_and_rotation_do_not_disturb_each_other(void **state)
{
	struct access_log *log = open_log(500, "file");
	pthread_t threads[WRITERS];
	char *text;
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, log), 0);
	for (int i = 0; i < 100; i++) {
		struct access_cursor cursor;
		struct access_entry entries[16];

		access_log_begin(log, &cursor, i % 2 == 0 ? "alice" : NULL, 5, ALL);
		while (cursor.next < cursor.end) {
			size_t n = access_log_read(log, &cursor, entries, 16);

			for (size_t j = 0; j < n; j++)
				assert_string_equal(entries[j].user, "alice");
		}
		assert_int_equal(access_log_resize(log, i % 3 == 0 ? 100 : 500), 0);
		assert_int_equal(access_log_open(log, "file"), 0);
	}
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	access_log_free(log);
	text = scratch_read("file");
	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, WRITERS * LINES);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_was_logged_oldest_first),
		cmocka_unit_test(the_newest_push_out_the_oldest),
		cmocka_unit_test(reads_one_user_or_the_newest_only),
		cmocka_unit_test(resizing_keeps_the_newest),
		cmocka_unit_test(a_reader_that_was_overtaken_goes_on_behind_the_gap),
		scratch_test(reads_one_client_or_network),
		scratch_test(a_line_tells_what_was_asked_and_how_it_ended),
		scratch_test(what_was_granted_is_a_success_whatever_its_number),
		scratch_test(lines_without_a_reason_are_read_too),
		scratch_test(the_memory_is_filled_from_the_end_of_the_file),
		scratch_test(a_long_file_is_read_from_its_end),
		scratch_test(the_time_in_the_file_is_that_of_any_zone),
		scratch_test(lines_of_others_are_passed_over),
		scratch_test(what_has_no_line_ends_is_not_read_for_ever),
		scratch_test(a_line_without_memory_is_not_the_end),
		scratch_test(a_line_that_a_crash_cut_off_is_closed),
		scratch_test(rotation_and_none),
		scratch_test(lines_that_the_file_does_not_take_are_counted),
		scratch_test(the_longest_words_fit),
		scratch_test(readers_writers_and_rotation_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests_name("state/access_log", tests, NULL, NULL);
}
