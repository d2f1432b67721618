/* dial: from a requested target to a connected socket: name lookup, rules, connection attempts.
 * One thread's; no lock. */
#ifndef PROXY_DIAL_H
#define PROXY_DIAL_H

#include <stdint.h>

#include "base/buffer.h"
#include "proxy/target.h"
#include "proxy/watch.h"
#include "state/end_reason.h"

#define DIAL_MAX_ATTEMPTS 8 /* connection attempts under way at once */

struct dial_attempt {
	int fd;
	struct addr addr;
	struct verdict verdict;
};

struct dial {
	/* given */
	const struct asker *asker;
	const struct destination *dst;
	struct watch watch; /* on the client, meanwhile */
	struct buffer *in; /* empty: for what comes behind an upstream's answer */
	bool wants_http; /* it is a plain HTTP request, which an http upstream may be told */

	/* results */
	struct addr address; /* that it became; on failure the last one tried. AF_UNSPEC where an
			      * upstream was told the name */
	struct addr local; /* our own end of the connection, or that of the upstream */
	const struct upstream *through; /* it goes, or went last; NULL: straight. Valid until
					 * dial_end() */
	bool takes_http; /* `through` waits for the request, in absolute form and with
			  * upstream_authorization() */
	int error; /* errno of the attempt that got furthest; 0 = none */
	enum end_reason failure;
	struct verdict verdict; /* on what it came to; its rule is "" when nothing was judged */
	int64_t lookup_ms; /* until there was an address to try; -1: none was looked for */
	int64_t connect_ms; /* from then until the connection was there or given up; -1: no try */

	/* state */
	struct target target;
	struct dial_attempt attempts[DIAL_MAX_ATTEMPTS];
	size_t attempt_count;
	int64_t begun;
	int64_t deadline;
	int64_t next_attempt; /* not before this, while another is under way */
	struct upstreams *upstreams; /* a reference, for `through` */
	uint32_t straight_set, straight_step; /* the rule whose upstreams do not work, so that what
					       * it matches goes straight; set 0: none */
	bool awaits_detour; /* the next address goes through upstreams, when nothing is under way */
	bool is_over; /* there is no more to be tried */
};

/* Connects to `dst`, within connect_timeout. The connected socket, which is then
 * the caller's with its place in the fd budget (the asker's lease), or -1 with the reason in
 * `failure`. It is exactly the address that was judged that is connected to. Returns as soon as the
 * client leaves, and soon after it has finished. Follows RFC 8305: candidates in target's order, an
 * attempt starts 250 ms after the one before it or when that failed, the first that succeeds wins.
 * What a rule sends through upstreams goes there, and straight only where the rule says so. */
int dial_target(struct dial *d) __attribute__((warn_unused_result));

/* The same until `deadline`, of connect_timeout only a share. */
int dial_until(struct dial *d, int64_t deadline) __attribute__((warn_unused_result));

/* Gives back what `through` needs. Of a dial that was never used, too, if it is zeros. */
void dial_end(struct dial *d);

#endif
