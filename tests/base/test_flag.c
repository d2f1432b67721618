/* flag: what getopt is told of flags, and what users are. */
#include "base/flag.h"

#include <string.h>

#include "check.h"

enum { WITHOUT_LETTER = 1, BEHIND_LETTERS = 256 };

static const struct flag flags[] = {
	{'h', "help", NULL, "this help"},
	{'c', "config", "FILE", "where the settings are, each in a line of its own, which win"},
	{WITHOUT_LETTER, "doctor", NULL, "look"},
	{BEHIND_LETTERS, "explain", "'a long question with blanks'", "say why"},
};

static void getopt_is_told_of_letters_and_names(void **state)
{
	struct option longs[COUNT(flags) + 1] = {{NULL, 0, NULL, 0}};
	char letters[FLAG_LETTERS_MAX * COUNT(flags) + 2] = ":";

	(void)state;
	flag_add_options(flags, COUNT(flags), longs, letters);
	assert_string_equal(letters, ":hc:");
	for (size_t i = 0; i < COUNT(flags); i++) {
		assert_string_equal(longs[i].name, flags[i].name);
		assert_int_equal(longs[i].val, flags[i].code);
		assert_int_equal(
			longs[i].has_arg, flags[i].value != NULL ? required_argument : no_argument);
	}
	assert_null(longs[COUNT(flags)].name);
}

static void codes_that_are_no_letters_have_none(void **state)
{
	(void)state;
	assert_int_equal(flag_letter(&flags[0]), 'h');
	assert_int_equal(flag_letter(&flags[2]), 0);
	assert_int_equal(flag_letter(&flags[3]), 0);
}

static void the_help_is_in_two_columns(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	flag_print_help(out, flags, COUNT(flags), 25);
	fclose(out);
	assert_string_equal(text,
		"  -h, --help             this help\n"
		"  -c, --config FILE      where the settings are, each in a line of its own, which\n"
		"                         win\n"
		"      --doctor           look\n"
		"      --explain 'a long question with blanks'\n"
		"                         say why\n");
	free(text);
}

static void a_word_that_is_too_long_has_a_line(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	flag_print_wrapped(out, "a word-that-is-longer-than-the-line b", 2, 10);
	fclose(out);
	assert_string_equal(text, "a\n  word-that-is-longer-than-the-line\n  b\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(getopt_is_told_of_letters_and_names),
		cmocka_unit_test(codes_that_are_no_letters_have_none),
		cmocka_unit_test(the_help_is_in_two_columns),
		cmocka_unit_test(a_word_that_is_too_long_has_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
