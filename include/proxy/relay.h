/* relay: bytes between two sockets, both ways, until both sides have finished or one broke. One
 * thread's; no lock. */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "net/pipe.h"
#include "proxy/pace.h"
#include "proxy/relay_room.h"
#include "state/config.h"
#include "state/end_reason.h"
#include "state/traffic.h"

/* Of a direction in which not all that comes is passed on as it is: a protocol's messages. What it
 * is asked to do it says in these fields. */
struct relay_filter {
	/* `fresh` > 0 bytes have come at the end of `b`. It may change and take away what has not
	 * been passed on yet, which is all that has come since its last call and the `held_back`
	 * bytes in front of that. */
	void (*sift)(struct relay_filter *filter, struct buffer *b, size_t fresh);
	/* So many of the `unseen` have gone by. */
	void (*pass)(struct relay_filter *filter, size_t bytes);
	/* Nothing more comes from there: its stream has ended, or its connection broke. */
	void (*cut)(struct relay_filter *filter, bool is_broken);

	uint64_t unseen; /* bytes of those to come that are passed on without sift() where that is
			  * cheaper; UINT64_MAX: all, from now on */
	size_t held_back; /* bytes at the buffer's end that are not passed on yet */
	size_t spare; /* bytes of the buffer that are to stay free when it is read into */
	int64_t deadline; /* of what it waits for (clock.h); CLOCK_NEVER: for nothing */
	bool ended; /* what was to be passed on has come, all of it */
	bool ends_stream; /* nothing is read from there any more then; else it is, and sift() takes
			   * it away */
	bool failed; /* the session is to end */
};

struct relay {
	int client;
	int target;
	struct buffer *to_target; /* may hold bytes already: what the client sent ahead */
	struct buffer *to_client;
	enum relay_path path;
	struct pipe_pool *pipes;
	struct relay_room *room; /* NULL: it may hold what it wants */
	const struct idle_limits *limits; /* obeyed as they are at any time */
	struct traffic *traffic; /* what is moved is counted here, while it happens */
	struct pace_accounts accounts; /* whose rates it keeps to, as they are at any time */
	struct relay_filter *out_filter; /* to the target; NULL, as the other one: there is none */
	struct relay_filter *in_filter; /* to the client */

	/* results */
	int error; /* errno behind END_RELAY_FAILED, else 0 */
	bool has_delivered; /* all that came, or was to come, for the client went out to it */
};

/* Runs to the end and says why it came: END_CLOSED also when a filter has failed, or has seen the
 * end of what was to be passed on and the other one, too. The end of one side's stream is passed on
 * behind its last byte, and so is a reset: for END_TARGET_RESET the client is still to be closed
 * with a reset, for END_CLIENT_RESET the target, for END_RELAY_FAILED both. Both descriptors stay
 * open. */
enum end_reason relay_run(struct relay *r);

#endif
