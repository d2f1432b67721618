/* process: the words of /proc/PID/stat that count, whatever the program is called. */
#include "base/process.h"

#include <string.h>

#include "check.h"

#define REST                                                                                       \
	" S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 12 0 12345 104857600 2560 18446744073709551615 1"

static void the_words_that_count_are_found_whatever_the_name(void **state)
{
	static const char *const texts[] = {
		"7 (socks5d)" REST, "7 (a b)" REST, "7 (a) S 1 2)" REST, "7 ()" REST};
	struct process_figures f;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_true(process_parse(texts[i], 100, 4096, &f));
		assert_int_equal(f.cpu_ms, 3000);
		assert_int_equal(f.threads, 12);
		assert_int_equal(f.virtual_bytes, 104857600);
		assert_int_equal(f.resident_bytes, 2560 * 4096);
	}
}

static void what_is_no_such_line_is_refused(void **state)
{
	static const char *const texts[] = {"", "7", "7 (socks5d)", "7 (socks5d) S 1 2 3",
		"7 (socks5d) S 1 2 3 4 5 6 7 8 9 10 x"};
	struct process_figures f;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_false(process_parse(texts[i], 100, 4096, &f));
		assert_int_equal(f.resident_bytes, 0);
	}
}

static void this_process_has_memory_and_a_thread(void **state)
{
	struct process_figures f;

	(void)state;
	assert_true(process_read(&f));
	assert_int_equal(f.threads, 1);
	assert_in_range(f.resident_bytes, 4096, f.virtual_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_that_count_are_found_whatever_the_name),
		cmocka_unit_test(what_is_no_such_line_is_refused),
		cmocka_unit_test(this_process_has_memory_and_a_thread),
	};

	return cmocka_run_group_tests_name("base/process", tests, NULL, NULL);
}
