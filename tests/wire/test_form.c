/* form: forms, queries, cookies and lists of words, as they come and as somebody tries. */
#include "wire/form.h"

#include "../base/check.h"

static struct http_slice slice(const char *text)
{
	return (struct http_slice){.text = text, .len = strlen(text)};
}

static void a_target_is_divided_at_its_first_question_mark(void **state)
{
	static const char *const rows[][3] = {{"/a?b=c", "/a", "b=c"}, {"/a", "/a", ""},
		{"/a?", "/a", ""}, {"?x?y", "", "x?y"}, {"", "", ""}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_slice target = slice(rows[i][0]), path, query;

		form_split_target(&target, &path, &query);
		assert_true(http_equals(&path, rows[i][1]));
		assert_true(http_equals(&query, rows[i][2]));
	}
}

static void values_are_decoded(void **state)
{
	static const struct {
		const char *coded, *plain; /* NULL: it is malformed */
	} rows[] = {{"a+b%20c", "a b c"}, {"%41%6a%2B", "Aj+"}, {"%c3%a4", "\xc3\xa4"}, {"", ""},
		{"%", NULL}, {"%4", NULL}, {"%4g", NULL}, {"%00", NULL}, {"12345678", NULL},
		{"1234567", "1234567"}};
	char out[8];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_slice s = slice(rows[i].coded);
		int len = form_decode(&s, out, sizeof(out));

		assert_int_equal(len, rows[i].plain == NULL ? -1 : (int)strlen(rows[i].plain));
		if (len >= 0)
			assert_string_equal(out, rows[i].plain);
	}
}

static void a_value_is_found_by_its_name(void **state)
{
	struct http_slice form = slice("a=1&&b=x%3Dy&a=2&c&=d");
	char out[16];

	(void)state;
	assert_int_equal(form_find(&form, "a", out, sizeof(out)), 1);
	assert_string_equal(out, "1");
	assert_int_equal(form_find(&form, "b", out, sizeof(out)), 3);
	assert_string_equal(out, "x=y");
	assert_int_equal(form_find(&form, "c", out, sizeof(out)), 0);
	assert_int_equal(form_find(&form, "d", out, sizeof(out)), -1);
}

static void values_of_one_name_are_taken_in_their_order(void **state)
{
	struct http_slice form = slice("arg=alice&x=y&arg=a+b&arg=");
	const char *words[3];
	char memory[16];

	(void)state;
	assert_int_equal(form_find_all(&form, "arg", memory, sizeof(memory), words, 3), 3);
	assert_string_equal(words[0], "alice");
	assert_string_equal(words[1], "a b");
	assert_string_equal(words[2], "");
	assert_int_equal(form_find_all(&form, "arg", memory, sizeof(memory), words, 2), -1);
	assert_int_equal(form_find_all(&form, "arg", memory, 9, words, 3), -1);
	assert_int_equal(form_find_all(&form, "none", memory, sizeof(memory), words, 3), 0);
}

static void a_cookie_is_found_among_others(void **state)
{
	static const struct {
		const char *fields, *value;
	} rows[] = {{"Cookie: s=1\r\n\r\n", "1"}, {"Cookie: a=b; s=1;c=d\r\n\r\n", "1"},
		{"Cookie: a=b\r\nX: y\r\ncookie: s=2\r\n\r\n", "2"},
		{"Cookie: xs=1; ss=3\r\n\r\n", NULL}, {"X: s=1\r\n\r\n", NULL},
		{"Cookie: s\r\n\r\n", NULL}, {"Cookie: s=\r\n\r\n", ""}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_slice fields = slice(rows[i].fields), value;
		bool found = form_find_cookie(&fields, "s", &value);

		if (found != (rows[i].value != NULL) ||
			(found && !http_equals(&value, rows[i].value)))
			fail_msg("%s", rows[i].fields);
	}
}

static void words_are_read_from_json(void **state)
{
	static const struct {
		const char *json;
		int count;
		const char *first;
	} rows[] = {{"[]", 0, NULL}, {" [ ] ", 0, NULL}, {"[\"a b\"]", 1, "a b"},
		{"[\"a\",\n 12, -1.5e3]", 3, "a"}, {"[12]", 1, "12"},
		{"[\"\\\"\\\\\\/\\u0041\\u00e4\"]", 1, "\"\\/A\xc3\xa4"},
		{"[\"\\ud83d\\ude00\"]", 1, "\xf0\x9f\x98\x80"},
		{"[\"\\u20ac\"]", 1, "\xe2\x82\xac"}, {"", -1, NULL}, {"[", -1, NULL},
		{"[\"a\"", -1, NULL}, {"[\"a\",]", -1, NULL}, {"[,\"a\"]", -1, NULL},
		{"[\"a\" \"b\"]", -1, NULL}, {"[\"a]", -1, NULL}, {"[\"\\u0000\"]", -1, NULL},
		{"[\"\\ud83d\"]", -1, NULL}, {"[\"\\ude00\"]", -1, NULL}, {"[\"\\x\"]", -1, NULL},
		{"[\"\\u12g4\"]", -1, NULL}, {"[\"a\nb\"]", -1, NULL}, {"[true]", -1, NULL},
		{"[null]", -1, NULL}, {"[[]]", -1, NULL}, {"{\"a\":1}", -1, NULL},
		{"[\"a\"] x", -1, NULL}, {"[1,2,3,4]", -1, NULL},
		{"[\"12345678901234567890123456789012\"]", -1, NULL}};
	const char *words[3];
	char memory[32];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_slice text = slice(rows[i].json);
		int count = form_read_json(&text, memory, sizeof(memory), words, 3);

		if (count != rows[i].count)
			fail_msg("%s: %d", rows[i].json, count);
		if (count > 0)
			assert_string_equal(words[0], rows[i].first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_is_divided_at_its_first_question_mark),
		cmocka_unit_test(values_are_decoded),
		cmocka_unit_test(a_value_is_found_by_its_name),
		cmocka_unit_test(values_of_one_name_are_taken_in_their_order),
		cmocka_unit_test(a_cookie_is_found_among_others),
		cmocka_unit_test(words_are_read_from_json),
	};

	return cmocka_run_group_tests_name("wire/form", tests, NULL, NULL);
}
