/* limit_book: what configuration and administrators say of accounts' limits, and what that comes to
 * for one account. A rwlock guards it. */
#ifndef STATE_LIMIT_BOOK_H
#define STATE_LIMIT_BOOK_H

#include <stdbool.h>

#include "base/addr.h"
#include "state/config.h"
#include "state/limits.h"
#include "state/standing.h"

struct limit_book;

/* Nothing is said. NULL without memory. */
struct limit_book *limit_book_new(void);
void limit_book_free(struct limit_book *b);

/* Takes in what this configuration and what stands (NULL: nothing) say from now on. -1 without
 * memory, and nothing changed. */
int limit_book_read(struct limit_book *b, struct config *c, struct standing *s)
	__attribute__((warn_unused_result));

#define LIMIT_SOURCE_MAX 160

/* What holds for an account, and who says it. */
struct limits_in_force {
	struct limits limits;
	unsigned of_anonymous; /* bits of keys that hold for a client's sessions without login only
				*/
	bool is_kept_out; /* disabled, itself or with others */
};

#define LIMIT_BY_DISABLE "DISABLE:" /* in front of whom that command keeps out */

/* Who says it, a word a key; "" beside an unsaid one. Beside LIMIT_DISABLED: who keeps it out, of
 * several the closest. */
struct limit_sources {
	char of[LIMIT_KEYS][LIMIT_SOURCE_MAX];
};

/* Of a user of whom the users file says `own`. `sources` may be NULL. */
void limit_book_of_user(struct limit_book *b, const struct limits *own, struct limits_in_force *out,
	struct limit_sources *sources);

/* Of a client, likewise. */
void limit_book_of_client(struct limit_book *b, const struct network *client,
	struct limits_in_force *out, struct limit_sources *sources);

/* Becomes another with each limit_book_read(). Without the lock. */
uint64_t limit_book_version(const struct limit_book *b);

/* Does anything hold for clients? Without the lock. */
bool limit_book_is_about_clients(const struct limit_book *b);

/* Does it give anybody a quota, who may be yet to come? The users file is no part of it. Without
 * the lock. */
bool limit_book_has_quotas(const struct limit_book *b);

/* Do these settings? */
bool limit_book_has_quota_in(const struct settings *s);

/* Tells of each group that administrators said something of, of users or of clients. */
void limit_book_each_group(struct limit_book *b,
	void (*take)(void *context, const char *name, size_t len), void *context);

/* Of a group of users: what is said of it, by whom. False when nothing is. */
bool limit_book_of_group(struct limit_book *b, const char *group, struct limits_in_force *out,
	struct limit_sources *sources);

#endif
