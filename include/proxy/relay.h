/* relay: bytes between two sockets, both ways, until both sides have finished or one broke. One
 * thread's; no lock. */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include <stdint.h>

#include "base/buffer.h"
#include "state/end_reason.h"

struct relay {
	int client;
	int target;
	struct buffer *to_target; /* may hold bytes already: what the client sent ahead */
	struct buffer *to_client;
	int64_t idle_ms; /* longest time without a byte either way */
	int64_t half_idle_ms; /* the same once one side has finished */
	uint64_t sent; /* bytes written to the target */
	uint64_t received; /* bytes written to the client */
};

/* Runs to the end and says why it came. The end of one side's stream is passed on behind its last
 * byte, and so is a reset: for END_TARGET_RESET the client is still to be closed with a reset, for
 * END_CLIENT_RESET the target. Both descriptors stay open. */
enum end_reason relay_run(struct relay *r);

#endif
