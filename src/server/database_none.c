/*
 * In the place of database.c and of the tables in it, where the server is built without SQLite
 * (make WITHOUT=state): no database can be opened, and whoever names a folder for one is told so.
 * So there is never one that anything else could be asked of; what is here of that is for the
 * linker, and fails.
 */
#include <errno.h>
#include <stdio.h>

#include "server/database.h"
#include "server/history_tables.h"

int database_check(const char *folder, char error[DATABASE_ERROR_MAX])
{
	snprintf(error, DATABASE_ERROR_MAX,
		"state_dir: \"%.512s\": this socks5d was built without it (make WITHOUT=state)",
		folder);
	errno = ENOSYS;
	return -1;
}

struct database *database_open(const char *folder, char error[DATABASE_ERROR_MAX])
{
	(void)!database_check(folder, error);
	return NULL;
}

void database_close(struct database *d)
{
	(void)d;
}

const char *database_put_aside(struct database *d)
{
	(void)d;
	return NULL;
}

const char *database_error(const struct database *d)
{
	(void)d;
	return "built without it";
}

bool database_is_damaged(const struct database *d)
{
	(void)d;
	return false;
}

static int refuse(const struct database *d)
{
	(void)d;
	return -1;
}

int database_renew(struct database *d)
{
	return refuse(d);
}

int database_begin(struct database *d)
{
	return refuse(d);
}

int database_commit(struct database *d)
{
	return refuse(d);
}

void database_roll_back(struct database *d)
{
	(void)d;
}

int database_put_fact(struct database *d, const char *kind, const char *key, const char *value)
{
	(void)kind;
	(void)key;
	(void)value;
	return refuse(d);
}

int database_each_fact(struct database *d, database_fact_taker *take, void *context)
{
	(void)take;
	(void)context;
	return refuse(d);
}

/* ---- history ---- */

int history_tables_end_user(struct database *d, const char *name, uint64_t last, int32_t day,
	struct history_former *former)
{
	(void)name;
	(void)day;
	*former = (struct history_former){.last = last};
	return refuse(d);
}

int history_tables_add(struct database *d, const struct history_batch *batch,
	struct history_wanted wanted, const struct history_former *former, size_t former_count)
{
	(void)batch;
	(void)wanted;
	(void)former;
	(void)former_count;
	return refuse(d);
}

int history_tables_prune(struct database *d, int32_t first_day, int32_t first_site_day)
{
	(void)first_day;
	(void)first_site_day;
	return refuse(d);
}

int history_tables_forget(struct database *d, const struct history_who *who, size_t *count)
{
	(void)who;
	*count = 0;
	return refuse(d);
}

int history_tables_usage(struct database *d, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context)
{
	(void)who;
	(void)from;
	(void)to;
	(void)take;
	(void)context;
	return refuse(d);
}

int history_tables_sites(struct database *d, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context)
{
	return history_tables_usage(d, who, from, to, take, context);
}

int history_tables_by_day(struct database *d, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context)
{
	return history_tables_usage(d, who, from, to, take, context);
}
