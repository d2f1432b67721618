/*
 * One function for each thing that a client may ask for, called by serve_request() once the
 * handshake has led to a request. A step that fails says why with end_for() or refuse_request(),
 * and the reason decides everything else: the reply, the counter, the line in the log, and how the
 * sockets are closed.
 */
#include "proxy/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "net/socket.h"
#include "proxy/ban_log.h"
#include "proxy/bind.h"
#include "proxy/relay.h"
#include "proxy/udp.h"
#include "state/ledger_limits.h"
#include "state/advice.h"

/* How long, and for how many bytes, a refused client is read from, so that the kernel sends it no
 * reset that would overtake the refusal. */
#define LINGER_MS 2000
#define LINGER_BYTES (256 * 1024)

static void enter(struct session *s, enum session_phase phase)
{
	registry_set_phase(s->slot, phase);
}

static bool end_for(struct session *s, enum end_reason reason)
{
	s->reason = reason;
	return false;
}

/* ---- replies ---- */

/* Who it is to be told of: a login that failed is told of the user whose it would have been. */
static const char *name_of(const struct session *s, size_t *len)
{
	const struct handshake *h = &s->handshake;

	*len = h->login_refused ? h->claimed_len : h->user_len;
	if (*len > 0)
		return h->user;
	*len = strlen(USERS_ANONYMOUS);
	return USERS_ANONYMOUS;
}

static struct access_record access_record(const struct session *s, enum end_reason failure)
{
	struct access_record record = {.client = &s->client_addr,
		.target = s->command != NULL ? s->target_text : ACCESS_NONE,
		.failure = failure};

	record.user = name_of(s, &record.user_len);
	return record;
}

static void log_access(struct session *s, enum end_reason failure)
{
	struct access_record record = access_record(s, failure);

	access_log_add(s->services->access_log, &record);
	s->in_access_log = true;
	s->answer = failure;
}

/* ---- what those are told who look on, and those who ask afterwards ---- */

/* Whose failure it is: nobody's, where there was no login that is anybody's and no request. */
static struct event event_of(const struct session *s, enum event_kind kind)
{
	struct event e = {.kind = kind,
		.id = s->id,
		.time = time(NULL),
		.client = s->client_addr,
		.address = s->address,
		.command = s->command,
		.target = s->target_text,
		.reason = END_REASONS,
		.rule = s->verdict.rule,
		.error = s->error};

	if (s->command != NULL || s->handshake.login_refused)
		e.user = name_of(s, &e.user_len);
	return e;
}

/* Not inline: nobody watches, as a rule. */
__attribute__((noinline)) static void tell_watchers(
	const struct session *s, enum event_kind kind, enum end_reason reason)
{
	struct event e = event_of(s, kind);

	e.reason = reason;
	watching_tell(&s->services->watching, &e);
}

static void tell(const struct session *s, enum event_kind kind, enum end_reason reason)
{
	if (watching_is_on(&s->services->watching))
		tell_watchers(s, kind, reason);
}

/* What went before had limits of its own; a reply gets what the handshake's messages had. */
static bool send_answer(struct session *s, enum end_reason failure, const struct addr *bound)
{
	s->handshake.deadline = clock_deadline(s->config->settings.handshake_timeout);
	return dialect_reply(&s->handshake, failure, bound) || end_for(s, s->handshake.reason);
}

/* Grants the request; the session is served from here on. It is in the access log before it is
 * answered, so that whoever has the answer finds it there, and what the client asks for next stands
 * behind it. */
static bool grant(struct session *s, const struct addr *bound)
{
	log_access(s, END_REASONS);
	target_count_hit(&s->asker, &s->verdict);
	s->served = send_answer(s, END_REASONS, bound);
	return s->served;
}

/* The last reply, likewise, when the request came to nothing. A client that left wants none. */
static bool refuse_request(struct session *s, enum end_reason failure)
{
	if (failure != END_CLIENT_LEFT) {
		log_access(s, failure);
		target_count_hit(&s->asker, &s->verdict);
		(void)send_answer(s, failure, NULL);
		tell(s, EVENT_REFUSED, failure);
	}
	return end_for(s, failure);
}

/* ---- the request ---- */

/* For whoever looks at the session from outside. */
static void publish_request(struct session *s)
{
	const struct request *r = &s->handshake.request;

	s->command = request_command_word(r, s->command_text);
	destination_format(&r->dst, s->target_text, sizeof(s->target_text));
	registry_set_request(s->slot, s->command, s->target_text);
}

/* For the rules, and for whatever is to be done. */
static void prepare_asker(struct session *s)
{
	const struct handshake *h = &s->handshake;

	s->asker = (struct asker){.config = s->config,
		.configs = s->services->config,
		.resolver = s->services->resolver,
		.own = s->services->own,
		.lease = &s->lease,
		.client = &s->client_addr,
		.user = h->user,
		.user_len = h->user_len,
		.user_entry = h->user_entry,
		.command = h->request.command};
}

static void leave_places(struct session *s)
{
	if (s->is_admitted)
		ledger_dismiss(s->client_entry, s->handshake.user_entry);
	s->is_admitted = false;
}

/* Of the user, from this client. */
static bool are_too_many_from_here(struct session *s)
{
	struct ledger_entry *user = s->handshake.user_entry;
	uint32_t most = user == NULL ? 0 : ledger_sessions_client(user);
	struct network here;

	if (most == 0)
		return false;
	here = own_client_of(s->services->own, &s->client_addr);
	return registry_take_turn(s->slot, &here) > most;
}

/* Its places under the limits of its accounts: nobody waits for one. */
static bool take_places(struct session *s)
{
	enum end_reason why = ledger_admit(s->client_entry, s->handshake.user_entry);

	s->is_admitted = why == END_REASONS;
	if (s->is_admitted && are_too_many_from_here(s)) {
		why = END_TOO_MANY_SESSIONS;
		leave_places(s);
	}
	return s->is_admitted || refuse_request(s, why);
}

/* "" for what is none. */
static const char *site_of(const struct request *r, char name[DESTINATION_NAME_MAX + 1])
{
	size_t len = r->dst.name_len;

	if (r->command == REQUEST_UDP_ASSOCIATE)
		return HISTORY_UDP;
	if (r->dst.kind == DESTINATION_ADDR)
		return HISTORY_ADDRESSES;
	if (r->dst.kind != DESTINATION_NAME || !destination_is_sane(&r->dst))
		return "";
	while (len > 1 && r->dst.name[len - 1] == '.')
		len--;
	memcpy(name, r->dst.name, len);
	name[len] = '\0';
	parse_to_lower(name);
	return name;
}

/* Not inline: where nobody is watched a session is not to have room for the name on its stack. */
__attribute__((noinline)) static void begin_visit(struct session *s)
{
	const struct handshake *h = &s->handshake;
	char name[DESTINATION_NAME_MAX + 1];
	const char *site = site_of(&h->request, name);
	struct history_visitor who = {.client = own_client_of(s->services->own, &s->client_addr),
		.user = h->user,
		.user_len = h->user_entry != NULL ? h->user_len : 0,
		.serial = h->user_entry != NULL ? ledger_serial(h->user_entry) : 0};

	if (*site != '\0')
		s->visit = history_visit_begin(
			s->services->history, &who, site, registry_traffic(s->slot));
}

/* Once, and the ban that has begun with it. */
static void log_failed_login(struct session *s)
{
	const struct handshake *h = &s->handshake;

	if (!h->failure.is_due)
		return;
	ban_log_failed_login(&(const struct failed_login){.client = &s->client_addr,
		.door = h->dialect->door,
		.reason = h->failure.reason,
		.user = h->user,
		.user_len = h->claimed_len});
	if (h->failure.has_banned)
		ban_log_begun(&h->failure.ban);
	s->handshake.failure.is_due = false;
}

/* From the first byte to a request that can be tried. */
static bool await_request(struct session *s)
{
	const struct request *r = &s->handshake.request;

	if (!handshake_run(&s->handshake)) {
		if (s->handshake.answered)
			tell(s, EVENT_REFUSED, s->handshake.reason);
		return end_for(s, s->handshake.reason);
	}
	if (s->handshake.user_entry != NULL)
		ledger_note_user(s->client_entry, s->handshake.user_entry, clock_ms());
	log_failed_login(s); /* it was forgiven, and the session may last for hours */
	publish_request(s);
	tell(s, EVENT_REQUEST, END_REASONS);
	prepare_asker(s);
	if (s->config->settings.sites_days > 0 && s->services->history != NULL)
		begin_visit(s);
	if (r->command == REQUEST_UNKNOWN)
		return refuse_request(s, END_COMMAND_UNSUPPORTED);
	if (r->dst.kind == DESTINATION_NONE)
		return refuse_request(s, END_ATYP_UNSUPPORTED);
	return take_places(s);
}

/* Of CONNECT and BIND, which have a target: can its name be one? */
static bool check_name(struct session *s)
{
	return destination_is_sane(&s->handshake.request.dst) ||
		refuse_request(s, END_NAME_NOT_FOUND);
}

/* ---- CONNECT ---- */

/* It is the host that lacks something, and every client that notices. */
static void log_lack_of_ports(struct session *s)
{
	char text[ADDR_TEXT_MAX];
	uint64_t held_back;

	if (log_limit_pass(&s->services->no_port_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		log_message(LOG_ERROR,
			"no local port is left to connect to %s from: the range is the sysctl "
			"net.ipv4.ip_local_port_range (%llu more since the last such line)",
			addr_format(&s->address, text), (unsigned long long)held_back);
}

/* It goes through this one, until end_through(). */
static void note_upstream(struct session *s, const struct upstream *u)
{
	registry_set_upstream(s->slot, u->name);
	upstream_session_begins(u);
	s->is_through = true;
}

static void end_through(struct session *s)
{
	if (s->is_through)
		upstream_session_ends(s->dial.through);
	if (s->dial.upstreams != NULL)
		dial_end(&s->dial);
}

static bool connect_to_target(struct session *s)
{
	struct dial *d = &s->dial;

	if (!check_name(s))
		return false;
	enter(s, PHASE_CONNECT);
	d->asker = &s->asker;
	d->dst = &s->handshake.request.dst;
	d->watch = s->handshake.watch;
	d->in = &s->out;
	s->target = dial_target(d);
	s->address = d->address;
	s->error = d->error;
	s->verdict = d->verdict;
	if (s->target < 0 && d->failure == END_NO_LOCAL_PORT)
		log_lack_of_ports(s);
	if (s->target < 0)
		return refuse_request(s, d->failure);
	registry_set_target(s->slot, s->target, &d->address);
	if (d->through != NULL)
		note_upstream(s, d->through);
	return grant(s, &d->local);
}

/* ---- BIND ---- */

/* Tells the client where its peer is to connect to, and waits for that. */
static bool wait_for_peer(struct session *s, struct bind *b)
{
	if (!send_answer(s, END_REASONS, &b->bound)) {
		bind_abandon(b);
		return false;
	}
	s->target = bind_accept(b);
	s->verdict = b->verdict;
	if (s->target < 0)
		return refuse_request(s, b->failure);
	s->address = b->peer;
	registry_set_target(s->slot, s->target, &b->peer);
	return grant(s, &b->peer);
}

/* What it went through is shown as where it is dialled. */
static void take_way(struct session *s, const struct bind *b, bool listens)
{
	s->dial.upstreams = b->way.set;
	s->dial.through = b->via.through;
	if (listens && s->dial.through != NULL)
		note_upstream(s, s->dial.through);
}

/* Not inline: sessions of other commands need not have room for a struct bind on their stacks. */
__attribute__((noinline)) static bool accept_from_target(struct session *s)
{
	struct bind b = {.asker = &s->asker,
		.stats = &s->services->stats,
		.dst = &s->handshake.request.dst,
		.watch = s->handshake.watch,
		.in = &s->out};
	int result;

	if (!check_name(s))
		return false;
	enter(s, PHASE_CONNECT);
	result = bind_listen(&b);
	take_way(s, &b, result == 0);
	if (result == 0)
		return wait_for_peer(s, &b);
	s->error = b.error;
	s->verdict = b.verdict;
	return refuse_request(s, b.failure);
}

/* Whose rates hold for what it moves. */
static struct pace_accounts session_accounts(const struct session *s)
{
	return (struct pace_accounts){
		.entries = {[PACE_CLIENT] = s->client_entry, [PACE_USER] = s->handshake.user_entry},
		.asker = &s->asker};
}

/* ---- UDP ASSOCIATE ---- */

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
	struct udp_setup setup = {.asker = &s->asker,
		.limits = config_idle_limits(v->config),
		.traffic = registry_traffic(s->slot),
		.stats = &v->stats,
		.accounts = session_accounts(s),
		.client = s->client};
	struct udp *u;

	enter(s, PHASE_CONNECT);
	/* What it names is no target, those come in datagrams, and no more than a hint where from.
	 */
	s->verdict = target_judge(&s->asker, NULL, NULL, false);
	if (!s->verdict.allowed) {
		refuse_request(s, END_TARGET_DENIED);
		return;
	}
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
		.traffic = registry_traffic(s->slot),
		.accounts = session_accounts(s),
	};

	traffic_active(
		r.traffic, clock_ms()); /* before anybody may ask how long it has been idle */
	enter(s, PHASE_RELAY);
	s->reason = relay_run(&r);
	s->error = r.error;
}

static void serve_request(struct session *s)
{
	enum request_command command;

	if (!await_request(s))
		return;
	command = s->handshake.request.command;
	if (command == REQUEST_UDP_ASSOCIATE)
		associate(s);
	else if (command == REQUEST_BIND ? accept_from_target(s) : connect_to_target(s))
		relay(s);
}

/* ---- the end ---- */

struct log_line *session_line(struct session *s)
{
	assert(s->in.memory == NULL && s->out.memory == NULL);
	return &s->memory.line;
}

static void log_target(struct log_line *line, const struct session *s)
{
	char text[ADDR_TEXT_MAX];

	log_text(line, "command", s->command);
	if (s->handshake.request.dst.kind != DESTINATION_NONE)
		log_text(line, "target", s->target_text);
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

/* Health checks connect and leave all day, with a greeting or without. */
static enum log_level level_of_end(const struct session *s)
{
	bool left = s->reason == END_NOTHING_ASKED ||
		(s->reason == END_CLIENT_LEFT && s->command == NULL);

	return left ? LOG_DEBUG : LOG_INFO;
}

static void log_upstream(struct log_line *line, const struct upstream *u)
{
	log_text(line, "upstream", u->name);
	log_text(line, "upstream_url", u->shown);
}

static void log_end_of_session(
	struct session *s, const struct stats_outcome *outcome, const struct traffic_figures *moved)
{
	const struct handshake *h = &s->handshake;
	struct log_line *line = session_line(s);
	char text[ADDR_TEXT_MAX];
	size_t user_len;
	const char *user = name_of(s, &user_len);

	log_begin(line, level_of_end(s), "session ended");
	if (!line->wanted)
		return;
	log_number(line, "id", (int64_t)s->id);
	log_text(line, "client", addr_format(&s->client_addr, text));
	if (h->dialect != NULL)
		log_text(line, "door", h->dialect->door);
	log_bytes(line, "user", user, user_len);
	if (h->userid_len > 0)
		log_bytes(line, "userid", h->user, h->userid_len);
	if (h->login_ignored)
		log_text(line, "login", "ignored");
	if (h->login_ignored && h->claimed_len > 0)
		log_bytes(line, "login_user", h->user, h->claimed_len);
	if (s->command != NULL)
		log_target(line, s);
	if (s->verdict.rule[0] != '\0')
		log_text(line, "rule", s->verdict.rule);
	if (s->dial.through != NULL)
		log_upstream(line, s->dial.through);
	log_text(line, "outcome", outcome->was_served ? "success" : "fail");
	log_text(line, "reason", end_reason_word(s->reason));
	if (guess_word(h->guess) != NULL)
		log_text(line, "guess", guess_word(h->guess));
	if (h->answered && s->command != NULL)
		log_number(line, "reply", h->code);
	if (s->error != 0)
		log_errno(line, s->error);
	log_number(line, "sent", (int64_t)moved->sent);
	log_number(line, "received", (int64_t)moved->received);
	if (s->served && h->request.command == REQUEST_UDP_ASSOCIATE)
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
		ssize_t n = socket_read(s->client, s->memory.buffers[0], SESSION_PAGE);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return;
		if (n < 0 && socket_wait(&p, 1, deadline) == 0)
			return;
		if (n <= 0)
			continue;
		explicit_bzero(s->memory.buffers[0], (size_t)n); /* a password, perhaps */
		left -= (size_t)n < left ? (size_t)n : left;
	}
}

/* Was it the server that would not, rather than something that went wrong? */
static bool was_forbidden(enum end_reason reason)
{
	return reason == END_NO_METHOD || reason == END_WRONG_PASSWORD ||
		reason == END_LOGIN_REFUSED || reason == END_TARGET_DENIED ||
		reason == END_DISABLED || reason == END_EXPIRED ||
		reason == END_CLIENT_NOT_ALLOWED_FOR_USER || reason == END_TOO_MANY_SESSIONS ||
		reason == END_QUOTA_REACHED;
}

/* Before the client can see the end: it may come again at once. */
static void leave_accounts(struct session *s)
{
	int64_t now = clock_ms();

	history_visit_end(s->services->history, s->visit, was_forbidden(s->reason));
	if (was_forbidden(s->reason)) {
		ledger_count_refusal(s->client_entry);
		ledger_count_refusal(s->handshake.user_entry);
	}
	if (s->handshake.user_entry != NULL)
		ledger_leave_known(s->client_entry, now);
	leave_places(s);
	ledger_leave(s->handshake.user_entry, now);
	ledger_leave(s->client_entry, now);
}

/* Neither side is to take a part for the whole. */
static bool is_cut_short(const struct session *s)
{
	return s->reason == END_RELAY_FAILED || (s->reason == END_QUOTA_REACHED && s->served);
}

static void close_sockets(struct session *s)
{
	enter(s, PHASE_CLOSING);
	if (s->handshake.answered && !s->served && !places_are_scarce(&s->services->places))
		linger(s);
	registry_leave(s->slot);
	leave_accounts(s);
	if (s->reason == END_TARGET_RESET || is_cut_short(s))
		socket_close_with_reset(s->client);
	else
		socket_close(s->client);
	if (s->target < 0)
		return;
	if (s->reason == END_CLIENT_RESET || is_cut_short(s))
		socket_close_with_reset(s->target);
	else
		socket_close(s->target);
	fd_lease_give(&s->lease);
}

/* From here on their memory is a line's. */
static void give_up_buffers(struct session *s)
{
	buffer_release(&s->in);
	buffer_release(&s->out);
	buffer_init(&s->in, NULL, 0);
	buffer_init(&s->out, NULL, 0);
}

static void write_access(
	struct session *s, const struct stats_outcome *outcome, const struct traffic_figures *moved)
{
	struct services *v = s->services;
	struct access_record record = access_record(s, s->answer);
	struct access_end end = {.command = s->command != NULL ? s->command : ACCESS_NONE,
		.code = s->command != NULL ? (int)s->handshake.code : -1,
		.reason = s->reason,
		.rule = s->verdict.rule[0] != '\0' ? s->verdict.rule : ACCESS_NONE,
		.sent = moved->sent,
		.received = moved->received,
		.total_ms = outcome->total_ms};
	uint64_t held_back;

	if (!access_log_write(v->access_log, &record, &end) &&
		log_limit_pass(&v->access_lost_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		log_message(LOG_ERROR, "access_log_file: %llu lines could not be written",
			(unsigned long long)held_back + 1);
}

/* Health checks, which leave without a request, fail at nothing. */
static bool has_failed(const struct session *s)
{
	return advice_is_failure(s->reason) && level_of_end(s) != LOG_DEBUG;
}

/* One that failed is kept for whoever asks why. */
__attribute__((noinline)) static void note_end(const struct session *s,
	const struct stats_outcome *outcome, const struct traffic_figures *moved)
{
	struct event e = event_of(s, EVENT_END);

	e.reason = s->reason;
	e.sent = moved->sent;
	e.received = moved->received;
	e.total_ms = outcome->total_ms;
	if (has_failed(s))
		events_add(s->services->failures, &e);
	if (watching_is_on(&s->services->watching))
		watching_tell(&s->services->watching, &e);
}

static bool is_of_interest(const struct session *s)
{
	return has_failed(s) || watching_is_on(&s->services->watching);
}

/* Counts and logs what became of the session. */
static void account(struct session *s)
{
	struct services *v = s->services;
	const struct dial *d = &s->dial;
	const struct handshake *h = &s->handshake;
	int64_t now = clock_ms();
	struct traffic_figures moved = traffic_read(registry_traffic(s->slot), now);
	struct stats_outcome outcome = {.reason = s->reason,
		.was_asked = s->command != NULL,
		.was_served = s->served,
		.total_ms = now - s->begun,
		.lookup_ms = h->request.dst.kind == DESTINATION_ADDR ? -1 : d->lookup_ms,
		.connect_ms = s->served ? d->connect_ms : -1};

	stats_session_ends(&v->stats, &outcome);
	log_failed_login(s);
	log_end_of_session(s, &outcome, &moved);
	/* Only now: the time of the refusal is not to tell whether a user has that name. */
	if (h->login_refused)
		log_access(s, h->reason);
	if (s->in_access_log)
		write_access(s, &outcome, &moved);
	if (is_of_interest(s))
		note_end(s, &outcome, &moved);
}

static void prepare_handshake(struct session *s)
{
	struct handshake *h = &s->handshake;

	h->config = s->config;
	h->users = s->services->users;
	h->holdoff = s->services->holdoff;
	h->bans = s->services->bans;
	h->from = &s->client_addr;
	h->client_entry = s->client_entry;
	h->stats = &s->services->stats;
	h->slot = s->slot;
	h->client = s->client;
	h->watch.client = s->client;
	h->in = &s->in;
	h->deadline = clock_deadline(s->config->settings.handshake_timeout);
}

static void begin(struct session *s, struct services *services, struct registry_slot *slot,
	const struct guest *guest)
{
	memset(s, 0, offsetof(struct session, memory));
	s->services = services;
	s->slot = slot;
	s->client = guest->fd;
	s->client_addr = guest->addr;
	s->client_entry = guest->entry;
	s->target = -1;
	s->lease.budget = &services->budget;
	s->begun = guest->since;
	s->config = guest->config;
	s->dial.lookup_ms = s->dial.connect_ms = -1;
	buffer_init(&s->in, s->memory.buffers[0], SESSION_BUFFER_SIZE);
	buffer_init(&s->out, s->memory.buffers[1], SESSION_BUFFER_SIZE);
	prepare_handshake(s);
	s->id = registry_enter(slot, s->client, &s->client_addr);
	traffic_share(registry_traffic(slot), ledger_tally(s->client_entry));
	stats_session_begins(&services->stats);
	tell(s, EVENT_BEGIN, END_REASONS);
}

/* Whoever bans a client ends the sessions that are known by then: not this one, perhaps. */
static bool was_banned(struct session *s)
{
	return bans_any(s->services->bans) &&
		bans_refuse(s->services->bans, &s->client_addr, &s->config->settings.ban_exempt,
			clock_ms());
}

void session_run(struct session *s, struct services *services, struct registry_slot *slot,
	const struct guest *guest)
{
	begin(s, services, slot, guest);
	if (was_banned(s))
		s->reason = END_BANNED;
	else
		serve_request(s);
	if (registry_told_why(slot) != END_REASONS)
		s->reason = registry_told_why(slot);
	close_sockets(s);
	give_up_buffers(s);
	account(s);
	end_through(s);
	config_release(s->config);
}
