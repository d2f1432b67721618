/* browser: a connection of the web's front over a socketpair, on a clock that the test moves. The
 * other threads are the test's hand. For tests whose line WRAP_ in the Makefile names $(WRAP_DESK)
 * and statistics_each.
 */
#ifndef TESTS_WEB_BROWSER_H
#define TESTS_WEB_BROWSER_H

#include <poll.h>
#include <unistd.h>

#include "../monitor/calls.h"
#include "server/statistics.h"
#include "web/connection.h"

void __wrap_statistics_each(struct services *v, statistics_taker *take, void *context);

/* What there is to be counted lies outside the parts that tests have. */
void __wrap_statistics_each(struct services *v, statistics_taker *take, void *context)
{
	(void)v;
	take(context, "all time connections", 2, "");
}

static struct web_desk desk;
static struct web_connection c;
static int client = -1; /* its other end */
static char cookie[LOGINS_ID_TEXT + 1]; /* of who has logged in */
static char token[LOGINS_ID_TEXT + 1];

static inline int setup(void **state)
{
	if (scratch_enter(state) != 0)
		return -1;
	parts_now = 1000000;
	parts_make(400, 1000);
	parts.limits = limit_book_new();
	assert_non_null(parts.limits);
	parts_add_user("root", USER_ROLE_ADMIN);
	parts_add_user("alice", USER_ROLE_USER);
	open_queue(&hasher);
	open_queue(&changer);
	open_queue(&back);
	memset(&desk, 0, sizeof(desk));
	desk.services = &parts;
	desk.done = back.errands;
	most_bytes = SIZE_MAX;
	hash_fault = 0;
	change_problem = NULL;
	fail_move(0, 0);
	return log_open("log");
}

static inline void hang_up(void)
{
	if (client >= 0)
		close(client);
	client = -1;
	if (c.phase != WEB_FREE)
		connection_close(&c);
}

static inline int teardown(void **state)
{
	hang_up();
	errands_free(hasher.errands);
	errands_free(changer.errands);
	errands_free(back.errands);
	parts_free();
	limit_book_free(parts.limits);
	log_close();
	return scratch_leave(state);
}

static inline void open_from(const char *host)
{
	struct addr from = parts_addr(host, 51514);
	struct peer peer = peer_from_address(NULL, &from);
	int ends[2];

	hang_up();
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	client = ends[0];
	connection_open(&c, &desk, ends[1], &peer);
}

/* One turn of the loop that polls, if there is anything to do. */
static inline bool serve_connection(void)
{
	struct pollfd p = {.fd = c.fd, .events = connection_events(&c)};

	if (connection_is_busy(&c)) {
		connection_step(&c, 0);
		return true;
	}
	if (p.events == 0 || poll(&p, 1, 0) <= 0)
		return false;
	connection_step(&c, p.revents);
	return true;
}

static inline void serve(void)
{
	while (serve_connection() || work(&hasher) || work(&changer) || work(&back))
		;
}

static char heard[1 << 20];

/* All that the client gets to read. */
static inline const char *hear(void)
{
	size_t len = 0;
	ssize_t n;

	do {
		serve();
		n = read(client, heard + len, sizeof(heard) - len - 1);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	heard[len] = '\0';
	return heard;
}

static inline void say(const char *text)
{
	assert_int_equal(write(client, text, strlen(text)), strlen(text));
}

/* What is answered to a request that is given as it is, on a connection of its own. */
static inline const char *ask_raw(const char *request)
{
	open_from("192.0.2.7");
	say(request);
	return hear();
}

/* The same, from the line and the fields, each with its line end, and the body. */
static inline const char *ask(const char *line, const char *fields, const char *body)
{
	static char request[1 << 17];

	snprintf(request, sizeof(request),
		"%s HTTP/1.1\r\nHost: 192.0.2.1:8081\r\n%sContent-Length: %zu\r\n\r\n%s", line,
		fields, strlen(body), body);
	return ask_raw(request);
}

static inline unsigned status_of(const char *answer)
{
	assert_begins(answer, "HTTP/1.1 ");
	return (unsigned)atoi(answer + 9);
}

#define assert_status(answer, status) assert_int_equal(status_of(answer), status)

static inline const char *body_of(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

#define OWN "Sec-Fetch-Site: same-origin\r\n"

/* The 64 digits behind `mark`. */
static inline void take_digits(const char *answer, const char *mark, char out[LOGINS_ID_TEXT + 1])
{
	const char *at = strstr(answer, mark);

	assert_non_null(at);
	snprintf(out, LOGINS_ID_TEXT + 1, "%s", at + strlen(mark));
}

/* With the cookie. */
static inline const char *ask_logged_in(const char *line, const char *more, const char *body)
{
	char fields[512];

	snprintf(fields, sizeof(fields), "Cookie: a=b; socks5d=%s\r\n%s", cookie, more);
	return ask(line, fields, body);
}

/* As this user, whose password is "secret"; keeps the cookie and the token. */
static inline void log_in_as(const char *name)
{
	char form[128];
	const char *answer;

	snprintf(form, sizeof(form), "name=%s&password=secret", name);
	answer = ask("POST /login", OWN, form);
	assert_status(answer, 303);
	take_digits(answer, "Set-Cookie: socks5d=", cookie);
	answer = ask_logged_in("GET /api/session", "", "");
	assert_status(answer, 200);
	take_digits(answer, "\"token\":\"", token);
}

#endif
