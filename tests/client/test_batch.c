/* batch: requests from standard input, and what is left of them when that cannot be read. */
#include "client/batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/scratch.h"

static unsigned lines_until_fault; /* of the input; 0: none */
static char asked[256]; /* "first,second" */
static enum client_status reply; /* of the request "bad" */

ssize_t __real_getdelim(char **line, size_t *size, int delimiter, FILE *file);
ssize_t __wrap_getdelim(char **line, size_t *size, int delimiter, FILE *file);
ssize_t __wrap_getdelim(char **line, size_t *size, int delimiter, FILE *file)
{
	if (lines_until_fault != 1) {
		lines_until_fault -= lines_until_fault > 0;
		return __real_getdelim(line, size, delimiter, file);
	}
	errno = ENOMEM;
	return -1;
}

enum client_status __wrap_client_ask(struct client *c, const char *request);
enum client_status __wrap_client_ask(struct client *c, const char *request)
{
	size_t len = strlen(asked);

	(void)c;
	snprintf(asked + len, sizeof(asked) - len, "%s%s", len > 0 ? "," : "", request);
	return strcmp(request, "bad") == 0 ? reply : CLIENT_OK;
}

void __wrap_link_interrupt_by(struct link *l, int fd);
void __wrap_link_interrupt_by(struct link *l, int fd)
{
	(void)l;
	(void)fd;
}

void __wrap_signals_close(struct signals *s);
void __wrap_signals_close(struct signals *s)
{
	(void)s;
}

static struct flags flags = {.json = true};
static bool is_known; /* to the server */

/* Standard output is not the test's to fill, but for what json leaves out. */
static enum client_status run(const char *input)
{
	struct client c = {.flags = &flags, .is_known = is_known};

	asked[0] = '\0';
	scratch_write("input", input);
	assert_non_null(freopen("input", "r", stdin));
	return batch_run(&c);
}

static void each_line_is_asked_and_the_worst_reply_counts(void **state)
{
	(void)state;
	lines_until_fault = 0;
	reply = CLIENT_REFUSED;
	assert_int_equal(run("one\n\nbad\r\nlast"), CLIENT_REFUSED);
	assert_string_equal(asked, "one,bad,last");
	assert_int_equal(run("one\nQUIT\nmore\n"), CLIENT_OK);
	assert_string_equal(asked, "one,QUIT");
}

static void a_connection_that_breaks_is_the_end(void **state)
{
	(void)state;
	lines_until_fault = 0;
	reply = CLIENT_BROKEN;
	assert_int_equal(run("one\nbad\nmore\n"), CLIENT_BROKEN);
	assert_string_equal(asked, "one,bad");
}

static void input_that_cannot_be_read_on_is_not_its_end(void **state)
{
	(void)state;
	lines_until_fault = 3;
	assert_int_equal(run("one\ntwo\nthree\n"), CLIENT_USAGE);
	assert_string_equal(asked, "one,two");
	lines_until_fault = 0;
	assert_non_null(freopen(".", "r", stdin));
	assert_int_equal(
		batch_run(&(struct client){.flags = &(struct flags){.json = true}}), CLIENT_USAGE);
}

static void a_login_that_nobody_wants_is_passed_over(void **state)
{
	(void)state;
	lines_until_fault = 0;
	is_known = true;
	assert_int_equal(run("alice:secret\nUSERS\nbob:secret\n"), CLIENT_OK);
	assert_string_equal(asked, "USERS,bob:secret");
	assert_int_equal(run("KILL a:b\n"), CLIENT_OK);
	assert_string_equal(asked, "KILL a:b");
	flags.user = "alice"; /* whose password never stood there */
	assert_int_equal(run("alice:secret\n"), CLIENT_OK);
	assert_string_equal(asked, "alice:secret");
	flags.user = NULL;
	is_known = false;
	assert_int_equal(run("alice:secret\n"), CLIENT_OK);
	assert_string_equal(asked, "alice:secret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(each_line_is_asked_and_the_worst_reply_counts),
		scratch_test(a_connection_that_breaks_is_the_end),
		scratch_test(input_that_cannot_be_read_on_is_not_its_end),
		scratch_test(a_login_that_nobody_wants_is_passed_over),
	};

	return cmocka_run_group_tests_name("client/batch", tests, NULL, NULL);
}
