/* backoff: how long what failed for want of something is left alone before it is tried again:
 * longer each time. A value; no lock. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 10
#define BACKOFF_LONGEST_MS 1000

/* All zeros: the last try worked, or there was none. */
struct backoff {
	int64_t pause_ms; /* the last one */
};

/* It failed: the pause until the next try, in milliseconds. Twice the one before, up to
 * BACKOFF_LONGEST_MS. */
int64_t backoff_next(struct backoff *b);

/* It worked. */
void backoff_end(struct backoff *b);

#endif
