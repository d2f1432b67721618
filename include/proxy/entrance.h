/* entrance: which clients are let in: by bans, by the setting clients, and by what one of them may
 * have of all workers. No lock of its own. */
#ifndef PROXY_ENTRANCE_H
#define PROXY_ENTRANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "proxy/services.h"

/* A client that has come. */
struct guest {
	int fd;
	struct addr addr;
	int64_t since; /* clock_ms() when it was accepted */
	struct config *config; /* under which that was */
	size_t place; /* by the number of places_take() */
	struct ledger_entry *entry; /* in which the session is counted; NULL: memory was out */
	bool is_balancer; /* which will say who the client is, and nobody has let in yet */
};

/* Is it one of those that speak the PROXY protocol (proxy_protocol_from)? */
bool entrance_is_balancer(const struct config *c, const struct addr *addr);

/* Is it banned by now? Not counted. */
bool entrance_is_banned(struct services *v, const struct config *c, const struct addr *client);

/* May the client come in at all? END_REASONS; else it is counted why not: END_BANNED or
 * END_CLIENT_REFUSED. */
enum end_reason entrance_ask(struct services *v, const struct guest *guest);

/* Lets it in at its place, and fills in the entry in which its session has begun. END_REASONS; else
 * END_CLIENT_OVER_SHARE, which is counted, and no entry. `slot` is that of the session. */
enum end_reason entrance_join(struct services *v, struct guest *guest, struct registry_slot *slot);

/* Says that one was turned away for this reason: to whoever asks why, as turnaways.h has it; and in
 * the log, at most once a minute, but of who is banned and may come again and again, who is counted
 * only. The line is built in `line`. */
void entrance_report(
	struct services *v, struct log_line *line, const struct addr *client, enum end_reason why);

#endif
