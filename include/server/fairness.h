/* fairness: something divided among those who want some of it, max-min fairly. Pure; no lock. */
#ifndef SERVER_FAIRNESS_H
#define SERVER_FAIRNESS_H

#include <stddef.h>
#include <stdint.h>

struct claim {
	uint64_t want; /* UINT64_MAX: all there is */
	uint64_t share; /* result */
	size_t index; /* the caller's */
};

/* Who wants less than an equal part gets that, and all others an equal part of what is left. The
 * claims come back in the order of what they want. Returns the largest part that anybody could
 * have. */
uint64_t fairness_divide(uint64_t whole, struct claim *claims, size_t count);

#endif
