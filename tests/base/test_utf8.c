/* utf8: every character there is, and everything that is none. */
#include "base/utf8.h"

#include "check.h"

/* The bytes of `c`, as RFC 3629 section 3 puts them together. */
static size_t encode(unsigned c, unsigned char out[4])
{
	if (c < 0x80) {
		out[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (unsigned char)(0xc0 | c >> 6);
		out[1] = (unsigned char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (unsigned char)(0xe0 | c >> 12);
		out[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | c >> 18);
	out[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (c & 0x3f));
	return 4;
}

static bool is_surrogate(unsigned c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

static void knows_every_character(void **state)
{
	unsigned char bytes[4];

	(void)state;
	for (unsigned c = 0; c <= 0x10ffff; c++) {
		size_t len = encode(c, bytes);

		assert_int_equal(utf8_length(bytes, len), is_surrogate(c) ? 0 : len);
		assert_int_equal(utf8_length(bytes, len - 1), 0);
	}
	assert_int_equal(utf8_length(bytes, encode(0x110000, bytes)), 0);
}

/* Each pair of bytes is one of two characters, or a character of two bytes, or begins with none. */
static void knows_every_pair(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		for (unsigned second = 0; second < 256; second++) {
			unsigned char bytes[2] = {(unsigned char)first, (unsigned char)second};
			size_t expected = 0;

			if (first < 0x80)
				expected = 1;
			else if (first >= 0xc2 && first <= 0xdf && (second & 0xc0) == 0x80)
				expected = 2;
			assert_int_equal(utf8_length(bytes, 2), expected);
		}
	}
}

static void tells_controls(void **state)
{
	static const struct {
		unsigned character;
		bool control;
	} rows[] = {{0, true}, {0x1b, true}, {0x1f, true}, {' ', false}, {'~', false}, {0x7f, true},
		{0x80, true}, {0x9b, true}, {0x9f, true}, {0xa0, false}, {0xfc, false},
		{0x20ac, false}, {0x1f600, false}};
	unsigned char bytes[4];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = encode(rows[i].character, bytes);

		assert_int_equal(utf8_is_control(bytes, len), rows[i].control);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_every_character),
		cmocka_unit_test(knows_every_pair),
		cmocka_unit_test(tells_controls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
