/* history: where it is, what is kept and for whom, and that it does not grow without end. */
#include "client/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../base/scratch.h"

static char text[100000];

static void take_line(void *context, const char *line)
{
	int *count = context;

	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s;", line);
	(*count)++;
}

static int read_all(const char *path)
{
	int count = 0;

	text[0] = '\0';
	history_read(path, take_line, &count);
	return count;
}

static void assert_path(const char *state, const char *home, const char *expected)
{
	char *path;

	assert_int_equal(
		state == NULL ? unsetenv("XDG_STATE_HOME") : setenv("XDG_STATE_HOME", state, 1), 0);
	assert_int_equal(home == NULL ? unsetenv("HOME") : setenv("HOME", home, 1), 0);
	path = history_path();
	if (expected == NULL)
		assert_null(path);
	else
		assert_string_equal(path, expected);
	free(path);
}

static void it_is_where_state_belongs(void **state)
{
	(void)state;
	assert_path("/s", "/h", "/s/monitor_client/history");
	assert_path(NULL, "/h", "/h/.local/state/monitor_client/history");
	assert_path("", "/h", "/h/.local/state/monitor_client/history");
	assert_path("relative", "/h", "/h/.local/state/monitor_client/history");
	assert_path(NULL, NULL, NULL);
	assert_path(NULL, "here", NULL);
}

static void lines_come_back_in_their_order(void **state)
{
	(void)state;
	assert_int_equal(read_all("a/b/history"), 0);
	history_add("a/b/history", "STATS");
	history_add("a/b/history", "CONFIG timeout 5");
	assert_int_equal(read_all("a/b/history"), 2);
	assert_string_equal(text, "STATS;CONFIG timeout 5;");
}

static void it_is_its_owners_only(void **state)
{
	struct stat st;

	(void)state;
	umask(0);
	history_add("a/history", "STATS");
	umask(022);
	assert_int_equal(stat("a/history", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void the_newest_are_kept(void **state)
{
	char line[32];
	struct stat long_one, short_one;

	(void)state;
	for (int i = 0; i < 2 * HISTORY_LINES + 1; i++) {
		snprintf(line, sizeof(line), "KILL %d", i);
		history_add("history", line);
	}
	assert_int_equal(stat("history", &long_one), 0);
	assert_int_equal(read_all("history"), HISTORY_LINES);
	assert_int_equal(strncmp(text, "KILL 501;", 9), 0);
	assert_int_equal(stat("history", &short_one), 0);
	assert_true(short_one.st_size < long_one.st_size);
	assert_int_equal(read_all("history"), HISTORY_LINES);
	assert_int_equal(strncmp(text, "KILL 501;", 9), 0);
}

static void what_cannot_be_written_does_no_harm(void **state)
{
	(void)state;
	history_add("/proc/nothing/history", "STATS");
	assert_int_equal(read_all("/proc/nothing/history"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(it_is_where_state_belongs),
		scratch_test(lines_come_back_in_their_order),
		scratch_test(it_is_its_owners_only),
		scratch_test(the_newest_are_kept),
		scratch_test(what_cannot_be_written_does_no_harm),
	};

	return cmocka_run_group_tests_name("client/history", tests, NULL, NULL);
}
