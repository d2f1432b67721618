/* protocol: lines at every split, words, and what is no line. */
#include "wire/monitor.h"

#include <stdio.h>

#include "../base/check.h"

static void a_line_is_complete_with_its_last_byte_only(void **state)
{
	static const struct {
		const char *bytes;
		const char *line;
	} rows[] = {
		{"STATS\n", "STATS"},
		{"STATS\r\n", "STATS"},
		{"\n", ""},
		{"\r\n", ""},
		{"CONFIG timeout 15\n", "CONFIG timeout 15"},
		{"a\rb\n", "a\rb"},
		{"a\r\r\n", "a\r"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].bytes);
		char bytes[64];
		struct monitor_line line;

		snprintf(bytes, sizeof(bytes), "%sNEXT\n", rows[i].bytes);
		for (size_t n = 0; n < len; n++)
			assert_int_equal(monitor_parse_line(bytes, n, &line), MONITOR_MORE);
		for (size_t n = len; n <= strlen(bytes); n++) {
			assert_int_equal(monitor_parse_line(bytes, n, &line), len);
			assert_int_equal(line.len, strlen(rows[i].line));
			assert_memory_equal(line.text, rows[i].line, line.len);
		}
	}
}

static void a_line_has_at_most_1024_bytes_with_its_end(void **state)
{
	char bytes[MONITOR_LINE_MAX + 2];
	struct monitor_line line;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(monitor_parse_line(bytes, MONITOR_LINE_MAX - 1, &line), MONITOR_MORE);
	assert_int_equal(monitor_parse_line(bytes, MONITOR_LINE_MAX, &line), MONITOR_TOO_LONG);
	bytes[MONITOR_LINE_MAX - 1] = '\n';
	assert_int_equal(monitor_parse_line(bytes, sizeof(bytes), &line), MONITOR_LINE_MAX);
	assert_int_equal(line.len, MONITOR_LINE_MAX - 1);
	bytes[MONITOR_LINE_MAX - 1] = 'x';
	bytes[MONITOR_LINE_MAX] = '\n';
	assert_int_equal(monitor_parse_line(bytes, sizeof(bytes), &line), MONITOR_TOO_LONG);
}

static void what_was_too_long_is_skipped_up_to_its_end(void **state)
{
	bool ended;

	(void)state;
	assert_int_equal(monitor_skip_line("xxx", 3, &ended), 3);
	assert_false(ended);
	assert_int_equal(monitor_skip_line("xx\nSTATS\n", 9, &ended), 3);
	assert_true(ended);
	assert_int_equal(monitor_skip_line("", 0, &ended), 0);
	assert_false(ended);
}

static struct monitor_line line_of(const char *text)
{
	return (struct monitor_line){.text = text, .len = strlen(text)};
}

static void words_are_what_is_between_blanks(void **state)
{
	static const char *const rows[] = {
		"one two three", " one  two   three ", "one two three  "};
	static const char *const expected[] = {"one", "two", "three"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct monitor_line line = line_of(rows[i]), word;

		for (size_t j = 0; j < COUNT(expected); j++) {
			assert_true(monitor_next_word(&line, &word));
			assert_int_equal(word.len, strlen(expected[j]));
			assert_memory_equal(word.text, expected[j], word.len);
		}
		assert_int_equal(line.len, 0);
		assert_false(monitor_next_word(&line, &word));
	}
}

static void the_rest_behind_a_word_keeps_its_blanks(void **state)
{
	struct monitor_line line = line_of("name  pass  word"), word;

	(void)state;
	assert_true(monitor_next_word(&line, &word));
	assert_int_equal(line.len, 10);
	assert_memory_equal(line.text, "pass  word", 10);
}

static void words_are_compared_without_regard_to_case(void **state)
{
	struct monitor_line word = line_of("sTaTs");

	(void)state;
	assert_true(monitor_is_word(&word, "STATS"));
	assert_false(monitor_is_word(&word, "STAT"));
	assert_false(monitor_is_word(&word, "STATSX"));
}

static void control_bytes_are_not_printable(void **state)
{
	char text[] = "a?b";

	(void)state;
	for (int c = 0; c < 256; c++) {
		struct monitor_line line = {.text = text, .len = 3};

		text[1] = (char)c;
		assert_int_equal(monitor_is_printable(&line), c >= ' ' && c != 0x7f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_complete_with_its_last_byte_only),
		cmocka_unit_test(a_line_has_at_most_1024_bytes_with_its_end),
		cmocka_unit_test(what_was_too_long_is_skipped_up_to_its_end),
		cmocka_unit_test(words_are_what_is_between_blanks),
		cmocka_unit_test(the_rest_behind_a_word_keeps_its_blanks),
		cmocka_unit_test(words_are_compared_without_regard_to_case),
		cmocka_unit_test(control_bytes_are_not_printable),
	};

	return cmocka_run_group_tests_name("monitor/protocol", tests, NULL, NULL);
}
