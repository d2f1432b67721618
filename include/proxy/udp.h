/* udp: an association (RFC 1928 section 7): datagrams between a client and those that it sends to.
 * One thread's; no lock. */
#ifndef PROXY_UDP_H
#define PROXY_UDP_H

#include <stdint.h>

#include "proxy/pace.h"
#include "proxy/target.h"
#include "state/config.h"
#include "state/end_reason.h"
#include "state/registry.h"
#include "state/stats.h"
#include "state/traffic.h"
#include "state/upstreams.h"

struct udp;

/* What an association is given; all of it outlives it. */
struct udp_setup {
	const struct asker *asker;
	const struct idle_limits *limits; /* obeyed as they are at any time */
	struct traffic *traffic; /* what is moved is counted here, while it happens */
	struct stats *stats;
	struct pace_accounts accounts; /* whose rates it keeps to, as they are at any time */
	int client; /* the TCP connection that it lives with */
	struct registry_slot *slot; /* is told of upstreams that it goes through; NULL: nobody is */
};

/* Opens the socket that the client sends to, on the address by which it has reached us. NULL with
 * errno; EMFILE: there are no descriptors to spare. */
struct udp *udp_open(const struct udp_setup *setup);

/* BND.ADDR: where the client is to send to. */
struct addr udp_bound(const struct udp *u);

/* Runs to the end and says why it came: END_CLOSED and END_CLIENT_RESET for the TCP connection's,
 * END_UDP_IDLE, END_UPSTREAM_FAILED for that of the connection to an upstream. */
enum end_reason udp_run(struct udp *u);

/* What was counted. */
struct datagram_counts udp_counts(const struct udp *u);

/* The first upstream that it goes through, with a reference to its set, which is the caller's;
 * NULL: none. */
const struct upstream *udp_through(const struct udp *u, struct upstreams **set);

/* Closes and frees. NULL is allowed. */
void udp_close(struct udp *u);

#endif
