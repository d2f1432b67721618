/* login_counts: how many logins there were, by where they came and what became of them. C11
 * atomics, no lock; relaxed, as what else is counted (stats.h). */
#ifndef STATE_LOGIN_COUNTS_H
#define STATE_LOGIN_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "state/users.h"

/* Where: the one list, with the words in metrics. */
/* clang-format off */
#define LOGIN_DOOR_LIST(X) \
	X(SOCKS5, "socks5") \
	X(HTTP, "http") /* the proxy's */ \
	X(MONITOR, "monitor") \
	X(WEB, "web") /* by the form, or with a request */

enum login_door {
#define LOGIN_DOOR(name, word) LOGIN_AT_##name,
	LOGIN_DOOR_LIST(LOGIN_DOOR)
#undef LOGIN_DOOR
	LOGIN_DOORS,
};
/* clang-format on */

/* Behind the values of enum login_result: at the proxy it was served as Anonymous, since none was
 * asked for, or a wrong one is forgiven (auth = optional, none). */
#define LOGIN_IGNORED (LOGIN_UNANSWERED + 1)
#define LOGIN_RESULTS (LOGIN_IGNORED + 1)

const char *login_door_word(enum login_door door);

/* Of enum login_result, or LOGIN_IGNORED. */
const char *login_result_word(unsigned result);

/* Zeroed at first. */
struct login_counts {
	_Atomic(uint64_t) of[LOGIN_DOORS][LOGIN_RESULTS];
};

void login_counts_add(struct login_counts *c, enum login_door door, unsigned result);

uint64_t login_counts_get(const struct login_counts *c, enum login_door door, unsigned result);

/* Those that were checked and not right, or not let be, at that door: all but what could not be
 * checked. */
uint64_t login_counts_refused(const struct login_counts *c, enum login_door door);

#endif
