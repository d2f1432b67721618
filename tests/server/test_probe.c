/* probe: what it finds where somebody listens, refuses or keeps silent, and of files that are there
 * or not; and that it leaves nothing behind. */
#include "server/probe.h"

#include <errno.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/un.h>

#include "../base/scratch.h"
#include "base/clock.h"
#include "dns.h"
#include "inside.h"
#include "lacking.h"
#include "net.h"

/* ---- patience that is over at once, and the kernel's clock ---- */

static bool is_impatient;
static int clock_state, clock_status;

int64_t __real_clock_deadline(int64_t ms);
int64_t __wrap_clock_deadline(int64_t ms);
int __wrap_adjtimex(struct timex *t);

int64_t __wrap_clock_deadline(int64_t ms)
{
	return __real_clock_deadline(is_impatient ? 0 : ms);
}

int __wrap_adjtimex(struct timex *t)
{
	assert_int_equal(t->modes, 0); /* nothing is changed */
	t->status = clock_status;
	return clock_state;
}

static int set_up(void **state)
{
	is_impatient = false;
	return scratch_enter(state);
}

/* ---- sockets ---- */

static const struct socket_via any = {.interface = ""};

static void it_listens_for_the_moment(void **state)
{
	struct addr a = net_addr("127.0.0.1", 0), bound, other;
	int fd, second;

	(void)state;
	fd = probe_listen(&a, &bound);
	assert_true(fd >= 0);
	assert_int_not_equal(addr_port(&bound), 0);
	second = probe_listen(&bound, &other);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(second, -1);
	close(fd);
}

static void a_connection_is_made_refused_or_unanswered(void **state)
{
	int fillers[3], fd;
	struct addr a;
	uint16_t port;

	(void)state;
	fd = net_listen("127.0.0.1", &port);
	a = net_addr("127.0.0.1", port);
	assert_int_equal(probe_connect(&a, &any), 0);
	close(fd);
	fd = net_refusing_port(&port);
	a = net_addr("127.0.0.1", port);
	assert_int_equal(probe_connect(&a, &any), ECONNREFUSED);
	close(fd);
	fd = net_mute_port(&port, fillers);
	a = net_addr("127.0.0.1", port);
	is_impatient = true;
	assert_int_equal(probe_connect(&a, &any), ETIMEDOUT);
	for (int i = 0; i < 3; i++)
		close(fillers[i]);
	close(fd);
}

static void what_cannot_even_begin_says_why(void **state)
{
	static const struct socket_via nowhere = {.interface = "no-such-link"};
	struct addr a = net_addr("127.0.0.1", 9);

	(void)state;
	assert_int_not_equal(probe_connect(&a, &nowhere), 0);
}

static void a_unix_socket_has_a_listener_or_not(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_false(probe_local("socket"));
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_false(probe_local("socket"));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(probe_local("socket"));
	close(fd);
}

/* ---- name servers ---- */

static void a_name_server_answers_refuses_or_keeps_silent(void **state)
{
	static const struct {
		enum dns_behaviour behaviour;
		int rcode;
	} rows[] = {{DNS_ANSWER, 0}, {DNS_NXDOMAIN, 3}, {DNS_SERVFAIL, 2}, {DNS_REFUSED, 5},
		{DNS_GARBAGE, 0}};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct dns_record records[] = {
			{"example.com", rows[i].behaviour, 60, "192.0.2.1"}, {.name = NULL}};
		struct dns *d = dns_start(records);
		struct addr server;
		bool has_port;

		assert_true(
			addr_parse_port(dns_server(d), strlen(dns_server(d)), &server, &has_port));
		assert_int_equal(probe_name_server(&server, &ms), rows[i].rcode);
		assert_true(ms >= 0);
		if (i == 0) {
			dns_keep_silent(d, true);
			is_impatient = true;
			assert_int_equal(probe_name_server(&server, &ms), -1);
			assert_int_equal(errno, ETIMEDOUT);
			is_impatient = false;
		}
		dns_stop(d);
	}
}

/* The kernel is told by the host that nobody listens there. */
static void where_there_is_no_name_server_that_is_said(void **state)
{
	struct addr server, none = {.sa = {.sa_family = AF_UNSPEC}};
	int64_t ms;

	(void)state;
	server = net_addr("127.0.0.1", net_unused_port());
	assert_int_equal(probe_name_server(&server, &ms), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(probe_name_server(&none, &ms), -1);
}

/* ---- the host ---- */

static void the_clock_is_right_where_something_keeps_it_so(void **state)
{
	static const struct {
		int state, status;
		bool is_synchronised;
	} rows[] = {{TIME_OK, 0, true}, {TIME_OK, STA_UNSYNC, false},
		{TIME_ERROR, STA_UNSYNC, false}, {TIME_ERROR, 0, false}, {-1, STA_UNSYNC, false}};
	bool is_synchronised;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		clock_state = rows[i].state;
		clock_status = rows[i].status;
		assert_true(probe_clock(&is_synchronised) > 1700000000);
		assert_int_equal(is_synchronised, rows[i].is_synchronised);
	}
}

static void files_are_there_can_be_made_or_neither(void **state)
{
	(void)state;
	scratch_write("log", "");
	assert_int_equal(mkdir("folder", 0755), 0);
	assert_int_equal(probe_append("log"), 0);
	assert_int_equal(probe_append("new"), 0);
	assert_int_equal(access("new", F_OK), -1); /* only asked */
	assert_int_equal(probe_append("nowhere/log"), ENOENT);
	assert_int_equal(probe_append("folder"), EISDIR);
	assert_int_equal(probe_read("log"), 0);
	assert_int_equal(probe_read("new"), ENOENT);
	assert_int_equal(probe_folder("folder"), 0);
	assert_int_equal(probe_folder("nowhere"), ENOENT);
}

static const char *look_as_nobody(const void *context)
{
	const struct passwd *nobody = context;

	if (setgid(nobody->pw_gid) < 0 || setuid(nobody->pw_uid) < 0)
		return strerror(errno);
	if (probe_append("log") != EACCES || probe_append("new") != EACCES)
		return "what is root's can be written";
	if (probe_read("log") != EACCES)
		return "what is root's can be read";
	return probe_folder("folder") == EACCES ? NULL : "files can be made in root's folder";
}

static void what_is_another_s_is_denied(void **state)
{
	const struct passwd *nobody = getpwnam("nobody");

	(void)state;
	if (geteuid() != 0 || nobody == NULL)
		skip_for_want_of("root, and a user nobody");
	assert_int_equal(chmod(".", 0755), 0);
	scratch_write("log", "");
	assert_int_equal(chmod("log", 0600), 0);
	assert_int_equal(mkdir("folder", 0755), 0);
	inside(look_as_nobody, nobody);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, scratch_leave)
	const struct CMUnitTest tests[] = {
		TEST(it_listens_for_the_moment),
		TEST(a_connection_is_made_refused_or_unanswered),
		TEST(what_cannot_even_begin_says_why),
		TEST(a_unix_socket_has_a_listener_or_not),
		TEST(a_name_server_answers_refuses_or_keeps_silent),
		TEST(where_there_is_no_name_server_that_is_said),
		TEST(the_clock_is_right_where_something_keeps_it_so),
		TEST(files_are_there_can_be_made_or_neither),
		TEST(what_is_another_s_is_denied),
	};

	return cmocka_run_group_tests_name("server/probe", tests, NULL, NULL);
}
