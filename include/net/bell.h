/* bell: an eventfd (wake.h) that others may ring until its owner is done with it, and while he
 * ceases to be. Counted, without a lock; a list of them is one thread's. */
#ifndef NET_BELL_H
#define NET_BELL_H

#include <stdbool.h>

struct bell;

/* NULL with errno. Its owner holds it. */
struct bell *bell_new(void) __attribute__((warn_unused_result));

/* What polls readable once it was rung, until wake_clear(). */
int bell_fd(const struct bell *b);

/* Was it never put into a list? Then its owner is the only one who holds it, and he may give it to
 * another one. */
bool bell_is_unused(const struct bell *b);

/* Closed by whoever is the last to release it. NULL is allowed. */
void bell_release(struct bell *b);

/* Bells to ring. All zeros: none. */
struct bells {
	struct bell *first;
};

/* Puts one in, which must be in no list, and holds it. */
void bell_put(struct bells *bells, struct bell *b);

/* Rings and releases them all. */
void bells_ring(struct bells *bells);

#endif
