/* The configuration file: what is taken is written and read back the same. */
#include "fuzz.h"

#include <string.h>

#include "state/config.h"

static void check_settings(const struct settings *s)
{
	char why[SETTING_ERROR_MAX];
	struct settings copy;

	FUZZ_CHECK(settings_init(&copy) == 0);
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_table[i];

		char *text = setting_format(setting, s), *again;

		FUZZ_CHECK(text != NULL);
		FUZZ_CHECK(setting_set(setting, &copy, &(struct setting_input){.text = text}, why));
		FUZZ_CHECK(setting_equal(setting, &copy, s));
		again = setting_format(setting, &copy);
		FUZZ_CHECK(again != NULL && strcmp(again, text) == 0);
		free(again);
		free(text);
	}
	settings_free(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct config_source source = {.path = fuzz_file(bytes, len)};
	char error[CONFIG_ERROR_MAX];
	struct config *c = config_read(&source, error);

	FUZZ_CHECK(c != NULL || strlen(error) > 0);
	if (c != NULL)
		check_settings(&c->settings);
	config_release(c);
	return 0;
}
