/* lines: what editors and accidents make of a text file, and what a read that fails is not. */
#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>

#include "scratch.h"

ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n);

/* How much a read gives at most, and when one fails: after so many, with this errno. */
static size_t at_most;
static int reads_left;
static int read_error;

ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	if (read_error != 0 && reads_left-- == 0) {
		errno = read_error;
		if (read_error == EINTR)
			read_error = 0;
		return -1;
	}
	return __real_read(fd, bytes, at_most > 0 && at_most < n ? at_most : n);
}

static int enter(void **state)
{
	at_most = 0;
	read_error = reads_left = 0;
	return scratch_enter(state);
}

#define lines_test(f) cmocka_unit_test_setup_teardown(f, enter, scratch_leave)

static void write_bytes(const char *bytes, size_t len)
{
	FILE *file = fopen("file", "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static struct lines *open_file(void)
{
	char error[LINES_ERROR_MAX] = "";
	struct lines *l = lines_open("file", false, error);

	assert_string_equal(error, "");
	assert_non_null(l);
	return l;
}

static void expect_line(struct lines *l, int number, const char *text, const char *end)
{
	char error[LINES_ERROR_MAX] = "";
	struct line line;

	assert_int_equal(lines_next(l, &line, error), LINES_LINE);
	assert_int_equal(line.number, number);
	assert_string_equal(line.text, text);
	assert_int_equal(line.len, strlen(text));
	assert_string_equal(line.end, end);
}

static void expect_end(struct lines *l)
{
	char error[LINES_ERROR_MAX] = "";
	struct line line;

	assert_int_equal(lines_next(l, &line, error), LINES_END);
	assert_int_equal(lines_next(l, &line, error), LINES_END);
	assert_string_equal(error, "");
	lines_close(l);
}

/* Twice, since it stays so. */
static void expect_failure(struct lines *l, const char *why)
{
	for (int i = 0; i < 2; i++) {
		char error[LINES_ERROR_MAX] = "";
		struct line line;

		assert_int_equal(lines_next(l, &line, error), LINES_FAILED);
		assert_string_equal(error, why);
	}
	lines_close(l);
}

static void gives_lines_and_how_they_ended(void **state)
{
	struct lines *l;

	(void)state;
	scratch_write("file", "one\n\n two \r\nthree\rfour\nlast");
	for (at_most = 0; at_most < 8; at_most++) {
		l = open_file();
		expect_line(l, 1, "one", "\n");
		expect_line(l, 2, "", "\n");
		expect_line(l, 3, " two ", "\r\n");
		expect_line(l, 4, "three\rfour", "\n");
		expect_line(l, 5, "last", "");
		expect_end(l);
	}
}

static void an_empty_file_has_no_lines(void **state)
{
	(void)state;
	scratch_write("file", "");
	expect_end(open_file());
}

static void the_byte_order_mark_belongs_to_no_line(void **state)
{
	struct lines *l;

	(void)state;
	scratch_write("file",
		"\xef\xbb\xbf"
		"alice\nbob\n");
	for (at_most = 0; at_most < 5; at_most++) {
		l = open_file();
		expect_line(l, 1, "alice", "\n");
		assert_true(lines_had_mark(l));
		expect_line(l, 2, "bob", "\n");
		expect_end(l);
	}
	scratch_write("file", "\xef\xbb\xbf");
	l = open_file();
	expect_end(l);
	scratch_write("file", "\xef\xbb");
	l = open_file();
	expect_line(l, 1, "\xef\xbb", "");
	assert_false(lines_had_mark(l));
	expect_end(l);
}

static void refuses_utf16_by_name(void **state)
{
	(void)state;
	write_bytes("\xff\xfe"
		    "a\0\n\0",
		6);
	expect_failure(open_file(), "file: not a text file: UTF-16 (save it as UTF-8)");
	write_bytes("\xfe\xff\0a\0\n", 6);
	expect_failure(open_file(), "file: not a text file: UTF-16 (save it as UTF-8)");
}

static void refuses_a_nul_byte_by_line(void **state)
{
	struct lines *l;

	(void)state;
	write_bytes("one\ntwo\nport = 10\0 81\nfour\n", 27);
	l = open_file();
	expect_line(l, 1, "one", "\n");
	expect_line(l, 2, "two", "\n");
	expect_failure(l, "file: not a text file: NUL byte in line 3");
	write_bytes("one\n\0", 5);
	l = open_file();
	expect_line(l, 1, "one", "\n");
	expect_failure(l, "file: not a text file: NUL byte in line 2");
}

/* A line of `len` bytes between two short ones. */
static void write_long(size_t len, const char *end)
{
	char *bytes = malloc(len + 16), *p = bytes;

	assert_non_null(bytes);
	p = stpcpy(p, "one\n");
	memset(p, 'x', len);
	p = stpcpy(p + len, end);
	if (*end != '\0')
		p = stpcpy(p, "three\n");
	write_bytes(bytes, (size_t)(p - bytes));
	free(bytes);
}

static void takes_lines_up_to_the_limit(void **state)
{
	static const char *const ends[] = {"\n", "\r\n", ""};
	char error[LINES_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct lines *l;
		struct line line;

		write_long(LINES_MAX, ends[i]);
		l = open_file();
		expect_line(l, 1, "one", "\n");
		assert_int_equal(lines_next(l, &line, error), LINES_LINE);
		assert_int_equal(line.len, LINES_MAX);
		assert_string_equal(line.end, ends[i]);
		if (*ends[i] != '\0')
			expect_line(l, 3, "three", "\n");
		expect_end(l);
	}
}

static void refuses_longer_lines(void **state)
{
	static const char *const ends[] = {"\n", "\r\n", ""};

	(void)state;
	for (size_t longer = 1; longer < 200000; longer = longer * 3 + 1) {
		for (size_t i = 0; i < 3; i++) {
			struct lines *l;

			write_long(LINES_MAX + longer, ends[i]);
			l = open_file();
			expect_line(l, 1, "one", "\n");
			expect_failure(l, "file:2: the line is longer than 65536 bytes");
		}
	}
}

static void a_read_that_fails_is_no_end(void **state)
{
	struct lines *l;

	(void)state;
	scratch_write("file", "one\ntwo\nthree\n");
	at_most = 4;
	read_error = EIO;
	reads_left = 2;
	l = open_file();
	expect_line(l, 1, "one", "\n");
	expect_line(l, 2, "two", "\n");
	expect_failure(l, "file: cannot be read: Input/output error");
}

static void an_interrupted_read_goes_on(void **state)
{
	struct lines *l;

	(void)state;
	scratch_write("file", "one\ntwo\n");
	at_most = 4;
	read_error = EINTR;
	reads_left = 1;
	l = open_file();
	expect_line(l, 1, "one", "\n");
	expect_line(l, 2, "two", "\n");
	expect_end(l);
}

static void refuse(const char *path, int expected, const char *why)
{
	char error[LINES_ERROR_MAX] = "";

	errno = 0;
	assert_null(lines_open(path, false, error));
	assert_int_equal(errno, expected);
	assert_string_equal(error, why);
}

static void refuses_what_is_no_file_without_waiting_for_it(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(mkdir("folder", 0700), 0);
	refuse("fifo", EINVAL, "fifo: cannot be read: it is not a regular file");
	refuse("folder", EISDIR, "folder: cannot be read: Is a directory");
	refuse("missing", ENOENT, "missing: cannot be read: No such file or directory");
	refuse("/dev/null", EINVAL, "/dev/null: cannot be read: it is not a regular file");
}

static void reads_a_pipe_where_that_may_be(void **state)
{
	char path[32], error[LINES_ERROR_MAX];
	struct lines *l;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "one\ntwo\n", 8), 8);
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	l = lines_open(path, true, error);
	assert_non_null(l);
	assert_true(lines_fd(l) >= 0);
	expect_line(l, 1, "one", "\n");
	expect_line(l, 2, "two", "\n");
	expect_end(l);
	close(fds[0]);
	lines_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lines_test(gives_lines_and_how_they_ended),
		lines_test(an_empty_file_has_no_lines),
		lines_test(the_byte_order_mark_belongs_to_no_line),
		lines_test(refuses_utf16_by_name),
		lines_test(refuses_a_nul_byte_by_line),
		lines_test(takes_lines_up_to_the_limit),
		lines_test(refuses_longer_lines),
		lines_test(a_read_that_fails_is_no_end),
		lines_test(an_interrupted_read_goes_on),
		lines_test(refuses_what_is_no_file_without_waiting_for_it),
		lines_test(reads_a_pipe_where_that_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
