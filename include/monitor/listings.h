/* listings: the monitor's answers that can be long, put together a little at a time. No lock of
 * their own; what is listed may change meanwhile, and is listed as it is when its turn comes. */
#ifndef MONITOR_LISTINGS_H
#define MONITOR_LISTINGS_H

#include <stdint.h>

#include "monitor/reply.h"
#include "proxy/services.h"

/* Each begins the reply with its status line and leaves the rest to a source (reply.h). */

void listings_connections(struct services *v, struct reply *r);
void listings_users(struct services *v, struct reply *r);
void listings_accounts(struct services *v, struct reply *r);
void listings_clients(struct services *v, struct reply *r);

/* The sessions of `user`, as the registry has the name, or of the clients in a network; the other
 * is NULL. */
void listings_connections_of(
	struct services *v, const char *user, const struct network *client, struct reply *r);

/* Which entries of the access log. */
struct listings_entries {
	const char *user; /* NULL: of everybody */
	const struct network *client; /* not NULL: of the clients in it, whoever logged in there */
	uint64_t newest; /* so many of them; UINT64_MAX: all */
	int32_t from, to; /* days (base/day.h), both included; 0: of any */
};

void listings_access_log(
	struct services *v, const struct listings_entries *wanted, struct reply *r);

/* The last `seconds` before `now` in steps of throughput_scales[scale], newest first: the step that
 * runs is the first. */
void listings_traffic(
	struct services *v, size_t scale, int64_t seconds, int64_t now, struct reply *r);

/* What is told of a client last in its line: its name, where it has one. */
void listings_add_name(struct reply *r, struct client_names *names, const struct addr *addr);

#endif
