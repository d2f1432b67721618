/* ledger: what lives for each account, a user or a client address: sessions, bytes, and when. Its
 * figures are atomics; a rwlock guards the table of clients, a mutex the list of users. */
#ifndef STATE_LEDGER_H
#define STATE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/own.h"
#include "state/throttle.h"
#include "state/traffic.h"

/* Clients without a session that are remembered, some 600 bytes each. */
#define LEDGER_IDLE_CLIENTS 4096

/* How long a client counts as one of the house after his last session, in milliseconds. */
#define LEDGER_SHARED_MS INT64_C(3600000)

struct ledger;
struct ledger_entry;

/* What is counted of an account. */
enum ledger_count {
	LEDGER_SESSIONS,
	LEDGER_REFUSED,
	LEDGER_SENT, /* bytes */
	LEDGER_RECEIVED,
	LEDGER_MS, /* that the sessions took, those that run included */
	/* Of a client: what part of that were sessions with a login. */
	LEDGER_KNOWN_SESSIONS,
	LEDGER_KNOWN_SENT,
	LEDGER_KNOWN_RECEIVED,
	LEDGER_KNOWN_MS,
	LEDGER_COUNTS,
};

/* Sums, or what they have grown by; less than nothing where a client who had been let in was turned
 * away, and so was no session. */
struct ledger_counts {
	int64_t of[LEDGER_COUNTS];
};

/* What is new of an account. */
struct ledger_share {
	bool is_user;
	uint64_t serial; /* a user's: each has one of his own, and who comes later a higher one */
	const char *name; /* a user's */
	struct network client; /* a client's */
	struct ledger_counts counts;
};

/* An empty one. While at least `idle_clients` clients without a session are remembered, those that
 * have been idle for longest, up to two, make room for the next that comes, whoever works with them
 * (ledger_limits.h); one with a session never has to go. So there are as many as that, and one for
 * each session that ran at once, until as many others have come. `own` tells which
 * networks are this host's; NULL: none is. NULL without memory. */
struct ledger *ledger_new(size_t idle_clients, struct own *own);

/* All sessions have left, and all users have retired. NULL is allowed. */
void ledger_free(struct ledger *l);

/* ---- for sessions; `now` is clock_ms() ---- */

/* A session of a client begins; own_client_of() says who is one. The entry stays valid until
 * ledger_leave(); NULL without memory, and the session goes on uncounted. `*running` is how many
 * sessions of the client there are then, this one included, 0 beside NULL: of several that begin at
 * once each has a number of its own. */
struct ledger_entry *ledger_join_client(
	struct ledger *l, const struct addr *client, int64_t now, size_t *running);

/* A session of a user begins, who is being looked at and cannot retire meanwhile. */
void ledger_join_user(struct ledger_entry *user);

/* The session of `client` (NULL is allowed) has logged in as `user`: clients are told with the user
 * who did so last, to the second. */
void ledger_note_user(struct ledger_entry *client, const struct ledger_entry *user, int64_t now);

/* What a user is called. */
const char *ledger_user_name(const struct ledger_entry *user, size_t *len);

/* What traffic_share() is to be given; NULL of NULL. */
struct tally *ledger_tally(struct ledger_entry *entry);

/* The session of this client has logged in, until it ends (ledger_leave_known()). Returns what
 * traffic_share() is to be given besides. NULL is allowed, and what is returned when nobody keeps a
 * history (ledger_set_heir()): then both do nothing. */
struct tally *ledger_join_known(struct ledger_entry *client, int64_t now);
void ledger_leave_known(struct ledger_entry *client, int64_t now);

/* struct ledger_share: of a user, and the one that was given last. */
uint64_t ledger_serial(const struct ledger_entry *user);
uint64_t ledger_last_serial(struct ledger *l);

/* Has the user retired? */
bool ledger_has_retired(const struct ledger_entry *user);

/* The session ends; NULL is allowed. */
void ledger_leave(struct ledger_entry *entry, int64_t now);

/* Instead, when the client is turned away for what ledger_join_client() said: then it was no
 * session, and is counted as a refusal. */
void ledger_turn_away(struct ledger_entry *client, int64_t now);

/* The server refused a session of the account something: a login, say, or a target. NULL is
 * allowed.
 */
void ledger_count_refusal(struct ledger_entry *entry);

/* Is the house shared: do several clients have a session now, or had one within LEDGER_SHARED_MS?
 * No may be an answer of up to a second ago; so the table is seldom looked through, however often
 * this is asked. */
bool ledger_is_shared(struct ledger *l, int64_t now);

/* ---- rates ---- */

/* What holds the account's sessions to its rates (ledger_set_rate()), as long as the entry is
 * valid; NULL: nothing need do so, or memory is out. */
struct throttle *ledger_throttle(struct ledger_entry *entry);

/* All of them. */
struct throttles *ledger_throttles(struct ledger *l);

/* ---- for whoever knows the users ---- */

/* The entry of a new user, of whom there may still be another one of the same name that has
 * retired. NULL without memory. */
struct ledger_entry *ledger_add_user(struct ledger *l, const char *name, size_t len);

/* The user is no more; the entry goes with the last session. */
void ledger_retire_user(struct ledger_entry *user);

/* ---- for whoever keeps a history ---- */

/* From now on what is new of accounts that go is given to `take`, by whichever thread sees them go,
 * with no lock held; NULL: to nobody. Before there are sessions, or when there are none any more.
 */
typedef void ledger_heir(void *context, const struct ledger_share *share);
void ledger_set_heir(struct ledger *l, ledger_heir *take, void *context);

/* What is new of all accounts since this was called last, in one block to be freed. NULL without
 * memory, and then it is told the next time. One thread at a time. */
struct ledger_share *ledger_take_news(struct ledger *l, size_t *count);

/* ---- for whoever looks ---- */

struct ledger_figures {
	size_t sessions; /* that run now */
	uint64_t total; /* of them since the entry was made; a user's logins */
	uint64_t sent, received; /* bytes of all of these so far */
	int64_t last_login; /* a user's: seconds since 1970; 0: never */
	uint64_t refused; /* by ledger_count_refusal(); a client also: turned away */
	int64_t last_seen; /* a client's: clock_ms() when a session began or ended last */
};

struct ledger_figures ledger_read(const struct ledger_entry *entry);

/* A client who is remembered. */
struct ledger_client {
	struct network client;
	struct ledger_figures figures;
	const char *user; /* who has logged in from there last; "": nobody has. In the same block */
};

/* All of them, those with sessions first, then by when they were seen last, in a block to be freed.
 * NULL without memory. */
struct ledger_client *ledger_clients(struct ledger *l, size_t *count);

/* The names of the users who have a session, retired ones included, by the alphabet and each once,
 * in one block to be freed. NULL without memory. */
const char **ledger_active_users(struct ledger *l, size_t *count);

#endif
