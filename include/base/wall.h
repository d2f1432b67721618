/* wall: what lasts for a time by the clock on the wall, though that may be set meanwhile. An
 * atomic; no lock. */
#ifndef BASE_WALL_H
#define BASE_WALL_H

#include <stdint.h>

/* A moment of the clock on the wall as it is set now, in seconds since 1970, as one of a clock that
 * nobody sets. It goes on while the host sleeps. */
int64_t wall_to_steady(int64_t wall);

/* The other way round: when that moment is, by the clock on the wall as it is set now. */
int64_t wall_from_steady(int64_t steady);

#endif
