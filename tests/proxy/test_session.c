/* session: one client from its greeting to its end, over TCP, with what is done for it (dial, bind,
 * udp, relay) played by the test, which can have each step fail or somebody end the session in it.
 * After each session nothing is held, and all that tells of it agrees: the replies, the access log,
 * the log, the statistics, the ledger. */
#include "proxy/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "../base/scratch.h"
#include "../state/cheap.h"
#include "base/clock.h"
#include "net.h"
#include "net/socket.h"
#include "proxy/bind.h"
#include "proxy/relay.h"
#include "proxy/udp.h"
#include "state/users_file.h"

#define PLACES 20 /* of which the last is a 64th */
#define BEGUN 1000000 /* clock_ms() at first */

/* ---- who serves, and whom ---- */

static size_t open_before;
static struct services services;
static struct ledger_entry
	*client_entry; /* of the client's address, with a session of the test's */
static struct session session;
static struct addr client_addr;
static int client, client_inner; /* the test's end and the session's; -1: closed */
static int target, target_inner; /* the same of the target's connection */

/* The one place that knows how a session is run. */
static void run_session(void)
{
	struct guest guest = {.fd = client_inner,
		.addr = client_addr,
		.since = clock_ms(),
		.config = config_get(services.config)};
	size_t running;

	guest.entry = ledger_join_client(services.ledger, &client_addr, guest.since, &running);
	session_run(&session, &services, registry_slot_at(services.registry, 0), &guest);
}

/* False when there is none. */
static bool published(struct session_info *info)
{
	size_t count;
	struct session_ref *refs = registry_list(services.registry, &count);
	bool found = count > 0 && registry_get(services.registry, &refs[0], info);

	free(refs);
	return found;
}

static enum session_phase phase(void)
{
	struct session_info info;

	assert_true(published(&info));
	return info.phase;
}

static void kill_session(void)
{
	assert_true(
		registry_end(services.registry, registry_last_id(services.registry), END_KILLED));
}

/* ---- time and waiting ---- */

static int64_t now;
static void (*on_wait)(void); /* what happens while the session waits; NULL: time passes */
static int waits;

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline);

int64_t __wrap_clock_ms(void)
{
	return now;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return now + ms;
}

int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	int n = poll(fds, count, 0);

	if (n != 0)
		return n;
	waits++;
	if (on_wait != NULL) {
		on_wait();
		n = poll(fds, count, NET_PATIENCE_S * 1000);
		assert_true(n > 0);
		return n;
	}
	now = deadline;
	return 0;
}

/* Bytes that it reads while it lingers. */
static size_t lingered;

ssize_t __real_socket_read(int fd, void *bytes, size_t len);
ssize_t __wrap_socket_read(int fd, void *bytes, size_t len);

ssize_t __wrap_socket_read(int fd, void *bytes, size_t len)
{
	ssize_t n = __real_socket_read(fd, bytes, len);

	if (n > 0 && phase() == PHASE_CLOSING)
		lingered += (size_t)n;
	return n;
}

/* ---- what is done for the client, as the test wants it ---- */

static struct plan {
	enum end_reason failure; /* of dial, bind's listening or accepting; END_REASONS: none */
	bool accept_fails; /* and not the listening */
	int error; /* errno behind it */
	void (*on_dial)(void); /* what happens during dial, bind's listening or udp's opening */
	void (*on_accept)(void);
	void (*on_relay)(void);
	enum end_reason relay_ends; /* why the relay or the association ends */
	bool denied; /* by the gate */
} plan;

static int dialled, listened, accepted, abandoned, opened, associated, closed, relayed;

static struct addr local, address;

static void happen(void (*what)(void))
{
	if (what != NULL)
		what();
}

/* The target's socket, in the place of the lease that it has. */
static int give_target(struct fd_lease *lease)
{
	assert_true(fd_lease_take(lease));
	return target_inner;
}

int __wrap_dial_target(struct dial *d);

int __wrap_dial_target(struct dial *d)
{
	dialled++;
	assert_int_equal(phase(), PHASE_CONNECT);
	assert_int_equal(d->watch.client, client_inner);
	happen(plan.on_dial);
	d->address = address;
	d->local = local;
	d->lookup_ms = d->connect_ms = 0;
	d->error = plan.error;
	d->failure = plan.failure;
	return plan.failure == END_REASONS ? give_target(d->asker->lease) : -1;
}

int __wrap_bind_listen(struct bind *b);
int __wrap_bind_accept(struct bind *b);
void __wrap_bind_abandon(struct bind *b);

int __wrap_bind_listen(struct bind *b)
{
	listened++;
	assert_int_equal(phase(), PHASE_CONNECT);
	happen(plan.on_dial);
	b->bound = local;
	b->failure = plan.failure;
	b->error = plan.error;
	if (plan.failure != END_REASONS && !plan.accept_fails)
		return -1;
	assert_true(fd_lease_take(b->asker->lease));
	return 0;
}

int __wrap_bind_accept(struct bind *b)
{
	accepted++;
	happen(plan.on_accept);
	b->failure = plan.failure;
	b->peer = address;
	if (plan.failure == END_REASONS)
		return target_inner;
	fd_lease_give(b->asker->lease);
	return -1;
}

void __wrap_bind_abandon(struct bind *b)
{
	abandoned++;
	fd_lease_give(b->asker->lease);
}

static struct udp *const an_association = (struct udp *)&opened; /* which nobody looks into */
static struct fd_lease *association_lease;

struct udp *__wrap_udp_open(const struct udp_setup *setup);
struct addr __wrap_udp_bound(const struct udp *u);
enum end_reason __wrap_udp_run(struct udp *u);
struct datagram_counts __wrap_udp_counts(const struct udp *u);
void __wrap_udp_close(struct udp *u);

struct udp *__wrap_udp_open(const struct udp_setup *setup)
{
	assert_int_equal(phase(), PHASE_CONNECT);
	assert_int_equal(setup->client, client_inner);
	happen(plan.on_dial);
	errno = plan.error;
	if (plan.error != 0)
		return NULL;
	opened++;
	association_lease = setup->asker->lease;
	assert_true(fd_lease_take(association_lease));
	return an_association;
}

struct addr __wrap_udp_bound(const struct udp *u)
{
	assert_ptr_equal(u, an_association);
	return local;
}

enum end_reason __wrap_udp_run(struct udp *u)
{
	assert_ptr_equal(u, an_association);
	assert_int_equal(phase(), PHASE_UDP);
	associated++;
	happen(plan.on_relay);
	return plan.relay_ends;
}

struct datagram_counts __wrap_udp_counts(const struct udp *u)
{
	assert_ptr_equal(u, an_association);
	return (struct datagram_counts){
		.sent = 3, .received = 2, .dropped = {[DROP_NAME] = 4, [DROP_UNSENT] = 1}};
}

void __wrap_udp_close(struct udp *u)
{
	assert_ptr_equal(u, an_association);
	closed++;
	fd_lease_give(association_lease);
}

static struct relay *the_relay; /* what plan.on_relay happens in */

enum end_reason __wrap_relay_run(struct relay *r);

enum end_reason __wrap_relay_run(struct relay *r)
{
	relayed++;
	assert_int_equal(phase(), PHASE_RELAY);
	assert_int_equal(r->client, client_inner);
	assert_int_equal(r->target, target_inner);
	the_relay = r;
	happen(plan.on_relay);
	traffic_count(r->traffic, TRAFFIC_SENT, 11);
	traffic_count(r->traffic, TRAFFIC_RECEIVED, 22);
	return plan.relay_ends;
}

struct verdict __real_target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place);
struct verdict __wrap_target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place);

struct verdict __wrap_target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place)
{
	if (plan.denied)
		return (struct verdict){.allowed = false, .rule = "test"};
	return __real_target_judge(a, dst, addr, has_place);
}

/* ---- each test ---- */

/* A connection of the test's and what a server has accepted of it. */
static void connect_pair(int *outer, int *accepted_one)
{
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port);

	*outer = net_connect("127.0.0.1", port);
	*accepted_one = net_accept(listener);
	assert_int_equal(fcntl(*accepted_one, F_SETFL, O_NONBLOCK), 0);
	close(listener);
}

static void set(struct config *c, const char *name, const char *value)
{
	struct setting_input in = {.text = value};
	char why[SETTING_ERROR_MAX];

	assert_true(setting_set(settings_find(name), &c->settings, &in, why));
}

static void prepare_users(void)
{
	struct users_backend kept = users_file_backend("users");
	char error[USERS_ERROR_MAX], hash[PASSWORD_HASH_SIZE], line[PASSWORD_HASH_SIZE + 16];

	cheap_hash("se:cret", hash);
	snprintf(line, sizeof(line), "alice:%s:user\n", hash);
	scratch_write("users", line);
	services.hashing = hashing_new(1);
	services.ledger = ledger_new(1, NULL);
	services.users = users_new(services.hashing, services.ledger, &kept);
	assert_non_null(services.users);
	assert_int_equal(users_load(services.users, error), 0);
}

static int set_up(void **state)
{
	struct config_source source = {.path = NULL};
	char error[CONFIG_ERROR_MAX];
	size_t running;
	struct config *c = config_read(&source, error);

	open_before = fdbudget_count_open();
	assert_int_equal(scratch_enter(state), 0);
	now = BEGUN;
	memset(&services, 0, sizeof(services));
	set(c, "auth", "optional");
	services.config = config_store_new(c);
	prepare_users();
	services.registry = registry_new(1);
	services.access_log = access_log_new(4);
	assert_non_null(services.registry);
	assert_non_null(services.access_log);
	fdbudget_plan(&services.budget, 100, 10, 10);
	places_init(&services.places, PLACES);
	client_addr = net_addr("192.0.2.7", 1234);
	address = net_addr("192.0.2.1", 443);
	local = net_addr("192.0.2.8", 4660);
	client_entry = ledger_join_client(services.ledger, &client_addr, now, &running);
	assert_non_null(client_entry);
	client = target = client_inner = target_inner = -1;
	return log_open("log");
}

static void close_ends(void)
{
	if (client >= 0)
		close(client);
	if (target >= 0)
		close(target);
	client = target = -1;
}

/* All descriptors are closed by then. */
static int tear_down(void **state)
{
	close_ends();
	log_close();
	ledger_leave(client_entry, now);
	access_log_free(services.access_log);
	registry_free(services.registry);
	users_free(services.users);
	ledger_free(services.ledger);
	hashing_free(services.hashing);
	config_store_free(services.config);
	assert_int_equal(fdbudget_count_open(), open_before);
	return scratch_leave(state);
}

/* A client has connected and sent this, and what it asks for goes well unless the plan is changed;
 * all that counts and logs is as new. */
static void begin(const char *hex)
{
	close_ends();
	connect_pair(&client, &client_inner);
	connect_pair(&target, &target_inner);
	scratch_write("log", "");
	access_log_free(services.access_log);
	services.access_log = access_log_new(4);
	stats_init(&services.stats);
	services.access_lost_limit = (struct log_limit){0};
	plan = (struct plan){.failure = END_REASONS, .relay_ends = END_CLOSED};
	dialled = listened = accepted = abandoned = opened = associated = closed = relayed = 0;
	lingered = 0;
	waits = 0;
	on_wait = NULL;
	net_send_hex(client, hex);
	if (*hex != '\0')
		assert_int_equal(poll(&(struct pollfd){.fd = client_inner, .events = POLLIN}, 1,
					 NET_PATIENCE_S * 1000),
			1);
}

/* All that the access log has of the session: "user target", with " fail" behind it. */
static const char *access_line(void)
{
	static char text[600];
	struct access_cursor cursor;
	struct access_entry e;

	access_log_begin(services.access_log, &cursor, NULL, 0, UINT64_MAX);
	if (access_log_read(services.access_log, &cursor, &e, 1) == 0)
		return "";
	assert_true(cursor.next == cursor.end);
	snprintf(text, sizeof(text), "%s %s%s", e.user, e.target, e.success ? "" : " fail");
	return text;
}

static void expect_logged(const char *part)
{
	char *log = scratch_read("log");

	assert_contains(log, part);
	free(log);
}

static void expect_not_logged(const char *part)
{
	char *log = scratch_read("log");

	if (strstr(log, part) != NULL)
		fail_msg("\"%s\" is in \"%s\"", part, log);
	free(log);
}

static void expect_logged_reason(enum end_reason reason, bool served)
{
	bool is_success = served || reason == END_OWN_PAGE;
	char part[100];

	snprintf(part, sizeof(part), "outcome=%s reason=%s ", is_success ? "success" : "fail",
		end_reason_word(reason));
	expect_logged(part);
	expect_logged("client=192.0.2.7:1234 ");
}

/* Nothing is held any more, nobody sees it any more, and its accounts are left. */
static void expect_nothing_held(bool target_was_taken)
{
	struct session_info info;
	const char **active;
	size_t count;

	assert_int_equal(session.lease.held, 0);
	assert_int_equal(atomic_load(&services.budget.spare_used), 0);
	assert_int_equal(fcntl(client_inner, F_GETFD), -1);
	if (target_was_taken)
		assert_int_equal(fcntl(target_inner, F_GETFD), -1);
	else
		close(target_inner);
	assert_false(published(&info));
	assert_int_equal(ledger_read(client_entry).sessions, 1); /* the test's */
	active = ledger_active_users(services.ledger, &count);
	assert_int_equal(count, 0);
	free(active);
}

enum outcome { NOT_ASKED, FAILED, SERVED };

/* Runs the session, which ends for this reason: in its own words, in the log, and in each counter.
 */
static void run_to(enum end_reason reason, enum outcome outcome)
{
	uint64_t sessions = ledger_read(client_entry).total;
	const struct stats *s = &services.stats;

	run_session();
	assert_int_equal(session.reason, reason);
	for (enum end_reason r = 0; r < END_REASONS; r++)
		assert_int_equal(stats_ended(s, r), r == reason);
	assert_int_equal(stats_get(&s->sessions), 1);
	assert_int_equal(stats_get(&s->current), 0);
	assert_int_equal(stats_get(&s->failed), outcome == FAILED);
	assert_int_equal(stats_get(&s->succeeded), outcome == SERVED);
	assert_int_equal(ledger_read(client_entry).total, sessions + 1);
	/* Health checks leave all day, with a greeting or without: that is no line. */
	if (reason == END_NOTHING_ASKED || reason == END_HEALTH_CHECK ||
		(reason == END_CLIENT_LEFT && outcome == NOT_ASKED))
		expect_not_logged("session ended");
	else
		expect_logged_reason(reason, outcome == SERVED);
	expect_nothing_held(session.target >= 0);
}

/* All that the client was answered is this. */
static void expect_answers(const char *hex)
{
	net_expect_hex(client, hex);
	net_expect_end(client);
}

#define GREETING "05 01 00"
#define LOGIN "05 01 02 01 05 61 6c 69 63 65 07 73 65 3a 63 72 65 74" /* alice, se:cret */
#define CONNECT " 05 01 00 01 c0 00 02 01 01 bb" /* 192.0.2.1:443 */
#define BIND " 05 02 00 01 c0 00 02 01 01 bb"
#define UDP " 05 03 00 01 00 00 00 00 00 00"
#define GRANTED " 05 00 00 01 c0 00 02 08 12 34" /* 192.0.2.8:4660 */
#define REFUSED(rep) " 05 " rep " 00 01 00 00 00 00 00 00"

/* ---- before the request ---- */

static void a_handshake_that_fails_has_its_reason(void **state)
{
	static const struct {
		const char *sent;
		enum end_reason reason;
		const char *answers;
	} rows[] = {
		{"ff 01", END_UNKNOWN_PROTOCOL, ""},
		{"05 01 01", END_NO_METHOD, "05 ff"},
		{"05 01 02 02 05", END_MALFORMED, "05 02 01 01"},
		{"05 01 00 04 01 00 01", END_MALFORMED, "05 00" REFUSED("01")},
		{"", END_HANDSHAKE_TIMEOUT, ""},
		{"05", END_HANDSHAKE_TIMEOUT, ""},
		{"05 01 00 05", END_HANDSHAKE_TIMEOUT, "05 00"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(rows[i].sent);
		run_to(rows[i].reason, NOT_ASKED);
		net_expect_hex(client, rows[i].answers);
		/* What was sent and not read makes a reset of the end. */
		net_expect_gone(client);
		assert_string_equal(access_line(), "");
		expect_not_logged(" reply=");
		assert_int_equal(dialled + listened + opened, 0);
	}
}

#define WRONG_LOGIN "05 01 02 01 05 61 6c 69 63 65 01 78" /* alice, x */

static void a_login_that_is_not_right_is_served_as_anonymous_where_it_is_optional(void **state)
{
	(void)state;
	begin(WRONG_LOGIN CONNECT);
	run_to(END_CLOSED, SERVED);
	expect_answers("05 02 01 00" GRANTED);
	expect_logged(" user=Anonymous login=ignored login_user=alice ");
	assert_string_equal(access_line(), "Anonymous 192.0.2.1:443");
	assert_int_equal(
		login_counts_get(&services.stats.logins, LOGIN_AT_SOCKS5, LOGIN_IGNORED), 1);
}

#define WRONG_NAME "05 01 02 01 05 68 75 73 68 21 01 78" /* hush!, x */

static void a_name_that_is_nobodys_is_not_told_where_it_is_optional_either(void **state)
{
	(void)state;
	begin(WRONG_NAME CONNECT);
	run_to(END_CLOSED, SERVED);
	expect_answers("05 02 01 00" GRANTED);
	expect_logged(" user=Anonymous login=ignored command=");
	expect_not_logged("hush");
}

static void require_a_login(void)
{
	struct config *c = config_get(services.config);

	set(c, "auth", "required");
	config_release(c);
}

/* The line in the access log's file, without its time. */
static const char *line_of_file(void)
{
	static char line[1024];
	char *text = scratch_read("access");
	size_t len = strcspn(text, " ");

	snprintf(line, sizeof(line), "%s", text[len] == ' ' ? text + len + 1 : "");
	free(text);
	return line;
}

static void a_wrong_password_is_told_of_its_user(void **state)
{
	(void)state;
	require_a_login();
	begin(WRONG_LOGIN CONNECT);
	assert_int_equal(access_log_open(services.access_log, "access"), 0);
	run_to(END_WRONG_PASSWORD, NOT_ASKED);
	expect_answers("05 02 01 01");
	expect_logged(" user=alice outcome=fail reason=wrong_password ");
	assert_string_equal(access_line(), "alice - fail");
	assert_begins(line_of_file(), "alice 192.0.2.7:1234 - - FAIL - wrong_password - 0 0 ");
	assert_int_equal(login_counts_refused(&services.stats.logins, LOGIN_AT_SOCKS5), 1);
	assert_int_equal(
		login_counts_get(&services.stats.logins, LOGIN_AT_SOCKS5, LOGIN_IGNORED), 0);
}

static void a_name_that_is_nobodys_is_told_nowhere(void **state)
{
	(void)state;
	require_a_login();
	begin(WRONG_NAME CONNECT);
	assert_int_equal(access_log_open(services.access_log, "access"), 0);
	run_to(END_LOGIN_REFUSED, NOT_ASKED);
	expect_answers("05 02 01 01");
	expect_logged(" user=Anonymous outcome=fail reason=login_refused ");
	expect_not_logged("hush");
	assert_string_equal(access_line(), "");
	assert_string_equal(line_of_file(), "");
	assert_int_equal(login_counts_refused(&services.stats.logins, LOGIN_AT_SOCKS5), 1);
}

static void the_log_names_what_a_client_speaks_instead(void **state)
{
	(void)state;
	begin("50 52 4f 58 59 20");
	run_to(END_UNKNOWN_PROTOCOL, NOT_ASKED);
	expect_logged(" reason=unknown_protocol guess=proxy_v1 ");
	begin("16 03 01 02 00 01");
	run_to(END_UNKNOWN_PROTOCOL, NOT_ASKED);
	expect_logged(" reason=unknown_protocol guess=tls ");
	begin("ff");
	run_to(END_UNKNOWN_PROTOCOL, NOT_ASKED);
	expect_not_logged(" guess=");
}

/* It is nobody's name, and has a field of its own. */
static void what_a_socks4_client_calls_itself_is_in_the_log(void **state)
{
	(void)state;
	begin("04 01 01 bb c0 00 02 01 61 20 62 0a 00");
	assert_int_equal(access_log_open(services.access_log, "access"), 0);
	run_to(END_CLOSED, SERVED);
	expect_answers("00 5a 12 34 c0 00 02 08");
	expect_logged(" door=socks4 user=Anonymous userid=\"a b\\x0a\" command=CONNECT "
		      "target=192.0.2.1:443 ");
	expect_logged(" reply=90 ");
	assert_string_equal(access_line(), "Anonymous 192.0.2.1:443");
	assert_begins(line_of_file(),
		"Anonymous 192.0.2.7:1234 CONNECT 192.0.2.1:443 SUCCESS 90 closed - ");
	begin("04 01 01 bb c0 00 02 01 00");
	run_to(END_CLOSED, SERVED);
	expect_not_logged(" userid=");
}

static void client_finishes(void)
{
	shutdown(client, SHUT_WR);
}

/* A reset, for what it sent and nobody read, would overtake the page. */
static void a_browser_gets_its_page_whatever_else_it_sends(void **state)
{
	static const char request[] =
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
	static const uint8_t body[100000];
	char answer[2000];
	size_t len = 0;
	ssize_t n;

	(void)state;
	begin("");
	net_send(client, request, sizeof(request) - 1);
	net_send(client, body, sizeof(body));
	on_wait = client_finishes;
	run_to(END_OWN_PAGE, NOT_ASKED);
	expect_logged(" door=http ");
	while ((n = recv(client, answer + len, sizeof(answer) - len, 0)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	assert_memory_equal(answer, "HTTP/1.1 405 ", 13);
}

static void a_health_check_is_no_line(void **state)
{
	static const char request[] = "GET /healthz HTTP/1.0\r\n\r\n";

	(void)state;
	begin("");
	net_send(client, request, sizeof(request) - 1);
	on_wait = client_finishes;
	run_to(END_HEALTH_CHECK, NOT_ASKED);
}

static void the_whole_handshake_has_one_deadline(void **state)
{
	(void)state;
	begin("05 01 00 05");
	run_to(END_HANDSHAKE_TIMEOUT, NOT_ASKED);
	assert_int_equal(now, BEGUN + session.config->settings.handshake_timeout);
}

static void who_leaves_before_the_request_has_left(void **state)
{
	(void)state;
	begin("05 01 00 05");
	on_wait = client_finishes;
	run_to(END_CLIENT_LEFT, NOT_ASKED);
	expect_answers("05 00");
	begin("");
	on_wait = client_finishes;
	run_to(END_NOTHING_ASKED, NOT_ASKED);
	expect_answers("");
}

/* ---- requests that come to nothing ---- */

static void what_cannot_be_tried_is_refused(void **state)
{
	static const struct {
		const char *request;
		enum end_reason reason;
		const char *answers, *access;
	} rows[] = {
		{GREETING " 05 09 00 01 c0 00 02 01 01 bb", END_COMMAND_UNSUPPORTED,
			"05 00" REFUSED("07"), "Anonymous 192.0.2.1:443 fail"},
		{GREETING " 05 01 00 05", END_ATYP_UNSUPPORTED, "05 00" REFUSED("08"),
			"Anonymous - fail"},
		{GREETING " 05 01 00 03 00 00 50", END_NAME_NOT_FOUND, "05 00" REFUSED("04"),
			"Anonymous :80 fail"},
		{GREETING " 05 02 00 03 01 20 00 50", END_NAME_NOT_FOUND, "05 00" REFUSED("04"),
			"Anonymous \\x20:80 fail"},
		{LOGIN " 05 09 00 01 c0 00 02 01 01 bb", END_COMMAND_UNSUPPORTED,
			"05 02 01 00" REFUSED("07"), "alice 192.0.2.1:443 fail"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(rows[i].request);
		run_to(rows[i].reason, FAILED);
		expect_answers(rows[i].answers);
		assert_string_equal(access_line(), rows[i].access);
		assert_int_equal(dialled + listened + opened, 0);
	}
}

static const struct {
	enum end_reason reason;
	int error;
	const char *rep, *logged;
} failures[] = {
	{END_TARGET_DENIED, 0, "02", " reply=2 "},
	{END_NAME_NOT_FOUND, 0, "04", " reply=4 "},
	{END_NAME_FAILED, 0, "04", " reply=4 "},
	{END_CONNECT_REFUSED, ECONNREFUSED, "05", " reply=5 error=ECONNREFUSED "},
	{END_HOST_UNREACHABLE, EHOSTUNREACH, "04", " reply=4 error=EHOSTUNREACH "},
	{END_NETWORK_UNREACHABLE, ENETUNREACH, "03", " reply=3 error=ENETUNREACH "},
	{END_CLIENT_FINISHED, 0, "06", " reply=6 "},
	{END_NO_LOCAL_PORT, EADDRNOTAVAIL, "01", " reply=1 error=EADDRNOTAVAIL "},
	{END_CONNECT_TIMEOUT, ETIMEDOUT, "06", " reply=6 error=ETIMEDOUT "},
	{END_CONNECT_FAILED, EACCES, "01", " reply=1 error=EACCES "},
	{END_BIND_TIMEOUT, 0, "06", " reply=6 "},
	{END_NO_SOCKET, EMFILE, "01", " reply=1 error=EMFILE "},
};

/* The request fails as in each row; before what is written here, nothing was answered to it. */
static void expect_each_failure(const char *request, bool accept_fails, const char *before)
{
	for (size_t i = 0; i < COUNT(failures); i++) {
		char answers[100];

		begin(request);
		plan.failure = failures[i].reason;
		plan.error = accept_fails ? 0 : failures[i].error;
		plan.accept_fails = accept_fails;
		run_to(failures[i].reason, FAILED);
		snprintf(answers, sizeof(answers), "05 02 01 00%s" REFUSED("%s"), before,
			failures[i].rep);
		expect_answers(answers);
		assert_string_equal(access_line(), "alice 192.0.2.1:443 fail");
		if (!accept_fails)
			expect_logged(failures[i].logged);
		expect_logged(" user=alice ");
		assert_int_equal(relayed, 0);
	}
}

static void each_failure_of_connect_is_told(void **state)
{
	(void)state;
	expect_each_failure(LOGIN CONNECT, false, "");
	assert_int_equal(dialled, 1);
	expect_logged(" command=CONNECT target=192.0.2.1:443 address=192.0.2.1:443 ");
}

static void each_failure_of_bind_is_told(void **state)
{
	(void)state;
	expect_each_failure(LOGIN BIND, false, "");
	assert_int_equal(accepted, 0);
	/* And after the first reply. */
	expect_each_failure(LOGIN BIND, true, GRANTED);
	assert_int_equal(accepted, 1);
	assert_int_equal(abandoned, 0); /* it gives back what it holds itself */
}

static void a_lack_of_local_ports_is_said_once_a_minute(void **state)
{
	(void)state;
	services.no_port_limit = (struct log_limit){0};
	for (int i = 0; i < 3; i++) {
		begin(GREETING CONNECT);
		plan.failure = END_NO_LOCAL_PORT;
		run_to(END_NO_LOCAL_PORT, FAILED);
		expect_answers("05 00" REFUSED("01"));
		(i == 0 ? expect_logged : expect_not_logged)(
			"no local port is left to connect to 192.0.2.1:443 from");
	}
	now += LOG_LIMIT_PERIOD_MS;
	begin(GREETING CONNECT);
	plan.failure = END_NO_LOCAL_PORT;
	run_to(END_NO_LOCAL_PORT, FAILED);
	expect_logged("(2 more since the last such line)");
}

static void a_client_that_left_gets_no_reply(void **state)
{
	static const char *const requests[] = {GREETING CONNECT, GREETING BIND};

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		begin(requests[i]);
		plan.failure = END_CLIENT_LEFT;
		run_to(END_CLIENT_LEFT, FAILED);
		expect_answers("05 00");
		assert_string_equal(access_line(), "");
	}
	begin(GREETING BIND);
	plan.failure = END_CLIENT_LEFT;
	plan.accept_fails = true;
	run_to(END_CLIENT_LEFT, FAILED);
	expect_answers("05 00" GRANTED);
	assert_string_equal(access_line(), "");
}

static void an_association_that_cannot_be_is_refused(void **state)
{
	(void)state;
	begin(GREETING UDP);
	plan.denied = true;
	run_to(END_TARGET_DENIED, FAILED);
	expect_answers("05 00" REFUSED("02"));
	assert_string_equal(access_line(), "Anonymous 0.0.0.0:0 fail");
	begin(GREETING UDP);
	plan.error = EMFILE;
	run_to(END_NO_SOCKET, FAILED);
	expect_answers("05 00" REFUSED("01"));
	expect_logged(" reply=1 error=EMFILE ");
	assert_string_equal(access_line(), "Anonymous 0.0.0.0:0 fail");
	assert_int_equal(opened + closed, 0);
}

/* ---- what is granted ---- */

static void what_is_granted_is_shown(void)
{
	struct session_info info;

	assert_true(published(&info));
	assert_string_equal(info.command, "CONNECT");
	assert_string_equal(info.target, "192.0.2.1:443");
	assert_int_equal(info.user_len, 5);
	assert_true(addr_equal(&info.address, &address));
	assert_true(addr_equal(&info.client, &client_addr));
	assert_int_equal(info.idle_ms, 0);
	assert_string_equal(access_line(), "alice 192.0.2.1:443");
	assert_int_equal(ledger_read(client_entry).sessions, 2);
	/* What came behind the request is the relay's. */
	assert_int_equal(buffer_readable(&session.in), 3);
	assert_memory_equal(buffer_head(&session.in), "pay", 3);
}

static void a_connection_is_relayed(void **state)
{
	struct ledger_figures before = ledger_read(client_entry);

	(void)state;
	begin(LOGIN CONNECT " 70 61 79");
	plan.on_relay = what_is_granted_is_shown;
	run_to(END_CLOSED, SERVED);
	expect_answers("05 02 01 00" GRANTED);
	net_expect_end(target);
	assert_int_equal(relayed, 1);
	expect_logged(" reply=0 sent=11 received=22 ");
	assert_int_equal(ledger_read(client_entry).sent - before.sent, 11);
	assert_int_equal(ledger_read(client_entry).received - before.received, 22);
	assert_int_equal(histogram_read(&services.stats.connect_times).count, 1);
	assert_int_equal(histogram_read(&services.stats.lookup_times).count, 0); /* of an address */
	assert_int_equal(waits, 0); /* who was served is not lingered for */
}

static void time_passes_in_dial(void)
{
	now += 30;
}

static void names_and_times_are_logged(void **state)
{
	(void)state;
	begin(GREETING " 05 01 00 03 01 61 00 50");
	plan.on_dial = time_passes_in_dial;
	run_to(END_CLOSED, SERVED);
	expect_logged(" target=a:80 address=192.0.2.1:443 ");
	expect_logged(" lookup_ms=0 connect_ms=0 total_ms=30");
	assert_int_equal(histogram_read(&services.stats.lookup_times).count, 1);
	assert_int_equal(histogram_read(&services.stats.session_times).total_ms, 30);
}

/* ---- how the sockets are closed ---- */

static void a_reset_is_passed_on_to_the_other_side(void **state)
{
	static const struct {
		enum end_reason reason;
		bool client_reset, target_reset;
	} rows[] = {
		{END_CLOSED, false, false},
		{END_IDLE, false, false},
		{END_HALF_CLOSED_IDLE, false, false},
		{END_CLIENT_RESET, false, true},
		{END_TARGET_RESET, true, false},
		{END_RELAY_FAILED, true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(GREETING CONNECT);
		plan.relay_ends = rows[i].reason;
		run_to(rows[i].reason, SERVED);
		net_expect_hex(client, "05 00" GRANTED);
		(rows[i].client_reset ? net_expect_reset : net_expect_end)(client);
		(rows[i].target_reset ? net_expect_reset : net_expect_end)(target);
	}
}

/* ---- replies that cannot be sent ---- */

/* And the session can know by now. */
static void client_breaks_off(void)
{
	struct pollfd p = {.fd = client_inner, .events = POLLIN};

	net_reset(client);
	client = -1;
	do
		assert_int_equal(poll(&p, 1, NET_PATIENCE_S * 1000), 1);
	while (!(p.revents & (POLLERR | POLLHUP)));
}

/* Sends until no byte more fits. */
static void client_does_not_read(void)
{
	static const uint8_t bytes[65536];

	while (send(client_inner, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
		;
	while (send(client_inner, bytes, 1, MSG_NOSIGNAL) > 0)
		;
}

static const struct {
	void (*what)(void);
	enum end_reason reason;
} reply_faults[] = {
	{client_breaks_off, END_CLIENT_LEFT},
	{client_does_not_read, END_HANDSHAKE_TIMEOUT},
};

static void a_connection_whose_reply_does_not_get_out_is_given_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(reply_faults); i++) {
		begin(GREETING CONNECT);
		plan.on_dial = reply_faults[i].what;
		run_to(reply_faults[i].reason, FAILED);
		assert_int_equal(dialled, 1);
		assert_int_equal(relayed, 0);
		net_expect_end(target);
	}
}

static void client_does_not_read_after_a_while(void)
{
	now += session.config->settings.handshake_timeout;
	client_does_not_read();
}

static void a_reply_has_a_deadline_of_its_own(void **state)
{
	(void)state;
	begin(GREETING CONNECT);
	plan.on_dial = client_does_not_read_after_a_while;
	run_to(END_HANDSHAKE_TIMEOUT, FAILED);
	assert_int_equal(now, BEGUN + 2 * session.config->settings.handshake_timeout);
}

static void a_listening_whose_reply_does_not_get_out_is_given_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(reply_faults); i++) {
		begin(GREETING BIND);
		plan.on_dial = reply_faults[i].what;
		run_to(reply_faults[i].reason, FAILED);
		assert_int_equal(abandoned, 1);
		assert_int_equal(accepted, 0);
		assert_string_equal(access_line(), "");
		/* The second reply. */
		begin(GREETING BIND);
		plan.on_accept = reply_faults[i].what;
		run_to(reply_faults[i].reason, FAILED);
		assert_int_equal(abandoned, 0);
		assert_int_equal(accepted, 1);
		assert_int_equal(relayed, 0);
		net_expect_end(target);
	}
}

static void an_association_whose_reply_does_not_get_out_is_given_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(reply_faults); i++) {
		begin(GREETING UDP);
		plan.on_dial = reply_faults[i].what;
		run_to(reply_faults[i].reason, FAILED);
		assert_int_equal(opened, 1);
		assert_int_equal(associated, 0);
		assert_int_equal(closed, 1);
	}
}

static void a_refusal_that_does_not_get_out_keeps_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(reply_faults); i++) {
		begin(GREETING CONNECT);
		plan.failure = END_CONNECT_REFUSED;
		plan.on_dial = reply_faults[i].what;
		run_to(END_CONNECT_REFUSED, FAILED);
		expect_not_logged(" reply=");
	}
}

static void leave_while_closing(void)
{
	assert_int_equal(phase(), PHASE_CLOSING);
	client_breaks_off();
}

/* Or whoever judges live sessions again would break it off, for what it is just being told. */
static void who_is_being_refused_is_on_the_way_out(void **state)
{
	(void)state;
	begin(GREETING CONNECT);
	plan.failure = END_CONNECT_REFUSED;
	plan.on_dial = client_does_not_read;
	on_wait = leave_while_closing;
	run_to(END_CONNECT_REFUSED, FAILED);
	assert_int_equal(waits, 1);
}

/* ---- BIND and UDP ASSOCIATE that are granted ---- */

static void a_peer_is_announced_and_relayed(void **state)
{
	(void)state;
	begin(GREETING BIND);
	run_to(END_CLOSED, SERVED);
	expect_answers("05 00" GRANTED " 05 00 00 01 c0 00 02 01 01 bb");
	net_expect_end(target);
	assert_int_equal(relayed, 1);
	assert_string_equal(access_line(), "Anonymous 192.0.2.1:443");
	expect_logged(" command=BIND target=192.0.2.1:443 address=192.0.2.1:443 ");
}

static void an_association_ends_for_each_reason(void **state)
{
	static const enum end_reason reasons[] = {END_CLOSED, END_CLIENT_RESET, END_UDP_IDLE};

	(void)state;
	for (size_t i = 0; i < COUNT(reasons); i++) {
		begin(GREETING UDP);
		plan.relay_ends = reasons[i];
		run_to(reasons[i], SERVED);
		expect_answers("05 00" GRANTED);
		assert_int_equal(closed, 1);
		assert_string_equal(access_line(), "Anonymous 0.0.0.0:0");
		expect_logged(" datagrams_sent=3 datagrams_received=2 datagrams_dropped=5 ");
	}
}

/* ---- told to end ---- */

static void told_to_end_before_the_request(void **state)
{
	static const char *const sent[] = {"", "05", "05 01 02", "05 01 02 01 05", "05 01 00 05"};

	(void)state;
	for (size_t i = 0; i < COUNT(sent); i++) {
		begin(sent[i]);
		on_wait = kill_session;
		run_to(END_KILLED, NOT_ASKED);
	}
}

static void told_to_end_while_it_is_tried(void **state)
{
	static const char *const requests[] = {GREETING CONNECT, GREETING BIND, GREETING UDP};

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		/* Whether or not it came about. */
		begin(requests[i]);
		plan.on_dial = kill_session;
		run_to(END_KILLED, FAILED);
		assert_int_equal(relayed + associated, 0);
		begin(requests[i]);
		plan.on_dial = kill_session;
		plan.failure = END_CLIENT_LEFT;
		run_to(END_KILLED, FAILED);
	}
	begin(GREETING BIND);
	plan.on_accept = kill_session;
	run_to(END_KILLED, FAILED);
	assert_int_equal(relayed, 0);
}

static void told_to_end_while_it_is_served(void **state)
{
	(void)state;
	begin(GREETING CONNECT);
	plan.on_relay = kill_session;
	plan.relay_ends = END_CLIENT_RESET; /* as it looks to the relay */
	run_to(END_KILLED, SERVED);
	net_expect_hex(client, "05 00" GRANTED);
	net_expect_reset(client);
	net_expect_reset(target);
	begin(GREETING UDP);
	plan.on_relay = kill_session;
	plan.relay_ends = END_CLIENT_RESET;
	run_to(END_KILLED, SERVED);
	net_expect_hex(client, "05 00" GRANTED);
	net_expect_reset(client);
}

static void idle_session_is_ended(void)
{
	assert_int_equal(registry_end_idle(services.registry, 1000, 5, 5, now), now + 5);
	now += 5;
	registry_end_idle(services.registry, 1000, 5, 5, now);
}

static void who_is_ended_as_idle_ends_as_by_itself(void **state)
{
	(void)state;
	begin(GREETING CONNECT);
	plan.on_relay = idle_session_is_ended;
	run_to(END_IDLE, SERVED);
	expect_answers("05 00" GRANTED);
	net_expect_end(target);
}

static void told_to_end_while_it_lingers(void **state)
{
	(void)state;
	begin(GREETING CONNECT);
	plan.failure = END_CONNECT_REFUSED;
	on_wait = kill_session;
	/* Why it failed is known by then. */
	run_to(END_CONNECT_REFUSED, FAILED);
	assert_int_equal(now, BEGUN);
}

static void when_the_server_stops_no_session_begins(void **state)
{
	(void)state;
	begin(GREETING CONNECT);
	registry_stop_all(services.registry);
	run_to(END_STOPPED, NOT_ASKED);
	net_expect_reset(client);
	assert_int_equal(dialled, 0);
}

/* ---- lingering ---- */

#define LINGER_MS 2000
#define LINGER_BYTES (256 * 1024)

static void begin_refused(void)
{
	begin(GREETING CONNECT);
	plan.failure = END_CONNECT_REFUSED;
}

static void a_refused_client_is_read_from_until_it_ends(void **state)
{
	(void)state;
	begin_refused();
	on_wait = client_finishes;
	run_to(END_CONNECT_REFUSED, FAILED);
	expect_answers("05 00" REFUSED("05"));
	assert_int_equal(waits, 1);
	assert_int_equal(now, BEGUN);
	begin_refused();
	on_wait = client_breaks_off;
	run_to(END_CONNECT_REFUSED, FAILED);
	assert_int_equal(now, BEGUN);
}

static void a_refused_client_is_read_from_for_a_bounded_time(void **state)
{
	(void)state;
	begin_refused();
	run_to(END_CONNECT_REFUSED, FAILED);
	assert_int_equal(now, BEGUN + LINGER_MS);
	expect_answers("05 00" REFUSED("05"));
}

static void a_refused_client_is_not_read_from_while_workers_are_scarce(void **state)
{
	(void)state;
	for (size_t taken = 1; taken <= PLACES; taken++) {
		bool is_scarce = taken >= PLACES - 1;
		int64_t before = now;

		places_take(&services.places);
		begin_refused();
		run_to(END_CONNECT_REFUSED, FAILED);
		expect_answers("05 00" REFUSED("05"));
		assert_int_equal(waits, is_scarce ? 0 : 1);
		assert_int_equal(now - before, is_scarce ? 0 : LINGER_MS);
	}
}

static void client_sends_on(void)
{
	static const uint8_t bytes[10000];

	net_send(client, bytes, sizeof(bytes));
}

static void a_refused_client_is_read_from_for_a_bounded_number_of_bytes(void **state)
{
	(void)state;
	begin_refused();
	on_wait = client_sends_on;
	run_to(END_CONNECT_REFUSED, FAILED);
	assert_in_range(lingered, LINGER_BYTES, LINGER_BYTES + SESSION_PAGE);
	assert_int_equal(now, BEGUN);
}

#define GET "GET http://192.0.2.1/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n"
#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"

/* The server has said this, which goes to the client as the relay's filter has it. */
static void answer_with(const char *text)
{
	struct buffer *b = the_relay->to_client;
	size_t len = strlen(text);

	memcpy(buffer_tail(b), text, len);
	buffer_commit(b, len);
	the_relay->in_filter->sift(the_relay->in_filter, b, len);
	net_send(client_inner, buffer_head(b), buffer_readable(b));
	buffer_consume(b, buffer_readable(b));
	the_relay->has_delivered = true;
}

static void server_answers(void)
{
	answer_with(HEAD "\r\nok");
}

static void server_breaks_off(void)
{
	answer_with(HEAD "\r\no");
}

static void begin_http(const char *request, void (*on_relay)(void))
{
	begin("");
	plan.on_relay = on_relay;
	net_send(client, request, strlen(request));
	assert_int_equal(poll(&(struct pollfd){.fd = client_inner, .events = POLLIN}, 1,
				 NET_PATIENCE_S * 1000),
		1);
}

static void expect_answer(const char *text)
{
	net_expect(client, text, strlen(text));
}

/* Pitfall 42: what it sends behind its request is read, or the kernel's reset would overtake the
 * answer. */
static void who_sends_behind_a_request_is_read_from(void **state)
{
	static const char answer[] = HEAD "Connection: close\r\n\r\nok";

	(void)state;
	begin_http(GET GET, server_answers);
	on_wait = client_finishes;
	run_to(END_CLOSED, SERVED);
	expect_answer(answer);
	net_expect_end(client);
	assert_int_equal(waits, 1);
	assert_int_equal(now, BEGUN);
	/* One that never ends is not read from for ever. */
	begin_http(GET GET, server_answers);
	on_wait = client_sends_on;
	run_to(END_CLOSED, SERVED);
	expect_answer(answer);
	assert_in_range(lingered, LINGER_BYTES, LINGER_BYTES + SESSION_PAGE);
	/* And one that is silent only for so long. */
	begin_http(GET GET, server_answers);
	run_to(END_CLOSED, SERVED);
	expect_answer(answer);
	net_expect_end(client);
	assert_int_equal(now, BEGUN + LINGER_MS);
}

static void who_sends_nothing_behind_a_request_is_not_waited_for(void **state)
{
	(void)state;
	begin_http(GET, server_answers);
	run_to(END_CLOSED, SERVED);
	expect_answer(HEAD "Connection: close\r\n\r\nok");
	net_expect_end(client);
	assert_int_equal(waits, 0);
}

/* A cut answer is to look like one, at once. */
static void a_broken_answer_is_not_lingered_over(void **state)
{
	(void)state;
	begin_http(GET GET, server_breaks_off);
	run_to(END_CLOSED, SERVED);
	assert_int_equal(waits, 0);
	expect_answer(HEAD "Connection: close\r\n\r\no");
	net_expect_reset(client);
}

/* ---- the access log ---- */

static void the_file_has_a_line_at_the_end_of_the_session(void **state)
{
	(void)state;
	begin(GREETING CONNECT);
	assert_int_equal(access_log_open(services.access_log, "access"), 0);
	run_to(END_CLOSED, SERVED);
	assert_begins(line_of_file(),
		"Anonymous 192.0.2.7:1234 CONNECT 192.0.2.1:443 SUCCESS 0 closed - ");
}

static void the_file_tells_why_a_request_failed(void **state)
{
	(void)state;
	begin_refused();
	assert_int_equal(access_log_open(services.access_log, "access"), 0);
	run_to(END_CONNECT_REFUSED, FAILED);
	assert_contains(line_of_file(), " CONNECT 192.0.2.1:443 FAIL 5 connect_refused - 0 0 ");
}

static void an_access_log_that_takes_no_line_is_told_once(void **state)
{
	char *log;

	(void)state;
	begin(GREETING CONNECT);
	assert_int_equal(access_log_open(services.access_log, "/dev/full"), 0);
	run_to(END_CLOSED, SERVED);
	log = scratch_read("log");
	assert_contains(log,
		"access_log_file: 1 line could not be written: "
		"No space left on device");
	free(log);
	/* Who asks for it gets it all the same. */
	assert_string_equal(access_line(), "Anonymous 192.0.2.1:443");
}

static int prepare(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_handshake_that_fails_has_its_reason),
		TEST(a_login_that_is_not_right_is_served_as_anonymous_where_it_is_optional),
		TEST(a_name_that_is_nobodys_is_not_told_where_it_is_optional_either),
		TEST(a_wrong_password_is_told_of_its_user),
		TEST(a_name_that_is_nobodys_is_told_nowhere),
		TEST(the_log_names_what_a_client_speaks_instead),
		TEST(what_a_socks4_client_calls_itself_is_in_the_log),
		TEST(a_browser_gets_its_page_whatever_else_it_sends),
		TEST(a_health_check_is_no_line),
		TEST(the_whole_handshake_has_one_deadline),
		TEST(who_leaves_before_the_request_has_left),
		TEST(what_cannot_be_tried_is_refused),
		TEST(each_failure_of_connect_is_told),
		TEST(each_failure_of_bind_is_told),
		TEST(a_lack_of_local_ports_is_said_once_a_minute),
		TEST(a_client_that_left_gets_no_reply),
		TEST(an_association_that_cannot_be_is_refused),
		TEST(a_connection_is_relayed),
		TEST(names_and_times_are_logged),
		TEST(a_reset_is_passed_on_to_the_other_side),
		TEST(a_connection_whose_reply_does_not_get_out_is_given_up),
		TEST(a_reply_has_a_deadline_of_its_own),
		TEST(a_listening_whose_reply_does_not_get_out_is_given_up),
		TEST(an_association_whose_reply_does_not_get_out_is_given_up),
		TEST(a_refusal_that_does_not_get_out_keeps_its_reason),
		TEST(who_is_being_refused_is_on_the_way_out),
		TEST(a_peer_is_announced_and_relayed),
		TEST(an_association_ends_for_each_reason),
		TEST(told_to_end_before_the_request),
		TEST(told_to_end_while_it_is_tried),
		TEST(told_to_end_while_it_is_served),
		TEST(who_is_ended_as_idle_ends_as_by_itself),
		TEST(told_to_end_while_it_lingers),
		TEST(when_the_server_stops_no_session_begins),
		TEST(a_refused_client_is_read_from_until_it_ends),
		TEST(a_refused_client_is_read_from_for_a_bounded_time),
		TEST(a_refused_client_is_not_read_from_while_workers_are_scarce),
		TEST(a_refused_client_is_read_from_for_a_bounded_number_of_bytes),
		TEST(who_sends_behind_a_request_is_read_from),
		TEST(who_sends_nothing_behind_a_request_is_not_waited_for),
		TEST(a_broken_answer_is_not_lingered_over),
		TEST(the_file_has_a_line_at_the_end_of_the_session),
		TEST(the_file_tells_why_a_request_failed),
		TEST(an_access_log_that_takes_no_line_is_told_once),
	};

	return cmocka_run_group_tests_name("proxy/session", tests, prepare, NULL);
}
