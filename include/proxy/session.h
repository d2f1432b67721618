/* session: one client from its greeting to its end, as straight-line code in the thread that calls
 * session_run(). Owns its sockets; others reach them only through the registry. */
#ifndef PROXY_SESSION_H
#define PROXY_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/log.h"
#include "net/fdbudget.h"
#include "proxy/dial.h"
#include "proxy/entrance.h"
#include "proxy/handshake.h"
#include "proxy/services.h"
#include "proxy/target.h"
#include "state/access_log.h"
#include "state/config.h"
#include "state/end_reason.h"
#include "state/registry.h"
#include "state/stats.h"

#define SESSION_BUFFER_SIZE 65536 /* bytes held for each direction */

#define SESSION_PAGE 4096

/* On a page of its own: then what a session with small messages touches is that page, for itself
 * and the beginning of the first buffer, and the first one of the second buffer. */
struct session {
	_Alignas(SESSION_PAGE) struct services *services;
	struct registry_slot *slot;
	uint64_t id;
	int64_t begun;
	struct config *config;
	struct addr client_addr;
	struct addr balancer; /* that told `client_addr`; AF_UNSPEC: it has connected itself */
	struct ledger_entry *client_entry; /* NULL: memory was out */
	struct history_visit *visit; /* NULL: sites are not kept */
	int client;
	int target; /* -1: not connected */
	struct fd_lease lease; /* of what it holds beside the client's socket */
	struct addr address; /* that the target came to; on failure the last one tried */
	int error; /* errno behind a failure; 0 = none */
	struct datagram_counts datagrams; /* of an association */
	enum end_reason reason;
	bool is_turned_away; /* when a balancer told who it is, as others are before they are served
			      */
	bool is_admitted; /* it has its places under the limits of its accounts */
	bool served; /* what was asked for was granted */
	bool is_through; /* an upstream, which counts it */
	bool is_torn; /* an HTTP answer went out in part, and no more comes of it */
	bool has_more; /* the client may still send what nobody wants behind its HTTP request */
	bool in_access_log; /* the request's answer is; a line of the file is due at the end */
	struct verdict verdict; /* of the rules, on what was asked for; its rule is "" before */
	enum end_reason answer; /* then: what that was, END_REASONS when it was granted */
	const char *command; /* its name; NULL before the request */
	char command_text[16]; /* where it has no static one */
	char target_text[ACCESS_TARGET_MAX]; /* host:port as one word; "" before the request */
	struct buffer in; /* from the client */
	struct buffer out; /* to the client */
	struct handshake handshake;
	struct asker asker; /* for what was asked */
	struct dial dial;
	/* Last, so that little is touched. */
	union {
		uint8_t buffers[2][SESSION_BUFFER_SIZE];
		struct log_line line; /* of a worker without a session: session_line() */
	} memory;
};

/* Serves the guest, or whom that balancer tells, takes over the connection, the reference to the
 * configuration and the entry, and lets go of them. `s` is memory for it, zeroed when it is used
 * for the first time. */
void session_run(struct session *s, struct services *services, struct registry_slot *slot,
	const struct guest *guest);

/* Memory for a line of the log, which a worker's stack has no room for. It is that of the buffers,
 * so only a worker that has no session, or none any more, may ask. */
struct log_line *session_line(struct session *s);

#endif
