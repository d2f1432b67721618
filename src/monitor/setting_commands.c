/*
 * A value that is given here holds as if it stood in the file, until the file says something new of
 * it (change.h).
 */
#include "monitor/setting_commands.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "monitor/setting_lines.h"

static void add_setting(
	struct reply *r, const struct setting *setting, const struct settings *settings)
{
	char *value = setting_format(setting, settings);

	if (value == NULL)
		r->failed = true;
	else
		reply_add(r, "%s:%s\n", setting->name, value);
	free(value);
}

static void show_settings(
	const struct monitor_request *q, const struct setting *only, struct reply *r)
{
	struct config *c = config_get(q->services->config);

	reply_add(r, "OK\n");
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (only == NULL || only == &settings_table[i])
			add_setting(r, &settings_table[i], &c->settings);
	}
	config_release(c);
}

/* `""` is how an empty value is written. */
static void change_setting(const struct monitor_request *q, const struct setting *setting,
	const char *value, struct reply *r)
{
	char why[CHANGE_REPLY_MAX];

	if (server_set(q->server, setting, strcmp(value, "\"\"") == 0 ? "" : value, why) < 0)
		reply_error(r, "%s", why);
	else
		reply_add(r, "OK %s set to %s\n", setting->name, value);
}

void setting_command_config(const struct monitor_request *q, struct reply *r)
{
	const struct setting *setting = q->count == 0 ? NULL : settings_find(q->parameters[0]);
	char hint[NEAREST_HINT_MAX];

	if (q->count > 0 && setting == NULL)
		reply_error(r, "Unknown parameter: %s%s", q->parameters[0],
			setting_name_hint(settings_table, SETTINGS_COUNT, q->parameters[0], hint));
	else if (q->count < 2)
		show_settings(q, setting, r);
	else
		change_setting(q, setting, q->parameters[1], r);
}

void setting_command_settings(const struct monitor_request *q, struct reply *r)
{
	struct config *now = config_get(q->services->config);

	setting_lines_put(r, now, server_base(q->server), q->count > 0 ? q->parameters[0] : "");
	config_release(now);
}

void setting_command_log_level(const struct monitor_request *q, struct reply *r)
{
	change_setting(q, settings_find("log_level"), q->parameters[0], r);
}

void setting_command_reload(const struct monitor_request *q, struct reply *r)
{
	char what[CHANGE_REPLY_MAX];
	bool cuts = q->count > 0;

	if (cuts && strcasecmp(q->parameters[0], "CUT") != 0)
		reply_error(r, "\"%s\": legal is CUT, or nothing", q->parameters[0]);
	else if (server_reload(q->server, cuts, what) < 0)
		reply_error(r, "%s", what);
	else
		reply_add(r, "OK %s\n", what);
}
