/*
 * A setting says in its row which effects a change of it has (settings.h); here is what they are.
 * A change runs the steps of those effects only, in the order of one table: first all that can fail
 * is prepared, and undone again if one of them does, then all are made. What is logged of a change
 * stands together, in the log and the format that were in force before: so those change last, and
 * then the log is told where the server listens, for a new file to begin with. So a change of one
 * setting neither costs nor risks anything of another's.
 */
#include "server/effects.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "server/capacity.h"
#include "server/confine.h"
#include "server/limiting.h"
#include "server/user_groups.h"
#include "state/admission.h"
#include "state/expectations.h"
#include "state/kept_use.h"
#include "state/outgoing.h"
#include "state/rule_review.h"
#include "state/rules.h"
#include "state/upstream_review.h"
#include "state/upstreams.h"
#include "state/users_file.h"

struct resolver_options effects_resolver_options(const struct settings *s)
{
	return (struct resolver_options){.servers = s->dns_servers,
		.search = s->dns_search,
		.cache_records = (size_t)s->dns_cache,
		.negative_ttl_ms = s->dns_negative_ttl};
}

static int refuse_log(const char *setting, const char *path, char error[CONFIG_ERROR_MAX])
{
	int why = errno;

	snprintf(error, CONFIG_ERROR_MAX, "%s: \"%.512s\": cannot be opened: %s", setting, path,
		strerror(why));
	if (why == EACCES)
		confine_explain(path, error);
	return -1;
}

int effects_open_access_log(
	struct access_log *log, const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	if (access_log_open(log, s->access_log_file) == 0)
		return 0;
	return refuse_log("access_log_file", s->access_log_file, error);
}

static int refuse_log_file(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	return refuse_log("log_file", s->log_file, error);
}

int effects_open_log(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	return log_open(s->log_file) < 0 ? refuse_log_file(s, error) : 0;
}

int effects_check_files(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	const struct {
		const char *name, *path;
	} files[] = {{"users_file", s->users_file}, {"log_file", s->log_file},
		{"access_log_file", s->access_log_file}};

	for (size_t i = 1; i < sizeof(files) / sizeof(files[0]); i++) {
		for (size_t k = 0; k < i; k++) {
			if (*files[i].path == '\0' || strcmp(files[i].path, files[k].path) != 0 ||
				strncmp(files[i].path, "/dev/", 5) == 0)
				continue;
			snprintf(error, CONFIG_ERROR_MAX, "%s: \"%.512s\": it is the %s already",
				files[i].name, files[i].path, files[k].name);
			return -1;
		}
	}
	return 0;
}

void effects_set_log(const struct settings *s)
{
	log_set_level((enum log_level)s->log_level);
	log_set_format((enum log_format)s->log_format);
}

const char *effects_users_path(const struct settings *s)
{
	return s->users_file[0] != '\0' ? s->users_file : NULL;
}

size_t effects_count_users(const struct services *v)
{
	return v->shared_users == NULL ? users_count(v->users)
				       : shared_users_count_own(v->shared_users);
}

/* Hashes can be tried out by whoever has them, and a user be added by whoever may write; and a
 * password be used by whoever reads it. */
static void warn_of_open_file(const char *setting, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH)) != 0)
		log_message(LOG_WARN,
			"%s: \"%s\": anybody on this host can %s it (mode %04o); chmod o= "
			"mends that",
			setting, path, (st.st_mode & S_IWOTH) != 0 ? "change" : "read",
			st.st_mode & 07777U);
}

void effects_note_users_file(const struct settings *s)
{
	const char *path = effects_users_path(s);
	char why[USERS_ERROR_MAX];

	if (path != NULL)
		warn_of_open_file("users_file", path);
	if (path != NULL && users_file_can_be_written(path, why) < 0)
		log_message(LOG_INFO, "%s: so users cannot be changed while serving", why);
}

/* Who could add them otherwise, an admin, is a user himself, but for root at the socket. */
static void warn_of_no_users(const struct settings *s)
{
	const char *path = effects_users_path(s);

	if (s->monitor_socket[0] != '\0')
		log_message(LOG_WARN,
			"login is required, and there are no users yet: nobody gets in. "
			"\"monitor_client --socket %s ADD_USER NAME -\" adds the first, for root",
			s->monitor_socket);
	else if (path == NULL)
		log_message(LOG_WARN, "login is required but there are no users: nobody gets in");
	else
		log_message(LOG_WARN,
			"login is required, and there are no users in %s yet: nobody gets in. -u "
			"NAME:PASS at the next start adds the first, or a line NAME:HASH:admin "
			"(mkpasswd makes HASH) and a reload",
			path);
}

void effects_warn_of_open_door(size_t users, const struct config *c)
{
	if (users == 0 && admission_login_required(c) && c->settings.auth_socket[0] == '\0')
		warn_of_no_users(&c->settings);
	else if (!admission_login_required(c) && c->settings.clients.any)
		log_message(LOG_WARN, "clients = any and no login required: an open proxy");
}

void effects_warn_of_outgoing(const struct settings *s)
{
	char why[CONFIG_ERROR_MAX];

	if (outgoing_is_missing(s, why))
		log_message(LOG_WARN, "targets cannot be reached until it comes: %s", why);
}

void effects_warn_of_clear_web(const struct settings *s)
{
	char text[ADDR_TEXT_MAX];
	struct log_line line;

	if (s->web_listen.count == 0 || addr_is_loopback(&s->web_listen.addrs[0]) ||
		s->web_trusted.count > 0)
		return;
	log_begin(&line, LOG_WARN,
		"passwords go in clear to web_listen: have a web server with TLS in front of it, "
		"and name that in web_trusted");
	log_text(&line, "address", addr_format_host(&s->web_listen.addrs[0], text));
	log_end(&line);
}

void effects_warn_of_clear_engine(const struct settings *s)
{
	char engine[SHARED_TEXT_MAX];

	if (shared_place_is_set(&s->shared) && !shared_place_is_local(&s->shared))
		log_message(LOG_WARN,
			"what is shared goes in clear to %s: have it on a network of its own, or "
			"through a tunnel",
			shared_place_format(&s->shared, engine));
}

void effects_warn_of_no_copy(const struct settings *s)
{
	char engine[SHARED_TEXT_MAX];

	if (shared_place_is_set(&s->shared) && s->state_dir[0] == '\0')
		log_message(LOG_WARN,
			"shared: state_dir is not set: each start knows nothing of what accounts "
			"use on other nodes%s until %s answers",
			s->shared_users ? ", and none of the users whom they share," : "",
			shared_place_format(&s->shared, engine));
}

void effects_warn_of_repeated(const struct user_credentials *operators, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		size_t before = 0;

		while (before < i && strcmp(operators[before].name, operators[i].name) != 0)
			before++;
		if (before < i)
			log_message(LOG_WARN,
				"-u gives %s more than once: the last password counts",
				operators[i].name);
	}
}

void effects_log_no_admins(enum log_level level, const struct settings *s)
{
	if (s->monitor_socket[0] == '\0')
		log_message(level,
			"no user has the role admin: nobody may use the monitor (-u NAME:PASS "
			"adds one)");
	else
		log_message(level,
			"no user has the role admin: the monitor is for root and the user that "
			"this server runs as, at %s",
			s->monitor_socket);
}

void effects_warn_of_mixed_hashes(const struct users *u)
{
	if (users_have_mixed_hashes(u))
		log_message(LOG_WARN,
			"the users' passwords are hashed in several ways: each login that fails "
			"takes as long as the slowest of them, so that names cannot be told apart "
			"(a new password, by SET_PASSWORD, is hashed in the usual one)");
}

int effects_compile_rules(
	struct config *c, const struct config *before, bool at_start, char error[CONFIG_ERROR_MAX])
{
	struct rules *rules =
		rules_compile(&c->settings, before == NULL ? NULL : before->rules, at_start, error);

	if (rules == NULL)
		return -1;
	config_set_rules(c, rules);
	return 0;
}

int effects_compile_upstreams(struct config *c, const struct config *before, struct own *own,
	char error[CONFIG_ERROR_MAX])
{
	struct upstreams *upstreams =
		upstreams_compile(&c->settings, before == NULL ? NULL : before->upstreams, error);

	if (upstreams == NULL)
		return -1;
	config_set_upstreams(c, upstreams);
	return upstream_review_finds_loop(c, own, error) ? -1 : 0;
}

int effects_check_expectations(const struct config *c, const struct group_source *users,
	struct own *own, char error[CONFIG_ERROR_MAX])
{
	return rule_review_groups(c, users, error) &&
			expectations_hold(c, users, own, time(NULL), error)
		? 0
		: -1;
}

void effects_warn_of_expectations(const struct config *c, const struct services *v)
{
	struct group_source users = user_groups(v->users);
	char error[CONFIG_ERROR_MAX];

	if (effects_check_expectations(c, &users, v->own, error) < 0)
		log_message(LOG_ERROR, "%s", error);
}

static void warn_of_open_passwords(const struct config *c)
{
	bool is_in_configuration = false;

	for (size_t i = 0; c->upstreams != NULL && i < c->upstreams->count; i++) {
		const struct upstream_url *url = c->upstreams->servers[i].url;

		if (url->password_file[0] != '\0')
			warn_of_open_file("password_file", url->password_file);
		else
			is_in_configuration |= url->has_password;
	}
	if (is_in_configuration && c->path != NULL)
		warn_of_open_file("upstream", c->path);
}

static void say_warning(void *context, const char *warning)
{
	(void)context;
	log_message(LOG_WARN, "%s", warning);
}

void effects_warn_of_rules(const struct config *c, const struct services *v)
{
	struct group_source groups = user_groups(v->users);
	const char *warning;

	rule_review(c, &groups, say_warning, NULL);
	upstream_review(c, say_warning, NULL);
	warn_of_open_passwords(c);
	for (size_t i = 0; (warning = rules_warning(c->rules, i)) != NULL; i++)
		log_message(LOG_WARN, "%s", warning);
}

static void copy_list(void *context, const char *path, const struct rule_list *list)
{
	const struct site *site = context;

	(void)list;

	keeper_copy_file(site->keeper, path);
}

void effects_copy_lists(struct site *site, const struct config *c)
{
	rules_each_file(c->rules, copy_list, site);
}

/* ---- the steps of a change ---- */

/* A file that was emptied or moved away, by accident or for a moment, is not to lock everybody out;
 * one that never had anybody in it may stay so. */
static int check_users(const struct change *change, char *error)
{
	const char *path = change->old->settings.users_file;
	const struct services *v = change->site->services;
	size_t before = effects_count_users(v);
	size_t now = v->shared_users == NULL ? users_draft_count(change->users)
					     : shared_users_count_read(v->shared_users);

	if (now > 0 || before == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX,
		"%.512s: %s, but the server has %zu from it: DEL_USER deletes users, and a "
		"restart takes the file as it is",
		path, access(path, F_OK) < 0 ? "it is missing" : "no users are left in it", before);
	return -1;
}

static void drop_users(struct change *change)
{
	users_draft_free(change->users);
	change->users = NULL;
}

static int read_users(struct change *change, char error[CONFIG_ERROR_MAX])
{
	struct users *u = change->site->services->users;

	if (!users_are_kept(u))
		return 0;
	change->users = users_read(u, error);
	if (change->users == NULL)
		return -1;
	if (check_users(change, error) == 0)
		return 0;
	drop_users(change);
	return -1;
}

/* Whoever is gone is gone, as after DEL_USER. */
static void end_sessions_of_gone(void *context, const char *name, size_t len, bool has_sessions)
{
	struct change *change = context;
	struct services *v = change->site->services;

	kept_use_drop(v->standing, name);
	history_end_user(v->history, name, ledger_last_serial(v->ledger));
	if (has_sessions)
		change->sessions_ended += registry_end_user(v->registry, name, len, END_KILLED);
}

static void put_users(struct change *change)
{
	struct services *v = change->site->services;

	if (change->users == NULL) {
		/* What a helper said is asked anew, also where there is no file. */
		if (v->login_helper != NULL)
			login_helper_forget(v->login_helper, NULL);
		return;
	}
	change->difference =
		users_put_into_effect(v->users, change->users, end_sessions_of_gone, change);
	change->users = NULL;
	if (change->sessions_ended > 0)
		users_wake_logins(v->users);
	warn_of_open_file("users_file", change->new->settings.users_file);
	effects_warn_of_mixed_hashes(v->users);
}

static int compile_rules(struct change *change, char error[CONFIG_ERROR_MAX])
{
	return effects_compile_rules(change->new, change->old, false, error);
}

static int compile_upstreams(struct change *change, char error[CONFIG_ERROR_MAX])
{
	return effects_compile_upstreams(
		change->new, change->old, change->site->services->own, error);
}

static int check_expectations(struct change *change, char error[CONFIG_ERROR_MAX])
{
	const struct services *v = change->site->services;
	struct group_source users =
		change->users != NULL ? user_groups_of_draft(change->users) : user_groups(v->users);

	return effects_check_expectations(change->new, &users, v->own, error);
}

static void finish_rules(struct change *change)
{
	effects_warn_of_rules(change->new, change->site->services);
	effects_copy_lists(change->site, change->new);
}

static void publish(struct change *change)
{
	config_publish(change->site->services->config, change->new);
}

/* With the configuration that is in force by now. */
static void apply_limits(struct change *change)
{
	struct services *v = change->site->services;

	if (v->limits != NULL && limiting_apply(v, change->new) < 0)
		log_message(LOG_ERROR, "some limits are as they were before: out of memory");
}

static void set_log_style(struct change *change)
{
	effects_set_log(&change->new->settings);
}

static void configure_resolver(struct change *change)
{
	struct resolver_options options = effects_resolver_options(&change->new->settings);

	if (resolver_configure(change->site->services->resolver, &options) < 0)
		log_message(LOG_ERROR, "name lookups go on as before: out of memory");
}

static void resize_access_log(struct change *change)
{
	size_t entries = (size_t)change->new->settings.access_log_entries;

	if (access_log_resize(change->site->services->access_log, entries) < 0)
		log_message(LOG_ERROR, "the access log keeps its length: out of memory");
}

static void set_password_checks(struct change *change)
{
	unsigned most = capacity_password_checks(&change->new->settings);

	hashing_set_most(change->site->services->hashing, most);
}

void effects_set_login_helper(struct login_helper *h, const struct settings *s)
{
	login_helper_set(h, s->auth_cache, (unsigned)s->max_auth_questions);
	login_helper_set_longest(h, s->handshake_timeout);
}

static void set_login_helper(struct change *change)
{
	struct login_helper *h = change->site->services->login_helper;

	if (h != NULL)
		effects_set_login_helper(h, &change->new->settings);
}

static int open_listeners(struct change *change, char error[CONFIG_ERROR_MAX])
{
	return fronts_prepare(&change->site->fronts, change->new, error);
}

static void go_over_to_listeners(struct change *change)
{
	fronts_commit(&change->site->fronts, !change->is_reload);
}

/* The log may be a new one. */
static void tell_where_it_listens(struct change *change)
{
	if (change->is_reload)
		fronts_log(&change->site->fronts);
}

static void close_listeners(struct change *change)
{
	fronts_undo(&change->site->fronts);
}

/* What was open a moment ago can be opened again, unless it was taken away. */
static void note_going_back(int result)
{
	if (result < 0)
		log_message(LOG_ERROR, "a log that was open before cannot be opened again");
}

static int open_log_file(struct change *change, char error[CONFIG_ERROR_MAX])
{
	if (effects_check_files(&change->new->settings, error) < 0)
		return -1;
	change->log_failed = log_prepare(change->new->settings.log_file) < 0;
	return change->log_failed ? refuse_log_file(&change->new->settings, error) : 0;
}

static void go_over_to_log_file(struct change *change)
{
	(void)change;
	if (log_switch() < 0)
		log_message(LOG_ERROR, "the log stays where it was: %s", strerror(errno));
}

static void close_log_file(struct change *change)
{
	(void)change;
	log_abandon();
}

static int open_access_log_file(struct change *change, char error[CONFIG_ERROR_MAX])
{
	return effects_open_access_log(
		change->site->services->access_log, &change->new->settings, error);
}

static void go_back_to_access_log_file(struct change *change)
{
	char error[CONFIG_ERROR_MAX];

	note_going_back(effects_open_access_log(
		change->site->services->access_log, &change->old->settings, error));
}

static void warn_of_open_door(struct change *change)
{
	effects_warn_of_open_door(users_count(change->site->services->users), change->new);
}

static void warn_of_outgoing(struct change *change)
{
	effects_warn_of_outgoing(&change->new->settings);
}

static void warn_of_clear_web(struct change *change)
{
	effects_warn_of_clear_web(&change->new->settings);
}

/* Listeners come behind the configuration, so that it is the one of whoever is accepted there. */
const struct effect effects_table[] = {
	{.of = EFFECT_RESOLVER, .name = "resolver", .commit = configure_resolver},
	{.of = EFFECT_ACCESS_LOG_ENTRIES,
		.name = "access log entries",
		.commit = resize_access_log},
	{.of = EFFECT_PASSWORD_CHECKS, .name = "password checks", .commit = set_password_checks},
	{.of = EFFECT_LOGIN_HELPER, .name = "login helper", .commit = set_login_helper},
	{.of = EFFECT_USERS,
		.name = "users",
		.prepare = read_users,
		.commit = put_users,
		.undo = drop_users},
	{.of = EFFECT_UPSTREAMS, .name = "upstreams", .prepare = compile_upstreams},
	{.of = EFFECT_RULES, .name = "rules", .prepare = compile_rules, .finish = finish_rules},
	{.of = EFFECT_PUBLISH,
		.name = "configuration",
		.prepare = check_expectations,
		.commit = publish},
	{.of = EFFECT_PUBLISH, .name = "limits", .commit = apply_limits},
	{.of = EFFECT_LOG_STYLE, .name = "log style", .finish = set_log_style},
	{.of = EFFECT_LOG_FILE,
		.name = "log file",
		.prepare = open_log_file,
		.finish = go_over_to_log_file,
		.undo = close_log_file},
	{.of = EFFECT_LISTENERS,
		.name = "listeners",
		.prepare = open_listeners,
		.commit = go_over_to_listeners,
		.finish = tell_where_it_listens,
		.undo = close_listeners},
	{.of = EFFECT_ACCESS_LOG_FILE,
		.name = "access log file",
		.prepare = open_access_log_file,
		.undo = go_back_to_access_log_file},
	{.of = EFFECT_DOOR, .name = "door", .finish = warn_of_open_door},
	{.of = EFFECT_OUTGOING, .name = "outgoing", .finish = warn_of_outgoing},
	{.of = EFFECT_WEB, .name = "web", .finish = warn_of_clear_web},
};

const size_t effects_count = sizeof(effects_table) / sizeof(effects_table[0]);

/* Those in front of step `end`. */
static void undo_steps(
	const struct effect *table, size_t end, unsigned effects, struct change *change)
{
	for (size_t i = end; i-- > 0;) {
		if ((table[i].of & effects) != 0 && table[i].undo != NULL)
			table[i].undo(change);
	}
}

int effects_prepare(const struct effect *table, size_t count, unsigned effects,
	struct change *change, char error[CONFIG_ERROR_MAX])
{
	for (size_t i = 0; i < count; i++) {
		if ((table[i].of & effects) == 0 || table[i].prepare == NULL ||
			table[i].prepare(change, error) == 0)
			continue;
		undo_steps(table, i, effects, change);
		return -1;
	}
	return 0;
}

static void log_effect(const struct effect *effect)
{
	struct log_line line;

	log_begin(&line, LOG_DEBUG, "effect of a change");
	log_text(&line, "effect", effect->name);
	log_end(&line);
}

void effects_commit(
	const struct effect *table, size_t count, unsigned effects, struct change *change)
{
	for (size_t i = 0; i < count; i++) {
		if ((table[i].of & effects) == 0)
			continue;
		if (table[i].commit != NULL)
			table[i].commit(change);
		log_effect(&table[i]);
	}
}

void effects_finish(
	const struct effect *table, size_t count, unsigned effects, struct change *change)
{
	for (size_t i = 0; i < count; i++) {
		if ((table[i].of & effects) != 0 && table[i].finish != NULL)
			table[i].finish(change);
	}
}
