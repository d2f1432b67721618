/*
 * Each has its own words for a session, and its own time: the access log has it when it is
 * answered, administrators who watch when it gets on, the log and the counters when it is over. All
 * of them take what they say from struct session; whoever runs the session only says when.
 */
#include "proxy/session_report.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/plural.h"
#include "base/sink.h"
#include "proxy/ban_log.h"
#include "state/advice.h"

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

void session_log_access(struct session *s, enum end_reason failure)
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

void session_tell_watchers(const struct session *s, enum event_kind kind, enum end_reason reason)
{
	struct event e = event_of(s, kind);

	e.reason = reason;
	watching_tell(&s->services->watching, &e);
}

/* ---- the log ---- */

/* Once, and the ban that has begun with it. */
void session_log_failed_login(struct session *s)
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

/* Health checks connect and leave all day, with a greeting or without, or ask. Who is turned away
 * has a line of its own, at most once a minute. */
static enum log_level level_of_end(const struct session *s)
{
	bool left = s->reason == END_NOTHING_ASKED || s->reason == END_HEALTH_CHECK ||
		(s->reason == END_CLIENT_LEFT && s->command == NULL);

	return left || s->is_turned_away ? LOG_DEBUG : LOG_INFO;
}

static void log_upstream(struct log_line *line, const struct upstream *u)
{
	log_text(line, "upstream", u->name);
	log_text(line, "upstream_url", u->shown);
}

/* Something was asked for, of a target or of ourselves, and granted. */
static enum session_outcome outcome_of(const struct session *s)
{
	return s->served || s->reason == END_OWN_PAGE || s->reason == END_HEALTH_CHECK
		? SESSION_SUCCEEDED
		: SESSION_FAILED;
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
	if (s->balancer.sa.sa_family != AF_UNSPEC)
		log_text(line, "balancer", addr_format(&s->balancer, text));
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
	log_text(line, "outcome", session_outcome_word(outcome->outcome));
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

/* ---- the end ---- */

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
	char why[64];

	if (!access_log_write(v->access_log, &record, &end) &&
		log_limit_pass(&v->access_lost_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		log_message(LOG_ERROR, "access_log_file: %llu line%s could not be written: %s",
			(unsigned long long)held_back + 1, plural(held_back + 1),
			sink_problem(errno, why, sizeof(why)));
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

void session_account(struct session *s)
{
	struct services *v = s->services;
	const struct dial *d = &s->dial;
	const struct handshake *h = &s->handshake;
	int64_t now = clock_ms();
	struct traffic_figures moved = traffic_read(registry_traffic(s->slot), now);
	struct stats_outcome outcome = {.reason = s->reason,
		.outcome = outcome_of(s),
		.was_asked = s->command != NULL,
		.was_served = s->served,
		.total_ms = now - s->begun,
		.lookup_ms = h->request.dst.kind == DESTINATION_ADDR ? -1 : d->lookup_ms,
		.connect_ms = s->served ? d->connect_ms : -1};

	stats_session_ends(&v->stats, &outcome);
	if (s->is_turned_away)
		entrance_report(v, session_line(s), &s->client_addr, s->reason);
	session_log_failed_login(s);
	log_end_of_session(s, &outcome, &moved);
	/* Only now: the time of the refusal is not to tell whether a user has that name. */
	if (h->login_refused)
		session_log_access(s, h->reason);
	if (s->in_access_log)
		write_access(s, &outcome, &moved);
	if (is_of_interest(s))
		note_end(s, &outcome, &moved);
}
