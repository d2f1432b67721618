/* desk: a console over a socketpair, on a clock that the test moves, with faults at the calls that
 * move bytes. The other threads are the test's hand, which does their steps. For tests whose line
 * WRAP_ in the Makefile names $(WRAP_DESK). */
#ifndef TESTS_MONITOR_DESK_H
#define TESTS_MONITOR_DESK_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "calls.h"
#include "monitor/console.h"

#define TIMEOUT 600000 /* monitor_timeout as it is by default, in milliseconds */

#define PROMPT "Please enter Username:password (in that format)\n"

/* ---- the connection ---- */

static struct desk desk;
static struct console c; /* it */
static int client = -1; /* its other end */
static int served; /* its descriptor, which may be closed by now */
static bool ended; /* the client has read the end, or a reset */

static inline int setup(void **state)
{
	if (scratch_enter(state) != 0)
		return -1;
	parts_now = 1000000;
	parts_make(400, 100);
	parts_add_user("root", USER_ROLE_ADMIN);
	parts_add_user("alice", USER_ROLE_USER);
	open_queue(&hasher);
	open_queue(&changer);
	open_queue(&back);
	desk = (struct desk){.services = &parts,
		.done = back.errands,
		.names = {.root = "root", .server = "proxy"}};
	hashed = 0;
	hash_fault = 0;
	change_problem = NULL;
	most_bytes = SIZE_MAX;
	fail_move(0, 0);
	return log_open("log");
}

/* The client closes. */
static inline void hang_up(void)
{
	if (client >= 0)
		close(client);
	client = -1;
}

static inline int teardown(void **state)
{
	hang_up();
	if (c.phase != CONSOLE_FREE)
		console_close(&c);
	console_free(&c);
	c = (struct console){.phase = CONSOLE_FREE};
	errands_free(hasher.errands);
	errands_free(changer.errands);
	errands_free(back.errands);
	parts_free();
	log_close();
	return scratch_leave(state);
}

/* For a client that comes by the unix socket as this user. */
static inline struct peer local_peer_of(uid_t uid)
{
	return (struct peer){.is_local = true, .uid = uid, .from = parts_addr("127.0.0.1", 0)};
}

static inline void open_console_for(const struct peer *peer)
{
	int ends[2];

	hang_up();
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	client = ends[0];
	served = ends[1];
	ended = false;
	console_open(&c, &desk, served, peer);
}

static inline void open_console(void)
{
	struct addr from = parts_addr("192.0.2.7", 51514);
	struct peer peer = peer_from_address(NULL, &from);

	open_console_for(&peer);
}

static inline void say(const char *text)
{
	assert_int_equal(write(client, text, strlen(text)), strlen(text));
}

/* One turn of the loop that polls, if there is anything to do. */
static inline bool serve_connection(void)
{
	struct pollfd p = {.fd = c.fd, .events = console_events(&c)};

	if (p.events == 0 || poll(&p, 1, 0) <= 0)
		return false;
	console_step(&c, p.revents);
	return true;
}

/* Until all wait for the client. */
static inline void serve(void)
{
	while (serve_connection() || work(&hasher) || work(&changer) || work(&back))
		;
}

static char heard[1 << 21];

static inline size_t read_more(size_t len)
{
	ssize_t n = client < 0 ? -1 : read(client, heard + len, sizeof(heard) - len - 1);

	if (n == 0 || (n < 0 && errno == ECONNRESET))
		ended = true;
	return n > 0 ? (size_t)n : 0;
}

/* All that the client gets to read. */
static inline const char *hear(void)
{
	size_t n, len = 0;

	do {
		serve();
		n = read_more(len);
		len += n;
	} while (n > 0);
	heard[len] = '\0';
	return heard;
}

static inline void expect(const char *text)
{
	assert_string_equal(hear(), text);
}

/* Who may do everything, on the host itself, where no password is asked for. */
static inline void enter_as_root(void)
{
	struct peer peer = local_peer_of(0);

	open_console_for(&peer);
	expect("OK Welcome root\n");
}

static inline void ask(const char *request, const char *reply)
{
	say(request);
	expect(reply);
}

static inline void log_in(void)
{
	open_console();
	ask("root:secret\n", PROMPT "OK Welcome root\n");
}

/* Time passes, and the loop looks. */
static inline void wait_ms(int64_t ms)
{
	parts_now += ms;
	console_step(&c, 0);
}

static inline void assert_open(void)
{
	assert_int_not_equal(c.phase, CONSOLE_FREE);
	assert_int_equal(c.fd, served);
}

static inline bool is_wiped(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* Its descriptor is closed, and nothing that it was told is in its memory. */
static inline void assert_gone(void)
{
	assert_int_equal(c.phase, CONSOLE_FREE);
	assert_int_equal(c.fd, -1);
	assert_int_equal(fcntl(served, F_GETFD), -1);
	assert_int_equal(console_events(&c), 0);
	assert_true(is_wiped(c.in, sizeof(c.in)));
	assert_true(is_wiped(c.order.request.memory, sizeof(c.order.request.memory)));
	assert_true(is_wiped(c.order.request.hash, sizeof(c.order.request.hash)));
	assert_null(c.order.reply.source);
}

/* The last words are out; the console waits for the client to close, and then is free. */
static inline void assert_leaves(void)
{
	assert_true(ended);
	assert_int_equal(c.phase, CONSOLE_CLOSING);
	hang_up();
	serve();
	assert_gone();
}

static inline bool is_user(const char *name)
{
	struct user_info info;

	return users_get(parts.users, name, &info);
}

static inline void remove_user(const char *name)
{
	char error[USERS_ERROR_MAX];

	assert_int_equal(users_remove(parts.users, name, error), 0);
}

/* ---- what most things happen to ---- */

/* Errands and others, refusals, and the end. */
#define SCRIPT                                                                                     \
	"root:secret\r\n"                                                                          \
	"users\n"                                                                                  \
	"ADD_USER bob secret\n"                                                                    \
	"\n"                                                                                       \
	"KILL 7\n"                                                                                 \
	"CONNECTIONS\r\n"                                                                          \
	"CONFIG timeout 15\n"                                                                      \
	"a\tb\n"                                                                                   \
	"VOLUME 11\n"                                                                              \
	"DEL_USER bob\n"                                                                           \
	"QUIT\n"                                                                                   \
	"STATS\n"
#define KEPT " (until the server ends: users_file is not set)\n\n"
#define ADDED                                                                                      \
	" added (until the server ends: users_file is not set; who must log in stays as it "       \
	"was)\n\n"
#define ANSWERS_BEHIND_PROMPT                                                                      \
	"OK Welcome root\n"                                                                        \
	"OK No active users\n\n"                                                                   \
	"OK User bob" ADDED "ERR Empty line: HELP lists the commands\n\n"                          \
	"ERR There is no session 7\n\n"                                                            \
	"OK\ncurrent connections:0\nmax concurrent connections:0\n\n"                              \
	"OK timeout set to 15\n\n"                                                                 \
	"ERR Control bytes are not allowed\n\n"                                                    \
	"ERR Unknown command: VOLUME\n\n"                                                          \
	"OK User bob deleted, 0 sessions ended" KEPT "OK Goodbye\n"
#define ANSWERS PROMPT ANSWERS_BEHIND_PROMPT

/* Whoever has not logged in yet does it with a slow hash. */
static inline void begin_anew(void **state)
{
	teardown(state);
	assert_int_equal(setup(state), 0);
	open_console();
}

#define console_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
