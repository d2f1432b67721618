/* access_log: each request that was answered and each login of a user that was refused, the newest
 * in memory and all in a file. A rwlock guards the ring of entries; readers copy a few at a time,
 * so that they hold up no session. */
#ifndef STATE_ACCESS_LOG_H
#define STATE_ACCESS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/end_reason.h"
#include "state/users.h"

/* A name of 255 bytes, ":65535" and NUL. One with many bytes to be escaped is cut. */
#define ACCESS_TARGET_MAX 262

/* A word for why something failed, and NUL. */
#define ACCESS_REASON_MAX 32

/* What stands where there is nothing to be said. */
#define ACCESS_NONE "-"

struct access_log;

/* An empty log that remembers `entries` >= 1 of them. NULL without memory. */
struct access_log *access_log_new(size_t entries);

/* NULL is allowed. */
void access_log_free(struct access_log *log);

/* Remembers so many from now on; the newest stay. -1 without memory, and nothing changed. */
int access_log_resize(struct access_log *log, size_t entries) __attribute__((warn_unused_result));

/* Appends to the file at `path` too; "" is none. The same path again opens what has that name now.
 * -1 with errno, and nothing changed. One thread at a time. */
int access_log_open(struct access_log *log, const char *path) __attribute__((warn_unused_result));

/* Fills the memory with the last lines of the file at `path`, which is also the one that is
 * appended to; others than its own are passed over, and so is what lies too far back. A missing
 * file has none. -1 with errno when it cannot be read. Before any other thread uses the log. */
int access_log_fill(struct access_log *log, const char *path) __attribute__((warn_unused_result));

/* An answered request, or a login that was refused. The texts are one word each (escape.h). */
struct access_record {
	const char *user;
	size_t user_len;
	const struct addr *client;
	const char *target; /* host:port, as the client asked for it; ACCESS_NONE: for nothing */
	enum end_reason failure; /* END_REASONS: it was granted */
};

/* Remembers it, with the time as it is now: when the client is answered. */
void access_log_add(struct access_log *log, const struct access_record *record);

/* What became of it, for the file. */
struct access_end {
	const char *command; /* ACCESS_NONE: there was none */
	int code; /* of the reply, as the client's protocol counts; -1: there was none */
	enum end_reason reason;
	const char *rule; /* that decided, as one word; ACCESS_NONE: none was asked */
	uint64_t sent, received; /* bytes */
	int64_t total_ms;
};

/* Writes its line into the file, if there is one, with the time as it is now: at the session's end.
 * False with errno when the file did not take it. */
bool access_log_write(
	struct access_log *log, const struct access_record *record, const struct access_end *end);

/* Lines that the file did not take, since the start. */
uint64_t access_log_lost(struct access_log *log);

struct access_entry {
	int64_t time; /* seconds since 1970 */
	struct addr client;
	bool success;
	char reason[ACCESS_REASON_MAX]; /* of a failure; ACCESS_NONE: not known */
	size_t user_len;
	char user[USERS_NAME_MAX + 1];
	char target[ACCESS_TARGET_MAX];
};

/* Where a reader is; belongs to one thread. */
struct access_cursor {
	uint64_t next, end; /* numbers of entries: those from `next` to before `end` are to come */
	bool everybody;
	bool by_client; /* those of `client`, whoever logged in there */
	struct network client;
	size_t user_len;
	char user[USERS_NAME_MAX];
};

/* Begins to read the newest `count` of the entries of `user` (NULL: of everybody) that there are
 * now. */
void access_log_begin(struct access_log *log, struct access_cursor *cursor, const char *user,
	size_t user_len, uint64_t count);

/* The same with the entries of the clients in a network, which may be a single address. */
void access_log_begin_client(struct access_log *log, struct access_cursor *cursor,
	const struct network *client, uint64_t count);

/* Copies the next entries, oldest first, at most `max`. Fewer, even none, does not mean that these
 * were the last, but cursor->next == cursor->end does. Entries that were overwritten meanwhile are
 * left out. */
size_t access_log_read(struct access_log *log, struct access_cursor *cursor,
	struct access_entry *entries, size_t max);

#endif
