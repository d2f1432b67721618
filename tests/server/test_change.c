/* change: which effects a change of each setting has, and that a change which fails at any step has
 * changed nothing; without the daemon. Sockets, users and the configuration are real, what has
 * threads of its own is not. */
#include "server/change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "base/lines.h"
#include "base/log.h"
#include "net.h"
#include "server/effects.h"
#include "state/admission.h"
#include "state/users_file.h"

/* ---- what is called, and what fails ---- */

static char calls[1024];
static const char *fault; /* the function that fails */
static unsigned fault_at; /* at this call of it, from 1; 0: never */
static size_t published_behind; /* as many bytes of `calls` the configuration was published */

static void note(const char *name)
{
	size_t len = strlen(calls);

	snprintf(calls + len, sizeof(calls) - len, "%s%s", len > 0 ? " " : "", name);
}

static bool fails_now(const char *name)
{
	if (fault == NULL || strcmp(fault, name) != 0 || fault_at == 0 || --fault_at > 0)
		return false;
	errno = ENOMEM;
	return true;
}

static void fail_at(const char *name, unsigned at)
{
	fault = name;
	fault_at = at;
}

/* ---- who accepts ---- */

static int expect_clients(void *context, const struct listeners *next)
{
	(void)context;
	(void)next;
	note("expect");
	return fails_now("expect") ? -1 : 0;
}

static void accept_clients(void *context, const struct listeners *next)
{
	(void)next;
	note(context);
}

static char at_proxy[] = "proxy", at_monitor[] = "monitor", at_socket[] = "socket",
	    at_web[] = "web";

static const struct acceptor acceptors[FRONTS] = {
	[FRONT_PROXY] = {expect_clients, accept_clients, at_proxy},
	[FRONT_MONITOR] = {NULL, accept_clients, at_monitor},
	[FRONT_MONITOR_SOCKET] = {NULL, accept_clients, at_socket},
	[FRONT_WEB] = {NULL, accept_clients, at_web},
};

/* ---- the rest ---- */

static char log_path[64], access_path[64]; /* what is logged to */
static char next_log_path[64]; /* "": nothing is prepared */

int __wrap_log_prepare(const char *path);
int __wrap_log_switch(void);
void __wrap_log_abandon(void);
void __wrap_log_set_level(enum log_level level);
void __wrap_log_set_format(enum log_format format);
int __wrap_access_log_open(struct access_log *log, const char *path);
int __wrap_access_log_resize(struct access_log *log, size_t entries);
int __wrap_resolver_configure(struct resolver *r, const struct resolver_options *options);
void __wrap_hashing_set_most(struct hashing *h, unsigned most);
void __real_login_helper_set(struct login_helper *h, int64_t cache_ms, unsigned most);
void __wrap_login_helper_set(struct login_helper *h, int64_t cache_ms, unsigned most);

int __wrap_log_prepare(const char *path)
{
	assert_string_equal(next_log_path, "");
	note("log_prepare");
	if (fails_now("log_prepare"))
		return -1;
	snprintf(next_log_path, sizeof(next_log_path), "%s;", path);
	return 0;
}

int __wrap_log_switch(void)
{
	note("log_switch");
	snprintf(log_path, sizeof(log_path), "%.*s", (int)strlen(next_log_path) - 1, next_log_path);
	next_log_path[0] = '\0';
	return 0;
}

void __wrap_log_abandon(void)
{
	next_log_path[0] = '\0';
}

void __wrap_log_set_level(enum log_level level)
{
	(void)level;
	note("log_set_level");
}

void __wrap_log_set_format(enum log_format format)
{
	(void)format;
	note("log_set_format");
}

int __wrap_access_log_open(struct access_log *log, const char *path)
{
	(void)log;
	note("access_log_open");
	if (fails_now("access_log_open"))
		return -1;
	snprintf(access_path, sizeof(access_path), "%s", path);
	return 0;
}

int __wrap_access_log_resize(struct access_log *log, size_t entries)
{
	(void)log;
	(void)entries;
	note("access_log_resize");
	return 0;
}

int __wrap_resolver_configure(struct resolver *r, const struct resolver_options *options)
{
	(void)r;
	(void)options;
	note("resolver_configure");
	return 0;
}

void __wrap_login_helper_set(struct login_helper *h, int64_t cache_ms, unsigned most)
{
	__real_login_helper_set(h, cache_ms, most);
	note("login_helper_set");
}

void __wrap_hashing_set_most(struct hashing *h, unsigned most)
{
	(void)h;
	(void)most;
	note("hashing_set_most");
}

void __wrap_log_message_beside(enum log_level level, const char *format, ...);

void __wrap_log_message_beside(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
	note("log_message_beside");
}

/* ---- what is real, but may fail ---- */

static unsigned conf_opened, users_opened;

struct lines *__real_lines_open(const char *path, bool may_be_pipe, char error[LINES_ERROR_MAX]);
struct lines *__wrap_lines_open(const char *path, bool may_be_pipe, char error[LINES_ERROR_MAX]);

struct lines *__wrap_lines_open(const char *path, bool may_be_pipe, char error[LINES_ERROR_MAX])
{
	conf_opened += strcmp(path, "conf") == 0;
	users_opened += strcmp(path, "users") == 0;
	return __real_lines_open(path, may_be_pipe, error);
}

struct users_draft *__real_users_read(struct users *u, char error[USERS_ERROR_MAX]);
struct users_draft *__wrap_users_read(struct users *u, char error[USERS_ERROR_MAX]);
struct users_difference __real_users_put_into_effect(
	struct users *u, struct users_draft *draft, users_farewell *farewell, void *context);
struct users_difference __wrap_users_put_into_effect(
	struct users *u, struct users_draft *draft, users_farewell *farewell, void *context);
void __real_config_publish(struct config_store *store, struct config *next);
void __wrap_config_publish(struct config_store *store, struct config *next);
bool __real_fdbudget_borrow(struct fdbudget *b, size_t n);
bool __wrap_fdbudget_borrow(struct fdbudget *b, size_t n);
struct listeners *__real_listeners_open(const struct listen_list *list, int backlog,
	const struct listeners *old, char error[CONFIG_ERROR_MAX]);
struct listeners *__wrap_listeners_open(const struct listen_list *list, int backlog,
	const struct listeners *old, char error[CONFIG_ERROR_MAX]);
int __real_setting_copy(const struct setting *setting, void *to, const void *from);
int __wrap_setting_copy(const struct setting *setting, void *to, const void *from);

struct users_draft *__wrap_users_read(struct users *u, char error[USERS_ERROR_MAX])
{
	note("users_read");
	if (!fails_now("users_read"))
		return __real_users_read(u, error);
	snprintf(error, USERS_ERROR_MAX, "users_read failed");
	return NULL;
}

struct users_difference __wrap_users_put_into_effect(
	struct users *u, struct users_draft *draft, users_farewell *farewell, void *context)
{
	note("users_put_into_effect");
	return __real_users_put_into_effect(u, draft, farewell, context);
}

/* Every change does it. */
void __wrap_config_publish(struct config_store *store, struct config *next)
{
	published_behind = strlen(calls);
	__real_config_publish(store, next);
}

bool __wrap_fdbudget_borrow(struct fdbudget *b, size_t n)
{
	return !fails_now("fdbudget_borrow") && __real_fdbudget_borrow(b, n);
}

struct listeners *__wrap_listeners_open(const struct listen_list *list, int backlog,
	const struct listeners *old, char error[CONFIG_ERROR_MAX])
{
	note("listeners_open");
	if (!fails_now("listeners_open"))
		return __real_listeners_open(list, backlog, old, error);
	snprintf(error, CONFIG_ERROR_MAX, "listeners_open failed");
	return NULL;
}

int __wrap_setting_copy(const struct setting *setting, void *to, const void *from)
{
	return fails_now("setting_copy") ? -1 : __real_setting_copy(setting, to, from);
}

/* ---- a site ---- */

/* "secret" by bcrypt at its lowest cost, and another. */
#define HASH "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define OTHER_HASH "$2b$04$KBCwKxOzLha2MUDgW0PjXe5WrYdbeMEUdDqZSYfWfkhh6PfeUa7Fi"
#define USERS_LINE "root:" HASH ":admin\n"
#define CONF                                                                                       \
	"listen = 127.0.0.1\nport = 0\nmonitor_port = 0\nusers_file = users\n"                     \
	"log_file = log\naccess_log_file = access\n"

/* What a reload says that it has read and opened again. */
#define FILES "; read: conf, users (1 user); opened again: log, access"

static struct services services;
static struct site site;
static struct config_override flag;
static struct config_source source = {.path = "conf", .overrides = &flag};
static char reply[CHANGE_REPLY_MAX];

/* As they are in the file at `path`; NULL: nobody, kept nowhere. */
static struct users *users_at(const char *path)
{
	struct users_backend file;
	char error[USERS_ERROR_MAX];
	struct users *u;

	if (path != NULL)
		file = users_file_backend(path);
	u = users_new(services.hashing, services.ledger, path == NULL ? NULL : &file);
	assert_non_null(u);
	assert_int_equal(users_load(u, error), 0);
	return u;
}

static int open_site(void **state)
{
	char error[CONFIG_ERROR_MAX];
	struct config *c;

	if (scratch_enter(state) < 0)
		return -1;
	scratch_write("conf", CONF);
	scratch_write("users", USERS_LINE);
	source.count = 0;
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	fdbudget_plan(&services.budget, 300, 10, 10);
	services.hashing = hashing_new(1);
	services.login_helper = login_helper_new("helper");
	assert_non_null(services.login_helper);
	services.ledger = ledger_new(1, NULL);
	services.users = users_at("users");
	services.registry = registry_new(1);
	admission_decide_auto(c, false);
	site = (struct site){.source = &source, .services = &services};
	assert_int_equal(fronts_open(&site.fronts, &services.budget, 2, NULL, c, error), 0);
	for (enum front i = 0; i < FRONTS; i++)
		fronts_set_acceptor(&site.fronts, i, &acceptors[i]);
	assert_int_equal(fronts_begin(&site.fronts, error), 0);
	calls[0] = '\0';
	services.config = config_store_new(c);
	change_begin(&site, c);
	strcpy(log_path, "log");
	strcpy(access_path, "access");
	fail_at(NULL, 0);
	return 0;
}

static int close_site(void **state)
{
	fronts_close_all(&site.fronts);
	change_forget(&site);
	config_store_free(services.config);
	registry_free(services.registry);
	users_free(services.users);
	ledger_free(services.ledger);
	hashing_free(services.hashing);
	login_helper_free(services.login_helper);
	services.login_helper = NULL;
	return scratch_leave(state);
}

#define site_test(f) cmocka_unit_test_setup_teardown(f, open_site, close_site)

static int set(const char *name, const char *value)
{
	const struct setting *setting = settings_find(name);

	assert_non_null(setting);
	calls[0] = '\0';
	return change_set(&site, setting, value, reply);
}

static int reload(const char *conf)
{
	scratch_write("conf", conf);
	calls[0] = '\0';
	return change_reload(&site, false, reply);
}

static void assert_setting(const char *name, const char *expected)
{
	struct config *c = config_get(services.config);
	char *text = setting_format(settings_find(name), &c->settings);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	config_release(c);
}

static bool is_overridden(size_t index)
{
	struct config *c = config_get(services.config);
	bool result = c->origins[index].from == CONFIG_FROM_COMMAND;

	config_release(c);
	return result;
}

/* ---- what a change does ---- */

#define OPEN "listeners_open listeners_open listeners_open expect"

/* Each setting that can change while serving, a value, and what is called. */
static const struct row {
	const char *name, *value, *calls;
} rows[] = {
	{"listen", "127.0.0.2, 127.0.0.1", OPEN " proxy"},
	{"port", NULL, OPEN " proxy"},
	{"monitor_listen", "127.0.0.2", OPEN " monitor"},
	{"monitor_port", NULL, OPEN " monitor"},
	{"web_listen", "127.0.0.2:0", OPEN " web"},
	{"web_trusted", "192.0.2.0/24", ""},
	{"web_names", "monitor.example.org", ""},
	{"metrics_from", "192.0.2.0/24", ""},
	{"metrics_accounts", "yes", ""},
	{"monitor_login_timeout", "7s", ""},
	{"monitor_timeout", "7s", ""},
	{"max_sessions_per_client", "7", ""},
	{"backlog", "7", ""},
	{"handshake_timeout", "7s", "hashing_set_most login_helper_set"},
	{"connect_timeout", "7s", ""},
	{"timeout", "30m", ""},
	{"half_close_timeout", "7s", ""},
	{"drain_timeout", "7s", ""},
	{"shared_grace", "1h", ""},
	{"shared_nodes", "192.0.2.0/24", ""},
	{"relay", "copy", ""},
	{"rate_total", "7Mbit", ""},
	{"group_rate", "@pupils 7Mbit", ""},
	{"protocols", "http", ""},
	{"http_via", "yes", ""},
	{"external_address", "192.0.2.7", ""},
	{"external_interface", "eth7", ""},
	{"prefer", "ipv4", ""},
	{"udp_address", "192.0.2.7", ""},
	{"udp_ports", "7", ""},
	{"udp_clients", "192.0.2.0/24", ""},
	{"udp_filter", "none", ""},
	{"udp_timeout", "7s", ""},
	{"bind_address", "192.0.2.7", ""},
	{"bind_ports", "7", ""},
	{"bind_timeout", "7s", ""},
	{"bind_any_peer", "yes", ""},
	{"setup_page", "no", ""},
	{"proxy_name", "proxy.example.org", ""},
	{"pac_direct", ".example.org", ""},
	{"pac_fallback", "direct", ""},
	{"clients", "private", ""},
	{"proxy_protocol_from", "192.0.2.0/24", ""},
	{"rule", "deny to .example.org", ""},
	{"expect", "deny from=192.0.2.7 to=0.0.0.0:80", ""},
	{"recheck", "all", ""},
	{"otherwise", "deny", ""},
	{"protect", "none", ""},
	{"client_group", "@a 192.0.2.0/24", ""},
	{"auth", "required", ""},
	{"user_defaults", "sessions=7", ""},
	{"group_defaults", "@a sessions=7", ""},
	{"client_limits", "192.0.2.7 sessions=7", ""},
	{"anonymous_defaults", "sessions=7", ""},
	{"max_password_checks", "7", "hashing_set_most"},
	{"auth_cache", "7s", "hashing_set_most login_helper_set"},
	{"max_auth_questions", "7", "hashing_set_most login_helper_set"},
	{"ban", "7 in 7s for 7s to 7m", ""},
	{"ban_exempt", "192.0.2.0/24", ""},
	{"dns_servers", "192.0.2.7", "resolver_configure"},
	{"dns_search", "lan", "resolver_configure"},
	{"dns_cache", "7", "resolver_configure"},
	{"dns_negative_ttl", "7s", "resolver_configure"},
	{"history_days", "7", ""},
	{"sites_days", "7", ""},
	{"access_log_entries", "7", "access_log_resize"},
	{"log_level", "debug", "log_set_level log_set_level log_set_format"},
	{"log_format", "json", "log_set_level log_set_format"},
};

static const struct row *row_of(const struct setting *setting)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (strcmp(rows[i].name, setting->name) == 0)
			return &rows[i];
	}
	fail_msg("%s: which effects are expected is not said here", setting->name);
	return NULL;
}

/* Its value, or a port that was free a moment ago. */
static const char *value_of(const struct row *row, char port_text[8])
{
	uint16_t port;

	if (row->value != NULL)
		return row->value;
	close(net_listen("127.0.0.1", &port));
	snprintf(port_text, 8, "%u", port);
	return port_text;
}

static void each_setting_has_its_effects_and_no_others(void **state)
{
	char port_text[8];

	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_table[i];
		const struct row *row;
		const char *value;

		if (!setting->reloadable || setting->is_files)
			continue;
		row = row_of(setting);
		value = value_of(row, port_text);
		if (set(row->name, value) < 0)
			fail_msg("%s: %s", row->name, reply);
		if (strcmp(calls, row->calls) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", row->name, calls, row->calls);
		assert_setting(row->name, value);
	}
}

/* Else whoever may use the monitor could have the server write to any file. */
static void files_change_by_a_reload_only(void **state)
{
	(void)state;
	assert_int_equal(set("log_file", "other"), -1);
	assert_int_equal(set("access_log_file", "other"), -1);
	assert_string_equal(
		reply, "access_log_file is changed in the configuration file only, and by RELOAD");
	assert_int_equal(set("monitor_socket", "other"), -1);
	assert_string_equal(calls, "");
	assert_int_equal(
		reload("listen = 127.0.0.1\nport = 0\nmonitor_port = 0\nusers_file = users\n"
		       "log_file = other\naccess_log_file = another\n"),
		0);
	assert_setting("log_file", "other");
	assert_setting("access_log_file", "another");
	assert_non_null(strstr(calls, "log_prepare"));
	assert_non_null(strstr(calls, "access_log_open"));
}

static void the_value_that_it_has_has_no_effect(void **state)
{
	(void)state;
	assert_int_equal(set("dns_servers", ""), 0);
	assert_string_equal(calls, "");
	assert_string_equal(reply, "");
	assert_int_equal(set("listen", "127.0.0.1"), 0);
	assert_string_equal(calls, "");
}

/* The name cache was emptied and idle channels were thrown away, whatever changed. */
static void a_change_of_timeout_or_log_level_leaves_the_resolver_alone(void **state)
{
	(void)state;
	assert_int_equal(set("timeout", "30m"), 0);
	assert_int_equal(set("log_level", "debug"), 0);
	assert_null(strstr(calls, "resolver_configure"));
	assert_int_equal(reload(CONF "timeout = 5m\n"), 0);
	assert_null(strstr(calls, "resolver_configure"));
}

/* An administrator who adds to a list is not told that nothing changed. */
static void a_reload_tells_of_lists_and_which_changed(void **state)
{
	static const char text[] = CONF "rule = deny to file:list, file:list\n"
					"rule = deny from file:list to literal\n";

	(void)state;
	scratch_write("list", "a.example\n192.0.2.9\n");
	assert_int_equal(reload(text), 0);
	assert_non_null(strstr(reply, "; read: conf, list (2 values), users ("));
	assert_int_equal(reload(text), 0);
	assert_begins(reply, "Nothing changed; read: conf, list (2 values), users (");
	scratch_write("list", "b.example\n192.0.2.9\n");
	assert_int_equal(reload(text), 0);
	assert_begins(reply, "list changed (2 values); read: conf, list (2 values), users (");
	scratch_write("list", "b.example\n192.0.2.8\n");
	assert_int_equal(reload(text), 0);
	assert_begins(reply, "list changed (2 values); read: ");
	scratch_write("list", "b.example\n192.0.2.8\n2001:db8::/32\n");
	assert_int_equal(reload(text), 0);
	assert_begins(reply, "list changed (3 values); read: ");
	scratch_write("list", "b.example\n192.0.2.8\n2001:db9::/32\n");
	assert_int_equal(reload(text), 0);
	assert_begins(reply, "list changed (3 values); read: ");
}

static void a_reload_does_what_it_reads_again_and_what_changed(void **state)
{
	static const char again[] = "users_read log_prepare " OPEN " access_log_open";
	char expected[256];

	(void)state;
	assert_int_equal(reload(CONF), 0);
	snprintf(expected, sizeof(expected), "%s users_put_into_effect log_switch", again);
	assert_string_equal(calls, expected);
	assert_string_equal(reply, "Nothing changed" FILES);
	assert_int_equal(
		reload(CONF "dns_cache = 7\nmax_password_checks = 7\nlog_level = warn\n"), 0);
	snprintf(expected, sizeof(expected),
		"%s resolver_configure hashing_set_most users_put_into_effect "
		"log_set_level log_set_format log_switch",
		again);
	assert_string_equal(calls, expected);
	assert_string_equal(reply,
		"max_password_checks set to 7, dns_cache set to 7, log_level set to warn" FILES);
}

static void the_proxys_own_places_outlast_any_change(void **state)
{
	struct config *before = config_get(services.config), *after;

	(void)state;
	assert_int_equal(before->own_count, 2);
	assert_int_equal(set("timeout", "30m"), 0);
	assert_int_equal(reload(CONF "timeout = 5m\n"), 0);
	after = config_get(services.config);
	assert_int_equal(after->own_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(addr_equal(&after->own[i], &before->own[i]));
	config_release(before);
	config_release(after);
}

static void what_cannot_change_while_serving_does_not(void **state)
{
	(void)state;
	assert_int_equal(set("max_sessions", "7"), -1);
	assert_string_equal(reply, "max_sessions changes only at the next start");
	assert_int_equal(reload(CONF "max_sessions = 7\ntimeout = 5m\n"), 0);
	assert_string_equal(
		reply, "max_sessions changes only at the next start, timeout set to 5m" FILES);
	assert_setting("max_sessions", "auto");
	assert_setting("timeout", "5m");
}

/* ---- a value that was set stands until the file says something new of it ---- */

static void a_value_that_was_set_outlasts_reloads(void **state)
{
	(void)state;
	assert_int_equal(set("timeout", "30m"), 0);
	assert_int_equal(set("clients", "private, 192.0.2.0/24"), 0);
	assert_int_equal(reload(CONF "backlog = 7\n"), 0);
	assert_setting("timeout", "30m");
	assert_setting("clients", "private, 192.0.2.0/24");
	assert_int_equal(reload(CONF "timeout = 5m\n"), 0);
	assert_setting("timeout", "5m");
	assert_setting("clients", "private, 192.0.2.0/24");
	assert_int_equal(reload(CONF), 0);
	assert_setting("timeout", "1h");
	assert_setting("clients", "private, 192.0.2.0/24");
	assert_int_equal(reload(CONF "clients = any\n"), 0);
	assert_setting("clients", "any");
}

static void assert_origin(const char *name, enum config_from from, unsigned line)
{
	struct config *c = config_get(services.config);
	const struct config_origin *o = &c->origins[settings_find(name) - settings_table];

	assert_int_equal(o->from, from);
	assert_int_equal(o->line, line);
	config_release(c);
}

/* Nobody remembered what was set by hand, and the next start forgot it. */
static void a_reload_says_what_stands_over_the_file_and_how_to_keep_it(void **state)
{
	(void)state;
	assert_int_equal(set("timeout", "2s"), 0);
	assert_int_equal(set("dns_search", "example.org #home"), 0);
	assert_int_equal(set("backlog", "7"), 0);
	assert_int_equal(reload(CONF "backlog = 8\ntimeout = 1h\n"), 0);
	assert_string_equal(reply,
		"backlog set to 8" FILES "; still set by CONFIG: timeout, dns_search (to keep "
		"that, put these lines into the configuration file)\n"
		"timeout = 2s\n"
		"dns_search = \"example.org #home\"");
	/* Once they are there nothing stands over them. */
	assert_int_equal(reload(CONF "timeout = 2s\ndns_search = \"example.org #home\"\n"), 0);
	assert_string_equal(reply, "backlog set to 4096" FILES);
	assert_origin("timeout", CONFIG_FROM_FILE, 7);
}

static void what_a_flag_gives_is_kept_by_the_flag(void **state)
{
	(void)state;
	flag = (struct config_override){.setting = settings_find("timeout"), .value = "30m"};
	source.count = 1;
	assert_int_equal(reload(CONF), 0);
	assert_string_equal(reply, "timeout set to 30m" FILES);
	assert_int_equal(set("timeout", "2s"), 0);
	assert_int_equal(reload(CONF), 0);
	assert_non_null(strstr(reply, ")\n# --timeout wins over the file: timeout = 2s"));
	assert_int_equal(set("timeout", "30m"), 0); /* as the flag has it */
	assert_int_equal(reload(CONF), 0);
	assert_string_equal(reply, "Nothing changed" FILES);
}

static void a_value_that_was_set_too_long_to_be_told_is_pointed_to(void **state)
{
	static char servers[CHANGE_REPLY_MAX];

	(void)state;
	for (size_t len = 0; len < sizeof(servers) - 50; len = strlen(servers))
		strcat(servers, "192.0.2.1, ");
	strcat(servers, "192.0.2.2");
	assert_int_equal(set("dns_servers", servers), 0);
	assert_int_equal(set("timeout", "2s"), 0);
	assert_int_equal(reload(CONF), 0);
	assert_non_null(strstr(reply, "\ntimeout = 2s\n# dns_servers: as CONFIG dns_servers says"));
}

static void values_know_where_they_come_from_through_changes(void **state)
{
	(void)state;
	assert_origin("timeout", CONFIG_FROM_DEFAULT, 0);
	assert_origin("log_file", CONFIG_FROM_FILE, 5);
	assert_int_equal(set("timeout", "2s"), 0);
	assert_origin("timeout", CONFIG_FROM_COMMAND, 0);
	assert_int_equal(set("timeout", "never"), -1);
	assert_int_equal(reload("# a line more\n" CONF "max_sessions = 7\n"), 0);
	assert_origin("timeout", CONFIG_FROM_COMMAND, 0);
	assert_origin("log_file", CONFIG_FROM_FILE, 6);
	assert_origin("max_sessions", CONFIG_FROM_DEFAULT, 0); /* it waits for the next start */
	assert_int_equal(reload("timeout = 5m\n" CONF), 0);
	assert_origin("timeout", CONFIG_FROM_FILE, 1);
	assert_int_equal(reload(CONF), 0);
	assert_origin("timeout", CONFIG_FROM_DEFAULT, 0);
}

static void a_refused_value_is_not_remembered(void **state)
{
	(void)state;
	assert_int_equal(set("timeout", "never"), -1);
	assert_begins(reply, "timeout: \"never\": legal is a time from 100ms to 30d");
	fail_at("listeners_open", 1);
	assert_int_equal(set("listen", "127.0.0.1:0, 127.0.0.2:0"), -1);
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		assert_false(is_overridden(i));
	assert_int_equal(set("timeout", "30m"), 0);
	assert_int_equal(set("timeout", "never"), -1);
	assert_int_equal(reload(CONF), 0);
	assert_setting("timeout", "30m");
}

/* Changes were compared as texts of 4,096 bytes. */
static void a_change_behind_4096_bytes_counts(void **state)
{
	static char servers[9000];

	(void)state;
	for (size_t len = 0; len < 8000; len = strlen(servers))
		snprintf(servers + len, sizeof(servers) - len, "192.0.2.1, ");
	strcat(servers, "192.0.2.2");
	flag = (struct config_override){.setting = settings_find("dns_servers"), .value = servers};
	source.count = 1;
	assert_int_equal(change_reload(&site, false, reply), 0);
	assert_string_equal(reply, "dns_servers changed" FILES); /* and not the half of it */
	servers[strlen(servers) - 1] = '3';
	calls[0] = '\0';
	assert_int_equal(change_reload(&site, false, reply), 0);
	assert_string_equal(reply, "dns_servers changed" FILES);
	assert_non_null(strstr(calls, "resolver_configure"));
	assert_setting("dns_servers", servers);
}

/* ---- faults ---- */

/* All that a change could change. */
struct picture {
	struct config *config;
	const struct listeners *listeners[FRONTS];
	size_t open, spare_used, users;
	char log_path[64], access_path[64];
};

static struct picture take_picture(void)
{
	struct picture p = {.config = config_get(services.config),
		.open = fdbudget_count_open(),
		.spare_used = atomic_load(&services.budget.spare_used),
		.users = users_count(services.users)};

	for (enum front i = 0; i < FRONTS; i++)
		p.listeners[i] = fronts_listeners(&site.fronts, i);
	strcpy(p.log_path, log_path);
	strcpy(p.access_path, access_path);
	config_release(p.config);
	return p;
}

static void assert_same_picture(const struct picture *before)
{
	struct picture now = take_picture();

	assert_ptr_equal(now.config, before->config);
	assert_int_equal(atomic_load(&now.config->references), now.config == site.base ? 2 : 1);
	for (enum front i = 0; i < FRONTS; i++)
		assert_ptr_equal(now.listeners[i], before->listeners[i]);
	assert_int_equal(now.open, before->open);
	assert_int_equal(now.spare_used, before->spare_used);
	assert_int_equal(now.users, before->users);
	assert_string_equal(now.log_path, before->log_path);
	assert_string_equal(now.access_path, before->access_path);
	assert_null(strstr(calls, at_proxy));
	assert_null(strstr(calls, at_monitor));
	assert_null(strstr(calls, "resolver_configure"));
	assert_null(strstr(calls, "hashing_set_most"));
	assert_null(strstr(calls, "users_put_into_effect"));
}

static const char everything[] = "listen = 127.0.0.1, 127.0.0.2\nport = 0\n"
				 "monitor_listen = 127.0.0.2\nmonitor_port = 0\n"
				 "users_file = users\nlog_file = log2\naccess_log_file = access2\n"
				 "dns_servers = 192.0.2.7\nmax_password_checks = 7\n";

static void a_reload_that_fails_at_any_step_changes_nothing(void **state)
{
	static const struct {
		const char *fault;
		unsigned at;
		const char *error;
	} steps[] = {
		{"users_read", 1, "users_read failed"},
		{"fdbudget_borrow", 1, "no descriptors to spare for new listeners"},
		{"listeners_open", 1, "listeners_open failed"},
		{"listeners_open", 2, "listeners_open failed"},
		{"expect", 1, "cannot wait for clients: "},
		{"log_prepare", 1, "log_file: \"log2\": cannot be opened: "},
		{"access_log_open", 1, "access_log_file: \"access2\": cannot be opened: "},
	};
	struct picture before = take_picture();

	(void)state;
	scratch_write("users", USERS_LINE "# one more\nboss" USERS_LINE);
	for (size_t i = 0; i < COUNT(steps); i++) {
		fail_at(steps[i].fault, steps[i].at);
		assert_int_equal(reload(everything), -1);
		assert_begins(reply, steps[i].error);
		assert_same_picture(&before);
	}
	fail_at(NULL, 0);
	assert_int_equal(reload(everything), 0);
	assert_string_equal(log_path, "log2");
	assert_string_equal(access_path, "access2");
	assert_int_equal(users_count(services.users), 2);
	assert_int_equal(fronts_listeners(&site.fronts, FRONT_PROXY)->count, 2);
	assert_ptr_not_equal(fronts_listeners(&site.fronts, FRONT_MONITOR), before.listeners[1]);
}

/* ---- users ---- */

static void who_is_gone_leaves_no_used_quota(void **state)
{
	(void)state;
	services.standing = standing_new();
	assert_non_null(services.standing);
	scratch_write("users", USERS_LINE "alice:" HASH "\n");
	assert_int_equal(reload(CONF), 0);
	assert_int_equal(standing_put(services.standing, STANDING_QUOTA, "alice", "1 2 0"), 0);
	assert_int_equal(standing_put(services.standing, STANDING_QUOTA, "root", "1 2 0"), 0);
	scratch_write("users", USERS_LINE);
	assert_int_equal(reload(CONF), 0);
	assert_false(standing_read(services.standing, STANDING_QUOTA, "alice", NULL, NULL));
	assert_true(standing_read(services.standing, STANDING_QUOTA, "root", NULL, NULL));
	standing_free(services.standing);
	services.standing = NULL;
}

/* Whom the nodes share are not the file's: they neither count as its users, nor take their place
 * when it is emptied. */
static void users_of_the_nodes_are_none_of_the_file(void **state)
{
	struct users_backend file = users_file_backend("users"), both;
	char error[USERS_ERROR_MAX];

	(void)state;
	services.standing = standing_new();
	services.shared_users = shared_users_new(services.standing, "n1");
	assert_non_null(services.shared_users);
	both = shared_users_backend(services.shared_users, &file);
	users_free(services.users);
	services.users = users_new(services.hashing, services.ledger, &both);
	assert_non_null(services.users);
	assert_int_equal(users_load(services.users, error), 0);
	assert_int_equal(users_add(services.users, "alice", HASH, USER_ROLE_USER, error), 0);
	assert_int_equal(reload(CONF), 0);
	assert_string_equal(reply, "Nothing changed" FILES);
	assert_int_equal(users_count(services.users), 2);
	scratch_write("users", "");
	assert_int_equal(reload(CONF), -1);
	assert_contains(reply, "no users are left in it, but the server has 1 from it");
	assert_int_equal(users_count(services.users), 2);
	users_free(services.users);
	scratch_write("users", USERS_LINE);
	services.users = users_at("users");
	shared_users_free(services.shared_users);
	standing_free(services.standing);
	services.shared_users = NULL;
	services.standing = NULL;
}

/* Reading it once more, to put into effect what had been checked, let a file through that was
 * emptied in between. */
static void each_file_is_read_once(void **state)
{
	(void)state;
	conf_opened = users_opened = 0;
	assert_int_equal(reload(CONF), 0);
	assert_int_equal(conf_opened, 1);
	assert_int_equal(users_opened, 1);
}

static void without_files_there_is_nothing_to_be_read(void **state)
{
	struct config_override flags[] = {{settings_find("listen"), "127.0.0.1"},
		{settings_find("port"), "0"}, {settings_find("monitor_port"), "0"}};
	struct config_source flags_only = {.count = COUNT(flags), .overrides = flags};
	char error[CONFIG_ERROR_MAX];

	(void)state;
	users_free(services.users);
	services.users = users_at(NULL);
	config_publish(services.config, config_read(&flags_only, error));
	site.source = &flags_only;
	assert_int_equal(change_reload(&site, false, reply), 0);
	assert_string_equal(reply, "Nothing changed; there is no file to be read or opened again");
}

static bool requires_login(void)
{
	struct config *c = config_get(services.config);
	bool requires = admission_login_required(c);

	config_release(c);
	return requires;
}

/* Emptied by an editor for a moment, or gone. */
static void a_file_without_its_users_is_refused(void **state)
{
	struct picture before = take_picture();

	(void)state;
	scratch_write("users", "# nobody\n");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(reload(everything), -1);
		assert_string_equal(calls, "users_read");
		assert_same_picture(&before);
		assert_true(requires_login());
		if (i == 0) {
			assert_begins(reply,
				"users: no users are left in it, but the server has 1 from it");
			assert_int_equal(unlink("users"), 0);
		} else {
			assert_begins(reply, "users: it is missing, but the server has 1 from it");
		}
	}
}

/* Nobody was in it, so nobody is lost. */
static void a_file_that_never_had_users_may_be_empty_or_missing(void **state)
{
	char error[USERS_ERROR_MAX];

	(void)state;
	assert_int_equal(users_remove(services.users, "root", error), -1); /* the last admin */
	users_free(services.users);
	scratch_write("users", "# nobody\n");
	services.users = users_at("users");
	assert_int_equal(reload(CONF), 0);
	assert_true(requires_login());
	assert_int_equal(unlink("users"), 0);
	assert_int_equal(reload(CONF), 0);
	assert_string_equal(
		reply, "Nothing changed; read: conf, users (0 users); opened again: log, access");
	assert_true(requires_login());
	scratch_write("users", USERS_LINE);
	assert_int_equal(reload(CONF), 0);
	assert_begins(reply, "1 user added; read: ");
	assert_true(requires_login());
}

/* auth = auto: a user who is added is no reason for others to log in, not even at a reload. */
static void who_must_log_in_is_not_changed_by_a_user_who_is_added(void **state)
{
	static const char no_file[] = "listen = 127.0.0.1\nport = 0\nmonitor_port = 0\n";
	char error[USERS_ERROR_MAX];

	(void)state;
	users_free(services.users);
	services.users = users_at(NULL);
	scratch_write("conf", no_file);
	config_publish(services.config, config_read(&source, error));
	assert_int_equal(reload(no_file), 0);
	assert_string_equal(reply, "Nothing changed; read: conf");
	assert_false(requires_login());
	assert_int_equal(users_add(services.users, "alice", HASH, USER_ROLE_ADMIN, error), 0);
	assert_int_equal(reload(no_file), 0);
	assert_false(requires_login());
	assert_int_equal(set("clients", "private"), 0);
	assert_false(requires_login());
	assert_int_equal(users_note_given(services.users, "root"), 0);
	assert_int_equal(reload(no_file), 0);
	assert_true(requires_login());
}

/* A session of that user at the registry's only slot. */
static struct ledger_entry *begin_session(const char *name, int client)
{
	struct login login = {
		.name = name, .name_len = strlen(name), .password = "secret", .password_len = 6};
	struct registry_slot *slot = registry_slot_at(services.registry, 0);
	struct addr addr = net_addr("192.0.2.7", 1234);
	struct ledger_entry *entry = NULL;

	assert_int_equal(users_login(services.users, &login, CLOCK_NEVER, NULL, &entry), LOGIN_OK);
	registry_enter(slot, client, &addr);
	registry_set_user(slot, name, strlen(name));
	return entry;
}

static void end_session(struct ledger_entry *entry)
{
	registry_leave(registry_slot_at(services.registry, 0));
	ledger_leave(entry, 0);
}

static bool was_told_to_end(void)
{
	return atomic_load(registry_told(registry_slot_at(services.registry, 0)));
}

static void whoever_is_gone_from_the_file_has_no_session_any_more(void **state)
{
	struct ledger_entry *entry;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	scratch_write("users", USERS_LINE "bob:" HASH "\n");
	assert_int_equal(reload(CONF), 0);
	entry = begin_session("bob", pair[0]);
	/* Another password ends no session. */
	scratch_write("users", USERS_LINE "bob:" OTHER_HASH ":admin\n");
	assert_int_equal(reload(CONF), 0);
	assert_begins(reply, "1 user changed; read: ");
	assert_false(was_told_to_end());
	assert_false(ledger_has_retired(entry));
	scratch_write("users", USERS_LINE "carol:" HASH "\n");
	assert_int_equal(reload(CONF), 0);
	assert_begins(reply, "1 user added, 1 user gone, 1 session ended; read: ");
	assert_true(was_told_to_end());
	assert_true(ledger_has_retired(entry));
	end_session(entry);
	close(pair[0]);
	close(pair[1]);
}

/* By then the log may be read by nobody. */
static void a_log_that_fails_is_told_beside_it(void **state)
{
	(void)state;
	fail_at("log_prepare", 1);
	assert_int_equal(reload(CONF), -1);
	assert_non_null(strstr(calls, "log_message_beside"));
	fail_at("access_log_open", 1);
	assert_int_equal(reload(CONF), -1);
	assert_null(strstr(calls, "log_message_beside"));
}

static void users_that_cannot_be_read_are_refused_before_anything_is_opened(void **state)
{
	struct picture before = take_picture();

	(void)state;
	scratch_write("users", "root:nonsense\n");
	assert_int_equal(reload(everything), -1);
	assert_begins(reply, "users:1: ");
	assert_string_equal(calls, "users_read");
	assert_same_picture(&before);
}

static void a_file_that_is_wrong_changes_nothing(void **state)
{
	struct picture before = take_picture();

	(void)state;
	assert_int_equal(reload("timeout = 5m\nauth = maybe\n"), -1);
	assert_begins(reply, "conf:2: auth: \"maybe\": legal is ");
	assert_string_equal(calls, "");
	assert_same_picture(&before);
}

/* Every value that is copied, one after the other. */
static void without_memory_nothing_changes(void **state)
{
	struct picture before = take_picture();
	unsigned at = 0;
	int result;

	(void)state;
	do {
		assert_same_picture(&before);
		assert_false(is_overridden(0));
		fail_at("setting_copy", ++at);
		result = set("listen", "127.0.0.1, 127.0.0.2");
	} while (result < 0 && strcmp(reply, "out of memory") == 0);
	assert_int_equal(result, 0);
	assert_int_equal(at, SETTINGS_COUNT + 1); /* the clone, and the last that was well */
	before = take_picture();
	for (at = 1; at <= SETTINGS_COUNT + 1; at++) {
		fail_at("setting_copy", at);
		assert_int_equal(reload(CONF "timeout = 5m\n"), -1);
		assert_string_equal(reply, "out of memory");
		assert_same_picture(&before);
	}
	assert_int_equal(reload(CONF "timeout = 5m\n"), 0);
	assert_setting("listen", "127.0.0.1, 127.0.0.2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		site_test(each_setting_has_its_effects_and_no_others),
		site_test(files_change_by_a_reload_only),
		site_test(who_is_gone_leaves_no_used_quota),
		site_test(users_of_the_nodes_are_none_of_the_file),
		site_test(the_value_that_it_has_has_no_effect),
		site_test(a_change_of_timeout_or_log_level_leaves_the_resolver_alone),
		site_test(a_reload_tells_of_lists_and_which_changed),
		site_test(a_reload_does_what_it_reads_again_and_what_changed),
		site_test(the_proxys_own_places_outlast_any_change),
		site_test(what_cannot_change_while_serving_does_not),
		site_test(a_value_that_was_set_outlasts_reloads),
		site_test(a_reload_says_what_stands_over_the_file_and_how_to_keep_it),
		site_test(what_a_flag_gives_is_kept_by_the_flag),
		site_test(a_value_that_was_set_too_long_to_be_told_is_pointed_to),
		site_test(values_know_where_they_come_from_through_changes),
		site_test(a_refused_value_is_not_remembered),
		site_test(a_change_behind_4096_bytes_counts),
		site_test(a_reload_that_fails_at_any_step_changes_nothing),
		site_test(each_file_is_read_once),
		site_test(without_files_there_is_nothing_to_be_read),
		site_test(a_file_without_its_users_is_refused),
		site_test(a_file_that_never_had_users_may_be_empty_or_missing),
		site_test(who_must_log_in_is_not_changed_by_a_user_who_is_added),
		site_test(whoever_is_gone_from_the_file_has_no_session_any_more),
		site_test(a_log_that_fails_is_told_beside_it),
		site_test(users_that_cannot_be_read_are_refused_before_anything_is_opened),
		site_test(a_file_that_is_wrong_changes_nothing),
		site_test(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests_name("server/change", tests, NULL, NULL);
}
