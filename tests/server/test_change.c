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
#include "base/log.h"
#include "net.h"
#include "server/effects.h"
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

static char at_proxy[] = "proxy", at_monitor[] = "monitor", at_socket[] = "socket";

static const struct acceptor acceptors[FRONTS] = {
	[FRONT_PROXY] = {expect_clients, accept_clients, at_proxy},
	[FRONT_MONITOR] = {NULL, accept_clients, at_monitor},
	[FRONT_MONITOR_SOCKET] = {NULL, accept_clients, at_socket},
};

/* ---- the rest ---- */

static char log_path[64], access_path[64]; /* what is logged to */

int __wrap_log_open(const char *path);
void __wrap_log_set_level(enum log_level level);
void __wrap_log_set_format(enum log_format format);
int __wrap_access_log_open(struct access_log *log, const char *path);
int __wrap_access_log_resize(struct access_log *log, size_t entries);
int __wrap_resolver_configure(struct resolver *r, const struct resolver_options *options);
void __wrap_hashing_set_most(struct hashing *h, unsigned most);

int __wrap_log_open(const char *path)
{
	note("log_open");
	if (fails_now("log_open"))
		return -1;
	snprintf(log_path, sizeof(log_path), "%s", path);
	return 0;
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

void __wrap_hashing_set_most(struct hashing *h, unsigned most)
{
	(void)h;
	(void)most;
	note("hashing_set_most");
}

/* ---- what is real, but may fail ---- */

struct users_draft *__real_users_read(struct users *u, char error[USERS_ERROR_MAX]);
struct users_draft *__wrap_users_read(struct users *u, char error[USERS_ERROR_MAX]);
void __real_users_put_into_effect(struct users *u, struct users_draft *draft);
void __wrap_users_put_into_effect(struct users *u, struct users_draft *draft);
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

void __wrap_users_put_into_effect(struct users *u, struct users_draft *draft)
{
	note("users_put_into_effect");
	__real_users_put_into_effect(u, draft);
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

#define USERS_LINE "root:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW:admin\n"
#define CONF                                                                                       \
	"listen = 127.0.0.1\nport = 0\nmonitor_port = 0\nusers_file = users\n"                     \
	"log_file = log\naccess_log_file = access\n"

static struct services services;
static struct site site;
static struct config_override flag;
static struct config_source source = {.path = "conf", .overrides = &flag};
static char reply[CHANGE_REPLY_MAX];

static int open_site(void **state)
{
	struct users_backend file = users_file_backend("users");
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
	fdbudget_plan(&services.budget, 100, 10, 10);
	services.hashing = hashing_new(1);
	services.ledger = ledger_new(1, NULL);
	services.users = users_new(services.hashing, services.ledger, &file);
	assert_int_equal(users_load(services.users, error), 0);
	site = (struct site){
		.source = &source, .services = &services, .users_stamp = stamp_of("users")};
	assert_int_equal(fronts_open(&site.fronts, &services.budget, 2, c, error), 0);
	for (enum front i = 0; i < FRONTS; i++)
		fronts_set_acceptor(&site.fronts, i, &acceptors[i]);
	assert_int_equal(fronts_begin(&site.fronts, error), 0);
	calls[0] = '\0';
	services.config = config_store_new(c);
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
	users_free(services.users);
	ledger_free(services.ledger);
	hashing_free(services.hashing);
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
	return change_reload(&site, reply);
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

/* ---- what a change does ---- */

#define OPEN "listeners_open listeners_open expect"

/* Each setting that can change while serving, a value, and what is called. */
static const struct row {
	const char *name, *value, *calls;
} rows[] = {
	{"listen", "127.0.0.2, 127.0.0.1", OPEN " proxy"},
	{"port", NULL, OPEN " proxy"},
	{"monitor_listen", "127.0.0.2", OPEN " monitor"},
	{"monitor_port", NULL, OPEN " monitor"},
	{"monitor_login_timeout", "7s", ""},
	{"monitor_timeout", "7s", ""},
	{"max_sessions_per_client", "7", ""},
	{"backlog", "7", ""},
	{"handshake_timeout", "7s", ""},
	{"connect_timeout", "7s", ""},
	{"timeout", "30m", ""},
	{"half_close_timeout", "7s", ""},
	{"drain_timeout", "7s", ""},
	{"relay", "copy", ""},
	{"external_address", "192.0.2.7", ""},
	{"external_interface", "eth7", ""},
	{"prefer", "ipv4", ""},
	{"udp_address", "192.0.2.7", ""},
	{"udp_ports", "7", ""},
	{"udp_filter", "none", ""},
	{"udp_timeout", "7s", ""},
	{"bind_address", "192.0.2.7", ""},
	{"bind_ports", "7", ""},
	{"bind_timeout", "7s", ""},
	{"bind_any_peer", "yes", ""},
	{"clients", "private", ""},
	{"auth", "required", ""},
	{"max_password_checks", "7", "hashing_set_most"},
	{"dns_servers", "192.0.2.7", "resolver_configure"},
	{"dns_search", "lan", "resolver_configure"},
	{"dns_cache", "7", "resolver_configure"},
	{"dns_negative_ttl", "7s", "resolver_configure"},
	{"access_log_entries", "7", "access_log_resize"},
	{"log_level", "debug", "log_set_level log_set_format"},
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
	assert_non_null(strstr(calls, "log_open"));
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

static void a_reload_does_what_it_reads_again_and_what_changed(void **state)
{
	static const char again[] = "users_read " OPEN " log_open access_log_open";
	char expected[256];

	(void)state;
	assert_int_equal(reload(CONF), 0);
	snprintf(expected, sizeof(expected), "%s users_put_into_effect", again);
	assert_string_equal(calls, expected);
	assert_string_equal(reply, "Nothing changed");
	assert_int_equal(
		reload(CONF "dns_cache = 7\nmax_password_checks = 7\nlog_level = warn\n"), 0);
	snprintf(expected, sizeof(expected),
		"%s log_set_level log_set_format resolver_configure hashing_set_most "
		"users_put_into_effect",
		again);
	assert_string_equal(calls, expected);
	assert_string_equal(
		reply, "max_password_checks set to 7, dns_cache set to 7, log_level set to warn");
}

/* auth = auto asks whether there are users: in between nobody is to get in who may neither before
 * nor afterwards. */
static void no_moment_of_a_reload_opens_the_door(void **state)
{
	static const char users[] = "users_put_into_effect";

	(void)state;
	assert_int_equal(reload(CONF "auth = required\n"), 0);
	assert_true(calls + published_behind > strstr(calls, users)); /* there are some */
	scratch_write("users", "# nobody\n");
	assert_int_equal(reload(CONF "auth = required\n"), 0);
	assert_true(calls + published_behind < strstr(calls, users)); /* there are none */
	assert_int_equal(users_count(services.users), 0);
	scratch_write("users", USERS_LINE);
	assert_int_equal(reload(CONF "auth = auto\n"), 0);
	assert_true(calls + published_behind > strstr(calls, users));
	assert_int_equal(users_count(services.users), 1);
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
		reply, "max_sessions changes only at the next start, timeout set to 5m");
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

static void a_refused_value_is_not_remembered(void **state)
{
	(void)state;
	assert_int_equal(set("timeout", "never"), -1);
	assert_begins(reply, "timeout: \"never\": legal is a time from 100ms to 30d");
	fail_at("listeners_open", 1);
	assert_int_equal(set("listen", "127.0.0.1:0, 127.0.0.2:0"), -1);
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		assert_false(site.overridden[i]);
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
	assert_int_equal(change_reload(&site, reply), 0);
	assert_string_equal(reply, "dns_servers changed"); /* and not the half of it */
	servers[strlen(servers) - 1] = '3';
	calls[0] = '\0';
	assert_int_equal(change_reload(&site, reply), 0);
	assert_string_equal(reply, "dns_servers changed");
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
	assert_int_equal(atomic_load(&now.config->references), 1);
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
		{"log_open", 1, "log_file: \"log2\": cannot be opened: "},
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

static void users_that_cannot_be_read_are_refused_before_anything_is_opened(void **state)
{
	struct picture before = take_picture();

	(void)state;
	scratch_write("users", "root:nonsense\n");
	assert_int_equal(reload(everything), -1);
	assert_begins(reply, "users:1: ");
	assert_string_equal(calls, "users_read");
	assert_same_picture(&before);
	scratch_write("users", "# nobody\n");
	assert_int_equal(reload(everything), -1);
	assert_begins(reply, "users: no users are left in it, which would let everybody in");
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
		assert_false(site.overridden[0]);
		fail_at("setting_copy", ++at);
		result = set("listen", "127.0.0.1, 127.0.0.2");
	} while (result < 0 && strcmp(reply, "out of memory") == 0);
	assert_int_equal(result, 0);
	assert_int_equal(
		at, SETTINGS_COUNT + 2); /* the clone, the base, and the last that was well */
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
		site_test(the_value_that_it_has_has_no_effect),
		site_test(a_change_of_timeout_or_log_level_leaves_the_resolver_alone),
		site_test(a_reload_does_what_it_reads_again_and_what_changed),
		site_test(no_moment_of_a_reload_opens_the_door),
		site_test(the_proxys_own_places_outlast_any_change),
		site_test(what_cannot_change_while_serving_does_not),
		site_test(a_value_that_was_set_outlasts_reloads),
		site_test(a_refused_value_is_not_remembered),
		site_test(a_change_behind_4096_bytes_counts),
		site_test(a_reload_that_fails_at_any_step_changes_nothing),
		site_test(users_that_cannot_be_read_are_refused_before_anything_is_opened),
		site_test(a_file_that_is_wrong_changes_nothing),
		site_test(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests_name("server/change", tests, NULL, NULL);
}
