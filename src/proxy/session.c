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

#include "base/clock.h"
#include "base/log.h"
#include "net/socket.h"
#include "proxy/balancer.h"
#include "proxy/bind.h"
#include "proxy/exchange.h"
#include "proxy/relay.h"
#include "proxy/session_accounts.h"
#include "proxy/session_report.h"
#include "proxy/udp.h"

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
	session_log_access(s, END_REASONS);
	target_count_hit(&s->asker, &s->verdict);
	s->served = send_answer(s, END_REASONS, bound);
	return s->served;
}

/* The last reply, likewise, when the request came to nothing. A client that left wants none. From
 * now on it is no session that rules could end. */
static bool refuse_request(struct session *s, enum end_reason failure)
{
	enter(s, PHASE_CLOSING);
	if (failure != END_CLIENT_LEFT) {
		session_log_access(s, failure);
		target_count_hit(&s->asker, &s->verdict);
		(void)send_answer(s, failure, NULL);
		session_tell(s, EVENT_REFUSED, failure);
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

/* Nobody waits for one. */
static bool take_places(struct session *s)
{
	enum end_reason why = session_take_places(s);

	return why == END_REASONS || refuse_request(s, why);
}

/* From the first byte to a request that can be tried. */
static bool await_request(struct session *s)
{
	const struct request *r = &s->handshake.request;

	if (!handshake_run(&s->handshake)) {
		if (s->handshake.answered)
			session_tell(s, EVENT_REFUSED, s->handshake.reason);
		return end_for(s, s->handshake.reason);
	}
	if (s->handshake.user_entry != NULL)
		ledger_note_user(s->client_entry, s->handshake.user_entry, clock_ms());
	session_log_failed_login(s); /* it was forgiven, and the session may last for hours */
	publish_request(s);
	session_tell(s, EVENT_REQUEST, END_REASONS);
	prepare_asker(s);
	if (s->config->settings.sites_days > 0 && s->services->history != NULL)
		session_begin_visit(s);
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
	dial_end(&s->dial);
}

/* It was judged before there was such a listener, and nothing was sent to it. */
static bool refuse_own(struct session *s)
{
	socket_close(s->target);
	fd_lease_give(&s->lease);
	s->target = -1;
	s->verdict = (struct verdict){.allowed = false, .rule = RULES_OWN};
	return refuse_request(s, END_TARGET_DENIED);
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
	d->wants_http = s->handshake.is_exchange;
	s->target = dial_target(d);
	s->address = d->address;
	s->error = d->error;
	s->verdict = d->verdict;
	if (s->target < 0 && d->failure == END_NO_LOCAL_PORT)
		log_lack_of_ports(s);
	if (s->target < 0)
		return refuse_request(s, d->failure);
	if (d->through == NULL && target_has_become_own(&s->asker, &d->address))
		return refuse_own(s);
	registry_set_target(s->slot, s->target, &d->address);
	if (d->through != NULL)
		note_upstream(s, d->through);
	/* One HTTP request has its answer from the target. */
	return s->handshake.is_exchange || grant(s, &d->local);
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
	s->dial.through = udp_through(u, &s->dial.upstreams);
}

static void associate(struct session *s)
{
	struct services *v = s->services;
	struct udp_setup setup = {.asker = &s->asker,
		.limits = config_idle_limits(v->config),
		.traffic = registry_traffic(s->slot),
		.stats = &v->stats,
		.accounts = session_accounts(s),
		.client = s->client,
		.slot = s->slot};
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

static bool pass_answer(void *who, unsigned status)
{
	struct session *s = who;

	if (s->dial.takes_http)
		upstream_note_answer(s->dial.through);
	if (status == 101)
		registry_set_awaiting(s->slot, false);
	s->handshake.code = status;
	return grant(s, &s->dial.local);
}

/* It may have been told to end instead. Who was ended as idle is answered as if it had seen that
 * itself. */
static void take_end(struct session *s, struct exchange *x, int64_t since)
{
	enum end_reason told = registry_told_why(s->slot);

	if (end_reason_is_idle(told)) {
		s->reason = told;
		if (!x->is_answered)
			x->failure = told;
		told = END_REASONS;
	}
	if (s->dial.takes_http && !x->has_spoken && end_reason_is_idle(s->reason))
		upstream_note_silence(s->dial.through, since);
	if (x->failure != END_REASONS)
		s->reason = x->failure;
	if (x->failure != END_REASONS && !x->is_answered && told == END_REASONS)
		(void)refuse_request(s, x->failure);
}

/* Not inline: sessions that relay bytes only need no room for it on their stacks. */
__attribute__((noinline)) static void run_exchange(struct session *s, struct relay *r)
{
	char authorization[UPSTREAM_AUTHORIZATION_MAX];
	struct exchange x = {.relay = r,
		.has_via = s->config->settings.http_via != 0,
		.answer = pass_answer,
		.who = s};
	int64_t since = clock_ms();

	if (s->dial.takes_http)
		x.upstream_login = upstream_authorization(s->dial.through, authorization);
	registry_set_awaiting(s->slot, true);
	s->reason = exchange_run(&x);
	s->error = r->error;
	s->is_torn = x.is_torn;
	s->has_more = x.has_more;
	take_end(s, &x, since);
}

static void relay(struct session *s)
{
	struct relay r = {
		.client = s->client,
		.target = s->target,
		.to_target = &s->in,
		.to_client = &s->out,
		.path = (enum relay_path)s->config->settings.relay,
		.pipes = &s->services->pipes,
		.room = &s->services->relay_room,
		.limits = config_idle_limits(s->services->config),
		.traffic = registry_traffic(s->slot),
		.accounts = session_accounts(s),
	};

	traffic_active(
		r.traffic, clock_ms()); /* before anybody may ask how long it has been idle */
	enter(s, PHASE_RELAY);
	if (s->handshake.is_exchange) {
		run_exchange(s, &r);
		return;
	}
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

/* Neither side is to take a part for the whole. */
static bool is_cut_short(const struct session *s)
{
	return s->is_torn || s->reason == END_RELAY_FAILED ||
		(s->reason == END_QUOTA_REACHED && s->served);
}

static void close_sockets(struct session *s)
{
	enter(s, PHASE_CLOSING);
	if (s->handshake.answered && (!s->served || s->has_more) && !is_cut_short(s) &&
		!places_are_scarce(&s->services->places))
		linger(s);
	registry_leave(s->slot);
	session_leave_accounts(s);
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

static void prepare_handshake(struct session *s)
{
	struct handshake *h = &s->handshake;

	h->config = s->config;
	h->users = s->services->users;
	h->holdoff = s->services->holdoff;
	h->bans = s->services->bans;
	h->from = &s->client_addr;
	h->client_entry = s->client_entry;
	h->services = s->services;
	h->stats = &s->services->stats;
	h->slot = s->slot;
	h->client = s->client;
	h->watch.client = s->client;
	h->in = &s->in;
	h->deadline = s->begun + s->config->settings.handshake_timeout;
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
	s->handshake.id = s->id;
	traffic_share(registry_traffic(slot), ledger_tally(s->client_entry));
	stats_session_begins(&services->stats);
	if (!guest->is_balancer)
		session_tell(s, EVENT_BEGIN, END_REASONS);
}

/* From here on it is the session of the client that was told. */
static void change_client(struct session *s, const struct addr *client)
{
	if (!addr_equal(client, &s->client_addr))
		s->balancer = s->client_addr;
	s->client_addr = *client;
	registry_set_client(s->slot, client);
	session_tell(s, EVENT_BEGIN, END_REASONS);
}

/* May it come in? What others are asked when they are accepted. */
static enum end_reason ask_for_client(struct session *s, const struct guest *balancer)
{
	struct guest guest = *balancer;
	enum end_reason refused;

	guest.addr = s->client_addr;
	guest.since = clock_ms();
	refused = entrance_ask(s->services, &guest);
	if (refused == END_REASONS)
		refused = entrance_join(s->services, &guest, s->slot);
	s->is_turned_away = refused != END_REASONS;
	s->client_entry = s->handshake.client_entry = guest.entry;
	traffic_share(registry_traffic(s->slot), ledger_tally(s->client_entry));
	return refused;
}

/* Whom does the balancer connect for? Not inline: sessions without one need no room for that. */
__attribute__((noinline)) static bool meet_client(struct session *s, const struct guest *balancer)
{
	struct addr client;
	enum end_reason refused;

	if (!balancer_ask(&s->handshake, &client))
		return end_for(s, s->handshake.reason);
	change_client(s, &client);
	if (s->balancer.sa.sa_family != AF_UNSPEC &&
		!balancer_is_credible(s->services->own, &client))
		return end_for(s, END_TOLD_CLIENT_REFUSED);
	refused = ask_for_client(s, balancer);
	return refused == END_REASONS || end_for(s, refused);
}

static bool is_let_in(struct session *s, const struct guest *guest)
{
	if (guest->is_balancer)
		return meet_client(s, guest);
	/* Whoever bans a client ends the sessions that are known by then: not this one, perhaps. */
	return !entrance_is_banned(s->services, s->config, &s->client_addr) ||
		end_for(s, END_BANNED);
}

/* It was told to end, and why decides. */
static void obey(struct session *s)
{
	_Static_assert(sizeof(s->verdict.rule) == REGISTRY_RULE_MAX, "a rule's word");

	s->reason = registry_told_why(s->slot);
	registry_told_rule(s->slot, s->verdict.rule);
}

void session_run(struct session *s, struct services *services, struct registry_slot *slot,
	const struct guest *guest)
{
	begin(s, services, slot, guest);
	if (is_let_in(s, guest))
		serve_request(s);
	if (registry_told_why(slot) != END_REASONS)
		obey(s);
	close_sockets(s);
	give_up_buffers(s);
	session_account(s);
	end_through(s);
	config_release(s->config);
}
