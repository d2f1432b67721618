/* login_helper: asks the program at auth_socket whether logins are right, and remembers what it
 * said. Questions have a queue of their own (hashing.h), a mutex guards what is told of it. */
#ifndef STATE_LOGIN_HELPER_H
#define STATE_LOGIN_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/hashing.h"
#include "state/limits.h"
#include "state/login_answers.h"
#include "state/user_words.h"

struct login_helper;

/* Of the one at `path`. NULL without memory. */
struct login_helper *login_helper_new(const char *path);

/* Nobody asks any more. NULL is allowed. */
void login_helper_free(struct login_helper *h);

const char *login_helper_path(const struct login_helper *h);

/* Right answers are remembered for so long (0: not at all), and at most so many questions are under
 * way at once. */
void login_helper_set(struct login_helper *h, int64_t cache_ms, unsigned most);

/* So long a login takes at most. One that nobody answered in less than half of it, or in less than
 * 5 s where that is more, was asked too late to tell anything. */
void login_helper_set_longest(struct login_helper *h, int64_t longest_ms);

/* The groups that it is asked about, "a,b"; "": none. Unless they `are_all` that matter nobody can
 * say who is right, and nothing is asked. What is remembered goes when they are others. -1 without
 * memory, and nothing changed. */
int login_helper_set_groups(struct login_helper *h, const char *groups, bool are_all)
	__attribute__((warn_unused_result));

/* Is it asked about this one? */
bool login_helper_asks_about(struct login_helper *h, const char *group);

/* In which questions wait for their turn; which is to be had before login_helper_ask(). */
struct hashing *login_helper_queue(struct login_helper *h);

/* Ends all waiting for a turn and for answers, now and later: HELPER_NOT_AWAITED. */
void login_helper_stop(struct login_helper *h);

/* Can a helper be asked about it? Not with control bytes, nor without a name or password. */
bool login_helper_can_ask(
	const char *name, size_t name_len, const char *password, size_t password_len);

struct helper_question {
	const char *name; /* both with a NUL behind them */
	const char *password;
	const struct hashing_wait *wait; /* how long the answer is waited for, looked at likewise */
};

enum helper_verdict {
	HELPER_RIGHT,
	HELPER_WRONG,
	HELPER_SILENT, /* nobody can say; login_helper_problem() tells why */
	HELPER_NOT_AWAITED, /* who asked was told to give up, or is not worth waiting for */
	HELPER_TOO_LATE, /* the deadline passed before there was a fair time to answer */
	HELPER_TOO_MANY_GROUPS, /* it says yes, of somebody in more groups than can be kept */
	HELPER_NO_MEMORY,
};

/* Of one who is right. */
struct helper_person {
	char name[USERS_NAME_MAX + 1]; /* of the account, in lower case; "": no account can be
					  called that */
	bool is_as_given; /* by the client: the helper calls him nothing else */
	char groups[LIMITS_GROUPS_MAX]; /* "a,b" */
};

/* Asks, which takes as long as the other side likes, up to the deadline. Counts and, where nobody
 * can say, logs it. */
enum helper_verdict login_helper_ask(struct login_helper *h, const struct helper_question *q,
	struct helper_person *person) __attribute__((warn_unused_result));

/* What was said lately of the login that has this key: login_answers.h. Counts it. */
enum login_memory login_helper_recall(
	struct login_helper *h, const unsigned char *key, char name[USERS_NAME_MAX + 1]);

/* For how long login_helper_remember() keeps what is right: 0: it does not. */
int64_t login_helper_cache(const struct login_helper *h);

/* To be asked before the question that login_helper_remember() is given the answer to. */
uint64_t login_helper_age(struct login_helper *h);

/* Keeps that the login is right, of the account `name`; NULL: that it is wrong, for 10 s. */
void login_helper_remember(
	struct login_helper *h, const unsigned char *key, const char *name, uint64_t age);

/* Forgets what was right for the account; NULL: all. */
void login_helper_forget(struct login_helper *h, const char *name);

/* ---- for whoever looks ---- */

struct login_helper_figures {
	uint64_t right, wrong, failed; /* answers to questions, and those without one */
	uint64_t recalled; /* logins that were decided by what was remembered */
	size_t remembered; /* answers, now */
};

/* All zero of NULL. */
struct login_helper_figures login_helper_read(struct login_helper *h);

#define LOGIN_HELPER_TEXT_MAX 512

/* Why the newest question that got an end got no answer, since when that is so (seconds since
 * 1970), and how often. False: it got one, or none was asked yet. */
struct login_helper_trouble {
	char text[LOGIN_HELPER_TEXT_MAX];
	int64_t since;
	uint64_t failures;
};

bool login_helper_problem(struct login_helper *h, struct login_helper_trouble *out);

/* Connects to the socket at `path`, and lets go of it again, to see whether somebody serves there;
 * `*uid` (-1: not known) as whom. 0, or an errno value. */
int login_helper_try(const char *path, int64_t *uid);

/* Why that failed, in words. */
const char *login_helper_explain(int error);

#endif
