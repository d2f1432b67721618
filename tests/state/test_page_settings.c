/* page_settings: what the settings pac_direct and proxy_name take, as tables. */
#include "state/page_settings.h"

#include "defaults.h"

static void these_are_reached_without_the_proxy(void **state)
{
	static const struct set_value rows[] = {
		{"private", "private", false},
		{"plain, private, plain", "plain, private", false},
		{"WWW.Example.ORG. .Example.org", "www.example.org, .example.org", false},
		{"203.0.113.0/24", "203.0.113.0/24", false},
		{"10.0.0.1 2001:DB8::/32", "10.0.0.1/32, 2001:db8::/32", false},
		{"203.0.113.0/24, nas", "10.0.0.1/32, 2001:db8::/32, 203.0.113.0/24, nas", true},
		{"::ffff:192.0.2.1", "192.0.2.1/32", false},
		{"xn--bcher-kva.example", "xn--bcher-kva.example", false},
		{"none", "none", false},
		{"", "none", false},
		{"plain", "plain", true},
		{"none", "plain", true},
	};

	(void)state;
	expect_values("pac_direct", rows, COUNT(rows));
}

static void what_is_no_place_is_refused(void **state)
{
	static const struct {
		const char *value, *question;
	} rows[] = {
		{"203.0.113.7/24", "; did you mean 203.0.113.0/24?"},
		{"plain, 2001:db8::1/32", "; did you mean 2001:db8::/32?"},
		{"none, plain/", "or none"},
		{"203.0.113.0/33", "or none"},
		{"203.0.113", "or none"},
		{"fe80::1%lo", "or none"},
		{"http://example.org", "or none"},
		{"example.org:80", "or none"},
		{"a\"+alert(1)+\"", "or none"},
		{"b\xc3\xbc"
		 "cher.example",
			"or none"},
		{"*.example.org", "or none"},
		{"..example.org", "or none"},
		{".", "or none"},
	};

	(void)state;
	set("pac_direct", "plain, .example.org", false);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = set("pac_direct", rows[i].value, false);

		assert_contains(answer, "legal is private, plain, names such as");
		assert_contains(answer, rows[i].question);
		assert_string_equal(settings.pac_direct.text, "plain, .example.org");
	}
}

static void there_is_a_most_of_places(void **state)
{
	char name[32];

	(void)state;
	set("pac_direct", "none", false);
	for (int i = 0; i < PAGE_WORDS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_null(strstr(set("pac_direct", name, true), "legal"));
	}
	assert_contains(set("pac_direct", "one-more", true), "at most 1000");
	assert_null(strstr(set("pac_direct", "n7", true), "legal"));
	assert_int_equal(settings.pac_direct.count, PAGE_WORDS_MAX);
}

static void a_list_is_stepped_through(void **state)
{
	static const struct {
		enum direct_kind kind;
		const char *name;
	} rows[] = {
		{DIRECT_NAME, "nas"},
		{DIRECT_PRIVATE, ""},
		{DIRECT_AND_BELOW, "example.org"},
		{DIRECT_PLAIN, ""},
		{DIRECT_NETWORK, ""},
	};
	const char *cursor = NULL;
	struct direct_place place;
	char text[NETWORK_TEXT_MAX];

	(void)state;
	set("pac_direct", "NAS, private, .example.org, plain, 203.0.113.0/24", false);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(direct_next(&settings.pac_direct, &cursor, &place));
		assert_int_equal(place.kind, rows[i].kind);
		assert_string_equal(place.name, rows[i].name);
		assert_int_equal(place.name_len, strlen(rows[i].name));
	}
	assert_string_equal(network_format(&place.network, text), "203.0.113.0/24");
	assert_false(direct_next(&settings.pac_direct, &cursor, &place));
	set("pac_direct", "none", false);
	cursor = NULL;
	assert_false(direct_next(&settings.pac_direct, &cursor, &place));
}

static void the_proxy_has_names_and_addresses(void **state)
{
	static const struct set_value rows[] = {
		{"Proxy.Example.org.", "proxy.example.org", false},
		{"proxy 203.0.113.7 2001:db8::7", "proxy, 203.0.113.7, [2001:db8::7]", false},
		{"[2001:db8::7], wpad", "proxy, 203.0.113.7, [2001:db8::7], wpad", true},
		{"", "", false},
	};

	(void)state;
	expect_values("proxy_name", rows, COUNT(rows));
}

static void these_are_no_names_of_the_proxy(void **state)
{
	static const char *const values[] = {".example.org", "proxy:1080", "203.0.113.0/24",
		"203.0.113.7:1080", "http://proxy/", "fe80::1%lo", "pro\"xy", "<proxy>"};

	(void)state;
	set("proxy_name", "proxy", false);
	for (size_t i = 0; i < COUNT(values); i++) {
		assert_contains(set("proxy_name", values[i], false), "legal is names such as");
		assert_string_equal(settings.proxy_name.text, "proxy");
	}
}

static void the_proxy_is_known_by_its_names(void **state)
{
	static const struct {
		const char *host, *as; /* NULL: it is not meant */
	} rows[] = {
		{"proxy.example.org", "proxy.example.org"},
		{"PROXY.example.org.", "proxy.example.org"},
		{"203.0.113.7", "203.0.113.7"},
		{"2001:db8::7", "[2001:db8::7]"},
		{"[2001:DB8:0::7]", "[2001:db8::7]"},
		{"::ffff:203.0.113.7", "203.0.113.7"},
		{"example.org", NULL},
		{"proxy.example.org.evil.example", NULL},
		{"proxy", NULL},
		{"proxy.example.org, 203.0.113.7", NULL},
		{"", NULL},
	};
	const struct word_list *list = &settings.proxy_name;
	char as[RULE_NAME_MAX + 1];

	(void)state;
	set("proxy_name", "", false);
	assert_string_equal(proxy_names_first(list, as), "");
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_false(proxy_names_find(list, rows[i].host, strlen(rows[i].host), as));
	set("proxy_name", "[2001:db8::7], proxy.example.org, 203.0.113.7", false);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].host);
		bool found = proxy_names_find(list, rows[i].host, len, as);

		assert_int_equal(found, rows[i].as != NULL);
		assert_int_equal(proxy_names_find(list, rows[i].host, len, NULL), found);
		if (found)
			assert_string_equal(as, rows[i].as);
	}
	assert_string_equal(proxy_names_first(list, as), "[2001:db8::7]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_defaults, free_values)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(these_are_reached_without_the_proxy),
		TEST(what_is_no_place_is_refused),
		TEST(there_is_a_most_of_places),
		TEST(a_list_is_stepped_through),
		TEST(the_proxy_has_names_and_addresses),
		TEST(these_are_no_names_of_the_proxy),
		TEST(the_proxy_is_known_by_its_names),
	};

	return cmocka_run_group_tests_name("state/page_settings", tests, NULL, NULL);
}
