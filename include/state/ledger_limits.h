/* ledger_limits: what holds for the accounts of the ledger, and what is used of it. By the ledger's
 * locks, and one of each account. */
#ifndef STATE_LEDGER_LIMITS_H
#define STATE_LEDGER_LIMITS_H

#include "state/allowance.h"
#include "state/ledger.h"
#include "state/limits.h"
#include "state/standing.h"

/* ---- for sessions ---- */

/* A session of these accounts is to begin (`user` NULL: without a login): END_REASONS, and it takes
 * its places under their limits until ledger_dismiss(); or which limit forbids it. */
enum end_reason ledger_admit(struct ledger_entry *client, struct ledger_entry *user);
void ledger_dismiss(struct ledger_entry *client, struct ledger_entry *user);

/* How many sessions of the user may come from one client; 0: as many as there are. */
uint32_t ledger_sessions_client(const struct ledger_entry *user);

/* What holds for the account, and what is used of it: allowance_show(). */
void ledger_show_limits(struct ledger_entry *entry, int64_t now, struct allowance_view *out);

/* ---- for whoever knows the limits ---- */

#define LEDGER_NAME_MAX 256 /* of a user, or of a client as text; its NUL included */

/* From where clients' limits are known, as soon as there is a first session of one; and what was
 * used of quotas before. Both outlive the ledger. Before there are sessions. */
void ledger_follow(struct ledger *l, struct limit_book *book, struct standing *standing);

/* From where it is known what accounts use and run on other nodes; it outlives the ledger. Before
 * there are sessions. */
void ledger_join_cluster(struct ledger *l, struct cluster *cluster);

/* What holds for a user from now on. -1 without memory, and nothing changed. */
int ledger_limit_user(struct ledger_entry *user, const struct limits_in_force *in_force)
	__attribute__((warn_unused_result));

/* All clients that are remembered are held to what the book says now. -1 without memory for some of
 * them. */
int ledger_limit_clients(struct ledger *l) __attribute__((warn_unused_result));

/* An account as a job or a command looks at it. */
struct ledger_account {
	struct network client; /* of a client */
	size_t name_len; /* 0: it is a client */
	char name[LEDGER_NAME_MAX]; /* a user's, or the client as text; with a NUL */
	size_t sessions;
	struct allowance_news news;
};

/* Looks at all accounts that have a quota or an end, or of a cluster a bound on sessions
 * (allowance_look()), tells them what is used elsewhere, sets their rates, and tells
 * of each what is new, in a block to be freed. `now`: seconds since 1970. NULL without memory. */
struct ledger_account *ledger_look_at_limits(struct ledger *l, int64_t now, size_t *count);

/* The same of one account by its name (struct ledger_account); false when it is not known. */
bool ledger_find_account(
	struct ledger *l, const char *who, int64_t now, struct ledger_account *out);

/* An account with a bound on its sessions, and how many of these run here. */
struct ledger_running {
	char name[LEDGER_NAME_MAX]; /* a user's, or the client as text */
	uint32_t sessions;
};

/* All such accounts that have any, in a block to be freed. NULL without memory. */
struct ledger_running *ledger_list_running(struct ledger *l, size_t *count);

/* The quota of a user or a client starts anew, or gets more bytes for this period (0: starts anew).
 * False when there is none. */
bool ledger_change_quota(struct ledger *l, const char *who, uint64_t extra, int64_t now);

/* At least so much of it is used (allowance_raise_use()), which is kept. */
bool ledger_raise_use(
	struct ledger *l, const char *who, const struct quota_use *least, int64_t now);

/* All sessions of the account together move at most so many bytes a second: `down` towards the
 * client, `up` to targets; 0: as many as they like. Live ones follow. */
void ledger_set_rate(struct ledger_entry *entry, uint64_t down, uint64_t up);

/* What is used of the account's quota is noted, before it is forgotten. */
void ledger_keep_quota(struct ledger_entry *entry);

/* A user who is being looked at, and cannot retire meanwhile, has an entry that stays valid until
 * it is released. */
void ledger_hold_user(struct ledger_entry *user);
void ledger_release_user(struct ledger_entry *user);

#define LEDGER_GROUPS_MAX LIMITS_ALL_GROUPS_MAX

/* A copy of the groups that a user is in, "a,b"; "" without any. Their length. */
size_t ledger_groups(const struct ledger_entry *user, char out[LEDGER_GROUPS_MAX]);

/* Puts the user into these groups, a list as above and no others. -1 without memory, and nothing
 * changed. */
int ledger_set_groups(struct ledger_entry *user, const char *groups)
	__attribute__((warn_unused_result));

#endif
