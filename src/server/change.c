/*
 * A change is prepared step by step, each of which may fail and undoes those before it, and then
 * put into effect, which does not fail. What was set one by one while serving is remembered as what
 * file and flags had to say of it by then: as long as they still say that, it stands.
 */
#include "server/change.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "server/effects.h"
#include "server/listening.h"
#include "state/acl.h"

/* A change of configuration under way. */
struct change {
	struct config *old;
	struct config *new;
	bool read_again; /* the files too: users are read, logs are opened again */
	char *reply; /* what changed, or why nothing did: CHANGE_REPLY_MAX bytes */
};

static bool tell(struct change *change, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds to the reply; false when there is no room for the whole of it, and nothing is added. */
static bool tell(struct change *change, const char *format, ...)
{
	size_t len = strlen(change->reply);
	const char *separator = len > 0 ? ", " : "";
	size_t start = len + strlen(separator);
	va_list ap;
	int added;

	if (start >= CHANGE_REPLY_MAX)
		return false;
	strcpy(change->reply + len, separator);
	va_start(ap, format);
	added = vsnprintf(change->reply + start, CHANGE_REPLY_MAX - start, format, ap);
	va_end(ap);
	if (added >= 0 && (size_t)added < CHANGE_REPLY_MAX - start)
		return true;
	change->reply[len] = '\0';
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

/* Says from what to what it changes. */
static void tell_difference(struct change *change, const struct setting *setting)
{
	char *from = setting_format(setting, &change->old->settings);
	char *to = setting_format(setting, &change->new->settings);
	struct log_line line;

	log_begin(&line, setting->reloadable ? LOG_INFO : LOG_WARN,
		setting->reloadable ? "setting changed" : "setting changes only at the next start");
	log_text(&line, "setting", setting->name);
	log_value(&line, "from", from);
	log_value(&line, "to", to);
	log_end(&line);
	if (!setting->reloadable)
		tell(change, "%s changes only at the next start", setting->name);
	else if (to == NULL ||
		!tell(change, "%s set to %s", setting->name, *to != '\0' ? to : "empty"))
		tell(change, "%s changed", setting->name);
	free(from);
	free(to);
}

/* Says what is different, and takes back what cannot change while running. */
static void settle_changes(struct change *change)
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_table[i];

		if (!differs(change, setting))
			continue;
		tell_difference(change, setting);
		if (!setting->reloadable &&
			setting_copy(setting, &change->new->settings, &change->old->settings) < 0)
			log_message(LOG_ERROR, "%s: out of memory", setting->name);
	}
}

/* Reads the file of users only to see whether it can be taken. A file that was emptied, by accident
 * or for a moment, is not to open the proxy to everybody. */
static int check_users(
	struct site *s, const struct config *old, const struct config *new, char *error)
{
	struct users *u = s->services->users;
	size_t count, before = users_count(u);
	struct users_draft *draft;

	if (!users_are_kept(u))
		return 0;
	draft = users_read(u, error);
	if (draft == NULL)
		return -1;
	count = users_draft_count(draft);
	users_draft_free(draft);
	if (count > 0 || !acl_login_required(old, before) || acl_login_required(new, 0) ||
		new->settings.auth == AUTH_OPTIONAL)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX,
		"%.512s: no users are left in it, which would let everybody in: say auth = "
		"optional or auth = required",
		old->settings.users_file);
	return -1;
}

/* What was open a moment ago can be opened again, unless it was taken away. */
static void go_back(int result)
{
	if (result < 0)
		log_message(LOG_ERROR, "a log that was open before cannot be opened again");
}

/* Is this file to be opened: again, or because it is another one? A change of something else has
 * nothing to do with it. */
static bool is_concerned(const struct change *change, const char *old_path, const char *new_path)
{
	return change->read_again || strcmp(old_path, new_path) != 0;
}

/* What is opened or read again; undone when a later step fails. */
static int open_files(struct site *s, const struct change *change, char error[CONFIG_ERROR_MAX])
{
	const struct settings *old = &change->old->settings, *new = &change->new->settings;
	struct access_log *log = s->services->access_log;
	bool opens_log = is_concerned(change, old->log_file, new->log_file);
	bool opens_access = is_concerned(change, old->access_log_file, new->access_log_file);

	if (opens_log && effects_open_log(new, error) < 0)
		return -1;
	if (!opens_access || effects_open_access_log(log, new, error) == 0) {
		if (!change->read_again ||
			effects_load_users(s->services->users, old, false, error) == 0)
			return 0;
		if (opens_access)
			go_back(effects_open_access_log(log, old, (char[CONFIG_ERROR_MAX]){0}));
	}
	if (opens_log)
		go_back(effects_open_log(old, (char[CONFIG_ERROR_MAX]){0}));
	return -1;
}

/* The steps that can fail, each undone when a later one does. */
static int prepare(struct site *s, struct change *change, char error[CONFIG_ERROR_MAX])
{
	if (change->read_again && check_users(s, change->old, change->new, error) < 0)
		return -1;
	if (listening_prepare(s, change->new, error) < 0)
		return -1;
	if (open_files(s, change, error) == 0)
		return 0;
	listening_undo(s);
	return -1;
}

static void put_into_effect(struct site *s, struct change *change)
{
	struct config *new = change->new;
	struct resolver_options resolver = effects_resolver_options(&new->settings);

	effects_set_log(&new->settings);
	if (resolver_configure(s->services->resolver, &resolver) < 0)
		log_message(LOG_ERROR, "name lookups go on as before: out of memory");
	if (access_log_resize(s->services->access_log, (size_t) new->settings.access_log_entries) <
		0)
		log_message(LOG_ERROR, "the access log keeps its length: out of memory");
	hashing_set_most(s->services->hashing, (unsigned)new->settings.max_password_checks);
	if (change->read_again || differs(change, settings_find("auth")) ||
		differs(change, settings_find("clients")))
		effects_warn_of_open_door(users_count(s->services->users), new);
	config_publish(s->services->config, new);
	listening_commit(s, change->read_again);
}

/* Goes over from `old` to `new`, whose reference it takes over; -1 when that is refused, and
 * nothing changed. */
static int change_over(struct site *s, struct change *change)
{
	char error[CONFIG_ERROR_MAX];

	if (prepare(s, change, error) < 0) {
		config_release(change->new);
		snprintf(change->reply, CHANGE_REPLY_MAX, "%s", error);
		return -1;
	}
	settle_changes(change);
	put_into_effect(s, change);
	return 0;
}

/* What change_set() has set stands, unless file or flags say something new of it. */
static void keep_overrides(struct site *s, const struct config *old, struct config *new)
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_table[i];

		if (!s->overridden[i] || !setting_equal(setting, &new->settings, &s->base))
			continue;
		if (setting_copy(setting, &new->settings, &old->settings) < 0)
			log_message(LOG_ERROR, "%s: out of memory", setting->name);
	}
	config_settle(new);
}

static void forget_override(struct site *s, size_t index)
{
	setting_free(&settings_table[index], &s->base);
	s->overridden[index] = false;
}

/* After a reload: what stands now as file and flags have it is not overridden any more. */
static void forget_overrides(struct site *s, const struct config *base)
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_table[i];

		if (s->overridden[i] && !setting_equal(setting, &base->settings, &s->base))
			forget_override(s, i);
	}
}

/* What there was of users before a reload. */
struct users_seen {
	size_t count;
	size_t admins;
	struct stamp file;
};

static struct users_seen see_users(const struct site *s)
{
	struct users *u = s->services->users;

	return (struct users_seen){
		.count = users_count(u), .admins = users_count_admins(u), .file = s->users_stamp};
}

static void tell_of_users(struct site *s, struct change *change, const struct users_seen *seen)
{
	const char *path = effects_users_path(&change->old->settings);
	struct users *u = s->services->users;

	s->users_stamp = stamp_of(path == NULL ? "" : path);
	if (users_count(u) != seen->count)
		tell(change, "users %zu to %zu", seen->count, users_count(u));
	else if (!stamp_equal(&s->users_stamp, &seen->file))
		tell(change, "users read again");
	if (seen->admins == 0 || users_count_admins(u) > 0)
		return;
	tell(change, "no user is an admin any more");
	log_message(LOG_WARN, "no user has the role admin any more: nobody may use the monitor");
}

static int reload(struct site *s, struct config *old, char *reply)
{
	struct config *base = config_read(s->source, reply), *new;
	struct change change = {.old = old, .read_again = true, .reply = reply};
	struct users_seen seen = see_users(s);
	int result;

	if (base == NULL)
		return -1;
	new = config_clone(base);
	if (new == NULL) {
		config_release(base);
		snprintf(reply, CHANGE_REPLY_MAX, "out of memory");
		return -1;
	}
	keep_overrides(s, old, new);
	reply[0] = '\0';
	change.new = new;
	result = change_over(s, &change);
	if (result == 0) {
		forget_overrides(s, base);
		tell_of_users(s, &change, &seen);
	}
	config_release(base);
	return result;
}

int change_reload(struct site *s, char reply[CHANGE_REPLY_MAX])
{
	struct config *old = config_get(s->services->config);
	int result = reload(s, old, reply);

	if (result < 0)
		log_message(LOG_ERROR, "reload refused, nothing changed: %s", reply);
	else
		log_message(LOG_INFO, "reloaded");
	if (result == 0 && reply[0] == '\0')
		snprintf(reply, CHANGE_REPLY_MAX, "Nothing changed");
	config_release(old);
	return result;
}

/* ---- one setting while running ---- */

/* Remembers what file and flags say of the setting, unless it is overridden already. */
static int remember_base(struct site *s, size_t index, const struct config *old)
{
	if (s->overridden[index])
		return 0;
	if (setting_copy(&settings_table[index], &s->base, &old->settings) < 0)
		return -1;
	s->overridden[index] = true;
	return 0;
}

static int set(struct site *s, const struct setting *setting, const char *value, struct config *old,
	char *reply)
{
	size_t index = (size_t)(setting - settings_table);
	bool was_overridden = s->overridden[index];
	struct change change = {.old = old, .new = config_clone(old), .reply = reply};
	const struct setting_input in = {.text = value};
	char why[SETTING_ERROR_MAX];

	reply[0] = '\0';
	if (change.new == NULL || remember_base(s, index, old) < 0) {
		config_release(change.new);
		tell(&change, "out of memory");
		return -1;
	}
	if (!setting_set(setting, &change.new->settings, &in, why)) {
		config_release(change.new);
		tell(&change, "%s: %s", setting->name, why);
	} else {
		config_settle(change.new);
		if (change_over(s, &change) == 0)
			return 0;
	}
	if (!was_overridden)
		forget_override(s, index);
	return -1;
}

int change_set(struct site *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX])
{
	struct config *old;
	int result;

	if (!setting->reloadable) {
		snprintf(reply, CHANGE_REPLY_MAX, "%s changes only at the next start",
			setting->name);
		return -1;
	}
	old = config_get(s->services->config);
	result = set(s, setting, value, old, reply);
	config_release(old);
	return result;
}

void change_forget(struct site *s)
{
	settings_free(&s->base);
}
