/* login_answers: what helpers have said of logins lately, by keyed hashes of these. Bounded; a
 * rwlock. */
#ifndef STATE_LOGIN_ANSWERS_H
#define STATE_LOGIN_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include "state/hashing.h"
#include "state/user_words.h"

/* So many are kept of each kind, those that came last: some 150 bytes each. */
#define LOGIN_ANSWERS_RIGHT 65536
#define LOGIN_ANSWERS_WRONG 4096

struct login_answers;

/* None yet. NULL without memory. */
struct login_answers *login_answers_new(void);

/* NULL is allowed. */
void login_answers_free(struct login_answers *a);

enum login_memory { LOGIN_UNKNOWN, LOGIN_KNOWN_WRONG, LOGIN_KNOWN_RIGHT };

/* What is remembered under `key`, HASHING_KEY_SIZE bytes, at the time `now` (clock.h). Of one that
 * was right, `name` receives whose account it is. */
enum login_memory login_answers_get(struct login_answers *a, const unsigned char *key, int64_t now,
	char name[USERS_NAME_MAX + 1]);

/* Changes whenever something is forgotten before its time. */
uint64_t login_answers_age(struct login_answers *a);

/* Remembers until `until` that the login was right, and of whose account; `name` NULL: that it was
 * wrong. It does not where that was asked at an age that has passed, or memory is out: then it is
 * asked again. */
void login_answers_put(struct login_answers *a, const unsigned char *key, const char *name,
	int64_t until, uint64_t age);

/* Forgets all that were right for this account; NULL: all there are, wrong ones too. */
void login_answers_forget(struct login_answers *a, const char *name);

/* How many are kept, those included whose time is over and that nobody came by for. */
size_t login_answers_count(struct login_answers *a);

#endif
