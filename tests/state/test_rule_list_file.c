/* rule_list_file: which lines of a file are values, what is said of the others, and what becomes of
 * a file that cannot be read, or not be kept. */
#include "state/rule_list.h"

#include "../base/faults_all.h"
#include "../base/scratch.h"

static struct rule_list_file list;
static char error[RULE_LIST_ERROR_MAX];

static bool has(const char *text)
{
	struct rule_name name;

	return rule_name_set(&name, text, strlen(text)) && rule_list_has_name(list.list, &name);
}

/* Reads a file with this text. */
static void read_text(const char *text, bool names)
{
	scratch_write("list", text);
	if (rule_list_read("list", names, &list, error) < 0)
		fail_msg("%s", error);
}

static void forget(void)
{
	rule_list_release(list.list);
	list.list = NULL;
}

static void names_networks_and_lines_of_hosts_are_values(void **state)
{
	(void)state;
	read_text("# a comment\n\n"
		  "WWW.Example.org.   # behind a value\n"
		  ".below.test\n"
		  "  10.0.0.0/8\n"
		  "2001:db8::1\n"
		  "0.0.0.0 ads.test tracker.test\n"
		  "127.0.0.1 localhost localhost.localdomain\n"
		  "fe80::1%lo0 localhost\n"
		  "::1 ip6-localhost LocalHost\n",
		true);
	assert_int_equal(list.skipped, 0);
	assert_int_equal(rule_list_names(list.list), 4);
	assert_int_equal(rule_list_networks(list.list), 2);
	assert_true(has("www.example.org"));
	assert_true(has("a.below.test"));
	assert_true(has("tracker.test"));
	assert_false(has("localhost"));
	forget();
}

static void the_first_line_that_is_no_value_is_told(void **state)
{
	static const struct {
		const char *text, *says;
		bool names;
		size_t skipped;
	} rows[] = {
		{"10.0.0.0/8\n10.0.0.1/8\n", "list:2: \"10.0.0.1/8\": legal are names, .names",
			true, 1},
		{"b\xc3\xbc"
		 "cher.test\n",
			"list:1: \"b\xc3\xbc"
			"cher.test\": names are written in ASCII",
			true, 1},
		{"a..b\na b\n", "list:1: \"a..b\": legal are names", true, 2},
		{"1.2.3\n", "list:1: \"1.2.3\": legal are names", true, 1},
		{"a_b-c.test\na!b.test\n", "list:2: \"a!b.test\": ", true, 1},
		{"0.0.0.0 good.test b!d.test\n", "list:1: \"0.0.0.0 good.test b!d.test\": ", true,
			1},
		{"example.org\n", "list:1: \"example.org\": legal are networks and addresses",
			false, 1},
		{"0.0.0.0 ads.test\n", "legal are networks and addresses", false, 1},
		{"..\n.\n", "list:1: \"..\": ", true, 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		read_text(rows[i].text, rows[i].names);
		assert_int_equal(list.skipped, rows[i].skipped);
		assert_contains(list.first_skipped, rows[i].says);
		forget();
	}
}

/* 63 bytes a label, 253 all. */
static void names_that_are_too_long_are_none(void **state)
{
	char text[320];

	(void)state;
	memset(text, 'a', sizeof(text));
	snprintf(text + 64, sizeof(text) - 64, ".test\n");
	read_text(text, true);
	assert_int_equal(list.skipped, 1);
	forget();
	memset(text, 'a', sizeof(text));
	memcpy(text + 63, ".test\n", 7);
	read_text(text, true);
	assert_int_equal(list.skipped, 0);
	forget();
	for (size_t i = 0; i < 256; i++)
		text[i] = i % 2 == 0 ? 'a' : '.';
	memcpy(text + 255, "\n", 2);
	read_text(text, true);
	assert_int_equal(list.skipped, 1);
	forget();
}

static void a_file_that_cannot_be_read_is_told(void **state)
{
	(void)state;
	assert_int_equal(rule_list_read("nowhere", true, &list, error), -1);
	assert_begins(error, "nowhere: ");
	assert_int_equal(rule_list_read(".", true, &list, error), -1);
	assert_begins(error, ".: ");
	assert_null(list.list);
}

/* That memory cannot be made less is no reason; else there is no list, or all of it. */
static void without_memory_there_is_all_of_it_or_nothing(void **state)
{
	char text[4096] = "10.0.0.0/8\n2001:db8::/32\n0.0.0.0 x.test y.test\n";
	bool struck = true;

	(void)state;
	for (int i = 0; i < 100; i++)
		sprintf(text + strlen(text), "name%d.test\n", i);
	scratch_write("list", text);
	for (int n = 1; struck; n++) {
		int result;

		faults_fail(n);
		result = rule_list_read("list", true, &list, error);
		struck = faults_struck();
		if (result < 0) {
			assert_true(struck);
			assert_contains(error, "emory");
			assert_null(list.list);
			continue;
		}
		assert_int_equal(list.skipped, 0);
		assert_int_equal(rule_list_names(list.list), 102);
		assert_int_equal(rule_list_networks(list.list), 2);
		assert_true(has("name99.test") && has("y.test"));
		forget();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(names_networks_and_lines_of_hosts_are_values),
		scratch_test(the_first_line_that_is_no_value_is_told),
		scratch_test(names_that_are_too_long_are_none),
		scratch_test(a_file_that_cannot_be_read_is_told),
		scratch_test(without_memory_there_is_all_of_it_or_nothing),
	};

	return cmocka_run_group_tests_name("state/rule_list_file", tests, NULL, NULL);
}
