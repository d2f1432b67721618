/* relay: bytes between two sockets, both ways, until both sides have finished or one broke. One
 * thread's; no lock. */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include <stdint.h>

#include "base/buffer.h"
#include "net/pipe.h"
#include "proxy/pace.h"
#include "state/config.h"
#include "state/end_reason.h"
#include "state/traffic.h"

struct relay {
	int client;
	int target;
	struct buffer *to_target; /* may hold bytes already: what the client sent ahead */
	struct buffer *to_client;
	enum relay_path path;
	struct pipe_pool *pipes;
	const struct idle_limits *limits; /* obeyed as they are at any time */
	struct traffic *traffic; /* what is moved is counted here, while it happens */
	struct pace_accounts accounts; /* whose rates it keeps to, as they are at any time */
	int error; /* result: errno behind END_RELAY_FAILED, else 0 */
};

/* Runs to the end and says why it came. The end of one side's stream is passed on behind its last
 * byte, and so is a reset: for END_TARGET_RESET the client is still to be closed with a reset, for
 * END_CLIENT_RESET the target, for END_RELAY_FAILED both. Both descriptors stay open. */
enum end_reason relay_run(struct relay *r);

#endif
