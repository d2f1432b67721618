/* cluster_text: what nodes say of themselves, both ways, and what is no such text. */
#include "state/cluster_text.h"

#include <string.h>

#include "../base/check.h"

static void what_is_written_is_read_again(void **state)
{
	const struct cluster_beat b = {.part = "old",
		.node = "north",
		.instance = "0123456789abcdef",
		.version = "1.2",
		.started = 1795694400,
		.sessions = 31,
		.max_sessions = 4000,
		.beat = 7,
		.monitor = "[2001:db8::1]:1081"};
	char text[CLUSTER_BEAT_MAX], again[CLUSTER_BEAT_MAX];
	struct cluster_beat read;

	(void)state;
	assert_string_equal(cluster_format_beat(&b, text),
		"0123456789abcdef 1.2 1795694400 31 4000 7 [2001:db8::1]:1081 north");
	assert_true(cluster_parse_beat("old", text, &read));
	assert_string_equal(read.part, "old");
	assert_string_equal(read.node, "north");
	assert_int_equal(read.started, 1795694400);
	assert_string_equal(cluster_format_beat(&read, again), text);
}

static void an_older_one_says_no_monitor_and_a_later_one_more(void **state)
{
	static const char *const rows[][2] = {
		{"i 1 5 1 10 7", "-"},
		{"i 1 5 1 10 7 -", "-"},
		{"i 1 5 1 10 7 nowhere", "-"},
		{"i 1 5 1 10 7 10.0.0.1", "-"},
		{"i 1 5 1 10 7 10.0.0.1:1081 n and more", "10.0.0.1:1081"},
		{"i 1 5 1 10 7 10.0.0.1:1081 n/o", "10.0.0.1:1081"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cluster_beat read;

		assert_true(cluster_parse_beat("n/x", rows[i][0], &read));
		assert_string_equal(read.node, "n");
		assert_string_equal(read.part, "n/x");
		assert_string_equal(read.monitor, rows[i][1]);
	}
}

static void what_is_no_beat_changes_nothing(void **state)
{
	static const char *const rows[][2] = {
		{"n", ""},
		{"n", "i 1 5 1 10"},
		{"n", "i 1 5 1 10 x"},
		{"n", "i 1 5 -1 10 7"},
		{"n", "i 1 5 1 99999999999999999999 7"},
		{"n", "i 1 253402300800 1 10 7"},
		{"n", "i\x01 1 5 1 10 7"},
		{"n", "i 1\xff 5 1 10 7"},
		{"n", "i 12345678901234567890123456789012 5 1 10 7"},
		{"n",
			"i 1 5 1 10 7 123456789012345678901234567890123456789012345678901234567890123"
			"4567890123"},
		{"a/", "i 1 5 1 10 7"},
		{"a/b/c", "i 1 5 1 10 7"},
		{"/a", "i 1 5 1 10 7"},
		{"", "i 1 5 1 10 7"},
		{"a b", "i 1 5 1 10 7"},
		{"a\nb", "i 1 5 1 10 7"},
		{"a-name-of-more-than-thirty-bytes", "i 1 5 1 10 7"},
	};
	struct cluster_beat read = {.beat = 99};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(cluster_parse_beat(rows[i][0], rows[i][1], &read));
	assert_int_equal(read.beat, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(an_older_one_says_no_monitor_and_a_later_one_more),
		cmocka_unit_test(what_is_no_beat_changes_nothing),
	};

	return cmocka_run_group_tests_name("state/cluster_text", tests, NULL, NULL);
}
