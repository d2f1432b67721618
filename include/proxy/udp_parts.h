/* udp_parts: what the files of an association (udp.c, udp_batches.c, udp_outward.c, udp_inward.c)
 * have of each other. One thread's; no lock. */
#ifndef PROXY_UDP_PARTS_H
#define PROXY_UDP_PARTS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/socket.h"
#include "proxy/detours.h"
#include "proxy/flows.h"
#include "proxy/names.h"
#include "proxy/queue.h"
#include "proxy/udp.h"
#include "wire/reassembly.h"
#include "wire/socks5.h"

#define UDP_SLOT_SIZE 65536 /* more than a UDP datagram can have */
#define UDP_QUIET_MS                                                                               \
	1000 /* after that memory is given back, and what has no use for a rate rests */

struct udp {
	struct udp_setup setup;
	struct addr bound;
	int client; /* the socket that the client sends to */
	int outgoing[LOOKUP_FAMILIES]; /* -1: not needed yet */
	struct addr peer; /* where the client sends from; AF_UNSPEC: not known yet */
	bool is_connected; /* the client's socket, to `peer` */
	bool slots_are_large; /* large datagrams have touched them */
	uint64_t rules; /* the generation of those that the flows were judged by */
	int64_t border; /* when they say something else of themselves (target_next_border()) */
	int64_t now; /* clock_ms() of this turn */
	struct datagram_counts counts, reported;
	struct batch batches[LOOKUP_FAMILIES];
	struct batch back; /* to the client */
	size_t batched; /* bytes in all batches, detours' too, without headers */
	struct pace paces[THROTTLE_DIRECTIONS];
	struct queue queues[THROTTLE_DIRECTIONS];
	uint8_t headers[SOCKET_BATCH][SOCKS5_HEADER_MAX];
	struct flows flows;
	struct names names;
	struct detours detours;
	bool has_lost_upstream; /* one of them has ended its association, and so this one ends */
	struct reassembly reassembly;
	uint8_t slots[SOCKET_BATCH][UDP_SLOT_SIZE];
};

/* ---- udp_batches.c ---- */

void udp_drop(struct udp *u, enum datagram_drop why);

/* Receives into the slots; how many. */
size_t udp_receive_in_slots(struct udp *u, int fd, struct socket_datagram in[SOCKET_BATCH]);

/* What large datagrams have touched. */
void udp_give_memory_back(struct udp *u);

/* May it go now? If not, it is on its way to, or dropped. */
bool udp_admit(struct udp *u, enum traffic_direction direction, const struct addr *peer,
	const uint8_t *data, size_t len);

/* Put what was admitted into a batch, where its bytes stay the caller's until that is flushed. */
void udp_put_outgoing(struct udp *u, const struct addr *to, const uint8_t *data, size_t len);
void udp_put_back(struct udp *u, const struct addr *from, const void *data, size_t len);

/* The same through an upstream, admitted or not. */
void udp_send_through(struct udp *u, struct detour *d, const struct destination *dst,
	const uint8_t *data, size_t len);

void udp_flush_outgoing(struct udp *u);
void udp_flush_back(struct udp *u);

/* Sees what limits there are; what has nothing to move lets others have its part. */
void udp_look_at_limits(struct udp *u, bool is_quiet);

/* When something may go, or somebody who has nothing to move may say so. */
int64_t udp_limits_deadline(const struct udp *u);

/* Sends what has waited for a limit and need not any longer. */
void udp_send_waiting(struct udp *u);

/* ---- udp_outward.c ---- */

/* Asks again when there is another configuration, or when it is a time at which rules begin or end;
 * answers of whom the rules forbid now do not get through either. A change while this goes on is
 * seen in the next turn. */
void udp_follow_rules(struct udp *u);

/* The client's socket has something. */
void udp_serve_client(struct udp *u);

/* Sends what need not wait for its name any longer. */
void udp_send_named(struct udp *u);

/* ---- udp_inward.c ---- */

/* The socket that targets of this family see has something. */
void udp_serve_targets(struct udp *u, enum lookup_family family);

/* Detours of which something was reported. */
void udp_serve_detours(struct udp *u);

#endif
