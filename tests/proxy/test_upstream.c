/* upstream: what is said to each kind of server and made of its answers, however they come; whose
 * fault silence is, and who rests for it. The connections are socket pairs, into which the test
 * writes a byte whenever somebody waits; the clock is in its hand. */
#include "proxy/upstream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "../base/scratch.h"
#include "base/clock.h"
#include "proxy/dial.h"

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_deadline(int64_t ms);
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline);
int __wrap_dial_until(struct dial *d, int64_t deadline);
ssize_t __real_socket_read(int fd, void *bytes, size_t len);
ssize_t __real_socket_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_socket_read(int fd, void *bytes, size_t len);
ssize_t __wrap_socket_write(int fd, const void *bytes, size_t len);

static int64_t now;
static int lacks; /* how many times more memory is out when something is read or written */

static bool is_lacking(void)
{
	errno = ENOBUFS;
	return lacks > 0 && lacks-- > 0;
}

ssize_t __wrap_socket_read(int fd, void *bytes, size_t len)
{
	return is_lacking() ? -1 : __real_socket_read(fd, bytes, len);
}

ssize_t __wrap_socket_write(int fd, const void *bytes, size_t len)
{
	return is_lacking() ? -1 : __real_socket_write(fd, bytes, len);
}

int64_t __wrap_clock_ms(void)
{
	return now;
}

int64_t __wrap_clock_deadline(int64_t ms)
{
	return now + ms;
}

/* A server: what it says, and then it is silent, or closes. */
struct script {
	const char *says;
	size_t len;
	bool closes;
	enum end_reason failure; /* instead, of dialling; 0: none */
};

#define SAYS(text) .says = (text), .len = sizeof(text) - 1

static const struct script *scripts; /* of one server after the other */
static size_t dialled;
static int64_t deadlines[8]; /* until when each was dialled */
static int64_t slowness; /* ms that each byte takes to come */
static int64_t until; /* when the wait was last to end */
static int peer = -1, client_peer = -1;
static size_t said;
static void (*on_silence)(void);
static struct fd_lease *lease;

int __wrap_dial_until(struct dial *d, int64_t deadline)
{
	int pair[2];

	deadlines[dialled++] = deadline;
	d->error = 0;
	d->address.sa.sa_family = AF_UNSPEC;
	assert_true(d->asker->is_unruled);
	if (scripts->failure != 0) {
		d->failure = scripts++->failure;
		return -1;
	}
	if (peer >= 0)
		close(peer);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_true(fd_lease_take(d->asker->lease));
	peer = pair[1];
	said = 0;
	return pair[0];
}

/* The next byte comes; when there is none, time passes. */
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	until = deadline;
	if (said < scripts->len) {
		assert_int_equal(write(peer, scripts->says + said++, 1), 1);
		now += slowness;
	} else if (scripts->closes) {
		shutdown(peer, SHUT_RDWR);
		scripts++;
		said = 1000000;
	} else if (on_silence != NULL) {
		on_silence();
		on_silence = NULL;
	} else if (poll(fds, count, 0) == 0) {
		now = deadline > now ? deadline : now;
		scripts++;
		said = 1000000;
	}
	return poll(fds, count, 0);
}

/* ---- what it is done with ---- */

static struct config *config;
static struct fdbudget budget;
static struct fd_lease the_lease;
static struct asker asker;
static struct watch watch;
static uint8_t memory[65536];
static struct buffer in;
static struct upstream_request r;
static struct upstream_way way;
static struct destination dst;

static void use_upstreams(const char *urls)
{
	struct config_source source = {.path = "conf", .is_reload = true};
	char error[CONFIG_ERROR_MAX], text[1024];

	snprintf(text, sizeof(text), "upstream = a %s\nrule = via a\n", urls);
	scratch_write("conf", text);
	config_release(config);
	config = config_read(&source, error);
	assert_non_null(config);
	config_set_upstreams(config, upstreams_compile(&config->settings, NULL, error));
	asker.config = config;
	way.count = config->upstreams->count;
	for (size_t i = 0; i < way.count; i++)
		way.servers[i] = &config->upstreams->servers[i];
}

static int set_up(void **state)
{
	int pair[2];

	if (scratch_enter(state) != 0)
		return -1;
	now = 1000;
	dialled = 0;
	on_silence = NULL;
	slowness = 0;
	lacks = 0;
	fdbudget_plan(&budget, 100, 10, 10);
	the_lease = (struct fd_lease){.budget = &budget};
	lease = &the_lease;
	asker = (struct asker){.lease = lease};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	watch = (struct watch){.client = pair[0]};
	client_peer = pair[1];
	buffer_init(&in, memory, sizeof(memory));
	return 0;
}

static int tear_down(void **state)
{
	close(watch.client);
	if (client_peer >= 0)
		close(client_peer);
	if (peer >= 0)
		close(peer);
	peer = -1;
	config_release(config);
	config = NULL;
	return scratch_leave(state);
}

static int run(const struct script *all)
{
	static const char name[] = "x.test";

	scripts = all;
	dst = destination_of_name(name, sizeof(name) - 1, 80);
	r = (struct upstream_request){.asker = &asker,
		.command = REQUEST_CONNECT,
		.dst = &dst,
		.watch = &watch,
		.in = &in,
		.deadline = now + 30000};
	return upstream_connect(&r, &way);
}

/* It fails for that, and nothing is held. */
static void expect_failure(const struct script *all, enum end_reason why)
{
	assert_int_equal(run(all), -1);
	if (r.failure != why)
		fail_msg("%s instead of %s", end_reason_word(r.failure), end_reason_word(why));
	assert_int_equal(lease->held, 0);
	assert_int_equal(buffer_readable(&in), 0);
}

/* It succeeds; the peer has got this, and this is left for the client. */
static void expect_success(
	const struct script *all, const char *sent, size_t sent_len, const char *left)
{
	char got[2048];
	int fd = run(all);

	assert_true(fd >= 0);
	assert_int_equal(lease->held, 1);
	assert_int_equal(read(peer, got, sizeof(got)), sent_len);
	assert_memory_equal(got, sent, sent_len);
	assert_int_equal(buffer_readable(&in), strlen(left));
	assert_memory_equal(buffer_head(&in), left, strlen(left));
	buffer_consume(&in, buffer_readable(&in));
	close(fd);
	fd_lease_give(lease);
}

#define EXPECT_SUCCESS(all, sent, left) expect_success(all, sent, sizeof(sent) - 1, left)

/* ---- tests ---- */

static void answers_come_byte_by_byte(void **state)
{
	static const struct script socks5[] = {{SAYS("\5\0\5\0\0\1\xc0\0\2\1\0\x50")}};
	static const struct script login[] = {{SAYS("\5\2\1\0\5\0\0\3\1h\0\x50")}};
	static const struct script socks4[] = {{SAYS("\0\x5a\0\x50\xc0\0\2\1")}};
	static const struct script http[] = {
		{SAYS("HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n")}};

	(void)state;
	use_upstreams("socks5://h");
	EXPECT_SUCCESS(socks5, "\5\1\0\5\1\0\3\6x.test\0\x50", "");
	use_upstreams("socks5://al:pw@h");
	EXPECT_SUCCESS(login, "\5\2\0\2\1\2al\2pw\5\1\0\3\6x.test\0\x50", "");
	assert_int_equal(r.bound.sa.sa_family, AF_UNSPEC);
	use_upstreams("socks4a://me@h");
	EXPECT_SUCCESS(socks4, "\4\1\0\x50\0\0\0\1me\0x.test\0", "");
	use_upstreams("http://al:pw@h:1");
	EXPECT_SUCCESS(http,
		"CONNECT x.test:80 HTTP/1.1\r\nHost: x.test:80\r\n"
		"Proxy-Authorization: Basic YWw6cHc=\r\n\r\n",
		"");
}

static void a_plain_request_is_sent_by_who_asked(void **state)
{
	static const struct script http[] = {{SAYS("")}};
	char authorization[UPSTREAM_AUTHORIZATION_MAX];
	int fd;

	(void)state;
	use_upstreams("http://al:pw@h:1");
	scripts = http;
	dst = destination_of_name("x.test", 6, 80);
	r = (struct upstream_request){.asker = &asker,
		.command = REQUEST_CONNECT,
		.dst = &dst,
		.watch = &watch,
		.in = &in,
		.deadline = now + 30000,
		.wants_http = true};
	fd = upstream_connect(&r, &way);
	assert_true(fd >= 0);
	assert_int_equal(read(peer, authorization, 1), -1);
	assert_string_equal(upstream_authorization(r.through, authorization), "Basic YWw6cHc=");
	close(fd);
	fd_lease_give(lease);
	use_upstreams("http://h:1");
	assert_string_equal(upstream_authorization(way.servers[0], authorization), "");
}

static const char *fault_of(size_t server)
{
	return upstream_figures(way.servers[server], now).fault;
}

static void each_has_its_share_of_the_time(void **state)
{
	static const struct script silent[] = {{SAYS("")}, {SAYS("")}, {SAYS("")}};

	(void)state;
	use_upstreams("socks5://h, socks5://i, socks5://j");
	expect_failure(silent, END_UPSTREAMS_DOWN);
	assert_true(r.is_undone);
	assert_int_equal(dialled, 3);
	assert_int_equal(deadlines[0], 11000);
	assert_int_equal(deadlines[1], 21000);
	assert_int_equal(deadlines[2], 31000);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(fault_of(i), "silent");
	/* all rest: nobody is tried */
	expect_failure(silent, END_UPSTREAMS_DOWN);
	assert_int_equal(dialled, 3);
	/* the first one's is over: it has all the time but for those that may be tried */
	now = 11000 + UPSTREAM_REST_MS;
	expect_failure(silent, END_UPSTREAMS_DOWN);
	assert_int_equal(dialled, 4);
	assert_int_equal(deadlines[3], 11000 + UPSTREAM_REST_MS + 30000);
}

/* It has said that it speaks SOCKS5: then silence is about the target, for which there is all the
 * time there is. */
static void silence_about_the_target_is_nobodys_fault(void **state)
{
	static const struct script socks5[] = {{SAYS("\5\0")}};
	static const struct script http[] = {{SAYS("")}, {SAYS("")}};

	(void)state;
	use_upstreams("socks5://h, socks5://i");
	expect_failure(socks5, END_CONNECT_TIMEOUT);
	assert_false(r.is_undone);
	assert_int_equal(dialled, 1);
	assert_int_equal(deadlines[0], 16000);
	assert_int_equal(until, 31000);
	assert_string_equal(upstream_figures(way.servers[0], now).state, "up");
	use_upstreams("http://h:1, socks4a://i");
	expect_failure(http, END_CONNECT_TIMEOUT);
	assert_true(r.is_undone);
	assert_int_equal(dialled, 3);
	assert_string_equal(upstream_figures(way.servers[0], now).state, "up");
	assert_string_equal(upstream_figures(way.servers[1], now).state, "up");
}

static void faults_have_names(void **state)
{
	static const struct {
		const char *url;
		struct script script;
		const char *fault;
	} rows[] = {
		{"socks5://h", {SAYS("\4")}, "garbled"},
		{"socks5://h", {SAYS("\5\1")}, "garbled"},
		{"socks5://h", {SAYS("\5\2")}, "garbled"}, /* we have none to give */
		{"socks5://h", {SAYS("\5\xff")}, "login_refused"},
		{"socks5://a:b@h", {SAYS("\5\2\1\1")}, "login_refused"},
		{"socks5://h", {SAYS("\5\0\4")}, "garbled"},
		{"socks5://h", {SAYS("\5"), .closes = true}, "broken_off"},
		{"socks4a://h", {SAYS("\4")}, "garbled"},
		{"socks4a://h", {SAYS("\0\x5d\0\0\0\0\0\0")}, "login_refused"},
		{"http://h:1", {SAYS("HTTQ")}, "garbled"},
		{"http://h:1", {SAYS("HTTP/1.1 407 No\r\n\r\n")}, "login_refused"},
		{"http://h:1", {SAYS("HTTP/1.1 4070 No\r\n\r\n")}, "garbled"},
		{"http://h:1", {.failure = END_TARGET_DENIED}, "loop"},
		{"http://h:1", {.failure = END_CONNECT_REFUSED}, "unreachable"},
		{"http://h:1", {.failure = END_NAME_NOT_FOUND}, "unreachable"},
		{"http://h:1", {.failure = END_CONNECT_TIMEOUT}, "silent"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct script script[2] = {rows[i].script};

		use_upstreams(rows[i].url);
		dialled = 0;
		expect_failure(script, END_UPSTREAMS_DOWN);
		if (strcmp(fault_of(0), rows[i].fault) != 0)
			fail_msg("%zu: %s instead of %s", i, fault_of(0), rows[i].fault);
	}
}

static void what_lacks_here_is_no_fault_of_theirs(void **state)
{
	static const struct script script[] = {{.failure = END_NO_LOCAL_PORT}};

	(void)state;
	use_upstreams("socks5://h, socks5://i");
	expect_failure(script, END_NO_LOCAL_PORT);
	assert_false(r.is_undone);
	assert_int_equal(dialled, 1);
	assert_string_equal(fault_of(0), "-");
}

static void a_lack_of_memory_passes(void **state)
{
	static const struct script script[] = {{SAYS("\5\0\5\0\0\1\xc0\0\2\1\0\x50")}};

	(void)state;
	use_upstreams("socks5://h");
	lacks = 5;
	EXPECT_SUCCESS(script, "\5\1\0\5\1\0\3\6x.test\0\x50", "");
	assert_int_equal(lacks, 0);
}

static void a_lack_of_memory_that_stays_is_no_fault_of_theirs(void **state)
{
	static const struct script silent[100]; /* one for each pause */

	(void)state;
	use_upstreams("socks5://h");
	lacks = 1000000;
	expect_failure(silent, END_UPSTREAM_FAILED);
	assert_int_equal(r.error, ENOBUFS);
	assert_string_equal(fault_of(0), "-");
}

/* More than fits is no answer. */
static void an_answer_has_an_end(void **state)
{
	static char endless[70000];
	const struct script script[2] = {{.says = endless, .len = sizeof(endless)}};

	(void)state;
	memset(endless, 'a', sizeof(endless));
	memcpy(endless, "HTTP/1.1 200 OK\r\nA: ", 20);
	use_upstreams("http://h:1");
	expect_failure(script, END_UPSTREAMS_DOWN);
	assert_string_equal(fault_of(0), "garbled");
}

/* Whoever goes on saying that there is more to come is ever ready to be read from. */
static void interim_answers_have_an_end(void **state)
{
	static const char head[] = "HTTP/1.1 103 Early\r\n\r\n";
	static char endless[1000 * (sizeof(head) - 1)];
	const struct script script[2] = {{.says = endless, .len = sizeof(endless)}};

	(void)state;
	for (size_t at = 0; at < sizeof(endless); at += sizeof(head) - 1)
		memcpy(endless + at, head, sizeof(head) - 1);
	slowness = 100;
	use_upstreams("http://h:1");
	expect_failure(script, END_CONNECT_TIMEOUT);
	assert_in_range(now, 1000 + 30000, 1000 + 30000 + sizeof(head) * 100);
	assert_string_equal(fault_of(0), "-");
}

static void leave(void)
{
	close(client_peer);
	client_peer = -1;
}

static void finish(void)
{
	shutdown(client_peer, SHUT_WR);
}

static void a_client_that_leaves_is_nobodys_fault(void **state)
{
	static const struct script script[] = {{SAYS("\5")}, {SAYS("")}};

	(void)state;
	use_upstreams("socks5://h");
	upstream_failed(way.servers[0], UPSTREAM_SILENT, now);
	now += UPSTREAM_REST_MS;
	on_silence = finish;
	expect_failure(script, END_CLIENT_FINISHED);
	assert_int_equal(until, 1000 + UPSTREAM_REST_MS + WATCH_FINISHED_MS);
	/* whoever comes next is the probe */
	assert_string_equal(upstream_figures(way.servers[0], now).state, "resting");
	watch = (struct watch){.client = watch.client};
	on_silence = leave;
	expect_failure(script, END_CLIENT_LEFT);
	assert_int_equal(upstream_figures(way.servers[0], now).failures, 1);
	assert_int_equal(upstream_take_turn(way.servers[0], now), UPSTREAM_MAY_PROBE);
}

static void one_that_cannot_do_it_is_passed_over(void **state)
{
	static const struct script socks5[] = {{SAYS("\5\0\5\0\0\1\xc0\0\2\1\0\x50")}};
	struct addr six;
	int fd;

	(void)state;
	use_upstreams("socks4a://h, http://i:1, socks5://j");
	scripts = socks5;
	assert_true(addr_parse("2001:db8::1", 11, &six));
	addr_set_port(&six, 80);
	dst = destination_of_addr(&six);
	r = (struct upstream_request){.asker = &asker,
		.command = REQUEST_BIND,
		.dst = &dst,
		.watch = &watch,
		.in = &in,
		.deadline = now + 30000};
	fd = upstream_connect(&r, &way);
	assert_true(fd >= 0);
	assert_ptr_equal(r.through, way.servers[2]);
	close(fd);
	fd_lease_give(lease);
	way.count = 2;
	assert_int_equal(upstream_connect(&r, &way), -1);
	assert_int_equal(r.failure, END_COMMAND_UNSUPPORTED);
	way.count = 1;
	r.command = REQUEST_CONNECT;
	assert_int_equal(upstream_connect(&r, &way), -1);
	assert_int_equal(r.failure, END_ATYP_UNSUPPORTED);
	dst = destination_of_name("a/b", 3, 80);
	use_upstreams("http://i:1");
	assert_int_equal(upstream_connect(&r, &way), -1);
	assert_int_equal(r.failure, END_ATYP_UNSUPPORTED);
	assert_int_equal(dialled, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_come_byte_by_byte),
		TEST(a_plain_request_is_sent_by_who_asked),
		TEST(each_has_its_share_of_the_time),
		TEST(silence_about_the_target_is_nobodys_fault),
		TEST(faults_have_names),
		TEST(what_lacks_here_is_no_fault_of_theirs),
		TEST(a_lack_of_memory_passes),
		TEST(a_lack_of_memory_that_stays_is_no_fault_of_theirs),
		TEST(an_answer_has_an_end),
		TEST(interim_answers_have_an_end),
		TEST(a_client_that_leaves_is_nobodys_fault),
		TEST(one_that_cannot_do_it_is_passed_over),
	};

	return cmocka_run_group_tests_name("proxy/upstream", tests, NULL, NULL);
}
