/* histogram: how often something took how long, by ranges, and all of that together. C11 atomics,
 * no lock; relaxed, as what else is counted (stats.h). */
#ifndef STATE_HISTOGRAM_H
#define STATE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS_MAX 14

/* Where the ranges end, in milliseconds and rising. */
struct histogram_scale {
	size_t count;
	int64_t bounds[HISTOGRAM_BOUNDS_MAX];
};

extern const struct histogram_scale histogram_of_waits; /* from 1 ms to 30 s */
extern const struct histogram_scale histogram_of_sessions; /* from 10 ms to a day */

struct histogram {
	const struct histogram_scale *scale;
	_Atomic(uint64_t) total_ms;
	/* By the first bound that it is below; behind these, what is below none. */
	_Atomic(uint64_t) counts[HISTOGRAM_BOUNDS_MAX + 1];
};

/* Nothing is counted yet. Before there are threads. */
void histogram_init(struct histogram *h, const struct histogram_scale *scale);

/* Something took `ms` >= 0 whole milliseconds, and less than one more. */
void histogram_add(struct histogram *h, int64_t ms);

struct histogram_figures {
	uint64_t below[HISTOGRAM_BOUNDS_MAX]; /* each bound; so they never fall */
	uint64_t count;
	uint64_t total_ms;
};

struct histogram_figures histogram_read(const struct histogram *h);

#endif
