/*
 * Where a value comes from is kept with it in each configuration. What the file says is another
 * matter: a flag or a command may stand over it, or it waits for the next start; so that is looked
 * up in what was read last.
 */
#include "monitor/setting_lines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

/* " key:value" with the value as one word. */
static void add_pair(struct reply *r, const char *key, const char *value)
{
	size_t len = value == NULL ? 0 : strlen(value);
	char *word = value == NULL ? NULL : malloc(4 * len + 1);

	if (word == NULL)
		r->failed = true;
	else
		reply_add(r, " %s:%s", key, escape_word(value, len, word, 4 * len + 1));
	free(word);
}

/* A value that was made for this, and is freed. */
static void add_own_pair(struct reply *r, const char *key, char *value)
{
	add_pair(r, key, value);
	free(value);
}

static void add_origin(struct reply *r, const struct config *now, const struct config_origin *o)
{
	static const char *const words[] = {
		[CONFIG_FROM_DEFAULT] = "default",
		[CONFIG_FROM_FLAG] = "flag",
		[CONFIG_FROM_COMMAND] = "command",
		[CONFIG_FROM_SYSTEMD] = "systemd",
	};

	if (o->from != CONFIG_FROM_FILE) {
		add_pair(r, "from", words[o->from]);
		return;
	}
	add_pair(r, "from", now->path);
	reply_add(r, ":%u", o->line);
}

static const char *when_it_takes_effect(const struct setting *setting)
{
	if (!setting->reloadable)
		return "at_start";
	return setting->is_files ? "on_reload" : "at_once";
}

/* Has it been given another value since, which the next start takes? */
static bool waits_for_start(
	const struct setting *setting, const struct config *now, const struct config *base)
{
	return !setting->reloadable && !setting_equal(setting, &now->settings, &base->settings);
}

static void add_setting_line(
	struct reply *r, const struct config *now, const struct config *base, size_t index)
{
	const struct setting *setting = &settings_table[index];

	reply_add(r, "name:%s", setting->name);
	add_own_pair(r, "value", setting_format(setting, &now->settings));
	add_origin(r, now, &now->origins[index]);
	add_own_pair(r, "file", config_in_file(base, setting));
	add_pair(r, "default", setting->initial);
	reply_add(r, " takes_effect:%s waits:%s", when_it_takes_effect(setting),
		waits_for_start(setting, now, base) ? "yes" : "-");
	add_own_pair(r, "legal", setting_legal(setting));
	add_pair(r, "help", setting->help);
	reply_add(r, "\n");
}

static int letter_of_name(char c)
{
	return c == '-' ? '_' : tolower((unsigned char)c);
}

static bool begins_with(const char *name, const char *word)
{
	while (*word != '\0' && letter_of_name(*name) == letter_of_name(*word)) {
		name++;
		word++;
	}
	return *word == '\0';
}

static bool has_word(const char *name, const char *word)
{
	while (!begins_with(name, word)) {
		if (*name++ == '\0')
			return false;
	}
	return true;
}

void setting_lines_put(
	struct reply *r, const struct config *now, const struct config *base, const char *word)
{
	const struct setting *only = settings_find(word);
	bool found = false;

	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (only != NULL ? only != &settings_table[i]
				 : !has_word(settings_table[i].name, word))
			continue;
		if (!found)
			reply_add(r, "OK\n");
		found = true;
		add_setting_line(r, now, base, i);
	}
	if (!found)
		reply_error(r, "No setting has \"%s\" in its name", word);
}
