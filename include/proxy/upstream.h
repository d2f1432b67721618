/* upstream: by other proxies to what a client asks for: the client's side of SOCKS5, SOCKS4a and
 * HTTP CONNECT. One thread's; no lock. */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buffer.h"
#include "proxy/target.h"
#include "proxy/watch.h"
#include "state/end_reason.h"
#include "state/upstreams.h"

struct upstream_request {
	/* given */
	const struct asker *asker; /* on whose behalf: the lease, the resolver, the configuration */
	enum request_command command;
	const struct destination *dst; /* as the upstream is told; its name stays the caller's */
	struct watch *watch; /* on the client, meanwhile */
	struct buffer *in; /* empty: what the upstream says, and in the end what is behind its
			    * answer. A kB at least; 64 that any answer may fit */
	int64_t deadline;
	bool wants_http; /* it is a plain HTTP request, which an http upstream gets as it is: there
			  * nothing is asked for */

	/* results */
	const struct upstream *through;
	struct addr server; /* where that is */
	struct addr bound; /* what the upstream tells of its end; of http, our own end */
	enum end_reason failure;
	bool is_undone; /* no server has said anything of the target: it may be tried another way */
	int error; /* errno; 0 = none */
};

/* Tries the servers of the way in their order, those that rest left out, each with its share of the
 * time, until one takes the request. The connected socket, which is then the caller's with its
 * place in the lease; or -1 with `failure`: END_UPSTREAMS_DOWN when none of them works, or what one
 * said of the target. The next one is tried only while an upstream itself does not work, or when
 * one cannot do such a request. */
int upstream_connect(struct upstream_request *r, const struct upstream_way *way)
	__attribute__((warn_unused_result));

/* After that: does none of its servers work, and the rule lets it go straight then? */
static inline bool upstream_may_go_straight(
	const struct upstream_request *r, const struct upstream_way *way)
{
	return r->is_undone && (way->goes_straight || way->count == 0);
}

/* What became of a plain HTTP request that a server got as it is: its answer has begun; or nothing
 * at all was said to it in the idle time, which began at `since`. That is the server's failure
 * unless it has worked for others meanwhile: then it may be the target's. */
void upstream_note_answer(const struct upstream *u);
void upstream_note_silence(const struct upstream *u, int64_t since);

/* Waits for the second answer to BIND on that socket: 0 when the peer has come, who is `bound`
 * then. -1 with `failure`. Until `deadline`, which the caller may have changed. */
int upstream_await_peer(struct upstream_request *r, int fd) __attribute__((warn_unused_result));

/* Where `bound` says no address, it is at the server's. */
struct addr upstream_bound(const struct upstream_request *r);

#define UPSTREAM_AUTHORIZATION_MAX 720

/* The value of Proxy-Authorization for an http upstream with a login; "" for one without. Returns
 * `out`, which is a secret. */
const char *upstream_authorization(const struct upstream *u, char out[UPSTREAM_AUTHORIZATION_MAX]);

#endif
