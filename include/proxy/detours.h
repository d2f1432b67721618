/* detours: the associations that one has at upstreams, for datagrams that rules send through them,
 * each opened when it is first needed. One thread's; no lock. */
#ifndef PROXY_DETOURS_H
#define PROXY_DETOURS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/socket.h"
#include "proxy/target.h"
#include "state/registry.h"
#include "state/upstreams.h"
#include "wire/socks5.h"

#define DETOURS_MAX 4
#define DETOURS_MAX_FDS (2 * DETOURS_MAX)

/* What is to go out next through one socket. */
struct batch {
	size_t count;
	struct socket_datagram items[SOCKET_BATCH];
};

struct detour {
	const struct upstream *server;
	struct upstreams *set; /* a reference, for it */
	int control; /* the connection that the upstream's association lives with */
	int socket; /* connected to where the upstream takes datagrams */
	short control_events, socket_events; /* that poll(2) has reported */
	bool has_names; /* it was sent some to look up, so that anybody may answer */
	struct batch batch;
	uint8_t headers[SOCKET_BATCH][SOCKS5_NAMED_HEADER_MAX];
};

/* All zeros but for what is given: there are none. */
struct detours {
	/* given */
	const struct asker *asker;
	struct registry_slot *slot; /* is told of the first one; NULL: nobody is */
	int client; /* who may leave while one is opened */

	/* state */
	size_t count;
	int64_t deadline; /* of all that are opened before the next poll(2); 0: none was yet */
	size_t polled; /* of them: one may be opened since */
	struct detour all[DETOURS_MAX];
};

/* That of one of the way's servers, opened if there is none: that takes its time, in which nothing
 * else is done; connect_timeout at most, for all of them together, until detours_process() is
 * called again. NULL when there is none to be had; then `*goes_straight` tells whether the way does
 * without. */
struct detour *detours_find(struct detours *d, const struct upstream_way *way, bool *goes_straight);

/* Adds a datagram for `dst` to the batch, whose bytes stay the caller's; that has room. */
void detour_put(struct detour *d, const struct destination *dst, const void *data, size_t len);

/* What to poll for, DETOURS_MAX_FDS entries at most: how many. */
size_t detours_fds(struct detours *d, struct pollfd *fds);

/* Takes in what poll(2) reported in these entries; false: nothing. */
bool detours_process(struct detours *d, const struct pollfd *fds);

/* Has the upstream ended its association, by what was reported of the connection? */
bool detour_has_ended(const struct detour *d);

/* Closes them all. */
void detours_end(struct detours *d);

#endif
