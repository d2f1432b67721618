/* dialect: what a protocol that clients may speak has to do, and what all of them share: receiving,
 * sending, the check of a login. One thread's; no lock. */
#ifndef PROXY_DIALECT_H
#define PROXY_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "proxy/watch.h"
#include "state/bans.h"
#include "state/config.h"
#include "state/end_reason.h"
#include "state/ledger.h"
#include "state/registry.h"
#include "state/stats.h"
#include "state/users.h"
#include "wire/guess.h"
#include "wire/request.h"

struct dialect;
struct services;

/* A login that was not right, and that counts for the setting ban. */
struct login_failure {
	bool is_due; /* in the log */
	bool has_banned; /* it was one too many: `ban` has begun */
	enum end_reason reason;
	struct ban_info ban;
};

struct handshake {
	/* given */
	const struct config *config;
	struct users *users;
	struct holdoff *holdoff; /* of administrators' names */
	struct bans *bans; /* in which failed logins are counted; NULL: nowhere */
	const struct addr *from; /* the client's address */
	struct ledger_entry *client_entry; /* of its account; NULL: memory was out */
	const struct services *services; /* for pages that tell of the server */
	struct stats *stats;
	struct registry_slot *slot;
	uint64_t id; /* of the session */
	int client;
	struct addr reached; /* where the client has come to, by a balancer's word; AF_UNSPEC: to
				our end of the connection */
	struct watch watch; /* on it, while it waits for something else than its own messages */
	struct buffer *in; /* what the client has sent and nobody has taken yet */
	int64_t deadline; /* of what is waited for: its messages, or room for ours */

	/* results */
	const struct dialect *dialect; /* NULL: nothing was said that is one's */
	enum guess guess; /* then: what it may have been */
	struct request request;
	bool is_exchange; /* a CONNECT for one HTTP request (exchange.h), whose head is still in
			     `in` */
	size_t user_len; /* 0: nobody has logged in */
	size_t claimed_len; /* then: of a user who is there, and whose login was not right */
	char user[USERS_NAME_MAX]; /* who it is or, only for what is said of it, claims to be */
	struct ledger_entry *user_entry; /* of which a session has begun; NULL likewise */
	enum end_reason reason; /* why it failed */
	bool login_refused; /* that of the user who is claimed, for `reason` */
	bool login_ignored; /* it was served as Anonymous although it has logged in */
	uint8_t userid_len; /* of SOCKS4, where nobody logs in: of what `user` is filled with then
			     */
	bool answered; /* a refusal or a reply went out */
	unsigned code; /* of the last reply to the request, as the dialect counts them */
	struct login_failure failure;
};

/* A protocol that clients may speak. All that is particular to one is in its row of the table. */
struct dialect {
	const char *door; /* what the log calls it */
	enum protocol protocol; /* by which the setting `protocols` switches it */
	/* Is it spoken by who begins so? */
	bool (*begins_with)(uint8_t first);
	/* As handshake_run(); the first byte is in `in` already. Whose protocol has no word for a
	 * command never asks for it. */
	bool (*ask)(struct handshake *h);
	/* As dialect_code(). */
	unsigned (*code)(const struct handshake *h, enum end_reason failure);
	/* As dialect_reply(), with `code` filled in; where there is no address, `bound` is
	 * AF_UNSPEC. */
	bool (*reply)(struct handshake *h, enum end_reason failure, const struct addr *bound);
};

/* A parser of wire/, with the type of its result left out: the length of the message, 0 when it is
 * not complete yet, or less when it is malformed. */
typedef int dialect_parser(const uint8_t *p, size_t n, void *out);

/* Bytes of `in` that stay free behind what was received, so that a message can be rewritten in its
 * place, with a login that it did not have. */
#define DIALECT_SPARE 1536

/* Reads more into `in`, where there is room; false when the client left, with the reason that
 * stands, or when the deadline passed. A client that was just accepted has usually sent already;
 * later it is waited for first, since it has only just got our answer. */
bool dialect_receive_more(struct handshake *h, bool wait_first);

/* Waits for a whole message, which stays in `in`: what the parser says of it, or 0 with `reason`
 * when the client left or the deadline passed. */
int dialect_receive(struct handshake *h, dialect_parser *parse, void *out);

/* Sends it whole; false with `reason`. */
bool dialect_send(struct handshake *h, const void *message, size_t len);

/* Sends what tells the client that it is refused. Always false, with this reason. */
bool dialect_refuse(struct handshake *h, enum end_reason reason, const void *message, size_t len);

/* False, with this reason. */
bool dialect_fail(struct handshake *h, enum end_reason reason);

/* How far it has come, for those who look from outside. */
void dialect_enter(struct handshake *h, enum session_phase phase);

/* Takes a login with this name and password; to check them may take until the deadline. END_REASONS
 * when the client may go on: as the user who is in `user` then, or as Anonymous. */
enum end_reason dialect_log_in(struct handshake *h, const struct login *claim);

/* What becomes of a client that says nothing of a login: END_REASONS where it is served as
 * Anonymous, here and now, else the reason to refuse it for. */
enum end_reason dialect_take_anonymous(const struct handshake *h);

/* The number by which a reply tells that the request failed for this reason, or succeeded:
 * END_REASONS. Of a session that has a request, as the next one too. */
unsigned dialect_code(const struct handshake *h, enum end_reason failure);

/* Replies to the request, once or, to BIND, twice: that it succeeded (END_REASONS), with `bound`
 * for our end, or that it failed; then `bound` may be NULL. False with `reason` when it did not get
 * out. */
bool dialect_reply(struct handshake *h, enum end_reason failure, const struct addr *bound);

#endif
