/* defaults: the settings as they come, and what becomes of one that is set, for tests of types. */
#ifndef TESTS_STATE_DEFAULTS_H
#define TESTS_STATE_DEFAULTS_H

#include <stdio.h>

#include "../base/check.h"
#include "state/settings.h"

static struct settings settings;

static inline int set_defaults(void **state)
{
	(void)state;
	return settings_init(&settings);
}

static inline int free_values(void **state)
{
	(void)state;
	settings_free(&settings);
	return 0;
}

/* What the setting comes to, or why it does not: valid until the next call. */
static inline const char *set(const char *name, const char *value, bool adds)
{
	static char answer[2 * SETTING_ERROR_MAX];
	const struct setting *setting = settings_find(name);
	const struct setting_input in = {.text = value, .adds = adds};
	char *text;

	assert_non_null(setting);
	if (!setting_set(setting, &settings, &in, answer))
		return answer;
	text = setting_format(setting, &settings);
	assert_non_null(text);
	snprintf(answer, sizeof(answer), "%s", text);
	free(text);
	return answer;
}

/* What becomes of values that are set one after the other. */
struct set_value {
	const char *value, *formatted;
	bool adds;
};

static inline void expect_values(const char *name, const struct set_value *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal(set(name, rows[i].value, rows[i].adds), rows[i].formatted);
}

#endif
