/* ban_setting: what the settings ban and ban_exempt take, as tables. */
#include "state/ban_setting.h"

#include "defaults.h"

static void a_rule_is_a_sentence(void **state)
{
	static const struct {
		const char *value, *formatted;
	} rows[] = {
		{"10 in 10m for 1m to 1d", "10 in 10m for 1m to 1d"},
		{"  3\tin 90  for 60 to 60 ", "3 in 90s for 1m to 1m"},
		{"1 in 1s for 1s to 3650d", "1 in 1s for 1s to 3650d"},
		{"100 in 1d for 1h to 30d", "100 in 1d for 1h to 30d"},
		{"off", "off"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(set("ban", rows[i].value, false), rows[i].formatted);
}

static void no_other_sentence_is_one(void **state)
{
	static const char *const values[] = {"", "on", "10", "10 in 10m", "10 in 10m for 1m",
		"10 in 10m for 1m to", "10 in 10m for 1m to 1d or so", "0 in 10m for 1m to 1d",
		"101 in 10m for 1m to 1d", "10 within 10m for 1m to 1d", "10 in 500ms for 1m to 1d",
		"10 in 10m for 0s to 1d", "10 in 10m for 1m to 3651d", "10, in 10m for 1m to 1d",
		"-1 in 10m for 1m to 1d", "off off",
		("10 in 1000000000000000000000000000000000000000000000000000000000000000000000000"
		 "0000000000000000000000000000000000000000000000000000000000000000000000000000 "
		 "for 1m to 1d")};

	(void)state;
	set("ban", "7 in 7m for 7m to 7d", false);
	for (size_t i = 0; i < COUNT(values); i++) {
		assert_contains(set("ban", values[i], false),
			"legal is off, or NUMBER in TIME for TIME to TIME such as 10 in 10m for 1m "
			"to 1d (a number from 1 to 100, times from 1s to 3650d)");
		assert_int_equal(settings.ban.failures, 7);
	}
	assert_string_equal(set("ban", "10 in 10m for 1d to 1m", false),
		"\"10 in 10m for 1d to 1m\": the longest ban is shorter than the first one");
}

static void exempt_are_loopback_and_networks(void **state)
{
	static const struct set_value rows[] = {
		{"loopback", "loopback", false},
		{"none", "none", false},
		{"", "none", false},
		{"192.168.1.0/24 10.0.0.1", "192.168.1.0/24, 10.0.0.1/32", false},
		{"loopback", "loopback, 192.168.1.0/24, 10.0.0.1/32", true},
		{"2001:db8::/32, loopback", "loopback, 2001:db8::/32", false},
	};

	(void)state;
	expect_values("ban_exempt", rows, COUNT(rows));
}

static void what_is_no_network_is_asked_about(void **state)
{
	static const struct {
		const char *value, *question;
	} rows[] = {
		{"lopback", "; did you mean loopback?"},
		{"loopback, 192.168.1.7/24", "; did you mean 192.168.1.0/24?"},
		{"nobody at all", "or none"},
		{"none, loopback", "or none"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = set("ban_exempt", rows[i].value, false);

		assert_contains(answer, "legal is loopback and networks such as 203.0.113.0/24");
		assert_contains(answer, rows[i].question);
		assert_true(settings.ban_exempt.loopback);
	}
}

static void these_are_exempt(void **state)
{
	static const struct {
		const char *exempt, *address;
		bool is_exempt;
	} rows[] = {
		{"loopback", "127.0.0.9", true},
		{"loopback", "::1", true},
		{"loopback", "192.168.1.1", false},
		{"none", "127.0.0.1", false},
		{"192.168.1.0/24", "192.168.1.1", true},
		{"192.168.1.0/24", "192.168.2.1", false},
		{"192.168.1.0/24", "127.0.0.1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a;

		set("ban_exempt", rows[i].exempt, false);
		assert_true(addr_parse(rows[i].address, strlen(rows[i].address), &a));
		assert_int_equal(exempt_has(&settings.ban_exempt, &a), rows[i].is_exempt);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_defaults, free_values)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rule_is_a_sentence),
		TEST(no_other_sentence_is_one),
		TEST(exempt_are_loopback_and_networks),
		TEST(what_is_no_network_is_asked_about),
		TEST(these_are_exempt),
	};

	return cmocka_run_group_tests_name("state/ban_setting", tests, NULL, NULL);
}
