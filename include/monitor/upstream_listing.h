/* upstream_listing: how upstreams fare, as the monitor tells it. No state. */
#ifndef MONITOR_UPSTREAM_LISTING_H
#define MONITOR_UPSTREAM_LISTING_H

#include "monitor/reply.h"
#include "proxy/services.h"

/* The reply to UPSTREAMS: a line a server. */
void upstream_listing(struct services *v, struct reply *r);

/* The lines of STATS: "upstream NAME N state:up", N counting the servers of that name. */
void upstream_listing_add_figures(struct services *v, struct reply *r);

#endif
