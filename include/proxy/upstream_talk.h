/* upstream_talk: what is said to one upstream, and how it is judged by what it says: the client's
 * side of SOCKS5, SOCKS4a and HTTP CONNECT. One thread's; no lock. */
#ifndef PROXY_UPSTREAM_TALK_H
#define PROXY_UPSTREAM_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/upstream.h"
#include "state/end_reason.h"
#include "state/upstreams.h"

/* What came of one server. */
enum upstream_outcome {
	OUTCOME_TAKEN, /* the request: it is connected */
	OUTCOME_FAULT, /* it does not work */
	OUTCOME_QUIET, /* it was asked and gave no answer, which may be the target's doing */
	OUTCOME_FAILED, /* there is no more to be tried: `failure` says why */
};

/* One server that is talked to. */
struct upstream_talk {
	struct upstream_request *request;
	const struct upstream *server;
	int fd;
	int64_t deadline;
	bool has_answered; /* it is known to speak its protocol */
	bool has_asked; /* for the target: what comes, or does not come, is about that */
	enum upstream_fault fault;
	enum end_reason why_quiet;
};

/* What may come of it: it does not work; or the request has failed, whatever other servers there
 * are. */
enum upstream_outcome upstream_blame(struct upstream_talk *t, enum upstream_fault fault);
enum upstream_outcome upstream_fail_for_target(struct upstream_talk *t, enum end_reason why);

/* Why a server cannot do such a request; END_REASONS: it can. */
enum end_reason upstream_misfit(const struct upstream_request *r, const struct upstream *server);

/* Asks for the target, in its protocol, over the connection that is there. */
enum upstream_outcome upstream_ask(struct upstream_talk *t);

/* Waits for what a SOCKS5 server says of the request, for the first or the second time. */
enum upstream_outcome upstream_receive_reply(struct upstream_talk *t);

#endif
