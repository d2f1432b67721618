/*
 * Asked by the worker that has accepted the client; and where a balancer has connected in his
 * place, by the session that has learnt who he is.
 *
 * What a client has of the workers is asked after it has taken its place and is counted, so that of
 * several who come at once none overlooks another. Only for one of the last places it is looked at
 * who else is there.
 */
#include "proxy/entrance.h"

#include <time.h>

#include "base/clock.h"
#include "state/admission.h"

bool entrance_is_balancer(const struct config *c, const struct addr *addr)
{
	return network_list_contains(&c->settings.proxy_protocol_from, addr);
}

bool entrance_is_banned(struct services *v, const struct config *c, const struct addr *client)
{
	return bans_any(v->bans) &&
		bans_refuse(v->bans, client, &c->settings.ban_exempt, clock_ms());
}

enum end_reason entrance_ask(struct services *v, const struct guest *guest)
{
	bool login = admission_login_required(guest->config);

	if (entrance_is_banned(v, guest->config, &guest->addr)) {
		stats_add(&v->stats.clients_banned, 1);
		return END_BANNED;
	}
	if (!admission_client_allowed(guest->config, login, &guest->addr)) {
		stats_add(&v->stats.clients_refused, 1);
		return END_CLIENT_REFUSED;
	}
	return END_REASONS;
}

/* Would it be more than max_sessions_per_client allows, as the `running`-th session of its client?
 */
static bool is_over_its_share(struct services *v, const struct guest *guest, size_t running)
{
	int64_t most = guest->config->settings.max_sessions_per_client;

	if (most == SESSIONS_PER_CLIENT_AUTO)
		return places_is_kept(&v->places, guest->place, running) &&
			ledger_is_shared(v->ledger, guest->since);
	return most != SESSIONS_PER_CLIENT_NONE && running > (size_t)most;
}

enum end_reason entrance_join(struct services *v, struct guest *guest, struct registry_slot *slot)
{
	size_t running;

	guest->entry = ledger_join_client(v->ledger, &guest->addr, guest->since, &running);
	if (guest->entry == NULL || !is_over_its_share(v, guest, running))
		return END_REASONS;
	ledger_turn_away(guest->entry, guest->since);
	guest->entry = NULL;
	traffic_stir(registry_traffic(slot));
	stats_add(&v->stats.clients_over_share, 1);
	return END_CLIENT_OVER_SHARE;
}

/* For whoever asks why, or looks on. Not inline: few are turned away. */
__attribute__((noinline)) static void tell_turned_away(
	struct services *v, const struct addr *client, enum end_reason why)
{
	struct network account = own_client_of(v->own, client);
	struct event e = {
		.kind = EVENT_REFUSED, .time = time(NULL), .client = *client, .reason = why};

	if (!turnaways_pass(&v->turnaways, &account, clock_ms()))
		return;
	events_add(v->failures, &e);
	if (watching_is_on(&v->watching))
		watching_tell(&v->watching, &e);
}

void entrance_report(
	struct services *v, struct log_line *line, const struct addr *client, enum end_reason why)
{
	bool is_over = why == END_CLIENT_OVER_SHARE;
	struct log_limit *limit = is_over ? &v->over_share_limit : &v->refused_limit;
	uint64_t held_back;
	char text[ADDR_TEXT_MAX];

	tell_turned_away(v, client, why);
	if (why == END_BANNED || !log_limit_pass(limit, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	log_begin(line, LOG_WARN,
		is_over ? "client refused by the setting max_sessions_per_client"
			: "client refused by the setting clients");
	log_text(line, "client", addr_format(client, text));
	log_number(line, "others_since_last_line", (int64_t)held_back);
	log_end(line);
}
