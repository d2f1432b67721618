/* server_parts: what a server consists of, for the files of server.h (server.c, server_open.c,
 * server_changes.c) only. */
#ifndef SERVER_SERVER_PARTS_H
#define SERVER_SERVER_PARTS_H

#include <stdatomic.h>

#include "proxy/pool.h"
#include "server/addresses.h"
#include "server/ban_sweep.h"
#include "server/capacity.h"
#include "server/errands.h"
#include "server/hasher.h"
#include "server/idle.h"
#include "server/janitor.h"
#include "server/limiting.h"
#include "server/naming.h"
#include "server/recheck.h"
#include "server/sampling.h"
#include "server/server.h"
#include "server/shared_accounts.h"
#include "server/shares.h"
#include "server/sharing.h"
#include "server/site.h"
#include "server/supervision.h"

/* Users of other nodes that are to come into effect; on its way once at most. */
struct arrivals {
	struct errand errand; /* first */
	struct server *server;
	_Atomic(bool) is_sent;
};

struct server {
	struct services services;
	struct capacity capacity;
	bool stopping;
	int64_t drain_ends; /* clock_ms() */
	int64_t drain_told, drain_pause; /* when the log was told of it last; until the next time */
	struct handover *handover;
	struct supervision supervision;
	struct options *options;
	struct site site; /* for changes while serving */
	struct errands *errands; /* for the main thread */
	struct hasher *hasher;
	struct hasher *lookups; /* a thread that may wait for name servers */
	struct hasher *asker; /* one that may wait for helpers of logins, where there are some */
	struct pool *pool;
	struct janitor *janitor;
	struct keeper *keeper; /* NULL: nothing is kept */
	struct arrivals arrivals;
	struct sharing *sharing; /* NULL: it shares nothing with other nodes */
	struct idle_sweep idle_sweep;
	struct addresses addresses;
	struct sampling sampling;
	struct recheck recheck;
	struct shares shares;
	struct limiting limiting;
	struct naming naming;
	struct ban_sweep ban_sweep;
	struct shared_graves graves;
};

#endif
