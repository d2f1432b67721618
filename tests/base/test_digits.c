/* digits: decimal and hexadecimal numbers up to the edges of their types. */
#include "base/digits.h"

#include <inttypes.h>
#include <stdio.h>

#include "check.h"

static void writes_what_printf_writes(void **state)
{
	static const int64_t numbers[] = {0, 9, 10, 255, 65535, -1, -10, INT64_MAX, INT64_MIN};
	char out[DIGITS_MAX + 1], expected[DIGITS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		*digits_put(out, numbers[i]) = '\0';
		snprintf(expected, sizeof(expected), "%" PRId64, numbers[i]);
		assert_string_equal(out, expected);
	}
}

static void writes_a_byte_as_two_digits(void **state)
{
	char out[3], expected[3];

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		*digits_put_hex(out, (unsigned char)byte) = '\0';
		snprintf(expected, sizeof(expected), "%02x", byte);
		assert_string_equal(out, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_printf_writes),
		cmocka_unit_test(writes_a_byte_as_two_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
