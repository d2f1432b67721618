/* writing: what is left of a text when it has ended, and when memory was out at the end of it. */
#include "base/writing.h"

#include <stdlib.h>

#include "check.h"

int __real_fclose(FILE *stream);
int __wrap_fclose(FILE *stream);

static struct writing *forgotten; /* whose closing finds no memory; NULL: none */

/* What glibc does then: it succeeds, and what was written is gone. */
int __wrap_fclose(FILE *stream)
{
	int result = __real_fclose(stream);

	if (forgotten != NULL) {
		free(forgotten->text);
		forgotten->text = NULL;
	}
	return result;
}

static void a_whole_text_ends_in_a_nul(void **state)
{
	struct writing w;

	(void)state;
	assert_non_null(writing_begin(&w));
	fputs("a text", w.out);
	assert_true(writing_end(&w));
	assert_null(w.out);
	assert_int_equal(w.len, 6);
	assert_string_equal(w.text, "a text");
	free(w.text);
}

static void one_without_memory_at_its_end_is_not_whole(void **state)
{
	struct writing w;

	(void)state;
	assert_non_null(writing_begin(&w));
	fputs("a text", w.out);
	forgotten = &w;
	assert_false(writing_end(&w));
	forgotten = NULL;
	assert_null(w.text);
	assert_int_equal(w.len, 0);
}

static void one_that_has_not_begun_has_no_text(void **state)
{
	struct writing w = {.out = NULL};

	(void)state;
	assert_false(writing_end(&w));
	assert_null(w.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_text_ends_in_a_nul),
		cmocka_unit_test(one_without_memory_at_its_end_is_not_whole),
		cmocka_unit_test(one_that_has_not_begun_has_no_text),
	};

	return cmocka_run_group_tests_name("base/writing", tests, NULL, NULL);
}
