/* shared_record: what is a record and what is none, whose word outranks whose. */
#include "state/shared_record.h"

#include <stdio.h>

#include "../base/check.h"
#include "cheap.h"
#include "state/limits.h"
#include "state/shared_users.h"

static struct shared_record parse(const char *text)
{
	struct shared_record r;

	assert_null(shared_record_parse(text, &r));
	return r;
}

static void a_record_is_read_and_written_as_it_was(void **state)
{
	static const char *const rows[] = {
		"1 a $2b$x:",
		"1752576039000 node-1.example $2b$x:sessions=5 rate=2Mbit",
		"7 a helper:groups=a:b",
		"7 a -",
		"4503599627370496 a -",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct shared_record r = parse(rows[i]);
		char *text = shared_record_format(&r);

		assert_string_equal(text, rows[i]);
		free(text);
	}
	assert_string_equal(parse("7 a helper:groups=a:b").attributes, "groups=a:b");
	assert_true(parse("7 a -").is_deleted);
	assert_false(parse("7 a -:").is_deleted);
}

static void what_has_not_the_form_is_none(void **state)
{
	static const char *const rows[] = {
		"",
		"1",
		"1 ",
		"1 a",
		"1 a ",
		"x a -",
		"-1 a -",
		" 1 a -",
		"+1 a -",
		"10000000000000000000 a -", /* 20 digits */
		"1  -",
		"1 a hash-without-an-end",
	};
	char text[1024];
	struct shared_record r;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_non_null(shared_record_parse(rows[i], &r));
	snprintf(text, sizeof(text), "1 %0*d -", CLUSTER_NODE_MAX, 0);
	assert_non_null(shared_record_parse(text, &r));
	snprintf(text, sizeof(text), "1 a %0*d:", PASSWORD_HASH_SIZE, 0);
	assert_non_null(shared_record_parse(text, &r));
}

static void the_higher_version_outranks_and_then_the_later_name(void **state)
{
	static const struct {
		const char *one, *other;
		bool outranks;
	} rows[] = {
		{"2 a -", "1 b -", true},
		{"1 b -", "2 a -", false},
		{"10 a -", "9 a -", true},
		{"1 b -", "1 a -", true},
		{"1 a -", "1 b -", false},
		{"1 a -", "1 a x:", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct shared_record one = parse(rows[i].one), other = parse(rows[i].other);

		assert_int_equal(shared_record_outranks(&one, &other), rows[i].outranks);
	}
}

/* As the users file does; H stands for a hash. */
static void what_cannot_be_a_user_is_refused(void **state)
{
	static const struct {
		const char *name, *text;
		bool is_legal;
	} rows[] = {
		{"alice", "1 a H:", true},
		{"alice", "1 a H:sessions=5 groups=x,y", true},
		{"alice", "1 a helper:", true},
		{"alice", "1 a -", true},
		{"alice", "4503599627370496 a -", true},
		{"alice", "4503599627370497 a -", false},
		{"Alice", "1 a helper:", false},
		{"al ice", "1 a H:", false},
		{"10.0.0.1", "1 a -", false},
		{"", "1 a H:", false},
		{"@a", "1 a H:", false},
		{"alice", "1 a secret:", false},
		{"alice", "1 a :", false},
		{"alice", "1 a H:sessions=many", false},
		{"alice", "1 a H:role=admin", false},
		{"alice", "1 a H:admin", false},
		{"alice", "1 a H:groups=a\nroot", false},
	};
	char hash[PASSWORD_HASH_SIZE], text[PASSWORD_HASH_SIZE + 128], problem[LIMITS_ERROR_MAX];

	(void)state;
	cheap_hash("secret", hash);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *place = strstr(rows[i].text, "H:");
		struct shared_record r;

		snprintf(text, sizeof(text), "%s", rows[i].text);
		if (place != NULL)
			snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - rows[i].text),
				rows[i].text, hash, place + 1);
		r = parse(text);
		assert_int_equal(
			shared_record_problem(&r, rows[i].name, problem) == NULL, rows[i].is_legal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_and_written_as_it_was),
		cmocka_unit_test(what_has_not_the_form_is_none),
		cmocka_unit_test(the_higher_version_outranks_and_then_the_later_name),
		cmocka_unit_test(what_cannot_be_a_user_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
