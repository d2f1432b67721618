/* text and plot: what fits into so many columns, and how high a bar is. */
#include "client/text.h"

#include <locale.h>

#include "../base/check.h"
#include "client/plot.h"

static void assert_fit(const char *text, int columns, const char *expected)
{
	char out[64];

	assert_string_equal(text_fit(text, columns, out, sizeof(out)), expected);
}

static void fills_and_cuts_to_the_columns(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C.UTF-8");
	assert_fit("", 0, "");
	assert_fit("", 3, "   ");
	assert_fit("abc", 3, "abc");
	assert_fit("abc", 5, "abc  ");
	assert_fit("abcd", 3, "ab~");
	assert_fit("abcd", 1, "~");
	assert_fit("abcd", 0, "");
}

static void counts_columns_and_not_bytes(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C.UTF-8");
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("aä名"), 4);
	assert_fit("äöü", 4, "äöü ");
	assert_fit("äöüß", 3, "äö~");
	assert_fit("名前", 4, "名前");
	assert_fit("名前", 3, "名~");
	assert_fit("名前", 2, "~ ");
	assert_fit("名前x", 4, "名~ ");
}

static void shows_nothing_that_could_move_the_cursor(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C.UTF-8");
	assert_fit("a\x1b[2Jb", 6, "a?[2Jb");
	assert_fit("\xff\xc3", 3, "?? ");
	assert_fit("e\xcc\x81", 3, "e? "); /* a combining accent */
	assert_fit("\xc2\x9b"
		   "x",
		3, "?x "); /* CSI in one character */
}

static void shows_ascii_where_the_locale_has_no_more(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C");
	assert_fit("a\xc3\xa4", 4, "a?? ");
}

static void stays_within_its_memory(void **state)
{
	char out[8];

	(void)state;
	setlocale(LC_ALL, "C.UTF-8");
	assert_string_equal(text_fit("abcdefghijkl", 20, out, sizeof(out)), "abcdefg");
	assert_string_equal(text_fit("名前名前", 20, out, sizeof(out)), "名前 ");
	assert_string_equal(text_fit("abc", 20, out, sizeof(out)), "abc    ");
}

static void amounts_take_five_columns(void **state)
{
	static const struct {
		double bytes;
		const char *text;
	} rows[] = {{-1, "-"}, {0, "0"}, {0.4, "0"}, {999, "999"}, {999.4, "999"}, {999.5, "1.0k"},
		{1000, "1.0k"}, {9940, "9.9k"}, {9960, "10k"}, {999499, "999k"}, {999500, "1.0M"},
		{1234567, "1.2M"}, {9e15, "9.0P"}, {1e18, "1.0E"}, {9e18, "9.0E"}};
	char out[16];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(text_amount(rows[i].bytes, out), rows[i].text);
}

static void durations_take_six_columns(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {{-1, "-"}, {0, "0s"}, {59, "59s"}, {60, "1m00s"}, {3599, "59m59s"},
		{3600, "1h00m"}, {86399, "23h59m"}, {86400, "1d"}, {99 * 86400 + 5, "99d"}};
	char out[24];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(text_duration(rows[i].seconds, out), rows[i].text);
}

static void plots_end_at_a_round_number(void **state)
{
	static const double rows[][2] = {{0, 1000}, {1000, 1000}, {1001, 2000}, {2001, 5000},
		{5001, 10000}, {10001, 20000}, {3e9, 5e9}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_true(plot_ceiling(rows[i][0]) == rows[i][1]);
}

static void bars_fill_their_cells_from_below(void **state)
{
	static const struct {
		double value;
		int lower, upper; /* of two rows of 8 steps */
	} rows[] = {{-1, 0, 0}, {0, 0, 0}, {0.001, 1, 0}, {50, 8, 0}, {62.5, 8, 2}, {100, 8, 8},
		{1000, 8, 8}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(plot_fill(rows[i].value, 100, 2, 0, 8), rows[i].lower);
		assert_int_equal(plot_fill(rows[i].value, 100, 2, 1, 8), rows[i].upper);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_and_cuts_to_the_columns),
		cmocka_unit_test(counts_columns_and_not_bytes),
		cmocka_unit_test(shows_nothing_that_could_move_the_cursor),
		cmocka_unit_test(shows_ascii_where_the_locale_has_no_more),
		cmocka_unit_test(stays_within_its_memory),
		cmocka_unit_test(amounts_take_five_columns),
		cmocka_unit_test(durations_take_six_columns),
		cmocka_unit_test(plots_end_at_a_round_number),
		cmocka_unit_test(bars_fill_their_cells_from_below),
	};

	return cmocka_run_group_tests_name("client/text", tests, NULL, NULL);
}
