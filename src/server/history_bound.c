/*
 * Devices that change their addresses (RFC 8981) are a new client each day or hour, and nothing
 * bounds how many there are of them. So a day that has too many gives up those who have moved
 * least, with some to spare, so that this is not done for each that comes: what they did is added
 * to one account for all of them, and whoever of them comes again begins anew. So sums stay what
 * they were. That account is held to as many sites as any other.
 *
 * The tables that are kept tell who there is: days, or sites where only these are.
 */
#include "server/history_bound.h"

#include <sqlite3.h>
#include <stdio.h>

#include "server/history_columns.h"

#define SCRIPT_MAX 4096

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

#define OTHER_ACCOUNT                                                                              \
	"(SELECT id FROM accounts WHERE is_user = 0 AND name = '" HISTORY_OTHER "' AND former = 0)"
#define FOLDED "(SELECT id FROM temp.folded)"

/* Of other's sites on a day, those behind the ones that it may have. */
#define SURPLUS_SITES                                                                              \
	"(SELECT site FROM sites WHERE account = " OTHER_ACCOUNT " AND day = %2$d"                 \
	" AND site <> '" HISTORY_OTHER "' ORDER BY sent + received DESC, site"                     \
	" LIMIT -1 OFFSET " TEXT(HISTORY_SITES_A_DAY) ")"

/* %1$s: the table that tells who there is; %2$d: the day. */
static const char script[] =
	"CREATE TEMP TABLE folded AS SELECT id FROM %1$s JOIN accounts ON id = account"
	" WHERE day = %2$d AND is_user = 0 AND name <> '" HISTORY_OTHER "' GROUP BY id"
	" ORDER BY SUM(sent) + SUM(received) DESC, id"
	" LIMIT -1 OFFSET " TEXT(
		HISTORY_CLIENTS_A_DAY) ";"
				       "INSERT OR IGNORE INTO accounts(is_user, name) VALUES(0, '" HISTORY_OTHER
				       "');"
				       "INSERT INTO days(account, day, " COUNTS
				       ") SELECT " OTHER_ACCOUNT ", day, " SUMS
				       " FROM days WHERE day = %2$d AND account IN " FOLDED
				       " GROUP BY day"
				       " ON CONFLICT(account, day) DO UPDATE SET " ADDITIONS ";"
				       "INSERT INTO sites(account, day, site, " COUNTS
				       ") SELECT " OTHER_ACCOUNT ", day, site, " SUMS
				       " FROM sites WHERE day = %2$d AND account IN " FOLDED
				       " GROUP BY day, site"
				       " ON CONFLICT(account, day, site) DO UPDATE SET " ADDITIONS
				       ";"
				       "INSERT INTO sites(account, day, site, " COUNTS
				       ") SELECT account, day, '" HISTORY_OTHER "', " SUMS
				       " FROM sites WHERE account = " OTHER_ACCOUNT
				       " AND day = %2$d AND site IN " SURPLUS_SITES
				       " GROUP BY account, day"
				       " ON CONFLICT(account, day, site) DO UPDATE SET " ADDITIONS
				       ";"
				       "DELETE FROM sites WHERE account = " OTHER_ACCOUNT
				       " AND day = %2$d AND site IN " SURPLUS_SITES ";"
				       "DELETE FROM days WHERE day = %2$d AND account IN " FOLDED
				       ";"
				       "DELETE FROM sites WHERE day = %2$d AND account IN " FOLDED
				       ";"
				       "DELETE FROM accounts WHERE id IN " FOLDED
				       " AND NOT EXISTS (SELECT 1 FROM days WHERE account = id)"
				       " AND NOT EXISTS (SELECT 1 FROM sites WHERE account = id);"
				       "DROP TABLE temp.folded;";

/* -1 when it failed. */
static int64_t count_clients(struct database *d, const char *table, int32_t day)
{
	char sql[256];
	sqlite3_stmt *statement;
	int status;
	int64_t count;

	snprintf(sql, sizeof(sql),
		"SELECT COUNT(DISTINCT account) FROM %s JOIN accounts ON id = account "
		"WHERE day = ?1 AND is_user = 0",
		table);
	statement = database_prepare(d, sql);
	if (statement == NULL)
		return -1;
	sqlite3_bind_int(statement, 1, day);
	status = sqlite3_step(statement);
	count = status == SQLITE_ROW ? sqlite3_column_int64(statement, 0)
				     : database_fail(d, status);
	sqlite3_finalize(statement);
	return count;
}

int history_bound_day(struct database *d, int32_t day, struct history_wanted wanted)
{
	const char *table = wanted.accounts ? "days" : "sites";
	int64_t count = count_clients(d, table, day);
	char sql[SCRIPT_MAX];

	if (count <= HISTORY_CLIENTS_A_DAY + HISTORY_CLIENTS_SPARE)
		return count < 0 ? -1 : 0;
	snprintf(sql, sizeof(sql), script, table, day);
	return database_execute(d, sql);
}
