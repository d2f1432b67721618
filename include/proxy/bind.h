/* bind: from a request for BIND to the one connection that its peer makes. One thread's; no lock.
 */
#ifndef PROXY_BIND_H
#define PROXY_BIND_H

#include <stdint.h>

#include "base/backoff.h"
#include "base/buffer.h"
#include "proxy/target.h"
#include "proxy/upstream.h"
#include "proxy/watch.h"
#include "state/end_reason.h"
#include "state/stats.h"

struct bind {
	/* given */
	const struct asker *asker;
	struct stats *stats;
	const struct destination *dst; /* of the request */
	struct watch watch; /* on the client, meanwhile */
	struct buffer *in; /* empty: for what comes behind an upstream's answers */

	/* results */
	struct addr bound; /* what the first reply tells */
	struct addr peer; /* what the second does */
	int error; /* errno; 0 = none */
	enum end_reason failure;
	struct verdict verdict; /* on what was asked for, and in the end on the peer that came */
	struct upstream_way way; /* through upstreams: to be ended; `via.through` is the one */
	struct upstream_request via;

	/* state */
	int64_t deadline; /* to find whom to listen for and to have an upstream do it */
	int listener;
	int control; /* the connection to the upstream that listens instead; -1: none does */
	size_t places; /* in the budget, that are taken for it */
	uint32_t straight_set, straight_step; /* the rule whose upstreams do not work */
	struct backoff pause; /* between two tries of an accept(2) that failed */
	int64_t accept_from; /* not before: it failed just now */
	struct target target; /* `dst`: whose connection is taken */
};

/* Begins to listen for whom `dst` names, on the address from which that is reached, or has an
 * upstream do it. -1 with the reason in `failure`; nothing is held then but the way. */
int bind_listen(struct bind *b) __attribute__((warn_unused_result));

/* Waits until bind_timeout for the peer's connection. The socket, which is then the caller's with
 * its place in the fd budget (`lease`), or -1 with the reason in `failure`. Connections from
 * elsewhere are reset. Returns as soon as the client leaves, and soon after it has finished.
 * Afterwards nobody listens any more. */
int bind_accept(struct bind *b) __attribute__((warn_unused_result));

/* Ends the listening that bind_listen() began when bind_accept() is not to be called. */
void bind_abandon(struct bind *b);

#endif
