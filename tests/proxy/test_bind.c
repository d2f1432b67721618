/* bind: who is listened for and where, whose connection is taken, and what each step is called that
 * fails. The clock and the waiting are in the test's hand, and so are the faults of the kernel. */
#include "proxy/bind.h"

#include <errno.h>
#include <pthread.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"
#include "dns.h"
#include "net.h"
#include "net/socket.h"

/* ---- time, which passes only when a wait lasts until its deadline ---- */

static _Atomic(int64_t) now;

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);

int64_t __wrap_clock_ms(void)
{
	return now;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return now + ms;
}

/* What happens while bind waits, one a wait; then something can be polled. The wait behind the last
 * one, and each after it, lasts until its deadline; but the name server's answers are waited for,
 * unless it is mute. */
#define MAX_STEPS 4
static void (*steps[MAX_STEPS + 1])(void);
static size_t step;
static int64_t last_deadline;
static struct bind b;
static bool server_is_mute;

static int await_events(struct pollfd *fds, nfds_t count)
{
	int n = poll(fds, count, NET_PATIENCE_S * 1000);

	assert_true(n > 0);
	return n;
}

/* A SOCKS5 upstream: it greets who comes, and refuses BIND or is silent. */
static int upstream, at_upstream; /* its listener, and the connection there; -1: none */
static unsigned came;
static bool refuses;

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static void greet_next(void)
{
	if (at_upstream >= 0)
		close(at_upstream);
	at_upstream = net_accept(upstream);
	came++;
	net_expect_hex(at_upstream, "05 01 00");
	net_send_hex(at_upstream, "05 00");
}

/* True when it has said something. */
static bool upstream_acts(void)
{
	uint8_t request[10];

	if (is_readable(upstream)) {
		greet_next();
		return true;
	}
	if (!refuses || !is_readable(at_upstream))
		return false;
	net_receive(at_upstream, request, sizeof(request));
	net_send_hex(at_upstream, "05 05 00 01 00 00 00 00 00 00");
	return true;
}

static pthread_t tester;

/* The resolver's thread waits for real, and notices when the time has moved on. */
static int wait_as_resolver(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	return poll(fds, count, deadline == CLOCK_NEVER ? -1 : 1);
}

int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline);

int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	bool looks_up;
	int n;

	if (!pthread_equal(pthread_self(), tester))
		return wait_as_resolver(fds, count, deadline);
	looks_up = b.listener < 0 && target_pending(&b.target);
	n = poll(fds, count, 0);
	last_deadline = deadline;
	if (n != 0)
		return n;
	if (upstream_acts())
		return await_events(fds, count);
	if (looks_up && !server_is_mute)
		return await_events(fds, count);
	if (steps[step] != NULL) {
		steps[step++]();
		return await_events(fds, count);
	}
	now = deadline;
	return 0;
}

/* ---- faults ---- */

static int socket_error; /* what socket(2) says, but for the first `sockets_left`; 0: nothing */
static int sockets_left;
static int listen_error;
static int accept_error, accept_errors; /* what accept4(2) says so many times */
static int accepts; /* calls of it */

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

int __wrap_socket(int family, int type, int protocol)
{
	if (socket_error != 0 && sockets_left-- <= 0) {
		errno = socket_error;
		return -1;
	}
	return __real_socket(family, type, protocol);
}

int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);

int __wrap_listen(int fd, int backlog)
{
	if (listen_error == 0)
		return __real_listen(fd, backlog);
	errno = listen_error;
	return -1;
}

int __real_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	accepts++;
	if (accept_errors == 0)
		return __real_accept4(fd, sa, len, flags);
	accept_errors--;
	errno = accept_error;
	return -1;
}

/* There is no way to 192.0.2.0/24. */
int __real_connect(int fd, const struct sockaddr *sa, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len);

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct addr a = addr_from_sockaddr(sa);
	struct network no_way;

	assert_true(network_parse("192.0.2.0/24", 12, &no_way));
	if (!network_contains(&no_way, &a))
		return __real_connect(fd, sa, len);
	errno = ENETUNREACH;
	return -1;
}

/* ---- a client that has asked for BIND ---- */

static const struct dns_record records[] = {
	{"peer", DNS_ANSWER, 60, "127.0.0.1"},
	{"two", DNS_ANSWER, 60, "127.0.0.1 127.0.0.2"},
	{"far", DNS_ANSWER, 60, "192.0.2.1"},
	{"far.and.near", DNS_ANSWER, 60, "192.0.2.1 127.0.0.1"},
	{"far.twice", DNS_ANSWER, 60, "192.0.2.1 192.0.2.2"},
	{"v6", DNS_ANSWER, 60, "2001:db8::1"},
	{"missing", DNS_NXDOMAIN, 60, NULL},
	{"none", DNS_ANSWER, 60, ""},
	{"broken", DNS_SERVFAIL, 60, NULL},
	{"mute", DNS_SILENT, 60, NULL},
	{NULL, DNS_ANSWER, 0, NULL},
};

static size_t open_before;
static struct dns *dns;
static struct resolver *resolver;
static struct config *config;
static struct fdbudget budget;
static struct fd_lease lease;
static struct addr client_addr;
static struct asker asker;
static struct stats stats;
static struct destination dst;
static uint16_t dst_port;
static int client, inner; /* the test's end of its connection, and the proxy's */
static int peer;

static void connect_client(void)
{
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port);

	client = net_connect("127.0.0.1", port);
	inner = net_accept(listener);
	assert_int_equal(fcntl(inner, F_SETFL, O_NONBLOCK), 0);
	client_addr = socket_local_addr(client);
	close(listener);
}

static int set_up(void **state)
{
	struct config_source source = {.path = NULL};
	struct resolver_options options = {.search = "", .cache_records = 0};
	char error[CONFIG_ERROR_MAX];

	(void)state;
	tester = pthread_self();
	open_before = fdbudget_count_open();
	socket_error = listen_error = accept_errors = 0;
	dns = dns_start(records);
	options.servers = dns_server(dns);
	resolver = resolver_new(&options, &budget);
	assert_non_null(resolver);
	assert_int_equal(resolver_start(resolver), 0);
	config = config_read(&source, error);
	assert_non_null(config);
	fdbudget_plan(&budget, 100, 10, 10);
	lease = (struct fd_lease){.budget = &budget};
	connect_client();
	asker = (struct asker){.config = config,
		.resolver = resolver,
		.own = own_new(),
		.lease = &lease,
		.client = &client_addr,
		.user = "",
		.command = REQUEST_BIND};
	stats_init(&stats);
	now = 1000000;
	step = 0;
	memset(steps, 0, sizeof(steps));
	server_is_mute = false;
	dst_port = 0;
	accepts = 0;
	peer = -1;
	upstream = at_upstream = -1;
	came = 0;
	return asker.own == NULL ? -1 : 0;
}

/* All descriptors are closed by then, and all places given back. */
static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(lease.held, 0);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
	own_free(asker.own);
	config_release(config);
	resolver_free(resolver);
	dns_stop(dns);
	close(inner);
	if (client >= 0)
		close(client);
	if (peer >= 0)
		close(peer);
	assert_int_equal(fdbudget_count_open(), open_before);
	return 0;
}

static int listen_for(const char *name)
{
	static uint8_t memory[4096];
	static struct buffer in;

	buffer_init(&in, memory, sizeof(memory));
	dst = destination_of_name(name, strlen(name), dst_port);
	b = (struct bind){.asker = &asker,
		.stats = &stats,
		.dst = &dst,
		.watch = {.client = inner},
		.in = &in};
	return bind_listen(&b);
}

static void expect_failure(const char *name, enum end_reason failure, int error)
{
	assert_int_equal(listen_for(name), -1);
	assert_int_equal(b.failure, failure);
	assert_int_equal(b.error, error);
	assert_int_equal(lease.held, 0);
}

static void expect_bound_host(const char *host)
{
	char text[ADDR_TEXT_MAX];

	assert_string_equal(addr_format_host(&b.bound, text), host);
	assert_int_not_equal(addr_port(&b.bound), 0);
}

static void expect_listening_on(const char *name, const char *host)
{
	assert_int_equal(listen_for(name), 0);
	assert_int_equal(b.error, 0);
	assert_int_equal(lease.held, 2);
	expect_bound_host(host);
	bind_abandon(&b);
}

/* Has somebody come from `source`, which is the peer from now on. */
static void come_from(const char *source)
{
	if (peer >= 0)
		close(peer);
	peer = net_connect_from(source, "127.0.0.1", addr_port(&b.bound));
}

static void peer_comes(void)
{
	come_from("127.0.0.1");
}

/* ---- where it listens ---- */

static void listens_on_the_address_from_which_the_peer_is_reached(void **state)
{
	(void)state;
	expect_listening_on("127.0.0.1", "127.0.0.1");
	expect_listening_on("127.0.0.3", "127.0.0.1");
	expect_listening_on("::1", "::1");
	expect_listening_on("peer", "127.0.0.1");
}

static void listens_for_anybody_where_the_client_has_reached_the_proxy(void **state)
{
	(void)state;
	expect_listening_on("0.0.0.0", "127.0.0.1");
	config->settings.external_address.v4 = net_addr("127.0.0.5", 0);
	expect_listening_on("0.0.0.0", "127.0.0.5");
	/* Another family's is none for this one. */
	config->settings.external_address.v4 = (struct addr){.sa = {.sa_family = AF_UNSPEC}};
	config->settings.external_address.v6 = net_addr("::1", 0);
	expect_listening_on("0.0.0.0", "127.0.0.1");
}

static void listens_on_bind_address(void **state)
{
	(void)state;
	config->settings.bind_address.v4 = net_addr("127.0.0.6", 0);
	expect_listening_on("127.0.0.1", "127.0.0.6");
	expect_listening_on("0.0.0.0", "127.0.0.6");
	expect_listening_on("::1", "::1");
}

static void a_bind_address_that_is_not_ours_is_told_all_the_same(void **state)
{
	int fd;

	(void)state;
	config->settings.bind_address.v4 = net_addr("203.0.113.9", 0);
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_bound_host("203.0.113.9");
	steps[0] = peer_comes; /* to the same port of the address that is */
	fd = bind_accept(&b);
	assert_int_not_equal(fd, -1);
	close(fd);
	fd_lease_give(&lease);
}

static void goes_on_to_an_address_of_the_peer_that_can_be_reached(void **state)
{
	(void)state;
	expect_listening_on("far.and.near", "127.0.0.1");
	expect_listening_on("far.and.near", "127.0.0.1");
}

/* ---- why it does not ---- */

static void two_descriptors_are_needed(void **state)
{
	(void)state;
	budget.spare = 0;
	expect_failure("127.0.0.1", END_NO_SOCKET, EMFILE);
	/* Not even the first, when the session holds one already. */
	lease.held = 1;
	assert_int_equal(listen_for("127.0.0.1"), -1);
	assert_int_equal(b.failure, END_NO_SOCKET);
	assert_int_equal(lease.held, 1);
	lease.held = 0;
	budget.spare = 1;
	expect_listening_on("127.0.0.1", "127.0.0.1");
}

static void a_socket_that_cannot_be_had_is_told(void **state)
{
	(void)state;
	/* One to ask for the way with, and one to listen with. */
	socket_error = ENOMEM;
	sockets_left = 0;
	expect_failure("127.0.0.1", END_NETWORK_UNREACHABLE, ENOMEM);
	sockets_left = 1;
	expect_failure("127.0.0.1", END_NO_SOCKET, ENOMEM);
	expect_failure("0.0.0.0", END_NO_SOCKET, ENOMEM);
	socket_error = 0;
	listen_error = EADDRINUSE;
	expect_failure("127.0.0.1", END_NO_SOCKET, EADDRINUSE);
}

static void used_up_ports_are_told(void **state)
{
	uint16_t port;
	int taken = net_listen("127.0.0.1", &port);

	(void)state;
	config->settings.bind_ports = (struct port_range){port, port};
	expect_failure("127.0.0.1", END_NO_SOCKET, EADDRINUSE);
	expect_failure("0.0.0.0", END_NO_SOCKET, EADDRINUSE);
	/* The same with both of the addresses that may be listened on. */
	config->settings.bind_address.v4 = net_addr("203.0.113.9", 0);
	expect_failure("127.0.0.1", END_NO_SOCKET, EADDRINUSE);
	close(taken);
}

static void names_that_lead_nowhere_have_their_reasons(void **state)
{
	(void)state;
	expect_failure("missing", END_NAME_NOT_FOUND, 0);
	expect_failure("none", END_NAME_NOT_FOUND, 0);
	expect_failure("broken", END_NAME_FAILED, 0);
	config->settings.prefer = PREFER_IPV4_ONLY;
	expect_failure("v6", END_NETWORK_UNREACHABLE, 0);
	expect_failure("::1", END_NETWORK_UNREACHABLE, 0);
}

static void client_finishes_when_the_question_is_asked(void)
{
	dns_wait_questions(dns, "mute", 1);
	shutdown(client, SHUT_WR);
}

static void client_breaks_off_when_the_question_is_asked(void)
{
	dns_wait_questions(dns, "mute", 1);
	net_reset(client);
	client = -1;
}

static void a_client_that_breaks_off_ends_the_lookup(void **state)
{
	(void)state;
	server_is_mute = true;
	steps[0] = client_breaks_off_when_the_question_is_asked;
	expect_failure("mute", END_CLIENT_LEFT, 0);
	assert_int_equal(now, 1000000);
}

static void a_client_that_finishes_shortens_the_lookup(void **state)
{
	(void)state;
	server_is_mute = true;
	steps[0] = client_finishes_when_the_question_is_asked;
	expect_failure("mute", END_CLIENT_FINISHED, 0);
	assert_int_equal(now, 1000000 + WATCH_FINISHED_MS);
}

static void a_peer_that_cannot_be_reached_is_told(void **state)
{
	(void)state;
	expect_failure("192.0.2.1", END_NETWORK_UNREACHABLE, ENETUNREACH);
	expect_failure("far", END_NETWORK_UNREACHABLE, ENETUNREACH);
}

static void a_peer_that_is_the_proxy_itself_is_denied(void **state)
{
	(void)state;
	dst_port = 1080;
	config->own[0] = net_addr("127.0.0.1", dst_port);
	config->own_count = 1;
	expect_failure("127.0.0.1", END_TARGET_DENIED, 0);
	expect_failure("peer", END_TARGET_DENIED, 0);
	/* The other of its addresses is not. */
	expect_listening_on("two", "127.0.0.1");
}

/* ---- through an upstream ---- */

static void set_line(const char *name, const char *line)
{
	const struct setting_input in = {.text = line, .adds = true};
	char why[SETTING_ERROR_MAX];

	assert_true(setting_set(settings_find(name), &config->settings, &in, why));
}

/* To 192.0.2.0/24. */
static void open_upstream(bool is_refusing)
{
	char error[CONFIG_ERROR_MAX], line[64];
	uint16_t port;

	refuses = is_refusing;
	upstream = net_listen("127.0.0.1", &port);
	snprintf(line, sizeof(line), "a socks5://127.0.0.1:%u", port);
	set_line("upstream", line);
	set_line("rule", "via a to 192.0.2.0/24");
	set_line("rule", "allow");
	config_set_upstreams(config, upstreams_compile(&config->settings, NULL, error));
	config_set_rules(config, rules_compile(&config->settings, NULL, false, error));
	assert_non_null(config->upstreams);
	assert_non_null(config->rules);
}

static void close_upstream(void)
{
	upstream_way_end(&b.way);
	upstreams_release(b.way.set);
	close(upstream);
	close(at_upstream);
}

static void all_addresses_have_one_connect_timeout(void **state)
{
	(void)state;
	open_upstream(false);
	expect_failure("far.twice", END_CONNECT_TIMEOUT, 0);
	assert_int_equal(now, 1000000 + config->settings.connect_timeout);
	assert_int_equal(came, 1);
	assert_string_equal(upstream_figures(&config->upstreams->servers[0], now).state, "up");
	close_upstream();
}

static void what_goes_straight_behind_a_refusal_is_through_nobody(void **state)
{
	(void)state;
	open_upstream(true);
	expect_listening_on("far.and.near", "127.0.0.1");
	assert_int_equal(came, 1);
	assert_null(b.via.through);
	close_upstream();
}

/* ---- whose connection is taken ---- */

/* The connection of `source` is taken, and nobody listens any more. */
static void expect_accepted(const char *source)
{
	struct addr to = b.bound;
	char text[ADDR_TEXT_MAX];
	int fd = bind_accept(&b), late;

	assert_int_not_equal(fd, -1);
	assert_string_equal(addr_format_host(&b.peer, text), source);
	assert_int_equal(lease.held, 1);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	net_send(peer, "x", 1);
	net_expect(fd, "x", 1);
	late = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(late, &to.sa, addr_len(&to)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(late);
	close(fd);
	fd_lease_give(&lease);
}

static void expect_none_accepted(enum end_reason failure)
{
	assert_int_equal(bind_accept(&b), -1);
	assert_int_equal(b.failure, failure);
	assert_int_equal(lease.held, 0);
}

static void takes_the_connection_of_its_peer(void **state)
{
	static const char *const peers[] = {"127.0.0.1", "peer", "0.0.0.0"};

	(void)state;
	for (size_t i = 0; i < COUNT(peers); i++) {
		step = 0;
		steps[0] = peer_comes;
		assert_int_equal(listen_for(peers[i]), 0);
		expect_accepted("127.0.0.1");
	}
	assert_int_equal(stats_get(&stats.peers_refused), 0);
}

static void second_address_comes(void)
{
	come_from("127.0.0.2");
}

static void a_peer_may_come_from_each_of_its_addresses(void **state)
{
	(void)state;
	steps[0] = second_address_comes;
	assert_int_equal(listen_for("two"), 0);
	expect_accepted("127.0.0.2");
}

static int stranger;

static void stranger_comes(void)
{
	stranger = net_connect_from("127.0.0.9", "127.0.0.1", addr_port(&b.bound));
}

static void who_comes_from_elsewhere_is_reset_and_counted(void **state)
{
	(void)state;
	steps[0] = stranger_comes;
	steps[1] = peer_comes;
	assert_int_equal(listen_for("two"), 0);
	expect_accepted("127.0.0.1");
	net_expect_reset(stranger);
	close(stranger);
	assert_int_equal(stats_get(&stats.peers_refused), 1);
}

static void who_comes_from_elsewhere_keeps_nobody_waiting(void **state)
{
	(void)state;
	steps[0] = stranger_comes;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_none_accepted(END_BIND_TIMEOUT);
	net_expect_reset(stranger);
	close(stranger);
}

static void stranger_is_the_peer(void)
{
	come_from("127.0.0.9");
}

static void bind_any_peer_takes_anybody(void **state)
{
	(void)state;
	config->settings.bind_any_peer = 1;
	steps[0] = stranger_is_the_peer;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_accepted("127.0.0.9");
}

/* Its connection comes from a port on which the proxy itself listens by then. */
static void peer_that_is_denied_comes(void)
{
	struct addr from;

	stranger = net_connect_from("127.0.0.1", "127.0.0.1", addr_port(&b.bound));
	from = socket_local_addr(stranger);
	config->own[0] = from;
	config->own_count = 1;
}

static void each_peer_is_judged_when_it_comes(void **state)
{
	(void)state;
	steps[0] = peer_that_is_denied_comes;
	steps[1] = peer_comes;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_accepted("127.0.0.1");
	net_expect_reset(stranger);
	close(stranger);
	assert_int_equal(stats_get(&stats.peers_refused), 1);
}

/* ---- how long it waits ---- */

static void waits_until_bind_timeout(void **state)
{
	(void)state;
	config->settings.bind_timeout = 777;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_none_accepted(END_BIND_TIMEOUT);
	assert_int_equal(last_deadline, 1000000 + 777);
}

static void a_lookup_waits_until_connect_timeout(void **state)
{
	(void)state;
	config->settings.connect_timeout = 555;
	server_is_mute = true;
	expect_failure("mute", END_NAME_FAILED, 0);
	assert_true(now >= 1000000 + 555);
}

static void client_finishes(void)
{
	shutdown(client, SHUT_WR);
}

static void client_breaks_off(void)
{
	net_reset(client);
	client = -1;
}

static void a_client_that_breaks_off_ends_the_waiting(void **state)
{
	(void)state;
	steps[0] = client_breaks_off;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_none_accepted(END_CLIENT_LEFT);
	assert_int_equal(now, 1000000);
}

static void a_client_that_has_finished_gets_its_peer(void **state)
{
	(void)state;
	steps[0] = client_finishes;
	steps[1] = peer_comes;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_accepted("127.0.0.1");
}

static void a_client_that_has_finished_is_waited_with_for_a_while(void **state)
{
	(void)state;
	steps[0] = client_finishes;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_none_accepted(END_CLIENT_FINISHED);
	assert_int_equal(now, 1000000 + WATCH_FINISHED_MS);
	/* And never longer than it would be without. */
	config->settings.bind_timeout = 777;
	step = 0;
	steps[0] = NULL;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_none_accepted(END_BIND_TIMEOUT);
	assert_int_equal(now, 1000000 + WATCH_FINISHED_MS + 777);
}

/* ---- accept(2) fails ---- */

static void a_connection_that_broke_before_it_was_accepted_is_no_matter(void **state)
{
	static const int errors[] = {ECONNABORTED, EINTR, EAGAIN, EPROTO};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		step = 0;
		steps[0] = peer_comes;
		accept_error = errors[i];
		accept_errors = 1;
		assert_int_equal(listen_for("127.0.0.1"), 0);
		expect_accepted("127.0.0.1");
	}
}

static void pauses_when_accept_fails_and_goes_on(void **state)
{
	static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EACCES, EINVAL};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		int64_t begun = now;

		step = 0;
		steps[0] = peer_comes;
		accept_error = errors[i];
		accept_errors = 2;
		assert_int_equal(listen_for("127.0.0.1"), 0);
		expect_accepted("127.0.0.1");
		assert_int_equal(now - begun, 10 + 20);
	}
}

static void does_not_spin_while_accept_fails(void **state)
{
	(void)state;
	config->settings.bind_timeout = 1050;
	steps[0] = peer_comes;
	accept_error = ENFILE;
	accept_errors = 1000000;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_none_accepted(END_BIND_TIMEOUT);
	assert_int_equal(now, 1000000 + 1050);
	assert_int_equal(accepts, 7); /* 10 + 20 + 40 + 80 + 160 + 320 and then too late */
}

static void a_client_that_leaves_ends_the_pause(void **state)
{
	(void)state;
	steps[0] = peer_comes;
	steps[1] = client_breaks_off;
	accept_error = ENFILE;
	accept_errors = 1000000;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	expect_none_accepted(END_CLIENT_LEFT);
	assert_int_equal(accepts, 1);
}

/* ---- what is abandoned ---- */

static void nobody_listens_where_it_was_abandoned(void **state)
{
	struct addr to;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(listen_for("127.0.0.1"), 0);
	to = b.bound;
	bind_abandon(&b);
	assert_int_equal(lease.held, 0);
	assert_int_equal(connect(fd, &to.sa, addr_len(&to)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(listens_on_the_address_from_which_the_peer_is_reached),
		TEST(listens_for_anybody_where_the_client_has_reached_the_proxy),
		TEST(listens_on_bind_address),
		TEST(a_bind_address_that_is_not_ours_is_told_all_the_same),
		TEST(goes_on_to_an_address_of_the_peer_that_can_be_reached),
		TEST(two_descriptors_are_needed),
		TEST(a_socket_that_cannot_be_had_is_told),
		TEST(used_up_ports_are_told),
		TEST(names_that_lead_nowhere_have_their_reasons),
		TEST(a_client_that_breaks_off_ends_the_lookup),
		TEST(a_client_that_finishes_shortens_the_lookup),
		TEST(a_peer_that_cannot_be_reached_is_told),
		TEST(a_peer_that_is_the_proxy_itself_is_denied),
		TEST(all_addresses_have_one_connect_timeout),
		TEST(what_goes_straight_behind_a_refusal_is_through_nobody),
		TEST(takes_the_connection_of_its_peer),
		TEST(a_peer_may_come_from_each_of_its_addresses),
		TEST(who_comes_from_elsewhere_is_reset_and_counted),
		TEST(who_comes_from_elsewhere_keeps_nobody_waiting),
		TEST(bind_any_peer_takes_anybody),
		TEST(each_peer_is_judged_when_it_comes),
		TEST(waits_until_bind_timeout),
		TEST(a_lookup_waits_until_connect_timeout),
		TEST(a_client_that_breaks_off_ends_the_waiting),
		TEST(a_client_that_has_finished_gets_its_peer),
		TEST(a_client_that_has_finished_is_waited_with_for_a_while),
		TEST(a_connection_that_broke_before_it_was_accepted_is_no_matter),
		TEST(pauses_when_accept_fails_and_goes_on),
		TEST(does_not_spin_while_accept_fails),
		TEST(a_client_that_leaves_ends_the_pause),
		TEST(nobody_listens_where_it_was_abandoned),
	};

	return cmocka_run_group_tests_name("proxy/bind", tests, NULL, NULL);
}
