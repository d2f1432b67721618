/* helper: what socks5d asks about logins, at a unix socket: a thread that answers as it is told. */
#ifndef TESTS_HELPER_H
#define TESTS_HELPER_H

#include <stddef.h>

struct helper;

/* What it says to a question: pieces, each with a NUL, up to one with an LF, or a long one.
 * HELPER_HOLDS: nothing until helper_release(); NULL: it closes. */
typedef const char *helper_says(const char *question);
extern const char HELPER_HOLDS[];

/* Serves at `path` from now on. */
struct helper *helper_start(const char *path, helper_says *says);
void helper_stop(struct helper *h);

/* How many questions came so far; and the newest one, valid until the next. */
unsigned helper_asked(struct helper *h);
const char *helper_newest(struct helper *h);

/* Waits until so many are held, or so many in all were given up by who asked. */
void helper_wait_held(struct helper *h, unsigned count);
void helper_wait_given_up(struct helper *h, unsigned count);

/* Answers all that are held. */
void helper_release(struct helper *h, const char *answer);

#endif
