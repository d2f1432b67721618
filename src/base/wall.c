/*
 * The steady clock showed the same as the one on the wall when this process asked for the first
 * time; since then it goes by CLOCK_BOOTTIME. How far the other one is ahead of that by now is what
 * it was set by. A little more or less is no setting, so that what nobody has touched stays exact.
 */
#include "base/wall.h"

#include <stdatomic.h>
#include <time.h>

#define LEAST_STEP_MS 2000 /* that counts */
#define UNKNOWN INT64_MIN

/* By how many milliseconds the wall's was ahead of the time since the boot. */
static _Atomic(int64_t) first_lead = UNKNOWN;

static int64_t ms_of(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* In seconds. */
static int64_t set_by(void)
{
	int64_t lead = ms_of(CLOCK_REALTIME) - ms_of(CLOCK_BOOTTIME), first = UNKNOWN, step;

	if (atomic_compare_exchange_strong(&first_lead, &first, lead))
		return 0;
	step = lead - first;
	if (step > -LEAST_STEP_MS && step < LEAST_STEP_MS)
		return 0;
	return (step + (step > 0 ? 500 : -500)) / 1000;
}

int64_t wall_to_steady(int64_t wall)
{
	return wall - set_by();
}

int64_t wall_from_steady(int64_t steady)
{
	return steady + set_by();
}
