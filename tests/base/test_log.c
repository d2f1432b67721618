/* log: lines in both formats, escaping, lengths, levels, files and their rotation. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <sys/resource.h>

#include "scratch.h"

/* Each test logs to the file "log" of its own folder. */
static int start_log(void **state)
{
	log_set_level(LOG_INFO);
	log_set_format(LOG_TEXT);
	return scratch_enter(state) == 0 ? log_open("log") : -1;
}

static int end_log(void **state)
{
	log_close();
	return scratch_leave(state);
}

#define log_test(f) cmocka_unit_test_setup_teardown(f, start_log, end_log)

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;
	int status;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	status = regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	if (status != 0)
		fail_msg("\"%s\" does not match %s", text, pattern);
}

static void assert_log_matches(const char *pattern)
{
	char *text = scratch_read("log");

	assert_matches(text, pattern);
	free(text);
}

static void log_value(const void *value, size_t len)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "m");
	log_bytes(&line, "key", value, len);
	log_number(&line, "n", 1);
	log_end(&line);
}

/* The new content of "log"; the file is empty again. To be freed. */
static char *take_log(void)
{
	char *text = scratch_read("log");

	assert_int_equal(truncate("log", 0), 0);
	return text;
}

/* ---- a reader of JSON, for objects of texts and numbers ---- */

/* `*p` is at the opening quote; afterwards behind the closing one. The decoded bytes go to `out`;
 * returns how many, -1 when it is no JSON string of characters up to U+00FF. */
static int read_json_text(const char **p, unsigned char *out)
{
	int n = 0;
	unsigned code;

	if (*(*p)++ != '"')
		return -1;
	for (; **p != '"'; (*p)++) {
		unsigned char c = (unsigned char)**p;

		if (c < 0x20 || c >= 0x7f)
			return -1;
		if (c == '\\') {
			c = (unsigned char)*++*p;
			if (c == 'u' && sscanf(*p + 1, "%4x", &code) == 1 && code <= 0xff) {
				c = (unsigned char)code;
				*p += 4;
			} else if (c != '"' && c != '\\') {
				return -1;
			}
		}
		out[n++] = c;
	}
	(*p)++;
	return n;
}

static bool skip_json_value(const char **p)
{
	unsigned char text[4096];
	char *end;

	if (**p == '"')
		return read_json_text(p, text) >= 0;
	(void)strtoll(*p, &end, 10);
	if (end == *p)
		return false;
	*p = end;
	return true;
}

/* Is `line` one object, and nothing else but LF behind it? */
static bool is_json_line(const char *line)
{
	const char *p = line;
	unsigned char key[4096];

	if (*p != '{')
		return false;
	do {
		p++;
		if (read_json_text(&p, key) <= 0 || *p++ != ':' || !skip_json_value(&p))
			return false;
	} while (*p == ',');
	return strcmp(p, "}\n") == 0;
}

/* ---- lines ---- */

static void log_an_event(void)
{
	struct log_line line;

	log_begin(&line, LOG_WARN, "it happened");
	log_text(&line, "user", "alice");
	log_number(&line, "bytes", -42);
	log_end(&line);
}

static void writes_text_lines(void **state)
{
	(void)state;
	log_an_event();
	assert_log_matches("^time=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}"
			   "[+-][0-9]{4} level=warn msg=\"it happened\" user=alice bytes=-42\n$");
}

static void writes_json_lines(void **state)
{
	char *text;

	(void)state;
	log_set_format(LOG_JSON);
	log_an_event();
	assert_log_matches("^\\{\"time\":\"[0-9T:.-]{23}[+-][0-9]{4}\",\"level\":\"warn\","
			   "\"msg\":\"it happened\",\"user\":\"alice\",\"bytes\":-42\\}\n$");
	text = scratch_read("log");
	assert_true(is_json_line(text));
	free(text);
}

static void writes_the_largest_numbers(void **state)
{
	struct log_line line;

	(void)state;
	log_begin(&line, LOG_INFO, "m");
	log_number(&line, "least", INT64_MIN);
	log_number(&line, "most", INT64_MAX);
	log_end(&line);
	assert_log_matches(" least=-9223372036854775808 most=9223372036854775807\n$");
}

static void formats_messages_and_cuts_them(void **state)
{
	char long_text[2000];

	(void)state;
	log_message(LOG_ERROR, "%s and %d", "one", 2);
	assert_log_matches(" level=error msg=\"one and 2\"\n$");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	log_message(LOG_ERROR, "%s", long_text);
	assert_log_matches("\ntime=[^ ]+ level=error msg=x{100}.*x\n$");
}

/* ---- escaping ---- */

static void quotes_and_escapes_text_values(void **state)
{
	static const struct {
		const char *value, *written;
	} rows[] = {{"plain-1.2:3", "plain-1.2:3"}, {"", "\"\""}, {"a b", "\"a b\""},
		{"a=b", "\"a=b\""}, {"a\"b", "\"a\\\"b\""}, {"a\\b", "\"a\\\\b\""},
		{"a\nlevel=error", "\"a\\x0alevel=error\""}, {"\x1b[31m", "\"\\x1b[31m\""},
		{"\x01\x7f", "\"\\x01\\x7f\""}, {"\xc3\xa9", "\"\\xc3\\xa9\""},
		{"\xff", "\"\\xff\""}};
	char expected[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text;

		log_value(rows[i].value, strlen(rows[i].value));
		text = take_log();
		snprintf(expected, sizeof(expected), " msg=m key=%s n=1\n", rows[i].written);
		assert_contains(text, expected);
		free(text);
	}
}

static void escapes_nul_bytes(void **state)
{
	(void)state;
	log_value("a\0b", 3);
	assert_log_matches(" key=\"a\\\\x00b\" n=1\n$");
}

static void escapes_the_message_too(void **state)
{
	(void)state;
	log_message(LOG_INFO, "a\nb\"c");
	assert_log_matches(" msg=\"a\\\\x0ab\\\\\"c\"\n$");
}

/* What a reader of JSON gets for "key" is what was logged. */
static void assert_json_gives_back(const unsigned char *value, size_t len)
{
	unsigned char decoded[4096];
	char *text;
	const char *p;

	log_value(value, len);
	text = take_log();
	assert_true(is_json_line(text));
	p = strstr(text, "\"key\":");
	assert_non_null(p);
	p += strlen("\"key\":");
	assert_int_equal(read_json_text(&p, decoded), (int)len);
	assert_memory_equal(decoded, value, len);
	free(text);
}

static void json_gives_every_byte_back(void **state)
{
	unsigned char value[32];

	(void)state;
	log_set_format(LOG_JSON);
	for (size_t first = 0; first < 256; first += sizeof(value)) {
		for (size_t i = 0; i < sizeof(value); i++)
			value[i] = (unsigned char)(first + i);
		assert_json_gives_back(value, sizeof(value));
	}
	assert_json_gives_back(value, 0);
}

/* ---- lengths ---- */

/* What writes behind a line's end writes into the guard. */
static struct {
	struct log_line line;
	unsigned char guard[65536];
} guarded;

static void begin_guarded(void)
{
	memset(guarded.guard, 0xa5, sizeof(guarded.guard));
	log_begin(&guarded.line, LOG_INFO, "m");
}

static void end_guarded(void)
{
	char *text;
	size_t len;

	log_end(&guarded.line);
	text = take_log();
	len = strlen(text);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(guarded.guard[i], 0xa5);
	assert_true(len <= sizeof(guarded.line.text));
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	if (*text == '{')
		assert_true(is_json_line(text));
	free(text);
}

static void cuts_long_fields(void **state)
{
	static const enum log_format formats[] = {LOG_TEXT, LOG_JSON};
	static const int bytes[] = {'a', ' ', '\n', 0xff};
	char value[5000];

	(void)state;
	for (size_t i = 0; i < COUNT(formats) * COUNT(bytes); i++) {
		char *text;

		log_set_format(formats[i % COUNT(formats)]);
		memset(value, bytes[i / COUNT(formats)], sizeof(value));
		log_value(value, sizeof(value));
		text = take_log();
		assert_in_range(strlen(text), 600, 720);
		assert_matches(text, "\"(,\"n\":1\\}| n=1)\n$");
		free(text);
	}
}

static void check_lines_of_fields(size_t len, int byte)
{
	static char value[700];

	memset(value, byte, len);
	begin_guarded();
	for (int i = 0; i < 40; i++)
		log_bytes(&guarded.line, "k", value, len);
	for (int i = 0; i < 40; i++)
		log_number(&guarded.line, "n", INT64_MIN);
	end_guarded();
}

/* Whatever the last field that fitted leaves: no further one may write behind the end. */
static void lines_never_outgrow_their_buffer(void **state)
{
	(void)state;
	for (size_t len = 0; len < 700; len++) {
		log_set_format(len % 2 == 0 ? LOG_TEXT : LOG_JSON);
		check_lines_of_fields(len, ' ');
	}
	for (size_t len = 0; len < 160; len++) {
		log_set_format(len % 2 == 0 ? LOG_JSON : LOG_TEXT);
		check_lines_of_fields(len, '\n');
		check_lines_of_fields(len, 'x');
	}
}

/* ---- levels ---- */

static void writes_what_is_at_least_as_grave_as_the_level(void **state)
{
	static const enum log_level levels[] = {LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG};
	static const char *const words[] = {"error", "warn", "info", "debug"};
	char expected[32];

	(void)state;
	for (size_t set = 0; set < COUNT(levels); set++) {
		log_set_level(levels[set]);
		for (size_t i = 0; i < COUNT(levels); i++) {
			char *text;

			log_message(levels[i], "m");
			text = take_log();
			snprintf(expected, sizeof(expected), " level=%s ", words[i]);
			assert_int_equal(strstr(text, expected) != NULL, i <= set);
			free(text);
		}
	}
}

static void unwanted_lines_take_fields_and_write_nothing(void **state)
{
	struct log_line line;

	(void)state;
	log_begin(&line, LOG_DEBUG, "m");
	log_text(&line, "user", "alice");
	log_number(&line, "n", 1);
	log_end(&line);
	assert_false(line.wanted);
	scratch_assert("log", "");
}

/* ---- files ---- */

static void makes_a_file_that_others_cannot_read(void **state)
{
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(log_open("other"), 0);
	umask(mask);
	assert_int_equal(stat("other", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void appends_to_what_is_there(void **state)
{
	(void)state;
	scratch_write("other", "before\n");
	assert_int_equal(log_open("other"), 0);
	log_message(LOG_INFO, "after");
	assert_int_equal(rename("other", "log"), 0);
	assert_log_matches("^before\ntime=.* msg=after\n$");
}

static void opening_again_after_a_rename_goes_to_a_new_file(void **state)
{
	(void)state;
	log_message(LOG_INFO, "first");
	assert_int_equal(rename("log", "log.1"), 0);
	log_message(LOG_INFO, "second");
	assert_int_equal(log_open("log"), 0);
	log_message(LOG_INFO, "third");
	assert_log_matches("^time=[^\n]* msg=third\n$");
	assert_int_equal(rename("log.1", "log"), 0);
	assert_log_matches("^time=[^\n]* msg=first\ntime=[^\n]* msg=second\n$");
}

static void an_impossible_path_keeps_the_old_file(void **state)
{
	(void)state;
	assert_int_equal(log_open("missing/log"), -1);
	assert_int_equal(errno, ENOENT);
	log_message(LOG_INFO, "first");
	assert_int_equal(log_open("log"), 0);
	log_message(LOG_INFO, "second");
	assert_log_matches("^time=[^\n]* msg=first\ntime=[^\n]* msg=second\n$");
}

static void failing_to_open_again_keeps_the_old_file(void **state)
{
	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(log_open("folder/log"), 0);
	assert_int_equal(rename("folder", "moved"), 0);
	assert_int_equal(log_open("folder/log"), -1);
	log_message(LOG_INFO, "still");
	assert_int_equal(rename("moved/log", "log"), 0);
	assert_log_matches("^time=.* msg=still\n$");
}

static void opening_another_file_leaves_the_first(void **state)
{
	(void)state;
	assert_int_equal(log_open("other"), 0);
	log_message(LOG_INFO, "to the other");
	scratch_assert("log", "");
	assert_int_equal(rename("other", "log"), 0);
	assert_log_matches(" msg=\"to the other\"\n$");
}

static void what_is_prepared_is_gone_over_to_later_or_never(void **state)
{
	(void)state;
	assert_int_equal(log_prepare("never"), 0);
	log_abandon();
	log_abandon();
	log_message(LOG_INFO, "first");
	assert_int_equal(log_prepare("never"), 0);
	assert_int_equal(log_prepare("other"), 0);
	log_message(LOG_INFO, "second");
	assert_log_matches("^time=[^\n]* msg=first\ntime=[^\n]* msg=second\n$");
	assert_int_equal(log_switch(), 0);
	log_message(LOG_INFO, "third");
	scratch_assert("never", "");
	assert_int_equal(rename("other", "log"), 0);
	assert_log_matches("^time=[^\n]* msg=third\n$");
	assert_int_equal(log_prepare("missing/log"), -1);
	assert_int_equal(errno, ENOENT);
}

/* Logs `msg` while the file "stderr" stands for standard error. */
static void log_with_stderr_in_a_file(const char *msg)
{
	int kept = dup(STDERR_FILENO);

	assert_non_null(freopen("stderr", "w", stderr));
	assert_int_equal(log_open(msg[0] == 'n' ? NULL : ""), 0);
	log_message(LOG_INFO, "%s", msg);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	close(kept);
}

static void no_path_is_standard_error(void **state)
{
	static const char *const rows[] = {"none", "empty"};
	char expected[32];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text;

		log_with_stderr_in_a_file(rows[i]);
		text = scratch_read("stderr");
		snprintf(expected, sizeof(expected), " msg=%s\n", rows[i]);
		assert_contains(text, expected);
		free(text);
	}
	scratch_assert("log", "");
}

/* In the file and on standard error; once where the log is that anyway. */
static void a_message_beside_is_on_standard_error_too(void **state)
{
	int kept = dup(STDERR_FILENO);
	char *text;

	(void)state;
	assert_non_null(freopen("stderr", "w", stderr));
	log_message_beside(LOG_ERROR, "bad %d", 1);
	assert_int_equal(log_open(NULL), 0);
	log_message_beside(LOG_ERROR, "bad %d", 2);
	assert_int_equal(log_open("log"), 0);
	log_message_beside(LOG_DEBUG, "bad %d", 3);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	close(kept);
	assert_log_matches("^time=[^\n]* level=error msg=\"bad 1\"\n$");
	text = scratch_read("stderr");
	assert_matches(text, "^time=[^\n]* msg=\"bad 1\"\ntime=[^\n]* msg=\"bad 2\"\n$");
	free(text);
}

/* ---- a log that nobody reads ---- */

/* Fills the pipe `fd` to its last byte. */
static void fill_pipe(int fd)
{
	char bytes[4096] = {0};

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	while (write(fd, bytes, 1) > 0)
		;
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
}

static void lines_that_a_full_pipe_does_not_take_are_lost_and_counted(void **state)
{
	char bytes[200000];
	int fd;

	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(log_open("pipe"), 0);
	fill_pipe(fd);
	for (int i = 0; i < 3; i++)
		log_message(LOG_INFO, "nobody reads this");
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	log_message(LOG_INFO, "here again");
	memset(bytes, 0, sizeof(bytes));
	assert_true(read(fd, bytes, sizeof(bytes) - 1) > 0);
	assert_contains(bytes, "msg=\"the log took no more for a while: 3 lines are lost\"");
	assert_contains(bytes, "msg=\"here again\"");
	assert_null(strstr(bytes, "nobody reads this"));
	assert_int_equal(log_open("log"), 0);
	close(fd);
}

/* ---- a log whose disk is full ---- */

/* As a disk without room does, from now on: so many bytes in a file are all it takes. */
static void limit_files_to(rlim_t bytes)
{
	struct rlimit rl;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &rl), 0);
	rl.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

static void say_times(const char *what, int times)
{
	for (int i = 0; i < times; i++)
		log_message(LOG_INFO, "%s", what);
}

/* The first of the lost lines is cut off, since there was room for some of it. */
static void lines_that_a_full_disk_does_not_take_are_lost_and_counted(void **state)
{
	uint64_t lost_before = log_lost();

	(void)state;
	say_times("before", 1);
	limit_files_to(90);
	say_times("in vain", 7);
	limit_files_to(RLIM_INFINITY);
	say_times("after", 1);
	assert_log_matches("^[^\n]* msg=before\n[^\n]+\n[^\n]* level=warn "
			   "msg=\"the log took no more for a while: 7 lines are lost\"\n"
			   "[^\n]* msg=after\n$");
	assert_int_equal(log_lost() - lost_before, 7);
}

static void of_a_log_that_is_a_full_disk_standard_error_tells_once(void **state)
{
	int kept = dup(STDERR_FILENO);
	char *text;

	(void)state;
	assert_non_null(freopen("stderr", "w", stderr));
	assert_int_equal(log_open("/dev/full"), 0);
	say_times("in vain", 3);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	close(kept);
	text = scratch_read("stderr");
	assert_matches(text,
		"^time=[^\n]* level=error msg=\"log_file: No space left on device; "
		"lines are lost until it takes some again\"\n$");
	free(text);
}

/* ---- rotation while others write ---- */

#define WRITERS 4
#define LINES 500
#define ROTATIONS 20

static void *write_lines(void *unused)
{
	(void)unused;
	for (int i = 0; i < LINES; i++)
		log_message(LOG_INFO, "one of many");
	return NULL;
}

static size_t count_whole_lines(const char *name)
{
	char *text = scratch_read(name), *rest = text, *line;
	size_t count = 0;

	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		assert_matches(line, "^time=[^ ]+ level=info msg=\"one of many\"$");
		count++;
	}
	free(text);
	return count;
}

static void no_line_is_lost_or_torn_by_rotation(void **state)
{
	pthread_t threads[WRITERS];
	char name[32];
	size_t lines;

	(void)state;
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
	for (int i = 0; i < ROTATIONS; i++) {
		snprintf(name, sizeof(name), "log.%d", i);
		assert_int_equal(rename("log", name), 0);
		assert_int_equal(log_open("log"), 0);
	}
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	lines = count_whole_lines("log");
	for (int i = 0; i < ROTATIONS; i++) {
		snprintf(name, sizeof(name), "log.%d", i);
		lines += count_whole_lines(name);
	}
	assert_int_equal(lines, WRITERS * LINES);
}

/* ---- limits ---- */

#define PERIOD INT64_C(3600000)

static void a_limit_passes_once_a_period(void **state)
{
	struct log_limit limit = {0};
	uint64_t held_back = 99;

	(void)state;
	assert_true(log_limit_pass(&limit, PERIOD, &held_back));
	assert_true(held_back == 0);
	for (int i = 0; i < 3; i++)
		assert_false(log_limit_pass(&limit, PERIOD, &held_back));
	atomic_store(&limit.next, 0);
	assert_true(log_limit_pass(&limit, PERIOD, &held_back));
	assert_true(held_back == 3);
	atomic_store(&limit.next, 0);
	assert_true(log_limit_pass(&limit, PERIOD, &held_back));
	assert_true(held_back == 0);
}

static void a_failure_is_said_once_a_period(void **state)
{
	struct log_limit limit = {0};
	char *text;

	(void)state;
	for (int i = 0; i < 3; i++)
		log_failure(&limit, "cannot do it", EPERM);
	text = take_log();
	assert_contains(text, " level=error msg=\"cannot do it: Operation not permitted\"\n");
	assert_null(strstr(strchr(text, '\n') + 1, "cannot"));
	free(text);
	atomic_store(&limit.next, 0);
	log_failure(&limit, "cannot do it", EPERM);
	text = take_log();
	assert_contains(text, "not permitted (2 times more since this was said last)\"\n");
	free(text);
}

struct passing {
	struct log_limit limit;
	_Atomic(int) passed;
};

static void *pass_often(void *context)
{
	struct passing *p = context;
	uint64_t held_back;

	for (int i = 0; i < LINES; i++) {
		if (log_limit_pass(&p->limit, PERIOD, &held_back))
			atomic_fetch_add(&p->passed, 1);
	}
	return NULL;
}

static void a_limit_lets_one_of_many_threads_pass(void **state)
{
	struct passing p = {0};
	pthread_t threads[WRITERS];

	(void)state;
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, pass_often, &p), 0);
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&p.passed), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		log_test(writes_text_lines),
		log_test(writes_json_lines),
		log_test(writes_the_largest_numbers),
		log_test(formats_messages_and_cuts_them),
		log_test(quotes_and_escapes_text_values),
		log_test(escapes_nul_bytes),
		log_test(escapes_the_message_too),
		log_test(json_gives_every_byte_back),
		log_test(cuts_long_fields),
		log_test(lines_never_outgrow_their_buffer),
		log_test(writes_what_is_at_least_as_grave_as_the_level),
		log_test(unwanted_lines_take_fields_and_write_nothing),
		log_test(makes_a_file_that_others_cannot_read),
		log_test(appends_to_what_is_there),
		log_test(opening_again_after_a_rename_goes_to_a_new_file),
		log_test(an_impossible_path_keeps_the_old_file),
		log_test(failing_to_open_again_keeps_the_old_file),
		log_test(opening_another_file_leaves_the_first),
		log_test(what_is_prepared_is_gone_over_to_later_or_never),
		log_test(no_path_is_standard_error),
		log_test(a_message_beside_is_on_standard_error_too),
		log_test(lines_that_a_full_pipe_does_not_take_are_lost_and_counted),
		log_test(lines_that_a_full_disk_does_not_take_are_lost_and_counted),
		log_test(of_a_log_that_is_a_full_disk_standard_error_tells_once),
		log_test(no_line_is_lost_or_torn_by_rotation),
		cmocka_unit_test(a_limit_passes_once_a_period),
		log_test(a_failure_is_said_once_a_period),
		cmocka_unit_test(a_limit_lets_one_of_many_threads_pass),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
