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

/* The `newest` entries of `user`; NULL: of everybody. Or those of the clients in a network, which
 * may be a single address. */
void listings_access_log(struct services *v, const char *user, uint64_t newest, struct reply *r);
void listings_access_log_of_client(
	struct services *v, const struct network *client, uint64_t newest, struct reply *r);

/* The last `seconds` before `now` in steps of throughput_scales[scale], newest first: the step that
 * runs is the first. */
void listings_traffic(
	struct services *v, size_t scale, int64_t seconds, int64_t now, struct reply *r);

/* What is told of a client last in its line: its name, where it has one. */
void listings_add_name(struct reply *r, struct client_names *names, const struct addr *addr);

#endif
