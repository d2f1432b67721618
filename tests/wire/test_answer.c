/* answer: where a reply ends, and what it consists of. */
#include "wire/answer.h"

#include "answers.h"

static void ends_with_the_first_empty_line(void **state)
{
	static const struct {
		const char *bytes;
		size_t end;
	} rows[] = {
		{"", 0},
		{"OK\n", 0},
		{"OK\n\n", 4},
		{"OK\n\nOK\n\n", 4},
		{"OK\r\n\r\n", 6},
		{"OK\na:1\n", 0},
		{"OK\na:1\n\n", 8},
		{"OK\n \n\n", 6},
		{"OK\n\r\r\n\n", 7},
		{"\n", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = strlen(rows[i].bytes);

		assert_int_equal(answer_find_end(rows[i].bytes, n, 0), rows[i].end);
	}
}

static void finds_the_end_wherever_it_went_on_looking(void **state)
{
	const char *bytes = "OK a\r\nb:1\r\n\r\n";
	size_t n = strlen(bytes);

	(void)state;
	for (size_t from = 0; from < n; from++) {
		assert_int_equal(answer_find_end(bytes, from, 0), 0);
		assert_int_equal(answer_find_end(bytes, n, from), n);
	}
}

static void takes_status_message_and_lines_apart(void **state)
{
	struct answer r = answer_of("OK Welcome alice\r\na:1\r\nb c:2\n\nrest");

	(void)state;
	assert_true(r.ok);
	assert_line(r.status, "OK Welcome alice");
	assert_line(r.message, "Welcome alice");
	assert_int_equal(r.count, 2);
	assert_line(r.lines[0], "a:1");
	assert_line(r.lines[1], "b c:2");
	answer_free(&r);
	r = answer_of("ERR");
	assert_false(r.ok);
	assert_line(r.message, "");
	assert_int_equal(r.count, 0);
	answer_free(&r);
	answer_free(&r);
}

static void refuses_what_is_neither_ok_nor_err(void **state)
{
	static const char *const bytes[] = {"", "\n", "OKAY\n\n", "ok\n\n", "HTTP/1.1 400\n\n"};
	struct answer r;

	(void)state;
	for (size_t i = 0; i < COUNT(bytes); i++)
		assert_int_equal(answer_parse(bytes[i], strlen(bytes[i]), &r), -1);
}

static void keeps_every_byte_of_a_line(void **state)
{
	struct answer r = answer_of_bytes("OK\na\0b\xff\n\n", 10);

	(void)state;
	assert_int_equal(r.lines[0].len, 4);
	assert_memory_equal(r.lines[0].text, "a\0b\xff", 4);
	answer_free(&r);
}

static void prints_no_control_bytes(void **state)
{
	struct answer r = answer_of_bytes("OK \x1b[2J\na\0\x7f\tä\n\n", 15);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	answer_print(out, &r);
	fclose(out);
	assert_string_equal(text, "OK \\x1b[2J\na\\x00\\x7f\\x09ä\n");
	free(text);
	answer_free(&r);
}

/* C1 controls too, as one byte or as UTF-8 has them; and what is not valid is shown as what it is.
 */
static void prints_no_c1_controls(void **state)
{
	struct answer r = answer_of_bytes("OK \x9b"
					  "2J \xc2\x9b"
					  "2J\nz\xfc z\xc3\xbc\n\n",
		20);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	answer_print(out, &r);
	fclose(out);
	assert_string_equal(text, "OK \\x9b2J \\xc2\\x9b2J\nz\\xfc z\xc3\xbc\n");
	free(text);
	answer_free(&r);
}

/* Wherever the pieces end that it is escaped in. */
static void prints_long_lines_whole(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 8; shift++) {
		char bytes[4096] = "OK\n", *end = bytes + 3, *text = NULL;
		struct answer r;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		for (size_t i = 0; i < shift; i++)
			*end++ = 'x';
		for (size_t i = 0; i < 400; i++)
			end = stpcpy(end, i % 2 == 0 ? "\xe2\x82\xac" : "\xf0\x9f\x98\x80");
		stpcpy(end, "\n\n");
		r = answer_of(bytes);
		answer_print(out, &r);
		fclose(out);
		*++end = '\0';
		assert_string_equal(text, bytes);
		free(text);
		answer_free(&r);
	}
}

static void fields_divide_at_the_first_colon(void **state)
{
	struct answer r =
		answer_of("OK\nid:7 word client:[::1]:80 empty: :x\nserver uptime:2s\n\n");
	struct monitor_line rest = r.lines[0], value;
	struct answer_field f;

	(void)state;
	assert_true(answer_next_field(&rest, &f));
	assert_line(f.name, "id");
	assert_line(f.value, "7");
	assert_true(answer_next_field(&rest, &f));
	assert_line(f.name, "client");
	assert_line(f.value, "[::1]:80");
	assert_true(answer_next_field(&rest, &f));
	assert_line(f.value, "");
	assert_true(answer_next_field(&rest, &f));
	assert_line(f.name, "");
	assert_false(answer_next_field(&rest, &f));
	assert_true(answer_find(&r.lines[0], "client", &value));
	assert_line(value, "[::1]:80");
	assert_false(answer_find(&r.lines[0], "cli", &value));
	assert_true(answer_split(&r.lines[1], &f));
	assert_line(f.name, "server uptime");
	assert_false(answer_split(&r.message, &f));
	answer_free(&r);
}

static void numbers_have_at_most_15_digits(void **state)
{
	static const struct {
		const char *text;
		long long number; /* -1: it is none */
	} rows[] = {{"0", 0}, {"7", 7}, {"999999999999999", 999999999999999},
		{"1000000000000000", -1}, {"", -1}, {"-", -1}, {"-1", -1}, {"007", -1}, {"1s", -1},
		{"1.5", -1}, {" 1", -1}};
	long long number;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct monitor_line text = {rows[i].text, strlen(rows[i].text)};
		bool is_number = answer_number(&text, &number);

		assert_int_equal(is_number, rows[i].number >= 0);
		if (is_number)
			assert_int_equal(number, rows[i].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_with_the_first_empty_line),
		cmocka_unit_test(finds_the_end_wherever_it_went_on_looking),
		cmocka_unit_test(takes_status_message_and_lines_apart),
		cmocka_unit_test(refuses_what_is_neither_ok_nor_err),
		cmocka_unit_test(keeps_every_byte_of_a_line),
		cmocka_unit_test(prints_no_control_bytes),
		cmocka_unit_test(prints_no_c1_controls),
		cmocka_unit_test(prints_long_lines_whole),
		cmocka_unit_test(fields_divide_at_the_first_colon),
		cmocka_unit_test(numbers_have_at_most_15_digits),
	};

	return cmocka_run_group_tests_name("wire/answer", tests, NULL, NULL);
}
