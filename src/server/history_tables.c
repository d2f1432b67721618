/*
 * An account is a row of its own, which days and sites refer to, so that a name that is free again
 * is one update. Which clients are meant by a network is asked of a function that SQLite is given:
 * the text of a client's network is what the tables have.
 */
#include "server/history_tables.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/day.h"
#include "server/history_bound.h"
#include "server/history_columns.h"

#define VALUES "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12"

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void bind_counts(sqlite3_stmt *statement, int at, const struct ledger_counts *counts)
{
	for (int i = 0; i < LEDGER_COUNTS; i++)
		sqlite3_bind_int64(statement, at + i, counts->of[i]);
}

static struct ledger_counts counts_in(sqlite3_stmt *statement, int at)
{
	struct ledger_counts counts;

	for (int i = 0; i < LEDGER_COUNTS; i++)
		counts.of[i] = sqlite3_column_int64(statement, at + i);
	return counts;
}

/* ---- writing ---- */

/* What is prepared once for all rows of a batch. */
enum query { FIND_ACCOUNT, MAKE_ACCOUNT, ADD_DAY, HAS_SITE, ADD_SITE, QUERIES };

static const char *const queries[QUERIES] = {
	[FIND_ACCOUNT] = "SELECT id FROM accounts WHERE is_user = ?1 AND name = ?2 AND former = 0",
	[MAKE_ACCOUNT] = "INSERT INTO accounts(is_user, name) VALUES(?1, ?2)",
	[ADD_DAY] = "INSERT INTO days(account, day, " COUNTS ") VALUES(?1, ?2, " VALUES ") "
		    "ON CONFLICT(account, day) DO UPDATE SET " ADDITIONS,
	[HAS_SITE] = "SELECT 1 WHERE EXISTS (SELECT 1 FROM sites WHERE account = ?1 AND day = ?2 "
		     "AND site = ?3) OR (SELECT COUNT(*) FROM sites WHERE account = ?1 AND "
		     "day = ?2 AND site <> '" HISTORY_OTHER "') < ?4",
	[ADD_SITE] = "INSERT INTO sites(account, day, site, " COUNTS ") "
		     "VALUES(?1, ?2, ?3, " VALUES ") "
		     "ON CONFLICT(account, day, site) DO UPDATE SET " ADDITIONS,
};

struct writer {
	struct database *database;
	sqlite3_stmt *statements[QUERIES];
	const struct history_former *former;
	size_t former_count;
	struct history_wanted wanted;
	int32_t first_day, last_day; /* of the rows; 0: there was none */
};

static int begin_writing(struct writer *w)
{
	for (enum query i = 0; i < QUERIES; i++) {
		w->statements[i] = database_prepare(w->database, queries[i]);
		if (w->statements[i] == NULL)
			return -1;
	}
	return 0;
}

static void end_writing(struct writer *w)
{
	for (enum query i = 0; i < QUERIES; i++)
		sqlite3_finalize(w->statements[i]);
}

/* Runs it with what was bound; `*found`: what the first column of its first row is, or 0. */
static int run_query(struct writer *w, enum query which, int64_t *found)
{
	sqlite3_stmt *statement = w->statements[which];
	int status = sqlite3_step(statement);

	*found = status == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	if (status != SQLITE_ROW && status != SQLITE_DONE)
		(void)database_fail(w->database, status);
	sqlite3_reset(statement);
	return status == SQLITE_ROW || status == SQLITE_DONE ? 0 : -1;
}

static void bind_account(struct writer *w, enum query which, bool is_user, const char *name)
{
	sqlite3_bind_int(w->statements[which], 1, is_user);
	bind_text(w->statements[which], 2, name);
}

/* Of whoever has the name now. */
static int find_account(struct writer *w, bool is_user, const char *name, int64_t *id)
{
	int64_t none;

	bind_account(w, FIND_ACCOUNT, is_user, name);
	if (run_query(w, FIND_ACCOUNT, id) < 0 || *id != 0)
		return *id != 0 ? 0 : -1;
	bind_account(w, MAKE_ACCOUNT, is_user, name);
	if (run_query(w, MAKE_ACCOUNT, &none) < 0)
		return -1;
	*id = sqlite3_last_insert_rowid(database_handle(w->database));
	return 0;
}

/* Of those who had the name before him the row is the first's whose end comes behind it. 0: none.
 */
static int64_t find_former(const struct writer *w, const struct history_row *row)
{
	const struct history_former *best = NULL;

	for (size_t i = 0; row->is_user && i < w->former_count; i++) {
		const struct history_former *f = &w->former[i];

		if (row->serial <= f->last && strcmp(row->name, f->name) == 0 &&
			(best == NULL || f->last < best->last))
			best = f;
	}
	return best == NULL ? 0 : best->account;
}

static int add_day(struct writer *w, const struct history_row *row, int64_t account)
{
	sqlite3_stmt *statement = w->statements[ADD_DAY];
	int64_t none;

	sqlite3_bind_int64(statement, 1, account);
	sqlite3_bind_int(statement, 2, row->day);
	bind_counts(statement, 4, &row->counts);
	return run_query(w, ADD_DAY, &none);
}

static void bind_site(sqlite3_stmt *statement, const struct history_row *row, int64_t account)
{
	sqlite3_bind_int64(statement, 1, account);
	sqlite3_bind_int(statement, 2, row->day);
	bind_text(statement, 3, row->site);
}

static int add_site(struct writer *w, const struct history_row *row, int64_t account)
{
	int64_t has_place, none;

	bind_site(w->statements[HAS_SITE], row, account);
	sqlite3_bind_int(w->statements[HAS_SITE], 4, HISTORY_SITES_A_DAY);
	if (run_query(w, HAS_SITE, &has_place) < 0)
		return -1;
	bind_site(w->statements[ADD_SITE], row, account);
	if (has_place == 0)
		bind_text(w->statements[ADD_SITE], 3, HISTORY_OTHER);
	bind_counts(w->statements[ADD_SITE], 4, &row->counts);
	return run_query(w, ADD_SITE, &none);
}

static void note_day(struct writer *w, int32_t day)
{
	if (w->first_day == 0 || day < w->first_day)
		w->first_day = day;
	if (day > w->last_day)
		w->last_day = day;
}

static int add_row(struct writer *w, const struct history_row *row)
{
	bool is_site = *row->site != '\0';
	int64_t account = find_former(w, row);

	if (is_site ? !w->wanted.sites : !w->wanted.accounts)
		return 0;
	if (account == 0 && find_account(w, row->is_user, row->name, &account) < 0)
		return -1;
	note_day(w, row->day);
	return is_site ? add_site(w, row, account) : add_day(w, row, account);
}

int history_tables_add(struct database *d, const struct history_batch *batch,
	struct history_wanted wanted, const struct history_former *former, size_t former_count)
{
	struct writer w = {
		.database = d, .former = former, .former_count = former_count, .wanted = wanted};
	const struct history_row *row;
	size_t position = 0;
	int result = begin_writing(&w);

	while (result == 0 && (row = history_batch_next(batch, &position)) != NULL)
		result = add_row(&w, row);
	end_writing(&w);
	for (int32_t day = w.first_day; result == 0 && day != 0 && day <= w.last_day;
		day = day_add(day, 1))
		result = history_bound_day(d, day, wanted);
	return result;
}

static int mark_deleted(struct database *d, int64_t account, int32_t day)
{
	sqlite3_stmt *statement =
		database_prepare(d, "UPDATE accounts SET former = id, deleted = ?2 WHERE id = ?1");

	if (statement == NULL)
		return -1;
	sqlite3_bind_int64(statement, 1, account);
	sqlite3_bind_int(statement, 2, day);
	return database_finish(d, statement);
}

int history_tables_end_user(struct database *d, const char *name, uint64_t last, int32_t day,
	struct history_former *former)
{
	struct writer w = {.database = d};
	int result = begin_writing(&w);

	*former = (struct history_former){.last = last};
	snprintf(former->name, sizeof(former->name), "%s", name);
	if (result == 0)
		result = find_account(&w, true, name, &former->account);
	end_writing(&w);
	return result < 0 ? -1 : mark_deleted(d, former->account, day);
}

static int delete_before(struct database *d, const char *sql, int32_t day)
{
	sqlite3_stmt *statement = database_prepare(d, sql);

	if (statement == NULL)
		return -1;
	sqlite3_bind_int(statement, 1, day);
	return database_finish(d, statement);
}

int history_tables_prune(struct database *d, int32_t first_day, int32_t first_site_day)
{
	if (delete_before(d, "DELETE FROM days WHERE day < ?1", first_day) < 0 ||
		delete_before(d, "DELETE FROM sites WHERE day < ?1", first_site_day) < 0)
		return -1;
	return database_execute(d,
		"DELETE FROM accounts WHERE id NOT IN (SELECT account FROM days) "
		"AND id NOT IN (SELECT account FROM sites)");
}

/* ---- who ---- */

#define WHO_FUNCTION "is_meant"

/* Is the client inside of what is asked for, or what is asked for a part of the client's? */
static bool is_client_meant(const struct network *asked, const char *name)
{
	struct network client;

	if (!network_parse(name, strlen(name), &client))
		return false;
	if (client.prefix >= asked->prefix)
		return network_contains(asked, &client.base);
	return network_contains(&client, &asked->base);
}

static bool is_member(const struct history_who *who, bool is_user, const char *name)
{
	struct network client;

	if (is_user)
		return who->is_member(who->group, NULL, name);
	return network_parse(name, strlen(name), &client) &&
		who->is_member(who->group, &client, NULL);
}

static bool is_everybody(const struct history_who *who)
{
	return who->user == NULL && who->clients == NULL && who->is_member == NULL;
}

static bool is_account_meant(const struct history_who *who, bool is_user, const char *name)
{
	if (is_everybody(who))
		return true;
	if (who->is_member != NULL)
		return is_member(who, is_user, name);
	if (is_user)
		return who->user != NULL && strcmp(name, who->user) == 0;
	return who->clients != NULL && is_client_meant(who->clients, name);
}

static void answer_sql(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *name = (const char *)sqlite3_value_text(values[1]);

	(void)count;
	sqlite3_result_int(context,
		name != NULL &&
			is_account_meant(sqlite3_user_data(context),
				sqlite3_value_int(values[0]) != 0, name));
}

/* For the next statement. */
static int tell_sql(struct database *d, const struct history_who *who)
{
	union {
		const struct history_who *in;
		void *out;
	} context = {.in = who};
	int status = SQLITE_CANTOPEN; /* without a handle, which that function does not check */

	if (database_handle(d) != NULL)
		status = sqlite3_create_function(database_handle(d), WHO_FUNCTION, 2, SQLITE_UTF8,
			context.out, answer_sql, NULL, NULL);
	return status == SQLITE_OK ? 0 : database_fail(d, status);
}

int history_tables_forget(struct database *d, const struct history_who *who, size_t *count)
{
	static const char sql[] =
		"CREATE TEMP TABLE gone AS SELECT id FROM accounts WHERE " WHO_FUNCTION
		"(is_user, name);"
		"DELETE FROM days WHERE account IN (SELECT id FROM gone);"
		"DELETE FROM sites WHERE account IN (SELECT id FROM gone);"
		"DELETE FROM accounts WHERE id IN (SELECT id FROM gone);";
	int result;

	if (tell_sql(d, who) < 0)
		return -1;
	result = database_execute(d, sql);
	*count = result < 0 ? 0 : (size_t)sqlite3_changes(database_handle(d));
	return result < 0 ? -1 : database_execute(d, "DROP TABLE gone");
}

/* ---- reading ---- */

static int take_sums(
	struct database *d, sqlite3_stmt *statement, history_sum_taker *take, void *context)
{
	int status;

	while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(statement, 1);
		struct history_sum sum = {.is_user = sqlite3_column_int(statement, 0) != 0,
			.name = name != NULL ? name : "",
			.deleted = sqlite3_column_int(statement, 2),
			.day = sqlite3_column_int(statement, 3),
			.counts = counts_in(statement, 4)};

		take(context, &sum);
	}
	if (status != SQLITE_DONE)
		(void)database_fail(d, status);
	sqlite3_finalize(statement);
	return status == SQLITE_DONE ? 0 : -1;
}

static int sum_up(struct database *d, const char *sql, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context)
{
	sqlite3_stmt *statement;

	if (tell_sql(d, who) < 0)
		return -1;
	statement = database_prepare(d, sql);
	if (statement == NULL)
		return -1;
	sqlite3_bind_int(statement, 1, from);
	sqlite3_bind_int(statement, 2, to);
	return take_sums(d, statement, take, context);
}

int history_tables_usage(struct database *d, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context)
{
	return sum_up(d,
		"SELECT is_user, name, deleted, 0, " SUMS
		" FROM days JOIN accounts ON id = account "
		"WHERE day BETWEEN ?1 AND ?2 AND " WHO_FUNCTION "(is_user, name) GROUP BY id "
		"ORDER BY SUM(sent) + SUM(received) DESC, name, id",
		who, from, to, take, context);
}

int history_tables_sites(struct database *d, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context)
{
	return sum_up(d,
		is_everybody(who)
			? "SELECT 0, site, 0, 0, " SUMS " FROM sites JOIN accounts ON id = account "
			  "WHERE day BETWEEN ?1 AND ?2 AND is_user = 0 GROUP BY site "
			  "ORDER BY SUM(sent) + SUM(received) DESC, site"
			: "SELECT 0, site, 0, 0, " SUMS " FROM sites JOIN accounts ON id = account "
			  "WHERE day BETWEEN ?1 AND ?2 AND " WHO_FUNCTION "(is_user, name) "
			  "GROUP BY site ORDER BY SUM(sent) + SUM(received) DESC, site",
		who, from, to, take, context);
}

int history_tables_by_day(struct database *d, const struct history_who *who, int32_t from,
	int32_t to, history_sum_taker *take, void *context)
{
	return sum_up(d,
		is_everybody(who)
			? "SELECT 0, '', 0, day, " SUMS " FROM days JOIN accounts ON id = account "
			  "WHERE day BETWEEN ?1 AND ?2 AND is_user = 0 GROUP BY day ORDER BY day"
			: "SELECT 0, '', 0, day, " SUMS " FROM days JOIN accounts ON id = account "
			  "WHERE day BETWEEN ?1 AND ?2 AND " WHO_FUNCTION "(is_user, name) "
			  "GROUP BY day ORDER BY day",
		who, from, to, take, context);
}
