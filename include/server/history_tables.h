/* history_tables: the tables in the database (database.h) of what accounts have used, by day and
 * by site. The keeper's thread; no lock. */
#ifndef SERVER_HISTORY_TABLES_H
#define SERVER_HISTORY_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "server/database.h"
#include "state/history.h"

/* Of an account and day; the others are summed up as HISTORY_OTHER. */
#define HISTORY_SITES_A_DAY 200

/* Clients of a day, likewise, and some that may be more for a while: history_bound.h. */
#define HISTORY_CLIENTS_A_DAY 4096
#define HISTORY_CLIENTS_SPARE 1024

/* All of these: -1 when it failed, see database_error(). */

/* ---- writing: between database_begin() and database_commit() ---- */

/* Whom the rows of a user with such a serial belong to: the one who was deleted. */
struct history_former {
	uint64_t last; /* serial */
	int64_t account;
	char name[HISTORY_NAME_MAX];
};

/* The user's name is free for another one from this day on. What counts for serials up to `last` is
 * the account's that is put into `former`. */
int history_tables_end_user(struct database *d, const char *name, uint64_t last, int32_t day,
	struct history_former *former) __attribute__((warn_unused_result));

/* Adds the rows of the batch: those of accounts, and those of sites, where they are wanted; and
 * bounds the days that they are of. */
struct history_wanted {
	bool accounts, sites;
};

int history_tables_add(struct database *d, const struct history_batch *batch,
	struct history_wanted wanted, const struct history_former *former, size_t former_count)
	__attribute__((warn_unused_result));

/* Deletes what is older than these days. */
int history_tables_prune(struct database *d, int32_t first_day, int32_t first_site_day)
	__attribute__((warn_unused_result));

/* ---- who ---- */

/* A user by name, deleted ones of that name included; clients in a network, or the one that an
 * address belongs to; the members of a group; all zeros: all accounts. */
struct history_who {
	const char *user; /* NULL: no user */
	const struct network *clients; /* NULL: no clients */
	/* NULL: no group. `client`: of an account that is a client's, `name` of a user's. */
	bool (*is_member)(const void *group, const struct network *client, const char *name);
	const void *group;
};

/* Deletes all history of these. `*count`: how many accounts. */
int history_tables_forget(struct database *d, const struct history_who *who, size_t *count)
	__attribute__((warn_unused_result));

/* ---- reading ---- */

struct history_sum {
	bool is_user;
	const char *name; /* of the account, or of the site */
	int32_t deleted; /* the day; 0: it is not */
	int32_t day; /* of which it is; 0: of all */
	struct ledger_counts counts;
};

typedef void history_sum_taker(void *context, const struct history_sum *sum);

/* The sums of these days, both included, who has most bytes first: by account; or by site, of all
 * accounts together, where `who` is all those of the clients, so that nothing is counted twice; or
 * by day, likewise, and the first one first. */
int history_tables_usage(struct database *d, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context) __attribute__((warn_unused_result));
int history_tables_sites(struct database *d, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context) __attribute__((warn_unused_result));
int history_tables_by_day(struct database *d, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context) __attribute__((warn_unused_result));

#endif
