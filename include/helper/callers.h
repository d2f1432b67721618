/* callers: who asks at the socket whether logins are right. One thread's; no lock. */
#ifndef HELPER_CALLERS_H
#define HELPER_CALLERS_H

#include <stddef.h>
#include <stdint.h>

#include "helper/crew.h"
#include "helper/polls.h"

#define CALLERS_POLLS(most) ((size_t)(most) + 1) /* what they may add to them */

struct callers;

/* At a listener, which stays the caller's; at most so many at once, others wait. `groups` may be
 * NULL: then nobody is in any. NULL without memory. */
struct callers *callers_new(int listener, size_t most, struct crew *logins, struct crew *groups)
	__attribute__((warn_unused_result));

/* Gives up whatever is asked, and closes all connections. NULL is allowed. */
void callers_free(struct callers *c);

void callers_add_polls(struct callers *c, struct polls *p);

/* Lets in who waits, reads questions, asks, and answers what is done. */
void callers_go_on(struct callers *c, const struct polls *p);
int64_t callers_deadline(const struct callers *c);

#endif
