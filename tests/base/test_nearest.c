/* nearest: what counts as near, and which word wins. */
#include "base/nearest.h"

#include <string.h>

#include "check.h"

static const char *const words[] = {"port", "max_sessions", "max_sessions_per_client", "timeout",
	"connect_timeout", "log_level", "STATS", "CONNECTIONS", "auto", "no", "yes"};

static const char *guess(const char *typed)
{
	struct nearest n = nearest_to(typed, strlen(typed));

	for (size_t i = 0; i < COUNT(words); i++)
		nearest_try(&n, words[i]);
	return n.word;
}

static void finds_what_was_meant(void **state)
{
	static const struct {
		const char *typed, *meant;
	} rows[] = {
		{"prot", "port"}, /* two letters changed places */
		{"por", "port"},
		{"pport", "port"},
		{"pert", "port"},
		{"PORT", "port"},
		{"max-session", "max_sessions"},
		{"maxsessions", "max_sessions"},
		{"max_conections", NULL},
		{"max_ses", "max_sessions"}, /* the first of two that begin so */
		{"timout", "timeout"},
		{"conect-timeout", "connect_timeout"},
		{"loglevel", "log_level"},
		{"stat", "STATS"},
		{"conn", "connect_timeout"},
		{"co", NULL},
		{"ye", "yes"},
		{"on", NULL},
		{"n", NULL},
		{"", NULL},
		{"colour", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *found = guess(rows[i].typed);

		if (found != rows[i].meant &&
			(found == NULL || rows[i].meant == NULL ||
				strcmp(found, rows[i].meant) != 0))
			fail_msg("%s: %s", rows[i].typed, found == NULL ? "nothing" : found);
	}
}

static void what_is_typed_ends_where_it_is_said_to(void **state)
{
	struct nearest n = nearest_to("prot=secret", 4);

	(void)state;
	nearest_try(&n, "port");
	assert_string_equal(n.word, "port");
}

static void words_of_any_length_are_no_danger(void **state)
{
	char longest[NEAREST_WORD_MAX + 1], longer[NEAREST_WORD_MAX + 2];
	struct nearest n;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[NEAREST_WORD_MAX] = '\0';
	memset(longer, 'x', sizeof(longer));
	longer[NEAREST_WORD_MAX + 1] = '\0';
	n = nearest_to(longest, NEAREST_WORD_MAX);
	nearest_try(&n, longer);
	assert_null(n.word);
	nearest_try(&n, longest);
	assert_ptr_equal(n.word, longest);
	n = nearest_to(longer, NEAREST_WORD_MAX + 1);
	nearest_try(&n, longest);
	assert_null(n.word);
}

static void the_hint_is_a_question_or_nothing(void **state)
{
	char out[NEAREST_HINT_MAX];
	struct nearest n = nearest_to("prot", 4);

	(void)state;
	assert_string_equal(nearest_hint(&n, "--", out), "");
	nearest_try(&n, "port");
	assert_string_equal(nearest_hint(&n, "", out), "; did you mean port?");
	assert_string_equal(nearest_hint(&n, "--", out), "; did you mean --port?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_meant),
		cmocka_unit_test(what_is_typed_ends_where_it_is_said_to),
		cmocka_unit_test(words_of_any_length_are_no_danger),
		cmocka_unit_test(the_hint_is_a_question_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
