/* state/rate_types: rates as the configuration has them. */
#include "state/rate_types.h"

#include "state/settings.h"

#include "../base/check.h"

static struct settings values;
static char why[SETTING_ERROR_MAX];

static bool put(const char *name, const char *text, bool adds)
{
	const struct setting_input in = {.text = text, .adds = adds};

	return setting_set(settings_find(name), &values, &in, why);
}

static void assert_written(const char *name, const char *text)
{
	char *written = setting_format(settings_find(name), &values);

	assert_string_equal(written, text);
	free(written);
}

static int setup(void **state)
{
	(void)state;
	return settings_init(&values);
}

static int teardown(void **state)
{
	(void)state;
	settings_free(&values);
	return 0;
}

static void reads_a_rate_for_both_ways_or_each(void **state)
{
	(void)state;
	assert_written("rate_total", "none");
	assert_true(put("rate_total", "100Mbit", false));
	assert_int_equal(values.rate_total.down, 12500000);
	assert_int_equal(values.rate_total.up, 12500000);
	assert_written("rate_total", "100Mbit");
	assert_true(put("rate_total", "2Mbit/512kbit", false));
	assert_int_equal(values.rate_total.down, 250000);
	assert_int_equal(values.rate_total.up, 64000);
	assert_written("rate_total", "2Mbit/512kbit");
	assert_true(put("rate_total", "none", false));
	assert_int_equal(values.rate_total.down, 0);
}

/* What is wrong with it, and what is legal. */
static void names_the_word_and_what_is_legal(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} rows[] = {
		{"rate_total", "20", "\"20\": bits or bytes? Write 20kbit or 20kB"},
		{"rate_total", "20", "legal is none or a rate such as 100Mbit"},
		{"rate_total", "20Mbit/5", "\"5\": bits or bytes?"},
		{"rate_total", "fast", "\"fast\": legal is a rate"},
		{"rate_total", "20mb", "\"20mb\": "},
		{"rate_total", "0Mbit", "\"0Mbit\": legal is a rate from"},
		{"group_rate", "pupils 50Mbit", "\"pupils\": no group's name"},
		{"group_rate", "@pupils", "\"@pupils\": it has no rate; legal is @GROUP"},
		{"group_rate", "@pupils 50", "\"50\": bits or bytes?"},
		{"group_rate", "@pupils 50Mbit 20Mbit", "\"20Mbit\": one rate is enough"},
		{"group_rate", "@pupils 50Mbit; @pupils 20Mbit", "it has a rate already"},
		{"group_rate", "@a,b 50Mbit", "\"@a,b\": the name of a group"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_false(put(rows[i].name, rows[i].text, false));
		assert_contains(why, rows[i].says);
	}
	assert_written("rate_total", "none");
	assert_written("group_rate", "");
}

static void has_a_line_for_each_group(void **state)
{
	(void)state;
	assert_true(put("group_rate", "@pupils\t50Mbit", false));
	assert_true(put("group_rate", "  @room12  10Mbit/1Mbit ", true));
	assert_written("group_rate", "@pupils 50Mbit; @room12 10Mbit/1Mbit");
	assert_false(put("group_rate", "@pupils 1Mbit", true));
	assert_int_equal(values.group_rates.count, 2);
	assert_true(put("group_rate", "@staff 1GB; @pupils 1Mbit;", false));
	assert_written("group_rate", "@staff 8Gbit; @pupils 1Mbit");
	assert_true(put("group_rate", "", false));
	assert_int_equal(values.group_rates.count, 0);
}

static void has_room_for_so_many_groups(void **state)
{
	char text[32];

	(void)state;
	for (int i = 0; i < THROTTLE_GROUPS_MAX; i++) {
		snprintf(text, sizeof(text), "@g%d 1Mbit", i);
		assert_true(put("group_rate", text, i > 0));
	}
	assert_false(put("group_rate", "@more 1Mbit", true));
	assert_contains(why, "there are 64 already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			reads_a_rate_for_both_ways_or_each, setup, teardown),
		cmocka_unit_test_setup_teardown(names_the_word_and_what_is_legal, setup, teardown),
		cmocka_unit_test_setup_teardown(has_a_line_for_each_group, setup, teardown),
		cmocka_unit_test_setup_teardown(has_room_for_so_many_groups, setup, teardown),
	};

	return cmocka_run_group_tests_name("state/rate_types", tests, NULL, NULL);
}
