/* doctor: what it says of each answer that the host may give, and of each way in which settings
 * leave everybody out, or let the world in. */
#include "server/doctor.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#include "../base/scratch.h"
#include "net/occupant.h"
#include "server/capacity.h"
#include "server/confine.h"
#include "server/engine_probe.h"
#include "server/probe.h"
#include "state/admission.h"

#define HASH "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

/* ---- a host that is well, until a test says otherwise ---- */

static struct answers {
	int listen; /* errno; 0: the port is free */
	int connect; /* to this host */
	int v4, v6; /* to far away */
	bool local; /* somebody has the monitor's socket */
	enum occupant occupant;
	int rcode, name_error;
	int64_t name_ms, now;
	bool is_unsynchronised; /* the clock */
	int file; /* errno */
	size_t sessions; /* that fit; 0: none do */
	int no_landlock; /* errno */
	const char *user_problem; /* NULL: there is none */
	int helper; /* errno */
	int64_t helper_user; /* who serves at auth_socket; -1: nobody knows */
	struct engine_probe engine; /* what it is asked */
} host;

static const struct answers healthy = {.name_ms = 3, .now = INT64_C(1764201600), .sessions = 10000};

int __wrap_probe_listen(const struct addr *a, struct addr *bound);
int __wrap_probe_connect(const struct addr *a, const struct socket_via *via);
bool __wrap_probe_local(const char *path);
int __wrap_probe_name_server(const struct addr *server, int64_t *ms);
int64_t __wrap_probe_clock(bool *is_synchronised);
int __wrap_probe_append(const char *path);
int __wrap_probe_read(const char *path);
int __wrap_probe_folder(const char *path);
enum occupant __wrap_occupant_ask(const struct addr *a, int64_t deadline);
int __wrap_capacity_plan(struct capacity *c, struct fdbudget *budget, const struct settings *s,
	size_t listeners, char error[CONFIG_ERROR_MAX]);
int __wrap_capacity_plan_workers(struct capacity *c, struct fdbudget *budget,
	const struct settings *s, char error[CONFIG_ERROR_MAX]);
const char *__wrap_own_format(struct own *o, char *out, size_t size);
struct confinement __wrap_confine_possible(void);
int __wrap_run_as_check(const struct settings *s, char error[CONFIG_ERROR_MAX]);
int __wrap_login_helper_try(const char *path, int64_t *uid);
void __wrap_engine_probe(const struct settings *s, struct engine_probe *out);

void __wrap_engine_probe(const struct settings *s, struct engine_probe *out)
{
	(void)s;
	*out = host.engine;
}

struct confinement __wrap_confine_possible(void)
{
	return (struct confinement){.landlock = host.no_landlock == 0 ? 3 : 0,
		.landlock_error = host.no_landlock,
		.no_new_privs = true,
		.filters_calls = true};
}

int __wrap_login_helper_try(const char *path, int64_t *uid)
{
	(void)path;
	*uid = host.helper_user;
	return host.helper;
}

int __wrap_run_as_check(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	(void)s;
	if (host.user_problem == NULL)
		return 0;
	strcpy(error, host.user_problem);
	return -1;
}

int __wrap_probe_listen(const struct addr *a, struct addr *bound)
{
	*bound = *a;
	errno = host.listen;
	return host.listen == 0 ? dup(2) : -1;
}

int __wrap_probe_connect(const struct addr *a, const struct socket_via *via)
{
	if (via == NULL)
		return host.connect;
	return a->sa.sa_family == AF_INET ? host.v4 : host.v6;
}

bool __wrap_probe_local(const char *path)
{
	(void)path;
	return host.local;
}

int __wrap_probe_name_server(const struct addr *server, int64_t *ms)
{
	(void)server;
	*ms = host.name_ms;
	errno = host.name_error;
	return host.name_error == 0 ? host.rcode : -1;
}

int64_t __wrap_probe_clock(bool *is_synchronised)
{
	*is_synchronised = !host.is_unsynchronised;
	return host.now;
}

int __wrap_probe_append(const char *path)
{
	(void)path;
	return host.file;
}

int __wrap_probe_read(const char *path)
{
	return __wrap_probe_append(path);
}

int __wrap_probe_folder(const char *path)
{
	return __wrap_probe_append(path);
}

enum occupant __wrap_occupant_ask(const struct addr *a, int64_t deadline)
{
	(void)a;
	(void)deadline;
	return host.occupant;
}

int __wrap_capacity_plan(struct capacity *c, struct fdbudget *budget, const struct settings *s,
	size_t listeners, char error[CONFIG_ERROR_MAX])
{
	(void)budget;
	(void)s;
	(void)listeners;
	*c = (struct capacity){.sessions = host.sessions, .why = "ulimit -n"};
	snprintf(error, CONFIG_ERROR_MAX, "there is room for no session: ulimit -n");
	return host.sessions > 0 ? 0 : -1;
}

int __wrap_capacity_plan_workers(struct capacity *c, struct fdbudget *budget,
	const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	(void)c;
	(void)budget;
	(void)s;
	(void)error;
	return 0;
}

const char *__wrap_own_format(struct own *o, char *out, size_t size)
{
	(void)o;
	snprintf(out, size, "127.0.0.1 192.0.2.2 ::1");
	return out;
}

/* ---- looking ---- */

static char *said;
static struct doctor d;

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* What is said of these settings, which the users are added to. True when nothing is wrong. */
static bool look(const char *settings)
{
	struct config_source source = {.path = "conf"};
	char error[CONFIG_ERROR_MAX];
	struct services v = {.hashing = hashing_new(1), .own = own_new()};
	size_t size;
	struct config *c;
	bool is_well;

	write_file("conf", settings);
	c = config_read(&source, error);
	if (c == NULL)
		fail_msg("%s", error);
	admission_decide_auto(c, false);
	v.ledger = ledger_new(1, v.own);
	v.users = users_new(v.hashing, v.ledger, NULL);
	if (strstr(settings, "users_file = full") != NULL)
		assert_int_equal(users_add(v.users, "root", HASH, USER_ROLE_ADMIN, error), 0);
	if (strstr(settings, "a helper's user") != NULL)
		assert_int_equal(users_add(v.users, "dora", "helper", USER_ROLE_USER, error), 0);
	free(said);
	d = (struct doctor){.config = c,
		.services = &v,
		.users = users_count(v.users),
		.users_problem = "",
		.out = open_memstream(&said, &size)};
	is_well = doctor_look(&d);
	fclose(d.out);
	users_free(v.users);
	ledger_free(v.ledger);
	hashing_free(v.hashing);
	own_free(v.own);
	config_release(c);
	return is_well;
}

#define HOME                                                                                       \
	"listen = 0.0.0.0\nport = 1080\nmonitor_port = 8080\ndns_servers = 192.0.2.53\n"           \
	"users_file = full\nlog_file = log\n"

static int begin(void **state)
{
	host = healthy;
	return scratch_enter(state);
}

static void where_all_is_well_nothing_is_wrong(void **state)
{
	(void)state;
	assert_true(look(HOME));
	assert_contains(said, "\nok    network        IPv6 leads out\n");
	assert_contains(said, "\n0 wrong, 0 to look at, ");
	assert_null(strstr(said, "warn"));
}

/* What the host answers, and the beginning of the line that says so. */
static void each_answer_of_the_host_has_its_line(void **state)
{
	static const struct row {
		struct answers host;
		const char *settings, *line;
		bool is_well;
	} rows[] = {
		{{.listen = EADDRINUSE}, "",
			"bad   port           0.0.0.0:1080: another program has", false},
		{{.listen = EADDRINUSE, .occupant = OCCUPANT_SOCKS}, "",
			"bad   port           0.0.0.0:1080: another SOCKS5 server has", false},
		{{.listen = EADDRINUSE, .occupant = OCCUPANT_MONITOR}, "",
			"ok    port           0.0.0.0:1080: the server that runs listens", true},
		{{.listen = EADDRINUSE, .local = true}, "monitor_socket = m\n",
			"ok    monitor        monitor_socket m: the server that runs", true},
		{{.listen = EADDRNOTAVAIL}, "",
			"warn  port           0.0.0.0:1080: this host has no such address, it has "
			"127.0.0.1 192.0.2.2 ::1",
			true},
		{{.listen = EACCES}, "", "bad   port           0.0.0.0:1080: this user may not",
			false},
		{{.connect = ETIMEDOUT}, "",
			"bad   firewall       192.0.2.2:1080 cannot be connected to", false},
		{{.name_error = ETIMEDOUT}, "",
			"bad   names          name server 192.0.2.53:53: keeps silent - set "
			"dns_servers",
			false},
		{{.rcode = 5}, "",
			"bad   names          name server 192.0.2.53:53: answers REFUSED", false},
		{{.rcode = 3}, "", "ok    names          name server 192.0.2.53:53 answers after",
			true},
		{{.name_ms = 900}, "",
			"warn  names          name server 192.0.2.53:53: answers after 900 ms",
			true},
		{{.v4 = ENETUNREACH}, "", "warn  network        IPv4 leads nowhere", true},
		{{.v4 = ECONNREFUSED}, "", "ok    network        IPv4 leads out", true},
		{{.v6 = ENETUNREACH}, "", "ok    network        there is no IPv6 here", true},
		{{.v6 = ETIMEDOUT}, "",
			"warn  network        IPv6 has a route and leads nowhere: Connection timed "
			"out - set prefer = ipv4",
			true},
		{{.v6 = ETIMEDOUT}, "prefer = ipv6-only\n",
			"bad   network        IPv6 leads nowhere, and prefer = ipv6-only", false},
		{{.v6 = ETIMEDOUT}, "prefer = ipv4-only\n", "ok    network        IPv6 is not used",
			true},
		{{.now = 1000000}, "", "bad   clock          the clock says 1970-01-12", false},
		{{.is_unsynchronised = true}, "",
			"warn  clock          nothing keeps the clock right", true},
		{{.sessions = 50}, "", "warn  room           only 50 sessions fit, by ulimit -n",
			true},
		{{.sessions = 200}, "max_sessions = 500\n",
			"warn  room           max_sessions = 500 does not fit: 200 do", true},
		{{.file = EACCES}, "",
			"bad   files          log_file log: Permission denied - give it", false},
		{{.sessions = 0}, "",
			"ok    sandbox        the server is confined by "
			"landlock:3,no_new_privs,call_filter",
			true},
		{{.sessions = 0}, "sandbox = off\n",
			"warn  sandbox        the server is not confined, and could be by landlock:3",
			true},
		{{.no_landlock = EOPNOTSUPP}, "",
			"warn  sandbox        missing is Landlock: it is switched off", true},
		{{.no_landlock = ENOSYS}, "sandbox = required\n",
			"bad   sandbox        missing is Landlock: this kernel has none", false},
		{{.sessions = 0}, "user = daemon\n",
			"ok    sandbox        the server runs as daemon when root", true},
		{{.user_problem = "user: no"}, "user = daemon\n",
			"bad   sandbox        user: no - useradd", false},
		{{.file = ENOENT}, "client_names = leases\n",
			"bad   files          client_names leases: No such file or directory - make",
			false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];
		char settings[512];

		host = r->host;
		host.name_ms = host.name_ms == 0 ? healthy.name_ms : host.name_ms;
		host.now = host.now == 0 ? healthy.now : host.now;
		host.sessions = host.sessions == 0 ? healthy.sessions : host.sessions;
		snprintf(settings, sizeof(settings), "%s%s", HOME, r->settings);
		if (look(settings) != r->is_well || strstr(said, r->line) == NULL)
			fail_msg("\"%s\" is not in:\n%s", r->line, said);
	}
}

static void room_for_none_is_wrong(void **state)
{
	(void)state;
	host.sessions = 0;
	assert_false(look(HOME));
	assert_contains(
		said, "bad   room           there is room for no session: ulimit -n - raise");
}

/* Who gets in, by what the settings say together. */
static void each_way_to_shut_out_or_let_in_all_has_its_line(void **state)
{
	static const struct {
		const char *settings, *line;
		bool is_well;
	} rows[] = {
		{"users_file = none\n",
			"bad   users          a login is required and there is no user in none: nobody",
			false},
		{"auth = required\n",
			"bad   users          a login is required and there is no user: nobody",
			false},
		{"users_file = none\nauth = optional\n",
			"warn  users          none has nobody in it, and no login is required",
			true},
		{"users_file = full\nauth = none\n", "warn  users          1 user", true},
		{"users_file = full\n", "ok    users          1 user, a login is required", true},
		{"users_file = full\n", "ok    administrators a user has the role admin", true},
		{"monitor_socket = m\n", "ok    administrators root needs no login at m", true},
		{"", "warn  administrators no user has the role admin", true},
		{"clients = any\n", "bad   clients        anybody who can connect is served",
			false},
		{"clients = any\nlisten = 127.0.0.1\n", "ok    clients ", true},
		{"clients = any\nusers_file = full\n", "ok    clients        clients: any, with",
			true},
		{"clients = 192.168.7.0/24\nlisten = 127.0.0.1\n",
			"bad   clients        only this host can connect, and clients leaves it out",
			false},
		{"clients = 203.0.113.0/24\nlisten = 0.0.0.0\n",
			"warn  clients        no private network is served, and none that", true},
		{"clients = 10.20.0.0/16\nlisten = 0.0.0.0\n",
			"ok    clients        clients: some networks only", true},
		{"clients = 172.20.3.9\nlisten = 0.0.0.0\n", "ok    clients ", true},
		{"otherwise = deny\n",
			"bad   rules          otherwise = deny, and no rule allows anything",
			false},
		{"otherwise = deny\nrule = allow to .example.org\n",
			"ok    rules          1 rule\n", true},
		{"protect = none\n", "warn  rules          nothing is protected", true},
		{"rule = deny to .example.org\nrule = allow port 80\n",
			"warn  rules          rule 1 denies names: who sends the address walks past",
			true},
		{"rule = deny to .example.org\nrule = deny to literal\n",
			"ok    clients        clients: some networks only\n"
			"ok    rules          2 rules\n0 wrong, ",
			true},
		{"rule = deny to file:nowhere\n", "bad   rules          ", false},
		{"listen = 127.0.0.1\n", "ok    doors          only programs on this host", true},
		{"listen = 0.0.0.0\n", "ok    doors          other hosts can connect", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char settings[512];

		snprintf(settings, sizeof(settings), "dns_servers = 192.0.2.53\n%s",
			rows[i].settings);
		if (look(settings) != rows[i].is_well || strstr(said, rows[i].line) == NULL)
			fail_msg("\"%s\" is not in:\n%s", rows[i].line, said);
	}
}

static void a_helper_of_logins_is_looked_for(void **state)
{
	static const struct {
		const char *settings, *line;
		int error;
		int64_t user;
		bool is_well;
	} rows[] = {
		{"auth_socket = s\n",
			"ok    users          auth_socket says who is a user, a login is required",
			0, 0, true},
		{"auth_socket = s\n", "auth_socket s is served by root\n", 0, 0, true},
		{"auth_socket = s\n", "auth_socket s is served by the user with the number 999\n",
			0, 999, true},
		{"auth_socket = s\n", "auth_socket s is served by somebody\n", 0, -1, true},
		{"auth_socket = s\n", "auth_socket s: ", ECONNREFUSED, -1, false},
		{"auth_socket = s\nauth = none\n",
			"auth_socket is asked about nobody (auth = none)", 0, 0, true},
		{"users_file = full\n# with a helper's user\n",
			"1 user of the users file whose password is a helper's to know: refused", 0,
			0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char settings[512];

		host.helper = rows[i].error;
		host.helper_user = rows[i].user;
		snprintf(settings, sizeof(settings), "dns_servers = 192.0.2.53\n%s",
			rows[i].settings);
		if (look(settings) != rows[i].is_well || strstr(said, rows[i].line) == NULL)
			fail_msg("\"%s\" is not in:\n%s", rows[i].line, said);
	}
}

#define ENGINE "ok    shared         "
#define FOUND(number, first, keeps, before)                                                        \
	.stage = ENGINE_PROBE_DONE, .product = "Redis", .version = (number), .major = (first),     \
	.policy = (keeps), .has_clock = true, .ahead = (before), .node = "north"
#define WELL FOUND("7.0.15", 7, "noeviction", 2)

static void an_engine_that_nodes_share_is_tried(void **state)
{
	static const struct {
		const char *settings, *line;
		struct engine_probe engine;
		bool is_running, is_well;
	} rows[] = {
		{"unix:/r", "ok    shared         unix:/r?db=0 is Redis 7.0.15\n", {WELL}, false,
			true},
		{"unix:/r", "ok    shared         it can be written to\n", {WELL}, false, true},
		{"unix:/r", "ok    shared         no other node is called north\n", {WELL}, false,
			true},
		{"unix:/r", "bad   shared         unix:/r?db=0: not here - correct that",
			{.stage = ENGINE_PROBE_NAME, .problem = "not here"}, false, false},
		{"unix:/r", "bad   shared         unix:/r?db=0: refused - see that it runs",
			{.stage = ENGINE_PROBE_CONNECT, .problem = "refused"}, false, false},
		{"unix:/r", "bad   shared         unix:/r?db=0: WRONGPASS - correct user, password",
			{.stage = ENGINE_PROBE_LOGIN, .problem = "WRONGPASS"}, false, false},
		{"unix:/r",
			"bad   shared         unix:/r?db=0 is Redis 3.2.1, which has no streams",
			{FOUND("3.2.1", 3, "noeviction", 2)}, false, false},
		{"unix:/r", "ok    shared         unix:/r?db=0 does not tell its version\n",
			{.stage = ENGINE_PROBE_DONE, .node = "n"}, false, true},
		{"unix:/r", "it does not tell what it does when its memory is full\n",
			{.stage = ENGINE_PROBE_DONE, .node = "n"}, false, true},
		{"unix:/r",
			"bad   shared         nothing can be written: READONLY x - name the primary",
			{WELL, .write_problem = "READONLY x"}, false, false},
		{"unix:/r", "nothing can be written: what - see its log",
			{WELL, .write_problem = "what"}, false, false},
		{"unix:/r", "bad   shared         streams cannot be used: NOPERM x - give its user",
			{WELL, .event_problem = "NOPERM x"}, false, false},
		{"unix:/r", ENGINE "it can be written to\n", {WELL, .script_problem = "NOPERM x"},
			false, true},
		{"unix:/r\nshared_users = yes",
			"bad   shared         scripts cannot be run, which shared_users needs: NOPERM",
			{WELL, .script_problem = "NOPERM x"}, false, false},
		{"unix:/r",
			"warn  shared         when its memory is full it drops keys "
			"(maxmemory-policy allkeys-lru)",
			{FOUND("7.0.15", 7, "allkeys-lru", 2)}, false, true},
		{"unix:/r", "warn  shared         its clock is 6 s ahead of this host's",
			{FOUND("7.0.15", 7, "noeviction", 6)}, false, true},
		{"unix:/r", "warn  shared         its clock is 3600 s behind this host's",
			{FOUND("7.0.15", 7, "noeviction", -3600)}, false, true},
		{"redis://192.0.2.5", "whoever reaches 192.0.2.5 decides over quotas and bans",
			{WELL}, false, true},
		{"redis://:secret@192.0.2.5",
			"warn  shared         the password goes to 192.0.2.5 in clear", {WELL},
			false, true},
		{"unix:/r", "warn  shared         1 other node calls itself north, too",
			{WELL, .namesakes = 1}, false, true},
		{"unix:/r", "no other node is called north\n", {WELL, .namesakes = 1}, true, true},
		{"unix:/r", "warn  shared         2 other nodes call themselves north, too",
			{WELL, .namesakes = 3}, true, true},
	};

	(void)state;
	assert_true(look(HOME));
	assert_null(strstr(said, " shared "));
	for (size_t i = 0; i < COUNT(rows); i++) {
		char settings[512];

		host.engine = rows[i].engine;
		host.local = rows[i].is_running;
		snprintf(settings, sizeof(settings), HOME "monitor_socket = m\nshared = %s\n",
			rows[i].settings);
		if (look(settings) != rows[i].is_well || strstr(said, rows[i].line) == NULL)
			fail_msg("\"%s\" is not in:\n%s", rows[i].line, said);
		if (strstr(said, "secret") != NULL)
			fail_msg("the password is in:\n%s", said);
	}
}

#define doctor_test(name) cmocka_unit_test_setup_teardown(name, begin, scratch_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		doctor_test(where_all_is_well_nothing_is_wrong),
		doctor_test(each_answer_of_the_host_has_its_line),
		doctor_test(room_for_none_is_wrong),
		doctor_test(each_way_to_shut_out_or_let_in_all_has_its_line),
		doctor_test(a_helper_of_logins_is_looked_for),
		doctor_test(an_engine_that_nodes_share_is_tried),
	};

	setenv("TZ", "UTC", 1);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("server/doctor", tests, NULL, NULL);
}
