/*
 * The steps of RFC 1928, one function each, called in the RFC's order by serve(). A step that fails
 * says why with fail() or refuse(), and the reason decides everything else: the reply, the counter,
 * the line in the log, and how the sockets are closed.
 *
 * The client's bytes go through `in` from the first on, so what follows a message in the same
 * segment is simply there for the next step, and what follows the request is the first that the
 * relay sends on.
 */
#include "proxy/session.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/digits.h"
#include "base/escape.h"
#include "base/log.h"
#include "net/socket.h"
#include "proxy/bind.h"
#include "proxy/relay.h"
#include "proxy/udp.h"
#include "state/acl.h"

/* How long, and for how many bytes, a refused client is read from, so that the kernel sends it no
 * reset that would overtake the refusal. */
#define LINGER_MS 2000
#define LINGER_BYTES (256 * 1024)

static void enter(struct session *s, enum session_phase phase)
{
	registry_set_phase(s->services->registry, s->slot, phase);
}

static bool fail(struct session *s, enum end_reason reason)
{
	s->reason = reason;
	return false;
}

/* ---- messages from and to the client ---- */

/* Reads more from the client; false when it left or the deadline passed. A client that was just
 * accepted has usually sent already; later it is waited for first, since it has only just got our
 * answer. */
static bool receive_more(struct session *s, bool wait_first)
{
	struct pollfd p = {.fd = s->client, .events = POLLIN};
	ssize_t n;

	for (;; wait_first = true) {
		if (wait_first && socket_wait(&p, 1, s->deadline) == 0)
			return fail(s, END_HANDSHAKE_TIMEOUT);
		n = socket_read(s->client, buffer_tail(&s->in), buffer_writable(&s->in));
		if (n > 0) {
			buffer_commit(&s->in, (size_t)n);
			return true;
		}
		if (n == 0 || errno != EAGAIN)
			return fail(s, s->reason);
	}
}

/* A parser of socks5.h, with the type of its result left out. */
typedef int parse_function(const uint8_t *p, size_t n, void *out);

/* Waits for a whole message: its length, SOCKS5_MALFORMED, or SOCKS5_MORE when none came. */
static int receive_message(struct session *s, parse_function *parse, void *out)
{
	for (;;) {
		int len = parse(buffer_head(&s->in), buffer_readable(&s->in), out);

		if (len != SOCKS5_MORE || !receive_more(s, true))
			return len;
	}
}

static bool send_message(struct session *s, const uint8_t *message, size_t len)
{
	struct pollfd p = {.fd = s->client, .events = POLLOUT};

	while (len > 0) {
		ssize_t n = socket_write(s->client, message, len);

		if (n < 0 && errno != EAGAIN)
			return fail(s, END_CLIENT_LEFT);
		if (n < 0 && socket_wait(&p, 1, s->deadline) == 0)
			return fail(s, END_HANDSHAKE_TIMEOUT);
		if (n > 0) {
			message += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Sends what tells the client that it is refused; the session is over for `reason`. */
static bool refuse(struct session *s, enum end_reason reason, const uint8_t *message, size_t len)
{
	s->answered = send_message(s, message, len);
	return fail(s, reason);
}

static void log_access(struct session *s, uint8_t rep)
{
	struct services *v = s->services;
	bool anonymous = s->user_len == 0;
	struct access_record record = {.user = anonymous ? USERS_ANONYMOUS : s->user,
		.user_len = anonymous ? strlen(USERS_ANONYMOUS) : s->user_len,
		.client = &s->client_addr,
		.command = s->command,
		.target = s->target_text,
		.reply = rep};
	uint64_t held_back;

	if (!access_log_add(v->access_log, &record) &&
		log_limit_pass(&v->access_lost_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		log_message(LOG_ERROR, "access_log_file: %llu lines could not be written",
			(unsigned long long)held_back + 1);
}

/* Sends one reply to the request, as send_reply() does with the last one. */
static bool put_reply(struct session *s, uint8_t rep, const struct addr *bound)
{
	uint8_t reply[SOCKS5_REPLY_MAX];

	s->reply = rep;
	s->answered = send_message(s, reply, socks5_format_reply(reply, rep, bound));
	return s->answered;
}

/* Answers the request. It is in the access log by then, so that whoever has the answer finds it
 * there, and what the client asks for next stands behind it. */
static bool send_reply(struct session *s, uint8_t rep, const struct addr *bound)
{
	if (s->has_request)
		log_access(s, rep);
	return put_reply(s, rep, bound);
}

/* Grants the request; the session is served from here on. */
static bool grant(struct session *s, const struct addr *bound)
{
	/* What went before had limits of its own; the reply gets what the handshake's would be. */
	s->deadline = clock_deadline(s->config->settings.handshake_timeout);
	s->served = send_reply(s, 0, bound);
	return s->served;
}

static bool refuse_request(struct session *s, enum end_reason reason)
{
	static const struct addr none = {.sa = {.sa_family = AF_UNSPEC}};

	(void)send_reply(s, end_reason_reply(reason), &none);
	return fail(s, reason);
}

/* ---- greeting: METHOD negotiation (RFC 1928 section 3) ---- */

static int parse_greeting(const uint8_t *p, size_t n, void *out)
{
	return socks5_parse_greeting(p, n, out);
}

static enum socks5_method choose_method(
	const struct session *s, const struct socks5_greeting *greeting)
{
	size_t users = users_count(s->services->users);
	bool required = acl_login_required(s->config, users);

	if (greeting->offers_password && (required || users > 0))
		return SOCKS5_PASSWORD;
	return greeting->offers_no_login && !required ? SOCKS5_NO_LOGIN : SOCKS5_NO_METHOD;
}

static bool greet(struct session *s)
{
	struct socks5_greeting greeting;
	enum socks5_method method;
	uint8_t message[2];
	int len;

	s->reason = END_NOTHING_ASKED;
	if (!receive_more(s, false))
		return false;
	s->reason = END_CLIENT_LEFT;
	len = receive_message(s, parse_greeting, &greeting);
	if (len == SOCKS5_MORE)
		return false;
	if (len == SOCKS5_MALFORMED)
		return fail(s, END_MALFORMED);
	buffer_consume(&s->in, (size_t)len);
	method = choose_method(s, &greeting);
	socks5_format_method(message, method);
	if (method == SOCKS5_NO_METHOD)
		return refuse(s, END_NO_METHOD, message, sizeof(message));
	s->chose_login = method == SOCKS5_PASSWORD;
	return send_message(s, message, sizeof(message));
}

/* ---- login (RFC 1929) ---- */

static int parse_login(const uint8_t *p, size_t n, void *out)
{
	return socks5_parse_login(p, n, out);
}

static enum end_reason check_login(struct session *s, const struct socks5_login *login)
{
	struct users *users = s->services->users;
	struct login claim = {.name = (const char *)login->name,
		.name_len = login->name_len,
		.password = (const char *)login->password,
		.password_len = login->password_len,
		.holdoff = s->services->holdoff,
		.from = &s->client_addr};
	enum login_result result = users_login(
		users, &claim, s->deadline, registry_told(s->services->registry, s->slot));

	switch (result) {
	case LOGIN_HELD_OFF:
		/* As late as any other, so that nobody can tell whose name it is. */
		socket_wait(NULL, 0, clock_deadline(users_check_ms(users)));
		return END_LOGIN_REFUSED;
	case LOGIN_REFUSED:
		return END_LOGIN_REFUSED;
	case LOGIN_TOO_BUSY:
		return END_LOGIN_BUSY;
	case LOGIN_OK:
		break;
	}
	memcpy(s->user, login->name, login->name_len);
	s->user_len = login->name_len;
	registry_set_user(s->services->registry, s->slot, s->user, s->user_len);
	/* Whoever takes a user out ends the sessions that are known by then: not this one, perhaps.
	 */
	return users_has(users, s->user, s->user_len) ? END_CLOSED : END_LOGIN_REFUSED;
}

static bool authenticate(struct session *s)
{
	struct socks5_login login;
	enum end_reason reason = END_MALFORMED;
	uint8_t message[2];
	int len;

	if (!s->chose_login)
		return true;
	enter(s, PHASE_LOGIN);
	len = receive_message(s, parse_login, &login);
	if (len == SOCKS5_MORE)
		return false;
	if (len != SOCKS5_MALFORMED) {
		reason = check_login(s, &login);
		buffer_consume(&s->in, (size_t)len);
	}
	socks5_format_login_status(message, reason == END_CLOSED);
	if (reason != END_CLOSED)
		return refuse(s, reason, message, sizeof(message));
	return send_message(s, message, sizeof(message));
}

/* ---- request (RFC 1928 section 4) ---- */

static int parse_request(const uint8_t *p, size_t n, void *out)
{
	return socks5_parse_request(p, n, out);
}

/* The target as one word, for whoever looks at the session from outside. */
static void publish_request(struct session *s)
{
	const struct socks5_request *request = &s->request;
	char *text = s->target_text;
	size_t size = sizeof(s->target_text);

	s->command = socks5_command_name(request->command, s->command_text);
	if (request->has_addr) {
		addr_format(&request->addr, text);
	} else if (request->atyp != SOCKS5_DOMAIN) {
		strcpy(text, "-");
	} else {
		escape_word(request->name, request->name_len, true, text, size - strlen(":65535"));
		text += strlen(text);
		*text++ = ':';
		*digits_put(text, request->port) = '\0';
	}
	registry_set_request(s->services->registry, s->slot, s->command, s->target_text);
}

static bool is_command(uint8_t command)
{
	return command == SOCKS5_CONNECT || command == SOCKS5_BIND ||
		command == SOCKS5_UDP_ASSOCIATE;
}

static bool read_request(struct session *s)
{
	int len;
	uint8_t atyp;

	enter(s, PHASE_REQUEST);
	len = receive_message(s, parse_request, &s->request);
	atyp = s->request.atyp;
	if (len == SOCKS5_MORE)
		return false;
	if (len == SOCKS5_MALFORMED)
		return refuse_request(s, END_MALFORMED);
	buffer_consume(&s->in, (size_t)len);
	s->has_request = true;
	publish_request(s);
	if (!is_command(s->request.command))
		return refuse_request(s, END_COMMAND_UNSUPPORTED);
	if (atyp != SOCKS5_IPV4 && atyp != SOCKS5_IPV6 && atyp != SOCKS5_DOMAIN)
		return refuse_request(s, END_ATYP_UNSUPPORTED);
	return true;
}

/* Of CONNECT and BIND, which have a target: can its name be one? */
static bool check_name(struct session *s)
{
	const struct socks5_request *r = &s->request;

	if (!r->has_addr && !socks5_name_is_sane(r->name, r->name_len))
		return refuse_request(s, END_NAME_NOT_FOUND);
	return true;
}

/* The attempt to reach or to hear the target has failed; a client that left wants no reply. */
static bool give_up(struct session *s, enum end_reason failure)
{
	s->deadline = clock_deadline(s->config->settings.handshake_timeout);
	return failure == END_CLIENT_LEFT ? fail(s, failure) : refuse_request(s, failure);
}

static struct watch watch_client(const struct session *s)
{
	return (struct watch){.client = s->client, .sent_ahead = buffer_readable(&s->in) > 0};
}

/* ---- CONNECT (RFC 1928 sections 4 and 6) ---- */

static bool connect_to_target(struct session *s)
{
	struct dial *d = &s->dial;

	if (!check_name(s))
		return false;
	if (s->request.port == 0)
		return refuse_request(s, END_TARGET_DENIED);
	enter(s, PHASE_CONNECT);
	d->config = s->config;
	d->resolver = s->services->resolver;
	d->lease = &s->lease;
	d->request = &s->request;
	d->watch = watch_client(s);
	s->target = dial_target(d);
	s->address = d->target;
	s->error = d->error;
	if (s->target < 0)
		return give_up(s, d->failure);
	registry_set_target(s->services->registry, s->slot, s->target, &d->target);
	return grant(s, &d->local);
}

/* ---- BIND (RFC 1928 sections 4 and 6) ---- */

/* Tells the client where its peer is to connect to, and waits for that. */
static bool wait_for_peer(struct session *s, struct bind *b)
{
	s->deadline = clock_deadline(s->config->settings.handshake_timeout);
	if (!put_reply(s, 0, &b->bound)) {
		bind_abandon(b);
		return false;
	}
	s->target = bind_accept(b);
	if (s->target < 0)
		return give_up(s, b->failure);
	s->address = b->peer;
	registry_set_target(s->services->registry, s->slot, s->target, &b->peer);
	return grant(s, &b->peer);
}

/* Not inline: sessions of other commands need not have room for a struct bind on their stacks. */
__attribute__((noinline)) static bool accept_from_target(struct session *s)
{
	struct bind b = {.config = s->config,
		.resolver = s->services->resolver,
		.lease = &s->lease,
		.stats = &s->services->stats,
		.request = &s->request,
		.watch = watch_client(s)};

	if (!check_name(s))
		return false;
	enter(s, PHASE_CONNECT);
	if (bind_listen(&b) == 0)
		return wait_for_peer(s, &b);
	s->error = b.error;
	return give_up(s, b.failure);
}

/* ---- UDP ASSOCIATE (RFC 1928 sections 4, 6 and 7) ---- */

static void run_association(struct session *s, struct udp *u)
{
	struct addr bound = udp_bound(u);

	if (!grant(s, &bound))
		return;
	enter(s, PHASE_UDP);
	s->reason = udp_run(u);
	s->datagrams = udp_counts(u);
}

static void associate(struct session *s)
{
	struct services *v = s->services;
	struct udp_setup setup = {.config = s->config,
		.limits = config_idle_limits(v->config),
		.resolver = v->resolver,
		.lease = &s->lease,
		.traffic = registry_traffic(v->registry, s->slot),
		.stats = &v->stats,
		.client = s->client,
		.client_addr = s->client_addr,
		.hint = s->request.addr};
	struct udp *u;

	enter(s, PHASE_CONNECT);
	u = udp_open(&setup);
	if (u == NULL) {
		s->error = errno;
		refuse_request(s, END_NO_SOCKET);
		return;
	}
	run_association(s, u);
	udp_close(u);
}

/* ---- relay ---- */

static void relay(struct session *s)
{
	struct relay r = {
		.client = s->client,
		.target = s->target,
		.to_target = &s->in,
		.to_client = &s->out,
		.path = (enum relay_path)s->config->settings.relay,
		.pipes = &s->services->pipes,
		.limits = config_idle_limits(s->services->config),
		.traffic = registry_traffic(s->services->registry, s->slot),
	};

	traffic_active(
		r.traffic, clock_ms()); /* before anybody may ask how long it has been idle */
	enter(s, PHASE_RELAY);
	s->reason = relay_run(&r);
}

static void serve(struct session *s)
{
	if (!greet(s) || !authenticate(s) || !read_request(s))
		return;
	if (s->request.command == SOCKS5_UDP_ASSOCIATE)
		associate(s);
	else if (s->request.command == SOCKS5_BIND ? accept_from_target(s) : connect_to_target(s))
		relay(s);
}

/* ---- the end ---- */

static void log_target(struct log_line *line, const struct session *s)
{
	char text[ADDR_TEXT_MAX], name[sizeof(s->request.name) + 1 + DIGITS_MAX], *end;
	const struct socks5_request *request = &s->request;

	log_text(line, "command", s->command);
	if (request->has_addr) {
		log_text(line, "target", addr_format(&request->addr, text));
	} else if (request->atyp == SOCKS5_DOMAIN) {
		end = mempcpy(name, request->name, request->name_len);
		*end++ = ':';
		end = digits_put(end, request->port);
		log_bytes(line, "target", name, (size_t)(end - name));
	}
	if (s->address.sa.sa_family != AF_UNSPEC)
		log_text(line, "address", addr_format(&s->address, text));
}

static void log_errno(struct log_line *line, int error)
{
	const char *name = strerrorname_np(error);

	if (name != NULL)
		log_text(line, "error", name);
	else
		log_number(line, "error", error);
}

static void log_datagrams(struct log_line *line, const struct datagram_counts *d)
{
	uint64_t dropped = 0;

	for (enum datagram_drop i = 0; i < DATAGRAM_DROPS; i++)
		dropped += d->dropped[i];
	log_number(line, "datagrams_sent", (int64_t)d->sent);
	log_number(line, "datagrams_received", (int64_t)d->received);
	log_number(line, "datagrams_dropped", (int64_t)dropped);
}

static void log_times(struct log_line *line, const struct session *s, int64_t total_ms)
{
	if (s->dial.lookup_ms >= 0)
		log_number(line, "lookup_ms", s->dial.lookup_ms);
	if (s->dial.connect_ms >= 0)
		log_number(line, "connect_ms", s->dial.connect_ms);
	log_number(line, "total_ms", total_ms);
}

static void log_end_of_session(
	struct session *s, const struct stats_outcome *outcome, const struct traffic_figures *moved)
{
	enum log_level level = s->reason == END_NOTHING_ASKED ? LOG_DEBUG : LOG_INFO;
	struct log_line *line = &s->line;
	char text[ADDR_TEXT_MAX];

	log_begin(line, level, "session ended");
	if (!line->wanted)
		return;
	log_number(line, "id", (int64_t)s->id);
	log_text(line, "client", addr_format(&s->client_addr, text));
	if (s->user_len > 0)
		log_bytes(line, "user", s->user, s->user_len);
	else
		log_text(line, "user", USERS_ANONYMOUS);
	if (s->has_request)
		log_target(line, s);
	log_text(line, "outcome", outcome->was_served ? "success" : "fail");
	log_text(line, "reason", end_reason_word(s->reason));
	if (s->answered && s->has_request)
		log_number(line, "reply", s->reply);
	if (s->error != 0)
		log_errno(line, s->error);
	log_number(line, "sent", (int64_t)moved->sent);
	log_number(line, "received", (int64_t)moved->received);
	if (s->served && s->request.command == SOCKS5_UDP_ASSOCIATE)
		log_datagrams(line, &s->datagrams);
	log_times(line, s, outcome->total_ms);
	log_end(line);
}

/* Reads what a refused client still sends, until it closes, for a bounded time. */
static void linger(struct session *s)
{
	struct pollfd p = {.fd = s->client, .events = POLLIN};
	int64_t deadline = clock_deadline(LINGER_MS);
	size_t left = LINGER_BYTES;

	socket_end_stream(s->client);
	while (left > 0) {
		/* No more than the smallest page: buffer_release() leaves the first one anyway. */
		ssize_t n = socket_read(s->client, s->memory[0], SESSION_PAGE);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return;
		if (n < 0 && socket_wait(&p, 1, deadline) == 0)
			return;
		if (n > 0)
			left -= (size_t)n < left ? (size_t)n : left;
	}
}

static void close_sockets(struct session *s)
{
	enter(s, PHASE_CLOSING);
	if (s->answered && !s->served)
		linger(s);
	registry_leave(s->services->registry, s->slot);
	if (s->reason == END_TARGET_RESET)
		socket_close_with_reset(s->client);
	else
		socket_close(s->client);
	if (s->target < 0)
		return;
	if (s->reason == END_CLIENT_RESET)
		socket_close_with_reset(s->target);
	else
		socket_close(s->target);
	fd_lease_give(&s->lease);
}

/* Counts and logs what became of the session. */
static void account(struct session *s)
{
	struct services *v = s->services;
	const struct dial *d = &s->dial;
	int64_t now = clock_ms();
	struct traffic_figures moved = traffic_read(registry_traffic(v->registry, s->slot), now);
	struct stats_outcome outcome = {.reason = s->reason,
		.was_asked = s->has_request,
		.was_served = s->served,
		.total_ms = now - s->begun,
		.lookup_ms = s->request.has_addr ? -1 : d->lookup_ms,
		.connect_ms = s->served ? d->connect_ms : -1};

	if (s->user_len > 0)
		users_count_bytes(v->users, s->user, s->user_len, moved.sent, moved.received);
	stats_session_ends(&v->stats, &outcome);
	log_end_of_session(s, &outcome, &moved);
}

static void begin(struct session *s, struct services *services, size_t slot, struct config *config,
	int client, const struct addr *client_addr)
{
	memset(s, 0, offsetof(struct session, memory));
	s->services = services;
	s->slot = slot;
	s->client = client;
	s->client_addr = *client_addr;
	s->target = -1;
	s->lease.budget = &services->budget;
	s->begun = clock_ms();
	s->config = config;
	s->deadline = clock_deadline(s->config->settings.handshake_timeout);
	s->dial.lookup_ms = s->dial.connect_ms = -1;
	buffer_init(&s->in, s->memory[0], SESSION_BUFFER_SIZE);
	buffer_init(&s->out, s->memory[1], SESSION_BUFFER_SIZE);
	s->id = registry_enter(services->registry, slot, client, client_addr);
	stats_session_begins(&services->stats);
}

void session_run(struct session *s, struct services *services, size_t slot, struct config *config,
	int client, const struct addr *client_addr)
{
	begin(s, services, slot, config, client, client_addr);
	serve(s);
	if (registry_told_why(services->registry, slot) != END_REASONS)
		s->reason = registry_told_why(services->registry, slot);
	close_sockets(s);
	account(s);
	buffer_release(&s->in);
	buffer_release(&s->out);
	config_release(s->config);
}
