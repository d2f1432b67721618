/* percent: %XX for bytes, and bytes for %XX. */
#include "base/percent.h"

#include "check.h"

static void all_but_unreserved_bytes_are_coded(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *coded;
	} rows[] = {{"", 0, ""}, {"Az09-._~", 8, "Az09-._~"}, {"a b", 3, "a%20b"},
		{"%,=\"'\\", 6, "%25%2c%3d%22%27%5c"}, {"\0\n\x7f", 3, "%00%0a%7f"},
		{"z\xc3\xbc", 3, "z%c3%bc"}, {"+/@:", 4, "%2b%2f%40%3a"}};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		*percent_put(out, rows[i].bytes, rows[i].len) = '\0';
		assert_string_equal(out, rows[i].coded);
	}
}

static void what_is_coded_is_decoded(void **state)
{
	static const struct {
		const char *coded, *plain; /* NULL: it is malformed */
	} rows[] = {{"", ""}, {"a%20b", "a b"}, {"%41%6a%2B+", "Aj++"}, {"%c3%bc", "\xc3\xbc"},
		{"%", NULL}, {"%4", NULL}, {"a%4g", NULL}, {"%g4", NULL}, {"1234567", "1234567"},
		{"12345678", NULL}, {"%31%32%33%34%35%36%37", "1234567"}};
	char out[8];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int len = percent_decode(rows[i].coded, strlen(rows[i].coded), out, sizeof(out));

		assert_int_equal(len, rows[i].plain == NULL ? -1 : (int)strlen(rows[i].plain));
		if (len >= 0)
			assert_string_equal(out, rows[i].plain);
	}
	assert_int_equal(percent_decode("", 0, out, 0), -1);
}

static void any_byte_comes_back(void **state)
{
	char bytes[256], coded[3 * 256], back[257];
	int len;

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	len = percent_decode(coded, (size_t)(percent_put(coded, bytes, 256) - coded), back, 257);
	assert_int_equal(len, 256);
	assert_memory_equal(back, bytes, 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_but_unreserved_bytes_are_coded),
		cmocka_unit_test(what_is_coded_is_decoded),
		cmocka_unit_test(any_byte_comes_back),
	};

	return cmocka_run_group_tests_name("base/percent", tests, NULL, NULL);
}
