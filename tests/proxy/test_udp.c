/* udp: an association between sockets of the test's, which plays each turn: what happens while the
 * association waits, the clock, and the kernel's refusals are in its hand. */
#include "proxy/udp.h"
#include "proxy/upstream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"
#include "dns.h"
#include "net.h"
#include "net/socket.h"
#include "udp.h"
#include "wire/reassembly.h"

#define BEGUN 1000000 /* clock_ms() at first */
#define IDLE_MS 60000 /* udp_timeout */

/* ---- the association and who is around it ---- */

static const struct dns_record records[] = {
	{"far", DNS_ANSWER, 60, "127.0.0.1"},
	{"v6", DNS_ANSWER, 60, "::1"},
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
static struct idle_limits limits;
static struct traffic traffic;
static struct stats stats;
static struct udp_setup given;
static struct udp *u; /* NULL: not open */
static int inner; /* the proxy's end of the client's connection */
static struct association client, other; /* the client, and somebody else who sends to the proxy */
static int far; /* the socket of a target */
static struct addr far_addr;

/* ---- turns ---- */

static _Atomic(int64_t) now;
static int64_t last_deadline; /* that a wait was given */

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

/* What is to happen, one thing a wait, once all that came before was dealt with. */
#define MAX_STEPS 128
static void (*steps[MAX_STEPS])(void);
static size_t step, step_count;
static uint64_t due; /* datagrams that must have been sent or dropped by then */

static void then(void (*what)(void))
{
	assert_true(step_count < MAX_STEPS);
	steps[step_count++] = what;
}

/* The step that lets a wait last until its deadline, as all waits do after the last step. */
static void time_passes(void)
{
}

static uint64_t dealt_with(void)
{
	struct datagram_counts c = udp_counts(u);
	uint64_t all = c.sent + c.received;

	for (enum datagram_drop i = 0; i < DATAGRAM_DROPS; i++)
		all += c.dropped[i];
	return all;
}

/* What was counted before is in the statistics while it waits. */
static void check_statistics(void)
{
	struct datagram_counts c = udp_counts(u);

	assert_int_equal(stats_get(&stats.datagrams_sent), c.sent);
	assert_int_equal(stats_get(&stats.datagrams_received), c.received);
	for (enum datagram_drop i = 0; i < DATAGRAM_DROPS; i++)
		assert_int_equal(stats_get(&stats.datagrams_dropped[i]), c.dropped[i]);
}

static int await_events(struct pollfd *fds, nfds_t count)
{
	int n = poll(fds, count, NET_PATIENCE_S * 1000);

	assert_true(n > 0);
	return n;
}

static pthread_t tester;

/* The resolver's thread waits for real, and notices when the time has moved on. */
static int wait_as_resolver(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	return poll(fds, count, deadline == CLOCK_NEVER ? -1 : 1);
}

int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	int n;

	if (!pthread_equal(pthread_self(), tester))
		return wait_as_resolver(fds, count, deadline);
	n = poll(fds, count, 0);
	last_deadline = deadline;
	check_statistics();
	if (n != 0)
		return n;
	if (dealt_with() < due)
		return await_events(fds, count);
	if (step < step_count && steps[step++] != time_passes) {
		steps[step - 1]();
		return await_events(fds, count);
	}
	now = deadline;
	return 0;
}

/* ---- faults ---- */

static int socket_error; /* what socket(2) says; 0: nothing */
static int opened; /* sockets, by an association */
static int connect_error; /* the same of connect(2), and so on */
static int send_error, send_errors; /* what sendmmsg(2) says so many times */
static int receive_error, receive_errors;
static bool no_memory;
static int given_back; /* calls of madvise(2) */

static bool strikes(int error)
{
	errno = error;
	return error != 0;
}

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

int __wrap_socket(int family, int type, int protocol)
{
	opened++;
	return strikes(socket_error) ? -1 : __real_socket(family, type, protocol);
}

int __real_connect(int fd, const struct sockaddr *sa, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len);

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	return strikes(connect_error) ? -1 : __real_connect(fd, sa, len);
}

int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	if (send_errors > 0 && send_errors-- > 0 && strikes(send_error))
		return -1;
	return __real_sendmmsg(fd, messages, count, flags);
}

int __real_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit);
int __wrap_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit);

int __wrap_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit)
{
	if (receive_errors > 0 && receive_errors-- > 0 && strikes(receive_error))
		return -1;
	return __real_recvmmsg(fd, messages, count, flags, limit);
}

static int guesses; /* so many verdicts are */
static int judged;

struct verdict __real_target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place);
struct verdict __wrap_target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place);

struct verdict __wrap_target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place)
{
	judged++;
	if (guesses > 0 && guesses-- > 0)
		return (struct verdict){.rule = "own", .is_guess = true};
	return __real_target_judge(a, dst, addr, has_place);
}

static int ways; /* that were asked for */
static int upstream = -1; /* the far end of the connection there */

struct verdict __real_target_way(const struct asker *a, const struct destination *dst,
	const struct addr *addr, struct upstream_way *way);
struct verdict __wrap_target_way(const struct asker *a, const struct destination *dst,
	const struct addr *addr, struct upstream_way *way);

struct verdict __wrap_target_way(const struct asker *a, const struct destination *dst,
	const struct addr *addr, struct upstream_way *way)
{
	ways++;
	return __real_target_way(a, dst, addr, way);
}

int __wrap_upstream_connect(struct upstream_request *r, const struct upstream_way *way);

static bool upstream_is_mute;
static unsigned mute_asked; /* so often it was asked */

/* The association at an upstream, which takes datagrams where the target is. */
int __wrap_upstream_connect(struct upstream_request *r, const struct upstream_way *way)
{
	int pair[2];

	if (upstream_is_mute) {
		mute_asked++;
		now = r->deadline > now ? r->deadline : now;
		r->failure = END_CONNECT_TIMEOUT;
		r->is_undone = false;
		return -1;
	}
	assert_int_equal(upstream, -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_true(fd_lease_take(r->asker->lease));
	upstream = pair[1];
	r->through = way->servers[0];
	r->bound = far_addr;
	return pair[0];
}

/* What mmap(2) is called where files may be large. */
void *__real_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);

void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (no_memory && strikes(ENOMEM))
		return MAP_FAILED;
	return __real_mmap64(at, size, protection, flags, fd, offset);
}

int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);

int __wrap_madvise(void *at, size_t size, int advice)
{
	given_back++;
	assert_int_equal(advice, MADV_DONTNEED);
	return __real_madvise(at, size, advice);
}

/* ---- each test ---- */

static void connect_client(void)
{
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port);

	client.tcp = net_connect("127.0.0.1", port);
	inner = net_accept(listener);
	assert_int_equal(fcntl(inner, F_SETFL, O_NONBLOCK), 0);
	client_addr = socket_local_addr(client.tcp);
	close(listener);
}

static void prepare_services(void)
{
	struct config_source source = {.path = NULL};
	struct resolver_options options = {.search = "", .cache_records = 0};
	char error[CONFIG_ERROR_MAX];

	dns = dns_start(records);
	options.servers = dns_server(dns);
	resolver = resolver_new(&options, &budget);
	assert_non_null(resolver);
	assert_int_equal(resolver_start(resolver), 0);
	config = config_read(&source, error);
	assert_non_null(config);
	fdbudget_plan(&budget, 100, 10, 10);
	lease = (struct fd_lease){.budget = &budget};
	asker = (struct asker){.config = config,
		.resolver = resolver,
		.own = own_new(),
		.lease = &lease,
		.client = &client_addr,
		.user = "",
		.command = REQUEST_UDP_ASSOCIATE};
	assert_non_null(asker.own);
}

static int set_up(void **state)
{
	(void)state;
	tester = pthread_self();
	open_before = fdbudget_count_open();
	socket_error = connect_error = send_errors = receive_errors = given_back = 0;
	guesses = judged = ways = 0;
	no_memory = false;
	now = BEGUN;
	u = NULL;
	prepare_services();
	connect_client();
	client.udp = udp_socket("127.0.0.1", &client.own);
	other.udp = udp_socket("127.0.0.1", &other.own);
	far = udp_socket("127.0.0.1", &far_addr);
	limits = (struct idle_limits){.udp_timeout = IDLE_MS};
	given = (struct udp_setup){.asker = &asker,
		.limits = &limits,
		.traffic = &traffic,
		.stats = &stats,
		.client = inner};
	return 0;
}

static void close_association(void)
{
	udp_close(u);
	u = NULL;
	assert_int_equal(lease.held, 0);
	assert_int_equal(atomic_load(&budget.spare_used), 0);
}

/* All descriptors are closed by then, and all places given back. */
static int tear_down(void **state)
{
	(void)state;
	close_association();
	own_free(asker.own);
	config_release(config);
	resolver_free(resolver);
	dns_stop(dns);
	close(inner);
	if (client.tcp >= 0)
		close(client.tcp);
	close(client.udp);
	close(other.udp);
	close(far);
	assert_int_equal(fdbudget_count_open(), open_before);
	return 0;
}

/* What an association before this one has left there. */
static void drain(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_DONTWAIT) >= 0)
		;
}

/* A new one, of which nothing was counted and for which nothing is to happen yet. */
static void open_association(void)
{
	close_association();
	drain(far);
	drain(client.udp);
	stats_init(&stats);
	traffic = (struct traffic){.sent = 0};
	step = step_count = 0;
	opened = 0;
	due = 0;
	u = udp_open(&given);
	assert_non_null(u);
	client.relay = other.relay = udp_bound(u);
}

/* Runs it until it has been idle for long enough after the last step. */
static void run_until_idle(void)
{
	assert_int_equal(udp_run(u), END_UDP_IDLE);
	assert_int_equal(step, step_count);
	assert_int_equal(dealt_with(), due);
	check_statistics();
}

static void expect_moved(uint64_t sent, uint64_t received)
{
	assert_int_equal(udp_counts(u).sent, sent);
	assert_int_equal(udp_counts(u).received, received);
}

/* So many were dropped for this reason. */
static void expect_dropped(enum datagram_drop why, uint64_t n)
{
	assert_int_equal(udp_counts(u).dropped[why], n);
}

/* ---- steps ---- */

static struct addr proxy_addr; /* from where the target has got its last datagram */

static void client_sends(void)
{
	association_send(&client, 0, &far_addr, "ping", 4);
	due++;
}

static void other_sends(void)
{
	association_send(&other, 0, &far_addr, "other", 5);
	due++;
}

static void far_answers(void)
{
	proxy_addr = udp_expect(far, "ping", 4);
	udp_send(far, &proxy_addr, "pong", 4);
	due++;
}

/* ---- opening ---- */

static void opens_where_the_client_has_reached_the_proxy(void **state)
{
	struct addr bound;
	char text[ADDR_TEXT_MAX];

	(void)state;
	open_association();
	bound = udp_bound(u);
	assert_string_equal(addr_format_host(&bound, text), "127.0.0.1");
	assert_int_not_equal(addr_port(&bound), 0);
	assert_int_equal(lease.held, 2);
	/* Another address is told where one is set, with the same port. */
	config->settings.udp_address.v4 = net_addr("203.0.113.9", 0);
	assert_int_equal(addr_port(&bound), addr_port(&client.relay));
	bound = udp_bound(u);
	assert_string_equal(addr_format_host(&bound, text), "203.0.113.9");
	assert_int_equal(addr_port(&bound), addr_port(&client.relay));
}

static void expect_no_association(int error)
{
	assert_null(udp_open(&given));
	assert_int_equal(errno, error);
	assert_int_equal(lease.held, 0);
}

static void needs_two_descriptors(void **state)
{
	(void)state;
	budget.spare = 0;
	expect_no_association(EMFILE);
	lease.held = 1;
	assert_null(udp_open(&given));
	assert_int_equal(errno, EMFILE);
	assert_int_equal(lease.held, 1);
	lease.held = 0;
	budget.spare = 1;
	open_association();
}

static void needs_memory_a_socket_and_a_port(void **state)
{
	uint16_t port = addr_port(&far_addr);

	(void)state;
	no_memory = true;
	expect_no_association(ENOMEM);
	no_memory = false;
	socket_error = ENFILE;
	expect_no_association(ENFILE);
	socket_error = 0;
	config->settings.udp_ports = (struct port_range){port, port};
	expect_no_association(EADDRINUSE);
}

/* ---- there and back ---- */

static void passes_datagrams_on_both_ways(void **state)
{
	(void)state;
	open_association();
	then(client_sends);
	then(far_answers);
	run_until_idle();
	association_expect(&client, &far_addr, "pong", 4);
	expect_moved(1, 1);
	assert_int_equal(traffic.sent, 4);
	assert_int_equal(traffic.received, 4);
}

#define MANY 40 /* more than one batch */

static void client_sends_many(void)
{
	for (int i = 0; i < MANY; i++) {
		char text[3] = {'n', (char)i, '\0'};

		association_send(&client, 0, &far_addr, text, sizeof(text));
		due++;
	}
}

static void what_comes_at_once_keeps_its_order(void **state)
{
	(void)state;
	open_association();
	then(client_sends_many);
	run_until_idle();
	for (int i = 0; i < MANY; i++)
		udp_expect(far, (char[3]){'n', (char)i, '\0'}, 3);
	expect_moved(MANY, 0);
}

/* ---- a quota ---- */

static struct tally tally;

static void account_may_move(uint64_t bytes)
{
	tally = (struct tally){.end = bytes};
	traffic_share(&traffic, &tally);
}

/* Of the batch that passes it only what it has left goes, and the datagram that is at its end. */
static void a_batch_does_not_pass_a_quota(void **state)
{
	(void)state;
	open_association();
	account_may_move(10);
	client_sends_many();
	assert_int_equal(udp_run(u), END_QUOTA_REACHED);
	expect_moved(4, 0);
	assert_int_equal(tally.sent, 12);
	expect_dropped(DROP_RATE, SOCKET_BATCH - 4);
}

static void far_answers_often(void)
{
	proxy_addr = udp_expect(far, "ping", 4);
	for (int i = 0; i < 8; i++)
		udp_send(far, &proxy_addr, "pong", 4);
}

static void nor_do_answers(void **state)
{
	(void)state;
	open_association();
	account_may_move(10);
	then(client_sends);
	then(far_answers_often);
	assert_int_equal(udp_run(u), END_QUOTA_REACHED);
	expect_moved(1, 2);
}

/* ---- who is the client ---- */

static void client_sends_behind_other(void)
{
	association_send(&other, 0, &far_addr, "other", 5);
	client_sends();
}

static void the_first_datagram_decides_the_port(void **state)
{
	(void)state;
	open_association();
	then(client_sends);
	then(client_sends_behind_other); /* whom the kernel keeps out */
	run_until_idle();
	expect_moved(2, 0);
	/* And where it does not. */
	connect_error = ENOBUFS;
	open_association();
	then(client_sends);
	then(other_sends);
	then(far_answers);
	run_until_idle();
	association_expect(&client, &far_addr, "pong", 4);
	expect_moved(1, 1);
	expect_dropped(DROP_STRANGER, 1);
}

static void other_moves_to(const char *host)
{
	close(other.udp);
	other.udp = udp_socket(host, &other.own);
}

static void other_sends_before_client(void)
{
	other_sends();
	client_sends();
	due++; /* what is in the queue already is dropped by the association, which counts it */
	association_send(&other, 0, &far_addr, "again", 5);
}

static void other_addresses_are_strangers(void **state)
{
	(void)state;
	other_moves_to("127.0.0.2");
	open_association();
	then(other_sends_before_client);
	then(client_sends);
	run_until_idle();
	expect_moved(2, 0);
	expect_dropped(DROP_STRANGER, 2);
}

static void udp_clients_may_come_from_elsewhere(void **state)
{
	struct network_list *networks = &config->settings.udp_clients;

	(void)state;
	assert_true(network_parse("127.0.0.4/30", 12, &networks->networks[0]));
	networks->count = 1;
	other_moves_to("127.0.0.5");
	open_association();
	then(other_sends_before_client); /* who is the client from here on */
	run_until_idle();
	expect_moved(2, 0);
	expect_dropped(DROP_STRANGER, 1);
	/* The address of the TCP connection as before. */
	open_association();
	then(client_sends);
	then(far_answers);
	run_until_idle();
	association_expect(&client, &far_addr, "pong", 4);
	/* And nobody else. */
	other_moves_to("127.0.0.3");
	open_association();
	then(other_sends_before_client);
	run_until_idle();
	expect_moved(1, 0);
	expect_dropped(DROP_STRANGER, 2);
}

static void other_is_answered(void)
{
	proxy_addr = udp_expect(far, "other", 5);
	udp_send(far, &proxy_addr, "pong", 4);
	due++;
}

static void who_came_from_elsewhere_is_answered_there(void **state)
{
	struct network_list *networks = &config->settings.udp_clients;

	(void)state;
	assert_true(network_parse("127.0.0.5", 9, &networks->networks[0]));
	networks->count = 1;
	other_moves_to("127.0.0.5");
	for (int i = 0; i < 2; i++) {
		connect_error = i == 0 ? 0 : ENOBUFS;
		open_association();
		then(other_sends);
		then(other_is_answered);
		run_until_idle();
		association_expect(&other, &far_addr, "pong", 4);
		expect_moved(1, 1);
	}
}

/* ---- what it sends ---- */

static const struct {
	size_t len;
	uint8_t bytes[10];
} malformed[] = {
	{0, {0}},
	{2, {0, 0}},
	{4, {0, 0, 0, 1}},
	{9, {0, 0, 0, 1, 127, 0, 0, 1, 0}},
	{10, {0, 0, 0, 2, 127, 0, 0, 1, 0, 53}},
	{10, {0, 0, 0, 3, 200, 'a', 'b', 'c', 0, 53}},
	{10, {0, 0, 0, 4, 0, 0, 0, 0, 0, 0}},
};
static size_t malformed_at;

static void client_sends_malformed(void)
{
	udp_send(client.udp, &client.relay, malformed[malformed_at].bytes,
		malformed[malformed_at].len);
	malformed_at++;
	due++;
}

static void malformed_datagrams_are_dropped_and_end_nothing(void **state)
{
	(void)state;
	open_association();
	malformed_at = 0;
	for (size_t i = 0; i < COUNT(malformed); i++)
		then(client_sends_malformed);
	then(client_sends);
	run_until_idle();
	expect_moved(1, 0);
	expect_dropped(DROP_MALFORMED, COUNT(malformed));
}

static void first_fragment(void)
{
	association_send(&client, 1, &far_addr, "pi", 2);
}

static void last_fragment(void)
{
	association_send(&client, 2 | SOCKS5_LAST_FRAGMENT, &far_addr, "ng", 2);
	due++;
}

static void fragments_go_out_as_one(void **state)
{
	(void)state;
	open_association();
	then(first_fragment);
	then(last_fragment);
	then(far_answers);
	run_until_idle();
	expect_moved(1, 1);
}

static void whole_datagram_between(void)
{
	client_sends();
	due++;
}

static void fragments_that_never_become_whole_are_counted(void **state)
{
	(void)state;
	open_association();
	then(first_fragment);
	then(whole_datagram_between);
	then(last_fragment);
	run_until_idle();
	expect_moved(1, 0);
	expect_dropped(DROP_FRAGMENT, 2);
}

static void nothing_comes_of_the_fragment(void)
{
	assert_int_equal(now, BEGUN + REASSEMBLY_TIMEOUT_MS);
	expect_dropped(DROP_FRAGMENT, 1);
	due++;
	last_fragment();
}

static void fragments_are_waited_for_until_their_deadline(void **state)
{
	(void)state;
	open_association();
	then(first_fragment);
	then(time_passes);
	then(nothing_comes_of_the_fragment);
	run_until_idle();
	expect_moved(0, 0);
	expect_dropped(DROP_FRAGMENT, 2);
}

/* ---- where to ---- */

static struct addr to_addr;

static void client_sends_there(void)
{
	association_send(&client, 0, &to_addr, "ping", 4);
	due++;
}

static void somebody_sends_what_is_no_datagram_of_ours(void)
{
	udp_send(other.udp, &client.relay, "hello", 5);
	due++;
}

/* As an answer to who had the port before, from the client's own host. */
static void only_a_datagram_of_the_protocol_tells_the_port(void **state)
{
	(void)state;
	open_association();
	then(somebody_sends_what_is_no_datagram_of_ours);
	then(client_sends);
	then(far_answers);
	run_until_idle();
	association_expect(&client, &far_addr, "pong", 4);
	expect_moved(1, 1);
	expect_dropped(DROP_MALFORMED, 1);
}

static void a_target_that_the_rules_forbid_is_denied(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
	} rows[] = {{"0.0.0.0", 53}, {"::", 53}, {"192.0.2.1", 0}, {"127.0.0.1", 1080}};

	(void)state;
	config->own[0] = net_addr("127.0.0.1", 1080);
	config->own_count = 1;
	for (size_t i = 0; i < COUNT(rows); i++) {
		to_addr = net_addr(rows[i].host, rows[i].port);
		open_association();
		then(client_sends_there);
		then(client_sends_there); /* as it is known by now */
		then(client_sends);
		run_until_idle();
		expect_moved(1, 0);
		expect_dropped(DROP_DENIED, 2);
	}
}

static void what_could_not_be_found_out_is_asked_again(void **state)
{
	(void)state;
	open_association();
	guesses = 2;
	then(client_sends);
	then(client_sends);
	then(client_sends);
	then(client_sends); /* as it is known by now */
	then(far_answers);
	run_until_idle();
	expect_moved(2, 1);
	expect_dropped(DROP_UNSENT, 2);
	assert_int_equal(judged, 3);
}

static void a_second_family_takes_a_descriptor_more(void **state)
{
	int far6 = udp_socket("::1", &to_addr);

	(void)state;
	open_association();
	then(client_sends);
	then(client_sends_there);
	run_until_idle();
	expect_moved(2, 0);
	assert_int_equal(lease.held, 3);
	/* Without one the first family goes on alone. */
	budget.spare = 1;
	open_association();
	then(client_sends_there);
	then(client_sends);
	then(client_sends_there);
	run_until_idle();
	expect_moved(2, 0);
	expect_dropped(DROP_UNSENT, 1);
	assert_int_equal(lease.held, 2);
	close(far6);
}

static void sockets_are_out(void)
{
	socket_error = EMFILE;
	client_sends_there();
}

static void sockets_are_back(void)
{
	socket_error = 0;
	client_sends_there();
}

static void a_socket_that_cannot_be_had_is_tried_again(void **state)
{
	int far6 = udp_socket("::1", &to_addr);

	(void)state;
	open_association();
	then(sockets_are_out); /* the first */
	then(sockets_are_back);
	run_until_idle();
	expect_moved(1, 0);
	expect_dropped(DROP_UNSENT, 1);
	assert_int_equal(lease.held, 2);
	open_association();
	then(client_sends);
	then(sockets_are_out); /* the second */
	then(sockets_are_back);
	run_until_idle();
	expect_moved(2, 0);
	expect_dropped(DROP_UNSENT, 1);
	assert_int_equal(lease.held, 3);
	close(far6);
}

static void interface_is_gone(void)
{
	send_error = ENODEV;
	send_errors = 1;
	client_sends();
}

/* external_interface may be a tunnel's: it comes back as another one of the same name, to which a
 * socket that was bound to the first is none the nearer. */
static void a_socket_whose_interface_is_gone_is_opened_anew(void **state)
{
	int far6 = udp_socket("::1", &to_addr);

	(void)state;
	open_association();
	then(client_sends);
	then(far_answers);
	then(interface_is_gone);
	then(client_sends);
	run_until_idle();
	expect_moved(2, 1);
	expect_dropped(DROP_UNSENT, 1);
	assert_int_equal(opened, 3);
	assert_int_equal(lease.held, 2);
	open_association();
	then(client_sends_there);
	then(client_sends);
	then(interface_is_gone);
	then(client_sends);
	run_until_idle();
	expect_moved(3, 0);
	expect_dropped(DROP_UNSENT, 1);
	assert_int_equal(opened, 4);
	assert_int_equal(lease.held, 3);
	close(far6);
}

static void a_family_that_is_not_used_is_not_sent_to(void **state)
{
	(void)state;
	config->settings.prefer = PREFER_IPV4_ONLY;
	to_addr = net_addr("::1", 53);
	open_association();
	then(client_sends_there);
	then(client_sends);
	run_until_idle();
	expect_moved(1, 0);
	expect_dropped(DROP_UNSENT, 1);
}

/* ---- names ---- */

static const char *to_name;
static uint16_t to_port;

static void client_sends_to_name_unheard(void)
{
	association_send_name(&client, to_name, to_port, "ping", 4);
}

static void client_sends_to_name(void)
{
	client_sends_to_name_unheard();
	due++;
}

static void a_name_is_looked_up_and_remembered(void **state)
{
	unsigned questions;

	(void)state;
	to_name = "far";
	to_port = addr_port(&far_addr);
	open_association();
	then(client_sends_to_name);
	then(far_answers);
	run_until_idle();
	association_expect(&client, &far_addr, "pong", 4);
	questions = dns_questions(dns, "far");
	assert_true(questions > 0);
	open_association();
	then(client_sends_to_name);
	then(client_sends_to_name);
	run_until_idle();
	expect_moved(2, 0);
	assert_int_equal(dns_questions(dns, "far"), 2 * questions);
}

static void names_that_lead_nowhere_are_dropped(void **state)
{
	static const struct {
		const char *name;
		uint16_t port;
		enum datagram_drop why;
	} rows[] = {
		{"missing", 53, DROP_NAME},
		{"none", 53, DROP_NAME},
		{"broken", 53, DROP_NAME},
		{"v6", 53, DROP_NAME}, /* whose family is not used */
		{"a b", 53, DROP_NAME},
		{"", 53, DROP_NAME},
		{"far", 0, DROP_DENIED},
	};

	(void)state;
	config->settings.prefer = PREFER_IPV4_ONLY;
	for (size_t i = 0; i < COUNT(rows); i++) {
		to_name = rows[i].name;
		to_port = rows[i].port;
		open_association();
		then(client_sends_to_name);
		then(client_sends);
		run_until_idle();
		expect_moved(1, 0);
		expect_dropped(rows[i].why, 1);
	}
}

static void lookup_is_over(void)
{
	assert_true(now >= BEGUN + 500);
	due += 64;
	client_sends();
}

static void what_waits_for_a_name_is_bounded(void **state)
{
	(void)state;
	config->settings.connect_timeout = 500;
	to_name = "mute";
	to_port = 53;
	open_association();
	for (int i = 0; i < 64; i++)
		then(client_sends_to_name_unheard);
	then(client_sends_to_name);
	then(time_passes);
	then(lookup_is_over);
	run_until_idle();
	expect_moved(1, 0);
	expect_dropped(DROP_QUEUE_FULL, 1);
	expect_dropped(DROP_NAME, 64);
}

static void client_leaves(void)
{
	close(client.tcp);
	client.tcp = -1;
}

static void what_waits_is_forgotten_at_the_end(void **state)
{
	(void)state;
	to_name = "mute";
	to_port = 53;
	open_association();
	then(client_sends_to_name_unheard);
	then(client_leaves);
	assert_int_equal(udp_run(u), END_CLOSED);
	expect_moved(0, 0);
}

/* ---- other rules meanwhile ---- */

/* A configuration in which the proxy itself is at `own`, if anywhere. */
static void publish(const struct addr *own)
{
	struct config *c = config_clone(config);

	assert_non_null(c);
	c->own_count = own != NULL;
	if (own != NULL)
		c->own[0] = *own;
	config_publish(asker.configs, c);
}

static void target_becomes_the_proxy(void)
{
	publish(&far_addr);
	client_sends();
}

static void far_sends_unasked(void)
{
	udp_send(far, &proxy_addr, "pong", 4);
	due++;
}

static void target_is_another_again(void)
{
	publish(NULL);
	client_sends();
}

static void rules_in_force_are_asked_again(void **state)
{
	(void)state;
	atomic_fetch_add(&config->references, 1);
	asker.configs = config_store_new(config);
	assert_non_null(asker.configs);
	open_association();
	then(client_sends);
	then(far_answers);
	then(target_becomes_the_proxy);
	then(client_sends);
	then(far_sends_unasked); /* an answer to what was sent when that was allowed */
	then(target_is_another_again);
	then(far_answers);
	run_until_idle();
	expect_moved(2, 2);
	expect_dropped(DROP_DENIED, 2);
	expect_dropped(DROP_FILTERED, 1);
	assert_int_equal(judged, 3); /* once each */
	close_association();
	config_store_free(asker.configs);
}

static void the_name_in_use_becomes_the_proxy(void)
{
	publish(&far_addr);
	client_sends_to_name();
}

static void client_sends_to_name_again(void)
{
	publish(NULL);
	client_sends_to_name();
}

static void names_are_judged_again_too(void **state)
{
	(void)state;
	to_name = "far";
	to_port = addr_port(&far_addr);
	atomic_fetch_add(&config->references, 1);
	asker.configs = config_store_new(config);
	assert_non_null(asker.configs);
	open_association();
	then(client_sends_to_name);
	then(far_answers);
	then(the_name_in_use_becomes_the_proxy);
	then(far_sends_unasked);
	then(client_sends_to_name_again);
	then(far_answers);
	run_until_idle();
	expect_moved(2, 2);
	expect_dropped(DROP_DENIED, 1);
	expect_dropped(DROP_FILTERED, 1);
	close_association();
	config_store_free(asker.configs);
}

static void set_line(const char *name, const char *line)
{
	const struct setting_input in = {.text = line, .adds = true};
	char why[SETTING_ERROR_MAX];

	assert_true(setting_set(settings_find(name), &config->settings, &in, why));
}

static void send_all_through_an_upstream(void)
{
	char error[CONFIG_ERROR_MAX];

	set_line("upstream", "a socks5://192.0.2.1");
	set_line("rule", "via a");
	config_set_upstreams(config, upstreams_compile(&config->settings, NULL, error));
	config_set_rules(config, rules_compile(&config->settings, NULL, false, error));
	assert_non_null(config->upstreams);
	assert_non_null(config->rules);
}

static void client_sends_to_another_port_of_it(void)
{
	to_port++;
	client_sends_to_name();
	to_port--;
}

/* It would be asked for by each datagram. */
static void the_way_through_upstreams_is_asked_for_once_by_each_target(void **state)
{
	(void)state;
	send_all_through_an_upstream();
	to_name = "far";
	to_port = addr_port(&far_addr);
	atomic_fetch_add(&config->references, 1);
	asker.configs = config_store_new(config);
	assert_non_null(asker.configs);
	open_association();
	for (int i = 0; i < 3; i++)
		then(client_sends);
	for (int i = 0; i < 3; i++)
		then(client_sends_to_name);
	then(client_sends_to_another_port_of_it);
	then(target_is_another_again);
	then(client_sends);
	then(client_sends_to_name);
	run_until_idle();
	expect_moved(10, 0);
	assert_int_equal(ways, 3 + 2); /* and after the change */
	close_association();
	config_store_free(asker.configs);
	close(upstream);
	upstream = -1;
}

static void client_sends_twice(void)
{
	client_sends();
	client_sends();
}

/* Both are there when the first is received. Else each of a batch would have connect_timeout. */
static void datagrams_of_one_turn_wait_for_an_upstream_once(void **state)
{
	(void)state;
	send_all_through_an_upstream();
	upstream_is_mute = true;
	mute_asked = 0;
	limits.udp_timeout = 10 * config->settings.connect_timeout;
	open_association();
	then(client_sends_twice);
	run_until_idle();
	upstream_is_mute = false;
	expect_moved(0, 0);
	expect_dropped(DROP_UNSENT, 2);
	assert_int_equal(mute_asked, 1);
}

/* ---- what cannot be sent ---- */

#define ALWAYS 1000000

static int sending_fails_with;

static void sending_fails(void)
{
	send_error = sending_fails_with;
	send_errors = ALWAYS;
	client_sends();
}

static void sending_works_again(void)
{
	send_errors = 0;
	client_sends();
}

static void answering_fails(void)
{
	send_error = sending_fails_with;
	send_errors = ALWAYS;
	far_answers();
}

static const struct {
	int error;
	enum datagram_drop why;
} send_faults[] = {
	{EMSGSIZE, DROP_TOO_LARGE},
	{ENETUNREACH, DROP_UNSENT},
	{EHOSTUNREACH, DROP_UNSENT},
	{EAGAIN, DROP_UNSENT},
	{ENOBUFS, DROP_UNSENT},
	{EPERM, DROP_UNSENT},
	{EINVAL, DROP_UNSENT},
};

static void what_cannot_be_sent_is_dropped_and_ends_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(send_faults); i++) {
		sending_fails_with = send_faults[i].error;
		open_association();
		then(sending_fails);
		then(sending_works_again);
		then(answering_fails);
		then(sending_works_again);
		run_until_idle();
		expect_moved(2, 0);
		expect_dropped(send_faults[i].why, 2);
		assert_int_equal(traffic.sent, 8);
		assert_int_equal(traffic.received, 0);
		udp_expect(far, "ping", 4);
	}
}

static void an_earlier_datagram_was_refused(void)
{
	send_error = receive_error = ECONNREFUSED;
	send_errors = receive_errors = 1;
	client_sends();
}

static void what_an_earlier_one_has_met_costs_no_later_one(void **state)
{
	(void)state;
	open_association();
	then(an_earlier_datagram_was_refused);
	run_until_idle();
	expect_moved(1, 0);
	assert_int_equal(send_errors + receive_errors, 0);
}

static uint8_t large[65507];

static void client_sends_large(void)
{
	association_send(&client, 0, &far_addr, large, sizeof(large) - 10);
	due++;
}

static void far_answers_too_large(void)
{
	proxy_addr = udp_expect(far, large, sizeof(large) - 10);
	udp_send(far, &proxy_addr, large, sizeof(large));
	due++;
}

static void what_is_too_large_with_its_header_is_dropped(void **state)
{
	(void)state;
	memset(large, 'x', sizeof(large));
	open_association();
	then(client_sends_large);
	then(far_answers_too_large);
	run_until_idle();
	expect_moved(1, 0);
	expect_dropped(DROP_TOO_LARGE, 1);
}

/* ---- who may answer ---- */

static int others[2]; /* another port of the target's address, and another address */

static void others_answer(void)
{
	proxy_addr = udp_expect(far, "ping", 4);
	for (size_t i = 0; i < COUNT(others); i++) {
		udp_send(others[i], &proxy_addr, "pong", 4);
		due++;
	}
}

static void the_filter_decides_who_may_answer(void **state)
{
	static const struct {
		enum udp_filter filter;
		uint64_t passed;
	} rows[] = {{UDP_FILTER_ADDRESS_PORT, 0}, {UDP_FILTER_ADDRESS, 1}, {UDP_FILTER_NONE, 2}};
	struct addr a;

	(void)state;
	others[0] = udp_socket("127.0.0.1", &a);
	others[1] = udp_socket("127.0.0.3", &a);
	for (size_t i = 0; i < COUNT(rows); i++) {
		config->settings.udp_filter = rows[i].filter;
		open_association();
		then(client_sends);
		then(others_answer);
		then(client_sends);
		then(far_answers); /* who may, whatever the filter */
		run_until_idle();
		expect_moved(2, rows[i].passed + 1);
		expect_dropped(DROP_FILTERED, 2 - rows[i].passed);
	}
	close(others[0]);
	close(others[1]);
}

/* ---- time ---- */

static void time_has_passed(void)
{
	now += 1000;
	client_sends();
}

static void idle_time_counts_from_the_last_datagram(void **state)
{
	(void)state;
	open_association();
	run_until_idle();
	assert_int_equal(last_deadline, BEGUN + IDLE_MS);
	now = BEGUN;
	open_association();
	then(time_has_passed);
	then(far_answers);
	then(time_has_passed);
	run_until_idle();
	assert_int_equal(last_deadline, BEGUN + 2000 + IDLE_MS);
}

static void limit_falls(void)
{
	atomic_store(&limits.udp_timeout, 70);
	client_sends();
}

static void a_changed_udp_timeout_is_obeyed(void **state)
{
	(void)state;
	open_association();
	then(limit_falls);
	run_until_idle();
	assert_int_equal(last_deadline, BEGUN + 70);
}

static void what_is_dropped_keeps_nothing_alive(void **state)
{
	(void)state;
	open_association();
	malformed_at = 0;
	then(client_sends_malformed);
	now += 5000; /* after it was opened, which counts */
	run_until_idle();
	assert_int_equal(last_deadline, BEGUN + 5000 + IDLE_MS);
}

static void it_is_quiet(void)
{
	assert_int_equal(now, BEGUN + 1000);
	assert_int_equal(given_back, SOCKET_BATCH);
	client_sends();
}

static void memory_is_given_back_when_it_is_quiet(void **state)
{
	(void)state;
	memset(large, 'x', sizeof(large));
	open_association();
	then(client_sends_large);
	then(time_passes);
	then(it_is_quiet);
	run_until_idle();
	assert_int_equal(given_back, SOCKET_BATCH); /* not for small ones */
}

/* ---- the TCP connection ---- */

static void client_resets(void)
{
	net_reset(client.tcp);
	client.tcp = -1;
}

static void ends_with_the_tcp_connection(void **state)
{
	(void)state;
	open_association();
	then(client_sends);
	then(client_leaves);
	assert_int_equal(udp_run(u), END_CLOSED);
	expect_moved(1, 0);
	close(inner);
	connect_client();
	given.client = inner;
	open_association();
	then(client_sends);
	then(client_resets);
	assert_int_equal(udp_run(u), END_CLIENT_RESET);
	expect_moved(1, 0);
}

static void client_talks(void)
{
	net_send_pattern(client.tcp, 5000, 1);
}

static void what_comes_by_tcp_is_passed_over(void **state)
{
	(void)state;
	open_association();
	then(client_talks);
	then(client_sends);
	run_until_idle();
	expect_moved(1, 0);
	assert_true(net_is_silent(inner));
	/* The end behind it is seen all the same. */
	open_association();
	then(client_talks);
	then(client_leaves);
	assert_int_equal(udp_run(u), END_CLOSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_where_the_client_has_reached_the_proxy),
		TEST(needs_two_descriptors),
		TEST(needs_memory_a_socket_and_a_port),
		TEST(passes_datagrams_on_both_ways),
		TEST(what_comes_at_once_keeps_its_order),
		TEST(a_batch_does_not_pass_a_quota),
		TEST(nor_do_answers),
		TEST(the_first_datagram_decides_the_port),
		TEST(other_addresses_are_strangers),
		TEST(udp_clients_may_come_from_elsewhere),
		TEST(who_came_from_elsewhere_is_answered_there),
		TEST(malformed_datagrams_are_dropped_and_end_nothing),
		TEST(fragments_go_out_as_one),
		TEST(fragments_that_never_become_whole_are_counted),
		TEST(fragments_are_waited_for_until_their_deadline),
		TEST(only_a_datagram_of_the_protocol_tells_the_port),
		TEST(a_target_that_the_rules_forbid_is_denied),
		TEST(what_could_not_be_found_out_is_asked_again),
		TEST(a_second_family_takes_a_descriptor_more),
		TEST(a_socket_that_cannot_be_had_is_tried_again),
		TEST(a_socket_whose_interface_is_gone_is_opened_anew),
		TEST(a_family_that_is_not_used_is_not_sent_to),
		TEST(a_name_is_looked_up_and_remembered),
		TEST(names_that_lead_nowhere_are_dropped),
		TEST(what_waits_for_a_name_is_bounded),
		TEST(what_waits_is_forgotten_at_the_end),
		TEST(rules_in_force_are_asked_again),
		TEST(names_are_judged_again_too),
		TEST(the_way_through_upstreams_is_asked_for_once_by_each_target),
		TEST(datagrams_of_one_turn_wait_for_an_upstream_once),
		TEST(what_cannot_be_sent_is_dropped_and_ends_nothing),
		TEST(what_an_earlier_one_has_met_costs_no_later_one),
		TEST(what_is_too_large_with_its_header_is_dropped),
		TEST(the_filter_decides_who_may_answer),
		TEST(idle_time_counts_from_the_last_datagram),
		TEST(a_changed_udp_timeout_is_obeyed),
		TEST(what_is_dropped_keeps_nothing_alive),
		TEST(memory_is_given_back_when_it_is_quiet),
		TEST(ends_with_the_tcp_connection),
		TEST(what_comes_by_tcp_is_passed_over),
	};

	return cmocka_run_group_tests_name("proxy/udp", tests, NULL, NULL);
}
