/* shared_setting: which places it takes, that no password gets out, and what is local. */
#include "state/shared_setting.h"

#include "defaults.h"

static const struct shared_place *place(void)
{
	return &settings.shared;
}

/* As in a file, where a password may stand. */
static const char *set_in_file(const char *value)
{
	static char why[SETTING_ERROR_MAX];
	const struct setting_input in = {.text = value, .place = {.file = "f", .line = 1}};

	return setting_set(settings_find("shared"), &settings, &in, why) ? "" : why;
}

static void each_form_is_shown_as_it_would_be_written(void **state)
{
	static const struct {
		const char *value, *shown;
	} rows[] = {
		{"redis://10.0.0.5:6380/3", "redis://10.0.0.5:6380/3"},
		{"REDIS://engine.example.org", "redis://engine.example.org:6379/0"},
		{"redis://[2001:db8::1]:6379/", "redis://[2001:db8::1]:6379/0"},
		{"redis://[::1]", "redis://[::1]:6379/0"},
		{"unix:/run/redis/redis.sock", "unix:/run/redis/redis.sock?db=0"},
		{"unix:/run/redis.sock?db=16383", "unix:/run/redis.sock?db=16383"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(set("shared", rows[i].value, false), rows[i].shown);
}

static void what_is_no_place_is_refused_by_its_part(void **state)
{
	static const struct {
		const char *value, *why;
	} rows[] = {
		{"http://h", "legal is redis://HOST:PORT/DB"},
		{"redis://", "there is a host"},
		{"redis://:6379", "there is a host"},
		{"redis://[::1", "there is a host"},
		{"redis://::1", "there is a host"},
		{"redis://[10.0.0.1]", "there is a host"},
		{"redis://a b", "there is a host"},
		{"redis://h:0", "from 1 to 65535"},
		{"redis://h:65536", "from 1 to 65535"},
		{"redis://[::1]6379", "from 1 to 65535"},
		{"redis://h:x", "from 1 to 65535"},
		{"redis://h/16384", "a number from 0 to 16383"},
		{"redis://h/x", "a number from 0 to 16383"},
		{"unix:", "begins with /"},
		{"unix:run/redis", "begins with /"},
		{"unix:/run/redis?db=", "a number from 0 to 16383"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_contains(set("shared", rows[i].value, false), rows[i].why);
}

static void a_password_stands_in_a_file_and_is_never_shown(void **state)
{
	char text[SHARED_TEXT_MAX], *formatted;

	(void)state;
	assert_string_equal(set_in_file("redis://us%65r:p%40ss%2Fw@h:1/2"), "");
	assert_string_equal(place()->user, "user");
	assert_string_equal(place()->password, "p@ss/w");
	formatted = setting_format(settings_find("shared"), &settings);
	assert_string_equal(formatted, "redis://user:***@h:1/2");
	free(formatted);
	assert_string_equal(shared_place_format(place(), text), "redis://h:1/2");
	assert_string_equal(set_in_file("redis://:secret@h"), "");
	assert_string_equal(place()->user, "");
	assert_contains(set("shared", "redis://:secret@h", false), "use shared_password_file");
	assert_null(strstr(set("shared", "redis://:secret@h", false), "secret"));
	assert_null(strstr(set_in_file("redis://:secret@"), "secret"));
	assert_contains(set_in_file("redis://user:***@h"), "write it out");
	assert_contains(set_in_file("redis://user@h"), "USER:PASSWORD");
	assert_contains(set_in_file("redis://:%zz@h"), "255 bytes at most");
	assert_contains(set_in_file("redis://:%00@h"), "255 bytes at most");
	assert_string_equal(place()->password, "secret");
}

static void what_differs_in_any_part_is_another_place(void **state)
{
	static const char *const others[] = {"redis://:p@g:1/2", "redis://:p@h:2/2",
		"redis://:p@h:1/3", "redis://:q@h:1/2", "redis://u:p@h:1/2", "unix:/h"};
	struct settings first;
	char why[SETTING_ERROR_MAX];
	const struct setting *row = settings_find("shared");
	struct setting_input in = {.text = "redis://:p@h:1/2", .place = {.file = "f", .line = 1}};

	(void)state;
	assert_int_equal(settings_init(&first), 0);
	assert_true(setting_set(row, &first, &in, why));
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_string_equal(set_in_file(others[i]), "");
		assert_false(setting_equal(row, &first, &settings));
	}
	assert_string_equal(set_in_file(in.text), "");
	assert_true(setting_equal(row, &first, &settings));
	settings_free(&first);
}

static void loopback_and_sockets_are_local(void **state)
{
	static const struct {
		const char *value;
		bool is_set, is_local;
	} rows[] = {{"", false, false}, {"redis://127.0.0.1", true, true},
		{"redis://[::1]", true, true}, {"redis://LocalHost", true, true},
		{"unix:/a", true, true}, {"redis://10.0.0.1", true, false},
		{"redis://engine", true, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(set_in_file(rows[i].value), "");
		assert_int_equal(shared_place_is_set(place()), rows[i].is_set);
		if (rows[i].is_set)
			assert_int_equal(shared_place_is_local(place()), rows[i].is_local);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_defaults, free_values)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_form_is_shown_as_it_would_be_written),
		TEST(what_is_no_place_is_refused_by_its_part),
		TEST(a_password_stands_in_a_file_and_is_never_shown),
		TEST(what_differs_in_any_part_is_another_place),
		TEST(loopback_and_sockets_are_local),
	};

	return cmocka_run_group_tests_name("state/shared_setting", tests, NULL, NULL);
}
