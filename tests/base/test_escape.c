/* escape: one printable word from any bytes, and back. */
#include "base/escape.h"

#include "check.h"

static void escapes_what_is_no_part_of_a_word(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool is_name;
		const char *expected;
	} rows[] = {
		{"", 0, false, ""}, {"www.example.org", 15, true, "www.example.org"},
		{"a b\tc\n", 6, false, "a\\x20b\\x09c\\x0a"}, {"\0\x7f", 2, false, "\\x00\\x7f"},
		{"back\\slash", 10, false, "back\\x5cslash"}, {"z\xc3\xbc", 3, false, "z\xc3\xbc"},
		{"z\xc3\xbc", 3, true, "z\\xc3\\xbc"},
		{"\x1b[2J\xc2\x9b", 6, true, "\\x1b[2J\\xc2\\x9b"},
		{"\xc2\x9b", 2, false, "\\xc2\\x9b"}, /* CSI as a C1 control */
		{"\x9b"
		 "2J",
			3, false,
			"\\x9b2J"}, /* and as a terminal of one byte a character takes it */
		{"\xc2\xa0\xc2\x80", 4, false, "\xc2\xa0\\xc2\\x80"},
		{"$(id>x)", 7, true, "\\x24\\x28id\\x3ex\\x29"}, /* a shell's */
		{"`;&|<\"'", 7, true, "\\x60\\x3b\\x26\\x7c\\x3c\\x22\\x27"},
		{"o'brien", 7, false, "o'brien"}, /* a user's */
		{"z\xfc", 2, false, "z\\xfc"}, /* Latin-1 */
		{"\xe2\x82", 2, false, "\\xe2\\x82"}, /* cut */
		{"\xe2\x82\xac\xf0\x9f\x98\x80", 7, false, "\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"\xc0\xaf\xed\xa0\x80", 5, false,
			"\\xc0\\xaf\\xed\\xa0\\x80"}, /* overlong, surrogate */
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal((rows[i].is_name ? escape_name : escape_word)(
					    rows[i].bytes, rows[i].len, out, sizeof(out)),
			rows[i].expected);
}

static void a_line_keeps_its_blanks_and_backslashes(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(escape_line("ERR a\\x20b \x1b[31m\x9b z\xc3\xbc", 21, out, sizeof(out)),
		"ERR a\\x20b \\x1b[31m\\x9b z\xc3\xbc");
}

static void never_writes_more_than_there_is_room_for(void **state)
{
	char out[8];

	(void)state;
	for (size_t size = 1; size <= sizeof(out); size++) {
		memset(out, '#', sizeof(out));
		escape_word("a b cdefgh", 10, out, size);
		assert_true(strlen(out) < size);
		/* A sequence is there whole or not at all. */
		assert_true(strchr(out, '\\') == NULL || strstr(out, "\\x20") != NULL);
		for (size_t i = size; i < sizeof(out); i++)
			assert_int_equal(out[i], '#');
	}
}

static void decoding_gives_the_bytes_back(void **state)
{
	unsigned seed = 1;
	char bytes[40], text[4 * sizeof(bytes) + 1] = "";

	(void)state;
	for (int round = 0; round < 1000; round++) {
		size_t len = check_random(&seed, sizeof(bytes));

		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)check_random(&seed, 256);
		(round % 2 == 0 ? escape_name : escape_word)(bytes, len, text, sizeof(text));
		assert_null(strpbrk(text, " \t\r\n"));
		assert_int_equal(escape_decode(text, strlen(text), text), len);
		assert_memory_equal(text, bytes, len);
	}
}

static void what_is_no_sequence_stays(void **state)
{
	static const struct {
		const char *text, *plain;
	} rows[] = {{"plain", "plain"}, {"a\\x20b", "a b"}, {"\\x5cx20", "\\x20"},
		{"\\x5C\\xfF", "\\\xff"}, {"\\x2", "\\x2"}, {"\\x", "\\x"}, {"\\", "\\"},
		{"\\xg0", "\\xg0"}, {"\\X20", "\\X20"}, {"", ""}};
	char plain[32];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = escape_decode(rows[i].text, strlen(rows[i].text), plain);

		assert_int_equal(len, strlen(rows[i].plain));
		assert_memory_equal(plain, rows[i].plain, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_what_is_no_part_of_a_word),
		cmocka_unit_test(a_line_keeps_its_blanks_and_backslashes),
		cmocka_unit_test(never_writes_more_than_there_is_room_for),
		cmocka_unit_test(decoding_gives_the_bytes_back),
		cmocka_unit_test(what_is_no_sequence_stays),
	};

	return cmocka_run_group_tests_name("base/escape", tests, NULL, NULL);
}
