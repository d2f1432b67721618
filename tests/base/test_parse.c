/* parse: numbers, durations and words, and that nothing is left over. */
#include "base/parse.h"

#include "check.h"

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t expected;
	} rows[] = {{"0", 0}, {"7", 7}, {"007", 7}, {"65535", 65535},
		{"9223372036854775807", INT64_MAX}};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!parse_number(rows[i].text, &value))
			fail_msg("\"%s\" was refused", rows[i].text);
		assert_true(value == rows[i].expected);
	}
}

static void refuses_what_is_no_number(void **state)
{
	static const char *const rows[] = {"", " ", "x", "-1", "+1", " 1", "1 ", "1x", "0x10",
		"1.0", "1,000", "1s", "9223372036854775808", "9223372036854775810",
		"18446744073709551617", "99999999999999999999999999"};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse_number(rows[i], &value))
			fail_msg("\"%s\" was taken for a number", rows[i]);
	}
}

static void reads_durations_of_each_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t expected;
	} rows[] = {{"0", 0}, {"0ms", 0}, {"500ms", 500}, {"30s", 30000}, {"30", 30000},
		{"5m", 300000}, {"2h", 7200000}, {"1d", 86400000},
		{"9223372036854775807ms", INT64_MAX},
		{"9223372036854775s", INT64_C(9223372036854775000)},
		{"9223372036854775", INT64_C(9223372036854775000)},
		{"153722867280912m", INT64_C(9223372036854720000)},
		{"2562047788015h", INT64_C(9223372036854000000)},
		{"106751991167d", INT64_C(9223372036828800000)}};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!parse_duration(rows[i].text, &ms))
			fail_msg("\"%s\" was refused", rows[i].text);
		assert_true(ms == rows[i].expected);
	}
}

static void refuses_durations_that_overflow(void **state)
{
	static const char *const rows[] = {"9223372036854775808ms", "9223372036854776s",
		"9223372036854776", "153722867280913m", "2562047788016h", "106751991168d",
		"99999999999999999999s"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse_duration(rows[i], &ms))
			fail_msg("\"%s\" was taken for a duration", rows[i]);
	}
}

static void refuses_what_is_no_duration(void **state)
{
	static const char *const rows[] = {"", "s", "ms", "-1s", "+1s", " 1s", "1s ", "1 s", "1S",
		"1sec", "1.5s", "1h30m", "1w", "1M", "1msx", "1sm", "1,s", "infinity"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse_duration(rows[i], &ms))
			fail_msg("\"%s\" was taken for a duration", rows[i]);
	}
}

static void writes_durations_in_the_largest_whole_unit(void **state)
{
	static const struct {
		int64_t ms;
		const char *expected;
	} rows[] = {{0, "0s"}, {1, "1ms"}, {999, "999ms"}, {1000, "1s"}, {1500, "1500ms"},
		{60000, "1m"}, {90000, "90s"}, {3600000, "1h"}, {5400000, "90m"}, {86400000, "1d"},
		{90000000, "25h"}, {INT64_C(2592000000), "30d"},
		{INT64_MAX, "9223372036854775807ms"}};
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(parse_format_duration(rows[i].ms, text), rows[i].expected);
}

static void written_durations_are_read_back(void **state)
{
	unsigned seed = 1;
	char text[32];
	int64_t back;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t ms = (int64_t)rand_r(&seed) << check_random(&seed, 33);

		assert_true(parse_duration(parse_format_duration(ms, text), &back));
		assert_true(back == ms);
	}
}

static void steps_through_words(void **state)
{
	static const struct {
		const char *text;
		const char *words[4];
	} rows[] = {{"", {NULL}}, {" ,\t, ", {NULL}}, {"a", {"a"}}, {"a,b", {"a", "b"}},
		{"a b\tc", {"a", "b", "c"}}, {" a ,, bc , ", {"a", "bc"}},
		{"[::1]:80;x", {"[::1]:80;x"}}};
	const char *word;
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *cursor = rows[i].text;

		for (const char *const *w = rows[i].words; *w != NULL; w++) {
			assert_true(parse_next_word(&cursor, &word, &len));
			assert_int_equal(len, strlen(*w));
			assert_memory_equal(word, *w, len);
		}
		assert_false(parse_next_word(&cursor, &word, &len));
		assert_false(parse_next_word(&cursor, &word, &len));
	}
}

static void lower_case_is_for_ascii_letters_only(void **state)
{
	char text[] = "AZaz09-.@[\xc3\x84";

	(void)state;
	parse_to_lower(text);
	assert_string_equal(text, "azaz09-.@[\xc3\x84");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lower_case_is_for_ascii_letters_only),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(refuses_what_is_no_number),
		cmocka_unit_test(reads_durations_of_each_unit),
		cmocka_unit_test(refuses_durations_that_overflow),
		cmocka_unit_test(refuses_what_is_no_duration),
		cmocka_unit_test(writes_durations_in_the_largest_whole_unit),
		cmocka_unit_test(written_durations_are_read_back),
		cmocka_unit_test(steps_through_words),
	};

	return cmocka_run_group_tests_name("base/parse", tests, NULL, NULL);
}
