/* The settings that are lists of lines (groups, limits, expectations, rules, upstreams, what is
 * protected): how they are written, what is added, copied and equal, what is refused in which
 * words, and that neither a wrong line nor want of memory changes a value. */
#include "defaults.h"

#include "../base/faults_all.h"

/* ---- values ---- */

/* A value, one that is added to it, both as they are written, and one of as many lines as the first
 * that is another. */
static const struct list_case {
	const char *name, *one, *more, *both, *another;
} cases[] = {
	{"client_group", "@room 192.168.12.0/24 192.168.13.5", "@room 10.0.0.1; @lab fd00::/8",
		"@room 192.168.12.0/24, 192.168.13.5/32, 10.0.0.1/32; @lab fd00::/8",
		"@room 192.168.12.0/24 192.168.13.6"},
	{"client_group", "@a 10.0.0.1", "@b 10.0.0.2; @c 10.0.0.3; @d 10.0.0.4; @e 10.0.0.5",
		"@a 10.0.0.1/32; @b 10.0.0.2/32; @c 10.0.0.3/32; @d 10.0.0.4/32; @e 10.0.0.5/32",
		"@b 10.0.0.1"},
	{"group_defaults", "@pupils sessions=10 quota=1GB/day", "@staff rate=20Mbit",
		"@pupils sessions=10 quota=1GB/day; @staff rate=20Mbit", "@others sessions=10"},
	{"client_limits", "192.168.1.50, @room12 rate=2Mbit", "10.0.0.0/8 sessions=3",
		"192.168.1.50, @room12 rate=2Mbit; 10.0.0.0/8 sessions=3",
		"192.168.1.51, @room12 rate=2Mbit"},
	{"client_limits", "@room12 rate=2Mbit", "@room13 sessions=3",
		"@room12 rate=2Mbit; @room13 sessions=3", "10.0.0.0/8 rate=2Mbit"},
	{"expect", "allow from=192.168.1.5 to=example.org:443",
		"deny from=192.168.1.5 to=nas@192.168.1.9:22",
		"allow from=192.168.1.5 to=example.org:443; "
		"deny from=192.168.1.5 to=nas@192.168.1.9:22",
		"allow from=192.168.1.6 to=example.org:443"},
	{"expect", "allow from=192.168.1.5 to=192.168.1.9:443", "deny from=10.0.0.1 to=a.b:1",
		"allow from=192.168.1.5 to=192.168.1.9:443; deny from=10.0.0.1 to=a.b:1",
		"deny from=192.168.1.5 to=192.168.1.9:443"},
	{"rule", "deny to .example.org", "allow to 10.0.0.0/8",
		"deny to .example.org; allow to 10.0.0.0/8", "deny to .example.com"},
	{"upstream", "a socks5://192.0.2.1:1080", "b http://192.0.2.2:3128",
		"a socks5://192.0.2.1:1080; b http://192.0.2.2:3128", "c socks5://192.0.2.1:1080"},
	{"group_rate", "@pupils 50Mbit", "@staff 20Mbit", "@pupils 50Mbit; @staff 20Mbit",
		"@pupils 51Mbit"},
	{"protect", "loopback", "metadata", "loopback, metadata", "none"},
};

static const struct setting *setting_of(const struct list_case *row)
{
	const struct setting *setting = settings_find(row->name);

	assert_non_null(setting);
	return setting;
}

static void lines_are_added_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct list_case *row = &cases[i];

		set(row->name, row->one, false);
		assert_string_equal(set(row->name, row->more, true), row->both);
		/* What is written means the same. */
		assert_string_equal(set(row->name, row->both, false), row->both);
	}
}

static void a_copy_is_equal_and_another_value_is_not(void **state)
{
	struct settings other;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct list_case *row = &cases[i];
		const struct setting *setting = setting_of(row);

		assert_int_equal(settings_init(&other), 0);
		set(row->name, row->one, false);
		assert_int_equal(setting_copy(setting, &other, &settings), 0);
		assert_true(setting_equal(setting, &other, &settings));
		set(row->name, row->more, true);
		if (setting_equal(setting, &other, &settings))
			fail_msg("%s: \"%s\" is \"%s\"", row->name, row->one, row->both);
		set(row->name, row->another, false);
		if (setting_equal(setting, &other, &settings))
			fail_msg("%s: \"%s\" is \"%s\"", row->name, row->one, row->another);
		settings_free(&other);
	}
}

/* ---- what is wrong ---- */

static void a_wrong_line_is_told_and_changes_nothing(void **state)
{
	static const struct {
		const char *name, *good, *wrong, *says;
	} rows[] = {
		{"client_group", "@a 10.0.0.1", "@b 10.0.0.1/8", "did you mean 10.0.0.0/8?"},
		{"client_group", "@a 10.0.0.1", "@b", "\"@b\": it has no networks"},
		{"client_group", "@a 10.0.0.1", "b 10.0.0.1", "\"b\": legal is @NAME and networks"},
		{"client_group", "@a 10.0.0.1", "@ 10.0.0.1", "\"@\": legal is @NAME and networks"},
		{"client_group", "@a 10.0.0.1", "@c 10.0.0.2; @b! 10.0.0.1", "\"@b!\": legal is"},
		{"client_group", "@a 10.0.0.1", "@b host", "\"host\": legal are networks"},
		{"user_defaults", "sessions=5", "sessions=x", "legal is none or a number"},
		{"user_defaults", "sessions=5", "colour=red", "colour"},
		{"group_defaults", "@a sessions=1", "@b", "legal is @GROUP KEY=VALUE"},
		{"group_defaults", "@a sessions=1", "b sessions=1", "\"b\": legal is @GROUP KEY"},
		{"group_defaults", "@a sessions=1", "@b @c sessions=1", "\"@c\": one group a line"},
		{"group_defaults", "@a sessions=1", "@b sessions=x", "sessions=x"},
		{"group_defaults", "@a sessions=1", "@ sessions=1", "\"@\": "},
		{"group_defaults", "@a sessions=1", "@b sessions=1; @b rate=1Mbit",
			"\"b\": this group was there already"},
		{"client_limits", "10.0.0.1 sessions=1", "host sessions=1",
			"\"host\": legal are addresses, networks"},
		{"client_limits", "10.0.0.1 sessions=1", "sessions=1", "legal is WHO, WHO"},
		{"expect", "allow from=10.0.0.1 to=a.b:1", "maybe from=10.0.0.1 to=a.b:1",
			"legal is allow or deny"},
		{"expect", "allow from=10.0.0.1 to=a.b:1", "allow from=10.0.0.1 to=a.b", "a.b"},
		{"expect", "allow from=10.0.0.1 to=a.b:1", "deny from=10.0.0.2 to=a.b:1; allow",
			"legal is allow or deny"},
		{"rule", "deny to .example.org", "deny to", "to"},
		{"rule", "deny to .example.org", "forbid to a.b", "forbid"},
		{"protect", "loopback", "", "legal is loopback"},
		{"protect", "loopback", "none metadata", ", several of these, or none"},
		{"protect", "loopback", "loopbak", "did you mean loopback?"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char before[2 * SETTING_ERROR_MAX];

		snprintf(before, sizeof(before), "%s", set(rows[i].name, rows[i].good, false));
		for (int adds = 0; adds < 2; adds++) {
			char *after;

			if (strcmp(rows[i].wrong, "none metadata") == 0 && adds == 1)
				continue;
			assert_contains(set(rows[i].name, rows[i].wrong, adds == 1), rows[i].says);
			after = setting_format(settings_find(rows[i].name), &settings);
			assert_string_equal(after, before);
			free(after);
		}
	}
}

static void what_is_legal_is_told_of_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *legal = setting_legal(setting_of(&cases[i]));

		assert_non_null(legal);
		assert_true(strlen(legal) > 10);
		free(legal);
	}
}

/* ---- without memory ---- */

static void assert_value(const struct list_case *row, const struct settings *values)
{
	if (!setting_equal(setting_of(row), &settings, values))
		fail_msg("%s: \"%s\" has changed", row->name, row->one);
}

static void assert_written(const struct list_case *row, const char *text)
{
	char *written = setting_format(setting_of(row), &settings);

	assert_non_null(written);
	assert_string_equal(written, text);
	free(written);
}

/* With each allocation failing in turn. That memory cannot be made less is no reason not to take
 * the value. */
static void want_of_memory_changes_no_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const struct list_case *row = &cases[i / 2];
		bool adds = i % 2 == 1, struck = true;
		const struct setting_input in = {
			.text = adds ? row->more : row->another, .adds = adds};
		char why[SETTING_ERROR_MAX], before[2 * SETTING_ERROR_MAX];

		for (int n = 1; struck; n++) {
			bool works;

			snprintf(before, sizeof(before), "%s", set(row->name, row->one, false));
			faults_fail(n);
			works = setting_set(setting_of(row), &settings, &in, why);
			struck = faults_struck();
			assert_true(works || struck);
			if (!works)
				assert_written(row, before);
			else if (adds)
				assert_written(row, row->both);
		}
	}
}

static void want_of_memory_leaves_a_copy_as_it_was(void **state)
{
	struct settings to;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct list_case *row = &cases[i];

		assert_int_equal(settings_init(&to), 0);
		set(row->name, row->one, false);
		assert_int_equal(setting_copy(setting_of(row), &to, &settings), 0);
		set(row->name, row->another, false);
		faults_fail(1);
		for (int n = 2; setting_copy(setting_of(row), &to, &settings) < 0; n++) {
			assert_true(faults_struck());
			assert_false(setting_equal(setting_of(row), &to, &settings));
			faults_fail(n);
		}
		assert_false(faults_struck());
		assert_value(row, &to);
		settings_free(&to);
	}
}

/* Its defaults are read as values are. */
static void want_of_memory_leaves_no_settings_behind(void **state)
{
	struct settings made;
	int n = 1;

	(void)state;
	for (faults_fail(n); settings_init(&made) < 0; faults_fail(++n))
		assert_true(faults_struck());
	assert_false(faults_struck());
	assert_true(n > 1);
	settings_free(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			lines_are_added_in_order, set_defaults, free_values),
		cmocka_unit_test_setup_teardown(
			a_copy_is_equal_and_another_value_is_not, set_defaults, free_values),
		cmocka_unit_test_setup_teardown(
			a_wrong_line_is_told_and_changes_nothing, set_defaults, free_values),
		cmocka_unit_test_setup_teardown(
			what_is_legal_is_told_of_each, set_defaults, free_values),
		cmocka_unit_test_setup_teardown(
			want_of_memory_changes_no_value, set_defaults, free_values),
		cmocka_unit_test_setup_teardown(
			want_of_memory_leaves_a_copy_as_it_was, set_defaults, free_values),
		cmocka_unit_test(want_of_memory_leaves_no_settings_behind),
	};

	return cmocka_run_group_tests_name("state/list_types", tests, NULL, NULL);
}
