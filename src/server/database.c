/*
 * SQLite keeps a log of what is written beside its file (WAL): a batch is then one write and one
 * fsync(2), and whoever looks into the file meanwhile, for a report or a backup, holds up nothing.
 * All that is written is a batch, between begin and commit.
 *
 * The folder is locked by a file of its own, which the kernel lets go of with the process. SQLite's
 * locks are not for that: they come and go with each transaction.
 *
 * The file's layout has a number. What an older one lacks is added when it is opened; a newer one
 * is left alone, since it may mean something else by the same words.
 */
#include "server/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/folder.h"

#define LOCK_FILE "lock"
#define VERSION 1
#define BUSY_MS 5000 /* for somebody else who has locked the file */

/* Where SQLite keeps its user_version in the first page of a file. */
#define HEADER_SIZE 100
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_VERSION 60

/* Days are numbers like 20261126; `former` is a deleted account's own id, so that names are unique
 * among the others. */
#define COUNT_COLUMNS                                                                              \
	" sessions INTEGER NOT NULL, refused INTEGER NOT NULL, sent INTEGER NOT NULL,"             \
	" received INTEGER NOT NULL, ms INTEGER NOT NULL, known_sessions INTEGER NOT NULL,"        \
	" known_sent INTEGER NOT NULL, known_received INTEGER NOT NULL,"                           \
	" known_ms INTEGER NOT NULL,"

/* clang-format off */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS facts("
	" kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
	" PRIMARY KEY(kind, key)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS accounts("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, is_user INTEGER NOT NULL, name TEXT NOT NULL,"
	" deleted INTEGER NOT NULL DEFAULT 0, former INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE(is_user, name, former));"
	"CREATE TABLE IF NOT EXISTS days("
	" account INTEGER NOT NULL, day INTEGER NOT NULL," COUNT_COLUMNS
	" PRIMARY KEY(account, day)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS sites("
	" account INTEGER NOT NULL, day INTEGER NOT NULL, site TEXT NOT NULL," COUNT_COLUMNS
	" PRIMARY KEY(account, day, site)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS days_by_day ON days(day);"
	"CREATE INDEX IF NOT EXISTS sites_by_day ON sites(day);";
/* clang-format on */

struct database {
	sqlite3 *handle;
	int lock_fd;
	int status; /* SQLite's, of what failed last */
	bool was_put_aside; /* and nobody has asked yet */
	bool is_lost; /* it was damaged, and a new one could not be begun yet */
	char folder[PATH_MAX];
	char path[PATH_MAX + 16];
	char aside[PATH_MAX + 64];
	char error[256];
};

static int fail_for(char *error, const char *folder, const char *why)
{
	snprintf(error, DATABASE_ERROR_MAX, "state_dir: \"%.512s\": %s", folder, why);
	return -1;
}

/* ---- the folder ---- */

/* Its process, where the kernel tells: one in another container, say, has no number here. */
static int refuse_locked(int fd, const char *folder, char *error)
{
	struct flock other = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char why[128] = "another server has it";

	if (fcntl(fd, F_GETLK, &other) == 0 && other.l_type != F_UNLCK && other.l_pid > 0)
		snprintf(why, sizeof(why), "another server has it, process %ld", (long)other.l_pid);
	(void)fail_for(error, folder, why);
	errno = EBUSY;
	return -1;
}

static int lock_folder(struct database *d, char *error)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/" LOCK_FILE, d->folder);
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock_fd < 0)
		return fail_for(error, d->folder, strerror(errno));
	if (fcntl(d->lock_fd, F_SETLK, &all) == 0)
		return 0;
	if (errno == EACCES || errno == EAGAIN)
		return refuse_locked(d->lock_fd, d->folder, error);
	return fail_for(error, d->folder, strerror(errno));
}

/* ---- SQLite ---- */

/* `cause`: what the kernel said to SQLite, where that is more than its own words tell; 0: nothing.
 */
static int fail_because(struct database *d, int status, int cause)
{
	bool is_of_files = (status & 0xff) == SQLITE_IOERR || (status & 0xff) == SQLITE_CANTOPEN;
	const char *problem = d->handle != NULL && sqlite3_errcode(d->handle) == status
		? sqlite3_errmsg(d->handle)
		: sqlite3_errstr(status);
	bool has_cause = is_of_files && cause != 0;

	d->status = status;
	snprintf(d->error, sizeof(d->error), "%s%s%s", problem, has_cause ? ": " : "",
		has_cause ? strerror(cause) : "");
	return -1;
}

int database_fail(struct database *d, int status)
{
	return fail_because(d, status, d->handle != NULL ? sqlite3_system_errno(d->handle) : 0);
}

int database_execute(struct database *d, const char *sql)
{
	int status;

	errno = 0;
	status = sqlite3_exec(d->handle, sql, NULL, NULL, NULL);
	if (status == SQLITE_OK)
		return 0;
	/* Of a COMMIT that fails SQLite keeps no cause. */
	return errno != 0 ? fail_because(d, status, errno) : database_fail(d, status);
}

sqlite3_stmt *database_prepare(struct database *d, const char *sql)
{
	sqlite3_stmt *statement;
	int status = sqlite3_prepare_v2(d->handle, sql, -1, &statement, NULL);

	if (status == SQLITE_OK)
		return statement;
	(void)database_fail(d, status);
	return NULL;
}

int database_finish(struct database *d, sqlite3_stmt *statement)
{
	int status = sqlite3_step(statement);

	if (status != SQLITE_DONE && status != SQLITE_ROW)
		(void)database_fail(d, status);
	sqlite3_finalize(statement);
	return status == SQLITE_DONE || status == SQLITE_ROW ? 0 : -1;
}

struct sqlite3 *database_handle(struct database *d)
{
	return d->handle;
}

/* -1: it failed. */
static int read_version(struct database *d)
{
	sqlite3_stmt *statement = database_prepare(d, "PRAGMA user_version");
	int status = statement == NULL ? SQLITE_ERROR : sqlite3_step(statement);
	int version = status == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;

	if (statement != NULL && status != SQLITE_ROW)
		(void)database_fail(d, status);
	sqlite3_finalize(statement);
	return version;
}

/* Nobody else is to read it, whatever the umask: SQLite gives its other files the same mode. */
static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -1;
	if (fchmod(fd, 0600) < 0 && errno != EPERM) {
		close(fd);
		return -1;
	}
	return close(fd);
}

static void close_handle(struct database *d)
{
	sqlite3_close_v2(d->handle);
	d->handle = NULL;
}

/* What it lacks is made in one transaction, so that no version is half of another. */
static int bring_up_to_date(struct database *d)
{
	char sql[sizeof(schema) + 128];

	snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT", schema,
		VERSION);
	return database_execute(d, sql);
}

static int set_up(struct database *d)
{
	sqlite3_busy_timeout(d->handle, BUSY_MS);
	return database_execute(d,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		"PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024;"
		"PRAGMA journal_size_limit = 4194304");
}

/* Small ones are looked through, which takes some 10 ms; a large one would hold up the start, and
 * shows its damage when that is met. */
#define CHECKED_SIZE (32 * 1024 * 1024)

/* As what it failed, when it says no: with words about what is damaged. Without, it is the disk's
 * fault, or for want of memory. */
static int judge(int status, const unsigned char *text)
{
	if (status != SQLITE_ROW)
		return status == SQLITE_DONE ? SQLITE_CORRUPT : status;
	if (text == NULL)
		return SQLITE_NOMEM;
	return strcmp((const char *)text, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
}

static int look_through(struct database *d)
{
	struct stat st;
	sqlite3_stmt *statement;
	int status;

	if (stat(d->path, &st) == 0 && st.st_size > CHECKED_SIZE)
		return 0;
	statement = database_prepare(d, "PRAGMA quick_check(1)");
	if (statement == NULL)
		return -1;
	status = sqlite3_step(statement);
	status = judge(status, status == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL);
	if (status != SQLITE_OK)
		(void)database_fail(d, status);
	sqlite3_finalize(statement);
	return status == SQLITE_OK ? 0 : -1;
}

static int refuse_newer(const char *folder, long version, char *error)
{
	char why[160];

	snprintf(why, sizeof(why),
		DATABASE_FILE " is of version %ld, made by a newer socks5d; this one knows %d",
		version, VERSION);
	return fail_for(error, folder, why);
}

/* -1 with the reason in `error`; with "" there when the file is damaged. */
static int open_file(struct database *d, char *error)
{
	int status, version;

	error[0] = '\0';
	if (make_file(d->path) < 0)
		return fail_for(error, d->folder, strerror(errno));
	status = sqlite3_open_v2(
		d->path, &d->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (status == SQLITE_OK && set_up(d) == 0 && (version = read_version(d)) >= 0) {
		if (version > VERSION)
			return refuse_newer(d->folder, version, error);
		if (bring_up_to_date(d) == 0 && look_through(d) == 0)
			return 0;
	} else if (status != SQLITE_OK) {
		(void)database_fail(d, status);
	}
	if (!database_is_damaged(d))
		(void)fail_for(error, d->folder, d->error);
	return -1;
}

/* ---- one that is damaged ---- */

bool database_is_damaged(const struct database *d)
{
	int status = d->status & 0xff;

	return d->is_lost || status == SQLITE_CORRUPT || status == SQLITE_NOTADB;
}

static void name_aside(struct database *d)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32] = "";

	if (localtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	snprintf(d->aside, sizeof(d->aside), "%s.damaged-%s", d->path, when);
}

/* With what SQLite has beside it, which belongs to it alone. */
static int move_aside(struct database *d)
{
	static const char *const others[] = {"-wal", "-shm", "-journal"};
	char from[sizeof(d->path) + 16], to[sizeof(d->aside) + 16];

	close_handle(d);
	name_aside(d);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", d->path, others[i]);
		snprintf(to, sizeof(to), "%s%s", d->aside, others[i]);
		(void)rename(from, to); /* most are not there */
	}
	if (rename(d->path, d->aside) < 0 && errno != ENOENT)
		return -1;
	d->was_put_aside = true;
	return 0;
}

const char *database_put_aside(struct database *d)
{
	bool was = d->was_put_aside;

	d->was_put_aside = false;
	return was ? d->aside : NULL;
}

static int begin_anew(struct database *d, char *error)
{
	d->is_lost = true;
	if (move_aside(d) < 0)
		return fail_for(error, d->folder, strerror(errno));
	if (open_file(d, error) == 0) {
		d->is_lost = false;
		return 0;
	}
	return *error != '\0' ? -1 : fail_for(error, d->folder, d->error);
}

int database_renew(struct database *d)
{
	char error[DATABASE_ERROR_MAX];

	if (begin_anew(d, error) == 0)
		return 0;
	snprintf(d->error, sizeof(d->error), "%.255s", error);
	return -1;
}

/* ---- opening ---- */

static bool is_folder(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode);
}

struct database *database_open(const char *folder, char error[DATABASE_ERROR_MAX])
{
	struct database *d = calloc(1, sizeof(*d));
	int saved;

	if (d == NULL) {
		(void)fail_for(error, folder, strerror(ENOMEM));
		return NULL;
	}
	d->lock_fd = -1;
	snprintf(d->folder, sizeof(d->folder), "%s", folder);
	snprintf(d->path, sizeof(d->path), "%s/" DATABASE_FILE, folder);
	if (!is_folder(folder))
		(void)fail_for(error, folder, strerror(errno));
	else if (lock_folder(d, error) == 0 &&
		(open_file(d, error) == 0 || (*error == '\0' && begin_anew(d, error) == 0)))
		return d;
	saved = errno;
	database_close(d);
	errno = saved;
	return NULL;
}

void database_close(struct database *d)
{
	if (d == NULL)
		return;
	close_handle(d);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	free(d);
}

const char *database_error(const struct database *d)
{
	return d->error;
}

static long header_version(const unsigned char *header)
{
	const unsigned char *v = header + HEADER_VERSION;

	return (long)v[0] << 24 | (long)v[1] << 16 | (long)v[2] << 8 | v[3];
}

int database_check(const char *folder, char error[DATABASE_ERROR_MAX])
{
	char path[PATH_MAX + 16];
	unsigned char header[HEADER_SIZE];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/" DATABASE_FILE, folder);
	if (!is_folder(folder) || !folder_takes_file(path))
		return fail_for(error, folder, strerror(errno));
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : fail_for(error, folder, strerror(errno));
	n = read(fd, header, sizeof(header));
	close(fd);
	/* One that is none, or damaged, is put aside at the start. */
	if (n == (ssize_t)sizeof(header) &&
		memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) == 0 &&
		header_version(header) > VERSION)
		return refuse_newer(folder, header_version(header), error);
	return 0;
}

/* ---- batches ---- */

/* Opens the file anew. */
static int open_again(struct database *d)
{
	char error[DATABASE_ERROR_MAX];

	close_handle(d);
	if (open_file(d, error) == 0)
		return 0;
	if (*error != '\0')
		snprintf(d->error, sizeof(d->error), "%.255s", error);
	return -1;
}

/* A lock that SQLite could not give back stays with its handle, and keeps that handle out, too. */
static bool is_locked_out(const struct database *d)
{
	int status = d->status & 0xff;

	return d->handle == NULL || status == SQLITE_BUSY || status == SQLITE_PROTOCOL;
}

int database_begin(struct database *d)
{
	static const char begin[] = "BEGIN IMMEDIATE";

	if (database_execute(d, begin) == 0)
		return 0;
	if (d->is_lost || !is_locked_out(d) || open_again(d) < 0)
		return -1;
	return database_execute(d, begin);
}

int database_commit(struct database *d)
{
	return database_execute(d, "COMMIT");
}

void database_roll_back(struct database *d)
{
	if (d->handle != NULL && !sqlite3_get_autocommit(d->handle))
		(void)sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- facts ---- */

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

int database_put_fact(struct database *d, const char *kind, const char *key, const char *value)
{
	sqlite3_stmt *statement = database_prepare(d,
		value != NULL ? "INSERT OR REPLACE INTO facts VALUES(?1, ?2, ?3)"
			      : "DELETE FROM facts WHERE kind = ?1 AND key = ?2");

	if (statement == NULL)
		return -1;
	bind_text(statement, 1, kind);
	bind_text(statement, 2, key);
	if (value != NULL)
		bind_text(statement, 3, value);
	return database_finish(d, statement);
}

int database_each_fact(struct database *d, database_fact_taker *take, void *context)
{
	sqlite3_stmt *statement = database_prepare(d, "SELECT kind, key, value FROM facts");
	int status;

	if (statement == NULL)
		return -1;
	while ((status = sqlite3_step(statement)) == SQLITE_ROW)
		take(context, (const char *)sqlite3_column_text(statement, 0),
			(const char *)sqlite3_column_text(statement, 1),
			(const char *)sqlite3_column_text(statement, 2));
	if (status != SQLITE_DONE)
		(void)database_fail(d, status);
	sqlite3_finalize(statement);
	return status == SQLITE_DONE ? 0 : -1;
}
