/* clock: monotonic milliseconds and absolute deadlines. No state, no lock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* A deadline that never comes. */
#define CLOCK_NEVER INT64_MAX

/* Milliseconds of CLOCK_MONOTONIC; only differences and comparisons mean anything. */
int64_t clock_ms(void);

/* The deadline `ms` milliseconds from now; CLOCK_NEVER stays CLOCK_NEVER. */
int64_t clock_deadline(int64_t ms);

/* Whichever of the two comes first. */
int64_t clock_earlier(int64_t a, int64_t b);

/* What poll(2) is to be given so that it returns at `deadline`: 0 when that has passed, -1 for
 * CLOCK_NEVER, otherwise milliseconds. */
int clock_poll_timeout(int64_t deadline);

/* `deadline` as a struct timespec of CLOCK_MONOTONIC, for the pthread_*_clock* calls. */
struct timespec clock_timespec(int64_t deadline);

#endif
