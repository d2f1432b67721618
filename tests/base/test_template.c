/* template: what becomes of its marks, as tables; and what is no template. */
#include "base/template.h"

#include "check.h"

static const struct template_field fields[] = {{"name", "value"}, {"other", "<b> & \"c\" 'd'"},
	{"none", NULL}, {"empty", ""}, {NULL, NULL}};

/* What it becomes, or NULL; valid until the next call. */
static const char *filled(const char *text)
{
	static char answer[512];
	FILE *out = fmemopen(answer, sizeof(answer), "w");
	bool is_whole;

	assert_non_null(out);
	is_whole = template_put(text, fields, out);
	assert_int_equal(fputc('\0', out), '\0');
	assert_int_equal(fclose(out), 0);
	return is_whole ? answer : NULL;
}

static void marks_are_filled_in(void **state)
{
	static const struct {
		const char *text, *filled;
	} rows[] = {
		{"", ""},
		{"no mark { } }} here", "no mark { } }} here"},
		{"a {{name}} b", "a value b"},
		{"{{name}}{{name}}", "valuevalue"},
		{"{{other}}", "&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;"},
		{"{{&other}}", "<b> & \"c\" 'd'"},
		{"[{{none}}{{empty}}]", "[]"},
		{"[{{#name}}yes {{name}}{{/name}}]", "[yes value]"},
		{"[{{#none}}yes{{/none}}{{#empty}}yes{{/empty}}]", "[]"},
		{"[{{^none}}no{{/none}}{{^empty}}no{{/empty}}{{^name}}no{{/name}}]", "[nono]"},
		{"[{{#name}}a{{#none}}b{{/none}}c{{^none}}d{{/none}}{{/name}}]", "[acd]"},
		{"[{{#none}}a{{#name}}b{{/name}}c{{/none}}]", "[]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_non_null(filled(rows[i].text));
		assert_string_equal(filled(rows[i].text), rows[i].filled);
	}
}

static void a_line_of_one_mark_is_left_out(void **state)
{
	static const struct {
		const char *text, *filled;
	} rows[] = {
		{"{{#name}}\na\n{{/name}}\nb\n", "a\nb\n"},
		{"a\n{{#none}}\nb\n{{/none}}\nc\n", "a\nc\n"},
		{"a\n{{name}}\nb\n", "a\nvalue\nb\n"},
		{"a {{#name}}\nb\n{{/name}} c\n", "a \nb\n c\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_non_null(filled(rows[i].text));
		assert_string_equal(filled(rows[i].text), rows[i].filled);
	}
}

static void what_is_no_template_is_found(void **state)
{
	static const char *const texts[] = {"{{unknown}}", "{{name", "{{nam}}", "{{}}", "{{/name}}",
		"{{#name}}", "{{#name}}a{{/other}}", "{{#none}}{{unknown}}{{/none}}",
		"{{#name}}{{#other}}{{/name}}{{/other}}", "{{# name}}{{/name}}"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_null(filled(texts[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_are_filled_in),
		cmocka_unit_test(a_line_of_one_mark_is_left_out),
		cmocka_unit_test(what_is_no_template_is_found),
	};

	return cmocka_run_group_tests_name("base/template", tests, NULL, NULL);
}
