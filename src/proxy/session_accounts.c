/*
 * The client has its entry in the ledger when it is accepted, the user gets it at login. What the
 * limits of both count, places, is taken when there is a request and given back before the client
 * can see the end, since it may come again at once.
 */
#include "proxy/session_accounts.h"

#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "state/ledger_limits.h"

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

enum end_reason session_take_places(struct session *s)
{
	enum end_reason why = ledger_admit(s->client_entry, s->handshake.user_entry);

	s->is_admitted = why == END_REASONS;
	if (s->is_admitted && are_too_many_from_here(s)) {
		why = END_TOO_MANY_SESSIONS;
		leave_places(s);
	}
	return why;
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

void session_begin_visit(struct session *s)
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

/* Was it the server that would not, rather than something that went wrong? */
static bool was_forbidden(enum end_reason reason)
{
	return reason == END_NO_METHOD || reason == END_WRONG_PASSWORD ||
		reason == END_LOGIN_REFUSED || reason == END_TARGET_DENIED ||
		reason == END_NO_LOGIN_HELPER || reason == END_DISABLED || reason == END_EXPIRED ||
		reason == END_CLIENT_NOT_ALLOWED_FOR_USER || reason == END_TOO_MANY_SESSIONS ||
		reason == END_QUOTA_REACHED;
}

/* Before the client can see the end: it may come again at once. */
void session_leave_accounts(struct session *s)
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
