#include "proxy/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/socket.h"
#include "proxy/listeners.h"
#include "proxy/pool.h"
#include "proxy/session.h"
#include "proxy/statistics.h"
#include "state/acl.h"
#include "state/users_file.h"

/* Descriptors for the two logs, the files read and written meanwhile, the pool's eventfd and the
 * monitor's. */
#define PROCESS_DESCRIPTORS 8
#define MONITOR_BACKLOG 64

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
	bool stopping;
	struct listeners monitor; /* one; a copy, for the descriptor is the monitor's */
	bool monitor_is_new; /* and the monitor does not have it yet */
	size_t reserved_listeners; /* that the budget has kept descriptors for */
	size_t borrowed_listeners; /* that were taken from the spare */
	/* By index in the table: what file and flags say of a setting that server_set() has set. */
	char *overridden[CONFIG_MAX_OVERRIDES];
};

/* ---- what the configuration says, put into effect ---- */

static struct resolver_options resolver_options(const struct settings *s)
{
	return (struct resolver_options){.servers = s->dns_servers,
		.search = s->dns_search,
		.cache_records = (size_t)s->dns_cache,
		.negative_ttl_ms = s->dns_negative_ttl};
}

static int open_access_log(struct access_log *log, const struct settings *s, char *error)
{
	if (access_log_open(log, s->access_log_file) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "access_log_file: \"%s\": cannot be opened: %s",
		s->access_log_file, strerror(errno));
	return -1;
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
	size_t monitor_clients = (size_t)c->settings.max_monitor_clients + 1; /* turned away */
	size_t reserved = fdbudget_count_open() + PROCESS_DESCRIPTORS + monitor_clients;

	s->reserved_listeners = c->settings.listen.count + c->settings.monitor_listen.count;
	reserved += s->reserved_listeners;
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

static void log_listening(const struct listeners *l, const char *msg)
{
	char text[ADDR_TEXT_MAX];
	struct log_line line;

	for (size_t i = 0; i < l->count; i++) {
		log_begin(&line, LOG_INFO, msg);
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

static int make_access_log(struct server *s, const struct settings *settings, char *error)
{
	struct access_log *log = access_log_new((size_t)settings->access_log_entries);

	s->services.access_log = log;
	if (log == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "access_log_entries: out of memory");
		return -1;
	}
	if (open_access_log(log, settings, error) < 0)
		return -1;
	if (settings->access_log_file[0] == '\0' ||
		access_log_fill(log, settings->access_log_file) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "access_log_file: \"%s\": cannot be read: %s",
		settings->access_log_file, strerror(errno));
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

/* Opens what is to be listened on, for clients and for the monitor. The former, or NULL with the
 * reason in `error`, and nothing is open that was not before. */
static struct listeners *open_listeners(struct server *s, struct config *c, char *error)
{
	const struct listeners *current = s->pool == NULL ? NULL : pool_listeners(s->pool);
	const struct listeners *monitor = s->monitor.count == 0 ? NULL : &s->monitor;
	struct listeners *l, *m;

	l = listeners_open(&c->settings.listen, (int)c->settings.backlog, current, error);
	if (l == NULL)
		return NULL;
	m = listeners_open(&c->settings.monitor_listen, MONITOR_BACKLOG, monitor, error);
	if (m == NULL) {
		listeners_leave_out(l, current);
		listeners_close(l);
		return NULL;
	}
	c->own_count = 0;
	listeners_add_own(l, c);
	listeners_add_own(m, c);
	s->monitor_is_new |= monitor == NULL || m->items[0].fd != monitor->items[0].fd;
	s->monitor = *m;
	free(m);
	return l;
}

/* The listeners first, since an address in use is the likeliest failure; who connects waits in the
 * backlog until pool_start(). */
static int open_for_business(struct server *s, struct config *c, char *error)
{
	size_t planned = s->services.budget.sessions;
	struct listeners *l = open_listeners(s, c, error);

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
	log_listening(l, "listening");
	log_listening(&s->monitor, "monitor listening");
	log_try_it(s, c, l);
	pool_start(s->pool, l);
	return 0;
}

static void free_all(struct server *s)
{
	pool_free(s->pool);
	if (s->monitor_is_new)
		socket_close(s->monitor.items[0].fd);
	for (size_t i = 0; i < CONFIG_MAX_OVERRIDES; i++)
		free(s->overridden[i]);
	config_store_free(s->services.config);
	registry_free(s->services.registry);
	resolver_free(s->services.resolver);
	users_free(s->services.users);
	access_log_free(s->services.access_log);
	log_close();
	free(s);
}

int server_take_monitor_listener(struct server *s)
{
	if (!s->monitor_is_new)
		return -1;
	s->monitor_is_new = false;
	return s->monitor.items[0].fd;
}

struct services *server_services(struct server *s)
{
	return &s->services;
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
	*bad_input = open_log(&c->settings, error) < 0 ||
		make_access_log(s, &c->settings, error) < 0 ||
		make_users(s, o, &c->settings, error) < 0;
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

/* A change of configuration under way. */
struct change {
	struct config *old;
	struct config *new;
	bool read_again; /* the files too: users are read, logs are opened again */
	size_t borrowed; /* descriptors, for listeners */
	char *reply; /* what changed, or why nothing did: SERVER_REPLY_MAX bytes */
};

static void tell(struct change *change, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct change *change, const char *format, ...)
{
	size_t len = strlen(change->reply);
	va_list ap;

	if (len > 0)
		len += (size_t)snprintf(change->reply + len, SERVER_REPLY_MAX - len, ", ");
	if (len >= SERVER_REPLY_MAX)
		return;
	va_start(ap, format);
	vsnprintf(change->reply + len, SERVER_REPLY_MAX - len, format, ap);
	va_end(ap);
}

/* Says what is different; false when nothing is. */
static bool tell_difference(struct change *change, const struct setting *setting)
{
	char from[4096], to[4096]; /* whole lists, to be compared */
	struct log_line line;

	setting_format(setting, &change->old->settings, from, sizeof(from));
	setting_format(setting, &change->new->settings, to, sizeof(to));
	if (strcmp(from, to) == 0)
		return false;
	log_begin(&line, setting->reloadable ? LOG_INFO : LOG_WARN,
		setting->reloadable ? "setting changed" : "setting changes only at the next start");
	log_text(&line, "setting", setting->name);
	log_text(&line, "from", from);
	log_text(&line, "to", to);
	log_end(&line);
	if (setting->reloadable)
		tell(change, "%s set to %s", setting->name, to[0] != '\0' ? to : "empty");
	else
		tell(change, "%s changes only at the next start", setting->name);
	return true;
}

/* Says what is different, and takes back what cannot change while running. */
static void settle_changes(struct change *change)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *setting = &settings_table[i];

		if (tell_difference(change, setting) && !setting->reloadable &&
			setting_copy(setting, &change->new->settings, &change->old->settings) < 0)
			log_message(LOG_ERROR, "%s: out of memory", setting->name);
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

/* Descriptors for the listeners that are opened before the old ones are closed. */
static int borrow_for_listeners(struct server *s, struct change *change, char *error)
{
	const struct settings *new = &change->new->settings;

	change->borrowed = listeners_count_new(&new->listen, pool_listeners(s->pool)) +
		listeners_count_new(&new->monitor_listen, &s->monitor);
	if (fdbudget_borrow(&s->services.budget, change->borrowed))
		return 0;
	change->borrowed = 0;
	snprintf(error, CONFIG_ERROR_MAX,
		"no descriptors to spare for new listeners (limit on open files): try again later");
	return -1;
}

/* Keeps what the present listeners need beyond what was reserved at start. */
static void settle_borrowed(struct server *s, const struct change *change, size_t listeners)
{
	size_t held = s->borrowed_listeners + change->borrowed, needed = 0;

	if (listeners > s->reserved_listeners)
		needed = listeners - s->reserved_listeners;
	fdbudget_return(&s->services.budget, held - needed);
	s->borrowed_listeners = needed;
}

/* What is opened or read again; undone when a later step fails. */
static int open_files(struct server *s, const struct change *change, char *error)
{
	const struct settings *old = &change->old->settings, *new = &change->new->settings;
	struct access_log *log = s->services.access_log;
	char ignored[CONFIG_ERROR_MAX];

	if (open_log(new, error) < 0)
		return -1;
	if (open_access_log(log, new, error) == 0) {
		if (access_log_resize(log, (size_t) new->access_log_entries) < 0)
			snprintf(error, CONFIG_ERROR_MAX, "access_log_entries: out of memory");
		else if (!change->read_again ||
			load_users(s->services.users, old, false, error) == 0)
			return 0;
		(void)open_access_log(log, old, ignored);
		if (access_log_resize(log, (size_t)old->access_log_entries) < 0)
			log_message(LOG_ERROR, "access_log_entries: out of memory");
	}
	(void)open_log(old, ignored);
	return -1;
}

static void close_new_listeners(struct server *s, struct listeners *l,
	const struct listeners *monitor_before, bool monitor_was_new)
{
	if (l == NULL)
		return;
	if (s->monitor.items[0].fd != monitor_before->items[0].fd)
		socket_close(s->monitor.items[0].fd);
	s->monitor = *monitor_before;
	s->monitor_is_new = monitor_was_new;
	listeners_leave_out(l, pool_listeners(s->pool));
	listeners_close(l);
}

/* The steps that can fail, each undone when a later one does. The listeners, or NULL. */
static struct listeners *prepare(
	struct server *s, struct change *change, char error[CONFIG_ERROR_MAX])
{
	struct listeners monitor_before = s->monitor, *l = NULL;
	bool monitor_was_new = s->monitor_is_new;

	if ((!change->read_again || check_users(s, change->old, change->new, error) == 0) &&
		borrow_for_listeners(s, change, error) == 0) {
		l = open_listeners(s, change->new, error);
		if (l != NULL && open_files(s, change, error) == 0)
			return l;
	}
	close_new_listeners(s, l, &monitor_before, monitor_was_new);
	fdbudget_return(&s->services.budget, change->borrowed);
	return NULL;
}

static void put_into_effect(struct server *s, struct change *change, struct listeners *l)
{
	struct config *new = change->new;
	struct resolver_options resolver = resolver_options(&new->settings);
	size_t listeners = l->count + s->monitor.count;

	if (resolver_configure(s->services.resolver, &resolver) < 0)
		log_message(LOG_ERROR, "name lookups go on as before: out of memory");
	users_set_max_checks(s->services.users, (unsigned)new->settings.max_password_checks);
	if (change->read_again) {
		log_listening(l, "listening");
		log_listening(&s->monitor, "monitor listening");
	}
	warn_of_open_door(s, new);
	config_publish(s->services.config, new);
	pool_listen_on(s->pool, l);
	settle_borrowed(s, change, listeners);
}

/* Goes over from `old` to `new`, whose reference it takes over; -1 when that is refused, and
 * nothing changed. */
static int change_over(struct server *s, struct change *change)
{
	char error[CONFIG_ERROR_MAX];
	struct listeners *l = prepare(s, change, error);

	if (l == NULL) {
		config_release(change->new);
		snprintf(change->reply, SERVER_REPLY_MAX, "%s", error);
		return -1;
	}
	settle_changes(change);
	put_into_effect(s, change, l);
	return 0;
}

/* What server_set() has set stands, unless file or flags say something new of it. */
static void keep_overrides(struct server *s, const struct config *old, struct config *new)
{
	char base[4096];

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *setting = &settings_table[i];

		if (s->overridden[i] == NULL ||
			strcmp(setting_format(setting, &new->settings, base, sizeof(base)),
				s->overridden[i]) != 0)
			continue;
		if (setting_copy(setting, &new->settings, &old->settings) < 0)
			log_message(LOG_ERROR, "%s: out of memory", setting->name);
	}
	config_settle(new);
}

/* After a reload: what stands now as file and flags have it is not overridden any more. */
static void forget_overrides(struct server *s, const struct config *base)
{
	char text[4096];

	for (size_t i = 0; i < settings_count; i++) {
		if (s->overridden[i] == NULL ||
			strcmp(setting_format(
				       &settings_table[i], &base->settings, text, sizeof(text)),
				s->overridden[i]) == 0)
			continue;
		free(s->overridden[i]);
		s->overridden[i] = NULL;
	}
}

static int reload(struct server *s, struct config *old, char *reply)
{
	struct config *base = config_read(&s->options->source, reply), *new;
	struct change change = {.old = old, .read_again = true, .reply = reply};
	size_t users = users_count(s->services.users);
	int result;

	if (base == NULL)
		return -1;
	new = config_clone(base);
	if (new == NULL) {
		config_release(base);
		snprintf(reply, SERVER_REPLY_MAX, "out of memory");
		return -1;
	}
	keep_overrides(s, old, new);
	reply[0] = '\0';
	change.new = new;
	result = change_over(s, &change);
	if (result == 0)
		forget_overrides(s, base);
	if (result == 0 && users != users_count(s->services.users))
		tell(&change, "users %zu to %zu", users, users_count(s->services.users));
	config_release(base);
	return result;
}

/* There are no listeners any more to be changed. */
static bool is_stopping(const struct server *s, char *reply)
{
	if (s->stopping)
		snprintf(reply, SERVER_REPLY_MAX, "the server is stopping");
	return s->stopping;
}

int server_reload(struct server *s, char reply[SERVER_REPLY_MAX])
{
	struct config *old = config_get(s->services.config);
	int result = is_stopping(s, reply) ? -1 : reload(s, old, reply);

	if (result < 0)
		log_message(LOG_ERROR, "reload refused, nothing changed: %s", reply);
	else
		log_message(LOG_INFO, "reloaded");
	if (result == 0 && reply[0] == '\0')
		snprintf(reply, SERVER_REPLY_MAX, "Nothing changed");
	config_release(old);
	return result;
}

/* ---- one setting while running ---- */

/* Remembers what file and flags say of the setting, unless it is overridden already. */
static int remember_base(struct server *s, size_t index, const struct config *old)
{
	char base[4096];

	if (s->overridden[index] != NULL)
		return 0;
	setting_format(&settings_table[index], &old->settings, base, sizeof(base));
	s->overridden[index] = strdup(base);
	return s->overridden[index] == NULL ? -1 : 0;
}

static int set(struct server *s, const struct setting *setting, const char *value,
	struct config *old, char *reply)
{
	size_t index = (size_t)(setting - settings_table);
	bool was_overridden = s->overridden[index] != NULL;
	struct change change = {.old = old, .new = config_clone(old), .reply = reply};
	char legal[256];

	reply[0] = '\0';
	if (change.new == NULL || remember_base(s, index, old) < 0) {
		config_release(change.new);
		tell(&change, "out of memory");
		return -1;
	}
	if (!setting_set(setting, &change.new->settings, value, true)) {
		config_release(change.new);
		tell(&change, "%s: \"%.512s\": legal is %s", setting->name, value,
			setting_legal(setting, legal, sizeof(legal)));
	} else {
		config_settle(change.new);
		if (change_over(s, &change) == 0)
			return 0;
	}
	if (!was_overridden) {
		free(s->overridden[index]);
		s->overridden[index] = NULL;
	}
	return -1;
}

int server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[SERVER_REPLY_MAX])
{
	struct config *old;
	int result;

	if (is_stopping(s, reply))
		return -1;
	if (!setting->reloadable) {
		snprintf(reply, SERVER_REPLY_MAX, "%s changes only at the next start",
			setting->name);
		return -1;
	}
	old = config_get(s->services.config);
	result = set(s, setting, value, old, reply);
	config_release(old);
	return result;
}

/* ---- statistics ---- */

/* "server uptime" in "s" is server_uptime_s in the log. */
static void log_figure(void *context, const char *name, uint64_t value, const char *unit)
{
	char key[64];

	snprintf(key, sizeof(key), "%s%s%s", name, *unit != '\0' ? "_" : "", unit);
	for (char *p = key; *p != '\0'; p++) {
		if (*p == ' ')
			*p = '_';
	}
	log_number(context, key, (int64_t)value);
}

void server_log_stats(struct server *s)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "statistics");
	statistics_each(&s->services, log_figure, &line);
	log_end(&line);
}

/* ---- stop ---- */

int64_t server_drain(struct server *s)
{
	struct config *c = config_get(s->services.config);
	int64_t drain_ms = c->settings.drain_timeout;

	config_release(c);
	s->stopping = true;
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
