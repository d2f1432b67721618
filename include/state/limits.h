/* limits: what an account may use and how it is written, KEY=VALUE KEY=VALUE, in the users file, in
 * settings and in commands. Pure values; no lock. */
#ifndef STATE_LIMITS_H
#define STATE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "state/amount.h"

#define LIMITS_ERROR_MAX 512
#define LIMITS_GROUPS_MAX 256 /* bytes of "a,b,c" that one may say, its NUL included */
#define LIMITS_ALL_GROUPS_MAX (2 * LIMITS_GROUPS_MAX) /* of the line and a helper */
#define LIMITS_FROM_MAX 16 /* networks */
#define LIMITS_NUMBER_MAX INT64_C(1000000) /* of sessions */

/* The one list of keys, in the order in which they are written. */
/* clang-format off */
#define LIMIT_KEY_LIST(X) \
	X(GROUPS, "groups") \
	X(SESSIONS, "sessions") /* at once */ \
	X(SESSIONS_CLIENT, "sessions_client") /* of these from one client address */ \
	X(RATE, "rate") \
	X(QUOTA, "quota") \
	X(OVER, "over") /* what a used-up quota does */ \
	X(EXPIRES, "expires") \
	X(FROM, "from") \
	X(DISABLED, "disabled") \
	X(GUEST, "guest")

enum limit_key {
#define LIMIT_KEY(name, word) LIMIT_##name,
	LIMIT_KEY_LIST(LIMIT_KEY)
#undef LIMIT_KEY
	LIMIT_KEYS,
};
/* clang-format on */

const char *limit_key_word(enum limit_key key);

/* Sets of keys: which are legal where. */
#define LIMIT_BIT(key) (1U << (key))
#define LIMITS_OF_USER ((1U << LIMIT_KEYS) - 1) /* one user, in the users file */
#define LIMITS_OF_USERS                                                                            \
	(LIMITS_OF_USER &                                                                          \
		~(LIMIT_BIT(LIMIT_GROUPS) | LIMIT_BIT(LIMIT_DISABLED) | LIMIT_BIT(LIMIT_GUEST)))
#define LIMITS_OF_CLIENTS                                                                          \
	(LIMIT_BIT(LIMIT_SESSIONS) | LIMIT_BIT(LIMIT_RATE) | LIMIT_BIT(LIMIT_QUOTA) |              \
		LIMIT_BIT(LIMIT_OVER))

enum limit_said {
	LIMIT_UNSAID, /* others may say something */
	LIMIT_LIFTED, /* none: there is no such limit */
	LIMIT_SAID,
};

enum quota_period { QUOTA_DAY, QUOTA_WEEK, QUOTA_MONTH };

/* Payload both ways together. */
struct quota {
	uint64_t bytes;
	enum quota_period period; /* in local time; weeks begin on Monday */
	unsigned day; /* on which a month begins, 1 to 31: the last one where it has fewer */
};

enum limit_over {
	OVER_CUT, /* live sessions end */
	OVER_REFUSE, /* they may finish */
	OVER_SLOW, /* all goes on, more slowly */
};

/* What stands beside a key counts where that is LIMIT_SAID. All zero: nothing is said. */
struct limits {
	uint8_t said[LIMIT_KEYS]; /* enum limit_said */
	char groups[LIMITS_ALL_GROUPS_MAX]; /* "a,b", without @ */
	uint32_t sessions, sessions_client;
	uint64_t down, up; /* to and from the client, bytes a second; 0: no limit that way */
	struct quota quota;
	enum limit_over over;
	uint64_t slow_down, slow_up; /* of OVER_SLOW, likewise */
	int64_t expires; /* the first second since 1970 that is too late */
	size_t from_count;
	struct network from[LIMITS_FROM_MAX];
	bool is_disabled, is_guest;
};

/* Reads "sessions=10 rate=2Mbit/512kbit" into `out`; "": nothing is said. Keys are those of
 * `legal`; times are local. False when something is wrong: then `why` names the word and says what
 * is legal, and `out` is as it was. */
bool limits_parse(const char *text, unsigned legal, struct limits *out, char why[LIMITS_ERROR_MAX]);

/* The same for changes to what is there, in which KEY=default takes back what was said of a key. */
bool limits_change(
	const char *text, unsigned legal, struct limits *limits, char why[LIMITS_ERROR_MAX]);

/* Writes it as limits_parse() reads it, with blanks between. */
void limits_put(const struct limits *limits, FILE *out);

/* One key: "rate=2Mbit"; nothing where it is unsaid. */
void limits_put_key(const struct limits *limits, enum limit_key key, FILE *out);

/* Text to be freed; NULL without memory. */
char *limits_format(const struct limits *limits);

/* Closer wins: what `limits` says nothing of is taken from `farther`. Groups, and that somebody is
 * disabled or a guest, are not handed on. */
void limits_inherit(struct limits *limits, const struct limits *farther);

/* Of several groups the most generous, key by key; one that says nothing has no say. */
void limits_widen(struct limits *limits, const struct limits *other);

bool limits_equal(const struct limits *a, const struct limits *b);
bool limits_say_nothing(const struct limits *limits);

static inline bool limits_have(const struct limits *limits, enum limit_key key)
{
	return limits->said[key] == LIMIT_SAID;
}

/* Is `name` in a list "a,b" of groups? */
bool limits_in_group(const char *groups, const char *name, size_t len);

/* Why `name` (without @) cannot be a group's; NULL when it can. */
const char *limits_group_problem(const char *name, size_t len);

#endif
