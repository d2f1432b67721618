/* zone: how far the local clock is from UTC, and when it is set. No state; the C library's lock. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdint.h>

/* Seconds that the local clock is ahead of UTC at the second `when` (since 1970). */
long zone_offset(int64_t when);

/* The first second with the offset of `until`; that of `from` is another, and the clock is set once
 * between. */
int64_t zone_find_shift(int64_t from, int64_t until);

#endif
