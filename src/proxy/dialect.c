/*
 * One buffer, one deadline for all messages together, and one way to check a login, whatever is
 * spoken.
 *
 * The client's bytes go through `in` from the first on, so what follows a message in the same
 * segment is simply there for the next step, and what follows the request is the first that the
 * relay sends on.
 */
#include "proxy/dialect.h"

#include <errno.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "net/socket.h"
#include "state/admission.h"

bool dialect_fail(struct handshake *h, enum end_reason reason)
{
	h->reason = reason;
	return false;
}

void dialect_enter(struct handshake *h, enum session_phase phase)
{
	registry_set_phase(h->slot, phase);
}

/* Waits for what a read or write needs that failed with this errno. False when nothing helps, or,
 * with the reason, when the deadline passed. */
static bool wait_to_retry(struct handshake *h, short events, int error, struct backoff *pause)
{
	struct pollfd p = {.fd = h->client, .events = events};
	bool in_time;

	if (socket_lacks_memory(error)) {
		socket_wait(
			NULL, 0, clock_earlier(h->deadline, clock_deadline(backoff_next(pause))));
		in_time = clock_ms() < h->deadline;
	} else if (error == EAGAIN) {
		in_time = socket_wait(&p, 1, h->deadline) != 0;
	} else {
		return false;
	}
	return in_time || dialect_fail(h, END_HANDSHAKE_TIMEOUT);
}

bool dialect_receive_more(struct handshake *h, bool wait_first)
{
	int error = wait_first ? EAGAIN : 0;
	struct backoff pause = {0};
	ssize_t n;

	while (error == 0 || wait_to_retry(h, POLLIN, error, &pause)) {
		n = socket_read(
			h->client, buffer_tail(h->in), buffer_writable(h->in) - DIALECT_SPARE);
		if (n > 0)
			buffer_commit(h->in, (size_t)n);
		if (n >= 0)
			return n > 0;
		error = errno;
	}
	return false;
}

int dialect_receive(struct handshake *h, dialect_parser *parse, void *out)
{
	for (;;) {
		int len = parse(buffer_head(h->in), buffer_readable(h->in), out);

		if (len != 0 || !dialect_receive_more(h, true))
			return len;
	}
}

bool dialect_send(struct handshake *h, const void *message, size_t len)
{
	struct backoff pause = {0};

	for (size_t sent = 0; sent < len;) {
		ssize_t n = socket_write(h->client, (const uint8_t *)message + sent, len - sent);

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		h->reason = END_CLIENT_LEFT;
		if (!wait_to_retry(h, POLLOUT, errno, &pause))
			return false;
	}
	return true;
}

bool dialect_refuse(struct handshake *h, enum end_reason reason, const void *message, size_t len)
{
	h->answered = dialect_send(h, message, len);
	return dialect_fail(h, reason);
}

static enum end_reason reason_of_login(const struct handshake *h, enum login_result result)
{
	switch (result) {
	case LOGIN_REFUSED:
		return h->claimed_len > 0 ? END_WRONG_PASSWORD : END_LOGIN_REFUSED;
	case LOGIN_HELD_OFF:
		return END_LOGIN_REFUSED;
	case LOGIN_TOO_BUSY:
		return END_LOGIN_BUSY;
	case LOGIN_NO_MEMORY:
		return END_LOGIN_NO_MEMORY;
	case LOGIN_DISABLED:
		return END_DISABLED;
	case LOGIN_EXPIRED:
		return END_EXPIRED;
	case LOGIN_NOT_FROM_HERE:
		return END_CLIENT_NOT_ALLOWED_FOR_USER;
	case LOGIN_NO_HELPER:
		return END_NO_LOGIN_HELPER;
	case LOGIN_UNANSWERED:
		return END_LOGIN_UNANSWERED;
	case LOGIN_OK:
		break;
	}
	return END_REASONS;
}

/* While a login waits for its turn. */
static int64_t patience_with_client(void *waiter)
{
	struct handshake *h = waiter;

	watch_look(&h->watch);
	return watch_deadline(&h->watch, CLOCK_NEVER);
}

static enum login_result check_login(struct handshake *h, const struct login *claim)
{
	struct login counted = *claim;

	counted.holdoff = h->holdoff;
	counted.from = h->from;
	counted.client = h->client_entry;
	counted.patience = patience_with_client;
	counted.waiter = h;
	return users_login(h->users, &counted, h->deadline, registry_told(h->slot), &h->user_entry);
}

static void count_login(struct handshake *h, unsigned result)
{
	bool is_http = h->dialect->protocol == PROTOCOL_HTTP;

	login_counts_add(&h->stats->logins, is_http ? LOGIN_AT_HTTP : LOGIN_AT_SOCKS5, result);
}

/* It goes on as Anonymous. */
static enum end_reason ignore_login(struct handshake *h)
{
	h->login_ignored = true;
	count_login(h, LOGIN_IGNORED);
	return END_REASONS;
}

/* By the name of the account, which a helper may call otherwise than the login did. */
static enum end_reason take_user(struct handshake *h)
{
	const char *name = ledger_user_name(h->user_entry, &h->user_len);
	bool is_gone;

	memcpy(h->user, name, h->user_len);
	traffic_share(registry_traffic(h->slot), ledger_tally(h->user_entry));
	traffic_share(registry_traffic(h->slot), ledger_join_known(h->client_entry, clock_ms()));
	registry_set_user(h->slot, h->user, h->user_len);
	/* Whoever takes a user out ends the sessions that are known by then: not this one, perhaps.
	 */
	is_gone = ledger_has_retired(h->user_entry);
	count_login(h, is_gone ? LOGIN_REFUSED : LOGIN_OK);
	return is_gone ? END_LOGIN_REFUSED : END_REASONS;
}

/* A user's name may be told where his login fails, by the case that accounts of helpers have. Any
 * other may be a password that was typed in the wrong place, and is forgotten. */
static void note_claimant(struct handshake *h, const struct login *claim)
{
	size_t len = claim->name_len;

	if (users_have(h->users, claim->name, len)) {
		memcpy(h->user, claim->name, len);
		h->claimed_len = len;
		return;
	}
	users_put_lower(claim->name, len, h->user);
	if (users_are_of_helper(h->users, h->user, len))
		h->claimed_len = len;
	else
		explicit_bzero(h->user, len);
}

/* Does it count for the setting ban? Not where there is no password: programs that have none to
 * give, and say so, guess nothing. And where a wrong login is forgiven only if it could have been a
 * user's: who sends one that nobody asked for is no intruder. */
static bool is_failure(
	const struct handshake *h, const struct login *claim, enum login_result result)
{
	bool was_wrong = result == LOGIN_REFUSED || result == LOGIN_HELD_OFF;

	return was_wrong && claim->password_len > 0 &&
		(h->claimed_len > 0 || !admission_wrong_login_forgiven(h->config));
}

static void note_failure(struct handshake *h, const struct login *claim, enum login_result result)
{
	struct login_failure *f = &h->failure;
	struct ban_failure failure = {.from = h->from,
		.rule = &h->config->settings.ban,
		.exempt = &h->config->settings.ban_exempt};

	if (!is_failure(h, claim, result))
		return;
	f->is_due = true;
	f->reason = reason_of_login(h, result);
	if (h->bans == NULL)
		return;
	failure.pair = users_login_mark(h->users, claim);
	f->has_banned = bans_note_failure(h->bans, &failure, bans_now(), &f->ban);
}

/* What could not be checked might have been right: served as Anonymous, a user would get other
 * rules than his own by accident. Who is held off gets what a wrong password would: that he got
 * another answer would tell whose name is an administrator's. */
static enum end_reason refuse_login(struct handshake *h, enum login_result result)
{
	bool was_wrong = result == LOGIN_REFUSED || result == LOGIN_HELD_OFF;

	if (was_wrong && admission_wrong_login_forgiven(h->config))
		return ignore_login(h);
	if (result == LOGIN_TOO_BUSY && watch_is_over(&h->watch))
		return h->watch.left ? END_CLIENT_LEFT : END_CLIENT_FINISHED;
	h->login_refused = h->claimed_len > 0;
	count_login(h, result);
	return reason_of_login(h, result);
}

enum end_reason dialect_log_in(struct handshake *h, const struct login *claim)
{
	enum login_result result;

	if (!admission_login_checked(h->config))
		return ignore_login(h);
	result = check_login(h, claim);
	if (result == LOGIN_OK)
		return take_user(h);
	note_claimant(h, claim);
	note_failure(h, claim, result);
	return refuse_login(h, result);
}

enum end_reason dialect_take_anonymous(const struct handshake *h)
{
	return admission_login_required(h->config) ? END_NO_METHOD : END_REASONS;
}

unsigned dialect_code(const struct handshake *h, enum end_reason failure)
{
	return h->dialect->code(h, failure);
}

bool dialect_reply(struct handshake *h, enum end_reason failure, const struct addr *bound)
{
	static const struct addr nowhere = {.sa = {.sa_family = AF_UNSPEC}};

	h->code = dialect_code(h, failure);
	h->answered = h->dialect->reply(h, failure, bound == NULL ? &nowhere : bound);
	return h->answered;
}
