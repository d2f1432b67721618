/* throughput: how much all sessions moved of late, by the second, the minute and five minutes. A
 * mutex of its own, held for as long as it takes to copy a row. */
#ifndef STATE_THROUGHPUT_H
#define STATE_THROUGHPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How finely the past is kept, and how far it reaches: seconds both. */
struct throughput_scale {
	int64_t step;
	int64_t reach;
};

#define THROUGHPUT_SCALES 3
extern const struct throughput_scale throughput_scales[THROUGHPUT_SCALES]; /* the finest first */

/* What all sessions together have come to. */
struct throughput_sample {
	uint64_t sent, received; /* bytes since the start, which never fall */
	uint64_t sessions; /* live now */
};

/* A step: bytes that were moved in it, and the most sessions that were seen in it. */
struct throughput_row {
	uint64_t sent, received;
	uint64_t sessions;
};

struct throughput;

/* Begins at the time `now` (clock.h), with nothing. NULL without memory. */
struct throughput *throughput_new(int64_t now);
void throughput_free(struct throughput *t);

/* Takes a sample: what was moved since the one before belongs to the second that is over, or, if
 * nobody took any for longer, to the one that runs. True when anything differs. */
bool throughput_take(struct throughput *t, const struct throughput_sample *sample, int64_t now);

/* The step that is `back` steps of throughput_scales[scale] before the one that runs at `now`,
 * which is number 0. False when it is not kept any more, or before the start. */
bool throughput_read(
	struct throughput *t, size_t scale, int64_t back, int64_t now, struct throughput_row *out);

#endif
