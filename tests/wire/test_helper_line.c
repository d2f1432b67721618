/* helper_line: what squid's helpers are asked, and whatever they say. */
#include "wire/helper_line.h"

#include <stdio.h>

#include "alone.h"

static void a_question_is_one_line_of_coded_words(void **state)
{
	static const struct {
		int channel;
		const char *name, *behind, *line; /* NULL: it cannot be asked */
	} rows[] = {
		{HELPER_NO_CHANNEL, "alice", "s3cret", "alice s3cret\n"},
		{0, "alice", "s3cret", "0 alice s3cret\n"},
		{255, "DOM\\bob", "a b%", "255 DOM%5cbob a%20b%25\n"},
		{HELPER_NO_CHANNEL, "a", "Domain Users", "a Domain%20Users\n"},
		{HELPER_NO_CHANNEL, "a\nb", "c", NULL},
		{HELPER_NO_CHANNEL, "a", "c\r", NULL},
		{HELPER_NO_CHANNEL, "", "c", NULL},
		{HELPER_NO_CHANNEL, "a", "", NULL},
	};
	char out[HELPER_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = helper_line_put(rows[i].channel, rows[i].name, rows[i].behind, out);

		assert_int_equal(len, rows[i].line == NULL ? 0 : strlen(rows[i].line));
		if (len > 0)
			assert_memory_equal(out, rows[i].line, len);
	}
}

static void a_question_that_does_not_fit_is_not_asked(void **state)
{
	char out[HELPER_LINE_MAX], longest[AUTH_LINE_FIELD_MAX + 1],
		group[AUTH_LINE_GROUPS_MAX + 1];
	char endless[HELPER_LINE_MAX / 3];

	(void)state;
	memset(longest, '%', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(group, ' ', sizeof(group) - 1);
	group[sizeof(group) - 1] = '\0';
	memset(endless, ' ', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_true(helper_line_put(999, longest, longest, out) > 0);
	assert_true(helper_line_put(999, longest, group, out) > 0);
	assert_int_equal(helper_line_put(999, longest, endless, out), 0);
}

struct row {
	const char *line;
	bool has_channel;
	struct helper_answer answer;
};

static void answers_of_all_ages_are_read(void **state)
{
	static const struct row rows[] = {
		{"OK\n", false, {-1, AUTH_OK, "", ""}},
		{"OK\r\n", false, {-1, AUTH_OK, "", ""}},
		{"OK \n", false, {-1, AUTH_OK, "", ""}},
		{"ERR\n", false, {-1, AUTH_ERR, "", ""}},
		{"ERR Wrong password\n", false, {-1, AUTH_ERR, "", "Wrong password"}},
		{"ERR message=\"no \\\"such\\\" user\"\n", false,
			{-1, AUTH_ERR, "", "no \"such\" user"}},
		{"BH message=\"server is down\" ttl=3\n", false,
			{-1, AUTH_BH, "", "server is down"}},
		{"BH Success\n", false, {-1, AUTH_ERR, "", "Success"}},
		{"BH Success of a kind\n", false, {-1, AUTH_BH, "", "Success of a kind"}},
		{"BH internal error\n", false, {-1, AUTH_BH, "", "internal error"}},
		{"OK user=alice%20b\n", false, {-1, AUTH_OK, "alice b", ""}},
		{"OK user=\"alice\" group=staff\n", false, {-1, AUTH_OK, "alice", ""}},
		{"OK user=50%\n", false, {-1, AUTH_OK, "50%", ""}},
		{"OK user= tag=x\n", false, {-1, AUTH_OK, "", ""}},
		{"OK tag=x user=a user=b\n", false, {-1, AUTH_OK, "a", ""}},
		{"0 OK\n", true, {0, AUTH_OK, "", ""}},
		{"17 ERR message=no\n", true, {17, AUTH_ERR, "", "no"}},
		{"1  OK  user=a\n", true, {1, AUTH_OK, "a", ""}},
		{"BH message=\"a\x01z\"\n", false, {-1, AUTH_BH, "", "a?z"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct helper_answer a;
		size_t len = strlen(rows[i].line);
		char *copy = (char *)copy_alone(rows[i].line, len);

		assert_int_equal(helper_line_parse(copy, len, rows[i].has_channel, &a), (int)len);
		assert_int_equal(a.channel, rows[i].answer.channel);
		assert_int_equal(a.verdict, rows[i].answer.verdict);
		assert_string_equal(a.user, rows[i].answer.user);
		assert_string_equal(a.message, rows[i].answer.message);
		free(copy);
	}
}

static void what_is_no_answer_is_refused(void **state)
{
	static const struct {
		const char *line;
		bool has_channel;
	} rows[] = {{"\n", false}, {"OKAY\n", false}, {"ok\n", false}, {"TT x\n", false},
		{"0 OK\n", false}, {"OK\n", true}, {"x OK\n", true}, {"-1 OK\n", true},
		{"1\n", true}, {"1234567 OK\n", true}, {"OK user=\"alice\n", false},
		{"OK user=\"alice\\\n", false}, {"OK user=\"a\"b\n", false},
		{"OK user=a%0ab\n", false}, {"OK user=\"a\tb\"\n", false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct helper_answer a;
		size_t len = strlen(rows[i].line);
		char *copy = (char *)copy_alone(rows[i].line, len);

		assert_int_equal(helper_line_parse(copy, len, rows[i].has_channel, &a),
			HELPER_LINE_MALFORMED);
		free(copy);
	}
}

static void a_line_is_waited_for_until_it_is_too_long(void **state)
{
	static const char line[] = "17 OK user=alice\n";
	char longer[HELPER_LINE_MAX];
	struct helper_answer a;

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(line); n++)
		assert_int_equal(helper_line_parse(line, n, true, &a), HELPER_LINE_MORE);
	memset(longer, 'a', sizeof(longer));
	assert_int_equal(helper_line_parse(longer, sizeof(longer) - 1, true, &a), HELPER_LINE_MORE);
	assert_int_equal(
		helper_line_parse(longer, sizeof(longer), true, &a), HELPER_LINE_MALFORMED);
}

static void a_long_user_is_refused_and_a_long_message_cut(void **state)
{
	char line[1024], name[AUTH_LINE_FIELD_MAX + 2];
	struct helper_answer a;
	int len;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	len = snprintf(line, sizeof(line), "OK user=%s\n", name);
	assert_int_equal(helper_line_parse(line, (size_t)len, false, &a), HELPER_LINE_MALFORMED);
	len = snprintf(line, sizeof(line), "OK user=%s\n", name + 1);
	assert_int_equal(helper_line_parse(line, (size_t)len, false, &a), len);
	len = snprintf(line, sizeof(line), "ERR message=%s\n", name);
	assert_int_equal(helper_line_parse(line, (size_t)len, false, &a), len);
	assert_string_equal(a.message, name + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_one_line_of_coded_words),
		cmocka_unit_test(a_question_that_does_not_fit_is_not_asked),
		cmocka_unit_test(answers_of_all_ages_are_read),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(a_line_is_waited_for_until_it_is_too_long),
		cmocka_unit_test(a_long_user_is_refused_and_a_long_message_cut),
	};

	return cmocka_run_group_tests_name("wire/helper_line", tests, NULL, NULL);
}
