/* rule: the one form of what is taken, and what is said of what is not. */
#include "../base/check.h"
#include "state/rule.h"

static void rules_have_one_form(void **state)
{
	static const struct {
		const char *text, *form;
	} rows[] = {{" deny ", "deny"}, {"ALLOW", "allow"},
		{"deny to .Example.ORG. ,10.0.0.0/8,\t2001:DB8::1/128",
			"deny to .example.org, 10.0.0.0/8, 2001:db8::1"},
		{"deny time mon-fri 08:00-13:00 , sat user a,@b",
			"deny time mon-fri 08:00-13:00, sat user a, @b"},
		{"allow port 80,8000-8100 command CONNECT",
			"allow port 80, 8000-8100 command connect"},
		{"deny from Private, file:/a/b", "deny from private, file:/a/b"},
		{"deny to own", "deny to own"}, {"deny to own.", "deny to own."},
		{"deny to loopbak.", "deny to loopbak."}, {"deny to printer.", "deny to printer"},
		{"deny user Known, anonymous, a\\x20b", "deny user known, anonymous, a\\x20b"},
		{"VIA office", "via office"}, {"via a ,b,Direct", "via a, b, direct"},
		{"via a RESOLVE=here to .b port 1", "via a resolve=here to .b port 1"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char why[RULE_ERROR_MAX];
		struct rule *rule = rule_parse(rows[i].text, strlen(rows[i].text), NULL, why);

		if (rule == NULL)
			fail_msg("%s: %s", rows[i].text, why);
		else
			assert_string_equal(rule->text, rows[i].form);
		rule_release(rule);
	}
}

static void what_is_wrong_is_told_with_what_is_legal(void **state)
{
	static const struct {
		const char *text, *start, *part;
	} rows[] = {{"dney to x.y", "\"dney\": ", "did you mean deny?"},
		{"", "\"\": ", "allow, deny or via NAME"},
		{"via", "\"via\": ", "missing behind it"},
		{"via a,", "\"via\": ", "missing behind a comma"},
		{"via direct", "\"direct\": ", "alone it is allow"},
		{"via direct, a", "\"a\": ", "the last of the names"},
		{"via a!b", "\"a!b\": ", "names of upstreams"},
		{"via to .example.org", "\"to\": ", "names of upstreams"},
		{"via a to b.c resolve=here",
			"\"resolve=here\": ", "behind the names of upstreams"},
		{"via a,b,c,d,e,f,g,h,i", "\"i\": ", "8 upstreams"},
		{"allow resolve=here", "\"resolve=here\": ", "legal here are from"},
		{"deny to a.b c.d", "\"c.d\": ", "values are separated by commas"},
		{"deny comand udp", "\"comand\": ", "did you mean command?"},
		{"deny to a.b to c.d", "\"to\": ", "stands once"},
		{"deny to", "\"to\": ", "missing behind it"},
		{"deny to a.b,", "\"to\": ", "missing behind a comma"},
		{"deny to a.b,,c.d", "\"to\": ", "missing behind a comma"},
		{"deny to loopbak", "\"loopbak\": ", "did you mean loopback?"},
		{"deny to *.a.b", "\"*.a.b\": ", "did you mean .a.b?"},
		{"deny to b\xc3\xbc.de", "\"b", "xn--"},
		{"deny to 10.1.2.3/8", "\"10.1.2.3/8\": ", "did you mean 10.0.0.0/8?"},
		{"deny to a.b:80", "\"a.b:80\": ", "keyword port"},
		{"deny to 1.2.3", "\"1.2.3\": ", "legal are names"},
		{"deny to a..b", "\"a..b\": ", "legal are names"},
		{"deny to file:", "\"file:\": ", "file:PATH"},
		{"deny from a.b", "\"a.b\": ", "legal are networks"},
		{"deny from own", "\"own\": ", "legal are networks"},
		{"deny from @a!b", "\"@a!b\": ", "client_group"},
		{"deny user @a!b", "\"@a!b\": ", "legal are users' names"},
		{"deny port 0", "\"0\": ", "1 to 65535"},
		{"deny port any", "\"any\": ", "1 to 65535"},
		{"deny command bnid", "\"bnid\": ", "did you mean bind?"},
		{"deny time 8-9", "\"8-9\": ", "mon-fri 08:00-18:00"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char why[RULE_ERROR_MAX];

		if (rule_parse(rows[i].text, strlen(rows[i].text), NULL, why) != NULL)
			fail_msg("%s", rows[i].text);
		assert_begins(why, rows[i].start);
		assert_contains(why, rows[i].part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_have_one_form),
		cmocka_unit_test(what_is_wrong_is_told_with_what_is_legal),
	};

	return cmocka_run_group_tests_name("state/rule_parse", tests, NULL, NULL);
}
