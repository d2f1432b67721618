/*
 * A verdict has one word for what decided it. Numbers are rules, each with the place of its line;
 * "otherwise" and what is protected are settings, whose places the configuration knows; the others
 * are built in.
 */
#include "state/rule_origin.h"

#include <string.h>

#include "base/parse.h"

/* Temporary rules come first, and there are few of them; behind them the number says where. */
bool rule_origin_find(const struct config *c, const char *word, struct rule_info *out)
{
	size_t count = rules_count(c->rules), first;
	int64_t number;

	for (first = 0; first < count; first++) {
		*out = rules_get(c->rules, first);
		if (out->rule->number == 0)
			break;
		if (strcmp(out->word, word) == 0)
			return true;
	}
	if (!parse_number(word, &number) || number < 1 || (uint64_t)number > count - first)
		return false;
	*out = rules_get(c->rules, first + (size_t)number - 1);
	return true;
}

/* The setting that a word stands for; NULL: none. */
static const struct setting *setting_behind(const char *word)
{
	if (strcmp(word, "otherwise") == 0)
		return settings_find("otherwise");
	return strncmp(word, "protect:", 8) == 0 ? settings_find("protect") : NULL;
}

static void put_origin(const struct config *c, const struct setting *setting, FILE *out)
{
	static const char *const words[] = {[CONFIG_FROM_DEFAULT] = "default",
		[CONFIG_FROM_FLAG] = "flag",
		[CONFIG_FROM_COMMAND] = "command",
		[CONFIG_FROM_SYSTEMD] = "systemd"};
	const struct config_origin *origin = &c->origins[setting - settings_table];

	if (origin->from == CONFIG_FROM_FILE)
		fprintf(out, "%s:%u", c->path, origin->line);
	else
		fputs(words[origin->from], out);
}

void rule_origin_put_place(const struct config *c, const char *word, FILE *out)
{
	const struct setting *setting = setting_behind(word);
	struct rule_info info;

	if (setting != NULL)
		put_origin(c, setting, out);
	else if (!rule_origin_find(c, word, &info))
		fputs("built-in", out);
	else if (info.rule->number > 0)
		fputs("temporary", out);
	else if (info.rule->place.file != NULL)
		fprintf(out, "%s:%u", info.rule->place.file, info.rule->place.line);
	else
		put_origin(c, settings_find("rule"), out);
}

void rule_origin_put_text(const struct config *c, const char *word, FILE *out)
{
	static const struct {
		const char *word, *text;
	} built_in[] = {{"no_port", "no connection goes to port 0"},
		{"unspecified", "no connection goes to an unspecified address"},
		{"own", "no connection goes to the proxy's own listeners"}};
	const struct setting *setting = setting_behind(word);
	struct rule_info info;

	if (rule_origin_find(c, word, &info)) {
		fputs(info.rule->text, out);
	} else if (setting != NULL) {
		fprintf(out, "%s = ", setting->name);
		setting_put(setting, &c->settings, out);
	}
	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
		if (strcmp(word, built_in[i].word) == 0)
			fputs(built_in[i].text, out);
	}
}
