/* bulk: is a flow so large that it had better be spliced, or so small that it had better be copied?
 * Decided by what its wake-ups carry on average. Pure; one thread's; no lock. */
#ifndef PROXY_BULK_H
#define PROXY_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bulk {
	size_t full; /* bytes of a wake-up that is as large as can be: the size of the buffer */
	size_t sum; /* of what the last wake-ups carried, the older the less it counts */
	unsigned pause; /* wake-ups before a pipe is asked for again */
};

/* Nothing is known of the flow. */
void bulk_init(struct bulk *b, size_t full);

/* A wake-up has carried so many bytes. */
void bulk_note(struct bulk *b, size_t bytes);

/* It was to have a pipe and there was none: it is not to ask at each wake-up. */
void bulk_has_no_pipe(struct bulk *b);

/* Is it worth a pipe, or not worth it any more? Most flows are neither and stay as they are. */
bool bulk_is_large(const struct bulk *b);
bool bulk_is_small(const struct bulk *b);

#endif
