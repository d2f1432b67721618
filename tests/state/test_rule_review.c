/* rule_review: which rules an administrator is warned of, and which groups clash. */
#include "state/rule_review.h"

#include <string.h>

#include "../base/check.h"
#include "../base/scratch.h"
#include "state/rules.h"

static char error[CONFIG_ERROR_MAX], said[4096];

static bool find_user(void *context, const char *user, char groups[GROUP_SOURCE_TEXT_MAX])
{
	(void)context;
	groups[0] = '\0';
	return strcmp(user, "alice") == 0;
}

static bool has_group(void *context, const char *group)
{
	(void)context;
	return strcmp(group, "pupils") == 0;
}

static const struct group_source users = {.find = find_user, .has_group = has_group};

static void hear(void *context, const char *warning)
{
	(void)context;
	strcat(said, warning);
	strcat(said, "\n");
}

static struct config *read_rules(const char *text)
{
	static struct config_source source = {.path = "conf", .is_reload = true};
	struct config *c;
	struct rules *rules;

	scratch_write("conf", text);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s: %s", text, error);
	rules = rules_compile(&c->settings, NULL, false, error);
	if (rules == NULL)
		fail_msg("%s: %s", text, error);
	config_set_rules(c, rules);
	return c;
}

static const char *review(const char *text)
{
	struct config *c = read_rules(text);

	said[0] = '\0';
	rule_review(c, &users, hear, NULL);
	config_release(c);
	return said;
}

/* The second rule is said to have no effect, or nothing is said. */
static void a_rule_behind_one_that_decides_all_of_it_has_no_effect(void **state)
{
	static const struct {
		const char *first, *second;
		bool has_none;
	} rows[] = {
		{"allow", "deny port 80", true},
		{"deny", "allow to 127.0.0.1", true},
		{"allow", "allow to 127.0.0.1", false},
		{"allow", "deny to 192.0.2.0/24", true},
		{"allow to 0.0.0.0/0", "allow to 127.0.0.1", false},
		{"deny port 80", "deny", false},
		{"deny port 80", "allow port 80 time sat", true},
		{"deny port 1-1000", "allow port 80, 443", true},
		{"deny port 1-100", "allow port 80, 443", false},
		{"deny from 192.168.0.0/16", "allow from 192.168.4.0/24", true},
		{"deny from 192.168.4.0/24", "allow from 192.168.0.0/16", false},
		{"deny user known", "allow user alice", true},
		{"deny user known", "allow user anonymous", false},
		{"deny user @pupils", "allow user @pupils port 80", true},
		{"deny command udp, bind", "allow command bind", true},
		{"deny command udp", "allow command bind, udp", false},
		{"deny time mon-fri 08:00-13:00", "allow time mon-fri 08:00-13:00 port 1", true},
		{"deny time mon-fri 08:00-13:00", "allow time mon-fri", false},
		{"deny time mon-fri 08:00-13:00, sat", "allow time sat", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[512];
		bool told;

		snprintf(text, sizeof(text), "auth = optional\nrule = %s\nrule = %s\n",
			rows[i].first, rows[i].second);
		told = strstr(review(text), "it has no effect: rule 1 (") != NULL;
		if (told != rows[i].has_none)
			fail_msg("%s; %s: \"%s\"", rows[i].first, rows[i].second, said);
	}
}

/* What follows would say the same, and the place is open without it. */
static void a_rule_that_says_what_otherwise_would_has_no_effect(void **state)
{
	static const struct {
		const char *text;
		int told; /* rules that are said to have none */
	} rows[] = {
		{"rule = allow from 192.168.1.0/24\n", 1},
		{"rule = allow from 192.168.1.0/24\notherwise = deny\n", 0},
		{"rule = allow from 192.168.1.0/24\nrule = allow user known\n", 2},
		{"rule = allow from 192.168.1.0/24\nrule = deny from 192.168.0.0/16\n", 0},
		{"rule = deny from 192.168.0.0/16\nrule = allow from 192.168.1.0/24\n", 1},
		{"rule = deny from 192.168.0.0/16\notherwise = deny\n", 1},
		{"rule = allow from loopback to loopback\n", 1},
		{"rule = allow from 127.0.0.0/8, ::1 to 127.0.0.1\n", 1},
		{"rule = allow from loopback to loopback\notherwise = deny\n", 0},
		{"rule = allow from loopback, 192.168.1.9 to loopback\n", 0},
		{"rule = allow from loopback to 169.254.0.1\n", 0},
		{"rule = allow to loopback\n", 0},
		{"rule = allow to 127.0.0.1\n", 0},
		{"rule = allow to 0.0.0.0/0\n", 1},
		{"rule = allow to private\n", 1},
		{"rule = allow to private\nprotect = private\n", 0},
		{"rule = allow to 127.0.0.1\nprotect = none\n", 1},
		{"rule = allow to file:list\n", 0},
		{"rule = allow to a.example\n", 1},
		{"rule = allow to a.example\nprotect = rebinding\n", 0},
		/* HTTP asks for a login where such a rule denied. */
		{"rule = deny user anonymous\notherwise = deny\n", 0},
	};

	(void)state;
	scratch_write("list", "127.0.0.1\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[256];
		const char *at;
		int told = 0;

		snprintf(text, sizeof(text), "auth = optional\n%s", rows[i].text);
		for (at = review(text); (at = strstr(at, " all the same (otherwise = ")) != NULL;
			at++)
			told++;
		if (told != rows[i].told)
			fail_msg("%s: \"%s\"", rows[i].text, said);
	}
	assert_string_equal(review("rule = allow from loopback to loopback\n"),
		"conf:1: rule 1: \"allow from loopback to loopback\": it has no effect: without it "
		"this is allowed all the same (otherwise = allow)\n");
}

static void names_lie_below_domains(void **state)
{
	(void)state;
	assert_string_equal(
		review("rule = deny to .example.org\nrule = allow to www.example.org\nrule = deny to "
		       "literal\n"),
		"conf:2: rule 2: \"allow to www.example.org\": it has no effect: rule 1 (\"deny to "
		".example.org\") decides all of it\n");
	assert_string_equal(review("rule = deny to .example.org\nrule = allow to "
				   "www.anexample.org\nrule = deny to literal\n"),
		"");
	assert_string_equal(
		review("rule = deny to www.example.org\nrule = allow to .example.org\nrule = deny to "
		       "literal\n"),
		"");
}

/* The last of them is told of, once. */
static void who_denies_names_is_asked_for_literal(void **state)
{
	const char *text;

	(void)state;
	text = review("rule = deny to a.example\nrule = deny to b.example\nrule = allow port 80\n");
	assert_begins(text,
		"conf:2: rule 2: \"deny to b.example\": who sends addresses instead of "
		"names gets there all the same");
	assert_null(strstr(text, "rule 1:"));
	assert_string_equal(review("rule = deny to a.example\nrule = deny to literal\n"), "");
	assert_string_equal(review("rule = deny to 192.0.2.9\n"), "");
	assert_string_equal(review("rule = allow to a.example\notherwise = deny\n"), "");
	scratch_write("list", "a.example\n");
	assert_non_null(strstr(review("rule = deny to file:list\n"), "deny to literal"));
	/* Who sends an address is denied otherwise, but for what is allowed below. */
	assert_string_equal(review("otherwise = deny\nrule = deny to a.example\n"
				   "rule = allow to .example\n"),
		"");
	assert_non_null(strstr(
		review("otherwise = deny\nrule = deny to a.example\nrule = allow\n"), "rule 1:"));
	assert_non_null(strstr(review("otherwise = deny\nrule = deny to a.example\n"
				      "rule = allow to 192.0.2.0/24, .example\n"),
		"rule 1:"));
}

static void what_can_never_match_is_told(void **state)
{
	static const char *const rows[][2] = {
		{"auth = none\nrule = deny user alice", "with auth = none nobody logs in"},
		{"auth = none\nrule = deny user anonymous", NULL},
		{"auth = none\nrule = deny user alice, anonymous", NULL},
		{"auth = required\nrule = deny user anonymous", "everybody has to log in"},
		{"auth = required\nrule = deny user known", NULL},
		{"auth = optional\nrule = deny user anonymous", NULL},
		{"rule = deny to file:empty", "what it names is empty"},
		{"rule = deny to file:empty, 192.0.2.9", NULL},
		{"rule = deny from file:empty", "what it names is empty"},
	};

	(void)state;
	scratch_write("empty", "# nothing\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *text = review(rows[i][0]);

		if (rows[i][1] == NULL ? *text != '\0' : strstr(text, rows[i][1]) == NULL)
			fail_msg("%s: \"%s\"", rows[i][0], text);
	}
}

static void unknown_users_and_groups_are_told(void **state)
{
	static const char *const rows[][2] = {
		{"rule = deny user bob", "there is no user bob"},
		{"rule = deny user alice", NULL},
		{"rule = deny user @teachers", "no user is in a group teachers"},
		{"rule = deny user @pupils", NULL},
		{"client_group = @lab 192.0.2.0/24\nrule = deny user @lab",
			"@lab is a group of clients: from @lab is how that is written"},
		{"client_group = @lab 192.0.2.0/24\nrule = deny from @lab", NULL},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *warnings;

		snprintf(text, sizeof(text), "auth = optional\n%s\n", rows[i][0]);
		warnings = review(text);
		if (rows[i][1] == NULL ? *warnings != '\0' : strstr(warnings, rows[i][1]) == NULL)
			fail_msg("%s: \"%s\"", rows[i][0], warnings);
	}
}

static void a_group_is_one_of_clients_or_of_users(void **state)
{
	struct config *c =
		read_rules("client_group = @lab 192.0.2.0/24\nclient_group = @pupils 192.0.2.9\n");

	(void)state;
	assert_false(rule_review_groups(c, &users, error));
	assert_begins(error, "conf:2: client_group: \"@pupils\": users are in a group");
	config_release(c);
	c = read_rules("client_group = @lab 192.0.2.0/24\n");
	assert_true(rule_review_groups(c, &users, error));
	config_release(c);
}

#define review_test(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		review_test(a_rule_behind_one_that_decides_all_of_it_has_no_effect),
		review_test(a_rule_that_says_what_otherwise_would_has_no_effect),
		review_test(names_lie_below_domains),
		review_test(who_denies_names_is_asked_for_literal),
		review_test(what_can_never_match_is_told),
		review_test(unknown_users_and_groups_are_told),
		review_test(a_group_is_one_of_clients_or_of_users),
	};

	return cmocka_run_group_tests_name("state/rule_review", tests, NULL, NULL);
}
