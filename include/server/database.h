/* database: what outlives the server, in one file of SQLite's in a folder of its own. One thread's
 * at a time; no lock. */
#ifndef SERVER_DATABASE_H
#define SERVER_DATABASE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATABASE_ERROR_MAX 1024

#define DATABASE_FILE "socks5d.db"

struct database;

/* Opens the one in `folder`, which has to exist, and makes one where there is none. It is ours
 * alone until database_close(). One that is damaged is put aside (database_put_aside()), and begun
 * anew. NULL with the reason in `error`, which begins with the setting's name: a newer version
 * has made the file, say; or another server has the folder, and errno is EBUSY. */
struct database *database_open(const char *folder, char error[DATABASE_ERROR_MAX]);

/* Would database_open() succeed? Nothing is made or changed, and a server may have it open. -1
 * with the reason in `error`. */
int database_check(const char *folder, char error[DATABASE_ERROR_MAX])
	__attribute__((warn_unused_result));

/* NULL is allowed. */
void database_close(struct database *d);

/* Where the damaged file was moved to since this was asked last; NULL: there was none. */
const char *database_put_aside(struct database *d);

/* What failed last, in words. */
const char *database_error(const struct database *d);

/* Was it because the file is damaged? Then database_renew() puts it aside and begins anew. */
bool database_is_damaged(const struct database *d);
int database_renew(struct database *d) __attribute__((warn_unused_result));

/* All of these: -1 when it failed, see database_error(). */

/* What is done between the two is on the disk when the second returns, or else nothing of it. */
int database_begin(struct database *d) __attribute__((warn_unused_result));
int database_commit(struct database *d) __attribute__((warn_unused_result));

/* Takes back what was done since database_begin(). */
void database_roll_back(struct database *d);

/* ---- for those who have tables in it ---- */

struct sqlite3;
struct sqlite3_stmt;

struct sqlite3 *database_handle(struct database *d);

/* Notes that SQLite said this. Returns -1. */
int database_fail(struct database *d, int status);

int database_execute(struct database *d, const char *sql) __attribute__((warn_unused_result));

/* NULL when it failed. */
struct sqlite3_stmt *database_prepare(struct database *d, const char *sql);

/* Runs what yields nothing of interest, and frees it. */
int database_finish(struct database *d, struct sqlite3_stmt *statement)
	__attribute__((warn_unused_result));

/* ---- facts: what stands (state/standing.h) ---- */

/* NULL: nothing any more. */
int database_put_fact(struct database *d, const char *kind, const char *key, const char *value)
	__attribute__((warn_unused_result));

typedef void database_fact_taker(
	void *context, const char *kind, const char *key, const char *value);
int database_each_fact(struct database *d, database_fact_taker *take, void *context)
	__attribute__((warn_unused_result));

#endif
