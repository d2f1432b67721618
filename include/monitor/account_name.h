/* account_name: whom a command is about: a user, a client or network, or a group. A value; no lock.
 */
#ifndef MONITOR_ACCOUNT_NAME_H
#define MONITOR_ACCOUNT_NAME_H

#include <stdbool.h>

#include "monitor/reply.h"
#include "proxy/services.h"
#include "state/ledger_limits.h"

enum account_kind { ACCOUNT_USER, ACCOUNT_CLIENT, ACCOUNT_GROUP };

struct account_name {
	enum account_kind kind;
	char key[LEDGER_NAME_MAX]; /* the user's name, the network as text, or @GROUP */
	struct network client; /* a client: as one account, an IPv6 address with its /64, say */
	bool is_of_clients; /* a group: of clients, not of users */
};

/* What `word` names. False, and `r` says so, when there is no such user or group. The main thread.
 */
bool account_name_find(
	struct services *v, const char *word, struct account_name *out, struct reply *r);

/* 1 when `word` is a client's address or a network, `out`; 0 when it is neither; -1, and `r` says
 * so, for a network with bits set behind its prefix. */
int account_client_parse(const char *word, struct network *out, struct reply *r);

/* A network as it is; an address as the account that it belongs to: of IPv6 its /64, unless this
 * host is in it. */
struct network account_of_client(struct services *v, const struct network *named);

/* "anonymous" in any case, which no user is called, as sessions without a login have it; else
 * `word`. */
const char *account_session_user(const char *word);

/* Is anybody in a group of users called so, or is it spoken of in group_defaults? */
bool account_group_is_known(struct services *v, const char *group);

#endif
