/* order: a command that somebody gives, on its way through the threads that have a part in it. The
 * thread's whose loop has taken it in, but for the errand, during which only the thread that does
 * it touches what it is about; no lock. */
#ifndef MONITOR_ORDER_H
#define MONITOR_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/commands.h"
#include "monitor/peer.h"
#include "monitor/reply.h"
#include "server/errands.h"

struct order {
	/* who gives it, and where he waits for the answer */
	const char *logged_as; /* "monitor command" */
	const char *user;
	const struct peer *peer;
	bool is_operator; /* an administrator by who the peer is, whatever users there are */
	uint64_t password_mark; /* users.h: of the password that he logged in with */
	struct errands *done; /* of the loop that he is served by */
	/* In that loop, when what was sent is done. */
	void (*finished)(struct order *o);

	struct monitor_request request;
	struct reply reply;
	bool is_away; /* an errand is under way */
	struct errand errand;
};

/* What the other threads do in turn; NULL: nothing. */
struct order_steps {
	void (*hash)(struct errand *e);
	void (*ask)(struct errand *e); /* that which may wait for helpers of logins */
	void (*run)(struct errand *e); /* the main thread */
	void (*look_up)(struct errand *e); /* that which may wait for name servers */
	void (*keep)(struct errand *e);
	void (*finish)(struct errand *e); /* the main thread again */
};

/* Whose errand it is. */
struct order *order_of(struct errand *e);

/* Sends it through these; finished() follows. A step may be anything, such as the check of a login.
 */
void order_send(struct order *o, const struct order_steps *steps);

/* Gives the command of the request, which was taken apart by commands_parse() and the like: its
 * reply is there when it is not away behind this, and else when finished() is called. */
void order_give(struct order *o);

/* May whoever gives it still do so, as things are now? */
bool order_may_go_on(const struct order *o);

/* Was the password changed since he logged in, by somebody else, or in the file? */
bool order_has_old_password(const struct order *o);

/* Does the reply say OK, as far as it is there yet? */
bool order_has_succeeded(const struct order *o);

/* Forgets the password of the request. */
void order_wipe(struct order *o);

#endif
