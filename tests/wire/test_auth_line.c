/* auth_line: questions and answers about logins, as they are written and as somebody tries. */
#include "wire/auth_line.h"

#include <stdio.h>

#include "alone.h"

static const char *text_of(char character, size_t len)
{
	static char text[4096];

	assert_true(len < sizeof(text));
	memset(text, character, len);
	text[len] = '\0';
	return text;
}

static int parse_question(const uint8_t *p, size_t n)
{
	struct auth_question q;

	return auth_line_parse_question((const char *)p, n, &q);
}

static int parse_answer(const uint8_t *p, size_t n)
{
	struct auth_answer a;

	return auth_line_parse_answer((const char *)p, n, &a);
}

static void a_question_is_written_with_all_but_unreserved_bytes_coded(void **state)
{
	static const struct {
		const char *name, *password, *groups, *line; /* NULL: it is not to be asked */
	} rows[] = {
		{"alice", "s3cret", NULL, "AUTH alice s3cret\n"},
		{"alice", "s3cret", "", "AUTH alice s3cret\n"},
		{"DOM\\bob x", "%\"'=", NULL, "AUTH DOM%5cbob%20x %25%22%27%3d\n"},
		{"z\xc3\xbc", "\xff", NULL, "AUTH z%c3%bc %ff\n"},
		{"a", "b", "staff,Domain Users", "AUTH a b groups=staff,Domain%20Users\n"},
		{"", "b", NULL, NULL},
		{"a", "", NULL, NULL},
		{"a\n", "b", NULL, NULL},
		{"a", "b\x01", NULL, NULL},
		{"a\x7f", "b", NULL, NULL},
		{"a", "b", ",", NULL},
		{"a", "b", "x,", NULL},
		{"a", "b", "x,,y", NULL},
		{"a", "b", "x\ty", NULL},
	};
	char out[AUTH_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = auth_line_put_question(
			rows[i].name, rows[i].password, rows[i].groups, out, sizeof(out));

		assert_int_equal(len, rows[i].line == NULL ? 0 : strlen(rows[i].line));
		if (len > 0)
			assert_memory_equal(out, rows[i].line, len);
	}
}

static void the_longest_question_has_room_and_is_read_again(void **state)
{
	char name[AUTH_LINE_FIELD_MAX + 1], out[AUTH_LINE_MAX];
	struct auth_question q;
	size_t len;

	(void)state;
	strcpy(name, text_of(' ', AUTH_LINE_FIELD_MAX));
	len = auth_line_put_question(name, name, NULL, out, AUTH_LINE_LOGIN_MAX);
	assert_int_equal(len, AUTH_LINE_LOGIN_MAX - 1);
	assert_int_equal(auth_line_put_question(name, name, NULL, out, len), 0);
	len = auth_line_put_question(
		name, name, text_of(' ', AUTH_LINE_GROUPS_MAX), out, sizeof(out));
	assert_true(len > 0);
	assert_int_equal(auth_line_parse_question(out, len, &q), (int)len);
	assert_string_equal(q.name, name);
	assert_string_equal(q.password, name);
	assert_string_equal(q.groups, text_of(' ', AUTH_LINE_GROUPS_MAX));
	assert_int_equal(auth_line_put_question(text_of('a', AUTH_LINE_FIELD_MAX + 1), "b", NULL,
				 out, sizeof(out)),
		0);
	assert_int_equal(auth_line_put_question("a", "b", text_of('a', AUTH_LINE_GROUPS_MAX + 1),
				 out, sizeof(out)),
		0);
	assert_int_equal(auth_line_put_question("a", "b", NULL, out, 0), 0);
}

static void a_question_is_read(void **state)
{
	static const char line[] = "AUTH DOM%5Cbob p%20w x=1 groups=staff,a%20b\nAUTH";
	struct auth_question q;

	(void)state;
	assert_int_equal(auth_line_parse_question(line, sizeof(line) - 1, &q),
		(int)(strchr(line, '\n') - line) + 1);
	assert_string_equal(q.name, "DOM\\bob");
	assert_string_equal(q.password, "p w");
	assert_string_equal(q.groups, "staff,a b");
}

static void an_answer_is_written_and_read(void **state)
{
	static const struct {
		struct auth_answer answer;
		const char *line;
	} rows[] = {
		{{AUTH_OK, "", "", ""}, "OK\n"},
		{{AUTH_OK, "alice", "", ""}, "OK user=alice\n"},
		{{AUTH_OK, "alice b", "staff,x y", ""}, "OK user=alice%20b groups=staff,x%20y\n"},
		{{AUTH_OK, "", "staff", ""}, "OK groups=staff\n"},
		{{AUTH_ERR, "", "", ""}, "ERR\n"},
		{{AUTH_BH, "", "", "no helper lives"}, "BH message=no%20helper%20lives\n"},
		{{AUTH_BH, "", "", ""}, "BH\n"},
	};
	char out[AUTH_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct auth_answer *a = &rows[i].answer;
		struct auth_answer back;
		size_t len = auth_line_put_answer(a, out, sizeof(out));

		assert_int_equal(len, strlen(rows[i].line));
		assert_memory_equal(out, rows[i].line, len);
		assert_int_equal(auth_line_parse_answer(out, len, &back), (int)len);
		assert_int_equal(back.verdict, a->verdict);
		assert_string_equal(back.user, a->user);
		assert_string_equal(back.groups, a->groups);
		assert_string_equal(back.message, a->message);
	}
}

static void an_answer_with_control_bytes_or_without_room_is_not_written(void **state)
{
	static const struct auth_answer rows[] = {{AUTH_OK, "a\n", "", ""},
		{AUTH_OK, "", "a\n", ""}, {AUTH_BH, "", "", "a\n"}, {AUTH_OK, "", ",", ""}};
	char out[AUTH_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(auth_line_put_answer(&rows[i], out, sizeof(out)), 0);
	for (size_t size = 0; size <= 11; size++)
		assert_int_equal(auth_line_put_answer(
					 &(struct auth_answer){AUTH_OK, "alic", "", ""}, out, size),
			0);
}

static void malformed_lines_are_refused(void **state)
{
	static const struct message questions[] = {MESSAGE("\n"), MESSAGE("AUTH\n"),
		MESSAGE("AUTH a\n"), MESSAGE("AUTH a \n"), MESSAGE("AUTH  b\n"),
		MESSAGE("auth a b\n"), MESSAGE("AUTH a b \n"), MESSAGE("AUTH a b c\n"),
		MESSAGE("AUTH a b =c\n"), MESSAGE("AUTH a b groups=\n"),
		MESSAGE("AUTH a b groups=x,\n"), MESSAGE("AUTH a b groups=x%2cy\n"),
		MESSAGE("AUTH a b groups=x%0ay\n"), MESSAGE("AUTH a b groups=x groups=y\n"),
		MESSAGE("AUTH a b\r\n"), MESSAGE("AUTH a%00 b\n"), MESSAGE("AUTH a b%0a\n"),
		MESSAGE("AUTH a%4 b\n"), MESSAGE("AUTH a%zz b\n"), MESSAGE("AUTH a\0 b\n")};
	static const struct message answers[] = {MESSAGE("\n"), MESSAGE("ok\n"), MESSAGE("OK \n"),
		MESSAGE("OKAY\n"), MESSAGE("OK user=\n"), MESSAGE("OK user=a user=b\n"),
		MESSAGE("OK user\n"), MESSAGE("OK groups=,\n"), MESSAGE("OK user=a%0ab\n"),
		MESSAGE("ERR \n"), MESSAGE("ERR x\n"), MESSAGE("BH x\n"),
		MESSAGE("BH message=%7f\n")};

	(void)state;
	for (size_t i = 0; i < COUNT(questions); i++)
		assert_int_equal(parse_alone(parse_question, questions[i].bytes, questions[i].len),
			AUTH_LINE_MALFORMED);
	for (size_t i = 0; i < COUNT(answers); i++)
		assert_int_equal(parse_alone(parse_answer, answers[i].bytes, answers[i].len),
			AUTH_LINE_MALFORMED);
}

static void what_a_later_version_adds_is_passed_over(void **state)
{
	static const char line[] = "OK ttl=60 user=a group=x message=y\n";
	struct auth_answer a;

	(void)state;
	assert_int_equal(auth_line_parse_answer(line, strlen(line), &a), (int)strlen(line));
	assert_string_equal(a.user, "a");
	assert_string_equal(a.message, "");
	assert_int_equal(auth_line_parse_answer("ERR why=x\n", 10, &a), 10);
}

static void a_line_is_waited_for_until_it_is_too_long(void **state)
{
	static const char line[] = "AUTH alice s3cret\n";
	char longer[AUTH_LINE_MAX];

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(line); n++)
		assert_int_equal(parse_alone(parse_question, line, n), AUTH_LINE_MORE);
	memset(longer, 'a', sizeof(longer));
	assert_int_equal(parse_alone(parse_question, longer, sizeof(longer) - 1), AUTH_LINE_MORE);
	assert_int_equal(parse_alone(parse_question, longer, sizeof(longer)), AUTH_LINE_MALFORMED);
	assert_int_equal(parse_alone(parse_answer, longer, sizeof(longer)), AUTH_LINE_MALFORMED);
}

static void a_field_that_is_too_long_is_refused(void **state)
{
	char line[AUTH_LINE_MAX];
	int len;

	(void)state;
	len = sprintf(line, "AUTH %s b\n", text_of('a', AUTH_LINE_FIELD_MAX));
	assert_int_equal(parse_alone(parse_question, line, (size_t)len), len);
	len = sprintf(line, "AUTH %s b\n", text_of('a', AUTH_LINE_FIELD_MAX + 1));
	assert_int_equal(parse_alone(parse_question, line, (size_t)len), AUTH_LINE_MALFORMED);
	len = sprintf(line, "AUTH a b groups=%s,a\n", text_of('a', AUTH_LINE_GROUPS_MAX - 1));
	assert_int_equal(parse_alone(parse_question, line, (size_t)len), AUTH_LINE_MALFORMED);
	len = sprintf(line, "AUTH a b groups=%s\n", text_of('a', AUTH_LINE_GROUPS_MAX));
	assert_int_equal(parse_alone(parse_question, line, (size_t)len), len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_written_with_all_but_unreserved_bytes_coded),
		cmocka_unit_test(the_longest_question_has_room_and_is_read_again),
		cmocka_unit_test(a_question_is_read),
		cmocka_unit_test(an_answer_is_written_and_read),
		cmocka_unit_test(an_answer_with_control_bytes_or_without_room_is_not_written),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(what_a_later_version_adds_is_passed_over),
		cmocka_unit_test(a_line_is_waited_for_until_it_is_too_long),
		cmocka_unit_test(a_field_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests_name("wire/auth_line", tests, NULL, NULL);
}
