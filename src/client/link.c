/*
 * What was received gathers in one buffer until a line or a reply is complete. The deadline moves
 * with every byte: a long reply may take its time, silence may not.
 *
 * A server that ends the connection may have said why, in a line that nobody asked for; that line
 * becomes part of the error.
 */
#include "client/link.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/request.h"
#include "net/local.h"
#include "net/socket.h"

#define FIRST_SIZE 16384
#define PLACE_MAX 300

struct link {
	int fd;
	struct addr peer;
	int interrupt;
	int64_t patience_ms;
	size_t reply_max;
	char place[PLACE_MAX];
	int64_t deadline;
	char *bytes;
	size_t size;
	size_t len;
	size_t looked_at; /* up to here there is no end of a reply */
	size_t handed; /* bytes of the line that link_next_line() has given out */
	bool never_waits;
	bool ends_lines; /* link_end_lines() has said so */
	bool farewell; /* the request was QUIT, whose reply is one line */
	char error[LINK_ERROR_MAX];
};

/* ---- errors ---- */

__attribute__((format(printf, 2, 3))) static int broken(struct link *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(l->error, sizeof(l->error), format, args);
	va_end(args);
	return LINK_BROKEN;
}

static int silent(struct link *l)
{
	return broken(
		l, "the server is silent: nothing came for %g s", (double)l->patience_ms / 1000);
}

/* The last thing that the server said, if it was a refusal. */
static int ended(struct link *l, const char *why)
{
	const char *p = l->bytes;
	struct answer last;
	int result;

	if (l->len == 0 || answer_parse(p, l->len, &last) < 0)
		return broken(l, "the server ended the connection%s", why);
	result = broken(l, "the server ended the connection%s%s%.*s", why, last.ok ? "" : ": ",
		last.ok ? 0 : (int)last.status.len, last.status.text);
	answer_free(&last);
	return result;
}

/* ---- connecting ---- */

/* Waits for the attempt to end: 0 or an errno value. */
static int await_connection(int fd, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return socket_wait(&p, 1, deadline) <= 0 ? ETIMEDOUT : socket_connect_result(fd);
}

/* A connected socket, or -1 with errno. */
static int connect_to(const struct addr *to, int64_t patience_ms)
{
	int fd = socket_connect_start(to, NULL), error;

	if (fd < 0)
		return -1;
	error = await_connection(fd, clock_deadline(patience_ms));
	if (error == 0)
		return fd;
	socket_close(fd);
	errno = error;
	return -1;
}

static int connect_to_any(const struct addrinfo *list, int64_t patience_ms, struct addr *peer)
{
	int fd = -1;

	for (const struct addrinfo *info = list; info != NULL && fd < 0; info = info->ai_next) {
		*peer = addr_from_sockaddr(info->ai_addr);
		fd = connect_to(peer, patience_ms);
	}
	return fd;
}

static void name_place(const struct link_target *t, char out[PLACE_MAX])
{
	bool is_ipv6 = strchr(t->host, ':') != NULL;

	if (t->path != NULL)
		snprintf(out, PLACE_MAX, "%s", t->path);
	else
		snprintf(out, PLACE_MAX, "%s%s%s:%s", is_ipv6 ? "[" : "", t->host,
			is_ipv6 ? "]" : "", t->port);
}

static void explain(const struct link_target *t, const char *why, char error[LINK_ERROR_MAX])
{
	char place[PLACE_MAX];

	name_place(t, place);
	snprintf(error, LINK_ERROR_MAX, "cannot reach %s: %s (does socks5d run%s)", place, why,
		t->path != NULL ? ", with this monitor_socket?" : "? -L and -P say where");
}

static int connect_by_name(
	const struct link_target *t, struct addr *peer, char error[LINK_ERROR_MAX])
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	int result = getaddrinfo(t->host, t->port, &hints, &list), fd;

	if (result != 0) {
		explain(t, result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result), error);
		return -1;
	}
	fd = connect_to_any(list, t->patience_ms, peer);
	if (fd < 0)
		explain(t, strerror(errno), error);
	freeaddrinfo(list);
	return fd;
}

static int connect_by_path(const struct link_target *t, char error[LINK_ERROR_MAX])
{
	int fd = local_connect(t->path, t->patience_ms);

	if (fd < 0)
		explain(t, strerror(errno), error);
	return fd;
}

/* Without a socket; NULL without memory. */
static struct link *new_link(const struct link_target *target)
{
	struct link *l = malloc(sizeof(*l));

	if (l == NULL)
		return NULL;
	*l = (struct link){.fd = -1,
		.peer = {.sa.sa_family = AF_UNSPEC},
		.interrupt = -1,
		.patience_ms = target->patience_ms,
		.reply_max = target->reply_max,
		.size = FIRST_SIZE};
	name_place(target, l->place);
	l->bytes = malloc(l->size);
	if (l->bytes != NULL)
		return l;
	free(l);
	return NULL;
}

/* With its socket. */
static void begin_talking(struct link *l)
{
	socket_keep_alive(l->fd);
	l->deadline = clock_deadline(l->patience_ms);
}

struct link *link_open(const struct link_target *target, char error[LINK_ERROR_MAX])
{
	struct link *l = new_link(target);

	snprintf(error, LINK_ERROR_MAX, "out of memory");
	if (l == NULL)
		return NULL;
	l->fd = target->path != NULL ? connect_by_path(target, error)
				     : connect_by_name(target, &l->peer, error);
	if (l->fd < 0) {
		link_close(l);
		return NULL;
	}
	begin_talking(l);
	return l;
}

struct link *link_start(
	const struct addr *to, const struct link_target *target, char error[LINK_ERROR_MAX])
{
	struct link *l = new_link(target);

	snprintf(error, LINK_ERROR_MAX, "out of memory");
	if (l == NULL)
		return NULL;
	l->peer = *to;
	l->fd = socket_connect_start(to, NULL);
	if (l->fd < 0) {
		snprintf(error, LINK_ERROR_MAX, "%s", strerror(errno));
		link_close(l);
		return NULL;
	}
	begin_talking(l);
	return l;
}

int link_connected(struct link *l)
{
	struct pollfd p = {.fd = l->fd, .events = POLLOUT};
	int error = 0;

	if (socket_wait(&p, 1, clock_ms()) > 0)
		error = socket_connect_result(l->fd);
	else if (clock_ms() < l->deadline)
		return 0;
	else
		error = ETIMEDOUT;
	if (error != 0)
		return broken(l, "%s", strerror(error));
	l->deadline = clock_deadline(l->patience_ms);
	return 1;
}

void link_close(struct link *l)
{
	if (l == NULL)
		return;
	socket_close(l->fd);
	free(l->bytes);
	free(l);
}

void link_interrupt_by(struct link *l, int fd)
{
	l->interrupt = fd;
}

void link_never_wait(struct link *l)
{
	l->never_waits = true;
}

int link_fd(const struct link *l)
{
	return l->fd;
}

const char *link_place(const struct link *l)
{
	return l->place;
}

const struct addr *link_peer(const struct link *l)
{
	return &l->peer;
}

const char *link_error(const struct link *l)
{
	return l->error;
}

int64_t link_deadline(const struct link *l)
{
	return l->deadline;
}

/* ---- bytes ---- */

static int wait_for(struct link *l, short events)
{
	struct pollfd fds[2] = {
		{.fd = l->fd, .events = events}, {.fd = l->interrupt, .events = POLLIN}};

	if (l->never_waits)
		return broken(l, "the server would have to be waited for");
	if (socket_wait(fds, 2, l->deadline) == 0)
		return silent(l);
	return fds[1].revents != 0 ? LINK_INTERRUPTED : 0;
}

static int make_room_for_reply(struct link *l)
{
	char *bytes;

	if (l->len < l->size)
		return 0;
	if (l->len >= l->reply_max)
		return broken(l, "the server's reply is too long");
	bytes = realloc(l->bytes, l->size * 2);
	if (bytes == NULL)
		return broken(l, "out of memory");
	l->bytes = bytes;
	l->size *= 2;
	return 0;
}

/* Reads once, without waiting: how many bytes came, 0 for none yet. */
static ssize_t read_once(struct link *l)
{
	ssize_t n;

	if (make_room_for_reply(l) < 0)
		return LINK_BROKEN;
	n = socket_read(l->fd, l->bytes + l->len, l->size - l->len);
	if (n > 0) {
		l->len += (size_t)n;
		l->deadline = clock_deadline(l->patience_ms);
		return n;
	}
	if (n < 0 && errno == EAGAIN)
		return clock_ms() >= l->deadline ? silent(l) : 0;
	if (n == 0)
		return ended(l, "");
	return broken(l, "the connection broke: %s", strerror(errno));
}

int link_check(struct link *l)
{
	ssize_t n;

	l->deadline = CLOCK_NEVER; /* nothing is owed */
	do
		n = read_once(l);
	while (n > 0);
	return n < 0 ? LINK_BROKEN : 0;
}

/* Bytes could not be sent: the server may have said why before it went. */
static int explain_refused_write(struct link *l)
{
	int error = errno;

	for (;;) {
		ssize_t n = read_once(l);

		if (n == 0)
			return broken(l, "the connection broke: %s", strerror(error));
		if (n < 0)
			return LINK_BROKEN;
	}
}

static int write_all(struct link *l, const char *text, size_t len)
{
	int result;

	while (len > 0) {
		ssize_t n = socket_write(l->fd, text, len);

		if (n < 0 && errno != EAGAIN)
			return explain_refused_write(l);
		if (n < 0 && (result = wait_for(l, POLLOUT)) < 0)
			return result;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* In one piece, so that text and LF travel together. What came before was not asked for and is
 * dropped, but for a refusal, with which the server takes its leave: whether it goes at once or
 * never is its own affair. */
static int send_line(struct link *l, const char *text)
{
	size_t len = strlen(text);
	char *line;
	int result;

	if (link_check(l) < 0)
		return LINK_BROKEN;
	if (l->len > 2 && memcmp(l->bytes, "ERR", 3) == 0)
		return ended(l, "");
	line = malloc(len + 1);
	if (line == NULL)
		return broken(l, "out of memory");
	memcpy(line, text, len);
	line[len] = '\n';
	l->len = l->looked_at = l->handed = 0;
	l->ends_lines = false;
	l->deadline = clock_deadline(l->patience_ms);
	result = write_all(l, line, len + 1);
	explicit_bzero(line, len + 1);
	free(line);
	return result;
}

/* ---- lines ---- */

static void consume_received(struct link *l, size_t n)
{
	l->len -= n;
	memmove(l->bytes, l->bytes + n, l->len);
	l->looked_at = 0;
}

/* A whole line, without waiting: its length with the LF, 0 while there is none, or what went wrong.
 */
static ssize_t find_line(struct link *l)
{
	for (;;) {
		const char *end = memchr(l->bytes + l->looked_at, '\n', l->len - l->looked_at);
		ssize_t n;

		if (end != NULL)
			return end - l->bytes + 1;
		l->looked_at = l->len;
		n = read_once(l);
		if (n <= 0)
			return n;
	}
}

/* Waits for it. */
static ssize_t await_line(struct link *l)
{
	ssize_t n;
	int result;

	while ((n = find_line(l)) == 0) {
		result = wait_for(l, POLLIN);
		if (result < 0)
			return result;
	}
	return n;
}

/* Takes the first `n` bytes, which are a line. */
static void take_greeting(struct link *l, size_t n, char *line, size_t size)
{
	size_t len = n - 1;

	if (len > 0 && l->bytes[len - 1] == '\r')
		len--;
	snprintf(line, size, "%.*s", (int)len, l->bytes);
	consume_received(l, n);
}

int link_greeting(struct link *l, char *line, size_t size)
{
	ssize_t n = await_line(l);

	if (n < 0)
		return (int)n;
	take_greeting(l, (size_t)n, line, size);
	return 0;
}

int link_receive_greeting(struct link *l, char *line, size_t size)
{
	ssize_t n = find_line(l);

	if (n <= 0)
		return (int)n;
	take_greeting(l, (size_t)n, line, size);
	return 1;
}

/* Hands out the first `n` bytes received. */
static int take_reply(struct link *l, size_t n, struct answer *out)
{
	if (answer_parse(l->bytes, n, out) < 0)
		return broken(l, "this is no monitor of socks5d: its answer is neither OK nor ERR");
	consume_received(l, n);
	return 0;
}

int link_login(struct link *l, const char *login, struct answer *out)
{
	ssize_t n = send_line(l, login);

	if (n == 0)
		n = await_line(l);
	return n < 0 ? (int)n : take_reply(l, (size_t)n, out);
}

int link_receive_login(struct link *l, struct answer *out)
{
	ssize_t n = find_line(l);

	if (n <= 0)
		return (int)n;
	return take_reply(l, (size_t)n, out) < 0 ? LINK_BROKEN : 1;
}

/* ---- requests ---- */

int link_send(struct link *l, const char *request)
{
	l->farewell = request_is(request, "QUIT");
	return send_line(l, request);
}

/* How many bytes the reply takes, 0 when it is not complete. */
static size_t find_reply(struct link *l)
{
	size_t end = answer_find_end(l->bytes, l->len, l->looked_at);

	l->looked_at = l->len;
	/* An ERR to QUIT is a reply like any other. */
	if (end == 0 && l->farewell && l->len > 2 && memcmp(l->bytes, "OK", 2) == 0) {
		const char *first = memchr(l->bytes, '\n', l->len);

		return first == NULL ? 0 : (size_t)(first - l->bytes) + 1;
	}
	return end;
}

int link_receive(struct link *l, struct answer *out)
{
	for (;;) {
		size_t end = find_reply(l);
		ssize_t n;

		if (end > 0)
			return take_reply(l, end, out) < 0 ? LINK_BROKEN : 1;
		n = read_once(l);
		if (n <= 0)
			return (int)n;
	}
}

int link_await(struct link *l, struct answer *out)
{
	int result = 0;

	while (result == 0 && (result = link_receive(l, out)) == 0)
		result = wait_for(l, POLLIN);
	return result < 0 ? result : 0;
}

int link_ask(struct link *l, const char *request, struct answer *out)
{
	int result = link_send(l, request);

	return result < 0 ? result : link_await(l, out);
}

int link_read_out(struct link *l)
{
	ssize_t n;

	l->deadline = clock_deadline(l->patience_ms);
	do {
		n = wait_for(l, POLLIN);
		if (n == 0)
			n = read_once(l);
	} while (n >= 0);
	return (int)n;
}

int link_next_line(struct link *l, struct monitor_line *out)
{
	ssize_t n;

	if (l->handed > 0)
		consume_received(l, l->handed);
	l->handed = 0;
	n = find_line(l);
	if (n <= 0)
		return (int)n;
	l->handed = (size_t)n;
	if (!l->ends_lines)
		l->deadline = CLOCK_NEVER;
	*out = (struct monitor_line){.text = l->bytes, .len = l->handed - 1};
	return 1;
}

int link_end_lines(struct link *l)
{
	l->ends_lines = true;
	l->deadline = clock_deadline(l->patience_ms);
	return write_all(l, "\n", 1);
}
