/* config_file: tables of the test's own, one with a list that is written line by line. What is
 * taken and what is refused in a file is in test_config.c. */
#include "state/config_file.h"

#include "state/setting_scalars.h"

#include "../base/scratch.h"

static char error[CONFIG_FILE_ERROR_MAX];

/* ---- a list of rules, a line each, that know where they stand ---- */

struct rule {
	int64_t port;
	struct setting_place place;
};

struct rule_list {
	size_t count, size;
	struct rule *rules;
};

/* What it cost. */
static size_t moves, copies;

static bool make_room(struct rule_list *list)
{
	struct rule *rules;

	if (list->count < list->size)
		return true;
	list->size = list->size == 0 ? 8 : 2 * list->size;
	rules = realloc(list->rules, list->size * sizeof(*rules));
	if (rules == NULL)
		return false;
	list->rules = rules;
	moves++;
	return true;
}

static bool read_rule(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct rule_list *list = value;
	int port;

	(void)setting;
	if (sscanf(in->text, "deny port %d", &port) != 1)
		return false;
	if (port > 65535) {
		snprintf(why, SETTING_ERROR_MAX, "%d is no port", port);
		return false;
	}
	if (!in->adds)
		list->count = 0;
	if (!make_room(list))
		return false;
	list->rules[list->count++] = (struct rule){.port = port, .place = in->place};
	return true;
}

static void put_rules(const struct setting *setting, const void *value, FILE *out)
{
	const struct rule_list *list = value;

	(void)setting;
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%sdeny port %lld", i == 0 ? "" : "; ",
			(long long)list->rules[i].port);
}

static bool equal_rules(const void *a, const void *b)
{
	const struct rule_list *l = a, *m = b;

	for (size_t i = 0; i < l->count && i < m->count; i++) {
		if (l->rules[i].port != m->rules[i].port)
			return false;
	}
	return l->count == m->count;
}

static int copy_rules(void *to, const void *from)
{
	const struct rule_list *list = from;
	struct rule_list *old = to, new = {.count = list->count, .size = list->count};

	copies++;
	new.rules = calloc(new.size + 1, sizeof(*new.rules));
	if (new.rules == NULL)
		return -1;
	if (list->count > 0)
		memcpy(new.rules, list->rules, list->count * sizeof(*new.rules));
	free(old->rules);
	*old = new;
	return 0;
}

static void free_rules(void *value)
{
	free(((struct rule_list *)value)->rules);
}

static void put_legal_rules(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("deny port N", out);
}

static const struct setting_type rules_type = {
	.size = sizeof(struct rule_list),
	.is_list = true,
	.parse = read_rule,
	.format = put_rules,
	.equal = equal_rules,
	.copy = copy_rules,
	.free = free_rules,
	.legal = put_legal_rules,
};

struct book {
	struct rule_list rules;
	int64_t limit;
};

static const struct setting table[] = {
	{.name = "rule", SETTING_AT(rules_type, struct rule_list, struct book, rules)},
	{.name = "limit", SETTING_NUMBER(struct book, limit), .least = 1, .most = 9},
};

static struct book book;
static unsigned book_lines[COUNT(table)];

static int read_book(void)
{
	return config_file_read("book", false, table, COUNT(table), &book, book_lines, error);
}

static int close_book(void **state)
{
	setting_free(&table[0], &book);
	moves = copies = 0;
	return scratch_leave(state);
}

#define book_test(f) cmocka_unit_test_setup_teardown(f, scratch_enter, close_book)

#define LINES 5000

/* A rule a line, but for a comment in every tenth; `wrong` is what stands in line `wrong_line`. */
static void write_book(unsigned wrong_line, const char *wrong)
{
	FILE *out = fopen("book", "w");

	assert_non_null(out);
	for (unsigned line = 1; line <= LINES; line++) {
		if (line == wrong_line)
			fprintf(out, "%s\n", wrong);
		else if (line % 10 == 0)
			fputs("# ten more\n", out);
		else
			fprintf(out, "rule = deny port %u\n", line);
	}
	assert_int_equal(fclose(out), 0);
}

static void thousands_of_lines_know_their_places(void **state)
{
	struct book copy = {.limit = 0};

	(void)state;
	write_book(0, NULL);
	assert_int_equal(read_book(), 0);
	assert_int_equal(setting_copy(&table[0], &copy, &book), 0);
	assert_int_equal(copy.rules.count, LINES - LINES / 10);
	for (size_t i = 0; i < copy.rules.count; i++) {
		const struct rule *r = &copy.rules.rules[i];

		assert_string_equal(r->place.file, "book");
		assert_int_equal(r->place.line, r->port);
	}
	setting_free(&table[0], &copy);
}

static void each_error_names_its_own_line(void **state)
{
	static const struct {
		const char *wrong, *expected;
	} rows[] = {
		{"rule = deny port 99999",
			"book:4321: rule: \"deny port 99999\": 99999 is no port"},
		{"rule = allow", "book:4321: rule: \"allow\": legal is deny port N"},
		{"limit = 10", "book:4321: limit: \"10\": legal is a number from 1 to 9"},
		{"ruler = deny", "book:4321: ruler: there is no such setting"},
		{"nonsense", "book:4321: this is no line of the form: name = value"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		write_book(4321, rows[i].wrong);
		assert_int_equal(read_book(), -1);
		assert_begins(error, rows[i].expected);
	}
}

/* 4,500 lines into a list that doubles: in ten moves, and no copy. */
static void a_line_more_costs_no_copy_of_those_before(void **state)
{
	(void)state;
	write_book(0, NULL);
	assert_int_equal(read_book(), 0);
	assert_int_equal(copies, 0);
	assert_in_range(moves, 1, 12);
}

static void the_first_line_takes_the_place_of_the_default(void **state)
{
	char *text;

	(void)state;
	scratch_write("book", "rule = deny port 1\nrule = deny port 2\n");
	assert_int_equal(read_book(), 0);
	scratch_write("book", "limit = 3\nrule = deny port 3\nrule = deny port 4\n");
	assert_int_equal(read_book(), 0);
	text = setting_format(&table[0], &book);
	assert_non_null(text);
	assert_string_equal(text, "deny port 3; deny port 4");
	free(text);
	assert_int_equal(book.limit, 3);
}

static void a_value_of_any_length_is_written_whole(void **state)
{
	char *text;

	(void)state;
	write_book(0, NULL);
	assert_int_equal(read_book(), 0);
	text = setting_format(&table[0], &book);
	assert_non_null(text);
	assert_true(strlen(text) > 4500 * strlen("deny port ; "));
	assert_contains(text, "; deny port 4999");
	free(text);
}

/* ---- tables of any length ---- */

#define ROWS 300

static void a_table_may_have_any_number_of_rows(void **state)
{
	static struct setting rows[ROWS];
	static char names[ROWS][16];
	static int64_t values[ROWS];
	static unsigned lines[ROWS];
	FILE *out = fopen("conf", "w");

	(void)state;
	assert_non_null(out);
	for (size_t i = 0; i < ROWS; i++) {
		snprintf(names[i], sizeof(names[i]), "number_%zu", i);
		rows[i] = (struct setting){.name = names[i],
			.type = &setting_number,
			.offset = i * sizeof(values[0]),
			.most = ROWS};
		fprintf(out, "%s = %zu\n", names[i], i);
	}
	fputs("number-299 = 1\n", out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(config_file_read("conf", false, rows, ROWS, values, lines, error), -1);
	assert_string_equal(error, "conf:301: number-299: \"1\": it was set already further up");
	for (size_t i = 0; i < ROWS; i++)
		assert_int_equal(values[i], i);
	for (size_t i = 0; i < ROWS; i++)
		assert_int_equal(lines[i], i + 1);
}

static void the_first_line_of_each_setting_is_told(void **state)
{
	(void)state;
	book_lines[1] = 7; /* of before */
	scratch_write("book", "# none\n\nrule = deny port 1\n# none\nrule = deny port 2\n");
	assert_int_equal(read_book(), 0);
	assert_int_equal(book_lines[0], 3);
	assert_int_equal(book_lines[1], 0);
}

/* ---- a line that is written is read as the same ---- */

struct note {
	char *text;
};

static const struct setting notes[] = {{.name = "a_note", SETTING_TEXT(struct note, text)}};

static void a_value_is_written_so_that_it_is_read_again(void **state)
{
	static const char *const rows[][2] = {
		{"plain", "a_note = plain"},
		{"two words, a # too", "a_note = \"two words, a # too\""},
		{"a#b;c", "a_note = a#b;c"},
		{"a ;b", "a_note = \"a ;b\""},
		{"# all", "a_note = \"# all\""},
		{";", "a_note = \";\""},
		{"", "a_note = \"\""},
		{" front", "a_note = \" front\""},
		{"end\t", "a_note = \"end\t\""},
		{"\"quoted\"", "a_note = \"\\\"quoted\\\"\""},
		{"in \"it\"", "a_note = in \"it\""},
		{"back\\slash", "a_note = back\\slash"},
		{"back\\slash ", "a_note = \"back\\\\slash \""},
		{"a = b", "a_note = a = b"},
	};
	struct note note = {.text = NULL}, again = {.text = NULL};
	char why[SETTING_ERROR_MAX], *line;
	unsigned first;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct setting_input in = {.text = rows[i][0]};

		assert_true(setting_set(&notes[0], &note, &in, why));
		line = config_file_line(&notes[0], &note);
		assert_string_equal(line, rows[i][1]);
		scratch_write("conf", line);
		assert_int_equal(
			config_file_read("conf", false, notes, 1, &again, &first, error), 0);
		assert_string_equal(again.text, rows[i][0]);
		free(line);
	}
	setting_free(&notes[0], &note);
	setting_free(&notes[0], &again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		book_test(thousands_of_lines_know_their_places),
		book_test(each_error_names_its_own_line),
		book_test(a_line_more_costs_no_copy_of_those_before),
		book_test(the_first_line_takes_the_place_of_the_default),
		book_test(a_value_of_any_length_is_written_whole),
		scratch_test(a_table_may_have_any_number_of_rows),
		book_test(the_first_line_of_each_setting_is_told),
		scratch_test(a_value_is_written_so_that_it_is_read_again),
	};

	return cmocka_run_group_tests_name("state/config_file", tests, NULL, NULL);
}
