#include "proxy/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "proxy/listeners.h"
#include "proxy/pool.h"
#include "proxy/session.h"
#include "state/acl.h"
#include "state/users_file.h"

/* Descriptors for the log, the files read on reload, the pool's eventfd. */
#define PROCESS_DESCRIPTORS 8

/* max_sessions = auto: a 64th of the memory at what a waiting worker costs, within these. */
#define AUTO_MEMORY_SHARE 64
#define AUTO_WORKER_BYTES (32 * 1024) /* measured: 9 resident, 16 of kernel stack, 7 around it */
#define AUTO_LEAST 512
#define AUTO_MOST 10000

struct server {
	const struct options *options;
	struct services services;
	struct pool *pool;
	size_t wanted_sessions;
};

/* ---- what the configuration says, put into effect ---- */

static struct resolver_options resolver_options(const struct settings *s)
{
	return (struct resolver_options){.servers = s->dns_servers,
		.search = s->dns_search,
		.cache_records = (size_t)s->dns_cache,
		.negative_ttl_ms = s->dns_negative_ttl};
}

static int open_log(const struct settings *s, char *error)
{
	if (log_open(s->log_file) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "log_file: \"%s\": cannot be opened: %s",
			s->log_file, strerror(errno));
		return -1;
	}
	log_set_level((enum log_level)s->log_level);
	log_set_format((enum log_format)s->log_format);
	return 0;
}

static const char *users_path(const struct settings *s)
{
	return s->users_file[0] != '\0' ? s->users_file : NULL;
}

/* The users of the file. It may be missing when users of the command line are to be put there. */
static int load_users(struct users *u, const struct settings *s, bool may_be_missing, char *error)
{
	const char *path = users_path(s);

	if (path == NULL || (may_be_missing && access(path, F_OK) < 0 && errno == ENOENT))
		return 0;
	return users_load(u, path, error);
}

/* ---- how many sessions ---- */

static size_t automatic_sessions(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	size_t fit = AUTO_LEAST;

	if (pages > 0 && page > 0)
		fit = (size_t)pages / AUTO_MEMORY_SHARE * (size_t)page / AUTO_WORKER_BYTES;
	if (fit < AUTO_LEAST)
		return AUTO_LEAST;
	return fit < AUTO_MOST ? fit : AUTO_MOST;
}

static int plan_sessions(struct server *s, const struct config *c, char *error)
{
	struct fdbudget *b = &s->services.budget;
	size_t limit = fdbudget_raise_limit();
	/* A reload opens all new listeners before it closes the old ones. */
	size_t reserved = fdbudget_count_open() + c->settings.listen.count + SETTINGS_MAX_LISTEN +
		PROCESS_DESCRIPTORS;

	s->wanted_sessions = (size_t)c->settings.max_sessions;
	if (s->wanted_sessions == 0)
		s->wanted_sessions = automatic_sessions();
	fdbudget_plan(b, limit, reserved, s->wanted_sessions);
	if (b->sessions > 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX,
		"the limit of %zu open files (ulimit -n) leaves room for no session", limit);
	return -1;
}

static void log_capacity(const struct server *s, const struct config *c, size_t planned)
{
	const struct fdbudget *b = &s->services.budget;
	const char *why = "max_sessions";
	struct log_line line;
	char msg[64];

	if (b->sessions < planned)
		why = "the system's limit on threads";
	else if (b->sessions < s->wanted_sessions)
		why = "the limit on open files";
	else if (c->settings.max_sessions == 0)
		why = s->wanted_sessions == AUTO_MOST ? "max_sessions = auto"
						      : "max_sessions = auto, a 64th of the memory";
	snprintf(msg, sizeof(msg), "%zu sessions fit", b->sessions);
	log_begin(&line, LOG_INFO, msg);
	log_text(&line, "limited_by", why);
	log_number(&line, "open_files", (int64_t)b->limit);
	log_number(&line, "reserved", (int64_t)b->reserved);
	log_number(&line, "each", FDBUDGET_PER_SESSION);
	log_number(&line, "spare", (int64_t)b->spare);
	log_end(&line);
	if (c->settings.max_sessions != 0 && b->sessions < s->wanted_sessions)
		log_message(LOG_WARN, "max_sessions = %zu does not fit: lowered to %zu by %s",
			s->wanted_sessions, b->sessions, why);
}

/* ---- what is said at start ---- */

static void log_listening(const struct listeners *l)
{
	char text[ADDR_TEXT_MAX];
	struct log_line line;

	for (size_t i = 0; i < l->count; i++) {
		log_begin(&line, LOG_INFO, "listening");
		log_text(&line, "address", addr_format(&l->items[i].bound, text));
		log_end(&line);
	}
}

/* A command that works from this host as it stands. */
static void log_try_it(const struct server *s, const struct config *c, const struct listeners *l)
{
	struct addr a = l->items[0].bound;
	char text[ADDR_TEXT_MAX];
	size_t users = users_count(s->services.users);

	if (addr_is_unspecified(&a)) {
		uint16_t port = addr_port(&a);

		addr_parse(a.sa.sa_family == AF_INET ? "127.0.0.1" : "::1",
			a.sa.sa_family == AF_INET ? 9 : 3, &a);
		addr_set_port(&a, port);
	}
	log_message(LOG_INFO, "try it: curl --proxy socks5h://%s%s http://example.org/",
		acl_login_required(c, users) ? "NAME:PASS@" : "", addr_format(&a, text));
}

static void warn_of_open_door(const struct server *s, const struct config *c)
{
	size_t users = users_count(s->services.users);

	if (users == 0 && acl_login_required(c, users))
		log_message(LOG_WARN, "login is required but there are no users: nobody gets in");
	else if (users == 0 && c->settings.auth == AUTH_AUTO && users_path(&c->settings) != NULL)
		log_message(LOG_WARN,
			"there are no users, so nobody has to log in (auth = required to forbid "
			"that)");
	else if (!acl_login_required(c, users) && c->settings.clients.any)
		log_message(LOG_WARN, "clients = any and no login required: an open proxy");
}

/* ---- start ---- */

static int make_shared_state(struct server *s, const struct config *c, char *error)
{
	struct services *v = &s->services;
	struct resolver_options resolver = resolver_options(&c->settings);

	stats_init(&v->stats);
	v->resolver = resolver_new(&resolver);
	v->registry = registry_new(v->budget.sessions);
	if (v->resolver != NULL && v->registry != NULL)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	return -1;
}

static int make_users(
	struct server *s, const struct options *o, const struct settings *settings, char *error)
{
	s->services.users = users_new((unsigned)settings->max_password_checks);
	if (s->services.users == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "users: %s", strerror(errno));
		return -1;
	}
	if (load_users(s->services.users, settings, o->user_count > 0, error) < 0)
		return -1;
	return users_add_operators(
		s->services.users, o->users, o->user_count, users_path(settings), error);
}

/* The listeners first, since an address in use is the likeliest failure; who connects waits in the
 * backlog until pool_start(). */
static int open_for_business(struct server *s, struct config *c, char *error)
{
	size_t planned = s->services.budget.sessions;
	struct listeners *l = listeners_open(c, NULL, error);

	if (l == NULL)
		return -1;
	s->services.config = config_store_new(c);
	if (s->services.config == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		listeners_close(l);
		return -1;
	}
	s->pool = pool_new(&s->services, &s->services.budget.sessions);
	if (s->pool == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "cannot start a worker thread: %s",
			strerror(errno));
		listeners_close(l);
		return -1;
	}
	log_capacity(s, c, planned);
	warn_of_open_door(s, c);
	log_listening(l);
	log_try_it(s, c, l);
	pool_start(s->pool, l);
	return 0;
}

static void free_all(struct server *s)
{
	pool_free(s->pool);
	config_store_free(s->services.config);
	registry_free(s->services.registry);
	resolver_free(s->services.resolver);
	users_free(s->services.users);
	log_close();
	free(s);
}

struct server *server_start(struct options *o, bool *bad_input, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_read(&o->source, error);
	struct server *s;

	*bad_input = c == NULL;
	if (c == NULL)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		config_release(c);
		return NULL;
	}
	s->options = o;
	*bad_input = open_log(&c->settings, error) < 0 || make_users(s, o, &c->settings, error) < 0;
	if (!*bad_input && plan_sessions(s, c, error) == 0 && make_shared_state(s, c, error) == 0 &&
		open_for_business(s, c, error) == 0) {
		options_free_users(o);
		return s;
	}
	if (s->services.config == NULL)
		config_release(c); /* else the store has it */
	free_all(s);
	return NULL;
}

int server_check(const struct options *o, char error[CONFIG_ERROR_MAX])
{
	struct config *c = config_read(&o->source, error);
	struct users *u = users_new(1);
	int result = -1;

	if (u == NULL)
		snprintf(error, CONFIG_ERROR_MAX, "users: %s", strerror(errno));
	else if (c != NULL)
		result = load_users(u, &c->settings, o->user_count > 0, error);
	users_free(u);
	config_release(c);
	return result;
}

/* ---- reload ---- */

static void log_change(
	const struct setting *setting, const struct settings *old, const struct settings *new)
{
	char from[4096], to[4096]; /* whole lists, to be compared */
	struct log_line line;

	setting_format(setting, old, from, sizeof(from));
	setting_format(setting, new, to, sizeof(to));
	if (strcmp(from, to) == 0)
		return;
	log_begin(&line, setting->reloadable ? LOG_INFO : LOG_WARN,
		setting->reloadable ? "setting changed" : "setting changes only at the next start");
	log_text(&line, "setting", setting->name);
	log_text(&line, "from", from);
	log_text(&line, "to", to);
	log_end(&line);
}

/* Says what is different, and takes back what cannot change while running. */
static void settle_changes(const struct settings *old, struct settings *new)
{
	for (size_t i = 0; i < settings_count; i++) {
		log_change(&settings_table[i], old, new);
		if (!settings_table[i].reloadable && setting_copy(&settings_table[i], new, old) < 0)
			log_message(LOG_ERROR, "%s: out of memory", settings_table[i].name);
	}
}

static const char *count_entry(void *context, const struct users_file_entry *entry)
{
	(void)entry;
	++*(size_t *)context;
	return NULL;
}

/* Reads the file of users only to see whether it can be taken. A file that was emptied, by accident
 * or for a moment, is not to open the proxy to everybody. */
static int check_users(
	struct server *s, const struct config *old, const struct config *new, char *error)
{
	const char *path = users_path(&old->settings);
	size_t count = 0, before = users_count(s->services.users);

	if (path == NULL)
		return 0;
	if (users_file_read(path, count_entry, &count, error) < 0)
		return -1;
	if (count > 0 || !acl_login_required(old, before) || acl_login_required(new, 0) ||
		new->settings.auth == AUTH_OPTIONAL)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX,
		"%.512s: no users are left in it, which would let everybody in: say auth = "
		"optional or auth = required",
		path);
	return -1;
}

/* The steps that can fail, each undone when a later one does. The listeners, or NULL. */
static struct listeners *prepare(struct server *s, const struct config *old, struct config *new,
	char error[CONFIG_ERROR_MAX])
{
	const struct listeners *current = pool_listeners(s->pool);
	struct listeners *l;
	char ignored[CONFIG_ERROR_MAX];

	if (check_users(s, old, new, error) < 0)
		return NULL;
	l = listeners_open(new, current, error);
	if (l == NULL)
		return NULL;
	if (open_log(&new->settings, error) == 0) {
		if (load_users(s->services.users, &old->settings, false, error) == 0)
			return l;
		(void)open_log(&old->settings, ignored);
	}
	listeners_leave_out(l, current);
	listeners_close(l);
	return NULL;
}

static void put_into_effect(struct server *s, struct config *new, struct listeners *l)
{
	struct resolver_options resolver = resolver_options(&new->settings);

	if (resolver_configure(s->services.resolver, &resolver) < 0)
		log_message(LOG_ERROR, "name lookups go on as before: out of memory");
	users_set_max_checks(s->services.users, (unsigned)new->settings.max_password_checks);
	log_listening(l);
	warn_of_open_door(s, new);
	config_publish(s->services.config, new);
	pool_listen_on(s->pool, l);
	log_message(LOG_INFO, "reloaded");
}

void server_reload(struct server *s)
{
	char error[CONFIG_ERROR_MAX];
	struct config *old = config_get(s->services.config);
	struct config *new = config_read(&s->options->source, error);
	struct listeners *l = new == NULL ? NULL : prepare(s, old, new, error);

	if (l == NULL) {
		log_message(LOG_ERROR, "reload refused, nothing changed: %s", error);
		config_release(new);
	} else {
		settle_changes(&old->settings, &new->settings);
		put_into_effect(s, new, l);
	}
	config_release(old);
}

/* ---- statistics ---- */

static void log_counter(struct log_line *line, const char *key, const _Atomic(uint64_t) *counter)
{
	log_number(line, key, (int64_t)stats_get(counter));
}

void server_log_stats(struct server *s)
{
	struct stats *stats = &s->services.stats;
	struct log_line line;
	uint64_t hits, misses;

	resolver_counts(s->services.resolver, &hits, &misses);
	log_begin(&line, LOG_INFO, "statistics");
	log_number(&line, "uptime_s", (clock_ms() - stats->started) / 1000);
	log_counter(&line, "sessions", &stats->sessions);
	log_counter(&line, "current", &stats->current);
	log_counter(&line, "most", &stats->most);
	log_counter(&line, "sent", &stats->sent);
	log_counter(&line, "received", &stats->received);
	log_counter(&line, "clients_refused", &stats->clients_refused);
	log_counter(&line, "accept_exhausted", &stats->accept_exhausted);
	log_counter(&line, "saturated", &stats->saturated);
	log_number(&line, "dns_cache_hits", (int64_t)hits);
	log_number(&line, "dns_cache_misses", (int64_t)misses);
	log_number(&line, "spare_descriptors_used",
		(int64_t)atomic_load(&s->services.budget.spare_used));
	for (enum end_reason i = 0; i < END_REASONS; i++)
		log_counter(&line, end_reason_word(i), &stats->ended[i]);
	log_end(&line);
}

/* ---- stop ---- */

int64_t server_drain(struct server *s)
{
	struct config *c = config_get(s->services.config);
	int64_t drain_ms = c->settings.drain_timeout;

	config_release(c);
	pool_stop(s->pool);
	return drain_ms;
}

bool server_is_drained(struct server *s)
{
	return pool_is_gone(s->pool);
}

void server_stop(struct server *s)
{
	users_stop(s->services.users);
	registry_stop_all(s->services.registry);
	pool_free(s->pool);
	s->pool = NULL;
	log_message(LOG_INFO, "stopped");
	free_all(s);
}
