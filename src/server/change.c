/*
 * A change is what differs between the configuration in force and the one that is to come. All that
 * can fail comes first (effects.h), so that a change which is refused has changed nothing.
 *
 * What was set one by one while serving stands as long as file and flags say of it what they said
 * when they were read last, which is kept for that.
 */
#include "server/change.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/plural.h"
#include "server/effects.h"
#include "server/recheck.h"
#include "server/run_as.h"
#include "state/admission.h"
#include "state/rule_list.h"
#include "state/rules.h"

/* ---- what is said of a change ---- */

static bool tell(char *reply, const char *separator, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds to the reply, behind the separator if there is something already; false when there is no
 * room for the whole of it, and nothing is added. */
static bool tell(char *reply, const char *separator, const char *format, ...)
{
	size_t len = strlen(reply);
	size_t start = len == 0 ? 0 : len + strlen(separator);
	va_list ap;
	int added;

	if (start >= CHANGE_REPLY_MAX)
		return false;
	if (len > 0)
		strcpy(reply + len, separator);
	va_start(ap, format);
	added = vsnprintf(reply + start, CHANGE_REPLY_MAX - start, format, ap);
	va_end(ap);
	if (added >= 0 && (size_t)added < CHANGE_REPLY_MAX - start)
		return true;
	reply[len] = '\0';
	return false;
}

static bool differs(const struct change *change, const struct setting *setting)
{
	return !setting_equal(setting, &change->old->settings, &change->new->settings);
}

static void log_value(struct log_line *line, const char *key, const char *value)
{
	log_text(line, key, value != NULL ? value : "out of memory");
}

/* A setting that changes only at the next start. */
struct postponed {
	bool is; /* else it is not, or it does not */
	char *to; /* its value then; NULL: out of memory */
};

/* Says from what to what it changes. */
static void tell_difference(
	const struct change *change, const struct setting *setting, const char *to, char *reply)
{
	char *from = setting_format(setting, &change->old->settings);
	struct log_line line;

	log_begin(&line, setting->reloadable ? LOG_INFO : LOG_WARN,
		setting->reloadable ? "setting changed" : "setting changes only at the next start");
	log_text(&line, "setting", setting->name);
	log_value(&line, "from", from);
	log_value(&line, "to", to);
	log_end(&line);
	if (!setting->reloadable)
		tell(reply, ", ", "%s changes only at the next start", setting->name);
	else if (to == NULL ||
		!tell(reply, ", ", "%s set to %s", setting->name, *to != '\0' ? to : "empty"))
		tell(reply, ", ", "%s changed", setting->name);
	free(from);
}

/* A log that becomes more talkative says since when. */
static void begin_to_tell(const struct change *change)
{
	int64_t level = change->new->settings.log_level;

	if (level > change->old->settings.log_level)
		log_set_level((enum log_level)level);
}

static void take_back(struct change *change, size_t index)
{
	const struct setting *setting = &settings_table[index];

	if (setting_copy(setting, &change->new->settings, &change->old->settings) < 0)
		log_message(LOG_ERROR, "%s: out of memory", setting->name);
	change->new->origins[index] = change->old->origins[index];
}

/* What cannot change while running, before anything is prepared by it. */
static void take_back_postponed(struct change *change, struct postponed postponed[SETTINGS_COUNT])
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_table[i];

		postponed[i] =
			(struct postponed){.is = !setting->reloadable && differs(change, setting)};
		if (!postponed[i].is)
			continue;
		postponed[i].to = setting_format(setting, &change->new->settings);
		take_back(change, i);
	}
}

static void free_postponed(struct postponed postponed[SETTINGS_COUNT])
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		free(postponed[i].to);
}

/* Says what is different. */
static void tell_changes(
	const struct change *change, const struct postponed postponed[SETTINGS_COUNT], char *reply)
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_table[i];
		char *to;

		if (postponed[i].is) {
			tell_difference(change, setting, postponed[i].to, reply);
		} else if (differs(change, setting)) {
			to = setting_format(setting, &change->new->settings);
			tell_difference(change, setting, to, reply);
			free(to);
		}
	}
}

/* ---- from one configuration to another ---- */

/* Those of all settings that really change, and of a reload. */
static unsigned effects_of(const struct change *change)
{
	unsigned effects = EFFECTS_OF_ANY_CHANGE | (change->is_reload ? EFFECTS_OF_RELOAD : 0);

	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (settings_table[i].reloadable && differs(change, &settings_table[i]))
			effects |= settings_table[i].effects;
	}
	return effects;
}

/* Goes over to the new configuration, whose reference it takes over; finish_change() is to follow
 * when all is said of it. -1 when that is refused, with the reason in `reply`, and nothing changed.
 */
static int change_over(struct change *change, char *reply)
{
	struct postponed postponed[SETTINGS_COUNT];
	char error[CONFIG_ERROR_MAX];

	take_back_postponed(change, postponed);
	change->effects = effects_of(change);
	config_keep_own(change->new, change->old);
	if (effects_prepare(effects_table, effects_count, change->effects, change, error) < 0) {
		config_release(change->new);
		free_postponed(postponed);
		snprintf(reply, CHANGE_REPLY_MAX, "%s", error);
		return -1;
	}
	begin_to_tell(change);
	tell_changes(change, postponed, reply);
	free_postponed(postponed);
	if (change->is_reload)
		admission_decide_auto(
			change->new, users_are_given(change->site->services->users, NULL));
	effects_commit(effects_table, effects_count, change->effects, change);
	return 0;
}

static void finish_change(struct change *change)
{
	effects_finish(effects_table, effects_count, change->effects, change);
}

/* ---- all of it again ---- */

static bool is_set_by_command(const struct config *c, size_t index)
{
	return c->origins[index].from == CONFIG_FROM_COMMAND;
}

/* What change_set() has set stands, unless file or flags say something new of it. -1 without
 * memory. */
static int keep_overrides(const struct site *s, const struct config *old, struct config *new)
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_table[i];

		if (!is_set_by_command(old, i) ||
			!setting_equal(setting, &new->settings, &s->base->settings))
			continue;
		if (setting_copy(setting, &new->settings, &old->settings) < 0)
			return -1;
		new->origins[i] = old->origins[i];
	}
	return 0;
}

/* From now on file and flags say this. */
static void replace_base(struct site *s, struct config *base)
{
	config_release(s->base);
	s->base = config_hold(base);
}

static void tell_of_number(char *reply, size_t n, const char *what)
{
	if (n > 0)
		tell(reply, ", ", "%zu user%s %s", n, plural(n), what);
}

static void tell_of_users(const struct change *change, char *reply)
{
	const struct users_difference *d = &change->difference;

	tell_of_number(reply, d->added, "added");
	tell_of_number(reply, d->changed, "changed");
	tell_of_number(reply, d->gone, "gone");
	if (d->gone > 0)
		tell(reply, ", ", "%zu session%s ended", change->sessions_ended,
			plural(change->sessions_ended));
}

/* ---- lists of the rules ---- */

#define LISTS_TOLD 16 /* files, at most */

/* What is said of the files that rules name, each once. */
struct list_report {
	const struct rules *before; /* NULL: all are told, else those whose values changed */
	char *reply;
	const char *separator; /* in front of the first */
	size_t count;
	const char *told[LISTS_TOLD];
};

static bool is_told(const struct list_report *l, const char *path)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->told[i], path) == 0)
			return true;
	}
	return false;
}

struct list_search {
	const char *path;
	const struct rule_list *list;
	bool was_there, is_same;
};

/* Where clients are named the list is of networks only. */
static void look_for_list(void *context, const char *path, const struct rule_list *list)
{
	struct list_search *s = context;

	if (strcmp(path, s->path) != 0)
		return;
	s->was_there = true;
	s->is_same = s->is_same || rule_list_equal(list, s->list);
}

static bool has_changed(const struct list_report *l, const char *path, const struct rule_list *list)
{
	struct list_search search = {.path = path, .list = list};

	rules_each_file(l->before, look_for_list, &search);
	return search.was_there && !search.is_same;
}

static void tell_of_list(void *context, const char *path, const struct rule_list *list)
{
	struct list_report *l = context;
	size_t n = rule_list_names(list) + rule_list_networks(list);

	if (l->count == LISTS_TOLD || is_told(l, path))
		return;
	l->told[l->count++] = path;
	if (l->before != NULL && !has_changed(l, path, list))
		return;
	tell(l->reply, l->separator, "%s%s (%zu value%s)", path,
		l->before != NULL ? " changed" : "", n, plural(n));
	l->separator = ", ";
}

/* There were some before. */
static void tell_of_no_admins(const struct settings *settings, char *reply)
{
	tell(reply, ", ", "no user is an admin any more");
	effects_log_no_admins(LOG_WARN, settings);
}

/* One of a list, if there is such a file; `*separator` is what stands before the first. */
static void tell_of_file(char *reply, const char **separator, const char *path)
{
	if (path == NULL || *path == '\0')
		return;
	tell(reply, *separator, "%s", path);
	*separator = ", ";
}

/* What a reload has looked at, whether anything was different or not. */
static void tell_of_files(const struct site *s, const struct config *now, char *reply)
{
	const struct settings *settings = &now->settings;
	const char *read = "; read: ", *opened = "; opened again: ";
	const char *users_path = effects_users_path(settings);
	size_t count = effects_count_users(s->services), len;
	struct list_report lists = {.reply = reply};

	if (reply[0] == '\0')
		tell(reply, "", "Nothing changed");
	len = strlen(reply);
	tell_of_file(reply, &read, s->source->path);
	lists.separator = read;
	rules_each_file(now->rules, tell_of_list, &lists);
	read = lists.separator;
	tell_of_file(reply, &read, users_path);
	if (users_path != NULL)
		tell(reply, " ", "(%zu user%s)", count, plural(count));
	tell_of_file(reply, &opened, settings->log_file);
	tell_of_file(reply, &opened, settings->access_log_file);
	if (strlen(reply) == len)
		tell(reply, "; ", "there is no file to be read or opened again");
}

/* Does it stand over something else that file and flags say? */
static bool stands_over_base(const struct site *s, const struct config *now, size_t index)
{
	return is_set_by_command(now, index) &&
		!setting_equal(&settings_table[index], &now->settings, &s->base->settings);
}

static void tell_of_overrides(const struct site *s, const struct config *now, char *reply)
{
	const char *separator = "; still set by CONFIG: ";

	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (stands_over_base(s, now, i)) {
			tell(reply, separator, "%s", settings_table[i].name);
			separator = ", ";
		}
	}
}

/* Where a flag gives it the file would not be asked. */
static void tell_how_to_keep(const struct site *s, const struct config *now, size_t i, char *reply)
{
	const struct setting *setting = &settings_table[i];
	char *line = config_file_line(setting, &now->settings), flag[64];
	bool has_flag = s->base->origins[i].from == CONFIG_FROM_FLAG;

	if (line == NULL ||
		!(has_flag ? tell(reply, "\n", "# %s wins over the file: %s",
				     setting_flag(setting, flag), line)
			   : tell(reply, "\n", "%s", line)))
		tell(reply, "\n", "# %s: as CONFIG %s says", setting->name, setting->name);
	free(line);
}

static void tell_how_to_keep_overrides(const struct site *s, const struct config *now, char *reply)
{
	bool is_first = true;

	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (!stands_over_base(s, now, i))
			continue;
		if (is_first)
			tell(reply, " ",
				"(to keep that, put these lines into the configuration file)");
		is_first = false;
		tell_how_to_keep(s, now, i, reply);
	}
}

/* `base` is what file and flags say. */
static int reload_to(struct change *change, struct config *base, char *reply)
{
	struct site *s = change->site;
	struct users *u = s->services->users;
	bool had_admins = users_count_admins(u) > 0;

	change->new = config_clone(base);
	if (change->new == NULL || keep_overrides(s, change->old, change->new) < 0) {
		config_release(change->new);
		snprintf(reply, CHANGE_REPLY_MAX, "out of memory");
		return -1;
	}
	reply[0] = '\0';
	if (change_over(change, reply) < 0)
		return -1;
	replace_base(s, base);
	rules_each_file(change->new->rules, tell_of_list,
		&(struct list_report){
			.before = change->old->rules, .reply = reply, .separator = ", "});
	tell_of_users(change, reply);
	if (had_admins && users_count_admins(u) == 0)
		tell_of_no_admins(&change->new->settings, reply);
	return 0;
}

/* Where it is the log that fails, perhaps nobody reads it any more. */
static void log_refusal(const struct change *change, const char *reply)
{
	static const char format[] = "reload refused, nothing changed: %s";

	if (change->log_failed)
		log_message_beside(LOG_ERROR, format, reply);
	else
		log_message(LOG_ERROR, format, reply);
}

static void log_reload(const char *reply)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "reloaded");
	log_text(&line, "what", reply);
	log_end(&line);
}

/* Ends those that the rules refuse now, or says how many that would be. */
static void recheck_live(const struct site *s, bool ends, char *reply)
{
	size_t refused = recheck_sessions(s->services, RECHECK_ANY_RULE, ends);

	if (refused > 0 && ends)
		tell(reply, "; ", "%zu session%s ended that the rules refuse now", refused,
			plural(refused));
	else if (refused > 0)
		tell(reply, "; ", "%zu live session%s would be refused now (RELOAD CUT ends %s)",
			refused, plural(refused), refused == 1 ? "it" : "them");
}

int change_reload(struct site *s, bool cuts, char reply[CHANGE_REPLY_MAX])
{
	struct config *old = config_get(s->services->config), *now;
	struct config *base = config_read(s->source, reply);
	struct change change = {.site = s, .old = old, .is_reload = true};
	int result = base == NULL ? -1 : reload_to(&change, base, reply);

	if (result == 0) {
		now = config_get(s->services->config);
		tell_of_files(s, now, reply);
		tell_of_overrides(s, now, reply);
		recheck_live(s, cuts || now->settings.recheck == RECHECK_ALL, reply);
		log_reload(reply);
		tell_how_to_keep_overrides(s, now, reply);
		config_release(now);
		finish_change(&change);
	} else {
		run_as_explain(reply);
		log_refusal(&change, reply);
	}
	config_release(base);
	config_release(old);
	return result;
}

void change_begin(struct site *s, struct config *first)
{
	s->base = config_hold(first);
}

/* ---- one setting while running ---- */

/* A copy of `old` with this value. NULL with the reason in `reply`. */
static struct config *with_value(
	const struct config *old, const struct setting *setting, const char *value, char *reply)
{
	const struct setting_input in = {.text = value};
	struct config *new = config_clone(old);
	char why[SETTING_ERROR_MAX];

	if (new == NULL) {
		snprintf(reply, CHANGE_REPLY_MAX, "out of memory");
		return NULL;
	}
	if (!setting_set(setting, &new->settings, &in, why)) {
		snprintf(reply, CHANGE_REPLY_MAX, "%s: %s", setting->name, why);
		config_release(new);
		return NULL;
	}
	new->origins[setting - settings_table] =
		(struct config_origin){.from = CONFIG_FROM_COMMAND};
	return new;
}

static int set_value(struct site *s, const struct config *old, const struct setting *setting,
	const char *value, char *reply)
{
	struct change change = {.site = s, .old = old};

	change.new = with_value(old, setting, value, reply);
	if (change.new == NULL)
		return -1;
	reply[0] = '\0';
	if (change_over(&change, reply) < 0)
		return -1;
	finish_change(&change);
	return 0;
}

static int refuse_given(const struct setting *setting, char *reply)
{
	snprintf(reply, CHANGE_REPLY_MAX,
		"%s is where the sockets are that the service manager has opened: its .socket unit "
		"says that",
		setting->name);
	return -1;
}

int change_set(struct site *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX])
{
	struct config *old;
	int result;

	if (!setting->reloadable || setting->is_files) {
		snprintf(reply, CHANGE_REPLY_MAX,
			setting->reloadable
				? "%s is changed in the configuration file only, and by RELOAD"
				: "%s changes only at the next start",
			setting->name);
		return -1;
	}
	old = config_get(s->services->config);
	result = old->origins[setting - settings_table].from == CONFIG_FROM_SYSTEMD
		? refuse_given(setting, reply)
		: set_value(s, old, setting, value, reply);
	config_release(old);
	return result;
}

void change_forget(struct site *s)
{
	config_release(s->base);
	s->base = NULL;
}
