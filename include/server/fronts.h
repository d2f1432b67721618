/* fronts: where the server is waited at: for each of its doors the sockets, and who accepts there.
 * The main thread's; no lock. */
#ifndef SERVER_FRONTS_H
#define SERVER_FRONTS_H

#include <stdbool.h>
#include <stddef.h>

#include "net/fdbudget.h"
#include "proxy/listeners.h"
#include "server/front.h"
#include "server/handover.h"
#include "state/config.h"

/* Clients of the monitor's unix socket at once, beside those at its address. */
#define FRONTS_SOCKET_CLIENTS 8

/* Who accepts at a front. The sockets stay the fronts', and are closed by them. */
struct acceptor {
	/* Gets ready to accept on `next`, which may come to nothing. -1 with errno. NULL: is ready.
	 */
	int (*expect)(void *context, const struct listeners *next);
	/* Accepts on `next`, which lives until the next call, and, when it returns, on nothing else
	 * any more. */
	void (*listen_on)(void *context, const struct listeners *next);
	void *context;
};

struct fronts {
	struct fdbudget *budget;
	struct handover *handover; /* where sockets come from and go to, too; NULL: nowhere */
	size_t reserved; /* descriptors that it has kept for them */
	size_t borrowed; /* that were taken from the spare beyond these */
	size_t borrowed_for_change; /* while old and new are open side by side */
	struct {
		struct acceptor acceptor;
		struct listeners *now; /* NULL: nobody listens yet, or any more */
		struct listeners *next; /* opened, and not in use yet; NULL: nothing is */
		struct listeners *handed; /* while it is opened first: what was there before us */
		size_t clients; /* descriptors for those who come */
		size_t kept; /* descriptors for clients, who may stay longer than the sockets */
	} at[FRONTS];
};

/* How many descriptors these settings want: a listener each, and for the monitor's unix socket and
 * the web's front their clients and one that is turned away. */
size_t fronts_descriptors(const struct settings *s);

/* Where these settings want a front to listen, with a port each; nowhere for a unix socket. */
struct listen_list fronts_places(const struct settings *s, enum front front);

/* Would the file system let a server with these settings listen at its paths? -1 with the reason in
 * `error`. */
int fronts_check(const struct settings *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Can all that these settings want be listened on at once? -1 with the reason in `error`, when two
 * of them are the same address and port, or one is all addresses and the other is among them. */
int fronts_check_places(const struct settings *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Fills in where the proxy itself would answer by its settings, for a configuration that nothing is
 * opened for. */
void fronts_plan_own(struct config *c);

/* At start: opens all that `c` says, or takes it over from `handover`, and tells it the places as
 * the proxy's own. `reserved` says for how many descriptors `budget` has room set aside. -1 with
 * the reason in `error`, and nothing is open. */
int fronts_open(struct fronts *f, struct fdbudget *budget, size_t reserved,
	struct handover *handover, struct config *c, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

void fronts_set_acceptor(struct fronts *f, enum front front, const struct acceptor *acceptor);

/* Begins to listen with what was opened, when all acceptors are there. -1 with the reason in
 * `error`. */
int fronts_begin(struct fronts *f, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Opens what `new` says, beside what is listened on, and tells it the places as the proxy's own;
 * either fronts_commit() or fronts_undo() follows. -1 with the reason in `error`, and nothing
 * changed. */
int fronts_prepare(struct fronts *f, struct config *new, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Goes over to what was opened, and closes what is not listened on any more. `logs_new`: with a
 * line in the log for each that was not listened on before. */
void fronts_commit(struct fronts *f, bool logs_new);

/* A line in the log for each that is listened on. */
void fronts_log(const struct fronts *f);

/* Closes what was opened. */
void fronts_undo(struct fronts *f);

/* What is listened on; NULL: nothing. */
const struct listeners *fronts_listeners(const struct fronts *f, enum front front);

/* Closes the sockets of a front at which nobody accepts any more. */
void fronts_close(struct fronts *f, enum front front);

/* Those of all fronts, and what was only opened. */
void fronts_close_all(struct fronts *f);

#endif
