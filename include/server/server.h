/* server: the proxy as a whole: opened, confined, started, changed, stopped. For the main thread
 * only. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <signal.h>
#include <stdbool.h>

#include "server/change.h"
#include "server/errands.h"
#include "server/handover.h"
#include "server/keeper.h"
#include "server/sharing.h"
#include "state/options.h"

/* Sent to the process when an errand waits for the main thread. Of the standard signals that are
 * pending the lowest number comes first, so that errands hold up none of the others. */
#define SERVER_ERRAND_SIGNAL SIGURG

struct server;

/* Opens what the command line asks for: files, sockets, memory. Nothing runs yet. The options must
 * live as long as the server, and so must `handover`: the sockets that it does not open itself, and
 * who is told how it is. NULL with the reason in `error`; `*bad_input` tells whether what somebody
 * has written is to blame. */
struct server *server_open(struct options *o, struct handover *handover, bool *bad_input,
	char error[CONFIG_ERROR_MAX]);

/* Gives up what only opening needed, before there are threads. -1 with the reason in `error`. */
int server_confine(struct server *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Starts what runs beside the workers. -1 with the reason in `error`. */
int server_start(struct server *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Starts the workers, when all other threads are there, and begins to listen at all fronts. -1 with
 * the reason in `error`. */
int server_start_workers(struct server *s, char error[CONFIG_ERROR_MAX])
	__attribute__((warn_unused_result));

/* What all sessions share, for the monitor to look at. Valid until server_close(). */
struct services *server_services(struct server *s);

/* Where errands wait for the main thread, which changes users and settings, and which is to call
 * errands_run() for each SERVER_ERRAND_SIGNAL; and for the thread that computes slow hashes. Valid
 * until server_close(). */
struct errands *server_errands(struct server *s);
struct errands *server_hashes(struct server *s);

/* Where those wait that may ask name servers, for a thread of their own. Likewise. */
struct errands *server_lookups(struct server *s);

/* Where errands wait for the thread that may ask a helper of logins; where there is one. */
struct errands *server_questions(struct server *s);

/* Who keeps what is to outlive the server; NULL: nothing is kept. Valid until server_close(). */
struct keeper *server_keeper(struct server *s);

/* Who shares with other nodes; NULL: nobody does. Valid until server_close(). */
struct sharing *server_sharing(struct server *s);

/* Where it is waited at, for whoever accepts there. */
struct fronts *server_fronts(struct server *s);

/* Reads configuration and users again and opens the logs again: all of it, or nothing. 0 with what
 * changed in `reply`, -1 with the reason; either is logged too, see change_reload(). Live sessions
 * keep what they began with, but for the idle times (config_idle_limits()); those that the rules
 * refuse now end where `recheck` wants that, or with `cuts`. */
int server_reload(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX]);

/* Gives one setting another value, as if it stood in the file, until the file says something new of
 * it. 0 with what changed in `reply`, -1 with the reason, and nothing changed. */
int server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX]);

/* A temporary rule (temporary.h). */
struct server_rule {
	const char *text;
	int64_t lasts; /* seconds */

	/* results */
	unsigned number;
	size_t ended; /* sessions that it has ended, or others with it */
	char error[CHANGE_REPLY_MAX];
};

/* Puts it above all other rules. -1 with the reason in its `error`, and nothing changed. */
int server_add_rule(struct server *s, struct server_rule *rule);

/* Takes that one back, or (0) all of them. How many there were, -1 with the reason. */
int server_drop_rule(struct server *s, unsigned number, char error[CHANGE_REPLY_MAX]);

/* What stands, or users, have other limits now: takes them in, for live sessions too. -1 without
 * memory for some of them. */
int server_apply_limits(struct server *s);

/* Other nodes have said something of users whom they share, which comes into effect, of some of
 * them at a time: true while there are more. Only where `shared_users` of the services is one. */
bool server_take_users(struct server *s);

/* What file and flags said when they were read last. Valid until the next change. */
const struct config *server_base(const struct server *s);

/* Stops accepting. Sessions go on, until the time that is returned (clock.h); when the last has
 * ended, POOL_GONE_SIGNAL (pool.h) is sent to the calling thread. */
int64_t server_drain(struct server *s);

bool server_is_drained(struct server *s);

/* Meanwhile: tells the service manager, and every so often the log, how many there still are. */
void server_tell_drain(struct server *s);

/* Ends what sessions there still are, and joins the workers. */
void server_stop_workers(struct server *s);

/* Joins the other threads: no errand is under way any more. After server_stop_workers(). */
void server_stop(struct server *s);

/* Closes and frees everything, after server_stop(). NULL is allowed here and in the two before. */
void server_close(struct server *s);

#endif
