/*
 * One user after the other is looked at, however many there are: a node that joins others with many
 * users takes them in parts, between which the main thread does what else there is.
 */
#include "server/shared_accounts.h"

#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "state/kept_use.h"

#define SWEEP_MS (60 * 60 * INT64_C(1000))

/* As after DEL_USER. */
static void end_sessions_of_deleted(void *context, const char *name, size_t len, bool has_sessions)
{
	struct services *v = context;

	kept_use_drop(v->standing, name);
	history_end_user(v->history, name, ledger_last_serial(v->ledger));
	if (has_sessions)
		(void)registry_end_user(v->registry, name, len, END_KILLED);
}

/* False: it is to be tried again, when there is memory. */
static bool take_one(struct services *v, const char *name, struct users_difference *sum)
{
	struct users_difference d;
	char error[USERS_ERROR_MAX];
	static struct log_limit limit;
	uint64_t held_back;

	if (users_take(v->users, name, end_sessions_of_deleted, v, &d, error) < 0) {
		shared_users_arrived_again(v->shared_users, name);
		if (log_limit_pass(&limit, LOG_LIMIT_PERIOD_MS, &held_back))
			log_message(LOG_ERROR, "shared_users: %s", error);
		return false;
	}
	sum->added += d.added;
	sum->changed += d.changed;
	sum->gone += d.gone;
	return true;
}

bool shared_accounts_take(struct services *v, bool *is_more)
{
	struct users_difference sum = {.added = 0};
	bool is_any, goes_on = true;
	char *name;

	for (int left = SHARED_ACCOUNTS_AT_ONCE; left > 0 && goes_on; left--) {
		name = shared_users_next_arrived(v->shared_users);
		goes_on = name != NULL && take_one(v, name, &sum);
		free(name);
	}
	*is_more = goes_on && shared_users_have_arrived(v->shared_users);
	is_any = sum.added + sum.changed + sum.gone > 0;
	if (is_any)
		log_message(LOG_INFO,
			"shared_users: from other nodes came %zu users who are new, %zu who have "
			"changed and %zu who were deleted",
			sum.added, sum.changed, sum.gone);
	return is_any;
}

static int64_t run_graves(void *context, int64_t now)
{
	struct shared_graves *g = context;

	if (shared_users_sweep(g->users, (int64_t)time(NULL) * 1000) > 0)
		keeper_call(g->keeper);
	return now + SWEEP_MS;
}

void shared_graves_init(struct shared_graves *g, struct shared_users *users, struct keeper *keeper)
{
	*g = (struct shared_graves){.users = users,
		.keeper = keeper,
		.job = {.name = "graves", .run = run_graves, .context = g}};
}
