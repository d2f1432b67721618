/*
 * The C library tells the offset of any second, and not when it changes: that is searched for by
 * halves.
 */
#include "base/zone.h"

#include <time.h>

long zone_offset(int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;

	return localtime_r(&t, &tm) == NULL ? 0 : tm.tm_gmtoff;
}

int64_t zone_find_shift(int64_t from, int64_t until)
{
	long before = zone_offset(from);

	while (until - from > 1) {
		int64_t middle = from + (until - from) / 2;

		if (zone_offset(middle) == before)
			from = middle;
		else
			until = middle;
	}
	return until;
}
