/* expectations: which configurations are held to be right, at which times, and what is said of the
 * others. */
#include "state/expectations.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/check.h"
#include "../base/scratch.h"
#include "state/rules.h"

#define TUESDAY 1752583239 /* 2025-07-15 12:40:39 */

static char error[CONFIG_ERROR_MAX];

static bool find_user(void *context, const char *user, char groups[GROUP_SOURCE_TEXT_MAX])
{
	(void)context;
	strcpy(groups, strcmp(user, "alice") == 0 ? "pupils,band" : "");
	return strcmp(user, "alice") == 0 || strcmp(user, "bob") == 0;
}

static const struct group_source groups = {.find = find_user};

static struct config *read_rules(const char *text)
{
	static struct config_source source = {.path = "conf", .is_reload = true};
	struct config *c;
	struct rules *rules;

	scratch_write("conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	rules = rules_compile(&c->settings, NULL, false, error);
	if (rules == NULL)
		fail_msg("%s", error);
	config_set_rules(c, rules);
	return c;
}

static bool hold(const char *text)
{
	struct config *c = read_rules(text);
	bool result;

	error[0] = '\0';
	result = expectations_hold(c, &groups, NULL, TUESDAY, error);
	config_release(c);
	return result;
}

#define RULES                                                                                      \
	"rule = deny to .blocked.example\n"                                                        \
	"rule = deny user @pupils to 203.0.113.0/24 time mon-fri 08:00-13:00\n"                    \
	"rule = allow user known port 80, 443\n"                                                   \
	"rule = allow from 192.168.1.0/24 command connect, udp port 443\n"                         \
	"otherwise = deny\n"

static void what_holds_is_accepted(void **state)
{
	static const char *const rows[] = {
		"",
		"deny from=192.168.1.5 to=www.blocked.example:443",
		"deny from=192.168.1.5 user=bob to=blocked.example@192.0.2.9:443",
		"allow from=192.168.1.5 to=www.example.org:443",
		"allow from=192.168.1.5 to=www.example.org@192.0.2.9:443",
		"deny from=192.168.2.5 to=www.example.org@192.0.2.9:443",
		"allow from=192.168.2.5 user=bob to=203.0.113.9:80",
		"deny from=192.168.2.5 user=alice to=203.0.113.9:80 time=\"tue 08:00\"",
		"deny from=192.168.2.5 user=alice to=203.0.113.9:80 time=\"fri 12:59\"",
		"allow from=192.168.2.5 user=alice to=203.0.113.9:80 time=\"tue 13:00\"",
		"allow from=192.168.2.5 user=alice to=203.0.113.9:80 time=\"sun 10:00\"",
		"deny from=192.168.1.5 user=bob to=169.254.169.254:80",
		"deny from=192.168.1.5 user=bob to=127.0.0.1:80",
		"deny from=192.168.1.5 user=bob to=a.example@127.0.0.1:80",
		"allow from=192.168.1.5 to=192.0.2.9:443 command=udp",
		"allow from=192.168.1.5 command=udp",
		"deny from=192.168.1.5 to=192.0.2.9:53 command=udp",
		"deny from=192.168.1.5 to=192.0.2.9:443 command=bind",
		"deny from=192.168.1.5 user=bob to=192.0.2.9:0",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[1024];

		snprintf(text, sizeof(text), RULES "expect = %s\n", rows[i]);
		if (!hold(text))
			fail_msg("%s: %s", rows[i], error);
	}
}

static void what_does_not_hold_is_told_with_both_lines(void **state)
{
	static const char *const rows[][2] = {
		{"allow from=192.168.1.5 to=www.blocked.example:443",
			"conf:6: expect: \"allow from=192.168.1.5 to=www.blocked.example:443\": on "
			"Tue 12:40 it is denied by conf:1: rule 1: \"deny to .blocked.example\""},
		{"deny from=192.168.1.5 to=www.example.org@192.0.2.9:443",
			"it is allowed by conf:4: rule 4: \"allow from 192.168.1.0/24 command connect, "
			"udp port 443\""},
		{"allow from=192.168.2.5 to=192.0.2.9:443",
			"it is denied by conf:5: rule otherwise: \"otherwise = deny\""},
		{"allow from=192.168.2.5 user=alice to=203.0.113.9:80 time=\"tue 09:30\"",
			"on Tue 09:30 it is denied by conf:2: rule 2: "},
		/* Not at all times: now it is denied, and would be allowed at one; and then again
		 * the other way round. */
		{"deny from=192.168.2.5 user=alice to=203.0.113.9:80",
			"on Tue 13:00 it is allowed by conf:3: rule 3: "},
		{"allow from=192.168.1.5 user=bob to=127.0.0.1:80",
			"it is denied by default: rule protect:loopback: \"protect = loopback, "
			"link-local, metadata, multicast\""},
		{"allow from=192.168.1.5 user=bob to=192.0.2.9:0",
			"it is denied by built-in: rule no_port: \"no connection goes to port 0\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[1024];

		snprintf(text, sizeof(text), RULES "expect = %s\n", rows[i][0]);
		if (hold(text))
			fail_msg("%s: holds", rows[i][0]);
		if (strstr(error, rows[i][1]) == NULL)
			fail_msg("%s: %s", rows[i][0], error);
	}
}

/* On Saturday, when nobody looks. */
static void what_holds_now_must_hold_at_every_border(void **state)
{
	(void)state;
	assert_true(hold("rule = deny time sat 03:00-03:01\n"
			 "expect = allow from=192.0.2.7 to=192.0.2.9:80 time=\"tue 12:00\"\n"));
	assert_false(hold("rule = deny time sat 03:00-03:01\n"
			  "expect = allow from=192.0.2.7 to=192.0.2.9:80\n"));
	assert_non_null(strstr(error, "on Sat 03:00 it is denied by conf:1: rule 1"));
}

static void temporary_rules_have_no_say(void **state)
{
	struct config *c = read_rules("expect = allow from=192.0.2.7 to=192.0.2.9:80\n");
	struct temporary_rule rule = {.text = "deny", .number = 1, .until = TUESDAY + 60};
	struct rules *with = rules_with_temporary(c->rules, &c->settings, &rule, 1, error);

	(void)state;
	assert_non_null(with);
	config_set_rules(c, with);
	assert_true(expectations_hold(c, &groups, NULL, TUESDAY, error));
	config_release(c);
}

static void several_stand_in_one_value(void **state)
{
	(void)state;
	assert_true(hold("expect = \"allow from=192.0.2.7 to=192.0.2.9:80; deny from=192.0.2.7 "
			 "to=127.0.0.1:80\"\n"));
	assert_false(hold("expect = \"allow from=192.0.2.7 to=192.0.2.9:80; allow from=192.0.2.7 "
			  "to=127.0.0.1:80\"\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_holds_is_accepted, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
			what_does_not_hold_is_told_with_both_lines, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
			what_holds_now_must_hold_at_every_border, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
			temporary_rules_have_no_say, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(
			several_stand_in_one_value, scratch_enter, scratch_leave),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests_name("state/expectations", tests, NULL, NULL);
}
