/* exchange: one HTTP request that goes to its server, and the answer to it, both through the relay.
 * One thread's; no lock. */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/relay.h"
#include "state/end_reason.h"
#include "wire/http_chunked.h"
#include "wire/http_fields.h"

struct exchange;

enum message_stage {
	MESSAGE_HEAD,
	MESSAGE_BODY,
	MESSAGE_TUNNEL, /* no message any more: bytes */
};

/* One of the two messages: the relay's filter for its direction. */
struct message {
	struct relay_filter filter; /* first: the relay knows no more of it */
	struct exchange *exchange;
	enum message_stage stage;
	size_t seen; /* bytes of its head that were looked at */
	struct http_body body; /* `length` is what is left of it */
	struct http_chunked chunks;
	bool takes_chunks_apart; /* only their data are passed on */
};

struct exchange {
	/* given */
	struct relay *relay; /* both buffers, the request's with its head, whole and right */
	bool has_via; /* Via is put into heads */
	const char *upstream_login; /* it goes to an upstream that speaks HTTP: its
				     * Proxy-Authorization, "" without one; NULL: to the server */
	/* The head of the answer is there and is about to be passed on; false: it is not to be. */
	bool (*answer)(void *who, unsigned status);
	void *who;

	/* results */
	enum end_reason failure; /* why there is no answer that is whole; END_REASONS: other than
				  * what the relay has said, nothing is known */
	bool is_answered; /* an answer was begun to be passed on */
	bool has_spoken; /* the server has said something, if only an answer's beginning */
	bool is_torn; /* and its end was not, so that the client is to see it break off */
	bool has_more; /* the client has sent, or may send, what nobody wants */

	/* state */
	struct message request, response;
	bool is_head; /* it asks for a head only */
	bool is_old; /* the client speaks HTTP/1.0 */
	bool upgrades; /* the request asks for another protocol */
};

/* Runs to the end, as relay_run() does, whose reason it returns: the request goes to the target
 * with the head that it is to have there, and exactly the body that it announces; the answer comes
 * back likewise. Once the answer's head has begun to come it has to be whole within the idle
 * time. Where `is_answered` stays false the client has got nothing of it. */
enum end_reason exchange_run(struct exchange *x);

#endif
