/*
 * One function for each protocol, that talks in the order of its RFC over a socket that is there,
 * with receive_answer() and send_message() for every wait: for the server, for the client, which
 * may leave, and for the deadline. What goes wrong is either the server's fault, for which it rests
 * and the next one is tried, or an answer about the target, which is everybody's.
 *
 * Silence behind a request may be the target's, which the server waits for. Where the server has
 * answered before, as SOCKS5 ones have, it is. A server of the other kinds that says nothing at
 * all, and one that breaks off instead of answering, is passed over for this request, but does not
 * rest: else a client could put it to rest for all with a target that has it do so.
 */
#include "proxy/upstream_talk.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "net/socket.h"
#include "wire/http_response.h"
#include "wire/socks4.h"
#include "wire/socks5.h"

enum upstream_outcome upstream_blame(struct upstream_talk *t, enum upstream_fault fault)
{
	t->fault = fault;
	return OUTCOME_FAULT;
}

static enum upstream_outcome pass_over(struct upstream_talk *t, enum end_reason why)
{
	t->why_quiet = why;
	return OUTCOME_QUIET;
}

enum upstream_outcome upstream_fail_for_target(struct upstream_talk *t, enum end_reason why)
{
	t->request->failure = why;
	return OUTCOME_FAILED;
}

/* ---- waiting ---- */

/* Until the server can be read from or written to, or until then. OUTCOME_TAKEN: it is worth a try.
 */
static enum upstream_outcome await_until(struct upstream_talk *t, short events, int64_t until)
{
	struct watch *w = t->request->watch;
	struct pollfd fds[2] = {watch_entry(w), {.fd = events != 0 ? t->fd : -1, .events = events}};

	socket_wait(fds, 2, watch_deadline(w, until));
	if (watch_left(w, &fds[0]))
		return upstream_fail_for_target(t, END_CLIENT_LEFT);
	if (fds[1].revents != 0)
		return OUTCOME_TAKEN;
	if (watch_is_over(w))
		return upstream_fail_for_target(t, END_CLIENT_FINISHED);
	if (clock_ms() < t->deadline)
		return OUTCOME_TAKEN; /* it is tried and found to have nothing */
	if (t->has_asked && t->has_answered)
		return upstream_fail_for_target(t, END_CONNECT_TIMEOUT);
	return t->has_asked ? pass_over(t, END_CONNECT_TIMEOUT)
			    : upstream_blame(t, UPSTREAM_SILENT);
}

static enum upstream_outcome await_server(struct upstream_talk *t, short events)
{
	return await_until(t, events, t->deadline);
}

/* Memory of the kernel's is out here, which may pass and is none of the server's faults. */
static enum upstream_outcome await_memory(struct upstream_talk *t, int error, struct backoff *pause)
{
	int64_t until = clock_deadline(backoff_next(pause));

	if (until < t->deadline)
		return await_until(t, 0, until);
	t->request->error = error;
	return upstream_fail_for_target(t, END_UPSTREAM_FAILED);
}

static enum upstream_outcome take_breaking_off(struct upstream_talk *t, int error)
{
	t->request->error = error;
	return t->has_asked ? pass_over(t, END_UPSTREAM_FAILED)
			    : upstream_blame(t, UPSTREAM_BROKEN_OFF);
}

/* Waits for what a read or write needs that failed with this errno, if that helps. */
static enum upstream_outcome wait_to_retry(
	struct upstream_talk *t, short events, int error, struct backoff *pause)
{
	if (socket_lacks_memory(error))
		return await_memory(t, error, pause);
	return error == EAGAIN ? await_server(t, events) : take_breaking_off(t, error);
}

static enum upstream_outcome send_message(struct upstream_talk *t, const void *bytes, size_t len)
{
	struct backoff pause = {0};

	for (size_t sent = 0; sent < len;) {
		ssize_t n = socket_write(t->fd, (const uint8_t *)bytes + sent, len - sent);
		enum upstream_outcome o;

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		o = wait_to_retry(t, POLLOUT, errno, &pause);
		if (o != OUTCOME_TAKEN)
			return o;
	}
	return OUTCOME_TAKEN;
}

/* Reads more of what the server says. */
static enum upstream_outcome receive_more(struct upstream_talk *t)
{
	enum upstream_outcome o = await_server(t, POLLIN);
	struct buffer *in = t->request->in;
	struct backoff pause = {0};

	while (o == OUTCOME_TAKEN) {
		ssize_t n;

		buffer_compact(in);
		n = socket_read(t->fd, buffer_tail(in), buffer_writable(in));
		if (n > 0) {
			buffer_commit(in, (size_t)n);
			return OUTCOME_TAKEN;
		}
		o = n == 0 ? take_breaking_off(t, 0) : wait_to_retry(t, POLLIN, errno, &pause);
	}
	return o;
}

/* A parser of wire/, with the type of its result left out: the length of the message, 0 when it is
 * not complete yet, or less when it is malformed. */
typedef int answer_parser(const uint8_t *p, size_t n, void *out);

/* Waits for a whole answer and takes it. What `out` refers to in it is valid until the next one. */
static enum upstream_outcome receive_answer(
	struct upstream_talk *t, answer_parser *parse, void *out)
{
	struct buffer *in = t->request->in;

	for (;;) {
		int len = parse(buffer_head(in), buffer_readable(in), out);
		enum upstream_outcome o;

		if (len > 0) {
			t->has_answered = true;
			buffer_consume(in, (size_t)len);
			return OUTCOME_TAKEN;
		}
		if (len < 0 || buffer_readable(in) == in->size)
			return upstream_blame(t, UPSTREAM_GARBLED);
		o = receive_more(t);
		if (o != OUTCOME_TAKEN)
			return o;
	}
}

/* The request itself goes out; from here on there is all the time that is left, where the server
 * is known to speak its protocol. */
static enum upstream_outcome send_request(struct upstream_talk *t, const void *bytes, size_t len)
{
	enum upstream_outcome o = send_message(t, bytes, len);

	t->has_asked = true;
	if (t->has_answered)
		t->deadline = t->request->deadline;
	return o;
}

/* ---- SOCKS5 ---- */

static int parse_method(const uint8_t *p, size_t n, void *out)
{
	return socks5_parse_method(p, n, out);
}

static int parse_login_status(const uint8_t *p, size_t n, void *out)
{
	return socks5_parse_login_status(p, n, out);
}

static int parse_socks5_reply(const uint8_t *p, size_t n, void *out)
{
	return socks5_parse_reply(p, n, out);
}

static bool has_login(const struct upstream *u)
{
	return u->url->has_user;
}

static enum upstream_outcome log_in_to_server(struct upstream_talk *t)
{
	const struct upstream_url *url = t->server->url;
	const struct socks5_login login = {.name = (const uint8_t *)url->user,
		.name_len = url->user_len,
		.password = (const uint8_t *)url->password,
		.password_len = url->password_len};
	uint8_t message[SOCKS5_MESSAGE_MAX];
	enum upstream_outcome o;
	bool success = false;

	o = send_message(t, message, socks5_format_login(message, &login));
	explicit_bzero(message, sizeof(message));
	if (o == OUTCOME_TAKEN)
		o = receive_answer(t, parse_login_status, &success);
	return o == OUTCOME_TAKEN && !success ? upstream_blame(t, UPSTREAM_LOGIN_REFUSED) : o;
}

static enum upstream_outcome greet_server(struct upstream_talk *t)
{
	uint8_t message[SOCKS5_GREETING_MAX], method = SOCKS5_NO_METHOD;
	enum upstream_outcome o =
		send_message(t, message, socks5_format_greeting(message, has_login(t->server)));

	if (o == OUTCOME_TAKEN)
		o = receive_answer(t, parse_method, &method);
	if (o != OUTCOME_TAKEN || method == SOCKS5_NO_LOGIN)
		return o;
	if (method == SOCKS5_PASSWORD && has_login(t->server))
		return log_in_to_server(t);
	return upstream_blame(
		t, method == SOCKS5_NO_METHOD ? UPSTREAM_LOGIN_REFUSED : UPSTREAM_GARBLED);
}

/* What its REP says is said on, so that each client is told the same in its own protocol. */
static enum end_reason reason_of_rep(uint8_t rep)
{
	static const enum end_reason reasons[] = {[SOCKS5_GENERAL_FAILURE] = END_UPSTREAM_FAILED,
		[SOCKS5_NOT_ALLOWED] = END_UPSTREAM_DENIED,
		[SOCKS5_NETWORK_UNREACHABLE] = END_NETWORK_UNREACHABLE,
		[SOCKS5_HOST_UNREACHABLE] = END_HOST_UNREACHABLE,
		[SOCKS5_CONNECTION_REFUSED] = END_CONNECT_REFUSED,
		[SOCKS5_TTL_EXPIRED] = END_CONNECT_TIMEOUT,
		[SOCKS5_COMMAND_NOT_SUPPORTED] = END_COMMAND_UNSUPPORTED,
		[SOCKS5_ATYP_NOT_SUPPORTED] = END_ATYP_UNSUPPORTED};

	return rep < sizeof(reasons) / sizeof(reasons[0]) ? reasons[rep] : END_UPSTREAM_FAILED;
}

enum upstream_outcome upstream_receive_reply(struct upstream_talk *t)
{
	struct socks5_reply reply;
	enum upstream_outcome o = receive_answer(t, parse_socks5_reply, &reply);

	if (o != OUTCOME_TAKEN)
		return o;
	if (reply.rep != SOCKS5_SUCCEEDED)
		return upstream_fail_for_target(t, reason_of_rep(reply.rep));
	t->request->bound = reply.bound.addr;
	return OUTCOME_TAKEN;
}

static enum socks5_command socks5_command_of(enum request_command command)
{
	if (command == REQUEST_BIND)
		return SOCKS5_BIND;
	return command == REQUEST_UDP_ASSOCIATE ? SOCKS5_UDP_ASSOCIATE : SOCKS5_CONNECT;
}

static enum upstream_outcome ask_socks5_server(struct upstream_talk *t)
{
	const struct upstream_request *r = t->request;
	uint8_t message[SOCKS5_REQUEST_MAX];
	enum upstream_outcome o = greet_server(t);

	if (o == OUTCOME_TAKEN)
		o = send_request(t, message,
			socks5_format_request(message, socks5_command_of(r->command), r->dst));
	return o == OUTCOME_TAKEN ? upstream_receive_reply(t) : o;
}

/* ---- SOCKS4a ---- */

static int parse_socks4_reply(const uint8_t *p, size_t n, void *out)
{
	return socks4_parse_reply(p, n, out);
}

/* An IPv6 address has no place in it. */
static bool socks4_fits(const struct upstream_request *r)
{
	return r->dst->kind == DESTINATION_NAME || r->dst->addr.sa.sa_family == AF_INET;
}

static enum upstream_outcome ask_socks4_server(struct upstream_talk *t)
{
	const struct upstream_url *url = t->server->url;
	uint8_t message[SOCKS4_ASKING_MAX];
	struct socks4_reply reply;
	enum upstream_outcome o = send_request(t, message,
		socks4_format_request(message, SOCKS4_CONNECT, t->request->dst, url->user));

	if (o == OUTCOME_TAKEN)
		o = receive_answer(t, parse_socks4_reply, &reply);
	if (o != OUTCOME_TAKEN)
		return o;
	if (reply.code == SOCKS4_NO_IDENTD || reply.code == SOCKS4_OTHER_USER)
		return upstream_blame(t, UPSTREAM_LOGIN_REFUSED);
	if (reply.code != SOCKS4_GRANTED)
		return upstream_fail_for_target(t, END_UPSTREAM_FAILED);
	t->request->bound = reply.bound;
	return OUTCOME_TAKEN;
}

/* ---- HTTP ---- */

const char *upstream_authorization(const struct upstream *u, char out[UPSTREAM_AUTHORIZATION_MAX])
{
	static const char scheme[] = "Basic ";
	const struct upstream_url *url = u->url;
	uint8_t pair[2 * UPSTREAM_FIELD_MAX + 1];
	size_t len = url->user_len;

	out[0] = '\0';
	if (!url->has_user)
		return out;
	memcpy(pair, url->user, len);
	pair[len++] = ':';
	memcpy(pair + len, url->password, url->password_len);
	len += url->password_len;
	strcpy(out, scheme);
	sodium_bin2base64(out + sizeof(scheme) - 1, UPSTREAM_AUTHORIZATION_MAX - sizeof(scheme) + 1,
		pair, len, sodium_base64_VARIANT_ORIGINAL);
	explicit_bzero(pair, sizeof(pair));
	return out;
}

struct http_answer {
	struct http_response response;
	size_t seen;
};

/* What does not begin like one is not waited for to its end. */
static int parse_http_answer(const uint8_t *p, size_t n, void *out)
{
	static const char version[] = "HTTP/1.";
	size_t known = n < sizeof(version) - 1 ? n : sizeof(version) - 1;
	struct http_answer *a = out;
	int len;

	if (memcmp(p, version, known) != 0)
		return HTTP_BAD_LINE;
	len = http_parse_response(p, n, &a->seen, &a->response);
	if (len > 0)
		a->seen = 0; /* for the next one */
	return len;
}

/* What has bytes that no host of HTTP has is nobody's name there. */
static bool is_http_host(const struct destination *dst)
{
	for (size_t i = 0; dst->kind == DESTINATION_NAME && i < dst->name_len; i++) {
		unsigned char c = (unsigned char)dst->name[i];

		if (c <= ' ' || c >= 0x7f || strchr("/?#@[]:\\", c) != NULL)
			return false;
	}
	return true;
}

static bool http_fits(const struct upstream_request *r)
{
	return r->wants_http || is_http_host(r->dst);
}

/* A name as it is. */
static void format_authority(const struct destination *dst, char *out, size_t size)
{
	char text[ADDR_TEXT_MAX];

	if (dst->kind == DESTINATION_NAME)
		snprintf(out, size, "%.*s:%u", (int)dst->name_len, dst->name, dst->port);
	else
		snprintf(out, size, "%s", addr_format(&dst->addr, text));
}

static enum upstream_outcome send_connect(struct upstream_talk *t)
{
	char authority[DESTINATION_NAME_MAX + 8], login[UPSTREAM_AUTHORIZATION_MAX];
	char message[2 * sizeof(authority) + sizeof(login) + 96];
	enum upstream_outcome o;
	int len;

	format_authority(t->request->dst, authority, sizeof(authority));
	upstream_authorization(t->server, login);
	len = snprintf(message, sizeof(message), "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n",
		authority, authority, *login != '\0' ? "Proxy-Authorization: " : "", login,
		*login != '\0' ? "\r\n" : "");
	o = send_request(t, message, (size_t)len);
	explicit_bzero(login, sizeof(login));
	explicit_bzero(message, sizeof(message));
	return o;
}

static enum end_reason reason_of_status(unsigned status)
{
	if (status == 504)
		return END_CONNECT_TIMEOUT;
	return status >= 400 && status < 500 ? END_UPSTREAM_DENIED : END_UPSTREAM_FAILED;
}

/* A server that says one interim answer after the other need not be waited for, which is where the
 * deadline is seen otherwise. */
static enum upstream_outcome receive_final_answer(
	struct upstream_talk *t, struct http_answer *answer)
{
	enum upstream_outcome o;
	bool is_interim;

	do {
		o = receive_answer(t, parse_http_answer, answer);
		is_interim = o == OUTCOME_TAKEN && http_response_is_interim(&answer->response);
	} while (is_interim && clock_ms() < t->deadline);
	return is_interim ? upstream_fail_for_target(t, END_CONNECT_TIMEOUT) : o;
}

static enum upstream_outcome ask_http_server(struct upstream_talk *t)
{
	struct http_answer answer = {.seen = 0};
	enum upstream_outcome o;

	t->request->bound = socket_local_addr(t->fd);
	if (t->request->wants_http)
		return OUTCOME_TAKEN;
	o = send_connect(t);
	if (o == OUTCOME_TAKEN)
		o = receive_final_answer(t, &answer);
	if (o != OUTCOME_TAKEN || answer.response.status / 100 == 2)
		return o;
	/* Some say 401 where they mean 407; of the target neither is said before it is reached. */
	if (answer.response.status == 407 || answer.response.status == 401)
		return upstream_blame(t, UPSTREAM_LOGIN_REFUSED);
	return upstream_fail_for_target(t, reason_of_status(answer.response.status));
}

/* ---- one of them ---- */

static const struct upstream_protocol {
	bool does_all; /* BIND and UDP ASSOCIATE, too */
	bool (*fits)(const struct upstream_request *r); /* NULL: any target does */
	enum upstream_outcome (*ask)(struct upstream_talk *t);
} protocols[UPSTREAM_KINDS] = {
	[UPSTREAM_SOCKS5] = {.does_all = true, .ask = ask_socks5_server},
	[UPSTREAM_SOCKS4A] = {.fits = socks4_fits, .ask = ask_socks4_server},
	[UPSTREAM_HTTP] = {.fits = http_fits, .ask = ask_http_server},
};

enum end_reason upstream_misfit(const struct upstream_request *r, const struct upstream *server)
{
	const struct upstream_protocol *p = &protocols[server->url->kind];

	if (r->command != REQUEST_CONNECT && !p->does_all)
		return END_COMMAND_UNSUPPORTED;
	return p->fits != NULL && !p->fits(r) ? END_ATYP_UNSUPPORTED : END_REASONS;
}

enum upstream_outcome upstream_ask(struct upstream_talk *t)
{
	return protocols[t->server->url->kind].ask(t);
}
